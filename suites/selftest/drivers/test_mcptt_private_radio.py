"""Private calls of an MCPTT handset: in turn and at once, rung, declined, refused, and beside the talkgroup."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from mcptt_town import Town, mcptt_town

from harness.drivers.mcptt import McpttRadio
from harness.errors import DriverError, ExpectationError, InterlockError
from harness.measure.correlate import correlation
from harness.protocols.rtp.g711 import Samples

pytestmark = pytest.mark.virtual_time

ALIKE = 0.9


class Pair:
    """Two handsets, and what is asked of the interlock for them."""

    def __init__(self, town: Town) -> None:
        self.context, self.server, self.refused = town.context, town.server, town.refused
        self.one, self.two = town.radios

    async def connected(self, *, duplex: bool = False) -> None:
        """Both in a call of two."""
        await asyncio.gather(self.two.answer(), self.one.call("two", duplex=duplex))


@pytest.fixture
async def town() -> AsyncIterator[Pair]:
    users = [{"name": name} for name in ("one", "two", "three")]
    async with mcptt_town({"users": users, "groups": [{"name": "GD-OPS-1"}]}, ("one", "two")) as made:
        yield Pair(made)


async def heard(mouth: McpttRadio, ear: McpttRadio, says: Samples) -> float:
    """How like what was said at one handset what the other gave is."""
    await ear.record()
    await mouth.speak(says)
    await mouth.spoken()
    await asyncio.sleep(0.5)
    return correlation(says, (await ear.recorded()).samples)


async def test_the_caller_talks_first_and_the_called_once_it_keys(town: Pair, speech: Callable[[str], Samples]) -> None:
    await town.connected()
    shown = await town.two.expect("talker.shown", within=1.0, user="one")
    assert shown.data["talkgroup"] is None
    assert await heard(town.one, town.two, speech("dispatch")) > ALIKE
    with pytest.raises(DriverError, match="pressed already"):
        await town.one.key_private()
    await town.one.unkey_private()
    await town.two.key_private()
    granted = await town.two.expect("ptt.granted", within=0, user="one")
    assert granted.data["grant_ms"] < 100
    assert await heard(town.two, town.one, speech("officer-reply")) > ALIKE
    await town.two.unkey_private()
    with pytest.raises(DriverError, match="not pressed"):
        await town.two.unkey_private()


async def test_without_a_floor_there_is_no_key(town: Pair, speech: Callable[[str], Samples]) -> None:
    await town.connected(duplex=True)
    says = speech("dispatch")
    assert await heard(town.one, town.two, says) > ALIKE
    assert await heard(town.two, town.one, says) > ALIKE
    with pytest.raises(DriverError, match="full duplex: there is no key"):
        await town.one.key_private()


async def test_the_talkgroup_is_heard_again_once_the_call_of_two_is_over(
    town: Pair, speech: Callable[[str], Samples]
) -> None:
    for radio in (town.one, town.two):
        await radio.select("GD-OPS-1")
    await town.connected()
    await town.one.hang_up()
    await town.one.expect("call.ended", within=1.0, user="two")
    await town.two.expect("call.ended", within=1.0, user="one")
    await town.one.key()
    assert await heard(town.one, town.two, speech("dispatch")) > ALIKE
    await town.one.unkey()
    await town.one.hang_up()  # nothing is up: nothing happens


async def test_a_handset_that_answers_by_itself_shows_who_calls(town: Pair) -> None:
    await town.one.call("two", direct=True)
    await town.two.expect("call.connected", within=1.0, user="one")
    await town.one.hang_up()
    town.two.answer_by_itself(False)
    calling = asyncio.create_task(town.one.call("two", direct=True))
    await town.two.expect("call.ringing", within=1.0, user="one", priority=0)
    await town.two.answer()
    await calling


async def test_one_who_declines_and_one_who_is_not_there_are_told_with_the_reason(town: Pair) -> None:
    calling = asyncio.create_task(town.one.call("two"))
    await town.two.expect("call.ringing", within=1.0)
    town.two.decline()
    with pytest.raises(DriverError, match="110 user declined the call invitation"):
        await calling
    with pytest.raises(DriverError, match="three is not registered"):
        await town.one.call("three")
    with pytest.raises(DriverError, match="no private call rings"):
        town.two.decline()
    with pytest.raises(ExpectationError):
        await town.two.answer(within=1.0)
    with pytest.raises(DriverError, match="no call of two"):
        await town.two.key_private()


async def test_an_emergency_rings_as_one(town: Pair) -> None:
    calling = asyncio.create_task(town.one.call("two", priority=15))
    await town.two.expect("call.ringing", within=1.0, priority=15)
    await town.two.answer()
    await calling
    await town.two.expect("talker.shown", within=1.0, user="one", emergency=True)


async def test_a_key_that_is_down_when_the_other_hangs_up_is_free_again(town: Pair) -> None:
    await town.connected()
    await town.two.hang_up()
    await town.one.expect("call.ended", within=1.0, user="two")
    await town.one.select("GD-OPS-1")
    with pytest.raises(DriverError, match="not pressed"):
        await town.one.unkey()


async def test_what_the_interlock_refuses_never_leaves(town: Pair) -> None:
    town.refused.add("call")
    before = len([event for event in town.context.journal if event.kind == "sip.sent"])
    with pytest.raises(InterlockError):
        await town.one.call("two")
    assert len([event for event in town.context.journal if event.kind == "sip.sent"]) == before
    await town.one.expect("ptt.not_allowed", within=1.0)


async def test_a_floor_that_is_not_given_ends_the_call(town: Pair) -> None:
    town.server.set_silent(True)
    with pytest.raises(ExpectationError):
        await asyncio.gather(town.two.answer(), town.one.call("two"))
    await town.two.expect("call.ended", within=1.0, user="one")
    town.server.set_silent(False)
    await town.connected()
