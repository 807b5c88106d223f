"""Call records of the enterprise switch agree with what happened at the telephones."""

from __future__ import annotations

import asyncio

import pytest
from switch_in_virtual_time import connected, exchange, hears

from harness.errors import SipLocalError
from harness.protocols.cdr.codes import OnBehalfOf, Redirect

pytestmark = pytest.mark.virtual_time


async def test_a_call_leaves_one_record_and_each_end_one_of_its_speech() -> None:
    async with exchange() as there:
        front, back = await there.telephones("3101", "3102")
        call, rung = await connected(front, back)
        await hears(call, rung)
        await asyncio.sleep(60)
        await call.hang_up()
        await rung.ended(within=2)
        await asyncio.sleep(1)
        (record,), media = there.records()
        assert (record.calling, record.original_called, record.final_called) == ("3101", "3102", "3102")
        assert record.disconnect - record.connect in (61, 62)
        assert (record.orig.device, record.dest.device) == ("SEP3101", "SEP3102")
        assert (record.orig.cause, record.dest.cause) == (16, 0)
        assert (record.orig.address, record.orig.media_address) == ("127.0.0.1", "127.0.0.1")
        assert sorted(each.device for each in media) == ["SEP3101", "SEP3102"]
        assert {each.call_id for each in media} == {record.call_id}
        figures = await rung.stats()
        there_of_back = next(each for each in media if each.device == "SEP3102")
        assert there_of_back.packets_received == figures.packets_received
        assert there_of_back.packets_lost == 0
        assert figures.packets_received > 3_000


async def test_the_end_that_hung_up_has_the_cause() -> None:
    async with exchange() as there:
        front, back = await there.telephones("3101", "3102")
        _, rung = await connected(front, back)
        await rung.hang_up()
        await asyncio.sleep(1)
        (record,), _ = there.records()
        assert (record.orig.cause, record.dest.cause) == (0, 16)


async def test_a_busy_an_unanswered_and_an_abandoned_call_are_told_apart() -> None:
    async with exchange() as there:
        front, back = await there.telephones("3101", "3102")
        there.switch.set_line("3102", do_not_disturb=True)
        with pytest.raises(SipLocalError):
            await (await front.dial("3102")).answered(within=5)
        there.switch.set_line("3102", do_not_disturb=False)
        with pytest.raises(SipLocalError):
            await (await front.dial("3102")).answered(within=30)
        call = await front.dial("3102")
        await back.rings()
        await call.hang_up()
        await asyncio.sleep(1)
        calls, media = there.records()
        assert [max(each.orig.cause, each.dest.cause) for each in calls] == [17, 19, 16]
        assert [each.connect for each in calls] == [0, 0, 0]
        assert media == []


async def test_a_forwarded_call_tells_by_whom_and_why() -> None:
    async with exchange() as there:
        front, back, third = await there.telephones("3101", "3102", "3103")
        there.switch.forward("3102", "all", "3103")
        call, _ = await connected(front, third, "3102")
        await call.hang_up()
        await asyncio.sleep(1)
        (record,), _ = there.records()
        assert (record.original_called, record.final_called, record.last_redirect) == ("3102", "3103", "3102")
        assert record.redirect_reason == Redirect.FORWARD_ALL
        assert back.home is not None


async def test_a_transfer_leaves_a_record_for_each_two_who_spoke() -> None:
    async with exchange() as there:
        front, back, third = await there.telephones("3101", "3102", "3103")
        call, rung = await connected(front, back)
        transfer = asyncio.create_task(rung.transfer("3103"))
        await (await third.rings()).answer()
        await transfer
        await asyncio.sleep(2)
        await call.hang_up()
        await asyncio.sleep(1)
        first, second = there.records()[0]
        assert (first.calling, first.final_called) == ("3101", "3102")
        assert (second.calling, second.final_called) == ("3101", "3103")
        assert second.joined_by == OnBehalfOf.TRANSFER
        assert second.redirect_reason == Redirect.BLIND_TRANSFER
        assert first.call_id == second.call_id


async def test_a_file_is_closed_after_its_interval_and_holds_whole_records() -> None:
    async with exchange({"records": {"interval_s": 60}}) as there:
        front, back = await there.telephones("3101", "3102")
        call, _ = await connected(front, back)
        await call.hang_up()
        await asyncio.sleep(1)
        assert list(there.simulator.folder.iterdir()) == []
        await asyncio.sleep(61)
        names = sorted(path.name for path in there.simulator.folder.iterdir())
        assert [name.split("_")[0] for name in names] == ["cdr", "cmr"]
