"""A radio on the TETRA network: a control room's key takes the floor, and an officer's speech opens the squelch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np
import pytest

from harness.drivers.radio import RadioTerminal
from harness.endpoints.ed137 import ControlRoom
from harness.endpoints.media import open_media
from harness.errors import DriverError, Ed137LocalError, InterlockError
from harness.measure.correlate import correlation
from harness.measure.latency import mouth_to_ear
from harness.protocols.ed137.extension import Ptt
from harness.transport.context import Context
from harness.transport.virtual_loop import VirtualLoop
from simulators.radio.config import RadioConfig, TerminalConfig
from simulators.radio.network import RadioNetwork
from simulators.roip.settings import RadioSettings, RoipSettings
from simulators.roip.simulator import RoipGateway
from simulators.roip.tetra import TerminalLine

TALKGROUPS = {"GD-OPS-1": 2001}
RNG = np.random.default_rng(3)
NOISE = (6000 * RNG.standard_normal(16000)).clip(-20000, 20000).astype(np.int16)


@dataclass
class Field:
    context: Context
    gateway: RoipGateway
    network: RadioNetwork
    room: ControlRoom
    officer: RadioTerminal


@asynccontextmanager
async def field(context: Context, permit: Callable[[str, str, int], None] | None = None) -> AsyncIterator[Field]:
    media = await open_media(context, in_process=True)
    terminals = [TerminalConfig("officer", 4001234), TerminalConfig("roip.tower", 4009001, "GD-OPS-1")]
    config = RadioConfig(talkgroups=TALKGROUPS, terminals=terminals)
    network = await RadioNetwork.start(context, media, config, virtual=True)
    urls = {(each["name"], each["kind"]): each["url"] for each in network.addresses()}
    host, _, port = urls["roip.tower", "rtp"].removeprefix("rtp://").rpartition(":")
    line = TerminalLine(urls["roip.tower", "serial"], 115_200, (host, int(port)), 2001)
    settings = RoipSettings(radios=(RadioSettings(name="tower", talkgroup="GD-OPS-1", issi=4009001),))
    gateway = await RoipGateway.start(context, settings, lines={"tower": line}, permit=permit)
    officer = await RadioTerminal.open(
        context,
        media,
        "officer",
        serial=urls["officer", "serial"],
        baud=115_200,
        audio=urls["officer", "rtp"],
        talkgroups=TALKGROUPS,
    )
    await officer.select("GD-OPS-1")
    room = await ControlRoom.open(context, "room", uri=gateway.uri("tower"))
    await room.connect()
    try:
        yield Field(context, gateway, network, room, officer)
    finally:
        await room.close()
        await officer.close()
        await gateway.stop()
        await network.stop()
        await media.close()


def virtually(main: Callable[[Context], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(600):
            await main(Context.create(seed=5))

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(1)) as runner:
        runner.run(bounded())


def test_a_key_takes_the_floor_and_what_is_said_is_heard_by_the_officer() -> None:
    async def main(context: Context) -> None:
        async with field(context) as f:
            await f.officer.record()
            before = context.journal.now()
            await f.room.key()
            assert 0.24 < context.journal.now() - before < 0.4, "the network's set-up time"
            began = f.room.stream.play(NOISE)
            await context.journal.expect("officer", "talker.shown", within=1, talkgroup="GD-OPS-1", issi=4009001)
            await f.room.stream.played()
            await asyncio.sleep(0.3)
            f.room.unkey()
            recording = await f.officer.recorded()
            assert correlation(NOISE, recording.samples) > 0.95
            assert 0 < mouth_to_ear(NOISE, began, recording).ms < 200
            await context.journal.expect("officer", "talker.ended", within=1)

    virtually(main)


def test_a_terminal_that_fails_behind_the_radio_mutes_the_key_and_keys_again_once_it_is_up() -> None:
    async def main(context: Context) -> None:
        async with field(context) as f:
            await f.room.key()
            after = context.journal.position
            f.network.power_cycle(f.network.terminal(4009001))
            await context.journal.expect("room", "radio.state", within=3.5, after=after, mute=True)
            f.room.unkey()
            await asyncio.sleep(40)
            await f.room.key()
            await context.journal.expect("officer", "talker.shown", within=1, after=after, issi=4009001)

    virtually(main)


def test_an_officer_opens_the_squelch_and_is_heard_in_the_room() -> None:
    async def main(context: Context) -> None:
        async with field(context) as f:
            f.room.stream.record()
            began = await f.officer.say(NOISE)
            await context.journal.expect("room", "radio.state", within=0, squelch=True, quality=12)
            await context.journal.expect("room", "radio.state", within=0.3, squelch=False)
            recording = f.room.stream.recorded()
            assert correlation(NOISE, recording.samples) > 0.95
            assert 0 < mouth_to_ear(NOISE, began, recording).ms < 200
            await context.journal.expect("roip.tower", "squelch.opened", within=0, talker="4001234")

    virtually(main)


def test_a_floor_that_another_holds_is_waited_for_behind_ptt_mute_only_if_the_room_goes_on_keying() -> None:
    async def main(context: Context) -> None:
        async with field(context) as f:
            await f.officer.key("GD-OPS-1")
            f.room.stream.key(Ptt.NORMAL)
            await context.journal.expect("roip.tower", "ptt.queued", within=1)
            assert f.room.stream.heard.ptt is Ptt.OFF
            await f.officer.unkey()
            await context.journal.expect("room", "radio.state", within=1, ptt="normal", ptt_id=1, squelch=False)
            f.room.unkey()
            await context.journal.expect("officer", "talker.ended", within=2)

    virtually(main)


def test_a_request_that_is_let_go_while_it_waits_is_never_granted() -> None:
    async def main(context: Context) -> None:
        async with field(context) as f:
            await f.officer.key("GD-OPS-1")
            with pytest.raises(Ed137LocalError, match="did not tell"):
                await f.room.key()
            await f.officer.unkey()
            await asyncio.sleep(3)
            assert context.journal.find("roip.tower", "ptt.on_air") is None
            await f.officer.key("GD-OPS-1")

    virtually(main)


def test_an_emergency_takes_the_floor_from_the_officer() -> None:
    async def main(context: Context) -> None:
        async with field(context) as f:
            await f.officer.key("GD-OPS-1")
            assert (await f.room.key(Ptt.EMERGENCY)).ptt is Ptt.EMERGENCY
            await context.journal.expect("officer", "ptt.pre_empted", within=1)

    virtually(main)


def test_an_officers_emergency_takes_the_floor_from_the_room_which_hears_ptt_mute() -> None:
    async def main(context: Context) -> None:
        async with field(context) as f:
            await f.room.key()
            await f.officer.key("GD-OPS-1", priority=15)
            await context.journal.expect("room", "radio.state", within=1, ptt="off", mute=True, squelch=True)
            await f.officer.unkey()
            f.room.unkey()
            assert await f.room.unkeyed()
            await f.room.key()

    virtually(main)


def test_a_room_that_fails_while_it_talks_gives_the_floor_back() -> None:
    async def main(context: Context) -> None:
        async with field(context) as f:
            await f.room.key()
            f.room.stream.silent = True
            await context.journal.expect("officer", "talker.ended", within=3)
            await f.officer.key("GD-OPS-1")

    virtually(main)


def test_nothing_is_keyed_that_the_testbed_does_not_permit() -> None:
    async def main(context: Context) -> None:
        def refuse(what: str, target: str, priority: int) -> None:
            if what == "key":
                raise InterlockError(f"no {what} {target} {priority}")

        async with field(context, refuse) as f:
            with pytest.raises(Ed137LocalError, match="PTT mute: it is refused on air"):
                await f.room.key()
            await f.officer.key("GD-OPS-1")
            with pytest.raises(DriverError):
                await f.officer.key("GD-OPS-1")

    virtually(main)
