"""Simulated terminals driven by bytes written by hand, through pyserial and socat: no code of ours on this side.

The simulator runs in a process of its own, as a system under test does; what comes here is its serial lines' paths.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from suites.selftest.lines_by_hand import WITHIN_S, network_lines, say, until
from suites.selftest.witness import need

SETTINGS = """hang_time_s=0.5, terminals=[
    TerminalConfig("gateway", 4000001, "GD-OPS-1"), TerminalConfig("officer", 4001234, "GD-OPS-1"),
]"""


@pytest.fixture
def lines() -> Iterator[dict[str, str]]:
    """Paths of the two terminals' lines."""
    with network_lines(SETTINGS) as found:
        yield found


@pytest.mark.real_wire
@pytest.mark.witness("pyserial")
def test_a_session_by_hand(lines: dict[str, str]) -> None:
    with (
        serial.Serial(lines["gateway"], 115200, timeout=WITHIN_S) as gateway,
        serial.Serial(lines["officer"], 115200, timeout=WITHIN_S) as officer,
    ):
        assert say(gateway, b"AT\r\n", rb"OK\r\n") == b"\r\nOK\r\n"
        assert say(officer, b"ATE0\r", rb"OK\r\n") == b"\r\nOK\r\n"
        for port in (gateway, officer):
            for service in (b"2,0,0", b"1,2,20", b"1,3,130"):
                assert say(port, b"AT+CTSP=" + service + b"\r\n", rb"OK\r\n|ERROR") == b"\r\nOK\r\n"
        assert say(officer, b"AT+CNUMF?\r\n", rb"OK\r\n") == b"\r\n+CNUMF: 0,00010000104001234\r\n\r\nOK\r\n"
        assert say(officer, b"AT+CTGS=1,00010000100002001\r\n", rb"OK\r\n") == b"\r\nOK\r\n"

        # The dispatcher keys the group; the officer is shown who talks.
        assert say(gateway, b"AT+CTSDC=0,0,0,1,1,0,1,1,0,0,0\r\n", rb"OK\r\n") == b"\r\nOK\r\n"
        assert b"\r\n+CTOCP: 1,0" in say(gateway, b"ATD2001\r\n", rb"\+CTXG: 1,0,0,0\r\n")
        call = until(officer, rb"\+CTXG: [^\r]*\r\n")
        assert re.search(rb"\+CTICN: 1,0,0,1,00010000104000001,.*,0,2001,0\r\n", call)
        assert call.endswith(b"+CTXG: 1,3,0,0,1,00010000104000001\r\n")
        # A second talker meets the first, then gets the floor.
        assert b"OK" in say(officer, b"AT+CTXD=1,0\r\n", rb"\+CTXG: 1,2,0,0\r\n")
        assert b"OK" in say(gateway, b"AT+CUTXC=1\r\n", rb"\+CTXG: 1,3,0,0,1,00010000104001234\r\n")
        until(officer, rb"\+CTXG: 1,0,0,0\r\n")
        assert b"\r\nOK\r\n" in say(officer, b"AT+CUTXC=1\r\n", rb"\+CTCR: 1,13\r\n")
        until(gateway, rb"\+CDTXC: 1,0\r\n[\s\S]*\+CTCR: 1,13\r\n")

        # A status and a text from the officer.
        assert say(officer, b"AT+CTSDS=13,0\r\n", rb"OK\r\n") == b"\r\nOK\r\n"
        sent = say(officer, b"AT+CMGS=4000001,16\r\n8005\x1a", rb"\+CMGS: 1,4\r\n")
        assert sent.startswith(b"\r\n+CMGS: 1\r\n\r\nOK\r\n")
        assert until(gateway, rb"8005\r\n") == b"\r\n+CTSDSR: 13,00010000104001234,1,4000001,0,16\r\n8005\r\n"
        say(officer, b"AT+CTSDS=12,0,0,0,1\r\n", rb"OK\r\n")
        say(officer, b"AT+CMGS=4000001,56\r\n82042A014F4B21\x1a", rb"\+CMGS: 2,4\r\n")
        assert b"\r\n82042A014F4B21\r\n" in until(gateway, rb"014F4B21\r\n")
        assert b",32\r\n8210002A\r\n" in until(officer, rb"8210002A\r\n")


@pytest.mark.real_wire
@pytest.mark.witness("pyserial")
def test_noise_half_lines_and_a_hundred_kilobytes_leave_the_terminal_whole(lines: dict[str, str]) -> None:
    with serial.Serial(lines["officer"], 115200, timeout=WITHIN_S) as officer:
        say(officer, b"\x00\xff\xfe\x01\r\n", rb"ERROR\r\n")
        officer.write(b"AT+CT")
    with serial.Serial(lines["officer"], 115200, timeout=WITHIN_S) as officer:  # the port was gone in between
        assert say(officer, b"GS?\r\n", rb"OK\r\n").endswith(b"+CTGS: 1,00010000100002001\r\n\r\nOK\r\n")
        for _ in range(100):
            officer.write(b"A" * 1000)
            officer.flush()
        said = say(officer, b"\r\nAT+CNUMF?\r\n", rb"4001234\r\n\r\nOK\r\n")
        assert said.count(b"ERROR") == 1
        assert say(officer, b"AT+CMGS=x\r\nATD2001\x1aAT\r\n", rb"OK\r\n").count(b"+CME ERROR") == 1


@pytest.mark.real_wire
@pytest.mark.witness("socat")
def test_a_terminal_answers_through_socat(lines: dict[str, str], tmp_path: Path) -> None:
    socat = need("socat", package="socat")
    script = b"AT+CTSP=1,3,130\r\nAT+CNUMF?\r\nAT+CTSDS=12,0,0,0,1\r\n"
    script += b"AT+CMGS=4001234,56\r\n82000A0148692E\x1aAT+CTXD=9,0\r\n"
    # -t: how long socat waits for the answer after its input has ended.
    done = subprocess.run(
        [socat, "-t", "2", "-", f"{lines['officer']},raw,echo=0,b115200"],
        input=script,
        capture_output=True,
        timeout=20,
        check=True,
    )
    assert done.stdout.startswith(
        b"\r\nOK\r\n\r\n+CNUMF: 0,00010000104001234\r\n\r\nOK\r\n\r\nOK\r\n\r\n+CMGS: 1\r\n\r\nOK\r\n"
    )
    assert b"\r\n+CME ERROR: 3\r\n" in done.stdout
    assert b",56\r\n82000A0148692E\r\n" in done.stdout  # a text to itself comes back
    assert b"\r\n+CMGS: 1,4\r\n" in done.stdout
