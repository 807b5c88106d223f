"""Calls through the ICCS simulator in virtual time, over the wires that a real switch has."""

from __future__ import annotations

import asyncio

import pytest
from control_room_in_virtual_time import NO_COMMON_CODEC, control_room

from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.speech import join_speech
from harness.errors import DriverError, InterlockError, SipLocalError
from harness.protocols import sdp
from harness.testbed.clips import read_clip
from harness.testbed.conversation import converse

pytestmark = pytest.mark.virtual_time


async def test_the_emergency_queue_goes_before_the_other_whatever_came_first() -> None:
    async with control_room() as room:
        taker = await room.console("govan-01")
        first, second, third = await room.caller(), await room.caller(), await room.caller()
        later = await first.dial("101", cli="+447700900001")
        await later.ringing(within=1.0)
        urgent = await second.dial("999", cli="+447700900002")
        await urgent.ringing(within=1.0)
        other = await third.dial("112")
        await other.ringing(within=1.0)
        await taker.expect("call.ringing", within=1.0, cli=None)
        shown = [dict(event.data) for event in room.told("govan-01", "call.ringing")]
        assert [(each["queue"], each["cli"]) for each in shown] == [
            ("non_emergency", "+447700900001"),
            ("emergency", "+447700900002"),
            ("emergency", None),
        ]
        async with room.http() as http:
            said = (await http.get("/v1/status")).json()
        assert said["waiting"] == {"emergency": 2, "non_emergency": 1}

        assert await taker.answer(queue="emergency") == shown[1]["call"]
        await urgent.answered(within=1.0)
        await taker.clear()
        await urgent.ended(within=1.0)
        assert await taker.answer(queue="emergency") == shown[2]["call"]
        await other.answered(within=1.0)
        await taker.clear()
        with pytest.raises(DriverError, match="409: no call rings at govan-01 on queue emergency"):
            await taker.answer(queue="emergency")
        assert await taker.answer() == shown[0]["call"]
        await later.answered(within=1.0)


async def test_of_two_positions_that_answer_at_once_one_gets_the_call() -> None:
    async with control_room() as room:
        one, two = await room.console("govan-01"), await room.console("govan-02")
        call = await (await room.caller()).dial("999")
        await one.expect("call.ringing", within=1.0)
        await two.expect("call.ringing", within=1.0)
        outcomes = await asyncio.gather(
            one.answer(queue="emergency"), two.answer(queue="emergency"), return_exceptions=True
        )
        won = [each for each in outcomes if isinstance(each, str)]
        lost = [each for each in outcomes if isinstance(each, DriverError)]
        assert (len(won), len(lost)) == (1, 1)
        assert "no call rings at" in str(lost[0])
        await call.answered(within=1.0)
        winner, loser = (one, two) if outcomes[0] == won[0] else (two, one)
        await winner.expect("call.connected", within=1.0, call=won[0])
        await loser.expect("call.taken", within=1.0, call=won[0], by=winner.name)
        assert room.told(loser.name, "call.connected") == []


async def test_a_call_that_is_abandoned_leaves_the_queue() -> None:
    async with control_room() as room:
        taker = await room.console("govan-01")
        call = await (await room.caller()).dial("999")
        await taker.expect("call.ringing", within=1.0)
        await call.hang_up()
        await taker.expect("call.abandoned", within=1.0)
        await call.ended(within=1.0)
        with pytest.raises(DriverError, match="no call rings"):
            await taker.answer(queue="emergency")
        assert room.iccs.status()["waiting"] == {"emergency": 0, "non_emergency": 0}
        assert sum(room.iccs.status()["calls"].values()) == 0


async def test_speech_goes_both_ways_and_a_caller_that_hangs_up_clears_the_call() -> None:
    async with control_room() as room:
        taker = await room.console("govan-01")
        call = await (await room.caller()).dial("999")
        await call.ringing(within=1.0)
        await taker.answer()
        await call.answered(within=1.0)
        await taker.expect("call.connected", within=1.0)
        assert (await converse(call, taker.headset, read_clip("caller-999"))).correlation > 0.9
        assert (await converse(taker, call, read_clip("call-taker"))).correlation > 0.9
        await taker.send_dtmf("1")
        await call.hang_up()
        await taker.expect("call.cleared", within=1.0, reason="ended by the other side")
        with pytest.raises(DriverError, match="409: govan-01 has no call"):
            await taker.clear()
        with pytest.raises(DriverError, match="409: govan-01 has no call that is up"):
            await taker.send_dtmf("1")
        with pytest.raises(DriverError, match="422"):
            await taker.send_dtmf("x")


async def test_a_position_that_clears_ends_the_caller_s_call() -> None:
    async with control_room() as room:
        taker = await room.console("govan-01")
        call = await (await room.caller()).dial("999")
        await call.ringing(within=1.0)
        await taker.answer()
        await call.answered(within=1.0)
        await taker.clear()
        await call.ended(within=1.0)
        await taker.expect("call.cleared", within=1.0, reason="cleared by the position")


async def test_dialled_directly_a_position_answers_is_busy_or_is_not_there() -> None:
    async with control_room() as room:
        taker, other = await room.console("govan-01"), await room.console("govan-02")
        call = await (await room.caller()).dial("govan-01")
        await call.ringing(within=1.0)
        shown = await taker.expect("call.ringing", within=1.0, queue=None)
        with pytest.raises(DriverError, match="no call rings at govan-02"):
            await other.answer(call=shown.data["call"])
        await taker.answer(call=shown.data["call"])
        await call.answered(within=1.0)
        busy = await (await room.caller()).dial("govan-01")
        with pytest.raises(SipLocalError, match="486"):
            await busy.answered(within=1.0)
        away = await (await room.caller()).dial("govan-03")
        with pytest.raises(SipLocalError, match="480"):
            await away.answered(within=1.0)
        unknown = await (await room.caller()).dial("govan-99")
        with pytest.raises(SipLocalError, match="404"):
            await unknown.answered(within=1.0)


async def test_a_busy_operator_can_take_no_second_call() -> None:
    async with control_room() as room:
        taker = await room.console("govan-01")
        first = await (await room.caller()).dial("999")
        await first.ringing(within=1.0)
        await taker.answer()
        second = await (await room.caller()).dial("999")
        await second.ringing(within=1.0)
        with pytest.raises(DriverError, match="409: govan-01 is not free"):
            await taker.answer()
        with pytest.raises(DriverError, match="409: govan-01 is not free"):
            await taker.dial("2001")


async def test_no_common_codec_is_refused_with_488_before_anything_rings() -> None:
    async with control_room() as room:
        agent = await UserAgent.open(room.context, "odd")
        host, port = room.iccs.sip_address
        call = agent.invite(f"sip:999@{host}:{port}", offer=NO_COMMON_CODEC)
        with pytest.raises(SipLocalError, match="488"):
            await call.answered(within=1.0)
        switch = room.simulators.journal
        refused = await switch.expect("iccs", "call.refused", within=1.0, status=488)
        assert [event.kind for event in switch if event.kind == "call.ringing"] == []
        (record,) = await room.supervisor().records()
        assert record["outcome"] == "refused", refused
        await agent.close()


async def test_an_invite_without_an_offer_gets_ours_and_answers_it_in_its_ack() -> None:
    async with control_room() as room:
        taker = await room.console("govan-01")
        port = await room.media.open_port("late")
        agent = await UserAgent.open(room.context, "late")
        host, number = room.iccs.sip_address
        call = agent.invite(f"sip:999@{host}:{number}")
        call.on_offer(lambda _call, offer: sdp.answer(offer, *port.address)[0])
        await call.ringing(within=1.0)
        await taker.answer()
        await call.answered(within=1.0)
        _, agreed = sdp.answer(call.remote_sdp, *port.address)
        await join_speech(port, agreed)
        await taker.expect("call.connected", within=1.0)
        await taker.headset.record()
        await port.play(read_clip("caller-999"))
        await port.played()
        assert abs((await taker.headset.recorded()).samples).max() > 1000
        call.hang_up()
        await taker.expect("call.cleared", within=1.0)
        await port.close()
        await agent.close()


async def test_a_registered_telephone_is_called_and_clears() -> None:
    async with control_room() as room:
        taker = await room.console("govan-01")
        with pytest.raises(DriverError, match="409: no telephone is registered as '2001'"):
            await taker.dial("2001")
        telephone = await room.telephone()
        dialled = await taker.dial("2001")
        await taker.expect("call.alerting", within=1.0, call=dialled)
        await taker.expect("call.connected", within=1.0, call=dialled, cli="2001")
        telephone.calls[0].hang_up()
        await taker.expect("call.cleared", within=1.0, call=dialled)
        assert room.iccs.positions.get("govan-01").free


@pytest.mark.parametrize(("behaviour", "reason", "within"), [("busy", "486", 1.0), ("ring", "20 s", 21.0)])
async def test_a_telephone_that_does_not_answer_fails_the_call(behaviour: str, reason: str, within: float) -> None:
    async with control_room() as room:
        taker = await room.console("govan-01")
        await room.telephone(behaviour)
        dialled = await taker.dial("2001")
        failed = await taker.expect("call.failed", within=within, call=dialled)
        assert reason in failed.data["reason"]
        assert room.iccs.positions.get("govan-01").free
        assert sum(room.iccs.status()["calls"].values()) == 0


async def test_a_telephone_whose_answer_fits_no_offer_fails_the_call() -> None:
    async with control_room() as room:
        taker = await room.console("govan-01")
        telephone = await room.telephone("nonsense")
        dialled = await taker.dial("2001")
        await taker.expect("call.failed", within=1.0, call=dialled)
        await asyncio.sleep(1.0)
        assert list(telephone.calls) == []


@pytest.mark.parametrize("after", [0.0, 0.0005, 0.001, 0.002, 0.004, 0.01, 0.1])
async def test_clearing_a_call_that_is_being_set_up_leaves_nothing_up(after: float) -> None:
    async with control_room() as room:
        taker = await room.console("govan-01")
        telephone = await room.telephone()
        await taker.dial("2001")
        await asyncio.sleep(after)
        await taker.clear()
        await asyncio.sleep(2.0)
        assert sum(room.iccs.status()["calls"].values()) == 0
        assert room.iccs.positions.get("govan-01").free
        assert list(telephone.calls) == []
        cleared = room.told("govan-01", "call.cleared")
        connected = room.told("govan-01", "call.connected")
        assert len(cleared) == 1
        assert all(event.seq < cleared[0].seq for event in connected)


async def test_the_interlock_s_no_to_a_position_s_call_fails_it_before_anything_leaves() -> None:
    def refuse(target: str) -> None:
        raise InterlockError(f"dialling {target} is not allowed")

    async with control_room(permit_dial=refuse) as room:
        taker = await room.console("govan-01")
        telephone = await room.telephone("ring")
        await taker.dial("2001")
        failed = await taker.expect("call.failed", within=1.0)
        assert "is not allowed" in failed.data["reason"]
        assert list(telephone.calls) == []
        with pytest.raises(InterlockError, match="dialling 2002 is not allowed"):
            await (await room.console("govan-02", permit_dial=refuse)).dial("2002")
        assert not [event for event in room.journal if event.kind == "console.dial" and event.source == "govan-02"]


async def test_positions_that_answer_by_themselves_drain_the_queue_in_order() -> None:
    async with control_room(auto_answer=0.2) as room:
        trunks = [await room.caller() for _ in range(7)]
        calls = [await trunk.dial("999") for trunk in trunks[:6]] + [await trunks[6].dial("101")]
        await asyncio.gather(*(call.ringing(within=1.0) for call in calls))
        await asyncio.sleep(1.0)
        answered = [trunk.name for trunk in trunks if room.told(trunk.name, "call.answered")]
        assert answered == ["caller-1", "caller-2", "caller-3"], "three call takers are free"
        for call in calls[:3]:
            await call.hang_up()
        await asyncio.gather(*(call.answered(within=1.0) for call in calls[3:6]))
        assert not room.told("caller-7", "call.answered"), "999 goes before 101"
        await calls[4].hang_up()
        await calls[6].answered(within=1.0)


async def test_a_caller_that_gives_up_is_not_answered_by_itself() -> None:
    async with control_room(auto_answer=0.2) as room:
        gone, stays = await (await room.caller()).dial("999"), await (await room.caller()).dial("999")
        await gone.ringing(within=0.1)
        await gone.hang_up()
        await stays.answered(within=1.0)
        assert not room.told("caller-1", "call.answered")


@pytest.mark.parametrize("state", ["ringing", "up", "dialling"])
async def test_stopping_clears_calls_and_leaves_no_task(state: str) -> None:
    before = asyncio.all_tasks()
    async with control_room(radio=True) as room:
        taker = await room.console("govan-01")
        call = None
        if state == "dialling":
            await room.telephone("ring")
            await taker.dial("2001")
            await taker.expect("call.alerting", within=1.0)
        else:
            call = await (await room.caller()).dial("999")
            await call.ringing(within=1.0)
        if state == "up" and call is not None:
            await taker.answer()
            await call.answered(within=1.0)
        at_work = asyncio.all_tasks()
        await room.iccs.stop()
        left = [str(task.get_coro()) for task in asyncio.all_tasks() & at_work]
        assert [each for each in left if "Switch" in each or "Radio" in each or "Iccs" in each or "web" in each] == []
        if call is not None:
            await call.ended(within=1.0)
    assert asyncio.all_tasks() == before
