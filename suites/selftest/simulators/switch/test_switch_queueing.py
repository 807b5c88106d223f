"""Call queues of the enterprise switch: who waits is answered with music, and comes to an agent in turn."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from switch_in_virtual_time import connected, exchange

from harness.errors import LocalError
from simulators.switch.settings.groups import CallQueueSettings

pytestmark = pytest.mark.virtual_time


def queue(**settings: Any) -> dict[str, Any]:
    return {"call_queues": [{"number": "3200", "members": ["3102"], "ring_s": 5, **settings}]}


async def test_who_waits_hears_music_and_comes_to_the_agent_once_that_is_free() -> None:
    async with exchange(queue()) as there:
        front, back, third = await there.telephones("3101", "3102", "3103")
        busy, taken = await connected(third, back)
        call = await front.dial("3200")
        await call.answered(within=2)
        await call.record()
        await asyncio.sleep(3)
        assert (await call.recorded()).samples.any(), "no music"
        await busy.hang_up()
        await taken.ended(within=1)
        rung = await back.rings(within=2)
        assert rung.number == "3101"
        await rung.answer()
        await asyncio.sleep(1)
        await rung.hang_up()
        await call.ended(within=2)


async def test_callers_come_in_turn_and_one_who_gives_up_waits_no_more() -> None:
    async with exchange(queue()) as there:
        front, back, third, custody = await there.telephones("3101", "3102", "3103", "3104")
        held = await back.dial("3101")
        await (await front.rings()).answer()
        await held.answered(within=2)
        waiting = []
        for each in (custody, third):
            call = await each.dial("3200")
            await call.answered(within=2)
            waiting.append(call)
        third_call = await front.dial("3200")
        await third_call.answered(within=2)
        await waiting[0].hang_up()
        await held.hang_up()
        for number in ("3103", "3101"):
            rung = await back.rings(within=3)
            assert rung.number == number
            await rung.answer()
            await asyncio.sleep(0.5)
            await rung.hang_up()


async def test_an_agent_who_does_not_answer_is_rung_again_until_the_caller_overflows() -> None:
    async with exchange(queue(max_s=12, overflow="3103")) as there:
        front, back, third = await there.telephones("3101", "3102", "3103")
        began = there.journal.now()
        call = await front.dial("3200")
        await call.answered(within=2)
        for _ in range(2):
            await (await back.rings(within=6)).ended(within=6)
        last = await third.rings(within=10)
        assert there.journal.now() - began == pytest.approx(12, abs=0.5)
        await last.answer()
        await asyncio.sleep(0.5)
        await call.hang_up()


async def test_one_more_than_may_wait_overflows_at_once_and_without_overflow_is_told_busy() -> None:
    async with exchange(queue(size=1)) as there:
        front, back, third = await there.telephones("3101", "3102", "3103")
        there.switch.core.routing.queueing.join("3200", "3102", joined=False)
        first = await front.dial("3200")
        await first.answered(within=2)
        second = await third.dial("3200")
        await second.ended(within=2)
        assert second.sip.status == 486
        there.switch.core.routing.queueing.join("3200", "3102", joined=True)
        await back.rings(within=2)
        shown = there.switch.core.routing.queueing.get("3200").shown()
        assert (shown["joined"], shown["overflowed"], shown["waiting"]) == (1, 1, 1)


async def test_a_queue_is_made_while_the_switch_is_up_and_taken_away_under_who_waits() -> None:
    async with exchange({}) as there:
        front, back = await there.telephones("3101", "3102")
        queueing = there.switch.core.routing.queueing
        for wrong in ({"number": "3103"}, {"members": ("3199",)}):
            with pytest.raises(LocalError):
                queueing.put(CallQueueSettings.model_validate({"number": "3200", "members": ("3102",)} | wrong))
        queueing.put(CallQueueSettings(number="3200", members=("3102",)))
        call = await front.dial("3200")
        await (await back.rings(within=2)).answer()
        await call.hang_up()
        queueing.join("3200", "3102", joined=False)
        call = await front.dial("3200")
        await call.answered(within=2)
        queueing.remove("3200")
        await call.ended(within=10)
        again = await front.dial("3200")
        await again.ended(within=2)
        assert again.sip.status == 404
