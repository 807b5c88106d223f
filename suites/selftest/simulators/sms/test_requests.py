"""SMPP requests at the simulated service centre, each with the status that is due, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.errors import SmsError
from harness.protocols.gsm.address import Address
from harness.protocols.gsm.user_data import UserData
from harness.protocols.smpp import pdu as pdus
from harness.protocols.smpp.codes import Command, MessageState, Status, Tag
from harness.protocols.smpp.pdu import Destination, Pdu, Unreached
from harness.transport.context import Context
from simulators.sms import network as networks
from simulators.sms.network import SmsNetwork, Text, key_of
from simulators.sms.receipts import fields_of
from simulators.sms.requests import RefusedError, Sender, carry_out
from simulators.sms.settings import SmsSettings

pytestmark = pytest.mark.virtual_time

TO: dict[str, Any] = {"dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": "447700900123"}
FROM: dict[str, Any] = {"source_addr_ton": 1, "source_addr_npi": 1, "source_addr": "447700900001"}


class Sink:
    """Takes whatever comes, or nothing."""

    def __init__(self) -> None:
        self.takes = True
        self.got: list[Text] = []

    def offer(self, text: Text, done: Callable[[bool], None]) -> None:
        """Take it."""
        if self.takes:
            self.got.append(text)
        done(self.takes)


@pytest.fixture
def handset() -> Sink:
    """The only handset."""
    return Sink()


@pytest.fixture
async def network(handset: Sink) -> Iterator[SmsNetwork]:  # type: ignore[misc]
    """A network with it."""
    network = SmsNetwork(Context.create(seed=1), "sms", SmsSettings(retry_s=1), 1_767_225_600.0)
    network.attach("+447700900123", handset)
    yield network
    network.stop()


@pytest.fixture
def sender() -> Sender:
    """An account."""
    return Sender(Address.of("+447700900001"), Sink())


def submit(**fields: Any) -> Pdu:
    """A submit_sm that is right, but for what is given."""
    return Pdu(Command.SUBMIT_SM, 1, fields={**TO, **FROM, "short_message": b"hello", **fields})


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (submit(destination_addr=""), Status.RINVDSTADR),
        (submit(destination_addr="12x4"), Status.RINVDSTADR),
        (submit(source_addr="12x4"), Status.RINVSRCADR),
        (submit(esm_class=0x04), Status.RINVESMCLASS),
        (submit(esm_class=0x40, short_message=b"\x05\x00\x03"), Status.RINVESMCLASS),
        (submit(priority_flag=4), Status.RINVPRTFLG),
        (submit(registered_delivery=3), Status.RINVREGDLVFLG),
        (submit(replace_if_present_flag=2), Status.RINVREPFLAG),
        (submit(sm_default_msg_id=1), Status.RINVDFTMSGID),
        (submit(schedule_delivery_time="x"), Status.RINVSCHED),
        (submit(schedule_delivery_time="250101000000000+"), Status.RINVSCHED),
        (submit(validity_period="x"), Status.RINVEXPIRY),
        (submit(validity_period="250101000000000+"), Status.RINVEXPIRY),
        (submit(data_coding=4, short_message=b"x" * 141), Status.RINVMSGLEN),
        (submit(data_coding=8, short_message=b"odd"), Status.RSUBMITFAIL),
        (submit(data_coding=9), Status.RSUBMITFAIL),
        (
            Pdu(
                Command.SUBMIT_SM,
                1,
                fields={**TO, "short_message": b"x"},
                tlvs=((int(Tag.MESSAGE_PAYLOAD), b"y"),),
            ),
            Status.RINVOPTPARAMVAL,
        ),
        (Pdu(Command.DATA_SM, 1, fields={**TO, "esm_class": 2}), Status.RINVESMCLASS),
        (Pdu(Command.QUERY_SM, 1, fields={"message_id": "7"}), Status.RINVMSGID),
        (Pdu(Command.CANCEL_SM, 1, fields={"message_id": "7"}), Status.RINVMSGID),
        (Pdu(Command.CANCEL_SM, 1, fields={**FROM, **TO}), Status.RCANCELFAIL),
        (Pdu(Command.REPLACE_SM, 1, fields={"message_id": "7"}), Status.RINVMSGID),
    ],
)
async def test_what_is_wrong_has_its_status(network: SmsNetwork, sender: Sender, request_: Pdu, status: Status) -> None:
    with pytest.raises(RefusedError) as refused:
        carry_out(network, request_, sender)
    assert refused.value.status is status
    assert network.status() == {"en_route": 0, "taken": 0}


async def test_a_message_waits_can_be_replaced_and_arrives(network: SmsNetwork, sender: Sender, handset: Sink) -> None:
    handset.takes = False
    told = carry_out(network, submit(), sender)["message_id"]
    await asyncio.sleep(3)
    state = carry_out(network, Pdu(Command.QUERY_SM, 2, fields={**FROM, "message_id": told}), sender)
    assert (state["message_state"], state["final_date"]) == (MessageState.ENROUTE, "")
    new = Pdu(Command.REPLACE_SM, 3, fields={**FROM, "message_id": told, "short_message": b"instead"})
    assert carry_out(network, new, sender) == {}
    handset.takes = True
    await asyncio.sleep(3)
    assert [text.content.text for text in handset.got] == ["instead"]
    with pytest.raises(RefusedError, match="ESME_RREPLACEFAIL"):
        carry_out(network, new, sender)
    state = carry_out(network, Pdu(Command.QUERY_SM, 4, fields={**FROM, "message_id": told}), sender)
    assert state["message_state"] == MessageState.DELIVERED
    assert str(state["final_date"]).endswith("000+")


async def test_what_replaces_a_message_is_in_the_coding_that_it_was_sent_in(
    network: SmsNetwork, sender: Sender, handset: Sink
) -> None:
    # Section 4.10: replace_sm has no data_coding of its own. ASCII and Latin-1 are UCS-2 at the handset.
    handset.takes = False
    for coding in (1, 3):
        told = carry_out(network, submit(data_coding=coding), sender)["message_id"]
        new = Pdu(Command.REPLACE_SM, 3, fields={**FROM, "message_id": told, "short_message": b"another"})
        assert carry_out(network, new, sender) == {}
    handset.takes = True
    await asyncio.sleep(3)
    assert [text.content.text for text in handset.got] == ["another", "another"]


async def test_a_receipt_has_the_senders_own_reference(network: SmsNetwork, sender: Sender) -> None:
    # Section 4.6.1: user_message_reference of a receipt is that of the message.
    reference = (int(Tag.USER_MESSAGE_REFERENCE), b"\x12\x34")
    for command in (Command.SUBMIT_SM, Command.DATA_SM):
        fields = {**submit(registered_delivery=1).fields}
        carry_out(network, Pdu(command, 1, fields=fields, tlvs=(reference,)), sender)
    carry_out(network, submit(registered_delivery=1), sender)
    await asyncio.sleep(3)
    assert isinstance(sender.party, Sink)
    told = [dict(fields_of(text)[1]) for text in sender.party.got]
    assert [each.get(reference[0]) for each in told] == [reference[1], reference[1], None]


async def test_a_client_before_34_is_sent_no_optional_parameters(network: SmsNetwork, sender: Sender) -> None:
    carry_out(network, submit(registered_delivery=1), sender)
    long = Pdu(Command.SUBMIT_SM, 1, fields=TO, tlvs=((int(Tag.MESSAGE_PAYLOAD), b"x" * 300),))
    told = carry_out(network, long, sender)["message_id"]
    await asyncio.sleep(3)
    assert isinstance(sender.party, Sink)
    (report,) = sender.party.got
    fields, tlvs = fields_of(report, optional=False)
    assert (tlvs, str(fields["short_message"]).count("stat:DELIVRD")) == ((), 1)
    text = network.find(str(told))
    assert text is not None
    with pytest.raises(SmsError, match="longer than a short_message"):
        fields_of(text, optional=False)


def many(*destinations: Destination, **fields: Any) -> Pdu:
    """A submit_multi."""
    told = {**FROM, "short_message": b"to all", "dest_address": destinations, **fields}
    return pdus.read(Pdu(Command.SUBMIT_MULTI, 1, fields=told).write())


HERE = Destination("447700900123", 1, 1)
NOBODY = Destination("12x4", 1, 1)
LISTED = Destination("everybody", flag=2)


async def test_one_request_sends_to_many_and_tells_whom_it_did_not(
    network: SmsNetwork, sender: Sender, handset: Sink
) -> None:
    # Section 4.5: one id for all of them, each with a receipt of its own.
    told = carry_out(network, many(HERE, NOBODY, HERE, LISTED, registered_delivery=1), sender)
    assert told["unsuccess_sme"] == (
        Unreached("12x4", 1, 1, Status.RINVDSTADR),
        Unreached("everybody", 0, 0, Status.RINVDLNAME),
    )
    answer = pdus.read(Pdu(Command.SUBMIT_MULTI, 1).answer(fields=told).write())
    assert (answer.text("message_id"), answer.fields["unsuccess_sme"]) == (told["message_id"], told["unsuccess_sme"])
    await asyncio.sleep(3)
    assert [text.content.text for text in handset.got] == ["to all", "to all"]
    assert isinstance(sender.party, Sink)
    receipts = [str(fields_of(text)[0]["short_message"]) for text in sender.party.got]
    assert [f"id:{told['message_id']} " in each and "stat:DELIVRD" in each for each in receipts] == [True, True]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (many(NOBODY), Status.RINVDSTADR),
        (many(Destination("", 1, 1)), Status.RINVDSTADR),
        (many(LISTED, NOBODY), Status.RINVDLNAME),
        (many(HERE, replace_if_present_flag=1), Status.RINVREPFLAG),
        (many(HERE, data_coding=9), Status.RSUBMITFAIL),
        (many(HERE, validity_period="x"), Status.RINVEXPIRY),
    ],
)
async def test_what_is_wrong_of_many_has_its_status(
    network: SmsNetwork, sender: Sender, request_: Pdu, status: Status
) -> None:
    with pytest.raises(RefusedError) as refused:
        carry_out(network, request_, sender)
    assert refused.value.status is status
    assert network.status() == {"en_route": 0, "taken": 0}


async def test_what_waits_of_many_is_cancelled_whole_or_for_one(
    network: SmsNetwork, sender: Sender, handset: Sink
) -> None:
    handset.takes = False
    other = Sink()
    network.attach("+447700900124", other)
    other.takes = False
    told = carry_out(network, many(HERE, Destination("447700900124", 1, 1)), sender)["message_id"]
    await asyncio.sleep(3)
    with pytest.raises(RefusedError, match="ESME_RINVMSGID"):
        carry_out(network, Pdu(Command.QUERY_SM, 2, fields={**FROM, "message_id": told}), sender)
    with pytest.raises(RefusedError, match="ESME_RCANCELFAIL"):
        carry_out(network, Pdu(Command.CANCEL_SM, 3, fields={**FROM, "message_id": told}), Sender(sender.own, Sink()))
    assert carry_out(network, Pdu(Command.CANCEL_SM, 4, fields={**FROM, **TO, "message_id": told}), sender) == {}
    assert network.status()["en_route"] == 1
    assert carry_out(network, Pdu(Command.CANCEL_SM, 5, fields={**FROM, "message_id": told}), sender) == {}
    assert network.status()["en_route"] == 0


async def test_a_message_is_cancelled_once_and_its_sender_told(
    network: SmsNetwork, sender: Sender, handset: Sink
) -> None:
    handset.takes = False
    told = carry_out(network, submit(registered_delivery=1), sender)["message_id"]
    other = Pdu(Command.CANCEL_SM, 2, fields={"source_addr": "60999", "message_id": told})
    with pytest.raises(RefusedError, match="ESME_RCANCELFAIL"):
        carry_out(network, other, sender)
    cancel = Pdu(Command.CANCEL_SM, 3, fields={**FROM, "message_id": told})
    assert carry_out(network, cancel, sender) == {}
    with pytest.raises(RefusedError, match="ESME_RCANCELFAIL"):
        carry_out(network, cancel, sender)
    await asyncio.sleep(3)
    assert isinstance(sender.party, Sink)
    (report,) = sender.party.got
    assert report.about is not None
    assert report.about.state is MessageState.DELETED
    assert handset.got == []


async def test_a_message_of_another_account_is_not_known(network: SmsNetwork, sender: Sender) -> None:
    told = carry_out(network, submit(), sender)["message_id"]
    with pytest.raises(RefusedError, match="ESME_RINVMSGID"):
        carry_out(network, Pdu(Command.QUERY_SM, 2, fields={**FROM, "message_id": told}), Sender(sender.own, Sink()))


async def test_what_is_scheduled_waits_and_what_is_present_is_replaced(
    network: SmsNetwork, sender: Sender, handset: Sink
) -> None:
    carry_out(network, submit(schedule_delivery_time="000000010000000R"), sender)
    await asyncio.sleep(3_590)
    assert handset.got == []
    carry_out(network, submit(short_message=b"instead", replace_if_present_flag=1), sender)
    await asyncio.sleep(60)
    assert [text.content.text for text in handset.got] == ["instead"]


async def test_more_than_the_network_holds_is_refused(
    network: SmsNetwork, sender: Sender, handset: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    handset.takes = False
    monkeypatch.setattr(networks, "MAX_EN_ROUTE", 3)
    for _ in range(3):
        carry_out(network, submit(), sender)
    with pytest.raises(RefusedError, match="ESME_RMSGQFUL"):
        carry_out(network, submit(), sender)


async def test_stamps_are_in_local_time_with_summer_time(network: SmsNetwork) -> None:
    winter, summer = network.stamp(1_767_225_600), network.stamp(1_782_864_000)
    assert (winter.at_text(), summer.at_text()) == ("26/01/01,00:00:00+00", "26/07/01,01:00:00+04")


@pytest.mark.parametrize(
    "address",
    [Address("447700900123", 1), Address("07700900123"), Address("00447700900123"), Address("447700900123", 2)],
)
def test_a_number_is_the_same_however_it_is_written(address: Address) -> None:
    assert key_of(address) == "+447700900123"


async def test_a_text_longer_than_a_message_is_taken_whole(network: SmsNetwork, sender: Sender, handset: Sink) -> None:
    text = "a long text " * 100
    payload = Pdu(Command.SUBMIT_SM, 1, fields=TO, tlvs=((int(Tag.MESSAGE_PAYLOAD), UserData(text).body()),))
    carry_out(network, payload, sender)
    await asyncio.sleep(1)
    assert [each.content.text for each in handset.got] == [text]
