"""A terminal's line that brings nonsense: bounded in the journal, answered, and whole again with the next command."""

from __future__ import annotations

import asyncio

from harness.endpoints.pei import MobileTerminal, TerminalEquipment
from harness.endpoints.pei.mobile_terminal import BAD_INPUT_JOURNALLED
from harness.protocols.pei.codes import Registration
from harness.protocols.pei.mobile_terminal import MobileTerminalMachine
from harness.protocols.pei.unsolicited import CallReleased, IncomingCall, NetworkRegistration
from harness.protocols.tetra.identity import Tsi
from harness.transport.context import Context
from harness.transport.serial_line import open_serial
from suites.selftest.endpoints.pei.test_pei_terminal_equipment import virtually

BAUD = 115_200


async def offered(context: Context) -> MobileTerminal:
    """A terminal on `virtual://radio`."""
    machine = MobileTerminalMachine(Tsi(1, 1, 4001234), {"GD-OPS-1": 2001}, selected=2001)
    terminal = await MobileTerminal.offer(context, "radio", machine, lambda _request: None, baud=BAUD, virtual=True)
    machine.registration = NetworkRegistration(Registration.HOME, 1001, "00100001")
    return terminal


def test_ten_thousand_lines_of_nonsense_fill_no_journal_and_the_terminal_answers_after_them() -> None:
    async def main() -> None:
        context = Context.create(seed=1)
        terminal = await offered(context)
        answers = bytearray()
        line = await open_serial(
            terminal.url, baud=BAUD, receive=answers.extend, lost=lambda _why: None, tap=context.tap, name="te"
        )
        for _ in range(100):
            line.write(b"\x11\x13AT+NONSENSE=1\r\n" * 100)
            await asyncio.sleep(1)
        line.write(b"A" * 100_000 + b"\r\n")
        line.write(b"AT+CMGS=4001234,7\r\n0G\x1aAT+CSQ\r\n")
        await asyncio.sleep(30)  # the line takes its time for so much
        assert answers.endswith(b"\r\n+CSQ: 31,0\r\n\r\nOK\r\n")
        told = [event for event in context.journal if event.kind == "pei.bad_input"]
        assert len(told) == BAD_INPUT_JOURNALLED
        terminal.close()
        (counted,) = [event for event in context.journal if event.kind == "pei.bad_inputs"]
        assert counted.data["lines"] > 10_000

    virtually(main)


def test_an_instance_whose_call_we_cleared_is_the_next_calls() -> None:
    async def main() -> None:
        context = Context.create(seed=1)
        terminal = await offered(context)
        te = await TerminalEquipment.open(context, "officer", terminal.url, baud=BAUD)
        await te.register_services()
        terminal.tell(IncomingCall(1, 0, 0, 1, "4001235", 1, 1, 0, 0, 1, 0, "4001234", 0))
        await context.journal.expect("officer", "radio.call_in", within=1)
        assert te.call_on(4001235) == 1
        await te.hang_up()
        terminal.tell(IncomingCall(1, 0, 0, 1, "4001236", 1, 1, 0, 0, 1, 0, "4001234", 0))
        await context.journal.expect("officer", "radio.call_in", within=1, calling=4001236)
        assert (te.call_on(4001235), te.call_on(4001236)) == (None, 1)
        terminal.tell(CallReleased(1, 1))
        over = await context.journal.expect("officer", "radio.released", within=1)
        assert over.data["with"] == "4001236"

    virtually(main)
