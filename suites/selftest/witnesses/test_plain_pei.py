"""Outside witness of the PEI: programs that know its sheet of facts and none of our code, on either end of the line.

The equipment's side played by hand against our terminal is in suites/selftest/simulators/radio/test_radio_by_hand.py
for group calls and messages, and here for private calls and makes of terminal; a terminal by hand against our equipment
is plain_terminal.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import serial

from harness.endpoints.pei import TerminalEquipment
from harness.errors import PeiLocalError
from harness.protocols.pei.call_state import CallState
from harness.protocols.pei.codes import Grant
from harness.transport.context import Context
from suites.selftest.lines_by_hand import WITHIN_S, network_lines, say, until

pytestmark = [pytest.mark.real_wire, pytest.mark.witness("pyserial")]

PLAIN_TERMINAL = Path(__file__).with_name("plain_terminal.py")
SETTINGS = """boot_s=0.5, mcc=901, mnc=16383, terminals=[
    TerminalConfig("officer", 4001234, "GD-OPS-1", personality="sepura-like"),
    TerminalConfig("sergeant", 4001235, "GD-OPS-1", personality="motorola-like"),
]"""


@pytest.fixture
def lines() -> Iterator[dict[str, str]]:
    """Paths of a Sepura-like and a Motorola-like terminal's lines."""
    with network_lines(SETTINGS) as found:
        yield found


def test_two_makes_of_terminal_serve_a_plain_client_each_in_its_own_way(lines: dict[str, str]) -> None:
    with (
        serial.Serial(lines["officer"], 115200, timeout=WITHIN_S) as officer,
        serial.Serial(lines["sergeant"], 115200, timeout=WITHIN_S) as sergeant,
    ):
        assert say(officer, b"AT+CTSP=1,1,11\r\n", rb"ERROR:? ?\d+\r\n") == b"\r\n+CME ERROR:35\r\n"
        assert say(sergeant, b"AT+CTSP=1,1,11\r\n") == b"\r\nOK\r\n"
        for port in (officer, sergeant):
            for service in (b"2,0,0", b"1,2,20", b"1,3,10"):
                assert say(port, b"AT+CTSP=" + service + b"\r\n") == b"\r\nOK\r\n"
        # A private call that must be answered, duplex: no transmission grant anywhere.
        say(officer, b"AT+CTSDC=0,0,0,0,0,0,0,1,0,0,0\r\n")
        assert b"\r\n+CTOCP:1,2" in say(officer, b"ATD4001235\r\n", rb"\+CTOCP:1,2[^\r]*\r\n")
        rings = until(sergeant, rb"\+CTICN[^\r]*\r\n")
        assert rings == b"\r\n+CTICN: 1,0,0,1,09011638304001234,0,0,0,0,1,0,4001235,0\r\n"
        assert re.search(rb"\+CTCC: 1,0,0,0,0,0,1,0\r\n", say(sergeant, b"ATA\r\n", rb"\+CTCC[^\r]*\r\n"))
        assert until(officer, rb"\+CTCC[^\r]*\r\n").endswith(b"\r\n+CTCC:1,0,0,0,0,0,1\r\n")
        assert b"+CME ERROR: 3" in say(sergeant, b"AT+CTXD=1,0\r\n", rb"ERROR: 3\r\n")
        say(officer, b"ATH\r\n")
        assert until(sergeant, rb"\+CTCR[^\r]*\r\n") == b"\r\n+CTCR: 1,1\r\n"
        # A place of 84 bits: 21 digits out of the one terminal, 22 out of the other.
        for sender, to, digits in (
            (officer, b"4001235", b"0A0088BD4247F737FFE810"),
            (sergeant, b"4001234", b"0A0088BD4247F737FFE81"),
        ):
            receiver = sergeant if sender is officer else officer
            say(sender, b"AT+CTSDS=12,0,0,0,1\r\n")
            say(sender, b"AT+CMGS=" + to + b",84\r\n0A0088BD4247F737FFE810\x1a", rb"\+CMGS: ?1,4\r\n")
            assert until(receiver, rb",84\r\n[0-9A-F]+\r\n").endswith(b",84\r\n" + digits + b"\r\n")
        # The one reboots on ATZ: it registers anew, and knows no service that it was asked for.
        say(officer, b"ATZ\r\n")
        assert b"+CREG:1,1001," in until(officer, rb"\+CREG[^\r]*\r\n")
        assert b"OK" in say(officer, b"AT\r\n")


@contextlib.contextmanager
def terminal_by_hand() -> Iterator[tuple[str, Callable[[], list[str]]]]:
    """A terminal by hand: its line, and what ends it and gives what it was told."""
    process = subprocess.Popen(
        [sys.executable, "-I", str(PLAIN_TERMINAL)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    def end() -> list[str]:
        stdin.close()
        told: list[str] = json.loads(stdout.readline())
        return told

    try:
        yield stdout.readline().strip(), end
    finally:
        stdin.close()
        assert process.wait(10) == 0
        stdout.close()


def test_our_equipment_serves_a_terminal_by_hand() -> None:
    async def main(url: str) -> None:
        context = Context.create(seed=1)
        te = await TerminalEquipment.open(context, "officer", url, baud=115_200)
        journal = context.journal
        try:
            assert await te.register_services() == ()
            assert await te.own_tsi() == "09011638304001234"  # codes stand between the question and its answer
            await te.select_group(2001)
            keyed = await te.key(2001)
            assert (keyed.grant, keyed.cc) == (Grant.GRANTED, 1)
            await te.unkey(1)
            talker = await journal.expect("officer", "radio.talker", within=2)
            assert (talker.data["issi"], talker.data["with"]) == (4000001, "2001")
            again = await te.key(2001)
            assert again.grant is Grant.QUEUED  # the grant is on the line before the OK
            assert (await te.granted(1, within=2)).granted
            assert (await te.send_text(4000001, "on scene")).sent
            assert (await te.send_status(4000001, 32773)).sent
            await te.hang_up()
            await te.command("AT+XPLACE")
            place = await journal.expect("officer", "location.received", within=2)
            assert (place.data["lon"], place.data["lat"]) == (12.018099, 51.325099)
            status = await journal.expect("officer", "status.received", within=2)
            assert (status.data["value"], status.data["issi"]) == (32773, None)
            await te.command("AT+XCALL")
            rings = await journal.expect("officer", "radio.call_in", within=2)
            assert (rings.data["calling"], rings.data["group"]) == (4000001, False)
            assert te.state_of(await te.answer()) is CallState.DUPLEX
            await te.hang_up()
            # Noise, a hundred kilobytes without an end, a length that is not the hex's: journalled, and over.
            await te.command("AT+XNOISE", within=10)
            told = [str(event.data["why"]) for event in journal if event.kind == "pei.bad_line"]
            assert any("84 bits" in why for why in told)
            assert len(told) < 50
            assert await te.own_tsi() == "09011638304001234"
        finally:
            te.close()

    with terminal_by_hand() as (url, end):
        asyncio.run(main(url))
        told = end()
    assert told[0] == "AT+CTSP=2,0,0"
    for line, following in (
        ("AT+CTSDC=0,0,0,1,1,0,1,1,0,0,0", "ATD2001"),
        ("AT+CTSDS=12,0,0,0,1", "AT+CMGS=4000001,96"),
        ("AT+CMGS=4000001,96", "820001016F6E207363656E65"),
        ("AT+CTSDS=13,0", "AT+CMGS=4000001,16"),
        ("AT+CMGS=4000001,16", "8005"),
    ):
        assert told[told.index(line) + 1] == following


def test_our_equipment_finds_its_terminal_again_after_the_line_was_gone_in_a_call() -> None:
    async def main() -> None:
        context = Context.create(seed=1)
        with terminal_by_hand() as (url, unplug):
            te = await TerminalEquipment.open(context, "officer", url, baud=115_200)
            assert (await te.key(2001)).granted
            unplug()
        await context.journal.expect("officer", "pei.lost", within=5)
        with pytest.raises(PeiLocalError, match="is gone"):
            await te.unkey(1)
        with terminal_by_hand() as (url, unplug):
            te.url = url  # an adapter that is plugged in again may have another name
            await te.reopen()
            assert te.state_of(1) is CallState.IDLE
            assert (await te.key(2001)).granted
            te.close()

    asyncio.run(main())
