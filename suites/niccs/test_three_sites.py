"""One queue for three sites: whoever is free first has the call, and where nobody is, the caller is told so."""

from __future__ import annotations

import asyncio

import pytest

from harness.drivers.console import Console
from harness.measure.verdict import recognised
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip

pytestmark = pytest.mark.testbed("sites")

SITES = ("govan-01", "motherwell-01", "bilston-01")
CLIPS = ("emergency-busy", "queue-wait", "hold-music", "ivr-main")


async def advisers(bench: Bench) -> list[Console]:
    """One on each site, logged in one after the other."""
    return [await bench.console(name) for name in SITES]


async def busy(bench: Bench, adviser: Console, number: int) -> None:
    """Give an adviser a 999 call to be busy with."""
    trunk = await bench.trunk()
    call = await trunk.dial("999", cli=f"+44770090010{number}")
    await adviser.expect("call.ringing", within=2.0, cli=f"+44770090010{number}")
    await adviser.answer()
    await call.answered(within=2.0)


@requirement("NICCS-TEL-004")
@pytest.mark.parametrize("free", range(len(SITES)))
async def test_the_one_adviser_who_is_free_has_the_call_on_whichever_site(bench: Bench, free: int) -> None:
    """Advisers on two sites are on break; 999 rings at the third at once, and there alone."""
    there = await advisers(bench)
    for number, adviser in enumerate(there):
        if number != free:
            await adviser.go("break")
    call = await (await bench.trunk()).dial("999", cli="+447700900123")
    shown = await there[free].expect("call.ringing", within=1.0, queue="emergency", cli="+447700900123")
    await there[free].answer()
    await call.answered(within=2.0)
    for number, adviser in enumerate(there):
        if number != free:
            rang = bench.journal.find(adviser.name, "call.ringing", call=shown.data["call"])
            assert rang is None, f"it rang at {adviser.name} too, who is on break"
    await call.hang_up()


@requirement("NICCS-TEL-004")
async def test_calls_go_round_the_sites_and_the_next_to_whoever_is_free_first(bench: Bench) -> None:
    """Three calls, one to each site; a fourth waits, and goes to the site whose adviser clears first."""
    there = await advisers(bench)
    trunk = await bench.trunk()
    calls = [await trunk.dial("999", cli=f"+44770090010{number}") for number in range(3)]
    for adviser in there:
        await adviser.expect("call.ringing", within=2.0, queue="emergency")
        await adviser.answer()
    for call in calls:
        await call.answered(within=2.0)
    waiting = await trunk.dial("999", cli="+447700900199")
    await asyncio.sleep(5.0)
    assert all(bench.journal.find(each.name, "call.ringing", cli="+447700900199") is None for each in there)
    await there[1].clear()
    await there[1].go("available")
    await there[1].expect("call.ringing", within=1.0, cli="+447700900199")
    await there[1].answer()
    await waiting.answered(within=2.0)


@requirement("NICCS-TEL-005")
async def test_a_999_caller_who_has_to_wait_hears_the_emergency_announcement(bench: Bench) -> None:
    """All are busy: the caller is queued and hears that 999 call takers are, until one is free."""
    there = await advisers(bench)
    for number, adviser in enumerate(there):
        await busy(bench, adviser, number)
    caller = await (await bench.trunk()).dial("999", cli="+447700900123")
    await caller.ringing(within=2.0)
    await caller.record()
    await asyncio.sleep(12.0)
    heard, likeness = recognised({name: read_clip(f"announcements/{name}") for name in CLIPS}, await caller.recorded())
    assert heard == "emergency-busy", f"the caller heard {heard} ({likeness:.2f}), due the emergency announcement"
    supervisor = await bench.supervisor()
    assert (await supervisor.queue("emergency"))["waiting"] == 1
    await there[2].clear()
    await there[2].go("available")
    await there[2].expect("call.ringing", within=1.0, cli="+447700900123")
    await there[2].answer()
    await caller.answered(within=2.0)
