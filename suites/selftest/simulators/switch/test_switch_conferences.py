"""Conferences of the enterprise switch: everybody hears all others, and nobody themselves."""

from __future__ import annotations

import asyncio

import pytest
from switch_in_virtual_time import ALIKE, OTHER, clip, connected, exchange, until

from harness.errors import SipLocalError
from harness.measure.correlate import correlation

pytestmark = pytest.mark.virtual_time

ROOMS = {
    "conference": {
        "rooms": [{"number": "3801", "max_parties": 3}, {"number": "3802", "pin": "2468"}],
        "factory": "3850",
        "tones": False,
    }
}


async def test_three_parties_hear_the_others_and_not_themselves() -> None:
    async with exchange(ROOMS) as there:
        calls = [await telephone.dial("3801") for telephone in await there.telephones("3101", "3102", "3103")]
        for call in calls:
            await call.answered(within=5)
        await asyncio.sleep(0.5)
        said = [clip(seed) for seed in (31, 32, 33)]
        for call in calls:
            await call.record()
        for call, speech in zip(calls, said, strict=True):
            await call.say(speech)
            await asyncio.sleep(1.5)
        for own, call in enumerate(calls):
            heard = (await call.recorded()).samples
            for index, speech in enumerate(said):
                if index == own:
                    assert correlation(speech, heard) < OTHER, f"party {own} hears itself"
                else:
                    assert correlation(speech, heard) > ALIKE, f"party {own} does not hear {index}"


async def test_two_who_talk_at_once_are_heard_together() -> None:
    async with exchange(ROOMS) as there:
        calls = [await telephone.dial("3801") for telephone in await there.telephones("3101", "3102", "3103")]
        for call in calls:
            await call.answered(within=5)
        await asyncio.sleep(0.5)
        await calls[2].record()
        first, second = clip(41) // 2, clip(42) // 2
        await calls[0].say(first)
        await calls[1].say(second)
        await asyncio.sleep(1.6)
        heard = (await calls[2].recorded()).samples
        assert correlation(first, heard) > 0.5
        assert correlation(second, heard) > 0.5


async def test_a_full_room_lets_nobody_else_in() -> None:
    async with exchange(ROOMS) as there:
        telephones = await there.telephones("3101", "3102", "3103", "3104")
        for telephone in telephones[:3]:
            await (await telephone.dial("3801")).answered(within=5)
        with pytest.raises(SipLocalError, match="486"):
            await (await telephones[3].dial("3801")).answered(within=5)


async def test_a_room_asks_for_its_pin() -> None:
    async with exchange(ROOMS) as there:
        front, back = await there.telephones("3101", "3102")
        for telephone, pin in ((front, "2468#"), (back, "1111#")):
            call = await telephone.dial("3802")
            await call.answered(within=5)
            await asyncio.sleep(0.5)
            await call.send_dtmf(pin)
            await asyncio.sleep(2)
        assert [party["number"] for party in there.switch.rooms()[0].shown()["parties"]] == ["3101"]


async def test_a_party_that_leaves_is_out_and_the_room_closes_with_the_last() -> None:
    async with exchange(ROOMS) as there:
        calls = [await telephone.dial("3801") for telephone in await there.telephones("3101", "3102")]
        for call in calls:
            await call.answered(within=5)
        await calls[0].hang_up()
        await until(lambda: len(there.switch.rooms()[0].parties) == 1)
        await calls[1].hang_up()
        await until(lambda: there.switch.rooms() == [])


async def test_two_conversations_of_a_telephone_become_a_conference() -> None:
    async with exchange(ROOMS) as there:
        front, back, third = await there.telephones("3101", "3102", "3103")
        first, rung = await connected(front, back)
        await first.hold()
        second, other = await connected(front, third)
        await first.resume()
        parties = [party.id for party in there.switch.parties("3101")]
        room = await there.switch.conference(parties)
        await asyncio.sleep(1)
        assert sorted(leg.who.shown for leg in room.parties) == ["3101", "3102", "3103"]
        await rung.record()
        said = clip(51)
        await other.say(said)
        await asyncio.sleep(1.6)
        assert correlation(said, (await rung.recorded()).samples) > ALIKE
        assert second.is_over != first.is_over
