"""An ICCS and the caller-location service beside it: who is asked about, and what the interlock keeps back."""

from __future__ import annotations

import asyncio

import pytest
from control_room_in_virtual_time import Room, control_room

from harness.errors import InterlockError
from simulators.location.settings import LocationSettings
from simulators.location.simulator import LocationSimulator

pytestmark = pytest.mark.virtual_time
MOBILE = "+447700900123"


def refuse(what: str, number: str) -> None:
    """A permit for nobody's place."""
    raise InterlockError(f"{what} of {number} is not allowed")


async def answered(room: Room) -> None:
    """A 999 call that an adviser has answered."""
    taker, trunk = await room.console("govan-01"), await room.caller()
    await asyncio.sleep(1.0)  # the link comes up
    await trunk.dial("999", cli=MOBILE)
    await taker.expect("call.ringing", within=1.0)
    await taker.answer()
    await taker.expect("call.connected", within=1.0)


async def service(room: Room) -> LocationSimulator:
    """A caller-location service on the room's network."""
    location = await LocationSimulator.start(
        room.simulators, LocationSettings(link_port=9100), name="location", virtual=True
    )
    room.at_the_end(location.stop)
    return location


async def test_the_service_that_it_is_led_to_is_asked_and_the_place_shown() -> None:
    async with control_room(location=("127.0.0.1", 9100)) as room:
        await service(room)
        await asyncio.sleep(15.0)
        await answered(room)
        await room.journal.expect("govan-01", "location.shown", within=2.0, source="cell")


async def test_what_the_interlock_refuses_is_not_asked_and_the_adviser_is_prompted() -> None:
    async with control_room(location=("127.0.0.1", 9100), permit_locate=refuse) as room:
        await service(room)
        await asyncio.sleep(15.0)
        await answered(room)
        await room.journal.expect("govan-01", "location.prompt", within=3.0)
        assert room.told("govan-01", "location.shown") == []
        refused = [event for event in room.simulators.journal if event.kind == "location.not_asked"]
        assert refused
        assert all(MOBILE not in str(event.data) for event in refused), "the number stands in the reason"
