"""Private calls through the MCPTT server: half and full duplex, answered or rung, refused with the reason, ended."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import pytest
from mcptt_in_virtual_time import GROUP, Network, network

from harness.endpoints.mcptt import FullDuplexCall, HalfDuplexCall, McpttTerminal
from harness.errors import InterlockError, McpttLocalError
from harness.measure.correlate import correlation
from harness.protocols.mcptt.private import Commencement
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples

pytestmark = pytest.mark.virtual_time

ALIKE = 0.9
ONE, TWO, THREE = (f"sip:officer-{number}@mcptt.example" for number in (1, 2, 3))
WITHIN_S = 5.0


async def two(there: Network) -> tuple[McpttTerminal, McpttTerminal]:
    """Two users who are registered."""
    return await there.terminal("officer-1", registers=True), await there.terminal("officer-2", registers=True)


async def half_duplex(there: Network, **options: object) -> tuple[HalfDuplexCall, HalfDuplexCall]:
    """Both sides of a half-duplex call that is up, the floor with the caller."""
    caller, called = await two(there)
    before = there.context.journal.position
    call = await caller.private.place(TWO, implicit_request=True, within=WITHIN_S, **options)  # type: ignore[arg-type]
    assert isinstance(call, HalfDuplexCall)
    await call.granted(within=1.0, after=before)
    await there.expect("officer-2", "private_call.up", peer=ONE)
    assert isinstance(called.private.call, HalfDuplexCall)
    return call, called.private.call


async def test_a_call_with_a_floor_is_answered_and_each_is_heard_in_turn(speech: Callable[[str], Samples]) -> None:
    says, replies = speech("dispatch"), speech("officer-reply")
    async with network() as there:
        calling, called = await half_duplex(there)
        taken = await there.expect("officer-2", "floor.taken", peer=ONE)
        assert taken.data["talker"] == ONE
        await called.media.port.record()
        await calling.say(says)
        await asyncio.sleep(len(says) / SAMPLE_RATE + 0.5)
        assert correlation(says, (await called.media.port.recorded()).samples) > ALIKE
        with pytest.raises(McpttLocalError, match="without the floor"):
            await called.say(replies)
        calling.release()
        pressed = there.context.journal.position
        called.press()
        await called.granted(within=1.0, after=pressed)
        await calling.media.port.record()
        await called.say(replies)
        await asyncio.sleep(len(replies) / SAMPLE_RATE + 0.5)
        assert correlation(replies, (await calling.media.port.recorded()).samples) > ALIKE


async def test_a_call_without_a_floor_lets_both_speak_at_once(speech: Callable[[str], Samples]) -> None:
    says, replies = speech("dispatch"), speech("officer-reply")
    async with network() as there:
        caller, called = await two(there)
        calling = await caller.private.place(TWO, duplex=True, within=WITHIN_S)
        await there.expect("officer-2", "private_call.up", peer=ONE)
        await there.expect("mcptt", "private_call.joined", user="officer-1")
        await there.expect("mcptt", "private_call.joined", user="officer-2")
        assert there.server.status()["private_calls"] == [{"users": ["officer-1", "officer-2"], "duplex": True}]
        answered = called.private.call
        assert isinstance(calling, FullDuplexCall)
        assert isinstance(answered, FullDuplexCall)
        await asyncio.gather(calling.media.port.record(), answered.media.port.record())
        await asyncio.gather(calling.say(says), answered.say(replies))
        await asyncio.sleep(max(len(says), len(replies)) / SAMPLE_RATE + 0.5)
        assert correlation(says, (await answered.media.port.recorded()).samples) > ALIKE
        assert correlation(replies, (await calling.media.port.recorded()).samples) > ALIKE
        await asyncio.sleep(60.0)  # no floor's T4 releases it
        assert len(there.server.status()["private_calls"]) == 1
        assert not there.told("officer-1", "floor.message_sent")


@pytest.mark.parametrize("duplex", [False, True])
@pytest.mark.parametrize("who", [0, 1])
async def test_whoever_hangs_up_ends_it_for_both_and_both_may_call_again(duplex: bool, who: int) -> None:
    async with network() as there:
        terminals = await two(there)
        await terminals[0].private.place(TWO, duplex=duplex, within=WITHIN_S)
        await there.expect("officer-2", "private_call.up")
        await terminals[who].private.hang_up(within=WITHIN_S)
        await there.expect("officer-1", "private_call.over", peer=TWO)
        await there.expect("officer-2", "private_call.over", peer=ONE)
        await asyncio.sleep(0.1)
        assert there.server.status()["private_calls"] == []
        with pytest.raises(McpttLocalError, match="no private call"):
            await terminals[who].private.hang_up(within=WITHIN_S)
        await terminals[1].private.place(ONE, duplex=duplex, within=WITHIN_S)


@pytest.mark.parametrize("whose", ["caller", "called"])
async def test_it_rings_where_either_wants_it_and_the_caller_hears_so(whose: str) -> None:
    async with network() as there:
        caller, called = await two(there)
        called.private.commencement = Commencement.MANUAL if whose == "called" else Commencement.AUTO
        wanted = Commencement.MANUAL if whose == "caller" else Commencement.AUTO
        placing = asyncio.create_task(caller.private.place(TWO, commencement=wanted, within=30.0))
        ringing = await there.expect("officer-2", "private_call.ringing", peer=ONE)
        assert (ringing.data["emergency"], ringing.data["duplex"]) == (False, False)
        await there.expect("officer-1", "call.ringing", direction="outgoing")
        await asyncio.sleep(10.0)
        assert not placing.done()
        assert there.told("mcptt", "private_call.joined") == []
        await called.private.answer()
        await placing
        await there.expect("mcptt", "private_call.joined", user="officer-2")


async def test_one_who_declines_is_told_as_such() -> None:
    async with network() as there:
        caller, called = await two(there)
        placing = asyncio.create_task(caller.private.place(TWO, commencement=Commencement.MANUAL, within=30.0))
        await there.expect("officer-2", "private_call.ringing")
        called.private.decline()
        with pytest.raises(McpttLocalError, match=r"480 .*110 user declined the call invitation"):
            await placing
        assert there.server.status()["private_calls"] == []
        with pytest.raises(McpttLocalError, match="no private call rings"):
            called.private.decline()
        with pytest.raises(McpttLocalError, match="no private call rings"):
            await called.private.answer()


async def test_one_who_does_not_answer_is_given_up_after_the_servers_time() -> None:
    async with network({"private": {"rings_s": 12.0}}) as there:
        caller, _ = await two(there)
        began = there.context.journal.now()
        with pytest.raises(McpttLocalError, match=r"480 .*the user does not answer"):
            await caller.private.place(TWO, commencement=Commencement.MANUAL, within=60.0)
        assert there.context.journal.now() - began == pytest.approx(12.0, abs=0.1)
        await there.expect("officer-2", "private_call.missed", peer=ONE)


async def test_a_caller_who_gives_up_stops_it_ringing() -> None:
    async with network() as there:
        caller, called = await two(there)
        with pytest.raises(McpttLocalError, match="not answered within 3 s"):
            await caller.private.place(TWO, commencement=Commencement.MANUAL, within=3.0)
        await there.expect("officer-2", "private_call.missed", peer=ONE)
        assert called.private.ringing is None
        await asyncio.sleep(0.1)
        assert there.server.status()["private_calls"] == []


REFUSED = [
    ({"calls": []}, {}, r"403 .*107 user not authorised to make private calls"),
    ({"calls": ["officer-3"]}, {}, r"403 .*144 user not authorised to call this particular user"),
    ({}, {"may_be_called": False}, r"403 .*127 user not authorised to be called in private call"),
]


@pytest.mark.parametrize(("caller", "called", "why"), REFUSED)
async def test_who_may_not_call_or_be_called_is_refused_with_the_reason(
    caller: dict[str, object], called: dict[str, object], why: str
) -> None:
    users = [{"name": "officer-1", **caller}, {"name": "officer-2", **called}, {"name": "officer-3"}]
    async with network({"users": users}) as there:
        one, _ = await two(there)
        with pytest.raises(McpttLocalError, match=why):
            await one.private.place(TWO, within=WITHIN_S)
        assert not there.told("officer-2", "private_call.ringing")
        assert one.private.call is None


async def test_one_who_is_unknown_not_registered_or_in_a_call_is_not_reached() -> None:
    async with network() as there:
        one, _ = await two(there)
        with pytest.raises(McpttLocalError, match=r"404 .*no user sip:nobody@mcptt.example"):
            await one.private.place("sip:nobody@mcptt.example", within=WITHIN_S)
        with pytest.raises(McpttLocalError, match="404"):
            await one.private.place(ONE, within=WITHIN_S)
        with pytest.raises(McpttLocalError, match=r"480 .*officer-3 is not registered"):
            await one.private.place(THREE, within=WITHIN_S)
        await one.private.place(TWO, within=WITHIN_S)
        third = await there.terminal("officer-3", registers=True)
        with pytest.raises(McpttLocalError, match=r"486 .*124 maximum number of private calls reached"):
            await third.private.place(TWO, within=WITHIN_S)
        with pytest.raises(McpttLocalError, match="in a private call already"):
            await one.private.place(THREE, within=WITHIN_S)


async def test_a_handset_that_is_busy_refuses_where_the_server_would_let_more() -> None:
    async with network({"private": {"each": 4}}) as there:
        one, _ = await two(there)
        await one.private.place(TWO, within=WITHIN_S)
        third = await there.terminal("officer-3")
        with pytest.raises(McpttLocalError, match="486"):
            await third.private.place(TWO, within=WITHIN_S)
        assert len(there.server.status()["private_calls"]) == 1


async def test_a_stranger_makes_no_private_call() -> None:
    async with network() as there:
        await two(there)
        stranger = await there.terminal("nobody")
        with pytest.raises(McpttLocalError, match=r"403 .*107"):
            await stranger.private.place(TWO, within=WITHIN_S)


async def test_an_emergency_is_told_to_the_called_with_its_priority() -> None:
    async with network() as there:
        caller, called = await two(there)
        called.private.commencement = Commencement.MANUAL
        placing = asyncio.create_task(caller.private.place(TWO, emergency=True, implicit_request=True, within=30.0))
        await there.expect("officer-2", "private_call.ringing", emergency=True)
        ringing = called.private.ringing
        assert ringing is not None
        assert ringing.sip.request.get("resource-priority") == "mcpttp.15"
        before = there.context.journal.position
        await called.private.answer()
        call = await placing
        assert isinstance(call, HalfDuplexCall)
        granted = await call.granted(within=1.0, after=before)
        assert granted.data["emergency"] is True


async def test_it_stands_beside_a_group_call_and_leaves_it_alone() -> None:
    async with network() as there:
        caller, called = await two(there)
        group = await caller.call(GROUP)
        await there.expect("officer-2", "group_call.up")
        await there.expect("mcptt", "group.joined", user="officer-2")
        calling = await caller.private.place(TWO, within=WITHIN_S)
        await there.expect("officer-2", "private_call.up")
        await there.expect("mcptt", "private_call.joined", user="officer-2")
        group.press()
        await group.granted(within=1.0)
        assert isinstance(calling, HalfDuplexCall)
        calling.press()
        await calling.granted(within=1.0)
        await called.private.hang_up(within=WITHIN_S)
        await there.expect("officer-1", "private_call.over")
        assert list(caller.calls) == list(called.calls) == [GROUP]


async def test_a_floor_in_which_nobody_talks_ends_the_call_after_t4() -> None:
    async with network({"timers": {"t4_inactivity": 8.0}}) as there:
        caller, called = await two(there)
        await caller.private.place(TWO, within=WITHIN_S)
        over = await there.expect("officer-2", "private_call.over", within=9.0)
        assert over.time == pytest.approx(8.0, abs=0.5)
        await asyncio.sleep(0.1)
        assert caller.private.call is called.private.call is None


async def test_what_the_interlock_refuses_never_leaves() -> None:
    def refuse(uri: str) -> None:
        raise InterlockError(f"{uri} is not allowed")

    async with network() as there:
        caller = await there.terminal("officer-1", permit=refuse)
        with pytest.raises(InterlockError, match="officer-2"):
            await caller.private.place(TWO, within=WITHIN_S)
        assert not [event for event in there.context.journal if event.kind == "sip.sent"]


async def test_the_server_ends_its_private_calls_when_it_stops() -> None:
    async with network() as there:
        await half_duplex(there)
        await there.server.stop()
        await there.expect("officer-1", "private_call.over")
        await there.expect("officer-2", "private_call.over")


async def test_a_silent_floor_stands_still_in_private_calls_too() -> None:
    async with network() as there:
        calling, called = await half_duplex(there)
        there.server.set_silent(True)
        calling.release()
        before = there.context.journal.position
        called.press()
        await there.expect("officer-2", "floor.unanswered", within=4.0, after=before, peer=ONE)
        there.server.set_silent(False)


async def test_of_two_who_call_one_at_once_one_is_refused() -> None:
    async with network() as there:
        one, _ = await two(there)
        third = await there.terminal("officer-3", registers=True)
        placed = await asyncio.gather(
            *(each.private.place(TWO, within=WITHIN_S) for each in (one, third)), return_exceptions=True
        )
        refused = [each for each in placed if isinstance(each, McpttLocalError)]
        assert [re.search("486 .*124", str(each)) is not None for each in refused] == [True]
        assert len(there.server.status()["private_calls"]) == 1


@pytest.mark.parametrize("duplex", [False, True])
async def test_a_server_that_can_place_no_call_says_so_and_keeps_nothing(duplex: bool) -> None:
    async with network() as there:
        one, _ = await two(there)
        there.server._agent.max_calls = 1  # the caller's own
        with pytest.raises(McpttLocalError, match=r"500 .*1 calls are up already"):
            await one.private.place(TWO, duplex=duplex, within=WITHIN_S)
        assert there.server.status()["private_calls"] == []
        there.server._agent.max_calls = 10
        await one.private.place(TWO, duplex=duplex, within=WITHIN_S)
