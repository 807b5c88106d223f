"""What an audio port sends in each 20 ms: speech, keys, silence, or the noise in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from harness.endpoints.media.packets import Packetiser, lag_ms
from harness.endpoints.media.sound import FRAME_S, FRAMES_A_SECOND, ClipQueue
from harness.endpoints.media.suppression import SilenceSuppressor
from harness.endpoints.media.terms import SpeechTerms
from harness.errors import MediaError
from harness.protocols.rtp.codecs import Codec, codec_named
from harness.protocols.rtp.dtmf import DEFAULT_VOLUME, DIGITS, DtmfSender
from harness.protocols.rtp.g711 import CODECS, G711, Samples

PCMA: Final = CODECS["PCMA"]

Tell = Callable[..., None]
"""Takes a time, a kind, and what else there is to say."""


@dataclass(slots=True)
class Piece:
    """One RTP packet to be."""

    payload_type: int
    timestamp: int
    payload: bytes
    marker: bool
    seconds: float
    """How much of the stream it stands for."""
    after: float = 0.0
    """Seconds until it is due."""


class Talker:
    """The sending half of an audio port."""

    def __init__(self, tell: Tell, codec: Codec, name: str) -> None:
        self._tell = tell
        self._name = name
        self.clips = ClipQueue(codec.rate)
        self.marker = True
        """Whether the next packet of speech begins a talkspurt (RFC 3551 section 4.1)."""
        self.digits_sent = 0
        self.noise_sent = 0
        self._digits_queued = 0
        self.step = codec.clock // FRAMES_A_SECOND
        """RTP timestamp units in a frame."""
        self._terms: SpeechTerms | None = None
        self._dtmf = DtmfSender()
        self._dtmf_clock = 8000
        self._suppressor: SilenceSuppressor | None = None
        self._use(codec, 20)

    def agree(self, terms: SpeechTerms, ptime: int, now: float) -> None:
        """Send by these terms from now on, in packets of `ptime` milliseconds. Raises MediaError."""
        codec = codec_named(terms.codec)
        if codec != self.codec or ptime != self.ptime:
            last = self.clips.change_rate(codec.rate) if codec.rate != self.codec.rate else 0
            self._use(codec, ptime)
            if last:
                self._tell(now, "clip.ended", clip=last, whole=False)
        if not self._dtmf.active:
            self._dtmf = DtmfSender(frame=terms.dtmf_clock // FRAMES_A_SECOND, step=self.step)
            self._dtmf_clock = terms.dtmf_clock
        if terms.comfort_noise_payload_type is None:
            self._suppressor = None
        elif self._suppressor is None:
            self._suppressor = SilenceSuppressor()
        self._terms = terms
        self.payload_type = terms.payload_type
        """What speech is sent under."""
        self._set_silence()

    def _use(self, codec: Codec, ptime: int) -> None:
        packets = Packetiser(codec, ptime)
        self.codec, self.ptime, self._packets = codec, ptime, packets
        self.payload_type = codec.payload_type
        self.lag_s = lag_ms(ptime) / 1000
        """How much later than its frame a sample leaves."""
        self.step = codec.clock // FRAMES_A_SECOND
        self._zeros: Samples = np.zeros(codec.rate // FRAMES_A_SECOND, np.int16)
        self._set_silence()

    def _set_silence(self) -> None:
        self.law = self.codec if isinstance(self.codec, G711) else PCMA
        """The law of the plain case: G.711 in packets of one frame, silence sent like speech."""
        plain = self.law is self.codec and self.ptime == 20 and self._suppressor is None
        self.silence = bytes([self.law.silence]) * self.step if plain else None
        """The payload of a packet of silence; None where it is not the plain case."""

    @property
    def presses(self) -> bool:
        """Whether keys, or the gap after one, are under way."""
        return self._dtmf.active

    def press(self, digits: str, *, duration_ms: int, gap_ms: int, volume: int = DEFAULT_VOLUME) -> int:
        """Queue keys; return the number of the last one. Raises MediaError."""
        if self._terms is None or self._terms.dtmf_payload_type is None:
            raise MediaError(f"no telephone-event payload type was agreed on port {self._name}")
        units = self._dtmf_clock // 1000
        self._dtmf.queue(digits, duration=duration_ms * units, gap=gap_ms * units, volume=volume)
        self._digits_queued += len(digits)
        return self._digits_queued

    def clip(self, now: float) -> Samples | None:
        """The frame of the clip that is due now."""
        frame, begun, ended = self.clips.next_frame()
        if begun or ended:
            self._tell_clip(now, begun, ended)
        return frame

    def coded_clip(self, law: G711, now: float) -> bytes:
        """The same as G.711 octets; there must be a clip."""
        octets, begun, ended = self.clips.next_coded(law)
        if begun or ended:
            self._tell_clip(now, begun, ended)
        return octets

    def _tell_clip(self, now: float, begun: int, ended: int) -> None:
        if begun:
            self._tell(now, "clip.started", clip=begun)
        if ended:
            self._tell(now + FRAME_S + self.lag_s, "clip.ended", clip=ended, whole=True)

    def stop_clips(self, now: float) -> None:
        """Cut what is being played."""
        last = self.clips.clear()
        if last:
            self._tell(now, "clip.ended", clip=last, whole=False)

    def pieces(self, sound: Samples | None, timestamp: int, now: float) -> Iterator[Piece]:
        """What leaves of the frame that begins at `timestamp` and whose sound is `sound` (None: silence)."""
        terms = self._terms
        assert terms is not None
        if self._dtmf.active and terms.dtmf_payload_type is not None:
            tone = self._dtmf.next_packet(timestamp)
            if tone is not None:
                yield from self._flushed(terms)
                self.marker = False
                if tone.last:
                    self.digits_sent += 1
                    digit = DIGITS[tone.event.event]
                    duration = 1000 * tone.elapsed / self._dtmf_clock
                    self._tell(now, "dtmf.sent", digit=digit, duration_ms=duration, number=self.digits_sent)
                yield Piece(terms.dtmf_payload_type, tone.timestamp, tone.event.build(), tone.marker, FRAME_S)
                return
        if self._suppressor is not None and terms.comfort_noise_payload_type is not None:
            silent = self._suppressor.suppressing
            if not self._suppressor.speaks(sound):
                yield from self._flushed(terms)
                noise = self._suppressor.noise()
                if noise is not None:
                    self.noise_sent += 1
                    yield Piece(terms.comfort_noise_payload_type, timestamp, noise.build(), False, FRAME_S)
                return
            self.marker |= silent
        for payload in self._packets.put(self._zeros if sound is None else sound, timestamp):
            marker, self.marker = self.marker, False
            yield Piece(terms.payload_type, payload.timestamp, payload.data, marker, self.ptime / 1000, payload.after)

    def _flushed(self, terms: SpeechTerms) -> Iterator[Piece]:
        left = self._packets.flush()
        if left is not None:
            marker, self.marker = self.marker, False
            yield Piece(terms.payload_type, left.timestamp, left.data, marker, FRAME_S)
