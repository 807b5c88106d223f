"""Both ends of a radio session over SIP and UDP, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from harness.endpoints.ed137 import ControlRoom, RadioStream, accept, read_offer
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.incoming import IncomingCall
from harness.errors import Ed137Error, Ed137LocalError, InterlockError, MediaError, SipLocalError
from harness.measure.latency import mouth_to_ear
from harness.protocols import sdp
from harness.protocols.ed137.extension import Layout, Ptt, RadioState, mislabelled
from harness.protocols.ed137.features import SignalQuality
from harness.protocols.ed137.session import Changed, Delays, Event
from harness.protocols.ed137.terms import RadioTerms
from harness.protocols.rtp.rtp import RtpPacket
from harness.transport.context import Context
from harness.transport.udp import open_udp
from harness.transport.virtual_loop import VirtualLoop

OFFER = RadioTerms(frequency="118.005")
ANSWER = RadioTerms(ptt_id=7, period_ms=200, multiplier=5)
RNG = np.random.default_rng(1)
NOISE = (6000 * RNG.standard_normal(8000)).clip(-20000, 20000).astype(np.int16)


class Radio:
    """A radio that echoes PTT at once, unless told otherwise."""

    context: Context
    agent: UserAgent
    stream: RadioStream | None = None

    def __init__(self, answer: RadioTerms = ANSWER, **accepting: Any) -> None:
        self.answer = answer
        self.accepting = accepting
        self.echo: Callable[[RadioState], RadioState | None] = lambda heard: RadioState(
            ptt=heard.ptt, ptt_id=heard.ptt_id
        )
        self.findings: tuple[str, ...] = ()
        self.refused: str | None = None
        self.answering: asyncio.Task[None] | None = None

    def invited(self, call: IncomingCall) -> None:
        try:
            offered = read_offer(call)
        except Ed137Error as error:
            self.refused = str(error)
            call.reject(488)
            return
        self.findings = offered.findings

        async def answer() -> None:
            self.stream = await accept(self.context, "radio", offered, self.answer, host="127.0.0.1", **self.accepting)
            self.stream.on_event = self.happened

        self.answering = asyncio.get_running_loop().create_task(answer())

    def happened(self, event: Event) -> None:
        if isinstance(event, Changed) and self.stream is not None:
            said = self.echo(event.state)
            if said is not None:
                self.stream.say(said)

    @property
    def on_air(self) -> RadioStream:
        assert self.stream is not None
        return self.stream


@asynccontextmanager
async def session(
    context: Context, radio: Radio | None = None, terms: RadioTerms = OFFER, **connect: Any
) -> AsyncIterator[tuple[ControlRoom, Radio]]:
    radio = radio or Radio()
    radio.context = context
    radio.agent = await UserAgent.open(context, "radio-sip", user="tower", on_invite=radio.invited)
    room = await ControlRoom.open(context, "room", uri=f"sip:tower@127.0.0.1:{radio.agent.address[1]}")
    try:
        await room.connect(terms, **connect)
        yield room, radio
    finally:
        await room.close()
        if radio.stream is not None:
            radio.stream.close()
        await radio.agent.close()


def virtually(main: Callable[[Context], Awaitable[None]], seed: int = 1) -> str:
    async def whole() -> str:
        context = Context.create(seed=seed)
        async with asyncio.timeout(3600):
            await main(context)
        return context.journal.lines()

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(seed)) as runner:
        return runner.run(whole())


def test_what_the_radio_answers_is_what_holds() -> None:
    async def main(context: Context) -> None:
        async with session(context) as (room, radio):
            terms = room.stream.terms
            assert terms is not None
            assert (terms.ptt_id, terms.multiplier, terms.frequency) == (7, 5, "118.005")
            assert radio.findings == ()
            await context.journal.expect("room", "radio.connected", within=0, ptt_id=7, version="radio.01")
            await context.journal.expect("room", "radio.link_up", within=0.3)
            await context.journal.expect("radio", "radio.link_up", within=0.3)

    virtually(main)


def test_keep_alives_come_every_period_where_nothing_is_said() -> None:
    async def main(context: Context) -> None:
        async with session(context) as (room, radio):
            await asyncio.sleep(10)
            assert 49 <= radio.on_air.stats.keep_alives <= 52
            assert 49 <= room.stream.stats.keep_alives <= 52
            assert room.stream.stats.lost == radio.on_air.stats.lost == 0

    virtually(main)


def test_a_key_is_echoed_under_the_id_that_the_radio_gave_and_let_go() -> None:
    async def main(context: Context) -> None:
        async with session(context) as (room, radio):
            heard = await room.key(Ptt.PRIORITY)
            assert (heard.ptt, heard.ptt_id) == (Ptt.PRIORITY, 7)
            assert radio.on_air.heard.ptt is Ptt.PRIORITY
            room.unkey()
            assert await room.unkeyed()
            assert radio.on_air.heard == RadioState()

    virtually(main)


def test_a_muted_key_names_who_has_the_radio_and_is_let_go() -> None:
    async def main(context: Context) -> None:
        radio = Radio()
        radio.echo = lambda heard: RadioState(ptt=Ptt.EMERGENCY, ptt_id=3, ptt_mute=heard.ptt is not Ptt.OFF)
        async with session(context, radio) as (room, _):
            with pytest.raises(Ed137LocalError, match="PTT mute: id 3 keys it with emergency PTT"):
                await room.key()
            assert room.stream.said.ptt is Ptt.OFF

    virtually(main)


def test_a_radio_that_never_tells_is_not_keyed() -> None:
    async def main(context: Context) -> None:
        radio = Radio()
        radio.echo = lambda _: None
        async with session(context, radio) as (room, _):
            with pytest.raises(Ed137LocalError, match="did not tell within 2 s"):
                await room.key()
            await asyncio.sleep(0.1)
            assert radio.on_air.heard.ptt is Ptt.OFF

    virtually(main)


def test_speech_arrives_as_it_was_said_and_every_packet_is_keyed() -> None:
    async def main(context: Context) -> None:
        async with session(context) as (room, radio):
            await room.key()
            packets: list[RtpPacket] = []
            radio.on_air.on_speech = packets.append
            radio.on_air.record()
            began = room.stream.play(NOISE)
            await room.stream.played()
            room.unkey()
            await asyncio.sleep(0.5)
            recording = radio.on_air.recorded()
            assert len(packets) == 50
            assert {packet.extension.profile for packet in packets if packet.extension} == {0x0167}
            steps = {(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in pairwise(packets)}
            assert steps == {160}
            assert [packet.marker for packet in packets] == [True] + [False] * 49
            assert mouth_to_ear(NOISE, began, recording).ms == pytest.approx(0, abs=2)
            await context.journal.expect("radio", "voice.ended", within=1)

    virtually(main)


def test_squelch_and_signal_quality_are_told_once_when_they_change() -> None:
    async def main(context: Context) -> None:
        async with session(context) as (_room, radio):
            await asyncio.sleep(1)
            radio.on_air.say(RadioState(squelch=True, features=(SignalQuality(11),)))
            event = await context.journal.expect("room", "radio.state", within=0.1, squelch=True)
            assert event.data["quality"] == 11
            await asyncio.sleep(5)
            radio.on_air.say(RadioState())
            await context.journal.expect("room", "radio.state", within=0.1, squelch=False)
            told = [each for each in context.journal if (each.source, each.kind) == ("room", "radio.state")]
            assert len(told) == 2

    virtually(main)


def test_silence_of_the_room_unkeys_the_radio_after_the_agreed_time_and_it_comes_back() -> None:
    async def main(context: Context) -> None:
        async with session(context) as (room, radio):
            await room.key()
            await asyncio.sleep(1)
            room.stream.silent = True
            lost = await context.journal.expect("radio", "radio.link_lost", within=1.3)
            assert 1.0 <= lost.data["silent_s"] < 1.01
            assert radio.on_air.heard == RadioState()
            room.stream.silent = False
            after = context.journal.position
            await context.journal.expect("radio", "radio.link_up", within=0.3, after=after)

    virtually(main)


def test_a_delay_is_measured_as_it_was_put_in() -> None:
    async def main(context: Context) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        delays = Delays(jitter_buffer=0.04, inside=0.0125)
        async with session(context, Radio(delays=delays)) as (room, _):
            base = loop.network.impairment
            base.delay_s = 0.03
            room.stream.measure()
            told = await context.journal.expect("room", "radio.delay", within=1)
            assert told.data["one_way_ms"] == pytest.approx(30, abs=0.2)
            assert (told.data["jitter_buffer_ms"], told.data["inside_ms"]) == (40, 12.5)

    virtually(main)


def test_the_2009_word_under_the_2011_profile_is_a_finding_and_the_key_works_still() -> None:
    async def main(context: Context) -> None:
        radio = Radio(layout=Layout.OF_2009)
        async with session(context, radio) as (room, _):
            radio.on_air.alter = lambda packet: (
                replace(packet, extension=mislabelled(packet.extension)) if packet.extension else packet
            )
            radio.on_air.say(RadioState(squelch=True, features=(SignalQuality(9),)))
            await context.journal.expect("room", "radio.finding", within=1)
            assert (await room.key()).ptt is Ptt.NORMAL

    virtually(main)


def test_what_is_not_the_radios_is_counted_told_a_few_times_and_changes_nothing() -> None:
    async def main(context: Context) -> None:
        async with session(context) as (room, radio):
            stranger = await open_udp(("127.0.0.1", 0), lambda _data, _source: None, tap=context.tap)
            keyed = RtpPacket(123, 1, 1, 99).build()
            for _ in range(100):
                stranger.send(keyed, radio.on_air.address)
                room.stream._port.send(b"\x00\x01", radio.on_air.address)
                room.stream._port.send(RtpPacket(33, 1, 1, 99).build(), radio.on_air.address)
            await asyncio.sleep(0.2)
            stats = radio.on_air.stats
            assert (stats.strangers, stats.malformed, stats.unexpected_payload) == (100, 100, 100)
            for kind in ("radio.stranger", "radio.malformed", "radio.unexpected_payload"):
                assert len([each for each in context.journal if each.kind == kind]) == 16
            assert radio.on_air.heard == RadioState()
            assert (await room.key()).ptt is Ptt.NORMAL
            stranger.close()

    virtually(main)


def test_a_peer_under_our_ssrc_makes_us_take_another() -> None:
    async def main(context: Context) -> None:
        async with session(context) as (room, radio):
            assert room.stream._session is not None
            ours = room.stream._session.ssrc
            radio.on_air.alter = lambda packet: replace(packet, ssrc=ours)
            await asyncio.sleep(1)
            assert room.stream._session.ssrc != ours
            assert room.stream.stats.collisions == 1
            assert radio.on_air.stats.ssrc_changes == 1
            assert (await room.key()).ptt is Ptt.NORMAL

    virtually(main)


def test_our_own_packets_that_come_back_are_not_the_radios_word() -> None:
    async def main(context: Context) -> None:
        async with session(context) as (room, radio):
            radio.echo = lambda _: None
            sent: list[bytes] = []

            def looped(packet: RtpPacket) -> RtpPacket:
                radio.on_air._port.send(packet.build(), room.stream.address)
                sent.append(b"")
                return packet

            room.stream.alter = looped
            with pytest.raises(Ed137LocalError, match="did not tell"):
                await room.key()
            await asyncio.sleep(3)
            assert len(sent) > 20
            assert len({each.data["ssrc"] for each in context.journal if each.kind == "radio.ssrc_clash"}) == 5
            assert room.stream.heard.ptt is Ptt.OFF

    virtually(main)


def test_a_late_packet_does_not_key_again() -> None:
    async def main(context: Context) -> None:
        async with session(context) as (room, radio):
            await room.key()
            kept: list[RtpPacket] = []
            room.stream.alter = lambda packet: kept.append(packet) or packet  # type: ignore[func-returns-value]
            await asyncio.sleep(0.3)
            room.unkey()
            await room.unkeyed()
            room.stream._port.send(kept[0].build(), radio.on_air.address)
            await asyncio.sleep(0.05)
            assert radio.on_air.stats.late == 1
            assert radio.on_air.heard.ptt is Ptt.OFF

    virtually(main)


def test_an_answer_without_radio_terms_is_refused_and_hung_up() -> None:
    async def main(context: Context) -> None:
        def telephone(call: IncomingCall) -> None:
            call.answer(sdp.answer(call.remote_sdp, "127.0.0.1", 5000)[0].replace(b"RTP/AVP 8", b"RTP/SAVP 8"))

        agent = await UserAgent.open(context, "phone", on_invite=telephone)
        room = await ControlRoom.open(context, "room", uri=f"sip:x@127.0.0.1:{agent.address[1]}")
        with pytest.raises((Ed137Error, SipLocalError)):
            await room.connect()
        await asyncio.sleep(1)
        assert not agent.calls
        assert not room.is_connected
        await room.close()
        await agent.close()

    virtually(main)


def test_a_telephone_call_to_a_radio_is_no_radio_session() -> None:
    async def main(context: Context) -> None:
        radio = Radio()
        radio.context = context
        agent = await UserAgent.open(context, "radio-sip", on_invite=radio.invited)
        phone = await UserAgent.open(context, "phone")
        call = phone.invite(agent.uri, headers=[("WG67-Version", "phone.01")], offer=sdp.offer("127.0.0.1", 4000))
        with pytest.raises(SipLocalError, match="488"):
            await call.answered(within=5)
        assert radio.refused == "WG67-Version: phone.01 is not a radio's"
        await phone.close()
        await agent.close()

    virtually(main)


def test_nothing_leaves_that_is_not_permitted() -> None:
    async def main(context: Context) -> None:
        def refuse(uri: str) -> None:
            raise InterlockError(f"no: {uri}")

        room = await ControlRoom.open(context, "room", uri="sip:tower@127.0.0.1:5060", permit=refuse)
        with pytest.raises(InterlockError):
            await room.connect()
        assert not [each for each in context.journal if each.kind == "sip.sent"]
        await room.close()

    virtually(main)


def test_keying_without_a_session_is_refused() -> None:
    async def main(context: Context) -> None:
        room = await ControlRoom.open(context, "room", uri="sip:tower@127.0.0.1:5060")
        with pytest.raises(Ed137LocalError, match="no radio session"):
            await room.key()
        room.unkey()  # as a finger that leaves a dead key: nothing happens
        await room.close()

    virtually(main)


def test_a_radio_that_hangs_up_ends_the_wait_for_its_echo() -> None:
    async def main(context: Context) -> None:
        radio = Radio()
        radio.echo = lambda _: None
        async with session(context, radio) as (room, _):
            asyncio.get_running_loop().call_later(0.5, radio.agent.calls[0].hang_up)
            with pytest.raises(Ed137LocalError, match="has ended"):
                await room.key()
            assert not room.is_connected
            with pytest.raises((MediaError, Ed137LocalError)):
                room.stream.play(NOISE)
            await context.journal.expect("room", "radio.ended", within=0, by="radio")

    virtually(main)


def test_one_seed_gives_one_journal() -> None:
    async def main(context: Context) -> None:
        async with session(context) as (room, _):
            await room.key()
            room.stream.play(NOISE)
            await room.stream.played()

    assert virtually(main, 3) == virtually(main, 3)
