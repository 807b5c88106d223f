"""The packets of one radio session over UDP, paced by the loop's clock: keep-alives, speech from a clip, what comes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from harness.endpoints.ed137.reception import MAX_TOLD, Arrived, Order, Recorder, StreamStats
from harness.endpoints.media import Recording
from harness.endpoints.media.speech import SpeechDetector, Voice
from harness.errors import MediaError, RtpError
from harness.protocols.ed137.description import Described
from harness.protocols.ed137.extension import Layout, Ptt, RadioState
from harness.protocols.ed137.session import (
    NO_DELAYS,
    Changed,
    Delays,
    Event,
    Finding,
    LinkLost,
    LinkUp,
    Measured,
    RadioSession,
    Side,
)
from harness.protocols.ed137.terms import RadioTerms
from harness.protocols.rtp.g711 import G711, SAMPLE_RATE, Samples
from harness.protocols.rtp.rtp import RtpPacket
from harness.transport.context import Context
from harness.transport.tap import Address
from harness.transport.udp import UdpPort, open_udp, outward_address

FRAME_S: Final = 0.02
FRAME: Final = 160
"""Samples of a packet."""
MAX_QUEUED: Final = 300 * 50
"""Frames that may wait to be sent."""
MAX_RENEWED: Final = 4
"""Times that we take another SSRC because ours comes from the peer: beyond it, it is our own stream that comes back."""
MAX_PAYLOAD: Final = 1600
"""Octets of speech that one packet may hold: 200 ms."""


class RadioStream:
    """One end's packets. Opened on a port, and begun when both ends have agreed.

    Events, under its name: ``radio.link_up``, ``radio.link_lost`` {silent_s}, ``radio.state`` {ptt, ptt_id, mute,
    squelch, quality}, ``radio.delay`` {one_way_ms, jitter_buffer_ms, inside_ms}, ``radio.finding`` {text},
    ``voice.started`` and ``voice.ended`` {level_dbov}, ``radio.closed`` with StreamStats.
    """

    def __init__(self, context: Context, name: str, side: Side) -> None:
        """Use `open`."""
        self.name = name
        self.side = side
        self.on_event: Callable[[Event], None] = lambda _event: None
        """Given what happens; see `harness.protocols.ed137.session`."""
        self.on_speech: Callable[[RtpPacket], None] = lambda _packet: None
        """Given each packet of speech in the order of arrival."""
        self.silent = False
        """Send nothing at all, as a peer that has failed: for tests of who is to notice."""
        self.alter: Callable[[RtpPacket], RtpPacket] = lambda packet: packet
        """What becomes of a packet before it leaves: for tests of who is to notice."""
        self.stats = StreamStats()
        self._context = context
        self._journal = context.journal
        self._loop = asyncio.get_running_loop()
        self._port: UdpPort
        self._session: RadioSession | None = None
        self._remote: Address = ("", 0)
        self._codec: G711
        self._payload_type = 0
        self._incoming: dict[int, G711] = {}
        self._order = Order()
        self._recorder = Recorder(context.journal.now)
        self._detector = SpeechDetector()
        self._timer: asyncio.TimerHandle | None = None
        self._frames: deque[bytes] = deque()
        """Coded frames that wait; at most MAX_QUEUED."""
        self._frame_timer: asyncio.TimerHandle | None = None
        self._next_frame = 0.0
        self._talkspurt = True
        self._said: list[asyncio.Future[None]] = []
        self._closed = False

    @classmethod
    async def open(
        cls, context: Context, name: str, side: Side, *, host: str = "127.0.0.1", port: int = 0
    ) -> RadioStream:
        """Bind a port (0: any free one). Raises TransportError."""
        stream = cls(context, name, side)
        stream._port = await open_udp((host, port), stream._received, tap=context.tap)
        context.called(stream._port.local, name)
        return stream

    @property
    def address(self) -> Address:
        """Where it listens, as others reach it."""
        host, port = self._port.local
        return (outward_address(six=host == "::") if host in ("0.0.0.0", "::") else host), port  # noqa: S104

    @property
    def terms(self) -> RadioTerms | None:
        """What both ends agreed on; None before `begin`."""
        return None if self._session is None else self._session.terms

    @property
    def is_up(self) -> bool:
        """Whether the peer's packets come."""
        return self._session is not None and self._session.is_up

    @property
    def heard(self) -> RadioState:
        """What the peer said last; all off while its packets do not come."""
        return RadioState() if self._session is None else self._session.heard

    @property
    def said(self) -> RadioState:
        """What our packets say."""
        return RadioState() if self._session is None else self._session.said

    def begin(
        self,
        peer: Described,
        terms: RadioTerms,
        payload_type: int,
        *,
        layout: Layout = Layout.OF_2011,
        delays: Delays = NO_DELAYS,
    ) -> None:
        """Both ends have agreed on `terms`: talk to `peer`, speech of its `payload_type`; again: anew."""
        rng = self._context.rng
        self._remote, self._payload_type = peer.address, payload_type
        self._codec, self._incoming = peer.codecs[payload_type], dict(peer.codecs)
        self._session = RadioSession(
            self.side,
            terms,
            self._loop.time(),
            ssrc=rng.getrandbits(32),
            sequence=rng.getrandbits(16),
            timestamp=rng.getrandbits(32),
            layout=layout,
            delays=delays,
        )
        self._run()

    # What we say

    def say(self, state: RadioState) -> None:
        """Say this from now on. Raises MediaError before `begin`."""
        self._begun().say(state, self._loop.time())
        self._schedule()

    def key(self, ptt: Ptt) -> None:
        """Key the radio, or with OFF unkey it. Raises MediaError before `begin`."""
        self._begun().key(ptt, self._loop.time())
        self._schedule()

    def measure(self) -> None:
        """Ask for a delay measurement; `radio.delay` tells. Raises MediaError before `begin`."""
        self._begun().measure(self._loop.time())
        self._schedule()

    def play(self, samples: Samples) -> float:
        """Send speech, after what is queued; return the run time at which its first packet goes out.

        Raises MediaError before `begin`, after `close`, and with more than MAX_QUEUED frames queued.
        """
        self._begun()
        frames = -(-len(samples) // FRAME)
        if len(self._frames) + frames > MAX_QUEUED or not frames:
            raise MediaError(f"{self.name}: {frames} frames on {len(self._frames)}; 1-{MAX_QUEUED} may be queued")
        padded = np.zeros(frames * FRAME, np.int16)
        padded[: len(samples)] = samples
        coded = self._codec.encode(padded)
        idle = self._frame_timer is None
        if idle:
            self._next_frame, self._talkspurt = self._loop.time(), True
        starts = self._next_frame + len(self._frames) * FRAME_S
        self._frames.extend(coded[at : at + FRAME] for at in range(0, len(coded), FRAME))
        if idle:
            self._send_frame()
        return starts - self._journal.origin

    async def played(self) -> None:
        """Return when everything that was to be said is out, its last packet for its whole length."""
        if self._frame_timer is not None:
            done = self._loop.create_future()
            self._said.append(done)
            await done

    def stop_playing(self) -> None:
        """Forget what is queued."""
        self._frames.clear()

    def forward(self, payload: bytes, due: float, *, marker: bool = False) -> None:
        """Send one frame of another stream now, as of loop time `due`: what a gateway does. The codec is the caller's.

        Nothing happens before `begin`.
        """
        if self._session is not None and not self._closed:
            self._send(self._session.speech(self._payload_type, payload, self._loop.time(), marker=marker, due=due))
            self._schedule()

    @property
    def codec(self) -> str:
        """The codec of our speech. Only after `begin`."""
        return self._codec.name

    def _send_frame(self) -> None:
        session = self._begun()
        if not self._frames:
            self._frame_timer = None
            for done in self._said:
                if not done.done():
                    done.set_result(None)
            self._said.clear()
            return
        payload = self._frames.popleft()
        now = self._loop.time()
        marker, self._talkspurt = self._talkspurt, False
        self._send(session.speech(self._payload_type, payload, now, marker=marker, due=self._next_frame))
        self._next_frame += FRAME_S
        self._frame_timer = self._loop.call_at(self._next_frame, self._send_frame)
        self._schedule()

    def _send(self, packet: RtpPacket) -> None:
        if not self.silent:
            self.stats.sent += 1
            self._port.send(self.alter(packet).build(), self._remote)

    def _begun(self) -> RadioSession:
        if self._session is None or self._closed:
            raise MediaError(f"{self.name}: the radio session is {'closed' if self._closed else 'not agreed yet'}")
        return self._session

    # Time

    def _schedule(self) -> None:
        if self._session is None or self._closed:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._session.due_at, self._run)

    def _run(self) -> None:
        session = self._begun()
        # A loop may call within its clock's resolution before the time that was asked for.
        now = max(self._loop.time(), session.due_at)
        packet = session.tick(now)
        if packet is not None:
            self._send(packet)
        for event in session.check(now):
            self._happened(event)
        self._tell_voice(self._detector.frame(None, self._journal.now(), 0.0) if not self._detector.idle else None)
        self._schedule()

    # What we hear

    def record(self) -> None:
        """Begin to keep the speech that comes."""
        self._recorder.begin()

    def recorded(self) -> Recording:
        """What came since `record`, by its timestamps. Raises MediaError when none was begun."""
        return self._recorder.end()

    def _received(self, data: bytes, source: Address) -> None:
        session = self._session
        if session is None or self._closed:
            self.stats.early += 1
            return
        if source != self._remote:
            self.stats.strangers += 1
            self._odd(self.stats.strangers, "radio.stranger", peer=f"{source[0]}:{source[1]}")
            return
        try:
            packet = RtpPacket.parse(data)
        except RtpError as error:
            self.stats.malformed += 1
            self._odd(self.stats.malformed, "radio.malformed", why=str(error))
            return
        if packet.payload_type not in self._incoming and packet.payload_type != session.terms.keep_alive_type:
            self.stats.unexpected_payload += 1
            self._odd(self.stats.unexpected_payload, "radio.unexpected_payload", payload_type=packet.payload_type)
            return
        self._take(session, packet)

    def _take(self, session: RadioSession, packet: RtpPacket) -> None:
        if packet.ssrc == session.ssrc:
            # Somebody has our SSRC, or our own packets come back: those that do are not the peer's word.
            self.stats.collisions += 1
            self._odd(self.stats.collisions, "radio.ssrc_clash", ssrc=packet.ssrc)
            if self.stats.collisions <= MAX_RENEWED:
                session.renew(self._context.rng.getrandbits(32))
            return
        if self._order.ssrc not in (None, packet.ssrc):
            self.stats.ssrc_changes += 1
            self._odd(self.stats.ssrc_changes, "radio.ssrc_changed", ssrc=packet.ssrc, before=self._order.ssrc)
        arrived = self._order.take(packet)
        self.stats.lost = self._order.lost
        if arrived is Arrived.DUPLICATE:
            self.stats.duplicates += 1
            return
        self.stats.received += 1
        if arrived is Arrived.LATE:
            self.stats.late += 1
        else:
            for event in session.receive(packet, self._loop.time()):
                self._happened(event)
        codec = self._incoming.get(packet.payload_type)
        if codec is None:
            self.stats.keep_alives += 1
        elif packet.payload:
            self._take_speech(packet, codec)
        self._schedule()

    def _take_speech(self, packet: RtpPacket, codec: G711) -> None:
        self.stats.speech += 1
        if len(packet.payload) > MAX_PAYLOAD:
            self.stats.malformed += 1
            self._odd(self.stats.malformed, "radio.malformed", why=f"{len(packet.payload)} octets of speech")
            return
        samples = codec.decode(packet.payload)
        self._recorder.put(packet, samples)
        self._tell_voice(self._detector.frame(samples, self._journal.now(), len(samples) / SAMPLE_RATE))
        self.on_speech(packet)

    def _tell_voice(self, voice: Voice | None) -> None:
        if voice is not None:
            kind = "voice.started" if voice.started else "voice.ended"
            self._journal.record(self.name, kind, at=voice.time, level_dbov=voice.level_dbov)

    def _happened(self, event: Event) -> None:
        match event:
            case LinkUp():
                self._journal.record(self.name, "radio.link_up")
            case LinkLost(silent_s):
                self._journal.warn(self.name, "radio.link_lost", silent_s=round(silent_s, 3))
            case Changed(state):
                self._journal.record(self.name, "radio.state", **_told(state))
            case Finding(text):
                self._journal.warn(self.name, "radio.finding", text=text)
            case Measured():
                self._journal.record(
                    self.name,
                    "radio.delay",
                    one_way_ms=round(event.one_way * 1000, 3),
                    jitter_buffer_ms=round(event.jitter_buffer * 1000, 3),
                    inside_ms=round(event.inside * 1000, 3),
                )
        self.on_event(event)

    def _odd(self, so_far: int, kind: str, **data: Any) -> None:
        if so_far <= MAX_TOLD:
            self._journal.warn(self.name, kind, **data)

    def close(self) -> StreamStats:
        """Send no more and close the port; twice is once."""
        if not self._closed:
            self._closed = True
            for timer in (self._timer, self._frame_timer):
                if timer is not None:
                    timer.cancel()
            self._frame_timer = None
            for done in self._said:
                if not done.done():
                    done.set_result(None)
            self._tell_voice(self._detector.stop())
            self._port.close()
            self._journal.record(self.name, "radio.closed", **self.stats.as_json())
        return self.stats


def _told(state: RadioState) -> dict[str, Any]:
    """A state in the journal's words."""
    quality = state.quality
    return {
        "ptt": state.ptt.name.lower(),
        "ptt_id": state.ptt_id,
        "mute": state.ptt_mute,
        "squelch": state.squelch,
        "quality": None if quality is None else quality.index,
    }
