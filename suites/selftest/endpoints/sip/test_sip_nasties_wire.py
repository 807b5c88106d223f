"""Our own nasty messages as datagrams to a user agent, from plain sockets: the answer that is due comes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from torture_element import OFFER, element
from torture_wire import Witness, must_answer

from fixtures.sip_torture.nasties import NASTIES, Nasty

pytestmark = pytest.mark.real_wire


@pytest.fixture
async def everyone() -> AsyncIterator[Witness]:
    """A witness towards an element that answers every call and registers whoever asks."""
    async with element() as agent:
        with Witness(agent.address) as witness:
            yield witness


@pytest.mark.parametrize("odd", NASTIES, ids=str)
async def test_the_answer_that_is_due_comes_and_the_next_call_works(everyone: Witness, odd: Nasty) -> None:
    await must_answer(everyone, odd.data, odd.answer)
    await everyone.call(OFFER)


async def test_all_of_them_to_one_element_leave_it_well() -> None:
    async with element() as agent:
        with Witness(agent.address) as witness:
            for odd in NASTIES:
                await witness.asked_and_ended(odd.data)
            await witness.call(OFFER)
        assert agent.calls == ()
