"""Trunks: watched with OPTIONS, lost and back, calls by the next one meanwhile, and faults on demand."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from control_room_in_virtual_time import control_room
from telephone_lines import line

from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.transports import Listen
from harness.errors import DriverError, InterlockError, SipLocalError

pytestmark = pytest.mark.virtual_time
WATCH = {"every_s": 10, "lost_every_s": 2, "answer_s": 1, "lost_after": 2, "back_after": 2}
TRUNKS: list[dict[str, Any]] = [
    {"name": "primary", "peer": "127.0.0.1:6101", "watch": WATCH},
    {"name": "secondary", "peer": "127.0.0.1:6102", "watch": WATCH},
]
OFFER = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n"
LAYOUT: dict[str, Any] = {"trunks": TRUNKS, "route_s": 3}


async def test_a_trunk_whose_peer_answers_no_options_is_lost_and_is_back_when_it_does() -> None:
    async with control_room(LAYOUT) as room:
        supervisor, switch = room.supervisor(), room.simulators.journal
        await line(room, "second", port=6102)
        lost = await switch.expect("iccs", "trunk.lost", within=15.0, trunk="primary")
        assert lost.time == pytest.approx(11.0, abs=0.1), "two questions 10 s apart, a second to answer the last"
        trunks = await supervisor.trunks()
        assert (trunks["primary"]["in_service"], trunks["secondary"]["in_service"]) == (False, True)
        assert (await supervisor.wallboard())["trunks"] == {"primary": False, "secondary": True}
        await line(room, "first", port=6101)
        came = room.journal.now()
        back = await switch.expect("iccs", "trunk.back", within=10.0, trunk="primary", after=lost.seq)
        assert back.time - came < 5.0, "while it is lost it is asked every 2 s"
        assert (await supervisor.wallboard())["trunks"] == {"primary": True, "secondary": True}


async def test_a_peer_that_calls_taught_is_lost_within_30_s_as_the_watch_is_by_itself_and_back_with_a_call() -> None:
    async with control_room() as room:
        switch = room.simulators.journal
        network, other = await line(room, "network"), await line(room, "other")
        await network.dial("999")
        up = await switch.expect("iccs", "trunk.back", within=11.0)
        assert up.time > 10, "it is not asked in the midst of the call that taught it"
        assert up.data["peer"] == "{}:{}".format(*network.agent.address)
        await asyncio.sleep(up.time + 10.2 - room.simulators.journal.now())  # the next question has just been answered
        await network.agent.close()
        gone = room.simulators.journal.now()
        lost = await switch.expect("iccs", "trunk.lost", within=30.0)
        assert 20.0 < lost.time - gone <= 24.0, "the worst case: it went when it had just answered"
        assert [each["what"] for each in await room.supervisor().alarms()] == ["trunk_lost"]
        await other.dial("999")
        await switch.expect("iccs", "trunk.back", within=1.0, after=lost.seq)
        assert await room.supervisor().alarms() == []


async def test_a_telephone_on_a_trunk_that_answers_no_options_is_never_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    async with control_room() as room:
        network = await line(room, "network")
        monkeypatch.setattr(network.agent, "answer_options", lambda *_: None)
        for _ in range(2):
            await network.dial("999")
            await asyncio.sleep(60)
        assert await room.supervisor().alarms() == []
        kinds = [event.kind for event in room.simulators.journal if event.kind.startswith("trunk.")]
        assert kinds == ["trunk.not_watched"], "it is asked once, and not again with each call"


async def test_of_many_callers_on_a_trunk_one_is_asked_and_its_leaving_is_no_loss_while_another_answers() -> None:
    async with control_room() as room:
        first, second = await line(room, "first"), await line(room, "second")
        await first.dial("999")
        await second.dial("999")
        await asyncio.sleep(15)
        await first.agent.close()
        await asyncio.sleep(60)
        kinds = [event.kind for event in room.simulators.journal if event.kind.startswith("trunk.")]
        assert kinds == ["trunk.back", "trunk.back"], "once for each of the two"
        assert await room.supervisor().alarms() == []


async def test_a_trunk_that_is_down_is_lost_by_its_watch_and_comes_back_when_the_fault_ends() -> None:
    async with control_room(LAYOUT) as room:
        supervisor, switch = room.supervisor(), room.simulators.journal
        await line(room, "first", port=6101)
        await line(room, "second", port=6102)
        await switch.expect("iccs", "trunk.back", within=15.0, trunk="primary")
        await supervisor.begin_trunk_fault("primary", "down")
        lost = await switch.expect("iccs", "trunk.lost", within=25.0, trunk="primary")
        await supervisor.end_trunk_fault("primary")
        await switch.expect("iccs", "trunk.back", within=10.0, trunk="primary", after=lost.seq)


async def test_a_trunk_that_is_down_is_so_over_tcp_and_what_was_sent_meanwhile_comes_after_it() -> None:
    async with control_room(LAYOUT) as room:
        supervisor = room.supervisor()
        host, port = room.iccs.sip_address
        agent = await UserAgent.open(room.context, "by-tcp", listen=[Listen("TCP")])
        address = f"sip:999@{host}:{port};transport=tcp"
        first = agent.invite(address, offer=OFFER)
        await first.ringing(within=1.0)
        await supervisor.begin_trunk_fault("primary", "down")
        second = agent.invite(address, offer=OFFER)
        with pytest.raises(SipLocalError, match="ringing"):
            await second.ringing(within=5.0)
        newcomer = await UserAgent.open(room.context, "newcomer", listen=[Listen("TCP")])
        third = newcomer.invite(address, offer=OFFER)
        with pytest.raises(SipLocalError, match="ringing"):
            await third.ringing(within=5.0)
        await supervisor.end_trunk_fault("primary")
        await second.ringing(within=1.0)
        await third.ringing(within=1.0)
        await agent.close()
        await newcomer.close()


async def test_while_the_first_trunk_is_lost_calls_go_by_the_second_at_once() -> None:
    async with control_room(LAYOUT) as room:
        taker = await room.console("govan-01")
        network = await line(room, "second", port=6102)
        await room.simulators.journal.expect("iccs", "trunk.lost", within=15.0, trunk="primary")
        began = room.journal.now()
        call = await taker.dial("01632960001")
        shown = await taker.expect("call.connected", within=1.0, call=call)
        assert shown.time - began < 1.0
        assert len(network.rung) == 1


async def test_before_the_watch_knows_a_silent_trunk_makes_way_for_the_second_after_a_while() -> None:
    async with control_room(LAYOUT) as room:
        taker = await room.console("govan-01")
        network = await line(room, "second", port=6102)
        began = room.journal.now()
        call = await taker.dial("01632960001")
        shown = await taker.expect("call.connected", within=5.0, call=call)
        assert shown.time - began == pytest.approx(3.0, abs=0.5)
        assert len(network.rung) == 1


async def test_a_trunk_that_the_interlock_does_not_allow_is_not_asked() -> None:
    def refuse(target: str) -> None:
        raise InterlockError(f"dialling {target} is not allowed")

    async with control_room(LAYOUT, permit_dial=refuse) as room:
        network = await line(room, "first", port=6101)
        await asyncio.sleep(30.0)
        warned = [event.data["trunk"] for event in room.simulators.journal if event.kind == "trunk.not_watched"]
        assert warned == ["primary", "secondary"]
        assert [event for event in room.journal if event.source == network.name] == []


async def test_a_refusing_trunk_answers_503_and_a_slow_one_lets_callers_wait() -> None:
    async with control_room() as room:
        supervisor, caller = room.supervisor(), await line(room)
        taker = await room.console("govan-01")
        await supervisor.begin_trunk_fault("primary", "refusing")
        with pytest.raises(SipLocalError, match="503"):
            await (await caller.dial("999")).sip.ringing(within=1.0)
        await supervisor.begin_trunk_fault("primary", "slow", seconds=4.0)
        began = room.journal.now()
        await caller.dial("999")
        shown = await taker.expect("call.ringing", within=6.0)
        assert shown.time - began == pytest.approx(4.0, abs=0.2)
        await supervisor.end_trunk_fault("primary")
        assert (await supervisor.trunks())["primary"]["fault"] is None
        with pytest.raises(DriverError, match="404: there is no trunk 'x'; there is primary"):
            await supervisor.end_trunk_fault("x")


async def test_on_a_one_way_trunk_the_position_is_not_heard() -> None:
    async with control_room() as room:
        supervisor, caller = room.supervisor(), await line(room)
        taker = await room.console("govan-01")
        await supervisor.begin_trunk_fault("primary", "one_way")
        talk = await caller.dial("999")
        await talk.sip.ringing(within=1.0)
        await taker.answer()
        await talk.answered(within=1.0)
        await asyncio.sleep(2.0)
        assert (await talk.port.close()).packets_received == 0
