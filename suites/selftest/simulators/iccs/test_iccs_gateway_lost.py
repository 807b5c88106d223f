"""A gateway of the ICCS whose power fails: its line stays up and is silent. Who keys it is told, another takes over."""

from __future__ import annotations

import asyncio

import pytest
from control_room_in_virtual_time import GATEWAY, STANDBY, Room, control_room

from harness.drivers.console import Console
from harness.errors import DriverError
from harness.journal import Event

pytestmark = pytest.mark.virtual_time
TALKGROUP = "GD-OPS-1"
TOLD_S = 1.0
BACK_S = 3.0
BOOTED_S = 40.0
"""The simulated terminal boots for 15 s; a command that it did not answer meanwhile is waited for."""


def lose(room: Room, issi: int) -> None:
    """Switch a gateway's terminal off and on."""
    room.radio.power_cycle(room.radio.terminal(issi))


async def keyed(room: Room, desk: Console, *, within: float) -> Event:
    """Press until the talkgroup has a gateway and permits; the permit."""
    after = room.journal.position
    async with asyncio.timeout(within):
        while True:
            try:
                await desk.key(TALKGROUP)
            except DriverError as error:
                assert "no gateway in service" in str(error)
                await asyncio.sleep(0.05)
            else:
                return await desk.expect("ptt.granted", within=2.0, after=after)


async def test_who_keys_a_gateway_that_fails_is_told_and_it_serves_again_once_it_is_up() -> None:
    async with control_room(radio=True) as room:
        desk, officer = await room.console("desk-1"), await room.terminal("officer")
        await keyed(room, desk, within=1.0)
        after = room.journal.position
        lose(room, GATEWAY)
        lost = await desk.expect("ptt.lost", within=TOLD_S, after=after, talkgroup=TALKGROUP)
        assert lost.data["reason"] == "the gateway is lost: it does not answer"
        with pytest.raises(DriverError, match="no gateway in service"):
            await desk.key(TALKGROUP)
        await keyed(room, desk, within=BOOTED_S)
        await officer.expect("talker.shown", within=2.0, after=lost.seq, issi=GATEWAY)


async def test_one_that_nobody_keys_is_missed_too() -> None:
    async with control_room(radio=True) as room:
        desk = await room.console("desk-1")
        lose(room, GATEWAY)
        await asyncio.sleep(13.0)
        with pytest.raises(DriverError, match="no gateway in service"):
            await desk.key(TALKGROUP)


async def test_one_that_stands_by_takes_over_and_what_is_up_again_stands_by_for_it() -> None:
    async with control_room(radio=True, standby=True) as room:
        desk, officer = await room.console("desk-1"), await room.terminal("officer")
        await keyed(room, desk, within=1.0)
        for failing, taking_over in ((GATEWAY, STANDBY), (STANDBY, GATEWAY)):
            after, began = room.journal.position, room.journal.now()
            lose(room, failing)
            await desk.expect("ptt.lost", within=TOLD_S, after=after, talkgroup=TALKGROUP)
            granted = await keyed(room, desk, within=BACK_S)
            assert granted.time - began <= BACK_S
            await officer.expect("talker.shown", within=1.0, after=after, issi=taking_over)
            await asyncio.sleep(BOOTED_S)
            # What is up again is on no talkgroup, or a console would be told of each talker twice.
            assert room.radio.terminal(failing).machine.selected is None
        await desk.unkey()
        await asyncio.sleep(1.0)
        after = room.journal.position
        await officer.key()
        await desk.expect("talker.shown", within=1.0, after=after)
        await asyncio.sleep(1.0)
        shown = [event for event in room.told("desk-1", "talker.shown") if event.seq > after]
        assert len(shown) == 1


async def test_one_that_stands_by_and_fails_is_alarmed_and_changes_nothing_else() -> None:
    async with control_room(radio=True, standby=True) as room:
        desk, wallboard = await room.console("desk-1"), room.supervisor()
        lose(room, STANDBY)
        await asyncio.sleep(13.0)
        (alarm,) = await wallboard.alarms()
        assert (alarm["what"], alarm["severity"]) == ("gateway_lost", "major")
        assert alarm["impact"] == "nothing stands by for gateway-1, which works GD-OPS-1"
        await keyed(room, desk, within=1.0)
        await asyncio.sleep(BOOTED_S)
        assert await wallboard.alarms() == []
        assert room.told("desk-1", "ptt.lost") == []
