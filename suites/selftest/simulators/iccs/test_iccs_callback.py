"""A caller who accepts to be called back keeps the place, is rung by whoever takes it, and is tried so many times."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from control_room_in_virtual_time import Room, control_room
from telephone_lines import HEARD, Line, Talk, likeness, line, seconds

from harness.errors import InterlockError
from harness.testbed.clips import read_clip
from harness.testbed.conversation import converse

pytestmark = pytest.mark.virtual_time
WAITS_S = 20.0
LAYOUT: dict[str, Any] = {
    "queues": {
        "general": {
            "numbers": ["101"],
            "presentation": "longest_idle",
            "offer_s": 60,
            "waiting": {"busy": "emergency-busy", "early": False, "music": "hold-music"},
            "callback": {"after_s": WAITS_S, "attempts": 2, "ring_s": 15, "retry_s": 60},
        }
    },
    "positions": [{"id": "a-1"}],
}


async def offered(room: Room, caller: Line, cli: str = "+447700900001") -> Talk:
    """A caller to whom the callback has just been offered."""
    talk = await caller.dial("101", cli=cli)
    await talk.answered(within=2.0)
    began = room.simulators.journal.position
    await room.simulators.journal.expect("iccs", "callback.offered", within=WAITS_S + 20, after=began)
    return talk


async def accepted(room: Room, caller: Line, cli: str = "+447700900001") -> str:
    """A caller who has accepted and is gone; the ticket in its place."""
    talk = await offered(room, caller, cli)
    await asyncio.sleep(1.0)
    await talk.press("1")
    ticket = await room.simulators.journal.expect("iccs", "callback.accepted", within=1.0)
    await talk.sip.ended(within=seconds("callback-accepted") + 2.0)
    return str(ticket.data["ticket"])


async def test_it_is_offered_after_the_wait_and_accepted_in_words() -> None:
    async with control_room(LAYOUT) as room:
        caller = await line(room)
        began = room.journal.now()
        talk = await offered(room, caller)
        assert room.journal.now() - began == pytest.approx(WAITS_S, abs=seconds("emergency-busy") + 1.0)
        await talk.record()
        await asyncio.sleep(seconds("callback-offer") + 0.5)
        assert likeness("callback-offer", await talk.recorded()) > HEARD
        await talk.press("1")
        assert likeness("callback-accepted", await talk.hears(seconds("callback-accepted") + 0.1)) > HEARD
        await talk.sip.ended(within=1.0)
        (due,) = await room.supervisor().callbacks()
        assert (due["cli"], due["attempts"], due["of"]) == ("+447700900001", 0, 2)
        (record,) = await room.supervisor().records()
        assert (record["outcome"], record["ended"]) == ("callback due", None)


async def test_the_place_is_kept_before_who_came_later_and_the_caller_is_rung_by_who_takes_it() -> None:
    async with control_room(LAYOUT) as room:
        caller, later = await line(room, "caller"), await line(room, "later")
        accepting = asyncio.create_task(accepted(room, caller))
        await asyncio.sleep(5.0)
        waits = await later.dial("101", cli="+447700900002")
        ticket = await accepting
        assert not waits.sip.is_over
        taker = await room.console("a-1")
        shown = await taker.expect("call.ringing", within=1.0)
        assert (shown.data["call"], shown.data["callback"], shown.data["cli"]) == (ticket, True, "+447700900001")
        assert caller.rung == []
        await taker.answer()
        await taker.expect("call.connected", within=2.0, call=ticket)
        assert len(caller.rung) == 1
        (talk,) = caller.talks
        await asyncio.sleep(0.5)
        await converse(taker, talk, read_clip("call-taker"))
        await converse(talk, taker.headset, read_clip("caller-999"))
        await taker.clear()
        await taker.expect("call.ringing", within=1.0, cli="+447700900002")
        (record,) = await room.supervisor().records(cli="+447700900001")
        assert (record["outcome"], len(record["calls"])) == ("called back", 2)
        figures = await room.supervisor().queue("general")
        assert figures["callbacks"] == {"accepted": 1, "reached": 1, "not reached": 0}
        assert await room.supervisor().callbacks() == []


async def test_a_caller_who_is_not_reached_is_tried_again_after_a_while_and_then_given_up() -> None:
    async with control_room(LAYOUT) as room:
        caller = await line(room, answers=False)
        ticket = await accepted(room, caller)
        taker = await room.console("a-1")
        await taker.expect("call.ringing", within=1.0, call=ticket)
        await taker.answer()
        failed = await taker.expect("call.failed", within=16.0, call=ticket)
        assert failed.data["again"] is True
        again = await taker.expect("call.ringing", within=62.0, call=ticket, after=failed.seq)
        assert again.time - failed.time == pytest.approx(60.0, abs=0.5)
        (due,) = await room.supervisor().callbacks()
        assert due["attempts"] == 1
        await taker.answer()
        failed = await taker.expect("call.failed", within=16.0, call=ticket, after=again.seq)
        assert failed.data["again"] is False
        await asyncio.sleep(120.0)
        assert len(caller.rung) == 2
        assert await room.supervisor().callbacks() == []
        (record,) = await room.supervisor().records()
        assert record["outcome"] == "not reached"
        assert record["ended"] is not None
        assert room.iccs.positions.get("a-1").free
        assert (await room.supervisor().queue("general"))["callbacks"]["not reached"] == 1


async def test_with_the_acceptance_nothing_is_said_to_the_caller_any_more(caplog: pytest.LogCaptureFixture) -> None:
    async with control_room(LAYOUT) as room:
        await accepted(room, await line(room))
        (stay,) = [event for event in room.simulators.journal if event.kind == "callback.accepted"]
        await asyncio.sleep(60.0)
        told = [event for event in room.simulators.journal.since(stay.seq) if event.kind == "call.told"]
        assert [event.data["clips"] for event in told] in ([], [["callback-accepted"]])
        gc.collect()
    assert [record for record in caplog.records if record.name == "asyncio"] == [], "no task fell over"


async def test_a_caller_who_presses_nothing_or_another_key_goes_on_waiting() -> None:
    async with control_room(LAYOUT) as room:
        talk = await offered(room, await line(room))
        await talk.press("5")
        assert likeness("hold-music", await talk.hears(20.0)) > HEARD
        assert not talk.sip.is_over
        assert await room.supervisor().callbacks() == []
        assert (await room.supervisor().queue("general"))["waiting"] == 1


async def test_a_caller_whose_number_is_not_known_is_not_offered_it() -> None:
    async with control_room(LAYOUT) as room:
        caller = await line(room)
        talk = await caller.dial("101")
        await talk.answered(within=2.0)
        await asyncio.sleep(WAITS_S + 30.0)
        offers = [event for event in room.simulators.journal if event.kind == "callback.offered"]
        assert offers == []


async def test_a_callback_is_not_taken_where_the_interlock_does_not_allow_the_caller_s_number() -> None:
    def refuse(target: str) -> None:
        if "900001" in target:
            raise InterlockError(f"dialling {target} is not allowed")

    async with control_room(LAYOUT) as room:
        caller = await line(room)
        await accepted(room, caller)
        taker = await room.console("a-1", permit_dial=refuse)
        await taker.expect("call.ringing", within=1.0)
        with pytest.raises(InterlockError, match=r"dialling \+447700900001 is not allowed"):
            await taker.answer()
        await asyncio.sleep(5.0)
        assert caller.rung == []
        assert room.told("a-1", "console.answer") == []
