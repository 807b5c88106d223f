"""Whom an adviser serves first."""

from __future__ import annotations

import asyncio

import pytest

from harness.privacy import mask
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


@requirement("NICCS-TEL-003")
async def test_the_adviser_who_frees_gets_the_999_call_though_101_has_waited_longer(bench: Bench) -> None:
    """The adviser is in a call while 101, then 999, come and wait; with the call's end it is the 999 that is taken."""
    adviser, trunk, supervisor = await bench.console("govan-12"), await bench.trunk(), await bench.supervisor()
    in_hand = await trunk.dial("101", cli="+441632960100")
    await adviser.expect("call.ringing", within=1.0, cli="+441632960100")
    await adviser.answer()
    await in_hand.answered(within=2.0)
    non_emergency = await trunk.dial("101", cli="+441632960101")
    await supervisor.wait_for("non_emergency", "waiting", 1, within=2.0)
    emergency = await trunk.dial("999", cli="+447700900999")
    await supervisor.wait_for("emergency", "waiting", 1, within=2.0)

    await adviser.clear()
    await in_hand.ended(within=2.0)
    taken = await adviser.answer()
    given = (await adviser.expect("call.connected", within=1.0, call=taken)).data["cli"]
    assert given == mask("+447700900999"), f"the adviser who freed was given {given}, due the 999 caller"
    await emergency.answered(within=2.0)
    assert (await supervisor.queue("non_emergency"))["waiting"] == 1, "the 101 call waits on"
    await adviser.clear()
    await emergency.ended(within=2.0)
    await adviser.answer()
    await non_emergency.answered(within=2.0)


@requirement("NICCS-TEL-003")
@pytest.mark.testbed("queues")
async def test_offered_one_at_a_time_the_999_call_is_offered_first(bench: Bench) -> None:
    """Where the ACD picks the call for the adviser: who frees is offered the 999, and only then the older 101 calls."""
    adviser, trunk = await bench.console("govan-01"), await bench.trunk()
    in_hand = await trunk.dial("101", cli="+441632960100")
    await adviser.expect("call.ringing", within=1.0)
    await adviser.answer()
    await in_hand.answered(within=2.0)
    waiting = [await trunk.dial("101", cli=f"+44163296010{number}") for number in (1, 2)]
    await asyncio.sleep(30.0)
    emergency = await trunk.dial("999", cli="+447700900999")
    await asyncio.sleep(1.0)

    offered = []
    for call in (in_hand, emergency, *waiting):
        after = bench.journal.position
        await adviser.clear()
        await call.ended(within=2.0)
        if call is not waiting[-1]:
            shown = await adviser.expect("call.ringing", within=1.0, after=after)
            offered.append(shown.data["cli"])
            await adviser.answer()
    due = [mask(each) for each in ("+447700900999", "+441632960101", "+441632960102")]
    assert offered == due, f"offered in the order {', '.join(offered)}; due {', '.join(due)}"
