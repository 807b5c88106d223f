"""Whom an adviser serves first."""

from __future__ import annotations

from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench


@requirement("NICCS-TEL-003")
async def test_a_999_call_goes_before_a_101_call_that_came_first(bench: Bench) -> None:
    """A 101 call waits, a 999 call comes after it; the adviser who takes the next call gets the 999."""
    adviser, trunk = await bench.console("govan-12"), await bench.trunk()
    non_emergency = await trunk.dial("101", cli="+441632960101")
    waiting = await adviser.expect("call.ringing", within=1.0, queue="non_emergency", cli="+441632960101")
    emergency = await trunk.dial("999", cli="+447700900999")
    urgent = await adviser.expect("call.ringing", within=1.0, queue="emergency", cli="+447700900999")

    assert await adviser.answer() == urgent.data["call"]
    await emergency.answered(within=2.0)
    await adviser.expect("call.connected", within=1.0, call=urgent.data["call"])
    await adviser.clear()
    await emergency.ended(within=2.0)

    assert await adviser.answer() == waiting.data["call"]
    await non_emergency.answered(within=2.0)
    await adviser.expect("call.connected", within=1.0, call=waiting.data["call"])
