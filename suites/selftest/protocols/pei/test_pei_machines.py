"""Both machines, against bytes written by hand and against each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import PeiLocalError
from harness.protocols.pei import requests as mt
from harness.protocols.pei.call_state import CallState
from harness.protocols.pei.codes import AiService
from harness.protocols.pei.commands import DefineCall, KeyTransmit
from harness.protocols.pei.mobile_terminal import MobileTerminalMachine
from harness.protocols.pei.replies import BadLine, CodeReceived, LateReply, Reply, ReplyReceived
from harness.protocols.pei.sds_code import SdsReceived
from harness.protocols.pei.terminal_equipment import MAX_QUEUED, TerminalEquipmentMachine
from harness.protocols.pei.unsolicited import (
    CallReleased,
    IncomingCall,
    NetworkRegistration,
    SendResult,
    TransmissionGrant,
)
from harness.protocols.tetra.identity import Tsi

GROUPS = {"GD-OPS-1": 2001, "GD-OPS-2": 2002}


def terminal(*, registered: bool = True) -> MobileTerminalMachine:
    """A terminal that the network knows."""
    machine = MobileTerminalMachine(Tsi(1, 1, 4001234), GROUPS, selected=2001)
    if registered:
        machine.tell(NetworkRegistration(1, 1001, "00100001"))
        machine.take_output()
    return machine


def exchange(machine: MobileTerminalMachine, data: bytes) -> tuple[bytes, list[object]]:
    """Answer and requests to the network."""
    requests = [request for request in machine.receive(data) if not isinstance(request, mt.CommandTaken)]
    return machine.take_output(), list(requests)


def test_a_code_inside_a_reply_is_never_taken_for_the_reply() -> None:
    te = TerminalEquipmentMachine()
    token = te.submit("AT+CTGS?")
    assert te.take_output() == b"AT+CTGS?\r\n"
    events = te.receive(b"\r\n+CSQ: 20,99\r\n\r\n+CTGS: 1,09011638300000001\r\n\r\n+CTOM: 0\r\n\r\nOK\r\n")
    assert [type(event) for event in events] == [CodeReceived, CodeReceived, ReplyReceived]
    assert events[-1] == ReplyReceived(token, Reply("AT+CTGS?", ("+CTGS: 1,09011638300000001",), "OK"))


def test_a_command_that_sets_something_owns_no_code() -> None:
    te = TerminalEquipmentMachine()
    token = te.submit("AT+CTXD=1,0")
    te.calls[1] = CallState.ACTIVE
    events = te.receive(b"\r\n+CTXD: 7\r\n\r\nOK\r\n")
    assert isinstance(events[0], CodeReceived)
    assert events[1] == ReplyReceived(token, Reply("AT+CTXD=1,0", (), "OK"))


def test_one_command_is_on_the_line_and_the_queue_has_a_bound() -> None:
    te = TerminalEquipmentMachine()
    first = te.submit("AT")
    rest = [te.submit(f"AT+CTXD={n},0") for n in range(MAX_QUEUED)]
    with pytest.raises(PeiLocalError, match="wait already"):
        te.submit("AT")
    assert te.take_output() == b"AT\r\n"
    assert te.receive(b"\r\nOK\r\n") == [ReplyReceived(first, Reply("AT", (), "OK"))]
    assert te.take_output() == b"AT+CTXD=0,0\r\n"
    assert te.receive(b"\r\n+CME ERROR: 3\r\n") == [ReplyReceived(rest[0], Reply("AT+CTXD=0,0", (), "+CME ERROR", 3))]


def test_the_reply_of_a_command_given_up_is_not_the_next_commands() -> None:
    te = TerminalEquipmentMachine()
    slow = te.submit("AT+CREG?")
    te.expire(slow)
    after = te.submit("AT+CSQ?")
    assert te.take_output() == b"AT+CREG?\r\n"
    assert te.receive(b"\r\n+CREG: 1\r\n\r\nOK\r\n") == [LateReply(Reply("AT+CREG?", ("+CREG: 1",), "OK"))]
    assert te.take_output() == b"AT+CSQ?\r\n"
    assert te.receive(b"\r\n+CSQ: 9,0\r\n\r\nOK\r\n") == [ReplyReceived(after, Reply("AT+CSQ?", ("+CSQ: 9,0",), "OK"))]


def test_a_late_reply_is_waited_for_only_so_long() -> None:
    te = TerminalEquipmentMachine()
    slow = te.submit("AT")
    te.expire(slow)
    te.submit("AT+CSQ")
    te.forget_late(slow)
    assert te.take_output() == b"AT\r\nAT+CSQ\r\n"


def test_echo_is_dropped_and_the_late_result_of_an_earlier_message_is_a_code() -> None:
    te = TerminalEquipmentMachine()
    te.submit("AT+CMGS=4001001,16", "8005")
    assert te.take_output() == b"AT+CMGS=4001001,16\r\n8005\x1a"
    first = te.receive(b"AT+CMGS=4001001,16\r\n8005\x1a\r\n+CMGS: 1\r\n\r\nOK\r\n")
    assert [type(event) for event in first] == [ReplyReceived]
    te.submit("AT+CMGS=4001001,16", "8006")
    second = te.receive(b"\r\n+CMGS: 1,4\r\n\r\n+CMGS: 2\r\n\r\nOK\r\n")
    assert isinstance(second[0], CodeReceived)
    assert second[0].code == SendResult(1, 4)
    assert isinstance(second[1], ReplyReceived)
    assert second[1].reply.lines == ("+CMGS: 2",)


@pytest.mark.parametrize("bad", ["AT\rATD999", "AT\nATD999", "AT\x1a", "AT\x00", "A" * 2000, "ATDé"])
def test_a_command_with_a_line_end_inside_is_refused(bad: str) -> None:
    te = TerminalEquipmentMachine()
    with pytest.raises(PeiLocalError):
        te.submit(bad)
    assert te.take_output() == b""


def test_an_sds_without_its_hex_is_an_error_and_the_reply_is_still_read() -> None:
    te = TerminalEquipmentMachine()
    te.submit("AT")
    events = te.receive(b"\r\n+CTSDSR: 12,1,0,2,0,16\r\n\r\nOK\r\n")
    assert [type(event) for event in events] == [BadLine, ReplyReceived]


def test_group_call_as_both_sides_see_it() -> None:
    te, radio = TerminalEquipmentMachine(), terminal()
    for text in ("AT+CTSP=2,0,0", "AT+CTSDC=0,0,0,1,1,0,1,1,0,0,0", "ATD2001"):
        te.submit(text)
        requests = radio.receive(te.take_output())
        te.receive(radio.take_output())
    assert mt.SetUpCall(1, 2001, DefineCall()) in requests
    assert te.dialling
    radio.tell(TransmissionGrant(1, 0))
    (event,) = te.receive(radio.take_output())
    assert isinstance(event, CodeReceived)
    assert event.state is CallState.TALKING is radio.calls[1]
    te.submit("AT+CUTXC=1")
    assert mt.CeaseTransmit(1) in radio.receive(te.take_output())
    radio.tell(CallReleased(1, 13))
    te.receive(radio.take_output())
    assert te.calls == radio.calls == {}


def test_a_grant_that_comes_before_the_ok_is_kept() -> None:
    te = TerminalEquipmentMachine()
    te.submit("ATD2001")
    te.receive(b"\r\n+CTXG: 1,0,0,0\r\n\r\nOK\r\n")
    assert te.calls == {1: CallState.TALKING}
    assert not te.dialling


def test_the_state_of_the_call_refuses_a_key() -> None:
    te = TerminalEquipmentMachine()
    with pytest.raises(PeiLocalError, match="idle"):
        te.may(KeyTransmit(1, 0))
    answer, requests = exchange(terminal(), b"AT+CTXD=1,0\r\n")
    assert answer == b"\r\n+CME ERROR: 3\r\n"
    assert isinstance(requests[0], mt.BadInput)


def test_bytes_of_a_session_with_a_terminal() -> None:
    radio = terminal()
    assert exchange(radio, b"AT\r\n")[0] == b"\r\nOK\r\n"
    assert exchange(radio, b"AT+CTGS?\r\n")[0] == b"\r\n+CTGS: 1,00010000100002001\r\n\r\nOK\r\n"
    assert exchange(radio, b"AT+CNUMF?\r")[0] == b"\r\n+CNUMF: 0,00010000104001234\r\n\r\nOK\r\n"
    assert exchange(radio, b"AT+CREG?\n")[0] == b"\r\n+CREG: 1,1001,00100001\r\n\r\nOK\r\n"
    assert exchange(radio, b"AT+CTGS=1,00010000100002002\r\n") == (b"\r\nOK\r\n", [mt.ChangeGroup(2002)])
    assert exchange(radio, b"AT+CTGS=1,00010000100002009\r\n")[0] == b"\r\n+CME ERROR: 34\r\n"
    assert b"1,00010000100002001,GD-OPS-1\r\n" in exchange(radio, b"AT+CNUMS?\r\n")[0]
    assert exchange(radio, b"ATE1\r\nAT+CSQ\r\n")[0].endswith(b"AT+CSQ\r\n\r\n+CSQ: 31,0\r\n\r\nOK\r\n")


def test_a_status_is_sent_by_hand() -> None:
    radio = terminal()
    assert exchange(radio, b"AT+CMGS=4001001,16\r\n8005\x1a")[0] == b"\r\n+CME ERROR: 3\r\n"
    exchange(radio, b"AT+CTSDS=13,0\r\n")
    answer, requests = exchange(radio, b"AT+CMGS=4001001,16\r\n8005\x1a")
    assert answer == b"\r\n+CMGS: 1\r\n\r\nOK\r\n"
    assert requests == [mt.SendMessage(1, 4001001, AiService.STATUS, 16, b"\x80\x05")]
    assert exchange(radio, b"AT+CMGS=4001001,16\r\n80\x1b")[1] == []
    assert exchange(radio, b"AT+CMGS=4001001,16\r\n80ZZ\x1a")[0] == b"\r\n+CME ERROR: 32\r\n"
    assert exchange(radio, b"AT+CMGS=4001001,99999\r\nATD999\x1aAT\r\n")[0] == b"\r\n+CME ERROR: 34\r\n\r\nOK\r\n"


def test_a_terminal_out_of_the_network_refuses_to_dial() -> None:
    radio = terminal(registered=False)
    assert exchange(radio, b"ATD2001\r\n")[0] == b"\r\n+CME ERROR: 30\r\n"


def test_codes_are_written_only_for_registered_services() -> None:
    radio = terminal()
    text = SdsReceived(12, "4001001", 0, "4001234", 0, 16, b"\x82\x00")
    assert radio.tell(text)
    assert radio.take_output() == b""
    exchange(radio, b"AT+CTSP=1,3,130\r\n")
    radio.tell(text)
    assert radio.take_output() == b"\r\n+CTSDSR: 12,4001001,0,4001234,0,16\r\n8200\r\n"


def test_a_code_that_the_call_state_does_not_allow_is_not_written() -> None:
    radio = terminal()
    assert not radio.tell(TransmissionGrant(1, 0))
    assert radio.tell(IncomingCall(1))


@given(st.lists(st.binary(max_size=200) | st.sampled_from([b"AT+CMGS=1,8\r\n", b"ATD2001\r\n", b"\x1a", b"ATA\r\n"])))
def test_no_bytes_break_a_terminal(chunks: list[bytes]) -> None:
    radio = terminal()
    for chunk in chunks:
        radio.receive(chunk)
        assert len(radio.take_output()) < 100_000
    radio.receive(b"\r\n\x1a\r\nATE0\r\n")
    radio.take_output()
    assert exchange(radio, b"AT\r\n")[0] == b"\r\nOK\r\n"


@given(
    st.lists(st.binary(max_size=200) | st.sampled_from([b"+CTSDSR: 12,1,0,2,0,8\r\n", b"OK\r\n", b"+CTXG: 1,0\r\n"]))
)
def test_no_bytes_break_a_terminal_equipment(chunks: list[bytes]) -> None:
    te = TerminalEquipmentMachine()
    te.submit("AT+CSQ")
    for chunk in chunks:
        te.receive(chunk)
    te.receive(b"\r\nOK\r\n\r\nOK\r\n")
    te.take_output()
    token = te.submit("AT")
    assert te.receive(b"\r\nOK\r\n")[-1] == ReplyReceived(token, Reply("AT", (), "OK"))


def test_a_phone_book_whose_lines_lack_their_name_is_read() -> None:
    te = TerminalEquipmentMachine()
    token = te.submit("AT+CNUMS?")
    lines = ("+CNUMS: 1,09011638300000001,OPS 1", "1,09011638300000002,OPS 2")
    assert te.receive(f"\r\n{lines[0]}\r\n{lines[1]}\r\n\r\nOK\r\n".encode()) == [
        ReplyReceived(token, Reply("AT+CNUMS?", lines, "OK"))
    ]


def test_a_message_whose_hex_is_on_its_heads_line_is_taken_and_the_next_line_is_not_its() -> None:
    te = TerminalEquipmentMachine()
    message, released = te.receive(b"\r\n+CTSDSR: 13,4001234,0,4001235,0,16,8005\r\n\r\n+CTCR: 1,13\r\n")
    assert isinstance(message, CodeReceived)
    assert isinstance(message.code, SdsReceived)
    assert (message.code.payload, message.code.calling) == (b"\x80\x05", "4001234")
    assert isinstance(released, CodeReceived)


def test_a_code_with_an_odd_field_still_moves_its_call() -> None:
    te = TerminalEquipmentMachine()
    bad, code = te.receive(b"\r\n+CTICN: 1,0,0,x,4001234\r\n")
    assert isinstance(bad, BadLine)
    assert isinstance(code, CodeReceived)
    assert te.calls == {1: CallState.INCOMING}


def test_a_result_of_v_250_that_nobody_asked_for_is_a_code() -> None:
    (event,) = TerminalEquipmentMachine().receive(b"\r\nRING\r\n")
    assert isinstance(event, CodeReceived)
    assert event.code.line() == "RING"


# As a terminal that fills hex up to whole bytes writes it, codes between and inside replies.
_TRANSCRIPT = b"""
AT+CTSP=2,0,0\r
OK
+CREG: 1,1001,90116383
AT+CTSDC=0,0,0,1,1,0,1,1,0,0,0
+CTSDSR: 12,09011638304001234,1,09011638300000001,1,84
0A0088BD4247F737FFE810
OK
+CSQ:21,99
+CTOCP: 1,0,0,1,0
+CTCC: 1,1,1,0,0,1,1,0
+CTXG: 1,0,0,0
+CDTXC: 1,0
+CTXG: 1,3,0,0,1,09011638304001234
+CTXI: 1,3,0,0,1,09011638304001235
+CTCR: 1,13
+CTDGR: 2,1001,90116383,0
+CTBCT: 1001,4095,0,1
+CTXW: 1
+XVENDOR: 1,"two, three",4
"""


@pytest.mark.parametrize("size", [1, 3, 7, 4096])
def test_a_transcript_is_read_however_it_is_cut(size: int) -> None:
    te = TerminalEquipmentMachine()
    te.submit("AT+CTSP=2,0,0")
    te.submit("AT+CTSDC=0,0,0,1,1,0,1,1,0,0,0")
    te.submit("ATD2001")
    events = [event for at in range(0, len(_TRANSCRIPT), size) for event in te.receive(_TRANSCRIPT[at : at + size])]
    assert not [event for event in events if isinstance(event, BadLine)]
    assert [event.reply.result for event in events if isinstance(event, ReplyReceived)] == ["OK", "OK"]
    codes = [event.code.PREFIX or event.line for event in events if isinstance(event, CodeReceived)]
    assert codes[:3] == ["+CREG", "+CTSDSR", "+CSQ"]
    assert codes[-4:] == ["+CTDGR", "+CTBCT", "+CTXW", '+XVENDOR: 1,"two, three",4']
    assert te.calls == {}


def test_noise_wrong_lengths_and_a_hundred_kilobytes_are_named_and_what_follows_is_read() -> None:
    te = TerminalEquipmentMachine()
    noise = b"\r\n+CTSDSR: 13,1,0,2,0,16\r\n80\r\n" + b"\x00\xff\x01\r\n" + b"A" * 100_000 + b"\r\n+CTXG: 1\r\n"
    events = te.receive(noise + b"+CTICN: 1\r\n")
    assert [type(event) for event in events] == [BadLine] * 4 + [CodeReceived]
    told = " ".join(str(event.error) for event in events if isinstance(event, BadLine))
    assert all(
        each in told for each in ("2 hex digits; 4 were due", "noise", "more than 1024 bytes", "grant is missing")
    )
