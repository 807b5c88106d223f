"""Hunt groups of the enterprise switch: in which order members ring, and where a call goes that nobody took."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from switch_in_virtual_time import connected, exchange

from harness.errors import SipLocalError

pytestmark = pytest.mark.virtual_time


def group(**settings: Any) -> dict[str, Any]:
    return {"hunt_groups": [{"number": "3200", "members": ["3102", "3103"], "ring_s": 5, **settings}]}


async def test_members_ring_from_the_top_one_after_another() -> None:
    async with exchange(group()) as there:
        front, back, third = await there.telephones("3101", "3102", "3103")
        call = await front.dial("3200")
        first = await back.rings()
        began = there.journal.now()
        second = await third.rings()
        assert there.journal.now() - began == pytest.approx(5, abs=0.2)
        await first.ended(within=1)
        await second.answer()
        await call.answered(within=5)


async def test_a_circular_group_goes_on_after_the_one_who_had_the_last_call() -> None:
    async with exchange(group(strategy="circular")) as there:
        front, back, third = await there.telephones("3101", "3102", "3103")
        for member in (back, third, back):
            call, _ = await connected(front, member, "3200")
            await call.hang_up()
            await asyncio.sleep(0.5)


async def test_who_was_free_for_longest_rings_first() -> None:
    async with exchange(group(strategy="longest_idle")) as there:
        front, back, third = await there.telephones("3101", "3102", "3103")
        call, _ = await connected(front, back)
        await call.hang_up()
        await asyncio.sleep(0.5)
        await connected(front, third, "3200")


async def test_a_broadcast_rings_all_at_once_and_one_answers() -> None:
    async with exchange(group(strategy="broadcast")) as there:
        front, back, third = await there.telephones("3101", "3102", "3103")
        call = await front.dial("3200")
        first, second = await back.rings(within=1), await third.rings(within=1)
        await second.answer()
        await call.answered(within=5)
        await first.ended(within=1)


async def test_a_call_that_nobody_took_overflows() -> None:
    async with exchange(group(overflow="3104")) as there:
        front, _, _, fourth = await there.telephones("3101", "3102", "3103", "3104")
        call = await front.dial("3200")
        rung = await fourth.rings(within=15)
        assert there.journal.now() == pytest.approx(10, abs=1)
        assert "3200" in str(rung.sip.request.get("diversion"))
        await rung.answer()
        await call.answered(within=5)


async def test_busy_members_are_passed_over_and_a_group_that_is_all_busy_overflows_at_once() -> None:
    async with exchange(group(overflow="3104")) as there:
        front, back, third, fourth = await there.telephones("3101", "3102", "3103", "3104")
        await connected(back, third)
        await front.dial("3200")
        await fourth.rings(within=1)


async def test_a_member_who_took_itself_out_is_not_rung() -> None:
    async with exchange(group()) as there:
        front, back, third = await there.telephones("3101", "3102", "3103")
        await (await back.dial("*55")).ended(within=5)
        await connected(front, third, "3200")


async def test_the_hunt_is_over_after_its_longest_time() -> None:
    async with exchange(group(max_s=7)) as there:
        front, _, _ = await there.telephones("3101", "3102", "3103")
        began = there.journal.now()
        with pytest.raises(SipLocalError, match="480"):
            await (await front.dial("3200")).answered(within=20)
        assert there.journal.now() - began == pytest.approx(7, abs=0.3)
