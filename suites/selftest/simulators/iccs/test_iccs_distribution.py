"""Who gets which call: queues in order, skills, who has been free for longest, sites, breaks and wrap-up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from control_room_in_virtual_time import Room, control_room
from telephone_lines import Talk, line

from harness.drivers.console import Console
from harness.errors import DriverError

pytestmark = pytest.mark.virtual_time


def layout(queues: dict[str, Any], *positions: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A switch of these queues and positions."""
    return {"queues": queues, "positions": list(positions), **more}


def position(id_: str, *skills: str, **more: Any) -> dict[str, Any]:
    """A call taker with skills."""
    return {"id": id_, "skills": list(skills), **more}


async def dial(room: Room, number: str, name: str) -> Talk:
    """A call that has come into its queue."""
    talk = await (await line(room, name)).dial(number, cli="+447700900001")
    await talk.sip.ringing(within=1.0)
    await asyncio.sleep(0.1)
    return talk


async def rings(console: Console, queue: str) -> str:
    """The call of a queue that rings here."""
    return str((await console.expect("call.ringing", within=1.0, queue=queue)).data["call"])


LONGEST = {"presentation": "longest_idle"}


async def test_advisers_are_rung_only_for_the_queues_that_they_have_all_skills_for() -> None:
    queues = {
        "welsh": {"numbers": ["102"], "skills": ["welsh", "crime"]},
        "crime": {"numbers": ["103"], "skills": ["crime"]},
        "all": {"numbers": ["104"]},
    }
    spec = layout(queues, position("a-1", "welsh", "crime"), position("a-2", "crime"), position("a-3", "traffic"))
    async with control_room(spec) as room:
        consoles = {name: await room.console(name) for name in ("a-1", "a-2", "a-3")}
        for number in ("102", "103", "104"):
            await dial(room, number, f"caller-of-{number}")
        rang = {name: [event.data["queue"] for event in room.told(name, "call.ringing")] for name in consoles}
        assert rang == {"a-1": ["welsh", "crime", "all"], "a-2": ["crime", "all"], "a-3": ["all"]}
        with pytest.raises(DriverError, match="no call rings at a-2 on queue welsh"):
            await consoles["a-2"].answer(queue="welsh")


async def test_an_adviser_who_frees_up_gets_the_first_queue_s_call_and_in_a_queue_the_oldest() -> None:
    queues = {"first": {"numbers": ["102"], **LONGEST}, "second": {"numbers": ["103"], **LONGEST}}
    async with control_room(layout(queues, position("a-1"))) as room:
        for number, name in (("103", "b1"), ("103", "b2"), ("102", "f1"), ("102", "f2")):
            await dial(room, number, name)
        taker = await room.console("a-1")
        order = []
        for _ in range(4):
            await asyncio.sleep(0.5)
            assert len(room.told("a-1", "call.ringing")) == len(order) + 1, "one call is offered at a time"
            call = await taker.answer()
            order.append(call)
            await taker.expect("call.connected", within=1.0, call=call)
            await taker.clear()
        arrived = [event.data["call"] for event in room.simulators.journal if event.kind == "call.arrived"]
        assert order == [arrived[2], arrived[3], arrived[0], arrived[1]]


async def test_a_call_by_text_relay_goes_ahead_of_its_queue_but_not_of_an_earlier_one() -> None:
    queues = {"emergency": {"numbers": ["999"], **LONGEST}, "general": {"numbers": ["103", "18000"], **LONGEST}}
    spec = layout(queues, position("a-1"), ahead=["relay"])
    async with control_room(spec) as room:
        for number in ("103", "18000", "999"):
            await dial(room, number, f"caller-of-{number}")
        taker = await room.console("a-1")
        taken = []
        for _ in range(3):
            await asyncio.sleep(0.5)
            taken.append(await taker.answer())
            await asyncio.sleep(0.1)
            await taker.clear()
        dialled = {
            event.data["call"]: number
            for event, number in zip(
                [each for each in room.simulators.journal if each.kind == "call.arrived"],
                ("103", "18000", "999"),
                strict=True,
            )
        }
        assert [dialled[call] for call in taken] == ["999", "18000", "103"]


async def test_a_call_is_offered_to_the_adviser_who_has_been_free_for_longest_then_to_the_next() -> None:
    queues = {"calls": {"numbers": ["102"], **LONGEST, "offer_s": 5.0}}
    async with control_room(layout(queues, position("a-1"), position("a-2"), position("a-3"))) as room:
        for name in ("a-2", "a-3", "a-1"):
            await room.console(name)
            await asyncio.sleep(1.0)
        await dial(room, "102", "caller")
        await asyncio.sleep(12.0)
        rang = sorted((room.told(name, "call.ringing")[0].time, name) for name in ("a-1", "a-2", "a-3"))
        assert [name for _, name in rang] == ["a-2", "a-3", "a-1"]
        assert rang[1][0] - rang[0][0] == pytest.approx(5.0, abs=0.1)
        withdrawn = room.told("a-2", "call.withdrawn")
        assert [event.data["reason"] for event in withdrawn] == ["not answered"]
        states = [event.data["state"] for event in room.told("a-2", "adviser.state")]
        assert states == ["offered", "break"]


async def test_an_offer_whose_caller_gives_up_does_not_cost_an_adviser_the_place() -> None:
    queues = {"calls": {"numbers": ["102"], **LONGEST}}
    async with control_room(layout(queues, position("a-1"), position("a-2"))) as room:
        for name in ("a-1", "a-2"):
            await room.console(name)
            await asyncio.sleep(1.0)
        gone = await dial(room, "102", "gone")
        await gone.hang_up()
        await asyncio.sleep(0.5)
        await dial(room, "102", "stays")
        assert (len(room.told("a-1", "call.ringing")), len(room.told("a-2", "call.ringing"))) == (2, 0)


async def test_an_adviser_on_break_or_writing_up_is_not_offered_calls_and_then_is() -> None:
    queues = {"calls": {"numbers": ["102"], **LONGEST, "wrap_up_s": 30.0}}
    async with control_room(layout(queues, position("a-1"))) as room:
        taker = await room.console("a-1")
        await taker.go("break")
        first = await dial(room, "102", "one")
        await asyncio.sleep(5.0)
        assert room.told("a-1", "call.ringing") == []
        await taker.go("available")
        await rings(taker, "calls")
        await taker.answer()
        await first.answered(within=1.0)
        await first.hang_up()
        await taker.expect("adviser.state", within=1.0, state="wrap_up")
        ended = room.journal.now()
        await dial(room, "102", "two")
        again = await taker.expect("call.ringing", within=31.0, after=room.told("a-1", "call.cleared")[0].seq)
        assert again.time - ended == pytest.approx(30.0, abs=0.5)


async def test_an_emergency_takes_the_only_adviser_to_whom_a_lesser_call_is_being_offered() -> None:
    queues = {"emergency": {"numbers": ["999"], **LONGEST}, "general": {"numbers": ["101"], **LONGEST}}
    async with control_room(layout(queues, position("a-1"))) as room:
        taker = await room.console("a-1")
        await dial(room, "101", "general")
        lesser = await rings(taker, "general")
        await dial(room, "999", "urgent")
        urgent = await rings(taker, "emergency")
        await taker.expect("call.withdrawn", within=1.0, call=lesser, reason="a call of an earlier queue")
        assert await taker.answer() == urgent
        await taker.expect("call.connected", within=1.0, call=urgent)
        await taker.clear()
        await taker.expect("call.ringing", within=1.0, call=lesser, after=room.told("a-1", "call.withdrawn")[0].seq)


async def test_a_site_s_own_advisers_come_first_and_after_a_while_anybody_s() -> None:
    queues = {"local": {"numbers": ["102"], **LONGEST, "site": "govan", "local_s": 10.0, "offer_s": 60.0}}
    async with control_room(layout(queues, position("govan-1"), position("bilston-1"))) as room:
        away = await room.console("bilston-1")
        came = room.journal.now()
        await dial(room, "102", "caller")
        shown = await away.expect("call.ringing", within=12.0)
        assert shown.time - came == pytest.approx(10.0, abs=0.5)


async def test_a_critical_number_rings_at_the_supervisor_and_whoever_is_free_past_all_queues() -> None:
    queues = {"calls": {"numbers": ["102"], **LONGEST}}
    spec = layout(queues, position("a-1"), position("s-1", role="supervisor"), critical={"numbers": ["5000"]})
    async with control_room(spec) as room:
        taker, supervisor = await room.console("a-1"), await room.console("s-1")
        for number in range(3):
            await dial(room, "102", f"caller-{number}")
        talk = await dial(room, "5000", "ambulance")
        shown = await supervisor.expect("call.ringing", within=1.0, queue="critical")
        assert shown.data["flags"] == ["critical"]
        assert await taker.answer() == shown.data["call"], "it goes before those that came first"
        await talk.answered(within=1.0)
