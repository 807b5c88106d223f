"""Landlines whose receiver is put down and lifted again: the same call, the same dialog, the same record (TEL-009)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from network_in_virtual_time import LANDLINE, MOBILE, QUICK, Town, level, town

from harness.drivers.phone_call import PhoneCall
from harness.errors import SipLocalError
from harness.measure.correlate import correlation
from harness.protocols.rtp.g711 import Samples
from harness.protocols.sip.emergency_call import Ask, Caller, What, mark_of

pytestmark = pytest.mark.virtual_time


async def connected(there: Town, number: str = LANDLINE) -> PhoneCall:
    """A caller who is through to the control room, the operator gone."""
    call = await there.speaks(await there.phone(number))
    await there.driver.expect("operator.left", within=60.0)
    return call


async def test_lifted_within_45_seconds_it_is_the_same_call(speech: Callable[[str], Samples]) -> None:
    async with town() as there:
        call = await connected(there)
        room = there.room.calls[0]
        dialog = room.sip.id
        await call.hang_up()
        await asyncio.sleep(1.0)
        assert (room.mark.event, room.mark.caller, room.mark.hold) == (What.CALLER_HELD, Caller.HELD, 45)
        assert level(await room.hears(2.0)) < -60
        await asyncio.sleep(40.0)
        again = await there.phones[0].lift()
        await again.answered(within=1.0)
        await asyncio.sleep(0.2)
        assert (room.mark.event, room.mark.caller, room.mark.lifted) == (What.CALLER_RESTORED, Caller.ON, 1)
        await again.say(speech("caller-999"))
        assert correlation(speech("caller-999"), await room.hears(5.0)) > 0.8
        assert (room.sip.id, room.sip.is_over, len(there.room.calls)) == (dialog, False, 1)
        record = await there.record()
        ((down, up),) = record["held"]
        assert up - down == pytest.approx(43.0, abs=0.5)
        assert len(await there.driver.records()) == 1


async def test_not_lifted_the_circuit_is_released_at_45_seconds() -> None:
    async with town() as there:
        call = await connected(there)
        room = there.room.calls[0]
        await call.hang_up()
        down = (await there.driver.expect("caller.held", within=1.0)).time
        await room.sip.ended(within=46.0)
        assert there.journal.now() - down == pytest.approx(45.0, abs=0.1)
        assert room.sip.ended_by is not None
        mark = mark_of(room.sip.ended_by)
        assert mark is not None
        assert (mark.event, mark.why) == (What.CLEARED, "hold-expired")
        record = await there.record()
        assert (record["outcome"], record["cleared_by"], record["held"][0][1]) == ("answered", "caller", None)
        fresh = await there.phones[0].lift()
        await fresh.answered(within=2.0)
        assert (await there.record("em-2"))["uuid"] != record["uuid"]


async def test_a_receiver_that_is_put_down_again_starts_a_hold_of_its_own() -> None:
    async with town() as there:
        call = await connected(there)
        for turn in (1, 2, 3):
            await call.hang_up()
            await asyncio.sleep(30.0)
            call = await there.phones[0].lift()
            await call.answered(within=1.0)
            await asyncio.sleep(1.0)
            assert there.room.calls[0].mark.lifted == turn
        assert len((await there.record())["held"]) == 3


async def test_a_mobile_that_hangs_up_is_gone() -> None:
    async with town() as there:
        call = await connected(there, MOBILE)
        room = there.room.calls[0]
        await call.hang_up()
        await room.sip.ended(within=0.5)
        assert room.sip.ended_by is not None
        mark = mark_of(room.sip.ended_by)
        assert mark is not None and mark.why == "caller"
        assert "cause=16" in (room.sip.ended_by.get("reason") or "")


async def test_the_control_room_that_clears_frees_the_circuit_at_once() -> None:
    async with town() as there:
        call = await connected(there)
        await call.hang_up()
        await asyncio.sleep(5.0)
        there.room.calls[0].sip.hang_up()
        await there.driver.expect("call.ended", within=1.0)
        again = await there.phones[0].lift()
        await again.answered(within=2.0)
        assert len(await there.driver.records()) == 2


async def test_the_control_room_asks_to_hold_the_line_and_it_is_held_for_longer() -> None:
    async with town() as there:
        call = await connected(there)
        room = there.room.calls[0]
        assert await room.ask(Ask.HOLD_LINE) == 200
        await call.hang_up()
        await asyncio.sleep(120.0)
        assert (room.sip.is_over, room.mark.event, room.mark.hold) == (False, What.CALLER_HELD, 0)
        again = await there.phones[0].lift()
        await again.answered(within=1.0)


async def test_put_down_before_the_operator_has_connected_the_questions_begin_again(
    speech: Callable[[str], Samples],
) -> None:
    async with town() as there:
        phone = await there.phone(LANDLINE)
        call = await phone.dial()
        await call.answered(within=2.0)
        await asyncio.sleep(5.0)
        await call.hang_up()
        await asyncio.sleep(20.0)
        assert there.room.calls == []
        again = await phone.lift()
        await again.answered(within=1.0)
        await again.record()
        await asyncio.sleep(3.0)
        assert correlation(speech("operator-service"), (await again.recorded()).samples) > 0.8
        await again.say(speech("caller-999"))
        room = await there.room.call(within=10.0)
        assert (room.mark.caller, room.mark.lifted, room.mark.silent) == (Caller.ON, 1, None)


async def test_put_down_while_the_control_room_rings_the_next_message_tells() -> None:
    async with town() as there:
        there.room.does = "ring"
        call = await there.speaks(await there.phone(LANDLINE))
        room = await there.room.call()
        await call.hang_up()
        await asyncio.sleep(5.0)
        await room.answer()
        await asyncio.sleep(0.5)
        assert room.events == [What.CONNECT, What.CALLER_HELD]
        assert 38 <= room.mark.hold <= 41
        again = await there.phones[0].lift()
        await again.answered(within=1.0)
        await asyncio.sleep(0.2)
        assert room.mark.event is What.CALLER_RESTORED


async def test_lifted_twice_at_once_the_second_is_busy() -> None:
    async with town() as there:
        call = await connected(there)
        await call.hang_up()
        await asyncio.sleep(1.0)
        first, second = await there.phones[0].lift(), await there.phones[0].lift()
        await first.answered(within=1.0)
        with pytest.raises(SipLocalError, match="486"):
            await second.answered(within=1.0)


async def test_an_operator_who_stays_is_heard_during_the_hold(speech: Callable[[str], Samples]) -> None:
    async with town({"operators": {**QUICK, "automatic": 0}}) as there:
        operator, phone = await there.operator(), await there.phone(LANDLINE)
        call = await phone.dial()
        await operator.expect("call.waiting", within=1.0)
        await operator.answer()
        await call.answered()
        await operator.connect()
        await operator.expect("call.connected", within=2.0)
        await call.hang_up()
        await operator.expect("caller.held", within=1.0)
        await operator.say(speech("operator-handover"))
        assert correlation(speech("operator-handover"), await there.room.calls[0].hears(5.0)) > 0.8
