"""Calls between telephones of the simulated enterprise switch, in virtual time."""

from __future__ import annotations

import asyncio

import pytest
from switch_in_virtual_time import connected, exchange, speak, warnings

from harness.errors import SipLocalError

pytestmark = pytest.mark.virtual_time


async def test_two_telephones_call_and_hear_each_other() -> None:
    async with exchange() as there:
        front, back = await there.telephones("3101", "3102")
        call, rung = await connected(front, back)
        assert (rung.number, rung.display) == ("3101", "Front Desk")
        await speak(call, rung)
        await call.hang_up()
        await rung.ended(within=2)
        await call.ended(within=2)
        await asyncio.sleep(1)
        assert there.switch.parties() == []
        assert warnings(there.inside) == []
        assert warnings(there.journal) == []
