"""Routes to control rooms: primary, secondary, tertiary, the buddy authority, the critical number (TEL-011 to 013)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from network_in_virtual_time import MOBILE, QUICK, Town, level, town

from harness.errors import InterlockError
from harness.measure.correlate import correlation
from harness.protocols.rtp.g711 import Samples
from harness.protocols.sip.emergency_call import Caller, Line, Route, What, mark_of

pytestmark = pytest.mark.virtual_time
THREE = ("room", "second", "third")


def buddies(**police: Any) -> dict[str, Any]:
    """A police force whose buddy is the one in the east."""
    return {
        "authorities": [
            {"name": "police", "routes": [{"to": "room"}], "buddy": "police-east", **police},
            {"name": "police-east", "routes": [{"to": "second"}]},
        ]
    }


async def attempts(there: Town, call: str = "em-1") -> list[tuple[str, str]]:
    """Each attempt's route and result."""
    return [(each["route"], each["result"]) for each in (await there.record(call))["attempts"]]


@pytest.mark.parametrize(
    ("does", "result", "seconds"),
    [("broken", "refused", 0.0), ("busy", "refused", 0.0), ("silent", "no reply", 2.0), ("ring", "no answer", 30.0)],
)
async def test_a_primary_that_fails_is_followed_by_the_secondary(does: str, result: str, seconds: float) -> None:
    async with town(rooms=THREE) as there:
        there.room.does = does
        await there.speaks(await there.phone())
        second = await there.rooms["second"].call(within=60.0)
        assert (second.mark.route, second.mark.attempt) == (Route.SECONDARY, 2)
        await there.driver.expect("call.connected", within=2.0)
        assert await attempts(there) == [("primary", result), ("secondary", "answered")]
        first, then = (await there.record())["attempts"]
        assert then["begun"] - first["begun"] == pytest.approx(seconds, abs=0.1)


async def test_then_the_tertiary_and_every_attempt_has_the_calls_identity() -> None:
    async with town(rooms=THREE) as there:
        there.room.does, there.rooms["second"].does = "broken", "busy"
        await there.speaks(await there.phone())
        third = await there.rooms["third"].call()
        marks = [there.rooms[name].calls[0].marks[0] for name in THREE]
        assert {mark.call for mark in marks} == {third.mark.call}
        assert [mark.attempt for mark in marks] == [1, 2, 3]
        assert len({there.rooms[name].calls[0].sip.id for name in THREE}) == 3
        assert third.mark.route is Route.TERTIARY


async def test_a_ringing_primary_is_cancelled_with_the_reason() -> None:
    async with town(rooms=THREE) as there:
        there.room.does = "ring"
        await there.speaks(await there.phone())
        await there.rooms["second"].call(within=60.0)
        ended = there.room.calls[0].sip.ended_by
        assert ended is not None
        assert "cause=408" in (ended.get("reason") or "")
        mark = mark_of(ended)
        assert mark is not None and mark.event is What.REROUTED


async def test_an_answer_that_crosses_the_cancel_does_not_leave_two_control_rooms_with_the_call() -> None:
    async with town(rooms=THREE) as there:
        there.room.does = "ring"
        await there.speaks(await there.phone())
        first = await there.room.call()
        await there.driver.expect("call.connecting", within=60.0, attempt=2)
        if not first.sip.is_over:
            await first.answer()
        await there.driver.expect("call.connected", within=2.0)
        await asyncio.sleep(1.0)
        assert first.sip.is_over
        assert not there.rooms["second"].calls[0].sip.is_over


async def test_a_queue_that_tells_of_itself_keeps_its_call() -> None:
    async with town(rooms=THREE) as there:
        there.room.does = "ring"
        await there.speaks(await there.phone())
        first = await there.room.call()
        for _ in range(5):
            await asyncio.sleep(20.0)
            first.sip.ring(182, reliable=False)
        assert there.rooms["second"].calls == []
        await first.answer()
        await there.driver.expect("call.connected", within=1.0)


async def test_all_routes_are_tried_again_until_the_caller_is_told_that_nobody_answers(
    speech: Callable[[str], Samples],
) -> None:
    async with town({"routing": {"ping_s": 0, "give_up_s": 10, "pause_s": 2}}, rooms=THREE) as there:
        for room in there.rooms.values():
            room.does = "busy"
        call = await there.speaks(await there.phone())
        await call.record()
        await there.driver.expect("call.ended", within=30.0)
        assert correlation(speech("operator-sorry"), (await call.recorded()).samples) > 0.8
        await call.ended(within=1.0)
        rounds = await attempts(there)
        assert rounds == [(name, "refused") for name in ("primary", "secondary", "tertiary")] * (len(rounds) // 3)
        assert len(rounds) == 15
        assert (await there.record())["outcome"] == "no-answer"


async def test_a_control_room_that_recovers_between_rounds_gets_the_call() -> None:
    async with town() as there:
        there.room.does = "busy"
        await there.speaks(await there.phone())
        await there.driver.expect("call.not_connected", within=20.0)
        there.room.does = "answer"
        await there.driver.expect("call.connected", within=3.0)


# The watch


async def test_a_route_whose_options_fail_is_passed_over_until_they_do_not() -> None:
    routing = {"ping_s": 5, "ping_within_s": 1, "ping_failures": 2}
    async with town({"routing": routing}, rooms=("room", "second")) as there:
        await there.driver.set_route("police", "primary", cut=True)
        down = await there.driver.expect("route.down", within=30.0)
        assert (down.data["authority"], down.data["route"]) == ("police", "primary")
        phone = await there.phone()
        call = await there.speaks(phone)
        await there.driver.expect("call.connected", within=20.0)
        assert await attempts(there) == [("secondary", "answered")]
        await call.hang_up()
        await there.driver.set_route("police", "primary", cut=False)
        await there.driver.expect("route.up", within=10.0)
        await there.speaks(phone)
        await there.driver.expect("call.connected", within=20.0, call="em-2")
        assert await attempts(there, "em-2") == [("primary", "answered")]


async def test_a_control_room_that_answers_options_with_503_is_down() -> None:
    async with town({"routing": {"ping_s": 1, "ping_failures": 3}}) as there:
        agent = there.room.agent

        def busy(request: Any, exchange: Any) -> None:
            exchange.respond(request.response(503, to_tag="x"))

        agent.answer_options = busy  # type: ignore[method-assign]
        down = await there.driver.expect("route.down", within=10.0)
        assert down.data["status"] == 503
        (police,) = await there.driver.authorities()
        assert (police["routes"][0]["up"], police["routes"][0]["failures"] >= 3) == (False, True)


async def test_a_cut_route_without_a_watch_costs_the_time_of_a_reply() -> None:
    async with town(rooms=("room", "second")) as there:
        await there.driver.set_route("police", "primary", cut=True)
        await there.speaks(await there.phone())
        await there.driver.expect("call.connected", within=30.0)
        assert await attempts(there) == [("primary", "no reply"), ("secondary", "answered")]
        assert there.room.calls == []


async def test_a_route_can_be_moved_while_the_network_runs() -> None:
    async with town(rooms=("room", "second")) as there:
        await there.driver.set_route("police", "primary", to=there.rooms["second"].target, number="112")
        await there.speaks(await there.phone())
        call = await there.rooms["second"].call()
        assert (call.mark.route, call.sip.request.uri.user_text) == (Route.PRIMARY, "112")


async def test_what_the_interlock_refuses_is_an_attempt_that_was_not_sent() -> None:
    def refuse(target: str) -> None:
        if "999@" in target and ":20001" not in target:
            raise InterlockError(f"not {target}")

    async with town({"routing": {"ping_s": 0, "give_up_s": 5}}, permit_dial=refuse) as there:
        await there.speaks(await there.phone())
        await there.driver.expect("call.ended", within=40.0)
        assert {result for _, result in await attempts(there)} == {"not sent"}
        assert there.room.calls == []


# The buddy


@pytest.mark.parametrize(("does", "after"), [("ring", 25.0), ("gone", 0.0)])
async def test_a_call_that_is_not_answered_goes_to_the_buddy_flagged(
    speech: Callable[[str], Samples], does: str, after: float
) -> None:
    async with town(buddies(buddy_after_s=25), rooms=("room", "second")) as there:
        there.room.does = does
        await there.speaks(await there.phone())
        call = await there.rooms["second"].call(within=60.0)
        assert (call.mark.authority, call.mark.buddy) == ("police", "police-east")
        first, then = (await there.record())["attempts"]
        assert then["begun"] - first["begun"] == pytest.approx(after, abs=0.1)
        await there.driver.expect("call.connected", within=2.0)
        assert correlation(speech("operator-buddy"), await call.hears(5.0)) > 0.8


async def test_a_control_room_that_takes_no_call_at_all_is_not_tried_at_its_other_numbers() -> None:
    layout = buddies(routes=[{"to": "room"}, {"to": "room", "number": "112"}])
    async with town(layout, rooms=("room", "second")) as there:
        there.room.does = "gone"
        await there.speaks(await there.phone())
        await there.rooms["second"].call()
        assert len(there.room.calls) == 1


async def test_a_buddy_that_does_not_answer_either_gives_the_call_back() -> None:
    async with town(buddies(buddy_after_s=10), rooms=("room", "second")) as there:
        there.room.does, there.rooms["second"].does = "ring", "busy"
        await there.speaks(await there.phone())
        await there.rooms["second"].call(within=60.0)
        again = await there.room.call(2)
        assert (again.mark.buddy, again.mark.attempt) == ("", 3)


# The critical number


def with_critical(**more: Any) -> dict[str, Any]:
    """A force with a critical number at its second room."""
    critical = {"to": "second", "number": "+441414960911"}
    return {"authorities": [{"name": "police", "routes": [{"to": "room"}], "critical": critical, **more}]}


async def test_operators_ring_the_critical_number_when_the_queue_does_not_answer() -> None:
    async with town(with_critical(critical_after_s=12), rooms=("room", "second")) as there:
        there.room.does = "ring"
        await there.speaks(await there.phone())
        call = await there.rooms["second"].call(within=60.0)
        assert (call.mark.route, call.mark.critical) == (Route.CRITICAL, True)
        assert call.sip.request.uri.user_text == "+441414960911"
        first, then = (await there.record())["attempts"]
        assert then["begun"] - first["begun"] == pytest.approx(12.0, abs=0.1)
        assert first["result"] == "out of time"


async def test_the_ordinary_routes_are_tried_again_after_the_critical_number() -> None:
    async with town(with_critical(critical_after_s=5), rooms=("room", "second")) as there:
        there.room.does, there.rooms["second"].does = "ring", "busy"
        await there.speaks(await there.phone())
        again = await there.room.call(2)
        assert (again.mark.route, again.mark.critical) == (Route.PRIMARY, False)


async def test_an_operator_rings_the_critical_number_without_a_caller(speech: Callable[[str], Samples]) -> None:
    async with town(with_critical(), rooms=("room", "second")) as there:
        operator = await there.operator()
        await operator.call_control_room("police")
        call = await there.rooms["second"].call(within=2.0)
        assert (call.mark.event, call.mark.line, call.mark.caller) == (What.AGENCY_CALL, Line.NONE, None)
        assert call.sip.remote_identity.user == "+441632960999"
        await operator.expect("call.connected", within=1.0)
        await operator.say(speech("operator-handover"))
        assert correlation(speech("operator-handover"), await call.hears(5.0)) > 0.8
        call.sip.hang_up()
        await operator.expect("call.ended", within=1.0)
        assert (await there.record())["kind"] == "agency-call"


async def test_a_spate_is_told_of_in_every_call_of_it() -> None:
    async with town({"spate": {"calls": 3, "window_s": 30}}) as there:
        for index in range(4):
            await there.speaks(await there.phone(f"+44770090000{index}", name=f"caller-{index}"))
        for number in range(1, 5):
            await there.room.call(number)
        assert sorted(call.marks[0].spate for call in there.room.calls) == [False, False, True, True]
        await asyncio.sleep(60.0)
        await there.speaks(await there.phone(MOBILE, name="later"))
        assert (await there.room.call(5)).marks[0].spate is False


async def test_no_tone_is_left_when_a_route_fails_after_ringing() -> None:
    async with town({"operators": QUICK}, rooms=("room", "second")) as there:
        there.room.does = "ring"
        call = await there.speaks(await there.phone())
        second = await there.rooms["second"].call(within=60.0)
        await there.driver.expect("operator.left", within=20.0)
        await call.record()
        await asyncio.sleep(3.0)
        assert level((await call.recorded()).samples) < -60
        assert second.mark.caller is Caller.ON
