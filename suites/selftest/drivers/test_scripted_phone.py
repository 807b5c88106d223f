"""The scripted telephone: each misbehaviour is seen on the wire, and a decent peer outlives it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import numpy as np
import pytest

from harness.drivers.behaviour import Behaviour
from harness.drivers.scripted_phone import ScriptedPhone
from harness.endpoints.media import Impairment, open_media
from harness.endpoints.sip import tamper
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.tamper import Rule
from harness.errors import DriverError, InterlockError, SdpError, SipLocalError
from harness.protocols import sdp
from harness.transport.context import Context
from harness.transport.tap import Address
from harness.transport.udp import open_udp
from harness.transport.virtual_loop import VirtualLoop

OFFER = sdp.offer("127.0.0.1", 4000)


class Room:
    """A scripted telephone and a decent agent that it meets."""

    def __init__(self, context: Context, phone: ScriptedPhone, agent: UserAgent, taken: list[IncomingCall]) -> None:
        self.context = context
        self.phone = phone
        self.agent = agent
        self.taken = taken
        """Calls that the decent agent took."""

    def seen(self, source: str, kind: str, **data: object) -> int:
        """How many such events there are."""
        journal = self.context.journal
        return sum(
            event.source == source and event.kind == kind and all(event.data.get(k) == v for k, v in data.items())
            for event in journal
        )


@asynccontextmanager
async def room() -> AsyncIterator[Room]:
    context = Context.create(seed=5)
    taken: list[IncomingCall] = []

    def take(call: IncomingCall) -> None:
        taken.append(call)
        call.ring()
        call.answer(sdp.answer(call.remote_sdp, "127.0.0.1", 5000)[0] if call.remote_sdp else OFFER)

    media = await open_media(context, in_process=True)
    agent = await UserAgent.open(context, "switch", on_invite=take)
    phone = await ScriptedPhone.open(context, media, "odd", target=agent.address, permit=lambda _: None)
    try:
        yield Room(context, phone, agent, taken)
    finally:
        await phone.close()
        await agent.close()
        await media.close()


def virtually(work: Callable[[Room], Awaitable[None]]) -> None:
    loop = VirtualLoop(5)

    async def whole() -> None:
        async with asyncio.timeout(3_600), room() as there:
            await work(there)

    try:
        loop.run_until_complete(whole())
    finally:
        loop.close()


def test_by_itself_it_is_a_decent_telephone() -> None:
    async def work(there: Room) -> None:
        call = there.agent.invite(there.phone.uri, offer=OFFER)
        mine = await there.phone.called(within=1)
        await call.answered(within=1)
        call.hang_up()
        await mine.ended(within=1)
        placed = await there.phone.dial("2001")
        await placed.answered(within=1)
        placed.hang_up()
        await placed.ended(within=1)
        assert placed.sip.status == 200
        assert there.seen("odd", "sip.tampered") == 0

    virtually(work)


@pytest.mark.parametrize(
    ("behaviour", "status"), [(Behaviour(refuse=486), 486), (Behaviour(refuse=603, ring_after=2), 603)]
)
def test_it_refuses(behaviour: Behaviour, status: int) -> None:
    async def work(there: Room) -> None:
        there.phone.behave(behaviour)
        call = there.agent.invite(there.phone.uri, offer=OFFER)
        with pytest.raises(SipLocalError, match=str(status)):
            await call.answered(within=5)

    virtually(work)


def test_it_answers_late_and_without_ringing() -> None:
    async def work(there: Room) -> None:
        there.phone.behave(Behaviour(answer_after=9))
        call = there.agent.invite(there.phone.uri, offer=OFFER)
        await call.ringing(within=1)
        with pytest.raises(SipLocalError, match="not answered within 8 s"):
            await call.answered(within=8)
        await call.answered(within=2)
        there.phone.behave(Behaviour(no_ring=True))
        call = there.agent.invite(there.phone.uri, offer=OFFER)
        with pytest.raises(SipLocalError, match="answered without ringing"):
            await call.ringing(within=1)

    virtually(work)


def test_it_never_answers_or_is_not_there_at_all() -> None:
    async def work(there: Room) -> None:
        there.phone.behave(Behaviour(never_answer=True))
        call = there.agent.invite(there.phone.uri, offer=OFFER)
        await call.ringing(within=1)
        call.hang_up()
        await call.ended(within=1)
        assert call.status == 487
        there.phone.behave(Behaviour(silent=True))
        call = there.agent.invite(there.phone.uri, offer=OFFER)
        with pytest.raises(SipLocalError, match="408"):
            await call.answered(within=40)

    virtually(work)


def test_a_second_answer_is_acknowledged_and_ended_by_a_decent_caller() -> None:
    async def work(there: Room) -> None:
        there.phone.behave(Behaviour(answer_twice=True))
        call = there.agent.invite(there.phone.uri, offer=OFFER)
        await call.answered(within=1)
        await asyncio.sleep(1)
        assert there.seen("switch", "sip.second-answer") == 1
        assert there.seen("odd", "sip.received", method="BYE") == 1
        assert not call.is_over

    virtually(work)


def test_a_wrong_tag_makes_another_dialog_and_no_tag_none() -> None:
    async def work(there: Room) -> None:
        there.phone.behave(Behaviour(wrong_tag=True))
        call = there.agent.invite(there.phone.uri, offer=OFFER)
        await call.answered(within=1)
        assert call.dialog is not None
        assert call.dialog.remote_tag == "of-somebody-else"
        there.phone.behave(Behaviour(no_tag=True))
        call = there.agent.invite(there.phone.uri, offer=OFFER)
        await call.answered(within=1)
        assert there.seen("switch", "sip.bad-answer") == 1

    virtually(work)


def test_what_is_no_session_description_is_noticed_by_whoever_reads_it() -> None:
    async def work(there: Room) -> None:
        there.phone.behave(Behaviour(broken_sdp=True))
        call = there.agent.invite(there.phone.uri, offer=OFFER)
        await call.answered(within=1)
        with pytest.raises(SdpError):
            sdp.negotiated(OFFER, call.remote_sdp)
        placed = await there.phone.dial("2001")
        with pytest.raises(SipLocalError, match="488"):
            await placed.answered(within=1)
        there.phone.behave(Behaviour(no_sdp=True))
        call = there.agent.invite(there.phone.uri, offer=OFFER)
        await call.answered(within=1)
        assert call.remote_sdp == b""

    virtually(work)


def test_an_answer_that_it_never_acknowledges_is_given_up_by_the_other_side() -> None:
    async def work(there: Room) -> None:
        there.phone.behave(Behaviour(no_ack=True))
        call = await there.phone.dial("2001")
        await call.answered(within=1)
        await there.taken[0].ended(within=40)
        assert there.taken[0].reason == "no ACK"
        assert there.seen("odd", "sip.tampered", by="no_ack") > 5, "one for each 200 that was repeated"
        there.phone.behave(Behaviour(ack_after=3))
        late = await there.phone.dial("2001")
        await late.answered(within=1)
        confirmed: list[float] = []
        there.taken[1].on_change(lambda _, what: confirmed.append(there.context.journal.now()))
        began = there.context.journal.now()
        await asyncio.sleep(5)
        assert confirmed
        assert confirmed[0] - began == pytest.approx(3, abs=0.1)

    virtually(work)


def test_it_hangs_up_at_once_gives_up_early_and_leaves_without_a_word() -> None:
    async def work(there: Room) -> None:
        there.phone.behave(Behaviour(hang_up_after=0))
        call = there.agent.invite(there.phone.uri, offer=OFFER)
        await call.ended(within=1)
        assert call.status == 200
        there.phone.behave(Behaviour(cancel_after=0, never_answer=True))
        placed = await there.phone.dial("2001")
        await placed.ended(within=1)
        there.phone.behave(Behaviour(leave_without_bye=True))
        placed = await there.phone.dial("2001")
        await placed.answered(within=1)
        placed.hang_up()
        await asyncio.sleep(40)
        assert placed.sip.is_over
        assert not there.taken[-1].is_over, "nobody told the other side"
        there.phone.behave(Behaviour(ignore_bye=True))
        there.taken[-1].hang_up()
        await there.taken[-1].ended(within=40)

    virtually(work)


def test_its_speech_goes_astray_or_does_not_come() -> None:
    async def work(there: Room) -> None:
        came: dict[int, int] = {5_000: 0, 6_000: 0}

        def count(port: int) -> Callable[[bytes, Address], None]:
            def heard(data: bytes, source: Address) -> None:
                came[port] += data[0] >> 6 == 2 and data[1] & 0x7F == 8

            return heard

        ears = [await open_udp(("127.0.0.1", port), count(port), tap=there.context.tap) for port in came]

        async def speak(behaviour: Behaviour) -> tuple[int, int]:
            came.update({5_000: 0, 6_000: 0})
            there.phone.behave(behaviour)
            call = await there.phone.dial("2001")
            await call.answered(within=1)
            await asyncio.sleep(0.1)
            await call.say(np.full(8_000, 1_000, np.int16))
            await asyncio.sleep(1)
            call.hang_up()
            await call.ended(within=1)
            return came[5_000], came[6_000]

        due, astray = await speak(Behaviour())
        assert due > 45
        assert astray == 0
        assert await speak(Behaviour(media=Impairment(nothing=True))) == (0, 0)
        due, astray = await speak(Behaviour.from_text({"media.to": "127.0.0.1:6000"}))
        assert due == 0
        assert astray > 45
        for each in ears:
            each.close()

    virtually(work)


def test_messages_are_repeated_and_cut_and_any_rule_can_be_added() -> None:
    async def work(there: Room) -> None:
        there.phone.behave(Behaviour(repeat=3))
        call = there.agent.invite(there.phone.uri, offer=OFFER)
        await call.answered(within=1)
        call.hang_up()
        await call.ended(within=1)
        assert len(there.agent.calls) == 0, "copies are copies, and no new calls"
        there.phone.behave(Behaviour(), Rule("180", change=tamper.set_header("Alert-Info", "<http://x>"), times=1))
        call = there.agent.invite(there.phone.uri, offer=OFFER)
        await call.answered(within=1)
        assert there.seen("odd", "sip.tampered", by="180") == 1
        there.phone.behave(Behaviour(cut=120))
        call = there.agent.invite(there.phone.uri, offer=OFFER)
        with pytest.raises(SipLocalError, match="408"):
            await call.answered(within=40)
        there.phone.behave(Behaviour(), Rule("200 INVITE", delay=4, skip=1))
        first, second = (there.agent.invite(there.phone.uri, offer=OFFER) for _ in range(2))
        await first.answered(within=1)
        with pytest.raises(SipLocalError, match="not answered within 2 s"):
            await second.answered(within=2)

    virtually(work)


def test_the_interlock_is_asked_first() -> None:
    async def work(there: Room) -> None:
        def refuse(uri: str) -> None:
            raise InterlockError(f"{uri} is not allowed")

        media = await open_media(there.context, in_process=True)
        guarded = await ScriptedPhone.open(there.context, media, "guarded", target=there.agent.address, permit=refuse)
        with pytest.raises(InterlockError):
            await guarded.dial("999")
        assert guarded.calls == []
        with pytest.raises(DriverError, match="no call came within 1 s"):
            await guarded.called(within=1)
        await guarded.close()
        await media.close()

    virtually(work)


def test_behaviours_are_read_as_testers_write_them() -> None:
    behaviour = Behaviour.from_text({"answer_after": "5 s", "no_ack": "yes", "refuse": "486", "media.loss": "5%"})
    assert (behaviour.answer_after, behaviour.no_ack, behaviour.refuse) == (5.0, True, 486)
    assert behaviour.media.loss == 0.05
    for wrong, why in [
        ({"answer_afer": "5"}, "no misbehaviour 'answer_afer'; it has ack_after"),
        ({"no_ack": "maybe"}, "no_ack is yes or no"),
        ({"refuse": "busy"}, "refuse is a number"),
        ({"refuse": "200"}, "300 to 699"),
        ({"answer_after": "-1"}, "0 to 3600 s"),
        ({"repeat": "1000"}, "0 to 100 times"),
    ]:
        with pytest.raises(DriverError, match=why):
            Behaviour.from_text(wrong)
    for rule in ({"on": "200 OK INVITE"}, {"on": "ACK", "delay": -1}, {"on": "ACK", "copies": 1_000}, {"on": ""}):
        with pytest.raises(SipLocalError):
            Rule(**rule)  # type: ignore[arg-type]
