"""A TETRA talkgroup and an MCPTT group joined: heard both ways and in time, emergencies go over, loops are refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import numpy as np
import pytest
from pydantic import ValidationError

from harness.drivers.mcptt import McpttRadio
from harness.drivers.radio import RadioTerminal
from harness.endpoints.media import open_media
from harness.measure.correlate import correlation
from harness.measure.latency import mouth_to_ear
from harness.transport.context import Context
from simulators.interworking.gateway import InterworkingGateway
from simulators.interworking.join import TetraEnd
from simulators.interworking.settings import InterworkingSettings
from simulators.mcptt.server import McpttServer
from simulators.mcptt.settings import McpttSettings
from simulators.radio.config import RadioConfig, TerminalConfig
from simulators.radio.network import RadioNetwork

pytestmark = pytest.mark.virtual_time

TALKGROUPS = {"GD-OPS-1": 2001}
DOMAIN = "mcptt.example"
EMERGENCY = 15
NOISE = (6000 * np.random.default_rng(3).standard_normal(16_000)).clip(-20_000, 20_000).astype(np.int16)
MOUTH_TO_EAR_MS = 400
"""Two jacks, three playout buffers and the air: more than either network alone, and still one."""


@dataclass
class Joined:
    context: Context
    officer: RadioTerminal
    sergeant: RadioTerminal
    handset: McpttRadio


@pytest.fixture
async def joined() -> AsyncIterator[Joined]:
    async with AsyncExitStack() as stack:
        context = Context.create(seed=4)
        media, inner = await open_media(context, in_process=True), await open_media(context, in_process=True)
        stack.push_async_callback(media.close)
        stack.push_async_callback(inner.close)
        terminals = [
            TerminalConfig("officer", 4001234, "GD-OPS-1"),
            TerminalConfig("sergeant", 4001235, "GD-OPS-1"),
            TerminalConfig("iwf.GD-OPS-1", 4009201, "GD-OPS-1", role="radio_gateway"),
        ]
        network = await RadioNetwork.start(context, inner, RadioConfig(TALKGROUPS, terminals), virtual=True)
        stack.push_async_callback(network.stop)
        urls = {(each["name"], each["kind"]): each["url"] for each in network.addresses()}
        users = [{"name": name} for name in ("handset", "iwf")]
        settings = McpttSettings.model_validate({"users": users, "groups": [{"name": "OPS"}]})
        server = await McpttServer.start(context, inner, settings)
        stack.push_async_callback(server.stop)
        host, _, port = urls["iwf.GD-OPS-1", "rtp"].removeprefix("rtp://").rpartition(":")
        end = TetraEnd(urls["iwf.GD-OPS-1", "serial"], 115_200, (host, int(port)), 2001)
        told = {"joins": [{"talkgroup": "GD-OPS-1", "issi": 4009201, "group": "OPS", "user": "iwf"}]}
        gateway = await InterworkingGateway.start(
            context,
            inner,
            InterworkingSettings.model_validate(told),
            name="iwf",
            terminals={"GD-OPS-1": end},
            domain=DOMAIN,
            server=server.sip_address,
        )
        stack.push_async_callback(gateway.stop)
        officers = []
        for name in ("officer", "sergeant"):
            officer = await RadioTerminal.open(
                context,
                media,
                name,
                serial=urls[name, "serial"],
                baud=115_200,
                audio=urls[name, "rtp"],
                talkgroups=TALKGROUPS,
            )
            stack.push_async_callback(officer.close)
            await officer.select("GD-OPS-1")
            officers.append(officer)
        handset = await McpttRadio.open(
            context, media, "handset", user="handset", domain=DOMAIN, server=server.sip_address, permit=lambda *_: None
        )
        stack.push_async_callback(handset.close)
        await handset.select("OPS")
        await context.journal.expect("mcptt", "group.joined", within=2, user="iwf")
        yield Joined(context, *officers, handset)


async def test_a_handset_hears_an_officer(joined: Joined) -> None:
    journal = joined.context.journal
    await joined.officer.key("GD-OPS-1")
    await journal.expect("iwf.GD-OPS-1", "join.through", within=1, side="mcptt")
    await joined.handset.expect("talker.shown", within=1, talkgroup="OPS", user="iwf")
    await joined.handset.record()
    began = await joined.officer.speak(NOISE)
    await joined.officer.spoken()
    await asyncio.sleep(0.6)
    heard = await joined.handset.recorded()
    await joined.officer.unkey()
    assert correlation(NOISE, heard.samples) > 0.9
    assert 0 < mouth_to_ear(NOISE, began, heard).ms < MOUTH_TO_EAR_MS
    await joined.handset.expect("talker.ended", within=1)


async def test_an_officer_hears_a_handset(joined: Joined) -> None:
    journal = joined.context.journal
    await joined.handset.key()
    await journal.expect("iwf.GD-OPS-1", "join.through", within=1, side="tetra")
    await joined.officer.expect("talker.shown", within=1, talkgroup="GD-OPS-1", issi=4009201)
    await joined.officer.record()
    began = await joined.handset.speak(NOISE)
    await asyncio.sleep(len(NOISE) / 8000 + 0.6)
    heard = await joined.officer.recorded()
    await joined.handset.unkey()
    assert correlation(NOISE, heard.samples) > 0.9
    assert 0 < mouth_to_ear(NOISE, began, heard).ms < MOUTH_TO_EAR_MS
    await joined.officer.expect("talker.ended", within=1)


async def test_an_emergency_on_a_handset_takes_the_talkgroup_from_its_talker(joined: Joined) -> None:
    """The officer talks on both sides; the handset's emergency takes both floors, and the officer is told."""
    await joined.officer.key("GD-OPS-1")
    await joined.handset.expect("talker.shown", within=1, user="iwf")
    after = joined.context.journal.position
    await joined.handset.key(priority=EMERGENCY)
    await joined.officer.expect("ptt.pre_empted", within=1, after=after)
    await joined.sergeant.expect("talker.shown", within=1, after=after, issi=4009201)
    await joined.officer.record()
    await joined.handset.speak(NOISE)
    await asyncio.sleep(len(NOISE) / 8000 + 0.6)
    assert correlation(NOISE, (await joined.officer.recorded()).samples) > 0.9


async def test_an_emergency_on_the_talkgroup_takes_the_group_from_its_talker(joined: Joined) -> None:
    await joined.handset.key()
    await joined.officer.expect("talker.shown", within=1, issi=4009201)
    after = joined.context.journal.position
    await joined.officer.key("GD-OPS-1", priority=EMERGENCY)
    await joined.handset.expect("ptt.pre_empted", within=1, after=after)
    await joined.handset.expect("talker.shown", within=1, after=after, user="iwf", emergency=True)
    await joined.handset.record()
    await joined.officer.speak(NOISE)
    await joined.officer.spoken()
    await asyncio.sleep(0.6)
    assert correlation(NOISE, (await joined.handset.recorded()).samples) > 0.9


async def test_an_emergency_that_sets_the_talkgroups_call_up_is_one_in_the_group(joined: Joined) -> None:
    await joined.officer.key("GD-OPS-1", priority=EMERGENCY)
    await joined.handset.expect("talker.shown", within=1, user="iwf", emergency=True)


async def test_a_handset_that_presses_while_an_officer_talks_waits_its_turn_and_is_heard_then(joined: Joined) -> None:
    await joined.officer.key("GD-OPS-1")
    await joined.handset.expect("talker.shown", within=1, user="iwf")
    waiting = asyncio.create_task(joined.handset.key())
    await joined.handset.expect("ptt.queued", within=1)
    after = joined.context.journal.position
    await joined.officer.unkey()
    await waiting
    await joined.officer.expect("talker.shown", within=1, after=after, issi=4009201)


async def test_nobody_is_heard_once_the_key_is_let_go_and_both_floors_are_free_again(joined: Joined) -> None:
    for _ in range(3):
        after = joined.context.journal.position
        await joined.officer.key("GD-OPS-1")
        await joined.handset.expect("talker.shown", within=1, after=after, user="iwf")
        await joined.officer.unkey()
        await joined.handset.expect("talker.ended", within=1, after=after)
        after = joined.context.journal.position
        await joined.handset.key()
        await joined.officer.expect("talker.shown", within=1, after=after, issi=4009201)
        await joined.handset.unkey()
        await joined.officer.expect("talker.ended", within=1, after=after)


async def test_a_call_that_the_server_ended_is_set_up_again_for_the_next_officer(joined: Joined) -> None:
    """T4: nobody talked for 30 s, and everybody was released."""
    await joined.context.journal.expect("iwf.GD-OPS-1 user", "group_call.over", within=60)
    await asyncio.sleep(1)
    await joined.handset.register()
    after = joined.context.journal.position
    await joined.officer.key("GD-OPS-1")
    await joined.context.journal.expect("iwf.GD-OPS-1", "join.through", within=2, after=after, side="mcptt")
    await joined.handset.expect("talker.shown", within=1, after=after, user="iwf")


@pytest.mark.parametrize(
    ("pairs", "closed"),
    [
        ([("A", "X"), ("A", "X")], "A to group X"),
        ([("A", "X"), ("B", "X"), ("A", "Y"), ("B", "Y")], "B to group Y"),
    ],
)
def test_a_loop_is_refused_and_the_join_that_closes_it_is_named(pairs: list[tuple[str, str]], closed: str) -> None:
    joins = [
        {"talkgroup": talkgroup, "issi": 4009201 + at, "group": group, "user": f"iwf-{at}"}
        for at, (talkgroup, group) in enumerate(pairs)
    ]
    with pytest.raises(ValidationError, match=f"{closed} closes a loop"):
        InterworkingSettings.model_validate({"joins": joins})
    assert len(InterworkingSettings.model_validate({"joins": joins[:-1]}).joins) == len(pairs) - 1
