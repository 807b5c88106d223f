"""Patches, calls with one radio, ambience and unit states at the ICCS, where things go otherwise than planned."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.drivers.console import Console
from harness.drivers.radio import RadioTerminal
from harness.endpoints.media import open_media
from harness.errors import DriverError, InterlockError
from harness.journal import Event
from harness.testbed.bench import Bench, open_bench
from harness.testbed.load import load_testbed
from harness.transport.context import Context
from harness.transport.virtual_loop import VirtualLoop

pytestmark = pytest.mark.virtual_time

TESTBED = Path(__file__).resolve().parents[4] / "fixtures" / "testbeds" / "simulated.yaml"
ONE, TWO, THREE = "GD-OPS-1", "GD-OPS-2", "GD-OPS-3"
EMERGENCY = 15


@asynccontextmanager
async def bench(seed: int = 1) -> AsyncIterator[Bench]:
    assert isinstance(asyncio.get_running_loop(), VirtualLoop)
    async with open_bench(
        load_testbed(TESTBED), today=date(2026, 3, 10), addresses=None, virtual=True, seed=seed
    ) as opened:
        yield opened


async def three(there: Bench) -> tuple[Console, RadioTerminal, RadioTerminal]:
    """The dispatcher, and an officer on each of two talkgroups."""
    return await there.console("govan-31"), await there.terminal("officer"), await there.terminal("officer-2")


def latest(there: Bench, source: str, kind: str, **data: Any) -> Event | None:
    """The newest such event."""
    return next(
        (
            event
            for event in reversed(list(there.journal))
            if (event.source, event.kind) == (source, kind) and all(event.data.get(k) == v for k, v in data.items())
        ),
        None,
    )


# Patches


async def test_a_talkgroup_that_passes_another_on_can_not_be_keyed_until_the_talker_has_done() -> None:
    async with bench() as there:
        desk, officer, other = await three(there)
        await desk.patch(ONE, TWO)
        await officer.key()
        await other.expect("talker.shown", within=2.0, issi=there.issi("gateway-2"))
        with pytest.raises(DriverError, match=f"409: talkgroup {TWO} passes on what is said on {ONE}, by a patch"):
            await desk.key(TWO)
        await officer.unkey()
        await other.expect("talker.ended", within=1.0)
        await desk.key(TWO)
        await desk.expect("ptt.granted", within=2.0)


async def test_a_talker_at_the_end_of_a_row_of_patches_is_heard_at_the_other_end() -> None:
    async with bench() as there:
        desk, officer = await there.console("govan-31"), await there.terminal("officer")
        other = await there.terminal("officer-2")
        await other.select(THREE)
        await desk.patch(ONE, TWO)
        await desk.patch(TWO, THREE)
        await officer.key()
        await other.expect("talker.shown", within=2.0, talkgroup=THREE, issi=there.issi("gateway-3"))
        await officer.unkey()
        await other.expect("talker.ended", within=2.0, talkgroup=THREE)


async def test_a_patch_made_or_ended_in_mid_speech_counts_from_then_on() -> None:
    async with bench() as there:
        desk, officer, other = await three(there)
        await officer.key()
        await asyncio.sleep(1.0)
        patch = await desk.patch(ONE, TWO)
        await other.expect("talker.shown", within=2.0)
        await desk.unpatch(patch)
        await other.expect("talker.ended", within=2.0)
        await officer.unkey()


@pytest.mark.parametrize("seed", [1, 2, 5, 6, 9])
async def test_the_second_of_two_who_talk_at_once_is_passed_on_when_the_first_has_done(seed: int) -> None:
    # With 1, 6 and 9 the gateway asks for the floor of a talkgroup in the moment in which its call comes in;
    # with 5 it dials into that call before it has been told of it.
    async with bench(seed) as there:
        desk, officer, other = await three(there)
        colleague = await there.terminal("officer-3")
        await desk.patch(ONE, TWO)
        await asyncio.gather(officer.key(), other.key())
        await asyncio.sleep(1.0)
        after = there.journal.position
        first, second = officer, other
        await first.unkey()
        await colleague.expect("talker.shown", within=3.0, after=after, issi=there.issi("gateway-1"))
        await second.unkey()
        await colleague.expect("talker.ended", within=3.0, after=after)


async def test_an_emergency_that_takes_the_floor_from_a_patch_is_passed_back_when_the_talker_has_done() -> None:
    async with bench() as there:
        desk, officer, other = await three(there)
        await desk.patch(ONE, TWO)
        await officer.key()
        await other.expect("talker.shown", within=2.0)
        await other.key(priority=EMERGENCY)
        await asyncio.sleep(1.0)
        after = there.journal.position
        await officer.unkey()
        await officer.expect("talker.shown", within=3.0, after=after, issi=there.issi("gateway-1"))
        await other.unkey()
        await officer.expect("talker.ended", within=3.0, after=after)


async def test_a_patch_stays_when_its_maker_goes_and_any_who_may_ends_it() -> None:
    async with bench() as there:
        maker, other = await there.console("govan-31"), await there.console("govan-32")
        patch = await maker.patch(ONE, TWO)
        await other.expect("patch.made", within=1.0, patch=patch, by="govan-31")
        await maker.close()
        assert [each["patch"] for each in await (await there.supervisor()).patches()] == [patch]
        await other.unpatch(patch)
        with pytest.raises(DriverError, match=f"404: there is no patch '{patch}'"):
            await other.unpatch(patch)


async def test_who_may_not_patch_or_does_not_work_the_talkgroup_is_told_so() -> None:
    async with bench() as there:
        desk, taker = await there.console("govan-31"), await there.console("govan-12")
        with pytest.raises(DriverError, match="409: govan-12 has no right to patch"):
            await taker.patch(ONE, TWO)
        with pytest.raises(DriverError, match="409: govan-31 does not work talkgroup GD-ROIP-1"):
            await desk.patch(ONE, "GD-ROIP-1")


# Calls with one radio


async def test_a_position_in_a_call_with_one_radio_keys_nothing_and_places_no_second() -> None:
    async with bench() as there:
        desk, other, officer = (
            await there.console("govan-31"),
            await there.console("govan-32"),
            await there.terminal("officer"),
        )
        await desk.call_radio(there.issi("officer"))
        await officer.answer(within=5.0)
        await desk.expect("radio_call.connected", within=2.0)
        with pytest.raises(DriverError, match="is in a call with one radio, C-1"):
            await desk.key(ONE)
        with pytest.raises(DriverError, match="govan-31 is not free"):
            await desk.call_radio(there.issi("officer-2"))
        with pytest.raises(DriverError, match="no line for calls with one radio is free; there are 1"):
            await other.call_radio(there.issi("officer-2"))
        await desk.close()
        await officer.expect("call.ended", within=2.0)
        await other.call_radio(there.issi("officer"))
        await other.expect("radio_call.dialled", within=1.0, radio_call="C-2")


async def test_a_call_that_is_cleared_while_it_rings_rings_no_more_and_has_no_recording() -> None:
    async with bench() as there:
        desk, officer = await there.console("govan-31"), await there.terminal("officer")
        await desk.call_radio(there.issi("officer"))
        await officer.expect("call.ringing", within=2.0)
        await desk.clear_radio_call()
        ended = await desk.expect("radio_call.ended", within=1.0)
        assert ended.data["recording"] is None
        await officer.expect("call.ended", within=2.0)
        with pytest.raises(DriverError, match="govan-31 has no call with a radio"):
            await desk.clear_radio_call()
        with pytest.raises(DriverError, match="the ICCS has no recording 'V-9'"):
            await desk.recording("V-9")


async def test_a_radio_that_does_not_answer_or_is_busy_fails_the_call_with_the_networks_reason() -> None:
    async with bench() as there:
        desk, officer = await there.console("govan-31"), await there.terminal("officer")
        await desk.call_radio(there.issi("officer"))
        failed = await desk.expect("radio_call.failed", within=60.0)
        assert "expiry of timer" in failed.data["reason"]
        await officer.key()
        after = there.journal.position
        await desk.call_radio(there.issi("officer"))
        failed = await desk.expect("radio_call.failed", within=5.0, after=after)
        assert "busy" in failed.data["reason"]


# Ambience


async def test_a_terminal_that_leaves_the_network_ends_the_listening_and_the_console_is_told_why() -> None:
    async with bench() as there:
        desk, officer = await there.console("govan-31"), await there.terminal("officer")
        await desk.begin_ambience(there.issi("officer"), "test-ambience")
        with pytest.raises(DriverError, match="is open already"):
            await desk.begin_ambience(there.issi("officer"), "test-ambience")
        await officer._pei.command("AT+CTOM=1")
        ended = await desk.expect("ambience.ended", within=2.0, issi=there.issi("officer"))
        assert ended.data["reason"] == "out of reach"
        assert set(await desk.recording(str(ended.data["recording"]))) == {"radio"}
        with pytest.raises(DriverError, match="govan-31 does not listen to"):
            await desk.end_ambience(there.issi("officer"))


async def test_logging_out_closes_the_microphone_and_unknown_terminals_have_none() -> None:
    async with bench() as there:
        desk, network = await there.console("govan-31"), await there.radio_network()
        with pytest.raises(DriverError, match="there is no terminal 4000999"):
            await desk.begin_ambience(4000999, "test-ambience")
        await desk.begin_ambience(there.issi("officer"), "test-ambience")
        await desk.close()
        await network.expect("ambience.ended", within=2.0, issi=there.issi("officer"))


# Units


async def test_a_status_of_which_the_force_knows_nothing_changes_no_state() -> None:
    async with bench() as there:
        desk, officer = await there.console("govan-31"), await there.terminal("officer")
        with pytest.raises(DriverError, match="404: nothing is known of unit"):
            await desk.unit(there.issi("officer"))
        await officer.send_status(40_000, to=there.issi("gateway-1"))
        await desk.expect("status.shown", within=2.0, value=40_000)
        assert latest(there, desk.name, "unit.state") is None
        assert await desk.units() == []


async def test_a_unit_of_a_closed_incident_is_free_at_its_next_status() -> None:
    async with bench() as there:
        desk, officer = await there.console("govan-31"), await there.terminal("officer")
        issi = there.issi("officer")
        with pytest.raises(DriverError, match="404: there is no incident"):
            await desk.assign_unit(issi, "INC-9")
        incident = await desk.open_incident("Disturbance")
        await desk.assign_unit(issi, incident)
        await desk.close_incident(incident)
        await officer.send_status(there.status_value(6), to=there.issi("gateway-1"))
        await desk.expect("unit.state", within=2.0, issi=issi, status=6)
        assert (await desk.unit(issi))["incident"] is None


# The interlock


@pytest.mark.parametrize("act", ["patch", "regroup", "begin_ambience", "disable", "enable", "call_radio"])
async def test_what_keys_rings_or_opens_a_microphone_asks_the_interlock_before_a_request_leaves(act: str) -> None:
    arguments: dict[str, tuple[Any, ...]] = {
        "patch": (ONE, TWO),
        "regroup": ("Heron", [4001234]),
        "begin_ambience": (4001234, "secret"),
    }

    def never(what: str, target: str, _priority: int) -> None:
        raise InterlockError(f"{what} {target}")

    def leaves(request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"{request.method} {request.url} left")

    context = Context.create(seed=1)
    async with httpx.AsyncClient(base_url="http://iccs", transport=httpx.MockTransport(leaves)) as http:
        media = await open_media(context, in_process=True)
        console = Console(context, media, "desk", "desk-1", http, lambda _number: None, never)
        with pytest.raises(InterlockError, match=r"GD-OPS-1|4001234"):
            await getattr(console, act)(*arguments.get(act, (4001234,)))
        await media.close()
    assert not [event for event in context.journal if event.source == "desk"]
