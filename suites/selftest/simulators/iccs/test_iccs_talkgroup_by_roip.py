"""Talkgroups that the ICCS works by a radio gateway (ED-137): PTT, squelch, a radio lost and its standby, patches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import numpy as np
import pytest
from control_room_in_virtual_time import Room, control_room

from harness.drivers.console import Console
from harness.endpoints.ed137 import ControlRoom
from harness.endpoints.media import MediaService
from harness.errors import DriverError, InterlockError
from harness.measure.correlate import correlation
from harness.protocols.ed137.extension import Ptt
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.transport.context import Context
from simulators.iccs.talkgroup_ways.lines import GatewayLine, RoipLine
from simulators.roip.air import A_LAW, OpenAir
from simulators.roip.faults import Fault
from simulators.roip.settings import RoipSettings
from simulators.roip.simulator import RoipGateway

pytestmark = pytest.mark.virtual_time

TALKGROUP, TETRA = "GD-ROIP-1", "GD-OPS-1"
LAYOUT: dict[str, Any] = {
    "positions": [
        {"id": "desk-1", "role": "dispatcher", "talkgroups": [TALKGROUP, TETRA], "may": ["patch"]},
        {"id": "chief-1", "role": "supervisor", "may": ["replay"]},
    ]
}
ALIKE = 0.8
PATIENCE_S = 0.8
"""Period by multiplier."""


class Radios:
    """A gateway with a radio and one that stands by, both with nobody on their air but who is let talk there."""

    def __init__(self, room: Room, gateway: RoipGateway) -> None:
        self.room = room
        self.gateway = gateway
        self.on_air: dict[str, list[bytes]] = {"main": [], "standby": []}
        for name, frames in self.on_air.items():
            self.air(name).on_air = frames.append

    def air(self, radio: str) -> OpenAir:
        """A radio's air."""
        air = self.gateway.radios[radio].air
        assert isinstance(air, OpenAir)
        return air

    def said(self, radio: str) -> Samples:
        """What was on a radio's air so far."""
        return A_LAW.decode(b"".join(self.on_air[radio]))


@asynccontextmanager
async def roip(*, radio: bool = False, **options: Any) -> AsyncIterator[Radios]:
    """A control room that works a talkgroup by a radio gateway, and with `radio` one by TETRA."""
    started: list[RoipGateway] = []

    async def more(context: Context, media: MediaService, stack: AsyncExitStack) -> Sequence[GatewayLine]:
        settings = RoipSettings.model_validate({"multiplier": 4, "radios": [{"name": "main"}, {"name": "standby"}]})
        started.append(await RoipGateway.start(context, settings))
        stack.push_async_callback(started[0].stop)
        return [
            RoipLine(
                name=f"iccs.{TALKGROUP}{more}", talkgroup=TALKGROUP, uri=started[0].uri(name), stands_by=bool(more)
            )
            for name, more in (("main", ""), ("standby", ".standby"))
        ]

    async with control_room(LAYOUT, radio=radio, more=more, **options) as room:
        yield Radios(room, started[0])


async def keyed(there: Radios, desk: Console) -> None:
    """Press at a console until it is permitted."""
    after = there.room.journal.position
    await desk.key(TALKGROUP)
    await desk.expect("ptt.granted", within=1.0, after=after, talkgroup=TALKGROUP)


async def test_what_a_console_says_is_on_air_and_what_the_radio_receives_is_heard(
    speech: Callable[[str], Samples],
) -> None:
    async with roip() as there:
        desk = await there.room.console("desk-1")
        await keyed(there, desk)
        said = speech("dispatch")
        await desk.headset.say(said)
        await desk.headset.said()
        await desk.unkey()
        assert correlation(said, there.said("main")) > ALIKE
        assert there.said("standby").size == 0
        await desk.headset.record()
        after = there.room.journal.position
        there.air("main").receive(speech("officer-reply"))
        shown = await desk.expect("talker.shown", within=0.5, after=after, talkgroup=TALKGROUP)
        assert (shown.data["issi"], shown.data["alias"]) == (None, "unknown")
        await desk.expect("talker.ended", within=10.0, after=after, talkgroup=TALKGROUP)
        assert correlation(speech("officer-reply"), (await desk.headset.recorded()).samples) > ALIKE
        legs = await (await there.room.console("chief-1")).find_recordings(talkgroup=TALKGROUP)
        assert {(leg["kind"], leg["seconds"] > 1.0) for leg in legs} == {("radio_tx", True), ("radio_rx", True)}


async def test_what_a_standby_receives_is_told_by_nobody() -> None:
    async with roip() as there:
        await there.room.console("desk-1")
        there.air("standby").receive(np.full(SAMPLE_RATE, 1000, np.int16))
        await asyncio.sleep(2.0)
        assert there.room.told("desk-1", "talker.shown") == []


async def test_another_who_has_the_radio_is_told_and_one_who_takes_it_ends_a_consoles_floor() -> None:
    async with roip() as there:
        desk = await there.room.console("desk-1")
        other = await ControlRoom.open(there.room.context, "other room", uri=there.gateway.uri("main"))
        there.room.at_the_end(other.close)
        await other.connect()
        await other.key()
        await desk.key(TALKGROUP)
        refused = await desk.expect("ptt.refused", within=1.0, talkgroup=TALKGROUP)
        assert refused.data["reason"] == "PTT id 2 has the radio"
        other.unkey()
        await other.unkeyed()
        await keyed(there, desk)
        after = there.room.journal.position
        await other.key(Ptt.EMERGENCY)
        lost = await desk.expect("ptt.lost", within=1.0, after=after, talkgroup=TALKGROUP)
        assert lost.data["reason"] == "PTT id 2 has the radio"
        other.unkey()
        await other.unkeyed()
        await keyed(there, desk)
        await desk.unkey()


async def test_a_radio_whose_packets_stop_is_alarmed_and_the_standby_takes_over(
    speech: Callable[[str], Samples],
) -> None:
    async with roip() as there:
        desk, wallboard = await there.room.console("desk-1"), there.room.supervisor()
        for failing, works in (("main", "standby"), ("standby", "main")):
            await keyed(there, desk)
            after = there.room.journal.position
            there.gateway.set_fault(failing, Fault.DOWN, seconds=0.0, for_s=None)
            lost = await desk.expect("ptt.lost", within=PATIENCE_S + 0.2, after=after, talkgroup=TALKGROUP)
            assert lost.data["reason"].startswith("the gateway is lost: no packet came from it for 0.8 s")
            (alarm,) = await wallboard.alarms()
            assert (alarm["what"], alarm["severity"]) == ("gateway_lost", "major")
            await keyed(there, desk)
            heard = len(there.on_air[works])
            await desk.headset.say(speech("dispatch"))
            await desk.headset.said()
            assert len(there.on_air[works]) > heard
            await desk.unkey()
            there.gateway.set_fault(failing, None, seconds=0.0, for_s=None)
            await asyncio.sleep(10.0)
            assert await wallboard.alarms() == []


async def test_without_a_radio_a_talkgroup_can_not_be_keyed_until_one_sends_packets_again() -> None:
    async with roip() as there:
        desk, wallboard = await there.room.console("desk-1"), there.room.supervisor()
        for name in ("main", "standby"):
            there.gateway.set_fault(name, Fault.R2S_STOPS, seconds=0.0, for_s=None)
        await asyncio.sleep(10.0)
        assert {alarm["what"] for alarm in await wallboard.alarms()} == {"gateway_lost"}
        with pytest.raises(DriverError, match="no gateway in service"):
            await desk.key(TALKGROUP)
        there.gateway.set_fault("main", None, seconds=0.0, for_s=None)
        await asyncio.sleep(10.0)
        await keyed(there, desk)
        await desk.unkey()


async def test_a_session_that_the_radio_ends_is_lost_and_set_up_again() -> None:
    async with roip() as there:
        desk = await there.room.console("desk-1")
        await keyed(there, desk)
        after = there.room.journal.position
        for name in ("main", "standby"):
            assert there.gateway.hang_up(name) == 1
        lost = await desk.expect("ptt.lost", within=0.5, after=after)
        assert lost.data["reason"] == "the gateway is lost: the radio has ended the session"
        await asyncio.sleep(5.0)
        await keyed(there, desk)
        await desk.unkey()


async def test_nothing_is_keyed_that_the_testbed_does_not_allow() -> None:
    def none_is_keyed(what: str, target: str, _priority: int) -> None:
        raise InterlockError(f"{what} {target} is not allowed")

    async with roip(permit_radio=none_is_keyed) as there:
        desk = await there.room.console("desk-1")
        await desk.key(TALKGROUP)
        refused = await desk.expect("ptt.refused", within=1.0)
        assert refused.data["reason"] == f"key {TALKGROUP} is not allowed"
        await asyncio.sleep(1.0)
        assert there.gateway.status()["radios"]["main"]["sessions"]["1"]["ptt"] == "off"


async def test_a_tetra_talkgroup_and_a_radio_are_patched(speech: Callable[[str], Samples]) -> None:
    async with roip(radio=True) as there:
        desk, constable = await there.room.console("desk-1"), await there.room.terminal("officer")
        patch = await desk.patch(TETRA, TALKGROUP)
        await constable.key()
        await asyncio.sleep(1.0)
        await constable.speak(speech("officer-reply"))
        await constable.spoken()
        await asyncio.sleep(0.5)
        await constable.unkey()
        assert correlation(speech("officer-reply"), there.said("main")) > ALIKE
        await asyncio.sleep(1.0)
        await constable.record()
        after = there.room.journal.position
        there.air("main").receive(np.concatenate([np.zeros(SAMPLE_RATE, np.int16), speech("dispatch")]))
        await constable.expect("talker.shown", within=1.0, after=after)
        await constable.expect("talker.ended", within=15.0, after=after)
        assert correlation(speech("dispatch"), (await constable.recorded()).samples) > ALIKE
        await desk.unpatch(patch)
        before = len(there.on_air["main"])
        await constable.say(speech("officer-reply"))
        assert len(there.on_air["main"]) == before
