"""One port of the engine: the two directions of one RTP stream, without sockets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from harness.endpoints.media.api import Address, PortStats
from harness.endpoints.media.peer import Peer
from harness.endpoints.media.playout import FRAME, Playout
from harness.endpoints.media.rtcp_session import RtcpSession
from harness.endpoints.media.sound import FRAME_S, ClipQueue, Recorder, mix
from harness.endpoints.media.speech import SpeechDetector, Voice
from harness.errors import MediaError, RtpError
from harness.protocols.rtp.codecs import Codec
from harness.protocols.rtp.dtmf import DIGITS, DtmfEvent, DtmfReceiver, DtmfSender, Tone
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.protocols.rtp.rtp import RtpPacket, build_plain
from harness.protocols.rtp.statistics import Arrival, Reception

MAX_AUDIO_PAYLOAD = 1600
"""Octets: a receiver should take up to 200 ms a packet (RFC 3551 section 4.2)."""
MALFORMED_REPORT_S = 1.0
"""Malformed datagrams are reported at most so often; each report says how many there were."""
DTMF_LOST_END_S = 0.2
"""After so long without an update an event whose end packets were lost is reported."""

Outgoing = tuple[int, bool, bytes, Address]
"""A datagram to send: the port's number, whether from its RTCP socket, the bytes, where to."""


@dataclass(frozen=True, slots=True)
class MediaEvent:
    """What an engine tells its host; journalled under the port's name."""

    time: float
    """Engine time at which it happened on the wire, or at the ear."""
    port: int
    kind: str
    data: dict[str, Any] = field(default_factory=dict)
    warning: bool = False


class Stream:
    """A port: what it was agreed to send and take, and everything under way on it."""

    def __init__(
        self,
        number: int,
        name: str,
        codec: Codec,
        *,
        ssrc: int,
        sequence: int,
        timestamp: int,
        playout_ms: int,
        events: list[MediaEvent],
    ) -> None:
        self.number = number
        self.name = name
        self.codec = codec
        self.payload_type = codec.payload_type
        self.dtmf_payload_type: int | None = None
        self.connected = False
        self.sending = False
        self.receiving = False
        self.peer = Peer(None)
        self.playout = Playout(playout_ms)
        self.sources: list[Stream] = []
        self.heard: Samples | None = None
        self.clips = ClipQueue()
        self.recorder = Recorder()
        self._events = events
        self.dtmf = DtmfSender(frame=FRAME)
        self.rtcp = RtcpSession(ssrc, name)
        self._ssrc = ssrc
        self._sequence = sequence
        self._timestamp = timestamp
        self._marker = True
        self._speech = SpeechDetector()
        self._tones = DtmfReceiver()
        self._tone_seen = 0.0
        self._tone_ends = 0
        self._reception: Reception | None = None
        self._past = PortStats()  # of sources that are gone
        self._malformed_reported = float("-inf")
        self._malformed_since = 0
        self._unexpected: set[int] = set()
        self.digits_queued = 0
        self._counts = dict.fromkeys(
            ("packets_sent", "bytes_sent", "packets_received", "bytes_received", "malformed", "unexpected_payload",
             "discarded", "dtmf_sent", "dtmf_received"), 0
        )  # fmt: skip
        self._silence = bytes([codec.silence]) * FRAME

    # --- agreement ---

    def connect(
        self,
        remote: Address | None,
        codec: Codec,
        *,
        payload_type: int,
        dtmf_payload_type: int | None,
        send: bool,
        receive: bool,
        now: float,
    ) -> None:
        """Agree with a peer; an unchanged remote keeps its stream going."""
        same = self.connected and remote == self.peer.agreed and codec == self.codec
        if not same:
            self._forget_source(now)
            strangers = self.peer.strangers
            self.peer = Peer(remote)
            self.peer.strangers = strangers
        if send and not self.sending:
            self._marker = True
            self.rtcp.begin(now)
        self.codec = codec
        self._silence = bytes([codec.silence]) * FRAME
        self.payload_type, self.dtmf_payload_type = payload_type, dtmf_payload_type
        self.connected, self.sending, self.receiving = True, send, receive
        self._unexpected.clear()

    def require_sending(self) -> None:
        """Raise MediaError unless there is somebody to send to."""
        if not self.connected or not self.sending:
            raise MediaError(f"port {self.name} is not sending; connect it first")
        if self.peer.address is None:
            raise MediaError(f"nobody has sent to port {self.name} yet, so there is nobody to play to")

    # --- out ---

    def tick(self, now: float) -> Iterator[Outgoing]:
        """Hear the frame that plays at `now` and send the frame that is due at `now`."""
        self._hear(now)
        to = self.peer.address
        if self.sending and to is not None:
            payload_type, timestamp, payload, marker = self._frame(now)
            packet = build_plain(payload_type, self._sequence, timestamp, self._ssrc, payload, marker=marker)
            self._sequence = (self._sequence + 1) & 0xFFFF
            self._counts["packets_sent"] += 1
            self._counts["bytes_sent"] += len(payload)
            yield self.number, False, packet, to
        if to is not None and self.rtcp.due(now):
            yield self.number, True, self.report(now), (to[0], to[1] + 1)
        self._timestamp = (self._timestamp + FRAME) & 0xFFFFFFFF

    def report(self, now: float, *, goodbye: bool = False) -> bytes:
        """An RTCP report on both directions."""
        return self.rtcp.report(
            now,
            self._reception,
            self.peer.ssrc,
            timestamp=self._timestamp,
            packets=self._counts["packets_sent"],
            octets=self._counts["bytes_sent"],
            goodbye=goodbye,
        )

    def skip(self, frames: int, now: float) -> None:
        """Let so many frames pass that could be neither sent nor heard."""
        self._timestamp = (self._timestamp + frames * FRAME) & 0xFFFFFFFF
        self.playout.reset()
        if self.recorder.running:
            self.recorder.pad(frames, now)

    def _frame(self, now: float) -> tuple[int, int, bytes, bool]:
        """Payload type, timestamp, payload and marker of the frame due now."""
        # a clip goes on under a tone, unheard, so that it ends when it was said to
        clip, begun, ended = self.clips.next_frame()
        if begun:
            self._tell(now, "clip.started", clip=begun)
        if ended:
            self._tell(now + FRAME_S, "clip.ended", clip=ended, whole=True)
        if self.dtmf.active and self.dtmf_payload_type is not None:
            tone = self.dtmf.next_packet(self._timestamp)
            if tone is not None:
                self._marker = False
                if tone.last:
                    self._counts["dtmf_sent"] += 1
                    digit = DIGITS[tone.event.event]
                    duration = 1000 * tone.event.duration / SAMPLE_RATE
                    self._tell(now, "dtmf.sent", digit=digit, duration_ms=duration, number=self._counts["dtmf_sent"])
                return self.dtmf_payload_type, tone.timestamp, tone.event.build(), tone.marker
        payload = self._silence
        if clip is not None or self.sources:
            frames = [source.heard for source in self.sources if source.heard is not None]
            if clip is not None:
                frames.append(clip)
            if frames:
                payload = self.codec.encode(mix(frames))
        marker, self._marker = self._marker, False
        return self.payload_type, self._timestamp, payload, marker

    def stop_clips(self, now: float) -> None:
        """Cut what is being played."""
        last = self.clips.clear()
        if last:
            self._tell(now, "clip.ended", clip=last, whole=False)

    # --- in ---

    def _hear(self, now: float) -> None:
        self.heard = self.playout.take(now) if self.receiving else None
        if self.recorder.running:
            self.recorder.frame(self.heard, now)
        if self.heard is not None or not self._speech.idle:
            self._voice(self._speech.frame(self.heard, now, FRAME_S))
        if self._tones.active and now - self._tone_seen > DTMF_LOST_END_S:
            self._report_tones(self._tones.give_up(), now)

    def datagram(self, data: bytes, source: Address, now: float) -> None:
        """Take a datagram from the RTP socket."""
        if not self.connected or not self.receiving:
            self._counts["discarded"] += 1
            return
        if not self.peer.may_be(source, now):
            self._stranger(source, "address", now)
            return
        try:
            packet = RtpPacket.parse(data)
            self._check_payload(packet)
        except RtpError as error:
            self._malformed(str(error), source, now)
            return
        is_tone = packet.payload_type == self.dtmf_payload_type
        if not is_tone and packet.payload_type != self.payload_type:
            self._counts["unexpected_payload"] += 1
            if packet.payload_type not in self._unexpected:
                self._unexpected.add(packet.payload_type)
                self._tell(now, "rtp.unexpected_payload", warning=True, payload_type=packet.payload_type)
            return
        admitted = self.peer.admit(source, packet.ssrc, now)
        if admitted is False:
            self._stranger(source, "ssrc", now)
            return
        if admitted is None:
            self._new_source(packet, source, now)
        self._receive(packet, now, is_tone=is_tone)

    def _check_payload(self, packet: RtpPacket) -> None:
        if packet.payload_type == self.dtmf_payload_type:
            DtmfEvent.parse(packet.payload)
        elif packet.payload_type == self.payload_type and len(packet.payload) > MAX_AUDIO_PAYLOAD:
            raise RtpError(f"audio payload of {len(packet.payload)} octets, at most {MAX_AUDIO_PAYLOAD} are taken")

    def _new_source(self, packet: RtpPacket, source: Address, now: float) -> None:
        self._forget_source(now)
        # signalling, or the latch, has vouched for the source: no probation
        self._reception = Reception(packet.sequence, probation=0)
        self._tell(
            now,
            "rtp.first_packet",
            remote=f"{source[0]}:{source[1]}",
            ssrc=f"0x{packet.ssrc:08x}",
            payload_type=packet.payload_type,
        )

    def _receive(self, packet: RtpPacket, now: float, *, is_tone: bool) -> None:
        assert self._reception is not None
        arrival = self._reception.update(packet.sequence, None if is_tone else packet.timestamp, now)
        if arrival is Arrival.DUPLICATE:
            return
        if arrival is Arrival.OUT_OF_RANGE:
            self._counts["discarded"] += 1
            return
        if arrival is Arrival.RESTART:
            self.playout.reset()
        self._counts["packets_received"] += 1
        self._counts["bytes_received"] += len(packet.payload)
        if is_tone:
            self._receive_tone(packet, now)
        elif packet.payload:  # empty ones only keep a path open (RFC 6263 section 4.1)
            self.playout.put(packet.timestamp, self.codec.decode(packet.payload), now)

    def _receive_tone(self, packet: RtpPacket, now: float) -> None:
        event = DtmfEvent.parse(packet.payload)
        self._tone_seen = now
        self._tone_ends = self._tone_ends + 1 if event.end else 0
        # each packet stands for a frame of audio that is not sent, the repeated ends for those after the event
        repeats = max(0, self._tone_ends - 1)
        offset = max(0, event.duration - FRAME) + repeats * FRAME
        self.playout.put_silence((packet.timestamp + offset) & 0xFFFFFFFF, FRAME, now)
        self._report_tones(self._tones.receive(packet.timestamp, event), now)

    def _report_tones(self, tones: list[Tone], now: float) -> None:
        for tone in tones:
            self._counts["dtmf_received"] += 1
            duration = 1000 * tone.duration / SAMPLE_RATE
            self._tell(now, "dtmf.received", digit=tone.digit, duration_ms=duration, ended=tone.ended)

    def control(self, data: bytes, source: Address, now: float) -> None:
        """Take a datagram from the RTCP socket."""
        if not self.connected:
            self._counts["discarded"] += 1
            return
        peer = self.peer.address
        if peer is None or source[0] != peer[0]:
            self._stranger(source, "rtcp address", now)
            return
        try:
            gone = self.rtcp.receive(data, self.peer.ssrc, now)
        except RtpError as error:
            self._malformed(str(error), source, now)
            return
        if gone is not None:
            self.peer.goodbye(gone)

    # --- telling ---

    def _stranger(self, source: Address, reason: str, now: float) -> None:
        if self.peer.stranger(source, reason):
            self._tell(now, "rtp.stranger", warning=True, remote=f"{source[0]}:{source[1]}", reason=reason)

    def _malformed(self, reason: str, source: Address, now: float) -> None:
        self._counts["malformed"] += 1
        self._malformed_since += 1
        if now - self._malformed_reported >= MALFORMED_REPORT_S:
            self._malformed_reported = now
            count, self._malformed_since = self._malformed_since, 0
            remote = f"{source[0]}:{source[1]}"
            self._tell(now, "rtp.malformed", warning=True, remote=remote, reason=reason, count=count)

    def _voice(self, voice: Voice | None) -> None:
        if voice is not None:
            kind = "voice.started" if voice.started else "voice.ended"
            self._tell(voice.time, kind, level_dbov=voice.level_dbov)

    def _forget_source(self, now: float) -> None:
        self._voice(self._speech.stop())
        self._report_tones(self._tones.give_up(), now)
        self._past = self._loss_so_far()
        self._reception = None
        self.playout.reset()

    def _loss_so_far(self) -> PortStats:
        past, now = self._past, self._reception
        if now is None:
            return past
        return PortStats(
            lost=past.lost + now.lost,
            reordered=past.reordered + now.reordered,
            duplicates=past.duplicates + now.duplicates,
            jitter_ms=round(now.jitter_ms, 3),
        )

    def stats(self) -> PortStats:
        """What crossed so far."""
        past = self._loss_so_far()
        return PortStats(
            **self._counts,
            lost=past.lost,
            reordered=past.reordered,
            duplicates=past.duplicates,
            jitter_ms=past.jitter_ms,
            late=self.playout.late,
            concealed=self.playout.concealed,
            resyncs=self.playout.resyncs,
            strangers=self.peer.strangers,
            rtcp_sent=self.rtcp.sent,
            rtcp_received=self.rtcp.received,
            round_trip_ms=self.rtcp.round_trip_ms,
            peer_lost=self.rtcp.peer_lost,
        )

    def finish(self, now: float) -> None:
        """Say what is still open: speech, a tone, a clip."""
        self.stop_clips(now)
        self._forget_source(now)

    def _tell(self, time: float, kind: str, *, warning: bool = False, **data: Any) -> None:
        self._events.append(MediaEvent(time, self.number, kind, data, warning))
