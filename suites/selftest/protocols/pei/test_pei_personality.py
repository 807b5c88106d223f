"""Makes of terminal: what each writes and refuses, and that our terminal equipment understands every one of them."""

from __future__ import annotations

import pytest

from harness.protocols.pei import requests as mt
from harness.protocols.pei.call_state import CallState
from harness.protocols.pei.codes import AiService, CmeError
from harness.protocols.pei.fields import Unsolicited
from harness.protocols.pei.mobile_terminal import GROUP_GIVEN, GROUP_TAKEN, MobileTerminalMachine
from harness.protocols.pei.personality import MOTOROLA_LIKE, PERSONALITIES, PLAIN, SEPURA_LIKE, Personality
from harness.protocols.pei.replies import BadLine, CodeReceived, ReplyReceived
from harness.protocols.pei.sds_code import SdsReceived
from harness.protocols.pei.terminal_equipment import TerminalEquipmentMachine
from harness.protocols.pei.unsolicited import (
    Connected,
    GroupReport,
    IncomingCall,
    NetworkRegistration,
    TransmissionGrant,
)
from harness.protocols.tetra.identity import Tsi

LIP = bytes.fromhex("0A0088BD4247F737FFE810")
CALL = IncomingCall(1, 0, 0, 1, "00010000104001234", 1, 1, 0, 1, 1, 0, "2001", 0)
LOCATION = SdsReceived(12, "4001234", 0, "4001001", 0, 84, LIP)


def terminal(personality: Personality) -> MobileTerminalMachine:
    """A terminal that the network knows, its equipment registered for voice, status, text and location."""
    machine = MobileTerminalMachine(Tsi(1, 1, 4001234), {"GD-OPS-1": 2001, "GD-OPS-2": 2002}, personality=personality)
    machine.tell(NetworkRegistration(1, 1001, "00100001"))
    machine.receive(b"AT+CTSP=2,0,0\r\nAT+CTSP=1,2,20\r\nAT+CTSP=1,3,130\r\nAT+CTSP=1,3,10\r\n")
    machine.take_output()
    return machine


def answer(machine: MobileTerminalMachine, line: bytes) -> bytes:
    """What a terminal writes upon a command line."""
    machine.receive(line + b"\r\n")
    return machine.take_output()


@pytest.mark.parametrize(
    ("personality", "code", "line"),
    [
        (PLAIN, Connected(1, 1, 1, 0, 0, 1, 1), "+CTCC: 1,1,1,0,0,1,1"),
        (MOTOROLA_LIKE, Connected(1, 1, 1, 0, 0, 1, 1), "+CTCC: 1,1,1,0,0,1,1,0"),
        (SEPURA_LIKE, Connected(1, 1, 1, 0, 0, 1, 1), "+CTCC:1,1,1,0,0,1,1"),
        (PLAIN, CALL, "+CTICN: 1,0,0,1,00010000104001234,1,1,0,1,1,0,2001,0"),
        (SEPURA_LIKE, CALL, "+CTICN:1,0,0,1,00010000104001234,1,1,0,1,1"),
        (MOTOROLA_LIKE, LOCATION, "+CTSDSR: 12,4001234,0,4001001,0,84\r\n0A0088BD4247F737FFE810"),
        (SEPURA_LIKE, LOCATION, "+CTSDSR:12,4001234,0,4001001,0,84\r\n0A0088BD4247F737FFE81"),
        (Personality("x", calling_in_sds=False), LOCATION, "+CTSDSR: 12,,,4001001,0,84\r\n0A0088BD4247F737FFE810"),
    ],
)
def test_each_make_writes_codes_in_its_own_way(personality: Personality, code: Unsolicited, line: str) -> None:
    assert personality.write(code) == line


@pytest.mark.parametrize("name", PERSONALITIES)
def test_the_terminal_equipment_understands_every_make(name: str) -> None:
    radio, te = terminal(PERSONALITIES[name]), TerminalEquipmentMachine()
    for code in (CALL, TransmissionGrant(1, 3, 0, 0, 1, "00010000104001234"), LOCATION):
        assert radio.tell(code)
    events = te.receive(radio.take_output())
    assert [type(event) for event in events] == [CodeReceived] * 3
    call, grant, location = (event.code for event in events if isinstance(event, CodeReceived))
    assert isinstance(call, IncomingCall)
    assert (call.cc, call.calling, call.comms) == (1, CALL.calling, 1)
    assert grant == TransmissionGrant(1, 3, 0, 0, 1, "00010000104001234")
    assert location == LOCATION
    te.submit("AT+CMGS=4001001,16", "8005")
    radio.receive(b"AT+CTSDS=13,0\r\n")
    radio.take_output()
    radio.receive(te.take_output())
    (reply,) = te.receive(radio.take_output())
    assert isinstance(reply, ReplyReceived)
    assert (reply.reply.ok, len(reply.reply.lines)) == (True, 1)


def test_a_sepura_like_terminal_refuses_what_others_take() -> None:
    radio = terminal(SEPURA_LIKE)
    assert answer(radio, b"AT+CTSP=1,1,11") == b"\r\n+CME ERROR:35\r\n"
    assert answer(radio, b"at+ctsp = 1,3,131") == b"\r\n+CME ERROR:34\r\n"
    assert answer(terminal(MOTOROLA_LIKE), b"AT+CTSP=1,1,11") == b"\r\nOK\r\n"
    assert SEPURA_LIKE.refusal("AT+CMEE=1") is CmeError.SYNTAX


def test_what_is_no_command_gets_no_answer() -> None:
    # V.250 section 5.2.1. Through a line that echoes each answer comes back: one to that would go on for ever.
    radio = terminal(PLAIN)
    assert answer(radio, b"hello\r\n\r\n+CME ERROR: 35\r\n\r\nOK\r\n\r\n+CTICN: 1,0") == b""
    assert answer(radio, b"+++AT") == b"\r\nOK\r\n", "what stands before the prefix counts for nothing"


def test_a_line_is_said_again_by_two_characters_and_no_end() -> None:
    # V.250 section 5.2.4.
    radio = terminal(PLAIN)
    radio.receive(b"AT+CTOM?\r\nA/a/")
    assert radio.take_output() == b"\r\n+CTOM: 0\r\n\r\nOK\r\n" * 3
    assert answer(radio, b"A/") == b"\r\n+CTOM: 0\r\n\r\nOK\r\n"


@pytest.mark.parametrize("name", PERSONALITIES)
def test_every_make_says_what_it_is(name: str) -> None:
    radio = terminal(PERSONALITIES[name])
    blank = b" " if PERSONALITIES[name].blank else b""
    for asked, told in ((b"+GMI", b""), (b"+GMM", b"0,"), (b"+GMR", b""), (b"+CBC", b"0,")):
        said = answer(radio, b"AT" + asked + b"?")
        assert said.startswith(b"\r\n" + asked + b":" + blank + told)
        assert said.endswith(b"\r\n\r\nOK\r\n")
        assert answer(radio, b"AT" + asked) == said, "V.250 section 6.1.4 has it without the question mark"
        assert b"ERROR" in answer(radio, b"AT" + asked + b"=1")
    assert answer(radio, b"ATV1") == answer(radio, b"ATQ0") == b"\r\nOK\r\n"


def test_atz_reboots_a_sepura_like_terminal_and_resets_another() -> None:
    radio = terminal(SEPURA_LIKE)
    radio.tell(CALL)
    radio.take_output()
    requests = radio.receive(b"ATZ\r\n")
    assert mt.Reboot() in requests
    assert radio.take_output() == b"\r\nOK\r\n"
    radio.reboot()
    assert answer(radio, b"AT") == b"", "nothing is answered while it is down"
    assert (radio.calls, radio.registration.state) == ({}, 2)
    radio.booted()
    radio.tell(NetworkRegistration(1, 1001, "00100001"))
    radio.take_output()
    assert answer(radio, b"AT") == b"\r\nOK\r\n"
    radio.tell(CALL)
    assert radio.take_output() == b"", "what was registered for is forgotten"
    assert mt.Reboot() not in terminal(MOTOROLA_LIKE).receive(b"ATZ\r\n")


def test_phone_books_are_read_whole_in_part_and_tested() -> None:
    radio = terminal(PLAIN)
    entry = b"\r\n+CNUMS: 1,00010000100002002,GD-OPS-2\r\n"
    assert entry in answer(radio, b"AT+CNUMS?")
    assert answer(radio, b"AT+CNUMS=0,2,9") == entry + b"\r\nOK\r\n"
    assert answer(radio, b"AT+CNUMS=?") == b"\r\n+CNUMS: (0),(1-2)\r\n\r\nOK\r\n"
    assert answer(radio, b"AT+CNUMS=0,0,1") == b"\r\n+CME ERROR: 21\r\n"
    assert answer(radio, b"AT+CNUMS=x") == b"\r\n+CME ERROR: 33\r\n"
    assert answer(radio, b"AT+CNUMS=1,1,1") == b"\r\n+CME ERROR: 4\r\n"
    assert answer(radio, b"AT+CNUMD?") == b"\r\nOK\r\n"


def test_a_group_that_the_network_gives_is_reported_selectable_and_taken_again() -> None:
    radio = terminal(PLAIN)
    assert answer(radio, b"AT+CTGS=1,2900") == b"\r\n+CME ERROR: 34\r\n"
    radio.tell(GroupReport(GROUP_GIVEN, "2900", "00100001", 0))
    assert radio.take_output() == b"\r\n+CTDGR: 2,2900,00100001,0\r\n"
    assert b"+CNUMD: 1,00010000100002900,2900" in answer(radio, b"AT+CNUMD?")
    assert answer(radio, b"AT+CTGS=1,2900") == b"\r\nOK\r\n"
    radio.tell(GroupReport(GROUP_TAKEN, "2900", "00100001", 0))
    assert radio.selected is None


@pytest.mark.parametrize(("service", "bits"), [(9, 16), (10, 32), (11, 64), (12, 64), (13, 16)])
def test_every_kind_of_sds_is_sent_with_its_own_length(service: int, bits: int) -> None:
    radio = terminal(PLAIN)
    answer(radio, b"AT+CTSDS=%d,0" % service)
    requests = radio.receive(b"AT+CMGS=4001001,%d\r\n%s\x1a" % (bits, b"F" * (bits // 4)))
    assert radio.take_output() == b"\r\n+CMGS: 1\r\n\r\nOK\r\n"
    assert mt.SendMessage(1, 4001001, service, bits, b"\xff" * (bits // 8)) in requests
    if service != AiService.SDS_4:
        radio.receive(b"AT+CMGS=4001001,24\r\n820005\x1a")
        assert radio.take_output() == b"\r\n+CME ERROR: 34\r\n"


def test_short_data_of_types_1_to_3_is_handed_on() -> None:
    radio, te = terminal(PLAIN), TerminalEquipmentMachine()
    code = SdsReceived(10, "4001001", 0, "4001234", 0, 32, b"\x01\x02\x03\x04")
    radio.tell(code)
    assert te.receive(radio.take_output()) == [CodeReceived(code, "+CTSDSR: 10,4001001,0,4001234,0,32")]


def test_in_direct_mode_nothing_is_dialled_through_the_network() -> None:
    radio = terminal(PLAIN)
    assert mt.ChangeMode(1) in radio.receive(b"AT+CTOM=1\r\n")
    radio.take_output()
    assert answer(radio, b"ATD2001") == b"\r\n+CME ERROR: 43\r\n"
    assert answer(radio, b"AT+CTOM?") == b"\r\n+CTOM: 1\r\n\r\nOK\r\n"
    assert answer(radio, b"AT+CTOM=9") == b"\r\n+CME ERROR: 4\r\n"


def test_in_a_duplex_call_both_talk_and_nobody_asks_to() -> None:
    radio, te = terminal(PLAIN), TerminalEquipmentMachine()
    radio.tell(IncomingCall(1, 0, 0, 0, "4001235", 0, 0, 0, 0, 1, 0, "4001234", 0))
    te.receive(radio.take_output())
    te.submit("ATA")
    assert mt.AnswerCall(1) in radio.receive(te.take_output())
    radio.tell(Connected(1, 0, 0, 0, 0, 0, 1))
    te.receive(radio.take_output())
    assert radio.calls == te.calls == {1: CallState.DUPLEX}
    assert answer(radio, b"AT+CTXD=1,0") == b"\r\n+CME ERROR: 3\r\n"
    assert radio.tell(TransmissionGrant(1, 0)), "networks grant all the same"
    assert radio.calls == {1: CallState.DUPLEX}


def test_a_group_call_is_never_taken_for_duplex() -> None:
    assert not Connected(1, 1, 0, 0, 0, 1, 1).is_duplex


def test_xon_and_xoff_are_taken_out_and_told_of_once() -> None:
    radio, te = terminal(PLAIN), TerminalEquipmentMachine()
    requests = radio.receive(b"\x13A\x11T+CTG\x13S?\r\nAT\x11\r\n")
    assert [type(request) for request in requests if isinstance(request, mt.BadInput)] == [mt.BadInput]
    assert radio.take_output().count(b"OK") == 2
    token = te.submit("AT+CTGS?")
    events = te.receive(b"\r\n+CTSDSR: 13,1,0,2,0,\x1316\r\n\x11800\x115\r\n\x13\r\n+CTGS: 0\r\n\r\nO\x11K\r\n")
    assert [type(event) for event in events] == [CodeReceived, ReplyReceived, BadLine]
    assert isinstance(events[1], ReplyReceived)
    assert (events[1].token, events[1].reply.lines) == (token, ("+CTGS: 0",))
    assert "XON" in str(events[2])
