"""Calls whose speech doesn't go by the switch, and what brings it there."""

from __future__ import annotations

import pytest
from switch_in_virtual_time import LINES, Exchange, connected, exchange, speak

from harness.errors import SipLocalError

pytestmark = pytest.mark.virtual_time

PASSING = {"lines": [{**line, "media": "passed_through"} for line in LINES]}


def anchored(there: Exchange) -> bool:
    """Whether any leg's speech is at the switch."""
    return any(leg.speech is not None for leg in there.switch.core.legs.values())


async def test_two_who_pass_through_hear_each_other_with_no_speech_at_the_switch() -> None:
    async with exchange(PASSING) as there:
        front, back = await there.telephones("3101", "3102")
        call, rung = await connected(front, back)
        await speak(call, rung)
        assert not anchored(there)


async def test_an_invite_with_replaces_takes_a_passed_through_partys_place() -> None:
    async with exchange(PASSING) as there:
        front, back, third = await there.telephones("3101", "3102", "3103")
        call, rung = await connected(front, back)
        taking = await third.dial("3101", replaces=rung)
        await taking.answered(within=5)
        await rung.ended(within=2)
        await speak(call, taking)
        assert len(there.switch.parties()) == 2


async def test_an_attended_transfer_of_passed_through_calls_puts_both_ends_through() -> None:
    async with exchange(PASSING) as there:
        front, back, third = await there.telephones("3101", "3102", "3103")
        call, rung = await connected(front, back)
        await rung.hold()
        asked, target = await connected(back, third)
        await rung.transfer_to(asked)
        await rung.ended(within=2)
        await asked.ended(within=2)
        await speak(call, target)


async def test_a_telephone_says_that_a_call_that_is_over_cannot_be_replaced() -> None:
    async with exchange(PASSING) as there:
        front, back, third = await there.telephones("3101", "3102", "3103")
        call, rung = await connected(front, back)
        stale = await third.dial("3101", replaces=rung)
        await stale.answered(within=5)
        await rung.ended(within=2)
        with pytest.raises(SipLocalError, match="no dialog"):
            await back.dial("3101", replaces=rung)
        await speak(call, stale)
