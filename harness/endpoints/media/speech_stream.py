"""An audio port of the engine: what it hears, what it says, and whom it is joined to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from harness.endpoints.media.bridge import Bridge
from harness.endpoints.media.events import MediaEvent
from harness.endpoints.media.impairment import Impairment
from harness.endpoints.media.listener import Listener
from harness.endpoints.media.playout import FRAME, Playout
from harness.endpoints.media.sending import RTP
from harness.endpoints.media.sound import mix, turned
from harness.endpoints.media.stream import Stream
from harness.endpoints.media.talker import Talker
from harness.endpoints.media.terms import SpeechTerms, check_ptime
from harness.errors import MediaError
from harness.protocols.rtp.codecs import codec_named
from harness.protocols.rtp.g711 import Samples
from harness.protocols.rtp.resample import Converter, converted, converter
from harness.protocols.rtp.rtp import HEADER, RtpPacket
from harness.protocols.rtp.statistics import Arrival

HANGOVER: Final = 100
"""Frames of silence that are still sent before a port rests: two seconds, longer than pauses between words."""


class _Source:
    """Another port that this one sends on."""

    def __init__(self, stream: SpeechStream, gain_db: float = 0.0) -> None:
        self.stream = stream
        self._gain_db = gain_db
        self._rates = (0, 0)
        self._converter: Converter | None = None

    def frame(self, rate: int) -> Samples | None:
        """What it heard last, at another rate, turned up or down."""
        heard = self.stream.heard
        if heard is None:
            return None
        if self._gain_db:
            heard = turned(heard, self._gain_db)
        rates = (self.stream.heard_rate, rate)
        if rates != self._rates:
            self._rates, self._converter = rates, converter(*rates)
        return heard if self._converter is None else self._converter.convert(heard)


class SpeechStream(Stream):
    """A port: what it was agreed to send and take, and everything under way on it."""

    kind: ClassVar[str] = "audio"

    __slots__ = (
        "_bridge", "_mute_in", "_mute_out", "_quiet_payload", "_quiet_type", "_sources", "_speech_terms", "heard",
        "heard_rate", "listener", "talker",
    )  # fmt: skip

    def __init__(
        self,
        number: int,
        name: str,
        codec: str,
        *,
        ssrc: int,
        sequence: int,
        timestamp: int,
        seed: int,
        playout_ms: int,
        playout_max_ms: int,
        events: list[MediaEvent],
    ) -> None:
        """`playout_ms`, `playout_max_ms`: bounds of the playout buffer's depth. Raises MediaError."""
        super().__init__(number, name, ssrc=ssrc, sequence=sequence, timestamp=timestamp, seed=seed, events=events)
        spoken = codec_named(codec)
        playout = Playout(
            playout_ms, max_depth_ms=playout_max_ms, rate=spoken.rate, clock=spoken.clock, seed=seed & 0xFFFFFFFF
        )
        self.talker = Talker(self._tell, spoken, name)
        self.listener = Listener(self._tell, spoken, playout)
        self.heard: Samples | None = None
        """The frame that was heard last; None for silence."""
        self.heard_rate = spoken.rate
        self._sources: list[_Source] = []
        self._bridge: Bridge | None = None
        self._mute_out = False
        self._mute_in = False
        self._speech_terms: SpeechTerms | None = None
        self._quiet_type = 0
        self._quiet_payload: bytes | None = b""

    @property
    def rate(self) -> int:
        """Samples a second of what is sent."""
        return self.talker.codec.rate

    @property
    def clock(self) -> int:
        """RTP timestamp units a second of what the peer sends."""
        return self.listener.codec.clock

    @property
    def own_clock(self) -> int:
        """RTP timestamp units a second of what we send."""
        return self.talker.codec.clock

    # --- agreement ---

    def connect(self, terms: SpeechTerms, now: float) -> None:
        """Agree with a peer, or anew. Raises MediaError, and then nothing has changed."""
        starts = terms.send and not self.sending
        self.agree(terms, now)
        self.talker.agree(terms, self._ptime(terms), now)
        if starts:
            self.talker.marker = True
        self.listener.agree(terms)
        self.heard_rate = self.listener.codec.rate
        self._speech_terms = terms

    def impair(self, impairment: Impairment | None, now: float) -> None:
        """Misbehave so from now on, or (None) no more. Raises MediaError."""
        terms = self._speech_terms
        wrong = None if impairment is None else impairment.ptime
        if wrong is not None and terms is not None:
            check_ptime(terms.codec, wrong, secured=terms.security is not None)
        super().impair(impairment, now)
        if terms is not None:
            self.talker.agree(terms, self._ptime(terms), now)

    def _ptime(self, terms: SpeechTerms) -> int:
        wrong = None if self._impairer is None else self._impairer.impairment.ptime
        if wrong is not None:
            try:
                check_ptime(terms.codec, wrong, secured=terms.security is not None)
            except MediaError:  # what it was asked for no longer fits what is agreed
                return terms.ptime
            return wrong
        return terms.ptime

    def mute(self, *, outgoing: bool, incoming: bool) -> None:
        """Send silence in place of speech, hear silence in place of what comes."""
        self._mute_out, self._mute_in = outgoing, incoming

    # --- whom it is joined to ---

    def hear(self, sources: list[SpeechStream], gains_db: Sequence[float] = ()) -> None:
        """Send on what these hear, mixed; `gains_db`: how many dB each is turned up, or none at all."""
        gains = gains_db or [0.0] * len(sources)
        self._sources = [_Source(source, gain) for source, gain in zip(sources, gains, strict=True)]

    @property
    def sources(self) -> list[SpeechStream]:
        """Whom it sends on."""
        return [source.stream for source in self._sources]

    def forget(self, other: SpeechStream) -> None:
        """A port is closed: it is sent on no more."""
        self._sources = [source for source in self._sources if source.stream is not other]

    def join(self, bridge: Bridge, *, speak: bool, hear: bool) -> None:
        """Be a party of a conference, and of no other. Raises MediaError."""
        if self._bridge is not None and self._bridge is not bridge:
            self.leave()
        bridge.join(self, speak=speak, hear=hear)
        self._bridge = bridge

    def leave(self) -> None:
        """Be a party of no conference."""
        if self._bridge is not None:
            self._bridge.leave(self)
            self._bridge = None

    @property
    def bridge(self) -> Bridge | None:
        """The conference that it is in."""
        return self._bridge

    # --- what it plays ---

    def play(self, samples: Samples, rate: int, *, loop: bool) -> tuple[int, int, float]:
        """Queue a clip; return its number, the frames before it, and by how much later its packets leave."""
        self.require_sending()
        clip, ahead = self.talker.clips.add(converted(samples, rate, self.rate), loop=loop)
        return clip, ahead, self.talker.lag_s

    # --- out ---

    def plain_packet(self, now: float) -> bytes:
        """The packet of a frame in which nothing is heard, and silence or the next piece of a clip is said."""
        payload = self._quiet_payload
        if payload is None:
            talker = self.talker
            payload = talker.coded_clip(talker.law, now)
            self.quiet = talker.clips.playing
        sequence, timestamp = self._sequence, self._timestamp
        self._sequence = (sequence + 1) & 0xFFFF
        self._timestamp = (timestamp + FRAME) & 0xFFFFFFFF
        self.packets_sent += 1
        self.bytes_sent += FRAME
        return HEADER.pack(0x80, self._quiet_type, sequence, timestamp, self._ssrc) + payload

    def tick(self, now: float) -> bytes | None:
        """Hear the frame that plays at `now` and send the frame that is due at `now`."""
        active = self.listener.active
        if active:
            heard = self.listener.hear(now, receiving=self.receiving)
            self.heard = None if self._mute_in else heard
        else:
            self.heard = None
        if self._bridge is not None:
            self._bridge.said(self, self.heard, self.heard_rate)
        talker = self.talker
        timestamp = self._timestamp
        self._timestamp = (timestamp + talker.step) & 0xFFFFFFFF
        rests = self._speech_terms is not None and self._speech_terms.rests
        if rests and self._pauses():
            talker.marker = True
            self.resting = not active and all(source.stream.resting for source in self._sources)
            return None
        if self.to is None or not self.sending:
            return None
        payload = talker.silence
        if payload is None or self._impairer is not None or talker.presses:
            return self._say(timestamp, now)
        self._quiet_payload = None
        if self._sources or self._bridge is not None or self._mute_out:
            sound = self._sound(now)
            payload = payload if sound is None else talker.law.encode(sound)
        else:
            if talker.clips.playing:
                payload = talker.coded_clip(talker.law, now)
            else:
                self._quiet_payload = payload
            if not active and self._srtp is None:
                self._quiet_type = talker.payload_type
                self.quiet = talker.clips.playing or (self._quiet_payload is not None and not rests)
        marker, talker.marker = talker.marker, False
        return self._packet(talker.payload_type, timestamp, payload, now, marker=marker)

    def _pauses(self) -> bool:
        """Whether there has been nothing to say for so long that nothing is sent."""
        if not self.sending:
            return True
        talker = self.talker
        if talker.clips.playing or talker.presses or self._bridge is not None or self._impairer is not None:
            self.silent = 0
            return False
        for source in self._sources:
            if source.stream.heard is not None:
                self.silent = 0
                return False
        self.silent += 1
        return self.silent > HANGOVER

    def sign_of_life(self, now: float) -> bytes | None:
        """An RTP packet without speech (RFC 6263 section 4.1)."""
        if self.to is None or not self.sending:
            return None
        return self._packet(self.talker.payload_type, self._timestamp, b"", now, marker=False)

    def _sound(self, now: float) -> Samples | None:
        """What is said in this frame: clip, sources and conference mixed; None for silence."""
        frames = [frame for source in self._sources if (frame := source.frame(self.rate)) is not None]
        if self.talker.clips.playing:
            clip = self.talker.clip(now)
            if clip is not None:
                frames.append(clip)
        if self._bridge is not None:
            others = self._bridge.for_party(self, self.rate)
            if others is not None:
                frames.append(others)
        return mix(frames) if frames and not self._mute_out else None

    def _say(self, timestamp: int, now: float) -> bytes | None:
        """The general case of a frame; return what leaves at once and keep what leaves later."""
        talker, impairer, sound = self.talker, self._impairer, self._sound(now)
        wrong_type = None
        if impairer is not None:
            sound = impairer.sound(sound)
            wrong_type = impairer.impairment.payload_type
        at_once = None
        for piece in talker.pieces(sound, timestamp, now):
            payload_type = piece.payload_type
            if wrong_type is not None and payload_type == talker.payload_type:
                payload_type = wrong_type
            packet = self._packet(payload_type, piece.timestamp, piece.payload, now, marker=piece.marker)
            leaving = None if packet is None else self._leave(packet, now, piece.seconds, after=piece.after)
            if leaving is not None:
                if at_once is None:
                    at_once = leaving
                else:
                    assert self.to is not None
                    self.postpone((now, RTP, leaving, self.to))
        return at_once

    def stop_clips(self, now: float) -> None:
        """Cut what is being played."""
        self.quiet = False
        self.talker.stop_clips(now)

    # --- in ---

    def _check(self, packet: RtpPacket) -> bool:
        return self.listener.check(packet)

    def _timestamp_of(self, packet: RtpPacket) -> int | None:
        return None if self.listener.is_event(packet) else packet.timestamp

    def _take(self, packet: RtpPacket, now: float, arrival: Arrival) -> None:
        source = self.reception.source
        assert source is not None
        if self.listener.take(packet, now, arrival, source.gap):
            source.change_clock(self.clock)
        self.heard_rate = self.listener.codec.rate

    def _forget_source(self, now: float) -> None:
        self.listener.forget(now)
        super()._forget_source(now)

    # --- telling ---

    def _own_stats(self) -> dict[str, Any]:
        listener, talker = self.listener, self.talker
        return {
            **listener.delay(),
            "codec": listener.codec.name,
            "first_voice": listener.first_voice,
            "payload_changes": listener.payload_changes,
            "dtmf_sent": talker.digits_sent,
            "dtmf_received": listener.digits_received,
            "comfort_noise_sent": talker.noise_sent,
            "comfort_noise_received": listener.noise_received,
        }

    def skip(self, frames: int, now: float) -> None:
        """Let so many frames pass that could be neither sent nor heard."""
        super().skip(frames, now)
        self.listener.playout.reset()
        if self.listener.recorder.running:
            self.listener.recorder.pad(frames, now)

    def finish(self, now: float) -> None:
        """Say what is still open: speech, a tone, a clip."""
        self.stop_clips(now)
        self.leave()
        super().finish(now)
