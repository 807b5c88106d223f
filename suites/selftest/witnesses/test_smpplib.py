"""Outside witness of the service centre: smpplib's own client, on its own socket."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import smpplib.client
import smpplib.consts
import smpplib.exceptions
import smpplib.gsm
from sms_network import WITHIN_S, Network, started

pytestmark = pytest.mark.witness("smpplib")

NUMBER = "447700900001"
_citizens = (f"4477009001{number:02d}" for number in range(100))
ADDRESSES = {
    "source_addr_ton": smpplib.consts.SMPP_TON_INTL,
    "source_addr_npi": smpplib.consts.SMPP_NPI_ISDN,
    "source_addr": NUMBER,
    "dest_addr_ton": smpplib.consts.SMPP_TON_INTL,
    "dest_addr_npi": smpplib.consts.SMPP_NPI_ISDN,
}


@pytest.fixture
def citizen() -> str:
    """A handset that no test had before."""
    return next(_citizens)


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    """The simulated network."""
    with started() as network:
        yield network


class Client:
    """A client and what it was told."""

    def __init__(self, network: Network) -> None:
        self.smpp = smpplib.client.Client(*network.smpp, allow_unknown_opt_params=True, timeout=2)
        self.delivered: list[Any] = []
        self.sent: list[Any] = []
        self.failed: list[int] = []
        self.queried: list[Any] = []
        self.smpp.set_message_received_handler(self._take)
        self.smpp.set_message_sent_handler(lambda pdu: self.sent.append(pdu))  # noqa: PLW0108 - called by the name
        self.smpp.set_query_resp_handler(lambda pdu: self.queried.append(pdu))  # noqa: PLW0108 - called by the name
        self.smpp.set_error_pdu_handler(lambda pdu: self.failed.append(pdu.status))
        self.smpp.connect()

    def _take(self, pdu: Any) -> int:
        self.delivered.append(pdu)
        return smpplib.consts.SMPP_ESME_ROK

    def until(self, what: list[Any], count: int) -> list[Any]:
        """Reads until `what` has so many."""
        due = time.monotonic() + WITHIN_S
        while len(what) < count:
            assert time.monotonic() < due, f"{len(what)} of {count} came within {WITHIN_S:g} s"
            self.smpp.read_once()
        return what

    def close(self) -> None:
        """Unbinds."""
        assert self.smpp.unbind().command == "unbind_resp"
        self.smpp.disconnect()


@pytest.fixture
def client(network: Network) -> Iterator[Client]:
    """A client that is bound as a transceiver."""
    client = Client(network)
    bound = client.smpp.bind_transceiver(system_id=network.system_id, password=network.password)
    assert (bound.command, bound.system_id) == ("bind_transceiver_resp", b"ICCS-SMSC")
    assert bound.sc_interface_version == 0x34
    yield client
    client.close()


@pytest.mark.parametrize("text", ["hello", "Ваша встреча " * 20, "long {text} €" * 30])
@pytest.mark.parametrize("by_header", [True, False], ids=["user data header", "SAR parameters"])
def test_its_parts_are_joined_and_each_has_a_receipt(
    client: Client, network: Network, citizen: str, text: str, by_header: bool
) -> None:
    parts, coding, esm_class = smpplib.gsm.make_parts(text, use_udhi=by_header)
    for number, part in enumerate(parts, 1):
        sar = (
            {}
            if by_header or len(parts) == 1
            else {"sar_msg_ref_num": 7, "sar_total_segments": len(parts), "sar_segment_seqnum": number}
        )
        client.smpp.send_message(
            **ADDRESSES,
            destination_addr=citizen,
            **sar,
            short_message=part,
            data_coding=coding,
            esm_class=esm_class,
            registered_delivery=1,
        )
    sent = client.until(client.sent, len(parts))
    receipts = client.until(client.delivered, len(parts))
    assert {each.receipted_message_id for each in receipts} == {each.message_id for each in sent}
    assert {each.message_state for each in receipts} == {smpplib.consts.SMPP_MESSAGE_STATE_DELIVERED}
    assert all(b"stat:DELIVRD err:000" in each.short_message for each in receipts)
    assert network.got(f"+{citizen}")[0]["text"] == text


def test_it_receives_what_a_handset_sends(client: Client, network: Network, citizen: str) -> None:
    network.send(f"+{citizen}", f"+{NUMBER}", "cancel")
    (got,) = client.until(client.delivered, 1)
    assert (got.short_message, got.source_addr, got.source_addr_ton) == (b"cancel", citizen.encode(), 1)
    assert (got.destination_addr, got.esm_class) == (NUMBER.encode(), 0)


def test_it_asks_what_became_of_a_message(client: Client, network: Network, citizen: str) -> None:
    network.ask("PUT", f"/handsets/+{citizen}", {"on": False})
    client.smpp.send_message(**ADDRESSES, destination_addr=citizen, short_message=b"later", data_coding=0)
    (sent,) = client.until(client.sent, 1)
    source = {name: value for name, value in ADDRESSES.items() if name.startswith("source")}
    client.smpp.query_message(message_id=sent.message_id.decode(), **source)
    (told,) = client.until(client.queried, 1)
    assert (told.message_state, told.final_date) == (smpplib.consts.SMPP_MESSAGE_STATE_ENROUTE, b"")
    network.ask("PUT", f"/handsets/+{citizen}", {"on": True})
    network.got(f"+{citizen}")
    client.smpp.query_message(message_id=sent.message_id.decode(), **source)
    told = client.until(client.queried, 2)[1]
    assert told.message_state == smpplib.consts.SMPP_MESSAGE_STATE_DELIVERED
    assert len(told.final_date) == 16


def test_a_wrong_password_and_an_unknown_account_are_refused(network: Network) -> None:
    for account, why in (
        ({"system_id": network.system_id, "password": "wrong"}, "Invalid Password"),
        ({"system_id": "nobody", "password": network.password}, "Invalid System ID"),
    ):
        client = Client(network)
        with pytest.raises(smpplib.exceptions.PDUError, match=why):
            client.smpp.bind_transmitter(**account)
        client.smpp.disconnect()


def test_a_transmitter_gets_nothing_and_a_receiver_sends_nothing(network: Network, citizen: str) -> None:
    account = {"system_id": network.system_id, "password": network.password}
    transmitter, receiver = Client(network), Client(network)
    transmitter.smpp.bind_transmitter(**account)
    receiver.smpp.bind_receiver(**account)
    transmitter.smpp.send_message(
        **ADDRESSES, destination_addr=citizen, short_message=b"hello", data_coding=0, registered_delivery=1
    )
    transmitter.until(transmitter.sent, 1)
    (receipt,) = receiver.until(receiver.delivered, 1)
    assert receipt.receipted_message_id == transmitter.sent[0].message_id
    transmitter.close()
    receiver.close()


def test_a_throttled_client_is_told_so(client: Client, network: Network, citizen: str) -> None:
    network.ask("PUT", "/fault", {"fault": "status", "status": "RTHROTTLED", "count": 1})
    client.smpp.send_message(**ADDRESSES, destination_addr=citizen, short_message=b"hello", data_coding=0)
    assert client.until(client.failed, 1) == [smpplib.consts.SMPP_ESME_RTHROTTLED]
