"""Operators: who gets which call, what one who is driven by hand can do, and what becomes of calls when one goes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from network_in_virtual_time import LANDLINE, OTHER_MOBILE, QUICK, level, town

from harness.drivers.emergency_operator import EmergencyOperator
from harness.errors import DriverError, InterlockError
from harness.measure.correlate import correlation
from harness.protocols.rtp.g711 import Samples
from harness.protocols.sip.emergency_call import Nuisance, Operator, Silent, What

pytestmark = pytest.mark.virtual_time
BY_HAND = {"operators": {**QUICK, "automatic": 0}}


async def test_calls_wait_in_order_for_as_many_operators_as_there_are() -> None:
    async with town({"operators": {**QUICK, "automatic": 2, "stay_s": None}}) as there:
        calls = []
        for index in range(4):
            phone = await there.phone(f"+44770090000{index}", name=f"caller-{index}")
            calls.append(await phone.dial())
            await calls[-1].ringing(within=1.0)
        await asyncio.sleep(1.0)
        assert (await there.driver.status())["waiting"] == ["em-3", "em-4"]
        await calls[0].hang_up()
        await calls[2].answered(within=1.0)
        assert (await there.driver.status())["waiting"] == ["em-4"]
        await there.driver.set_operators(automatic=3)
        await calls[3].answered(within=1.0)


async def test_an_operator_by_hand_gets_the_call_and_automatic_ones_the_others() -> None:
    async with town() as there:
        operator = await there.operator()
        first = await (await there.phone()).dial()
        second = await (await there.phone(OTHER_MOBILE, name="other")).dial()
        await second.answered(within=2.0)
        await asyncio.sleep(5.0)
        assert (await there.driver.status())["waiting"] == ["em-1"]
        assert await operator.answer() == "em-1"
        await first.answered(within=1.0)
        assert (await there.record())["desk"] == "operator-1"


async def test_a_call_that_waits_for_an_operator_by_hand_goes_to_an_automatic_one_when_that_one_goes() -> None:
    async with town() as there:
        operator = await there.operator()
        call = await (await there.phone()).dial()
        await call.ringing(within=1.0)
        await asyncio.sleep(3.0)
        await operator.close()
        await call.answered(within=1.0)


async def test_an_operator_by_hand_chooses_among_those_who_wait() -> None:
    async with town(BY_HAND) as there:
        operator = await there.operator()
        await (await there.phone()).dial()
        other = await (await there.phone(OTHER_MOBILE, name="other")).dial()
        await operator.expect("call.waiting", within=1.0, cli=OTHER_MOBILE)
        assert await operator.answer("em-2") == "em-2"
        await other.answered(within=1.0)


async def test_silent_solution_by_hand(speech: Callable[[str], Samples]) -> None:
    async with town(BY_HAND) as there:
        operator, phone = await there.operator(), await there.phone()
        call = await phone.dial()
        await operator.expect("call.waiting", within=1.0)
        await operator.answer()
        await call.answered(within=1.0)
        await call.record()
        await operator.silent_solution()
        await asyncio.sleep(8.0)
        await call.press("55")
        heard = await operator.expect("silent.heard", within=2.0)
        assert heard.data["heard"] == "55"
        assert correlation(speech("silent-solution")[:48000], (await call.recorded()).samples) > 0.8
        await operator.expect("caller.key", within=1.0, key="5")
        assert there.room.calls == []
        await operator.connect()
        assert (await there.room.call(within=2.0)).mark.silent is Silent.PRESSED_55


async def test_an_operator_tells_by_hand_that_a_caller_does_not_speak() -> None:
    async with town(BY_HAND) as there:
        operator, phone = await there.operator(), await there.phone(LANDLINE)
        await phone.dial()
        await operator.expect("call.waiting", within=1.0)
        await operator.answer()
        await operator.connect(silent="unresolved")
        assert (await there.room.call(within=2.0)).mark.silent is Silent.UNRESOLVED


async def test_an_operator_chooses_the_authority_and_the_route() -> None:
    authorities = [
        {"name": "police", "routes": [{"to": "room"}, {"to": "room", "number": "112"}]},
        {"name": "north", "routes": [{"to": "second"}], "critical": {"to": "second", "number": "555"}},
    ]
    async with town({**BY_HAND, "authorities": authorities}, rooms=("room", "second")) as there:
        there.room.does = "busy"
        operator, phone = await there.operator(), await there.phone()
        await phone.dial()
        await operator.expect("call.waiting", within=1.0)
        await operator.answer()
        await operator.connect("police", route="secondary")
        await operator.expect("call.connect_failed", within=2.0)
        assert there.room.calls[0].sip.request.uri.user_text == "112"
        await operator.connect("north", route="critical")
        call = await there.rooms["second"].call(within=2.0)
        assert (call.sip.request.uri.user_text, call.mark.critical, call.mark.authority) == ("555", True, "north")


async def test_an_operator_gives_up_what_is_being_tried_and_tries_elsewhere() -> None:
    async with town(BY_HAND, rooms=("room", "second")) as there:
        there.room.does = "ring"
        operator, phone = await there.operator(), await there.phone()
        await phone.dial()
        await operator.expect("call.waiting", within=1.0)
        await operator.answer()
        await operator.connect(route="primary")
        first = await there.room.call(within=2.0)
        await operator.expect("call.ringing", within=1.0)
        await operator.stop_connecting()
        await first.sip.ended(within=1.0)
        await operator.expect("call.connect_failed", within=1.0)
        await operator.connect(route="secondary")
        await operator.expect("call.connected", within=2.0)


async def test_an_operator_leaves_and_another_comes_in(speech: Callable[[str], Samples]) -> None:
    async with town(BY_HAND) as there:
        operator, other = await there.operator(), await there.operator("operator-2")
        call = await (await there.phone()).dial()
        await operator.expect("call.waiting", within=1.0)
        await operator.answer()
        await call.answered(within=1.0)
        await operator.connect()
        await operator.expect("call.connected", within=2.0)
        with pytest.raises(DriverError, match="em-1 has an operator"):
            await other.join("em-1")
        await operator.leave()
        await other.join("em-1")
        await other.say(speech("operator-handover"))
        room = there.room.calls[0]
        assert correlation(speech("operator-handover"), await room.hears(5.0)) > 0.8
        assert room.events[-2:] == [What.OPERATOR_LEFT, What.OPERATOR_JOINED]
        await other.clear()
        await room.sip.ended(within=1.0)
        assert (await there.record())["cleared_by"] == "operator"


async def test_a_nuisance_is_tagged_told_and_its_record_preserved() -> None:
    async with town({**BY_HAND, "nuisance": [OTHER_MOBILE]}) as there:
        operator, phone = await there.operator(), await there.phone(OTHER_MOBILE)
        await phone.dial()
        await operator.expect("call.waiting", within=1.0)
        await operator.answer()
        await operator.connect()
        await operator.expect("call.connected", within=2.0)
        room = there.room.calls[0]
        assert room.mark.nuisance is Nuisance.KNOWN
        assert (await there.record())["preserved"] is False
        await operator.tag_nuisance()
        await asyncio.sleep(0.1)
        assert (room.mark.event, room.mark.nuisance) == (What.NUISANCE, Nuisance.TAGGED)
        record = await there.record()
        assert (record["preserved"], record["nuisance"], record["cli"]) == (True, "tagged", OTHER_MOBILE)
        assert [mark["event"] for mark in record["marks"]] == ["connect", "nuisance"]


async def test_an_operator_who_logs_out_in_mid_call_leaves_it_to_the_others() -> None:
    async with town(BY_HAND) as there:
        operator = await there.operator()
        call = await (await there.phone()).dial()
        await operator.expect("call.waiting", within=1.0)
        await operator.answer()
        await call.answered(within=1.0)
        await operator.connect()
        await operator.expect("call.connected", within=2.0)
        await operator.close()
        await asyncio.sleep(1.0)
        assert not call.is_over
        assert there.room.calls[0].mark.operator is Operator.LEFT


async def test_what_can_not_be_done_now_is_refused_with_the_reason() -> None:
    async with town(BY_HAND) as there:
        operator = await there.operator()
        refusals = [
            (operator.answer(), "no call waits"),
            (operator.connect(), "operator-1 has no call"),
            (operator.leave(), "operator-1 has no call"),
            (operator.clear(), "operator-1 has no call"),
            (operator.silent_solution(), "operator-1 has no call"),
            (operator.write("x"), "operator-1 has no call"),
            (operator.join("em-9"), "there is no call 'em-9'"),
            (operator.call_control_room("police"), "'police' has no route 'critical'; it has primary"),
            (operator.call_control_room("nowhere"), "there is no authority 'nowhere'; there is police"),
        ]
        for doing, reason in refusals:
            with pytest.raises(DriverError, match=reason):
                await doing
        await (await there.phone()).dial()
        await operator.expect("call.waiting", within=1.0)
        await operator.answer()
        for doing, reason in [
            (operator.leave(), "em-1 is operator: an operator leaves once"),
            (operator.stop_connecting(), "em-1 is not being connected"),
            (operator.connect("x"), "there is no authority 'x'"),
            (operator.connect(route="tertiary"), "'police' has no route 'tertiary'"),
            (operator.answer(), "operator-1 has a call: em-1"),
        ]:
            with pytest.raises(DriverError, match=reason):
                await doing
        with pytest.raises(DriverError, match="somebody is logged in at operator-1"):
            await there.operator()
        with pytest.raises(DriverError, match="there is no desk 'operator-7'; there is operator-1, operator-2"):
            await there.operator("operator-7")


async def test_the_interlock_is_asked_before_an_operator_has_a_control_room_called() -> None:
    def refuse(target: str) -> None:
        raise InterlockError(f"not {target}")

    async with town(BY_HAND) as there:
        operator = await EmergencyOperator.open(
            there.context, there.media, "op", control=there.network.control_url, desk="operator-1", permit=refuse
        )
        there.stack.push_async_callback(operator.close)
        await (await there.phone()).dial()
        await operator.expect("call.waiting", within=1.0)
        await operator.answer()
        with pytest.raises(InterlockError, match="not 999"):
            await operator.connect()
        with pytest.raises(InterlockError, match="not 999"):
            await operator.call_control_room("police")
        await asyncio.sleep(2.0)
        assert there.told("call.connecting") == []


# Faults


async def test_no_operator_answers() -> None:
    async with town() as there:
        await there.driver.fail("no_answer")
        call = await (await there.phone()).dial()
        await call.ringing(within=1.0)
        await asyncio.sleep(60.0)
        assert there.told("call.operator") == []
        await there.driver.recover("no_answer")
        await call.answered(within=1.0)


async def test_operators_answer_slowly() -> None:
    async with town() as there:
        await there.driver.fail("slow_answer", seconds=25.0)
        call = await (await there.phone()).dial()
        dialled = there.journal.now()
        await call.answered(within=30.0)
        assert there.journal.now() - dialled == pytest.approx(25.5, abs=0.1)


async def test_an_operator_is_dropped_and_nobody_tells(speech: Callable[[str], Samples]) -> None:
    async with town() as there:
        await there.driver.fail("drop_operator")
        call = await there.speaks(await there.phone())
        room = await there.room.call()
        await there.driver.expect("operator.dropped", within=10.0)
        assert level(await room.hears(4.0)) < -60, "the hand-over was spoken all the same"
        assert room.events == [What.CONNECT]
        await call.say(speech("caller-999"))
        assert correlation(speech("caller-999"), await room.hears(5.0)) > 0.8


async def test_an_operator_who_is_dropped_before_connecting_is_followed_by_another() -> None:
    async with town() as there:
        await there.speaks(await there.phone())
        await asyncio.sleep(1.0)
        await there.driver.fail("drop_operator", call="em-1")
        await there.driver.expect("call.operator", within=2.0, after=there.told("operator.dropped")[0].seq)
        await there.driver.expect("call.connected", within=20.0)


@pytest.mark.parametrize("at_once", [False, True])
async def test_one_way_audio_towards_the_control_room(speech: Callable[[str], Samples], at_once: bool) -> None:
    async with town() as there:
        if not at_once:
            await there.driver.fail("room_hears_nothing")
        call = await there.speaks(await there.phone())
        await there.driver.expect("operator.left", within=40.0)
        if at_once:
            await there.driver.fail("room_hears_nothing", call="em-1")
        room = there.room.calls[0]
        stats = await room.media.port.stats()
        await call.record()
        await call.say(speech("caller-999"))
        await room.media.port.play(speech("call-taker"))
        assert level(await room.hears(5.0)) < -60
        assert (await room.media.port.stats()).packets_received - stats.packets_received < 3
        assert correlation(speech("call-taker"), (await call.recorded()).samples) > 0.8


async def test_one_way_audio_towards_the_caller(speech: Callable[[str], Samples]) -> None:
    async with town() as there:
        await there.driver.fail("caller_hears_nothing")
        call = await there.speaks(await there.phone())
        await there.driver.expect("operator.left", within=40.0)
        room = there.room.calls[0]
        await call.record()
        await room.media.port.play(speech("call-taker"))
        await call.say(speech("caller-999"))
        assert correlation(speech("caller-999"), await room.hears(5.0)) > 0.8
        assert level((await call.recorded()).samples) < -60
