"""The MCPTT handset driver: keys, is refused, waits, is pre-empted, and is never left with a key that is stuck."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from mcptt_town import Town, mcptt_town

from harness.drivers.mcptt import McpttRadio
from harness.errors import DriverError, InterlockError

pytestmark = pytest.mark.virtual_time


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    users = [{"name": name} for name in ("one", "two", "three")]
    layout = {"users": users, "groups": [{"name": "GD-OPS-1"}, {"name": "GD-OPS-2"}]}
    async with mcptt_town(layout, ("one", "two", "three"), registers=False) as made:
        yield made


async def joined(town: Town) -> list[McpttRadio]:
    """All three, in the talkgroup's call."""
    for radio in town.radios:
        await radio.select("GD-OPS-1")
        await town.context.journal.expect("mcptt", "group.joined", within=1.0, user=radio.name)
    return town.radios


async def test_a_groups_call_is_joined_by_leave_to_key_the_talkgroup(town: Town) -> None:
    """On a real server `safety.key` names talkgroups; `safety.call` names radios that may be called alone."""
    await town.radios[0].select("GD-OPS-2")
    assert town.asked == [("key", "GD-OPS-2")]


async def test_a_key_is_granted_shown_to_the_others_and_let_go(town: Town) -> None:
    one, two, _ = await joined(town)
    keyed = await one.key()
    assert keyed.seconds == 30
    shown = await two.expect("talker.shown", within=1.0)
    assert (shown.data["talkgroup"], shown.data["user"], shown.data["emergency"]) == ("GD-OPS-1", "one", False)
    with pytest.raises(DriverError, match="pressed already"):
        await one.key()
    await one.unkey()
    await two.expect("talker.ended", within=1.0, after=shown.seq)
    with pytest.raises(DriverError, match="not pressed"):
        await one.unkey()


async def test_one_who_presses_while_the_others_are_being_called_has_the_floor_once_they_are_there(town: Town) -> None:
    one, two, _ = town.radios
    await one.select("GD-OPS-1")
    pressing = asyncio.create_task(one.key())
    await asyncio.sleep(1.0)
    assert not pressing.done()
    await two.select("GD-OPS-1")
    await pressing
    await two.expect("talker.shown", within=1.0, user="one")


async def test_one_to_whom_nobody_comes_is_told_so(town: Town) -> None:
    one, *_ = town.radios
    await one.select("GD-OPS-1")
    with pytest.raises(DriverError, match="GD-OPS-1: only one participant"):
        await one.key()


async def test_one_who_waits_is_told_and_granted_when_the_floor_is_free(town: Town) -> None:
    one, two, _ = await joined(town)
    await one.key()
    waiting = asyncio.create_task(two.key())
    await two.expect("ptt.queued", within=1.0, position=0)
    await asyncio.sleep(5.0)
    await one.unkey()
    await waiting
    await two.expect("ptt.granted", within=1.0)


async def test_who_is_cancelled_while_waiting_lets_the_place_go(town: Town) -> None:
    one, two, _ = await joined(town)
    await one.key()
    waiting = asyncio.create_task(two.key())
    await two.expect("ptt.queued", within=1.0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await asyncio.sleep(0.1)
    assert town.server.status()["calls"][0]["waiting"] == []
    await one.unkey()
    await two.key()


async def test_one_who_is_pre_empted_may_press_again_at_once(town: Town) -> None:
    one, two, _ = await joined(town)
    await one.key()
    await two.key(priority=15)
    await one.expect("ptt.pre_empted", within=1.0)
    await two.unkey()
    await one.key()


async def test_a_server_that_does_not_answer_is_told_and_the_key_is_free(town: Town) -> None:
    one, *_ = await joined(town)
    town.server.set_silent(True)
    with pytest.raises(DriverError, match="does not answer"):
        await one.key()
    town.server.set_silent(False)
    await one.key()


async def test_a_talkgroup_that_there_is_not_and_one_that_it_is_not_in_are_named(town: Town) -> None:
    one, *_ = town.radios
    with pytest.raises(DriverError, match="404"):
        await one.select("GD-OPS-9")
    with pytest.raises(DriverError, match="no talkgroup is selected"):
        await one.key()
    await one.select("GD-OPS-1")
    with pytest.raises(DriverError, match="in no call of GD-OPS-2; it is in: GD-OPS-1"):
        await one.key("GD-OPS-2")


@pytest.mark.parametrize("what", ["join", "key"])
async def test_what_the_interlock_refuses_never_leaves(town: Town, what: str) -> None:
    one, *_ = town.radios
    if what == "key":
        await joined(town)
    town.refused = {"key"}
    before = len([event for event in town.context.journal if event.kind in ("sip.sent", "floor.message_sent")])
    with pytest.raises(InterlockError):
        await (one.key() if what == "key" else one.select("GD-OPS-1"))
    after = len([event for event in town.context.journal if event.kind in ("sip.sent", "floor.message_sent")])
    assert after == before
    await one.expect("ptt.not_allowed", within=1.0)


async def test_a_call_that_ends_while_the_key_is_down_is_told(town: Town) -> None:
    one, *_ = await joined(town)
    await one.key()
    await town.server.stop()
    await one.expect("call.ended", within=2.0, talkgroup="GD-OPS-1")
    with pytest.raises(DriverError, match="not pressed"):
        await one.unkey()
