"""Set-ups that are overtaken: what the state machine of test_radio_any_order found once, step by step."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from radio_field import GROUPS, Field

from harness.protocols.pei.call_state import CallState
from harness.protocols.pei.codes import EMERGENCY_CALL_PRIORITY
from harness.transport.virtual_loop import VirtualLoop

FIRST, SECOND = GROUPS.values()


def virtually(main: Callable[[Field], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(600):
            field = await Field.open(3, speech=False)
            await main(field)
            assert not field.wrong, field.wrong
            await field.close()

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(1)) as runner:
        runner.run(bounded())


def test_a_set_up_goes_on_for_the_others_when_its_caller_leaves() -> None:
    async def main(field: Field) -> None:
        field.press("officer", 0)
        await asyncio.sleep(0.05)
        field.press("sergeant", 0)
        await asyncio.sleep(0.1)
        await field.move("officer", SECOND)
        await asyncio.sleep(0.6)
        assert field.officers["sergeant"].state is CallState.TALKING

    virtually(main)


def test_a_demand_that_an_emergency_overtakes_before_its_grant_waits_and_is_granted() -> None:
    async def main(field: Field) -> None:
        field.press("officer", 0)
        await asyncio.sleep(0.05)
        field.press("sergeant", EMERGENCY_CALL_PRIORITY)
        await asyncio.sleep(0.6)
        assert field.officers["sergeant"].state is CallState.TALKING
        assert field.officers["officer"].state is CallState.QUEUED
        await field.release("sergeant")
        await asyncio.sleep(0.6)
        assert field.officers["officer"].state is CallState.TALKING

    virtually(main)


def test_the_end_of_a_talker_who_presses_and_lets_go_again_at_once_is_told_all_the_same() -> None:
    async def main(field: Field) -> None:
        field.press("officer", 0)
        await asyncio.sleep(0.6)
        assert field.officers["sergeant"].hears == "officer"
        await field.release("officer")
        field.press("officer", 0)
        await asyncio.sleep(0.02)
        await field.release("officer")
        await asyncio.sleep(0.4)
        assert field.officers["sergeant"].hears is None

    virtually(main)


def test_one_who_dials_and_lets_go_at_once_is_in_the_call_and_may_press_again() -> None:
    async def main(field: Field) -> None:
        field.press("officer", 0)
        await asyncio.sleep(0.6)
        await field.move("driver", FIRST)
        field.press("driver", 0)
        await asyncio.sleep(0.01)
        await field.release("driver")
        await asyncio.sleep(0.5)
        assert field.officers["driver"].state is CallState.LISTENING
        await field.release("officer")
        await asyncio.sleep(0.3)
        field.press("driver", 0)
        await asyncio.sleep(0.6)
        assert field.officers["driver"].state is CallState.TALKING

    virtually(main)


def test_one_who_dials_into_a_call_whose_offer_is_on_its_way_is_queued_and_told_who_talks() -> None:
    async def main(field: Field) -> None:
        granted = asyncio.Event()
        field.stack.callback(
            field.context.journal.subscribe(lambda event: granted.set() if event.kind == "net.floor_granted" else None)
        )
        field.press("officer", 0)
        await granted.wait()
        field.press("sergeant", 0)
        await asyncio.sleep(0.6)
        assert field.officers["sergeant"].state is CallState.QUEUED
        assert field.officers["sergeant"].hears == "officer"

    virtually(main)


def test_one_who_comes_to_a_talkgroup_and_dials_before_its_late_entry_is_told_who_talks() -> None:
    async def main(field: Field) -> None:
        field.press("officer", 0)
        await asyncio.sleep(0.6)
        await field.move("driver", FIRST)
        field.press("driver", 0)
        await asyncio.sleep(0.6)
        assert field.officers["driver"].state is CallState.QUEUED
        assert field.officers["driver"].hears == "officer"

    virtually(main)
