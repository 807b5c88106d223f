"""Talkgroups that the ICCS works by MCPTT: the floor, who talks, emergencies, the server lost, patches with TETRA."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable

import pytest
from esn_in_virtual_time import ESN, OFFICER, OTHER, STRANGE, TETRA, Esn, esn

from harness.drivers.console import Console
from harness.drivers.mcptt import McpttRadio
from harness.errors import DriverError
from harness.protocols.rtp.g711 import Samples
from harness.testbed.conversation import Microphone, converse

pytestmark = pytest.mark.virtual_time


async def keyed(there: Esn, desk: Console, talkgroup: str) -> None:
    """Press at a console until it is permitted."""
    after = there.room.journal.position
    await desk.key(talkgroup)
    await desk.expect("ptt.granted", within=2.0, after=after, talkgroup=talkgroup)


async def test_both_hear_each_other_and_are_shown(speech: Callable[[str], Samples]) -> None:
    async with esn() as there:
        desk, officer = await there.room.console("desk-1"), await there.officer("officer-8", ESN)
        await keyed(there, desk, ESN)
        await officer.expect("talker.shown", within=1.0, user="control")
        await converse(desk.headset, officer, speech("dispatch"))
        await desk.unkey()
        await officer.expect("talker.ended", within=1.0)
        after = there.room.journal.position
        await officer.key()
        shown = await desk.expect("talker.shown", within=1.0, after=after, talkgroup=ESN)
        assert (shown.data["issi"], shown.data["mcptt_id"], shown.data["alias"]) == (None, OFFICER, "GB 208")
        await converse(Microphone(officer), desk.headset, speech("officer-reply"))
        await officer.unkey()
        await desk.expect("talker.ended", within=1.0, after=shown.seq, talkgroup=ESN)


async def test_who_keys_while_there_is_no_call_sets_it_up_and_members_are_called(
    speech: Callable[[str], Samples],
) -> None:
    """The floor is denied to one who is alone: it is asked for again until the first of those called is there."""
    async with esn() as there:
        desk, officer = await there.room.console("desk-1"), await there.officer("officer-8")
        assert there.server.calls == {}
        await keyed(there, desk, ESN)
        await officer.expect("talker.shown", within=1.0, talkgroup=ESN)
        await officer.select(ESN)  # it was called, and is there
        await converse(desk.headset, officer, speech("dispatch"))
        await desk.unkey()


async def test_where_nobody_is_called_the_press_is_refused_with_why() -> None:
    async with esn() as there:
        desk = await there.room.console("desk-1")
        await desk.key(ESN)
        refused = await desk.expect("ptt.refused", within=6.0, talkgroup=ESN)
        assert refused.data["reason"] == "only one participant"


async def test_a_talker_is_waited_for_and_a_key_let_go_meanwhile_holds_nothing() -> None:
    async with esn() as there:
        desk, officer = await there.room.console("desk-1"), await there.officer("officer-8", ESN)
        await officer.key()
        await desk.expect("talker.shown", within=1.0)
        await desk.key(ESN)
        await desk.expect("ptt.queued", within=1.0, talkgroup=ESN)
        after = there.room.journal.position
        await officer.unkey()
        await desk.expect("ptt.granted", within=1.0, after=after, talkgroup=ESN)
        await desk.expect("talker.ended", within=1.0, after=after, talkgroup=ESN)
        await desk.unkey()
        await officer.expect("talker.ended", within=1.0, after=after)
        await officer.key()
        await desk.key(ESN)
        after = there.room.journal.position
        await desk.expect("ptt.queued", within=1.0, after=after - 1, talkgroup=ESN)
        await desk.unkey()
        await officer.unkey()
        await asyncio.sleep(2.0)
        assert there.server.status()["calls"][0]["talker"] is None


async def test_a_key_let_go_while_the_call_is_set_up_holds_nothing() -> None:
    async with esn(floor={"delay_s": 0.3}) as there:
        desk, officer = await there.room.console("desk-1"), await there.officer("officer-8")
        await desk.key(ESN)
        await desk.unkey()
        await asyncio.sleep(3.0)
        assert [call["talker"] for call in there.server.status()["calls"]] in ([], [None])
        await officer.select(ESN)
        await officer.key()


async def test_an_emergency_takes_a_consoles_floor_and_is_shown_acknowledged_and_over_with_the_call() -> None:
    async with esn(timers={"t4_inactivity": 5}) as there:
        desk, other = await there.room.console("desk-1"), await there.room.console("desk-2")
        officer = await there.officer("officer-8", ESN)
        await keyed(there, desk, ESN)
        after = there.room.journal.position
        await officer.emergency()
        lost = await desk.expect("ptt.lost", within=1.0, after=after, talkgroup=ESN)
        assert lost.data["reason"] == "pre empted"
        for console in (desk, other):
            shown = await console.expect("emergency.shown", within=1.0, after=after, talkgroup=ESN)
            assert (shown.data["issi"], shown.data["mcptt_id"], shown.data["alias"]) == (None, OFFICER, "GB 208")
        await other.acknowledge_emergency(shown.data["emergency"])
        await desk.expect("emergency.acknowledged", within=1.0, after=after, acknowledged_by="desk-2")
        await officer.unkey()
        await desk.expect("emergency.cleared", within=8.0, after=after, emergency=shown.data["emergency"])
        await desk.expect("talkgroup.idle", within=1.0, after=after, talkgroup=ESN)


async def test_a_server_that_is_lost_is_alarmed_and_registered_with_again_once_it_answers() -> None:
    async with esn(timers={"t4_inactivity": 5}) as there:
        desk, wallboard = await there.room.console("desk-1"), there.room.supervisor()
        await there.officer("officer-8", ESN)
        await keyed(there, desk, ESN)
        after = there.room.journal.position
        there.unplug(out=True)
        lost = await desk.expect("ptt.lost", within=1.0, after=after, talkgroup=ESN)
        assert lost.data["reason"] == "the gateway is lost: its MCPTT server: it does not answer"
        alarms = await wallboard.alarms()
        assert sorted(alarm["fault"] for alarm in alarms) == [f"iccs.{ESN}", f"iccs.{OTHER}"]
        assert {alarm["severity"] for alarm in alarms} == {"critical"}
        with pytest.raises(DriverError, match="no gateway in service"):
            await desk.key(ESN)
        await asyncio.sleep(20.0)
        there.unplug(out=False)
        await asyncio.sleep(30.0)  # the server takes a while to find that who was in its call has gone
        assert await wallboard.alarms() == []
        await there.officer("officer-9", ESN)
        await keyed(there, desk, ESN)


async def test_a_group_that_is_not_worked_does_not_bring_the_control_room_into_its_call() -> None:
    async with esn() as there:
        await there.officer("officer-9")
        await there.officer("officer-8", STRANGE)
        await asyncio.sleep(1.0)
        (call,) = there.server.status()["calls"]
        assert sorted(call["users"]) == ["officer-8", "officer-9"]


async def test_a_floor_that_nobody_grants_is_refused_and_a_stuck_radio_alarmed() -> None:
    async with esn(timers={"t2_stop_talking": 100}) as there:
        desk, wallboard = await there.room.console("desk-1"), there.room.supervisor()
        officer = await there.officer("officer-8", ESN)
        await officer.key()
        stuck = await desk.expect("talker.stuck", within=62.0, talkgroup=ESN)
        assert (stuck.data["mcptt_id"], stuck.data["alias"]) == (OFFICER, "GB 208")
        assert [alarm["what"] for alarm in await wallboard.alarms()] == ["stuck_talker"]
        await officer.unkey()
        await desk.expect("talker.ended", within=1.0)
        there.server.set_silent(True)
        await desk.key(ESN)
        refused = await desk.expect("ptt.refused", within=6.0, talkgroup=ESN)
        assert refused.data["reason"] == "the server does not answer"


async def test_what_is_said_on_mcptt_is_recorded_with_who_said_it(speech: Callable[[str], Samples]) -> None:
    async with esn() as there:
        officer = await there.officer("officer-8", ESN)
        chief = await there.room.console("chief-1")
        await officer.say(speech("officer-reply"))
        await asyncio.sleep(1.0)
        legs = await chief.find_recordings(kind="radio_rx")
        assert [(leg["talkgroup"], leg["issi"], leg["mcptt_id"]) for leg in legs] == [(ESN, None, OFFICER)]
        assert legs[0]["seconds"] > 1.0


async def test_what_was_said_until_the_call_was_released_is_recorded(speech: Callable[[str], Samples]) -> None:
    async with esn() as there:
        officer, chief = await there.officer("officer-8", ESN), await there.room.console("chief-1")
        await officer.key(say=speech("officer-reply"))
        await asyncio.sleep(2.0)
        for call in tuple(there.server.calls.values()):
            for leg in tuple(call.legs.values()):
                leg.hang_up()
        await asyncio.sleep(1.0)
        (leg,) = await chief.find_recordings(kind="radio_rx")
        assert leg["seconds"] >= 1.5


async def test_a_tetra_talkgroup_and_an_mcptt_group_are_patched_and_loops_refused(
    speech: Callable[[str], Samples],
) -> None:
    async with esn(radio=True) as there:
        desk = await there.room.console("desk-1")
        constable, officer = await there.room.terminal("officer"), await there.officer("officer-8", ESN)
        elsewhere = await there.officer("officer-9", OTHER)
        first = await desk.patch(TETRA, ESN)
        second = await desk.patch(ESN, OTHER)
        with pytest.raises(DriverError, match=rf"close a loop: .*\({second} by desk-1\) and .*\({first} by desk-1"):
            await desk.patch(OTHER, TETRA)
        await constable.key()
        await officer.expect("talker.shown", within=2.0, user="control")
        await elsewhere.expect("talker.shown", within=2.0, user="control")
        await converse(constable.jack, officer, speech("officer-reply"))
        await constable.unkey()
        await officer.expect("talker.ended", within=2.0)
        after = there.room.journal.position
        await officer.key()
        await constable.expect("talker.shown", within=2.0, after=after)
        await elsewhere.expect("talker.shown", within=2.0, after=after, user="control")
        await converse(Microphone(officer), constable.jack, speech("dispatch"))
        await officer.unkey()
        await constable.expect("talker.ended", within=2.0, after=after)
        await desk.unpatch(first)
        after = there.room.journal.position
        await officer.key()
        await asyncio.sleep(2.0)
        assert there.room.journal.find("officer", "talker.shown", after=after) is None
        await officer.unkey()


async def test_a_patch_is_heard_on_a_group_in_whose_call_nobody_is_yet(speech: Callable[[str], Samples]) -> None:
    async with esn(radio=True) as there:
        desk = await there.room.console("desk-1")
        constable, officer = await there.room.terminal("officer"), await there.officer("officer-8")
        await desk.patch(TETRA, ESN)
        await constable.key()
        await officer.expect("talker.shown", within=2.0, user="control")
        await officer.select(ESN)
        await converse(constable.jack, officer, speech("officer-reply"))
        await constable.unkey()


@pytest.mark.parametrize("seed", range(6))
async def test_in_whatever_order_keys_are_pressed_the_floor_has_one_holder_and_none_in_the_end(seed: int) -> None:
    """Two consoles and two officers press and let go as they like, over a slow network."""
    rng = random.Random(seed)
    async with esn(floor={"delay_s": 0.05}) as there:
        desks = [await there.room.console(name) for name in ("desk-1", "desk-2")]
        officers = [await there.officer(name, ESN) for name in ("officer-8", "officer-9")]
        down: dict[Console | McpttRadio, asyncio.Task[object]] = {}
        for _ in range(40):
            who = rng.choice([*desks, *officers])
            pressed = down.pop(who, None)
            if pressed is None:
                work = who.key(ESN) if isinstance(who, Console) else who.key()
                down[who] = asyncio.create_task(work)
            else:
                pressed.cancel()
                await asyncio.gather(pressed, return_exceptions=True)
                with contextlib.suppress(DriverError):  # it was refused, or taken away, meanwhile
                    await who.unkey()
            pause = rng.choice((0.0, 0.01, 0.1, 0.5))
            await asyncio.sleep(pause)
            if pause == 0.5:  # what was on its way has come
                (call,) = there.server.status()["calls"]
                granted = [desk.name for desk in desks if last_of(there, desk) == "ptt.granted"]
                assert len(granted) == (call["talker"] == "control")
        for who, pressed in down.items():
            pressed.cancel()
            await asyncio.gather(pressed, return_exceptions=True)
            with contextlib.suppress(DriverError):
                await who.unkey()
        await asyncio.sleep(5.0)
        assert [call["talker"] for call in there.server.status()["calls"]] == [None]
        for desk in desks:
            assert last_of(there, desk) not in ("ptt.granted", "ptt.requested", "ptt.queued")
        after = there.room.journal.position
        await desks[0].key(ESN)
        await desks[0].expect("ptt.granted", within=1.0, after=after)
        for officer in officers:
            await officer.expect("talker.shown", within=1.0, after=after, user="control")


def last_of(there: Esn, desk: Console) -> str:
    """What a console was told last of its key."""
    told = [event.kind for event in there.room.journal if event.source == desk.name and event.kind.startswith("ptt.")]
    return told[-1] if told else ""
