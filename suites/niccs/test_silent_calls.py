"""Silent callers whom nobody is sent to, and circuits that are not kept for ever: long waits."""

from __future__ import annotations

import asyncio

import pytest

from harness.evidence.requirements import catalogue
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.emergency_call import in_hand
from harness.testbed.since import Since

pytestmark = pytest.mark.waits


@requirement("NICCS-TEL-008")
async def test_a_silent_mobile_that_presses_nothing_is_played_the_announcement_and_not_put_through(
    bench: Bench,
) -> None:
    """No position rings; the network ends the call once the announcement, of its due length, is over."""
    adviser, mobile = await bench.console("govan-12"), await bench.caller_phone("mobile")
    network = await bench.emergency_network()
    call = await mobile.dial("999")
    await call.answered(within=10.0)
    began = await network.expect("call.announcement", within=30.0)
    ended = await network.expect("call.ended", within=60.0, outcome="silent-no-55")
    due = catalogue()["NICCS-TEL-008"].figure("announcement_s").value
    assert ended.time - began.time == pytest.approx(due, abs=1.0), "the announcement has not the length that is due"
    assert bench.journal.find(adviser.name, "call.ringing") is None, "a caller who pressed nothing was put through"
    await call.ended(within=5.0)


@requirement("NICCS-TEL-008")
async def test_a_silent_mobile_that_presses_55_before_its_end_rings_flagged_silent(bench: Bench) -> None:
    """The last moment of the announcement is as good as the first."""
    adviser, mobile = await bench.console("govan-12"), await bench.caller_phone("mobile")
    network = await bench.emergency_network()
    call = await mobile.dial("999")
    await call.answered(within=10.0)
    await network.expect("call.announcement", within=30.0)
    due = catalogue()["NICCS-TEL-008"].figure("announcement_s").value
    await asyncio.sleep(due - 2.0)
    await call.press("55")
    shown = await adviser.expect("call.ringing", within=5.0, cli=mobile.number, silent="55")
    assert shown.data["queue"] == "emergency"
    await call.hang_up()


@requirement("NICCS-TEL-009")
@pytest.mark.parametrize("after_s", [1.0, 40.0])
async def test_a_landline_lifted_within_the_hold_is_the_same_call_on_the_same_record(
    bench: Bench, after_s: float
) -> None:
    """The position is told of both; speech goes on; there is one record."""
    adviser, landline = await bench.console("govan-12"), await bench.caller_phone("landline")
    since = await Since.now(await bench.supervisor())
    assert after_s < catalogue()["NICCS-TEL-009"].figure("hold_s").value
    call, shown = await in_hand(landline, adviser)
    await call.hang_up()
    await adviser.expect("call.caller_held", within=2.0, call=shown.data["call"])
    await asyncio.sleep(after_s)
    again = await landline.lift()
    back = await adviser.expect("call.caller_restored", within=2.0, call=shown.data["call"])
    assert back.data["record"] == shown.data["record"]
    assert len(await since.records(cli=landline.number)) == 1
    await again.hang_up()


@requirement("NICCS-TEL-009")
async def test_a_landline_that_is_not_lifted_is_cleared_when_the_hold_is_over(bench: Bench) -> None:
    """The circuit is kept for as long as is due, then the position is free."""
    adviser, landline = await bench.console("govan-12"), await bench.caller_phone("landline")
    call, shown = await in_hand(landline, adviser)
    await call.hang_up()
    held = await adviser.expect("call.caller_held", within=2.0, call=shown.data["call"])
    due = catalogue()["NICCS-TEL-009"].figure("hold_s").value
    cleared = await adviser.expect("call.cleared", within=due + 5.0, call=shown.data["call"])
    assert cleared.time - held.time == pytest.approx(due, abs=1.0)
