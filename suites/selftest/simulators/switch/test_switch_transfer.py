"""Transfers at the enterprise switch, as telephones and the control interface order them."""

from __future__ import annotations

import asyncio

import pytest
from switch_in_virtual_time import connected, exchange, speak, until

from harness.errors import SipLocalError

pytestmark = pytest.mark.virtual_time


async def test_a_blind_transfer_puts_the_other_end_through() -> None:
    async with exchange() as there:
        front, back, third = await there.telephones("3101", "3102", "3103")
        call, rung = await connected(front, back)
        transfer = asyncio.create_task(rung.transfer("3103"))
        target = await third.rings()
        assert target.number == "3101"
        await target.answer()
        await transfer
        await rung.ended(within=2)
        await speak(call, target)


async def test_a_transfer_that_comes_to_nothing_gives_the_other_end_back() -> None:
    async with exchange() as there:
        front, back = await there.telephones("3101", "3102")
        call, rung = await connected(front, back)
        with pytest.raises(SipLocalError, match="404"):
            await rung.transfer("7777")
        await asyncio.sleep(0.2)
        await speak(call, rung)


async def test_an_attended_transfer_puts_two_calls_together() -> None:
    async with exchange() as there:
        front, back, third = await there.telephones("3101", "3102", "3103")
        call, rung = await connected(front, back)
        await rung.hold()
        asked, target = await connected(back, third)
        await rung.transfer_to(asked)
        await rung.ended(within=2)
        await asked.ended(within=2)
        await speak(call, target)


async def test_the_control_interface_transfers() -> None:
    async with exchange() as there:
        front, back, third = await there.telephones("3101", "3102", "3103")
        call, rung = await connected(front, back)
        await there.switch.transfer(there.switch.parties("3102")[0].id, to="3103")
        target = await third.rings()
        await target.answer()
        await rung.ended(within=5)
        await until(lambda: len(there.switch.parties()) == 2)
        await speak(call, target)


async def test_a_party_who_hangs_up_during_a_transfer_stops_it() -> None:
    async with exchange() as there:
        front, back, third = await there.telephones("3101", "3102", "3103")
        call, rung = await connected(front, back)
        await rung.refer("3103")
        target = await third.rings()
        await call.hang_up()
        await target.ended(within=2)
        await rung.ended(within=2)
        await asyncio.sleep(1)
        assert there.switch.parties() == []
