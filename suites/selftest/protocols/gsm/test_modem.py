"""The modem by hand: what each command answers, prompts, codes, refusals by number, and floods of nonsense."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import ModemLocalError
from harness.protocols.gsm.address import Address
from harness.protocols.gsm.equipment import MAX_WAITING, EquipmentMachine, Replied, Told
from harness.protocols.gsm.errors import Cms
from harness.protocols.gsm.framing import MAX_AHEAD, MAX_LINE
from harness.protocols.gsm.modem import BadInput, ModemMachine, Received, Send
from harness.protocols.gsm.modem_state import MAX_HELD, Identity
from harness.protocols.gsm.pdu import Deliver, StatusReport
from harness.protocols.gsm.stamps import Stamp
from harness.protocols.gsm.storage import Storage
from harness.protocols.gsm.user_data import UserData

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""How fast a machine is, is for the benchmarks."""

CITIZEN = Address.of("+447700900123")
STAMP = Stamp.from_at_text("26/01/02,03:04:05+00")
HELLO = Deliver(CITIZEN, UserData("hello"), STAMP)
REPORT = StatusReport(0, CITIZEN, STAMP, STAMP, 0)
PDU = "0791447700099099" + HELLO.write().hex().upper()
Say = Callable[[str], str]


@pytest.fixture
def modem() -> ModemMachine:
    """A modem whose ME holds three messages and its SIM two, echo off."""
    machine = ModemMachine(Identity(), Storage({"ME": 3, "SM": 2}), Address.of("+447700900999"))
    say(machine, "ATE0\r")
    machine.take_requests()
    return machine


def say(machine: ModemMachine, text: str) -> str:
    """What it answers, line ends as blanks."""
    machine.receive(text.encode("latin-1"))
    return " ".join(machine.take_output().decode("latin-1").split("\r\n")).strip()


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("AT", "OK"),
        ("at+cgmi;+cgmm", "ICCS  Simulated modem  OK"),
        ("AT+CGSN", "004999010640000  OK"),
        ("AT+CIMI", "001010123456789  OK"),
        ("AT+CNUM", '+CNUM: "","+447700900000",145  OK'),
        ("AT+CPIN?", "+CPIN: READY  OK"),
        ("AT+CSCS=?", '+CSCS: ("GSM","IRA","UCS2","HEX","8859-1","UTF-8")  OK'),
        ("AT+CREG=2;+CREG?", '+CREG: 2,1,"0001","00000001"  OK'),
        ("AT+COPS?", '+COPS: 0,0,"Simulated"  OK'),
        ("AT+COPS=3,2;+COPS?", '+COPS: 0,2,"00101"  OK'),
        ("AT+CSQ", "+CSQ: 20,99  OK"),
        ("AT+CSCA?", '+CSCA: "+447700900999",145  OK'),
        ("AT+CPMS?", '+CPMS: "SM",0,2,"SM",0,2,"SM",0,2  OK'),
        ('AT+CPMS="ME","SM","MT"', "+CPMS: 0,3,0,2,0,5  OK"),
        ("AT+CSMP=17,167,0,8;+CSMP?", "+CSMP: 17,167,0,8  OK"),
        ("AT+CSMS=1", "+CSMS: 1,1,1  OK"),
        ("AT+CFUN=1", "OK"),
        ("ATX4&C1&D2S7=30", "OK"),
        ("ATV0", "0"),
        ("ATQ1", ""),
        ("AT+MODE=2", "ERROR"),
        ("+++ATE0", "OK"),
        ("AT + CMGF = 1 ; + CMGF ?", "+CMGF: 1  OK"),
        ('AT+CMEE = 1; +CMGF=1; +CMGL = "REC UNREAD"', "OK"),
        ("AT+CMEE=1;+CSCS=1", "+CME ERROR: 50"),
        ("AT+CMEE=2;+CMGR=1", "+CMS ERROR: invalid memory index"),
        ("AT+CMGR=1", "+CMS ERROR: 321"),
        ("AT+CMGD=9", "+CMS ERROR: 321"),
        ("AT+CNMI=9", "+CMS ERROR: 303"),
        ("AT+CNMA", "+CMS ERROR: 340"),
        ('AT+CPMS="XX"', "+CMS ERROR: 303"),
        ('AT+CMGS="not ended', "ERROR"),
        ("AT+CMGS=0", "+CMS ERROR: 304"),
        ('AT+CMGL="ALL"', "+CMS ERROR: 304"),
        ('AT+CMGF=1;+CMGS=""', "+CMS ERROR: 305"),
        ("AT+CMEE=1;+CMGF=2", "+CMS ERROR: 304"),
        ("ATV0;+CMGR=1", "+CMS ERROR: 321"),
    ],
)
def test_each_command_has_its_answer(modem: ModemMachine, command: str, answer: str) -> None:
    assert say(modem, command + "\r").replace("\r", "") == answer


def test_what_has_no_prefix_is_no_command_and_gets_no_answer(modem: ModemMachine) -> None:
    # V.250 section 5.2.1. Through a terminal that echoes each answer comes back: one to that would go on for ever.
    assert say(modem, "hello\r\n\r\nERROR\r\n\r\nOK\r\n+CMTI: 1\r") == ""
    assert say(modem, "AT\r") == "OK"


def test_a_line_is_said_again_by_two_characters_and_no_end(modem: ModemMachine) -> None:
    # V.250 section 5.2.4; with no line before, an empty one is repeated.
    assert say(ModemMachine(Identity(), Storage(), None), "a/") == "a/ OK"
    assert say(modem, "AT+CSQ\r") == "+CSQ: 20,99  OK"
    assert say(modem, "A/") == "+CSQ: 20,99  OK"
    assert say(modem, "\rA/\rAT\r") == "+CSQ: 20,99  OK  OK"


def test_results_without_words_end_with_one_return(modem: ModemMachine) -> None:
    # V.250 section 5.7.1, table 1.
    modem.receive(b"ATV0\rAT+CMGR=1\rAT+CMEE=1;+CSCS=1\rAT+CSQ\r")
    assert modem.take_output() == b"0\r+CMS ERROR: 321\r+CME ERROR: 50\r+CSQ: 20,99\r\n0\r"


def test_every_address_is_shown_in_the_set_of_the_equipment(modem: ModemMachine) -> None:
    # TS 27.005 section 3.1: <sca> as <da> and <oa>.
    centre = "+447700900999".encode("utf-16-be").hex().upper()
    say(modem, "AT+CNMI=2,1\r")
    modem.deliver(1, HELLO)
    say(modem, 'AT+CMGF=1;+CSDH=1;+CSCS="UCS2"\r')
    assert say(modem, "AT+CSCA?\r") == f'+CSCA: "{centre}",145  OK'
    assert f'"{centre}",145,5' in say(modem, "AT+CMGR=1\r")
    assert say(modem, f'AT+CSCA="{centre}",145;+CSCA?\r') == f'+CSCA: "{centre}",145  OK'


def test_what_is_typed_is_echoed_until_that_is_switched_off(modem: ModemMachine) -> None:
    assert say(modem, "ATE1\r") == "OK"
    modem.receive(b"AT+C")
    assert modem.take_output() == b"AT+C"
    modem.receive(b"SQ\r")
    assert modem.take_output() == b"SQ\r\r\n+CSQ: 20,99\r\n\r\nOK\r\n"


def test_a_pdu_is_sent_once_the_network_takes_it(modem: ModemMachine) -> None:
    assert say(modem, "AT+CMGS=23\r") == ">"
    assert say(modem, "0011000B916407281553F80000AA0AE8329BFD4697D9EC37\x1aAT+CSQ\r") == ""
    (send,) = [each for each in modem.take_requests() if isinstance(each, Send)]
    assert (str(send.submit.to), send.submit.content.text, send.submit.reference) == ("+46708251358", "hellohello", 0)
    modem.sent()
    assert modem.take_output().split() == [b"+CMGS:", b"0", b"OK", b"+CSQ:", b"20,99", b"OK"]


@pytest.mark.parametrize(
    ("setup", "typed", "text"),
    [
        ("AT+CMGF=1", b"hello\r\nthere", "hello\nthere"),
        ('AT+CMGF=1;+CSCS="UTF-8"', "caf\u00e9 \u20ac".encode(), "café €"),
        ('AT+CMGF=1;+CSCS="GSM"', b"\x00 at", "@ at"),
        ('AT+CMGF=1;+CSMP=17,167,0,8;+CSCS="UCS2"', b"0416", "Ж"),
        ("AT+CMGF=1;+CSMP=81,167,0,8", b"050003070201" + b"0416", "Ж"),
    ],
)
def test_text_mode_sends_what_was_typed(modem: ModemMachine, setup: str, typed: bytes, text: str) -> None:
    assert say(modem, setup + "\r") == "OK"
    assert say(modem, 'AT+CMGS="+447700900123",145\r') == ">"
    modem.receive(typed + b"\x1a")
    (send,) = [each for each in modem.take_requests() if isinstance(each, Send)]
    assert (str(send.submit.to), send.submit.content.text, send.submit.validity) == ("+447700900123", text, 167)


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("00\x1a", "+CMS ERROR: 304"),
        ("zz\x1a", "+CMS ERROR: 304"),
        ("0011000B916407281553F80000AA0AE8329BFD4697D9EC\x1a", "+CMS ERROR: 304"),
        ("\x1b", "OK"),
    ],
)
def test_a_pdu_that_is_none_is_refused_and_esc_gives_it_up(modem: ModemMachine, typed: str, answer: str) -> None:
    say(modem, "AT+CMGS=23\r")
    assert say(modem, typed) == answer
    assert not [each for each in modem.take_requests() if isinstance(each, Send)]
    assert say(modem, "AT\r") == "OK"


def test_the_network_refusal_and_a_message_that_does_not_end_have_their_numbers(modem: ModemMachine) -> None:
    say(modem, "AT+CMGS=23\r")
    say(modem, "0011000B916407281553F80000AA0AE8329BFD4697D9EC37\x1a")
    modem.refused(Cms.CONGESTION)
    assert modem.take_output().split() == [b"+CMS", b"ERROR:", b"42"]
    say(modem, "AT+CMGS=23\r")
    assert modem.awaits_body
    modem.give_up_body()
    assert modem.take_output().split() == [b"+CMS", b"ERROR:", b"500"]


def test_a_message_is_stored_told_of_read_and_deleted(modem: ModemMachine) -> None:
    say(modem, "AT+CNMI=2,1,0,2,0\r")
    modem.deliver(1, HELLO)
    modem.deliver(2, REPORT)
    assert modem.take_output() == b'\r\n+CMTI: "SM",1\r\n\r\n+CDSI: "SM",2\r\n'
    assert [each for each in modem.take_requests() if isinstance(each, Received)] == [
        Received(1, taken=True),
        Received(2, taken=True),
    ]
    assert say(modem, "AT+CMGL=0\r").startswith(f"+CMGL: 1,0,,{len(HELLO.write())} {PDU}  +CMGL: 2,0,,25")
    assert say(modem, "AT+CMGL=0\r") == "OK"
    assert say(modem, "AT+CMGF=1;+CMGR=1\r") == '+CMGR: "REC READ","+447700900123",,"26/01/02,03:04:05+00" hello  OK'
    assert say(modem, "AT+CSDH=1;+CMGR=1\r") == (
        '+CMGR: "REC READ","+447700900123",,"26/01/02,03:04:05+00",145,4,0,0,"+447700900999",145,5 hello  OK'
    )
    assert say(modem, 'AT+CMGL="ALL"\r').endswith(
        '"REC READ",6,0,"+447700900123",145,"26/01/02,03:04:05+00","26/01/02,03:04:05+00",0  OK'
    )
    modem.deliver(3, HELLO)
    assert modem.take_requests()[-1] == Received(3, taken=False)
    assert say(modem, "AT+CMGD=1,4\r") == "OK"
    assert say(modem, "AT+CPMS?\r").startswith('+CPMS: "SM",0,2')


def test_a_message_is_shown_and_acknowledged_where_the_service_asks_for_it(modem: ModemMachine) -> None:
    say(modem, "AT+CSMS=1;+CNMI=2,2,0,1,0\r")
    modem.take_requests()
    modem.deliver(1, HELLO)
    assert modem.take_output().decode() == f"\r\n+CMT: ,{len(HELLO.write())}\r\n{PDU}\r\n"
    assert modem.awaits_acknowledgement
    modem.deliver(2, REPORT)
    assert modem.take_requests() == [Received(2, taken=False)]
    assert say(modem, "AT+CNMA\r") == "OK"
    assert modem.take_requests()[-1] == Received(1, taken=True)
    modem.deliver(3, HELLO)
    modem.take_requests()
    modem.acknowledgement_overdue()
    assert modem.take_requests() == [Received(3, taken=False)]
    assert "+CNMI: 2,0,0,0,0" in say(modem, "AT+CNMI?\r")


def test_codes_do_not_stand_within_a_prompt_and_those_that_are_held_are_bounded(modem: ModemMachine) -> None:
    say(modem, 'AT+CNMI=2,1;+CPMS="ME","ME","ME"\r')
    say(modem, "AT+CMGS=23\r")
    modem.deliver(1, HELLO)
    assert modem.take_output() == b""
    assert say(modem, "\x1b") == 'OK  +CMTI: "ME",1'
    say(modem, "AT+CNMI=0,2\r")
    for token in range(MAX_HELD + 5):
        modem.deliver(token, HELLO)
    assert say(modem, "AT+CNMI=1,2\r").count("+CMT:") == MAX_HELD


def test_a_code_does_not_stand_between_a_message_and_its_result(modem: ModemMachine) -> None:
    say(modem, 'AT+CNMI=2,1;+CPMS="ME","ME","ME";+CMGF=1\r')
    say(modem, 'AT+CMGS="+447700900124"\r')
    assert say(modem, "hello\x1a") == ""
    modem.deliver(1, HELLO)
    assert modem.take_output() == b""
    modem.sent()
    assert modem.take_output().split() == [b"+CMGS:", b"0", b"OK", b"+CMTI:", b'"ME",1']


def test_a_stored_message_is_sent_from_the_store(modem: ModemMachine) -> None:
    say(modem, "AT+CMGF=1\r")
    say(modem, 'AT+CMGW="+447700900123"\r')
    assert say(modem, "draft\x1a") == "+CMGW: 1  OK"
    say(modem, 'AT+CMSS=1,"+447700900124"\r')
    (send,) = [each for each in modem.take_requests() if isinstance(each, Send)]
    assert (str(send.submit.to), send.submit.content.text) == ("+447700900124", "draft")
    modem.sent()
    assert modem.take_output().split()[:2] == [b"+CMSS:", b"0"]
    assert '"STO SENT"' in say(modem, 'AT+CMGL="ALL"\r')


def test_nothing_but_the_pin_is_taken_before_it() -> None:
    machine = ModemMachine(Identity(pin="1234"), Storage(), Address.of("+447700900999"))
    say(machine, "ATE0;+CMEE=1\r")
    assert say(machine, "AT+CPIN?\r") == "+CPIN: SIM PIN  OK"
    assert say(machine, "AT+CMGL\r") == "+CMS ERROR: 311"
    assert say(machine, 'AT+CPIN="4321"\r') == "+CME ERROR: 16"
    assert say(machine, 'AT+CPIN="1234"\r') == "OK"
    assert say(machine, "AT+CMGL\r") == "OK"


def test_endless_lines_and_bytes_ahead_are_bounded(modem: ModemMachine) -> None:
    assert say(modem, "A" * (MAX_LINE + 1)) == "ERROR"
    assert say(modem, "A" * 10_000 + "\rAT\r") == "OK"
    say(modem, "AT+CMGS=23\r")
    say(modem, "0011000B916407281553F80000AA0AE8329BFD4697D9EC37\x1a")
    modem.take_requests()
    for _ in range(3):
        modem.receive(b"A" * (MAX_AHEAD // 2))
    assert any(isinstance(each, BadInput) for each in modem.take_requests())


@CALM
@given(st.lists(st.one_of(st.binary(max_size=60), st.sampled_from([b"AT+CMGS=23\r", b"AT+CMGF=1\r", b"\x1a", b"\r"]))))
def test_no_bytes_raise_anything(pieces: list[bytes]) -> None:
    machine = ModemMachine(Identity(), Storage(), Address.of("+447700900999"))
    for piece in pieces:
        machine.receive(piece)
        machine.take_output()
        if any(isinstance(each, Send) for each in machine.take_requests()):
            machine.sent()


_NAMES = ("CMGL", "CMGR", "CMGD", "CMGS", "CMGW", "CMSS", "CNMA", "CNMI", "CSCA", "CSMP", "CPMS", "COPS")
_PARAMETERS = st.text('0123456789,"+?=ABME/:- ', max_size=20)


@CALM
@given(st.lists(st.builds("AT+{}={}\r".format, st.sampled_from(_NAMES), _PARAMETERS), max_size=8))
def test_no_parameters_raise_anything(lines: list[str]) -> None:
    machine = ModemMachine(Identity(), Storage(), Address.of("+447700900999"))
    machine.deliver(1, HELLO)
    for line in lines:
        say(machine, line)
        if machine.awaits_body:
            say(machine, "00\x1a")
        if any(isinstance(each, Send) for each in machine.take_requests()):
            machine.sent()


def test_the_equipment_keeps_codes_and_replies_apart() -> None:
    machine = EquipmentMachine()
    token = machine.submit("AT+CMGS=5", b"00")
    assert machine.take_output() == b"AT+CMGS=5\r"
    assert machine.receive(b"AT+CMGS=5\r\r\n> ") == []
    assert machine.take_output() == b"00\x1a"
    events = machine.receive(b'00\x1a\r\n+CMT: ,24\r\n0791\r\n\r\n+CMGS: 7\r\n\r\n+CMTI: "SM",1\r\n\r\nOK\r\n')
    told = [(each.text, each.following) for each in events if isinstance(each, Told)]
    assert told == [("+CMT: ,24", "0791"), ('+CMTI: "SM",1', None)]
    (replied,) = [each for each in events if isinstance(each, Replied)]
    assert (replied.token, replied.reply.lines, replied.reply.ok) == (token, ("+CMGS: 7",), True)


def test_the_equipment_leaves_a_prompt_and_bounds_what_waits() -> None:
    machine = EquipmentMachine()
    token = machine.submit("AT+CMGS=5", b"00")
    machine.take_output()
    machine.give_up(token)
    assert machine.take_output() == b"\x1b"
    for _ in range(MAX_WAITING):
        machine.submit("AT")
    with pytest.raises(ModemLocalError, match="wait for the line already"):
        machine.submit("AT")
    with pytest.raises(ModemLocalError, match="can't be part of a command"):
        machine.submit("AT\rAT")


@CALM
@given(st.lists(st.binary(max_size=80)))
def test_no_answers_raise_anything_at_the_equipment(pieces: list[bytes]) -> None:
    machine = EquipmentMachine()
    machine.submit("AT+CMGS=5", b"00")
    for piece in pieces:
        machine.receive(piece)
