"""Calls between telephones of the simulated enterprise switch, in virtual time."""

from __future__ import annotations

import asyncio

import pytest
from switch_in_virtual_time import connected, exchange, speak, warnings

from harness.drivers.telephone import Telephone
from harness.errors import InterlockError, SipLocalError

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


async def test_a_wrong_password_registers_nobody() -> None:
    async with exchange() as there:
        with pytest.raises(SipLocalError):
            await Telephone.open(
                there.context,
                there.media,
                "stranger",
                number="3101",
                password="guessed",
                homes=[there.simulator.sip_address],
                permit=lambda _uri: None,
            )
        assert there.switch.line("3101").devices == {}


async def test_a_stranger_without_a_password_gets_no_call_through() -> None:
    async with exchange() as there:
        called = await there.telephone("3102")
        stranger = await there.peer("stranger")
        host, port = there.simulator.sip_address
        sip = stranger.invite(f"sip:3102@{host}:{port}", offer=b"", caller="<sip:3101@127.0.0.1>")
        with pytest.raises(SipLocalError, match="401"):
            await sip.answered(within=5)
        assert there.told("call.arrived") == []
        assert called.lamp.waiting is False


@pytest.mark.parametrize(("number", "status"), [("3102", "480"), ("7777", "404"), ("310", "484")])
async def test_a_number_that_nobody_has_is_refused_with_the_reason(number: str, status: str) -> None:
    async with exchange() as there:
        call = await (await there.telephone("3101")).dial(number)
        with pytest.raises(SipLocalError, match=status):
            await call.answered(within=5)


async def test_a_line_with_as_many_calls_as_it_takes_is_busy() -> None:
    busy = [
        {"number": "3102", "password": "test-telephone", "max_calls": 1},
        {"number": "3103", "password": "test-telephone"},
    ]
    async with exchange({"lines": [{"number": "3101", "password": "test-telephone"}, *busy]}) as there:
        front, back, third = await there.telephones("3101", "3102", "3103")
        await connected(front, back)
        with pytest.raises(SipLocalError, match="486"):
            await (await third.dial("3102")).answered(within=5)


async def test_a_caller_who_gives_up_stops_the_ringing() -> None:
    async with exchange() as there:
        front, back = await there.telephones("3101", "3102")
        call = await front.dial("3102")
        rung = await back.rings()
        await call.ringing(within=2)
        await call.hang_up()
        await rung.ended(within=2)
        assert rung.sip.status == 487
        assert len(there.told("call.abandoned")) == 1


async def test_a_line_that_does_not_answer_is_given_up_after_its_time() -> None:
    async with exchange() as there:
        front, back = await there.telephones("3101", "3102")
        call = await front.dial("3102")
        rung = await back.rings()
        began = there.journal.now()
        with pytest.raises(SipLocalError, match="480"):
            await call.answered(within=30)
        assert there.journal.now() - began == pytest.approx(20, abs=0.5)
        await rung.ended(within=2)


async def test_of_two_telephones_of_a_line_the_first_to_answer_has_the_call() -> None:
    async with exchange() as there:
        front = await there.telephone("3101")
        desk, other = await there.telephone("3102", name="desk"), await there.telephone("3102", name="other")
        call = await front.dial("3102")
        first, second = await desk.rings(), await other.rings()
        await second.answer()
        await call.answered(within=5)
        await first.ended(within=2)
        assert first.sip.ended_by is not None
        assert "Call completed elsewhere" in str(first.sip.ended_by.get("reason"))
        await speak(call, second)


async def test_a_withheld_number_is_not_shown() -> None:
    async with exchange() as there:
        front, back = await there.telephones("3101", "3102")
        await front.dial("3102", withheld=True)
        rung = await back.rings()
        assert rung.number == ""
        assert "3101" not in str(rung.sip.request.get("p-asserted-identity"))


async def test_a_telephone_that_is_switched_off_is_registered_no_more() -> None:
    async with exchange() as there:
        back = await there.telephone("3102")
        assert len(there.switch.line("3102").devices) == 1
        await back.unregister()
        assert there.switch.line("3102").devices == {}


async def test_the_interlock_lets_no_call_and_no_transfer_leave_that_is_not_allowed() -> None:
    def permit(target: str) -> None:
        if "3103" in target:
            raise InterlockError(f"dialling {target} is not allowed")

    async with exchange() as there:
        front, back = await there.telephone("3101", permit=permit), await there.telephone("3102")
        with pytest.raises(InterlockError):
            await front.dial("3103")
        assert there.told("call.arrived") == []
        call, rung = await connected(front, back)
        with pytest.raises(InterlockError):
            await call.transfer("3103")
        assert there.told("leg.referred") == []
        await speak(call, rung)
