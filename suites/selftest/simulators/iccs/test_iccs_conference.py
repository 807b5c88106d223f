"""Three in one call: everybody hears everybody else, within the gap, and those who are left go on when one goes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from control_room_in_virtual_time import Room, control_room
from telephone_lines import HEARD, Talk, line

from harness.drivers.console import Console
from harness.errors import DriverError
from harness.measure.correlate import find
from harness.testbed.clips import read_clip
from harness.testbed.conversation import converse

pytestmark = pytest.mark.virtual_time
CLIP = read_clip("call-taker")


async def three(room: Room) -> tuple[Talk, Console, Console, str]:
    """A caller and two positions in a conference, made by an enquiry."""
    taker, other = await room.console("govan-01"), await room.console("govan-02")
    talk = await (await line(room, "caller")).dial("999", cli="+447700900001")
    await talk.sip.ringing(within=1.0)
    await taker.answer()
    await talk.answered(within=1.0)
    await asyncio.sleep(0.3)
    enquiry = await taker.consult("govan-02")
    await other.expect("call.ringing", within=1.0, call=enquiry)
    await other.answer(call=enquiry)
    await taker.expect("call.connected", within=1.0, call=enquiry)
    await asyncio.sleep(0.3)
    call = await taker.conference()
    for console in (taker, other):
        shown = await console.expect("call.conferenced", within=1.0, call=call)
        assert sorted(shown.data["parties"]) == ["+447700900001", "govan-01", "govan-02"]
    await asyncio.sleep(0.5)
    return talk, taker, other, call


async def heard_by(mouth: Any, *ears: Any) -> list[float]:
    """How well each hears what one says."""
    for ear in ears:
        await ear.record()
    await mouth.say(CLIP)
    await asyncio.sleep(len(CLIP) / 8000 + 1.0)
    return [find(CLIP, (await ear.recorded()).samples).peak for ear in ears]


async def test_of_three_each_hears_the_other_two_and_not_itself() -> None:
    async with control_room() as room:
        talk, taker, other, _call = await three(room)
        for mouth, own, ears in (
            (talk, talk, (taker.headset, other.headset)),
            (taker, taker.headset, (talk, other.headset)),
            (other, other.headset, (talk, taker.headset)),
        ):
            *others, itself = await heard_by(mouth, *ears, own)
            assert min(others) > HEARD
            assert itself < 0.5


async def test_the_two_that_are_left_go_on_when_a_position_goes() -> None:
    async with control_room() as room:
        talk, taker, other, call = await three(room)
        await taker.leave()
        await other.expect("call.party_left", within=1.0, party="govan-01")
        await asyncio.sleep(0.3)
        await converse(talk, other.headset, read_clip("caller-999"))
        await converse(other, talk, CLIP)
        assert room.iccs.positions.get("govan-01").free
        with pytest.raises(DriverError, match="409: nobody would be left to talk with the other side"):
            await other.leave()
        await other.clear()
        await talk.sip.ended(within=1.0)
        await other.expect("call.cleared", within=1.0, call=call)


async def test_the_caller_dropped_of_a_conference_ends_it_for_the_positions_and_frees_them() -> None:
    async with control_room() as room:
        talk, taker, other, call = await three(room)
        with pytest.raises(DriverError, match="404: govan-01 talks with no call 'call-77'"):
            await taker.drop("call-77")
        await taker.drop(call)
        await talk.sip.ended(within=1.0)
        for console in (taker, other):
            await console.expect("call.cleared", within=1.0, call=call, reason="dropped by govan-01")
        assert [room.iccs.positions.get(id_).state.value for id_ in ("govan-01", "govan-02")] == ["available"] * 2
        assert max(await heard_by(taker, other.headset)) < 0.5


async def test_somebody_is_rung_into_a_call_that_goes_on_meanwhile() -> None:
    async with control_room() as room:
        taker = await room.console("govan-01")
        telephone = await room.telephone()
        talk = await (await line(room, "caller")).dial("999")
        await talk.sip.ringing(within=1.0)
        await taker.answer()
        await talk.answered(within=1.0)
        await asyncio.sleep(0.3)
        added = await taker.conference("2001")
        await converse(talk, taker.headset, read_clip("caller-999"))
        await taker.expect("call.connected", within=2.0, call=added)
        await asyncio.sleep(0.3)
        assert min(await heard_by(talk, taker.headset)) > HEARD
        telephone.calls[0].hang_up()
        await taker.expect("call.cleared", within=1.0, call=added)
        await asyncio.sleep(0.3)
        await converse(talk, taker.headset, read_clip("caller-999"))


async def test_a_conference_of_nobody_or_with_somebody_who_has_not_answered_is_refused() -> None:
    async with control_room() as room:
        taker = await room.console("govan-01")
        await room.console("govan-02")
        with pytest.raises(DriverError, match="409: govan-01 has no call"):
            await taker.conference()
        talk = await (await line(room, "caller")).dial("999")
        await talk.sip.ringing(within=1.0)
        await taker.answer()
        await talk.answered(within=1.0)
        with pytest.raises(DriverError, match="409: govan-01 holds no call"):
            await taker.conference()
        await taker.consult("govan-02")
        with pytest.raises(DriverError, match="409: the other side has not answered yet"):
            await taker.conference()
