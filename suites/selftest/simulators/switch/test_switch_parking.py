"""Call park and pickup at the enterprise switch."""

from __future__ import annotations

import pytest
from switch_in_virtual_time import connected, exchange, speak, until

from harness.errors import SipLocalError
from harness.measure.correlate import correlation
from simulators.switch.sounds import tune

pytestmark = pytest.mark.virtual_time

PARK = {"park": {"number": "3300", "first": 3301, "last": 3302, "recall_s": 30, "recall_ring_s": 10, "recalls": 1}}


async def test_a_parked_call_hears_music_and_is_taken_up_at_another_telephone() -> None:
    async with exchange(PARK) as there:
        front, back, third = await there.telephones("3101", "3102", "3103")
        call, rung = await connected(front, back)
        await call.record()
        assert await rung.park("3300") == "3301"
        await rung.ended(within=2)
        await until(lambda: there.journal.now() > 6)
        assert correlation(tune()[:16_000], (await call.recorded()).samples) > 0.8
        assert [slot.shown()["party"] for slot in there.switch.parked()] == ["3101"]
        taken = await third.dial("3301")
        await taken.answered(within=5)
        await speak(call, taken)
        assert there.switch.parked() == []


async def test_a_slot_that_is_taken_takes_nobody_else_and_the_two_speak_on() -> None:
    async with exchange(PARK) as there:
        front, back, third, fourth = await there.telephones("3101", "3102", "3103", "3104")
        _, rung = await connected(front, back)
        await rung.park("3302")
        call, other = await connected(third, fourth)
        with pytest.raises(SipLocalError, match="486"):
            await other.park("3302")
        await speak(call, other)


async def test_an_empty_slot_gives_nobody() -> None:
    async with exchange(PARK) as there:
        front = await there.telephone("3101")
        with pytest.raises(SipLocalError, match="404"):
            await (await front.dial("3301")).answered(within=5)


async def test_a_call_that_nobody_takes_up_rings_back_and_is_answered() -> None:
    async with exchange(PARK) as there:
        front, back = await there.telephones("3101", "3102")
        call, rung = await connected(front, back)
        await rung.park("3300")
        began = there.journal.now()
        again = await back.rings(within=40)
        assert there.journal.now() - began == pytest.approx(30, abs=1)
        await again.answer()
        await until(lambda: there.switch.parked() == [])
        await speak(call, again)


async def test_a_call_that_nobody_ever_takes_is_given_up() -> None:
    async with exchange(PARK) as there:
        front, back = await there.telephones("3101", "3102")
        call, rung = await connected(front, back)
        await rung.park("3300")
        await call.ended(within=90)
        assert there.switch.parked() == []
        assert len(there.told("park.given_up")) == 1


async def test_a_call_that_rings_in_the_own_group_is_picked_up() -> None:
    async with exchange() as there:
        front, back, third = await there.telephones("3101", "3102", "3103")
        call = await third.dial("3101")
        rung = await front.rings()
        taken = await back.dial("*8")
        await taken.answered(within=5)
        await call.answered(within=5)
        await rung.ended(within=2)
        await speak(call, taken)


async def test_a_call_that_rings_at_a_line_is_picked_up_by_anybody_who_names_it() -> None:
    async with exchange() as there:
        front, _, third, fourth = await there.telephones("3101", "3102", "3103", "3104")
        call = await third.dial("3101")
        await front.rings()
        taken = await fourth.dial("**3101")
        await taken.answered(within=5)
        await call.answered(within=5)
        await speak(call, taken)


async def test_nothing_is_picked_up_where_nothing_rings_or_another_group_does() -> None:
    async with exchange() as there:
        front, back, third = await there.telephones("3101", "3102", "3103")
        with pytest.raises(SipLocalError, match="404"):
            await (await front.dial("*8")).answered(within=5)
        await front.dial("3103")
        await third.rings()
        with pytest.raises(SipLocalError, match="404"):
            await (await back.dial("*8")).answered(within=5)
