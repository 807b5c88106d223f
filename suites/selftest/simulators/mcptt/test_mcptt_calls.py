"""Group calls through the MCPTT server: set up, spoken in by whoever has the floor, joined late, refused, over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import pytest
from mcptt_in_virtual_time import GROUP, network

from harness.endpoints.media.impairment import Impairment
from harness.errors import McpttLocalError
from harness.measure.correlate import correlation
from harness.protocols.mcptt.messages import Deny, Indicator, Revoke
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples

pytestmark = pytest.mark.virtual_time

ALIKE, OTHER = 0.9, 0.3


async def test_whoever_has_the_floor_is_heard_by_the_others_and_by_them_alone(
    speech: Callable[[str], Samples],
) -> None:
    says = speech("dispatch")
    async with network() as there:
        spoken, heard = await there.joined("dispatcher"), await there.joined("officer-1")
        pressed = there.context.journal.position
        spoken.press()
        granted = await spoken.granted(within=1.0, after=pressed)
        assert granted.data["seconds"] == 30
        taken = await there.expect("officer-1", "floor.taken")
        assert taken.data["talker"] == "sip:dispatcher@mcptt.example"
        await heard.media.port.record()
        await spoken.say(says)
        await asyncio.sleep(len(says) / SAMPLE_RATE + 0.5)
        assert correlation(says, (await heard.media.port.recorded()).samples) > ALIKE
        spoken.release()
        await there.expect("officer-1", "floor.idle", after=taken.seq)
        with pytest.raises(McpttLocalError, match="without the floor"):
            await spoken.say(says)


async def test_a_prearranged_group_is_called_and_a_member_who_registered_is_in_it() -> None:
    async with network() as there:
        officer = await there.terminal("officer-1", registers=True)
        dispatcher = await there.terminal("dispatcher")
        await dispatcher.call(GROUP)
        await there.expect("officer-1", "group_call.up")
        assert list(officer.calls) == [GROUP]
        for user in ("dispatcher", "officer-1"):
            await there.expect("mcptt", "group.joined", user=user)
        assert there.server.status()["calls"][0]["users"] == ["dispatcher", "officer-1"]
        await dispatcher.leave(GROUP)
        await officer.leave(GROUP)
        await asyncio.sleep(0.1)
        assert there.server.status()["calls"] == []


async def test_the_floor_can_be_asked_for_with_the_call() -> None:
    async with network() as there:
        await there.joined("officer-1")
        call = await there.joined("dispatcher", implicit_request=True)
        await call.granted(within=0.5)


async def test_one_who_joins_late_hears_who_talks(speech: Callable[[str], Samples]) -> None:
    says = speech("dispatch")
    async with network() as there:
        spoken = await there.joined("dispatcher")
        await there.joined("officer-1")
        spoken.press()
        await spoken.granted(within=1.0)
        await spoken.say(says)
        late = await there.joined("officer-2")
        taken = await there.expect("officer-2", "floor.taken")
        assert taken.data["talker"] == "sip:dispatcher@mcptt.example"
        await late.media.port.record()
        await asyncio.sleep(len(says) / SAMPLE_RATE)
        assert correlation(says[SAMPLE_RATE:], (await late.media.port.recorded()).samples) > ALIKE


async def test_one_waits_and_another_is_pre_empted_by_an_emergency() -> None:
    async with network() as there:
        calls = {user: await there.joined(user) for user in ("officer-1", "officer-2", "officer-3")}
        calls["officer-1"].press()
        await calls["officer-1"].granted(within=1.0)
        calls["officer-2"].press()
        queued = await there.expect("officer-2", "floor.queued")
        assert queued.data["position"] == 0
        calls["officer-3"].press(indicator=Indicator.EMERGENCY)
        granted = await calls["officer-3"].granted(within=1.0)
        assert granted.data["emergency"] is True
        revoked = await there.expect("officer-1", "floor.revoked")
        assert revoked.data["cause"] == Revoke.PRE_EMPTED
        calls["officer-3"].release()
        await calls["officer-2"].granted(within=1.0)


async def test_a_terminal_that_is_cut_off_while_it_talks_loses_the_floor_after_t1() -> None:
    async with network() as there:
        call, _ = await there.joined("officer-1"), await there.joined("officer-2")
        call.press()
        granted = await call.granted(within=1.0)
        await call.settled()
        await asyncio.sleep(6.0)
        assert there.server.status()["calls"][0]["talker"] == "officer-1"  # a held key sends silence
        await call.media.port.impair(Impairment(loss=1.0))
        cut = there.context.journal.now()
        idle = await there.expect("officer-2", "floor.idle", within=6.0, after=granted.seq)
        assert 3.7 <= idle.time - cut < 4.6  # it is looked for speech four times a second


async def test_who_talks_for_longer_than_t2_is_revoked() -> None:
    async with network({"timers": {"t2_stop_talking": 5.0}}) as there:
        call = await there.joined("officer-1")
        await there.joined("officer-2")
        call.press()
        granted = await call.granted(within=1.0)
        revoked = await there.expect("officer-1", "floor.revoked", within=6.0)
        assert revoked.data["cause"] == Revoke.TALKED_TOO_LONG
        assert revoked.time - granted.time == pytest.approx(5.0, abs=0.05)


async def test_a_stranger_an_unknown_group_and_one_who_is_no_member_are_refused() -> None:
    async with network() as there:
        stranger = await there.terminal("nobody")
        with pytest.raises(McpttLocalError, match="403"):
            await stranger.call(GROUP)
        officer = await there.terminal("officer-2")
        with pytest.raises(McpttLocalError, match="404"):
            await officer.call("sip:GD-OPS-9@mcptt.example")
        with pytest.raises(McpttLocalError, match="403"):
            await officer.call("sip:GD-OPS-2@mcptt.example")
        assert there.server.status()["calls"] == []


async def test_somebody_who_is_alone_is_denied() -> None:
    async with network() as there:
        call = await there.joined("officer-1")
        call.press()
        denied = await there.expect("officer-1", "floor.denied")
        assert denied.data["cause"] == Deny.ONLY_ONE_PARTICIPANT


async def test_a_server_that_says_nothing_leaves_the_request_unanswered() -> None:
    async with network() as there:
        call = await there.joined("officer-1")
        await there.joined("officer-2")
        async with httpx.AsyncClient(base_url=there.server.control_url, trust_env=False) as http:
            assert (await http.put("/v1/fault", json={"silent": True})).status_code == 204
        began = there.context.journal.position
        call.press()
        await there.expect("officer-1", "floor.unanswered", within=4.0)
        sent = [each for each in there.told("officer-1", "floor.message_sent") if each.seq > began]
        assert [each.data["message"] for each in sent] == ["floor request"] * 3


async def test_a_call_in_which_nobody_talks_is_released_after_t4() -> None:
    async with network({"timers": {"t4_inactivity": 8.0}}) as there:
        terminal = await there.terminal("officer-1")
        await terminal.call(GROUP)
        over = await there.expect("officer-1", "group_call.over", within=9.0)
        assert over.time == pytest.approx(8.0, abs=0.5)
        assert terminal.calls == {}


async def test_the_servers_delay_is_the_time_that_a_grant_takes() -> None:
    async with network({"floor": {"delay_s": 0.22}}) as there:
        call = await there.joined("officer-1")
        await there.joined("officer-2")
        began = there.context.journal.now()
        call.press()
        granted = await call.granted(within=1.0)
        assert granted.time - began == pytest.approx(0.22, abs=0.02)


async def test_what_is_no_floor_control_is_told_and_the_call_goes_on() -> None:
    async with network() as there:
        call = await there.joined("officer-1")
        await there.joined("officer-2")
        leg = there.server.calls["GD-OPS-1"].legs["officer-1"]
        assert call._floor.peer is not None
        for _ in range(40):
            call._floor._udp.send(b"\x80\xcc\x00\x09junk", call._floor.peer)
        await asyncio.sleep(0.1)
        assert leg.floored.malformed == 40
        assert len(there.told(leg.floored.name, "floor.malformed")) == 16
        call.press()
        await call.granted(within=1.0)


async def test_many_terminals_share_a_floor_in_turn() -> None:
    async with network(
        {"users": [{"name": f"u{number}"} for number in range(40)], "groups": [{"name": "GD-OPS-1"}]}
    ) as there:
        calls = [await there.joined(f"u{number}") for number in range(40)]
        for call in calls[:17]:
            call.press()
        await asyncio.sleep(0.2)
        shown = there.server.status()["calls"][0]
        assert shown["talker"] == "u0"
        assert len(shown["waiting"]) == 16
        for number, call in enumerate(calls[:17]):
            await call.granted(within=1.0)
            call.release()
            await there.expect(f"u{number}", "floor.released")


async def test_a_server_that_falls_silent_while_somebody_talks_stands_still_and_goes_on_afterwards() -> None:
    """What came due meanwhile is done once, when it is well again: the talker has talked for longer than T2."""
    async with network({"timers": {"t2_stop_talking": 5.0}}) as there:
        call, _ = await there.joined("officer-1"), await there.joined("officer-2")
        call.press()
        await call.granted(within=1.0)
        there.server.set_silent(True)
        await asyncio.sleep(10.0)
        assert there.told("officer-1", "floor.revoked") == []
        there.server.set_silent(False)
        revoked = await there.expect("officer-1", "floor.revoked", within=1.0)
        assert revoked.data["cause"] == Revoke.TALKED_TOO_LONG
