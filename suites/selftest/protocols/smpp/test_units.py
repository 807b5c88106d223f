"""SMPP units to the octet: the specification's example, every field there and back, sessions in every state."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import SmppError
from harness.protocols.gsm.stamps import Stamp
from harness.protocols.gsm.user_data import UserData
from harness.protocols.smpp import content as contents
from harness.protocols.smpp import pdu as pdus
from harness.protocols.smpp import receipt as receipts
from harness.protocols.smpp import times
from harness.protocols.smpp.codes import RESPONSE, Command, MessageState, Status, Tag
from harness.protocols.smpp.pdu import FIELDS, MAX_PDU, Destination, Pdu, PduError, PduStream, Unreached
from harness.protocols.smpp.session import (
    ALLOWED,
    BAD_UNITS,
    BINDS,
    Answered,
    Asked,
    BadUnit,
    BindAsked,
    CentreSession,
    Closed,
    State,
)

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""How fast a machine is, is for the benchmarks."""

# The bind_transmitter of the specification's section 3.2.2.
EXAMPLE = bytes.fromhex(
    "0000002F0000000200000000000000015350504F54455354007365637265743038005355424D49543100003401 0100".replace(" ", "")
)
_TEXT = st.text(st.characters(min_codepoint=1, max_codepoint=127), max_size=5)


def value_of(item: Any) -> st.SearchStrategy[Any]:
    """A value that a field can hold."""
    if isinstance(item, pdus._Number):
        return st.integers(0, 255)
    if isinstance(item, pdus._Destinations):
        numbers = st.builds(Destination, _TEXT, st.integers(0, 255), st.integers(0, 255), st.just(1))
        lists = st.builds(Destination, _TEXT, st.just(0), st.just(0), st.just(pdus.LIST))
        return st.lists(numbers | lists, min_size=1, max_size=3).map(tuple)
    if isinstance(item, pdus._Unreached):
        octet, four = st.integers(0, 255), st.integers(0, 0xFFFFFFFF)
        return st.lists(st.builds(Unreached, _TEXT, octet, octet, four), max_size=3).map(tuple)
    return _TEXT if isinstance(item, pdus._Text) else st.binary(max_size=254)


TLVS = st.lists(st.tuples(st.integers(0x1400, 0x3FFF), st.binary(max_size=20)), max_size=3).map(tuple)
UNITS = st.sampled_from(sorted(FIELDS)).flatmap(
    lambda command: st.builds(
        Pdu,
        st.just(command),
        st.integers(1, 0x7FFFFFFF),
        st.just(0),
        st.fixed_dictionaries({item.name: value_of(item) for item in FIELDS[command]}),
        TLVS,
    )
)


def test_the_example_of_the_specification_is_read_and_written() -> None:
    unit = pdus.read(EXAMPLE)
    assert (unit.command, unit.sequence) == (Command.BIND_TRANSMITTER, 1)
    assert (unit.text("system_id"), unit.text("password"), unit.text("system_type")) == (
        "SPPOTEST",
        "secret08",
        "SUBMIT1",
    )
    assert unit.write() == EXAMPLE


@CALM
@given(UNITS)
def test_every_unit_comes_back_as_it_was(unit: Pdu) -> None:
    if not unit.fields and not unit.tlvs:
        assert pdus.read(unit.write()).command == unit.command
    else:
        read = pdus.read(unit.write())
        assert (read.command, read.sequence, dict(read.fields), read.tlvs) == (
            unit.command,
            unit.sequence,
            dict(unit.fields),
            unit.tlvs,
        )


@CALM
@given(UNITS, st.data())
def test_a_unit_cut_or_changed_is_read_or_refused_by_the_named_error(unit: Pdu, data: st.DataObject) -> None:
    octets = bytearray(unit.write())
    del octets[data.draw(st.integers(16, len(octets))) :]
    octets[data.draw(st.integers(4, len(octets) - 1))] = data.draw(st.integers(0, 255))
    octets[:4] = len(octets).to_bytes(4, "big")
    try:
        contents.read(pdus.read(bytes(octets)))
    except SmppError as error:
        assert str(error)


@CALM
@given(st.lists(st.binary(max_size=100)))
def test_no_octets_raise_anything_at_a_session(pieces: list[bytes]) -> None:
    session = CentreSession("CENTRE")
    for piece in pieces:
        session.receive(piece)
        session.take_output()


def bound(how: Command = Command.BIND_TRANSCEIVER, window: int = 3) -> CentreSession:
    """A session that is bound."""
    session = CentreSession("CENTRE", window)
    (event,) = session.receive(Pdu(how, 1).write())
    assert isinstance(event, BindAsked)
    session.bound(event.request)
    session.take_output()
    return session


def answers(session: CentreSession) -> list[tuple[int, int, int]]:
    """Command, status and sequence of what is due."""
    stream = PduStream()
    stream.push(session.take_output())
    found = []
    while (unit := stream.take()) is not None:
        read = pdus.read(unit)
        found.append((read.command, read.status, read.sequence))
    return found


@pytest.mark.parametrize("command", [each for each in Command if not each & RESPONSE])
@pytest.mark.parametrize("state", [State.OPEN, State.TX, State.RX, State.TRX])
def test_every_request_is_taken_or_refused_in_every_state(state: State, command: Command) -> None:
    how = {bound_as: how for how, bound_as in BINDS.items()}
    session = CentreSession("CENTRE") if state is State.OPEN else bound(how[state])
    events = session.receive(Pdu(command, 9, fields={"dest_address": (Destination("1"),)}).write())
    if command in ALLOWED[state]:
        assert not any(isinstance(event, BadUnit) for event in events)
        return
    assert [type(event) for event in events] == [BadUnit]
    ((answer, status, sequence),) = answers(session)
    assert sequence == 9
    if any(command in each for each in ALLOWED.values()):
        already = state is not State.OPEN and command in BINDS
        assert (answer, status) == (command | RESPONSE, Status.RALYBND if already else Status.RINVBNDSTS)
    else:
        assert (answer, status) == (Command.GENERIC_NACK, Status.RINVCMDID)


@pytest.mark.parametrize(
    ("octets", "answer", "status"),
    [
        ("00000010 00000777 00000000 00000005", Command.GENERIC_NACK, Status.RINVCMDID),
        ("00000011 00000004 00000000 00000005 00", Command.SUBMIT_SM_RESP, Status.RINVCMDLEN),
        ("00000017 00000004 00000000 00000005 61626364656667", Command.SUBMIT_SM_RESP, Status.RINVPARLEN),
        ("0000000f 00000004 00000000 00000005", Command.GENERIC_NACK, Status.RINVCMDLEN),
        ("7fffffff 00000004 00000000 00000005", Command.GENERIC_NACK, Status.RINVCMDLEN),
    ],
)
def test_what_cannot_be_read_is_answered_by_its_status(octets: str, answer: int, status: Status) -> None:
    session = bound()
    events = session.receive(bytes.fromhex(octets))
    assert isinstance(events[0], BadUnit)
    assert answers(session) == [(answer, status, 5)]
    lost = octets.startswith(("0000000f", "7f"))
    assert any(isinstance(event, Closed) for event in events) == lost


@pytest.mark.parametrize(
    ("destinations", "status"),
    [
        ("00", Status.RINVNUMDESTS),
        ("ff", Status.RINVNUMDESTS),
        ("01 03 01 01 3100", Status.RINVDESTFLAG),
        ("01 01 01 01 313233343536373839303132333435363738393000", None),
        ("01 01 01 01 31323334353637383930313233343536373839303100", Status.RINVPARLEN),
        ("02 02 6c69737400", Status.RINVCMDLEN),
        ("02 02 6c69737400 01 00 00 3200", None),
    ],
)
def test_destinations_are_read_octet_by_octet(destinations: str, status: Status | None) -> None:
    # Section 4.5.1: number_of_dests, then dest_flag with a number or the name of a list.
    body = bytes.fromhex("00 01 01 3100" + destinations)
    whole = body + (bytes(10) if status is None else b"")  # esm_class to sm_length
    unit = (16 + len(whole)).to_bytes(4, "big") + bytes.fromhex("00000021 00000000 00000005") + whole
    if status is None:
        assert pdus.read(unit).write() == unit
        return
    with pytest.raises(PduError) as refused:
        pdus.read(unit)
    assert refused.value.status is status


def test_a_parameter_of_a_wrong_length_or_cut_short_is_refused() -> None:
    whole = Pdu(Command.SUBMIT_SM, 5, fields={"destination_addr": "1"}, tlvs=((int(Tag.SAR_MSG_REF_NUM), b"\x01"),))
    with pytest.raises(PduError, match="ESME_RINVPARLEN"):
        pdus.read(whole.write())
    octets = bytearray(Pdu(Command.SUBMIT_SM, 5, tlvs=((0x1401, b"abc"),)).write()[:-1])
    octets[:4] = len(octets).to_bytes(4, "big")
    with pytest.raises(PduError, match="ESME_RINVOPTPARSTREAM"):
        pdus.read(bytes(octets))


def test_the_window_throttles_and_a_duplicate_sequence_is_refused() -> None:
    session = bound(window=2)
    requests = []
    for sequence in (2, 3, 4, 3):
        for event in session.receive(Pdu(Command.SUBMIT_SM, sequence).write()):
            if isinstance(event, Asked):
                requests.append(event.request)
    assert answers(session) == [
        (Command.SUBMIT_SM_RESP, Status.RTHROTTLED, 4),
        (Command.SUBMIT_SM_RESP, Status.RSYSERR, 3),
    ]
    session.answer(requests[0], Status.ROK, {"message_id": "1"})
    assert isinstance(session.receive(Pdu(Command.SUBMIT_SM, 5).write())[0], Asked)


def test_what_the_centre_sends_has_a_window_and_answers_are_told() -> None:
    session = bound(window=2)
    sequence = session.send(Command.DELIVER_SM, {})
    assert session.room == 1
    answer = Pdu(Command.DELIVER_SM_RESP, sequence, Status.RX_T_APPN).write()
    assert session.receive(answer) == [Answered(sequence, Status.RX_T_APPN)]
    assert session.receive(answer) == []
    assert session.room == 2
    assert bound(Command.BIND_TRANSMITTER).room == 0


@pytest.mark.parametrize(("version", "told"), [(0x00, b""), (0x33, b""), (0x34, b"\x34"), (0x50, b"\x34")])
def test_a_client_before_34_is_told_no_version(version: int, told: bytes) -> None:
    session = CentreSession("SMSC")
    bind = Pdu(Command.BIND_TRANSCEIVER, 1, fields={"system_id": "x", "interface_version": version})
    session.receive(bind.write())
    session.bound(bind)
    answer = pdus.read(session.take_output())
    assert (answer.tlv(Tag.SC_INTERFACE_VERSION) or b"", session.takes_optional) == (told, bool(told))


def test_many_bad_units_end_a_session() -> None:
    session = bound()
    events = session.receive(bytes.fromhex("00000010000007770000000000000005") * BAD_UNITS)
    assert isinstance(events[-1], Closed)
    assert session.receive(Pdu(Command.ENQUIRE_LINK, 1).write()) == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("000001000000000R", 86_400.0),
        ("000000000130000R", 90.0),
        ("260102030405000+", 0.0),
        ("260102040405004+", 0.0),
        ("260102020405004-", 0.0),
        ("", None),
    ],
)
def test_times_are_read(text: str, seconds: float | None) -> None:
    assert times.read(text, 1_767_323_045) == seconds


@pytest.mark.parametrize("text", ["x", "260102030405000*", "261302030405000+", "0000000000000000R"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(SmppError, match="is no time"):
        times.read(text, 0)


@CALM
@given(st.integers(0, 29 * 86_400))
def test_a_relative_time_is_read_as_it_was_written(seconds: int) -> None:
    assert times.read(times.relative(seconds), 0) == seconds


@CALM
@given(st.integers(700_000_000, 3_700_000_000), st.integers(-48, 48))
def test_an_absolute_time_is_read_as_it_was_written(seconds: int, quarters: int) -> None:
    assert times.read(times.absolute(Stamp(seconds, quarters)), 0) == seconds


@pytest.mark.parametrize("state", MessageState)
def test_a_receipt_is_read_as_it_was_written(state: MessageState) -> None:
    receipt = receipts.Receipt("0000000001", state, "2601020304", "2601020305", "027", "hello")
    assert receipts.read(receipt.write()) == receipt


@CALM
@given(st.text(max_size=200))
def test_no_text_raises_anything_but_the_named_error_as_a_receipt(text: str) -> None:
    for written in (text, f"id:1 sub:001 dlvrd:001 submit date:2601020304 done date:2601020304 stat:{text}"):
        try:
            receipts.read(written)
        except SmppError:
            continue


def test_content_comes_back_as_it_was() -> None:
    for content in (UserData("hello € {x}"), UserData("Ж🚓", dcs=8), UserData(data=b"\x00\xff", dcs=4)):
        fields, tlvs = contents.write(content)
        assert contents.read(Pdu(Command.SUBMIT_SM, 1, fields=fields, tlvs=tlvs)) == content
    long = UserData("Ж" * 2_000, dcs=8)
    fields, tlvs = contents.write(long)
    whole = Pdu(Command.SUBMIT_SM, 1, fields=fields, tlvs=tlvs)
    assert len(whole.write()) < MAX_PDU
    assert contents.read(pdus.read(whole.write())) == long
