"""Which way a 999 call takes when the first fails, past a spate's queue, and to the neighbour where nobody answers."""

from __future__ import annotations

import pytest

from harness.drivers.console import Console
from harness.drivers.phone_call import PhoneCall
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.conversation import converse
from harness.testbed.emergency_call import call_for_help

pytestmark = pytest.mark.testbed("routes")

FORCE = "police"
ROUTES = ("primary", "secondary", "tertiary")
ROOMS = ("west-01", "north-01", "east-01")
TRIED_S = 90.0
"""Every route is tried within this: an operator connects, and each room has its ringing time."""
SPATE = 20


async def heard_both_ways(call: PhoneCall, adviser: Console) -> None:
    """Caller and adviser hear each other, once the operator has left them alone."""
    await adviser.expect("call.operator_left", within=20.0)
    await converse(call, adviser.headset, read_clip("caller-999"))
    await converse(adviser.headset, call, read_clip("call-taker"))


@requirement("NICCS-TEL-011")
@pytest.mark.parametrize("failed", [0, 1, 2])
async def test_a_call_takes_the_next_route_where_the_ones_before_it_are_cut(bench: Bench, failed: int) -> None:
    """So many routes are cut; the call rings at the room behind the next one, told by which route it comes."""
    network, mobile = await bench.emergency_network(), await bench.caller_phone("mobile")
    consoles = [await bench.console(name) for name in ROOMS]
    for route in ROUTES[:failed]:
        await network.set_route(FORCE, route, cut=True)
    call = await call_for_help(mobile)
    adviser = consoles[failed]
    shown = await adviser.expect("call.ringing", within=TRIED_S, cli=mobile.number, route=ROUTES[failed])
    assert shown.data["attempt"] == failed + 1
    await adviser.answer()
    await adviser.expect("call.connected", within=2.0, call=shown.data["call"])
    await heard_both_ways(call, adviser)
    for other in consoles[:failed]:
        assert bench.journal.find(other.name, "call.ringing") is None, f"a cut route rang at {other.name}"
    await adviser.clear()
    await call.ended(within=5.0)


@requirement("NICCS-TEL-011")
async def test_a_call_that_a_room_does_not_answer_goes_to_the_next_and_rings_no_longer_at_the_first(
    bench: Bench,
) -> None:
    """Nobody answers at the first room: its ringing ends, and the second has the same call."""
    mobile, first = await bench.caller_phone("mobile"), await bench.console("west-01")
    second = await bench.console("north-01")
    call = await call_for_help(mobile)
    rang = await first.expect("call.ringing", within=TRIED_S, cli=mobile.number, route="primary")
    shown = await second.expect("call.ringing", within=TRIED_S, cli=mobile.number, route="secondary")
    assert shown.data["reference"] == rang.data["reference"], "the second room is told of another call"
    ended = await first.expect("call.rerouted", within=2.0, call=rang.data["call"])
    assert ended.time <= shown.time + 0.5
    await second.answer()
    await heard_both_ways(call, second)
    await second.clear()


@requirement("NICCS-TEL-012")
async def test_an_operator_reaches_the_room_by_the_critical_number_past_a_spates_queue(bench: Bench) -> None:
    """A spate fills the queue; the operator rings the critical number and is answered first, within the figure."""
    network, operator = await bench.emergency_network(), await bench.emergency_operator("operator-1")
    adviser = await bench.console("west-01")
    spate = await network.start_spate(SPATE, 10.0, shape="burst")
    await adviser.expect("call.ringing", within=TRIED_S, queue="emergency")
    began = bench.journal.now()
    await operator.call_control_room(FORCE)
    shown = await adviser.expect("call.ringing", within=10.0, queue="critical")
    assert await adviser.answer(queue="critical") == shown.data["call"]
    connected = await adviser.expect("call.connected", within=2.0, call=shown.data["call"])
    bench.measured("critical_answer", connected.time - began, "s", requirement="NICCS-TEL-012", figure="answer_s")
    await network.end_spate(spate)
    await adviser.clear()


@requirement("NICCS-TEL-012")
async def test_with_every_adviser_busy_the_critical_call_goes_before_the_spate_that_waits(bench: Bench) -> None:
    """The only adviser has one of the spate's calls and the rest wait; who is served next is the agency, not they."""
    network, operator = await bench.emergency_network(), await bench.emergency_operator("operator-1")
    adviser, supervisor = await bench.console("west-01"), await bench.supervisor("iccs-west")
    spate = await network.start_spate(SPATE, 10.0, shape="burst")
    await adviser.expect("call.ringing", within=TRIED_S, queue="emergency")
    await adviser.answer()
    await adviser.expect("call.ringing", within=TRIED_S, after=bench.journal.position, queue="emergency")
    await operator.call_control_room(FORCE)
    await supervisor.wait_for("critical", "waiting", 1, within=10.0)
    assert (await supervisor.queue("emergency"))["waiting"], "nobody else waits: who is served next shows nothing"
    await adviser.clear()
    taken = await adviser.answer()
    shown = await adviser.expect("call.connected", within=2.0, call=taken)
    assert shown.data["queue"] == "critical", "a call of the spate was served before the critical one"
    await network.end_spate(spate)
    await adviser.clear()


@requirement("NICCS-TEL-013")
async def test_a_call_that_nobody_answers_is_delivered_to_the_buddy_flagged_as_such(bench: Bench) -> None:
    """No room of the force answers: the neighbour has the call, flagged, and told in whose place."""
    mobile, neighbour = await bench.caller_phone("mobile"), await bench.console("buddy-01")
    supervised = [await bench.console(name) for name in ROOMS]
    call = await call_for_help(mobile)
    shown = await neighbour.expect("call.ringing", within=3 * TRIED_S, cli=mobile.number)
    assert shown.data["in_place_of"] == FORCE, f"the neighbour is not told in whose place: {dict(shown.data)}"
    await neighbour.answer()
    await heard_both_ways(call, neighbour)
    rang = [console.name for console in supervised if bench.journal.find(console.name, "call.ringing") is not None]
    assert rang, "no room of the force itself was tried"
    await neighbour.clear()
    await call.ended(within=5.0)
