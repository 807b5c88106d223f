"""A call on hold: the caller hears music and not the position, comes back, and may be one of several."""

from __future__ import annotations

import asyncio

import pytest
from control_room_in_virtual_time import Room, control_room
from telephone_lines import HEARD, Talk, announcement, likeness, line, seconds

from harness.drivers.console import Console
from harness.errors import DriverError
from harness.measure.correlate import find
from harness.testbed.clips import read_clip

pytestmark = pytest.mark.virtual_time


async def in_call(room: Room, taker: Console, name: str = "caller") -> Talk:
    """A caller who talks with a position."""
    talk = await (await line(room, name)).dial("999", cli="+447700900001")
    await talk.sip.ringing(within=1.0)
    await taker.answer()
    await talk.answered(within=1.0)
    await asyncio.sleep(0.3)
    return talk


async def test_a_caller_on_hold_hears_music_and_not_the_position_and_the_position_not_the_caller() -> None:
    async with control_room() as room:
        taker = await room.console("govan-01")
        talk = await in_call(room, taker)
        call = await taker.hold()
        await taker.expect("call.held", within=1.0, call=call)
        await asyncio.sleep(0.5)
        await taker.headset.record()
        await talk.record()
        await taker.say(announcement("ivr-update"))
        await talk.say(read_clip("caller-999"))
        await asyncio.sleep(seconds("ivr-update") + 1.0)
        heard, at_headset = await talk.recorded(), await taker.headset.recorded()
        assert likeness("hold-music", heard) > HEARD
        assert likeness("ivr-update", heard) < 0.5
        assert find(read_clip("caller-999"), at_headset.samples).peak < 0.5

        assert await taker.resume() == call
        await taker.expect("call.resumed", within=1.0, call=call)
        await asyncio.sleep(0.5)
        await taker.headset.record()
        await talk.record()
        await talk.say(read_clip("caller-999"))
        await asyncio.sleep(len(read_clip("caller-999")) / 8000 + 0.5)
        await taker.say(announcement("ivr-update"))
        await asyncio.sleep(seconds("ivr-update") + 1.0)
        heard, at_headset = await talk.recorded(), await taker.headset.recorded()
        assert likeness("ivr-update", heard) > HEARD
        assert likeness("hold-music", heard) < 0.5
        assert find(read_clip("caller-999"), at_headset.samples).peak > HEARD


async def test_of_two_callers_the_other_is_held_when_one_is_taken_off_hold() -> None:
    async with control_room() as room:
        taker = await room.console("govan-01")
        first = await in_call(room, taker, "first")
        one = await taker.hold()
        second = await in_call(room, taker, "second")
        shown = room.iccs.positions.get("govan-01").shown()
        two = shown["call"]
        assert shown["held"] == [one]
        await taker.resume(one)
        await asyncio.sleep(0.5)
        assert room.iccs.positions.get("govan-01").shown()["held"] == [two]
        assert likeness("hold-music", await second.hears(5.0)) > HEARD
        await second.hang_up()
        await taker.expect("call.cleared", within=1.0, call=two)
        await first.hang_up()
        await taker.expect("call.cleared", within=1.0, call=one)
        assert room.iccs.positions.get("govan-01").free


async def test_a_caller_who_hangs_up_on_hold_leaves_nothing_held() -> None:
    async with control_room() as room:
        taker = await room.console("govan-01")
        talk = await in_call(room, taker)
        call = await taker.hold()
        await talk.hang_up()
        await taker.expect("call.cleared", within=1.0, call=call, reason="ended by the other side")
        with pytest.raises(DriverError, match="409: govan-01 holds no call"):
            await taker.resume()
        assert room.iccs.positions.get("govan-01").shown()["state"] == "available"


async def test_what_can_not_be_held_or_resumed_is_refused_with_the_reason() -> None:
    async with control_room() as room:
        taker = await room.console("govan-01")
        with pytest.raises(DriverError, match="409: govan-01 has no call"):
            await taker.hold()
        with pytest.raises(DriverError, match="409: govan-01 holds no call call-77"):
            await taker.resume("call-77")
