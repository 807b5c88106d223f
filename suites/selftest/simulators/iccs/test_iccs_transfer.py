"""Passing a call on: blind to a position, a queue or a number, attended after an enquiry; nobody is lost on the way."""

from __future__ import annotations

import asyncio

import pytest
from control_room_in_virtual_time import Room, control_room
from telephone_lines import HEARD, Talk, likeness, line

from harness.drivers.console import Console
from harness.errors import DriverError, InterlockError
from harness.measure.correlate import find
from harness.testbed.clips import read_clip
from harness.testbed.conversation import converse

pytestmark = pytest.mark.virtual_time
LAYOUT = {"queues": {"emergency": ["999"], "crime": {"roles": ["dispatcher"]}}, "transfer_ring_s": 10}
GAP_S = 0.5
"""NICCS-TEL-014 [p]."""


async def in_call(room: Room, taker: Console) -> Talk:
    """A caller who talks with a position."""
    talk = await (await line(room, "caller")).dial("999", cli="+447700900001")
    await talk.sip.ringing(within=1.0)
    await taker.answer()
    await talk.answered(within=1.0)
    await taker.expect("call.connected", within=1.0)
    await asyncio.sleep(0.3)
    return talk


async def talk_both_ways(talk: Talk, console: Console) -> None:
    """Raise where caller and position don't hear each other."""
    await converse(talk, console.headset, read_clip("caller-999"))
    await converse(console, talk, read_clip("call-taker"))


async def test_blind_to_a_position_the_caller_hears_ringing_then_who_answers() -> None:
    async with control_room(LAYOUT) as room:
        sender, receiver = await room.console("govan-01"), await room.console("govan-02")
        talk = await in_call(room, sender)
        call = await sender.transfer("govan-02")
        await sender.expect("call.transferred", within=1.0, call=call, to=["govan-02"])
        await receiver.expect("call.ringing", within=1.0, call=call, cli="+447700900001", passed_on_by="govan-01")
        assert room.iccs.positions.get("govan-01").free
        assert likeness("ringing-tone", await talk.hears(4.0)) > HEARD
        await receiver.answer(call=call)
        await receiver.expect("call.connected", within=1.0, call=call)
        await asyncio.sleep(0.3)
        await talk_both_ways(talk, receiver)
        (record,) = await room.supervisor().records()
        assert record["positions"] == ["govan-01", "govan-02"]


async def test_blind_to_a_position_that_does_not_answer_the_caller_comes_back_to_the_sender() -> None:
    async with control_room(LAYOUT) as room:
        sender, receiver = await room.console("govan-01"), await room.console("govan-02")
        talk = await in_call(room, sender)
        call = await sender.transfer("govan-02")
        sent = room.journal.position
        withdrawn = await receiver.expect("call.withdrawn", within=11.0, call=call, reason="not answered")
        back = await sender.expect("call.ringing", within=1.0, call=call, after=sent)
        assert back.data["returned"] is True
        assert back.time == pytest.approx(withdrawn.time, abs=0.1)
        await sender.answer(call=call)
        await asyncio.sleep(0.5)
        await talk_both_ways(talk, sender)


async def test_blind_to_a_queue_it_waits_there_for_whoever_serves_it() -> None:
    async with control_room(LAYOUT) as room:
        sender, detective = await room.console("govan-01"), await room.console("desk-1")
        talk = await in_call(room, sender)
        call = await sender.transfer("crime")
        await detective.expect("call.ringing", within=1.0, queue="crime", call=call)
        await detective.answer(queue="crime")
        await detective.expect("call.connected", within=1.0, call=call)
        await asyncio.sleep(0.3)
        await talk_both_ways(talk, detective)


async def test_blind_to_a_telephone_two_outside_parties_talk_and_no_position_is_held_up() -> None:
    async with control_room(LAYOUT) as room:
        sender = await room.console("govan-01")
        network = await line(room, "network")  # whence the call comes, and where numbers in the network are called
        talk = await network.dial("999", cli="+447700900001")
        await talk.sip.ringing(within=1.0)
        await sender.answer()
        await talk.answered(within=1.0)
        await asyncio.sleep(0.3)
        await sender.transfer("01632960555")
        await asyncio.sleep(2.0)
        assert room.iccs.positions.get("govan-01").free
        (other,) = network.talks
        assert network.rung[0].request.uri.user_text in ("01632960555", "+441632960555")
        await converse(talk, other, read_clip("caller-999"))
        await converse(other, talk, read_clip("call-taker"))
        await other.hang_up()
        await talk.sip.ended(within=2.0)


async def test_attended_the_caller_waits_with_music_and_is_with_the_third_party_within_the_gap() -> None:
    async with control_room(LAYOUT) as room:
        sender, receiver = await room.console("govan-01"), await room.console("govan-02")
        talk = await in_call(room, sender)
        enquiry = await sender.consult("govan-02")
        rung = await receiver.expect("call.ringing", within=1.0, call=enquiry)
        assert (rung.data["from"], rung.data["towards"]) == ("govan-01", "govan-02")
        assert likeness("hold-music", await talk.hears(5.0)) > HEARD
        await receiver.answer(call=enquiry)
        await receiver.expect("call.connected", within=1.0, call=enquiry)
        await asyncio.sleep(0.3)
        await converse(sender, receiver.headset, read_clip("call-taker"))
        await receiver.say(read_clip("dispatch"))
        await talk.record()
        await asyncio.sleep(0.2)
        began = room.journal.now()
        call = await sender.transfer()
        await asyncio.sleep(4.0)
        heard = await talk.recorded()
        after = heard.samples[int((began + GAP_S - heard.start) * 8000) :]
        spoken = read_clip("dispatch")[int((0.2 + GAP_S) * 8000) :]
        assert find(spoken, after).peak > HEARD, "what is said half a second after it is heard whole"
        await sender.expect("call.transferred", within=1.0, call=call)
        assert room.iccs.positions.get("govan-01").free
        await talk_both_ways(talk, receiver)
        await talk.hang_up()
        await receiver.expect("call.cleared", within=1.0, call=call)


async def test_attended_before_the_third_party_answers_it_rings_on_for_the_caller() -> None:
    async with control_room(LAYOUT) as room:
        sender, receiver = await room.console("govan-01"), await room.console("govan-02")
        talk = await in_call(room, sender)
        await sender.consult("govan-02")
        call = await sender.transfer()
        await receiver.expect("call.ringing", within=1.0, call=call, cli="+447700900001")
        await receiver.answer(call=call)
        await receiver.expect("call.connected", within=1.0, call=call)
        await asyncio.sleep(0.3)
        await talk_both_ways(talk, receiver)


async def test_a_transfer_that_can_not_be_made_changes_nothing() -> None:
    async with control_room(LAYOUT) as room:
        sender, busy = await room.console("govan-01"), await room.console("govan-02")
        talk = await in_call(room, sender)
        other = await (await line(room, "other")).dial("999")
        await other.sip.ringing(within=1.0)
        await busy.answer()
        await asyncio.sleep(0.5)
        for to, why in (
            ("govan-02", "govan-02 is not free"),
            ("govan-03", "nobody is logged in at govan-03"),
            ("govan-01", "govan-01 is not free"),
            ("5555", "no telephone is registered as '5555'"),
        ):
            with pytest.raises(DriverError, match=f"409: {why}"):
                await sender.transfer(to)
            with pytest.raises(DriverError, match=f"409: {why}"):
                await sender.consult(to)
        with pytest.raises(DriverError, match="409: govan-01 holds no call"):
            await sender.transfer()
        await talk_both_ways(talk, sender)


async def test_consulting_passing_on_and_joining_ask_the_interlock_before_anything_leaves() -> None:
    def refuse(target: str) -> None:
        raise InterlockError(f"dialling {target} is not allowed")

    async with control_room(LAYOUT) as room:
        sender = await room.console("govan-01", permit_dial=refuse)
        await in_call(room, sender)
        for act in (sender.consult, sender.transfer, sender.conference, sender.dial):
            with pytest.raises(InterlockError, match="dialling 2002 is not allowed"):
                await act("2002")
        done = [
            event.kind for event in room.journal if event.source == "govan-01" and event.kind.startswith("console.")
        ]
        assert done == ["console.answer"]
