"""Callers who give up, at every stage, and what becomes of the call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from network_in_virtual_time import QUICK, town

from harness.measure.correlate import correlation
from harness.protocols.rtp.g711 import Samples
from harness.protocols.sip.emergency_call import Caller, Stage, What, mark_of

pytestmark = pytest.mark.virtual_time
DELIVER = {"abandoned": "deliver"}


async def test_while_waiting_for_an_operator() -> None:
    async with town({"operators": {"automatic": 0}}) as there:
        call = await (await there.phone()).dial()
        await call.ringing(within=1.0)
        await asyncio.sleep(4.0)
        await call.hang_up()
        await there.driver.expect("call.ended", within=1.0)
        record = await there.record()
        assert (record["outcome"], record["abandoned"], record["operator_answered"]) == ("abandoned", "queue", None)
        assert (await there.driver.status())["waiting"] == []
        await there.driver.set_operators(automatic=5)
        await asyncio.sleep(5.0)
        assert there.told("call.operator") == []


async def test_as_the_operator_answers() -> None:
    async with town() as there:
        call = await (await there.phone()).dial()
        await call.ringing(within=1.0)
        await there.driver.expect("call.waiting", within=1.0)
        await asyncio.sleep(0.4985)
        await call.hang_up()
        await there.driver.expect("call.ended", within=1.0)
        await asyncio.sleep(2.0)
        assert (await there.driver.status())["operators"]["busy"] == 0
        assert there.network.plant.legs == {}


async def test_with_the_operator() -> None:
    async with town() as there:
        call = await (await there.phone()).dial()
        await call.answered()
        await asyncio.sleep(2.0)
        await call.hang_up()
        await there.driver.expect("call.ended", within=1.0)
        record = await there.record()
        assert (record["outcome"], record["abandoned"], record["cleared_by"]) == ("abandoned", "operator", "caller")
        await asyncio.sleep(60.0)
        assert there.room.calls == []


async def test_with_the_operator_and_told_to_the_control_room_all_the_same(speech: Callable[[str], Samples]) -> None:
    async with town(DELIVER) as there:
        call = await (await there.phone()).dial()
        await call.answered()
        await asyncio.sleep(2.0)
        await call.hang_up()
        room = await there.room.call(within=5.0)
        assert (room.mark.caller, room.mark.abandoned) == (Caller.GONE, Stage.OPERATOR)
        assert correlation(speech("operator-gone"), await room.hears(3.5)) > 0.8
        await room.sip.ended(within=5.0)
        assert room.sip.ended_by is not None
        ended = mark_of(room.sip.ended_by)
        assert ended is not None and (ended.event, ended.why) == (What.CLEARED, "caller")
        record = await there.record()
        assert (record["outcome"], record["abandoned"]) == ("answered", "operator")


async def test_while_the_control_room_rings() -> None:
    async with town() as there:
        there.room.does = "ring"
        call = await there.speaks(await there.phone())
        room = await there.room.call()
        await call.hang_up()
        await room.sip.ended(within=1.0)
        assert room.sip.status == 487
        assert room.sip.ended_by is not None
        mark = mark_of(room.sip.ended_by)
        assert mark is not None and (mark.event, mark.caller) == (What.ABANDONED, Caller.GONE)
        assert "cause=16" in (room.sip.ended_by.get("reason") or "")
        record = await there.record()
        assert (record["outcome"], record["abandoned"]) == ("abandoned", "connecting")
        assert record["attempts"][0]["result"] == "abandoned"


async def test_while_the_control_room_rings_and_told_when_it_answers(speech: Callable[[str], Samples]) -> None:
    async with town(DELIVER) as there:
        there.room.does = "ring"
        call = await there.speaks(await there.phone())
        room = await there.room.call()
        await call.hang_up()
        await asyncio.sleep(5.0)
        await room.answer()
        heard = await room.hears(4.0)
        assert room.events[:2] == [What.CONNECT, What.CALLER_GONE]
        assert correlation(speech("operator-gone"), heard) > 0.8
        await room.sip.ended(within=5.0)


async def test_answered_and_the_operator_tells(speech: Callable[[str], Samples]) -> None:
    async with town({**DELIVER, "operators": {**QUICK, "stay_s": None}}) as there:
        call = await there.speaks(await there.phone())
        room = await there.room.call()
        await there.driver.expect("call.connected", within=5.0)
        await asyncio.sleep(6.0)
        await call.hang_up()
        heard = await room.hears(3.0)
        assert What.CALLER_GONE in room.events
        # The first words: later on the playout buffer of this side may have become deeper.
        assert correlation(speech("operator-gone")[:4800], heard) > 0.8
        await room.sip.ended(within=2.0)
        assert (await there.record())["abandoned"] == ""


async def test_answered_and_nobody_there_to_tell_the_call_is_cleared() -> None:
    async with town(DELIVER) as there:
        call = await there.speaks(await there.phone())
        await there.driver.expect("operator.left", within=40.0)
        await call.hang_up()
        await there.room.calls[0].sip.ended(within=0.5)


async def test_the_control_room_goes_while_the_caller_rings_it_no_more() -> None:
    async with town() as there:
        there.room.does = "ring"
        call = await there.speaks(await there.phone())
        room = await there.room.call()
        await call.hang_up()
        await room.sip.ended(within=1.0)
        await asyncio.sleep(1.0)
        assert there.network.plant.legs == {}
        assert there.network.plant.calls == {}
