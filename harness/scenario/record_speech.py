"""Makes of a stream of RTP packets what was said, phrase by phrase: samples, and when each phrase began.

Theory. Packets are set in the order of their sequence numbers, and each one's sound stands where its timestamp puts
it (RFC 3550 clause 5.1): what was lost, or not sent as nobody spoke, is silence. A phrase begins with the first packet
that is more than a line's own noise, and ends where there was nothing else for PAUSE_S. Nothing louder is left out: on
a call to the police a noise may be what matters.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

import numpy as np

from harness.endpoints.media.sound import MAX_CLIP_S
from harness.errors import RtpError, ScenarioError
from harness.protocols.rtp.codecs import Codec, Decoder, codec_named
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.protocols.rtp.resample import Converter, converter
from harness.protocols.rtp.rtp import RtpPacket

PAUSE_S: Final = 1.0
"""So long nothing was heard between two phrases."""
QUIET: Final = 58
"""Root mean square of a packet's samples up to which it is a line's own noise: -55 dB of full scale."""
LEAD: Final = 3
"""Packets before the first that is heard, and as many after the last, that a phrase keeps: sounds end soft."""
REORDERED: Final = 16
"""Packets that may come before one that was sent before them."""
MAX_SPEECH_S: Final = 3_600.0
"""What is taken from one capture."""
_PHRASE_S: Final = MAX_CLIP_S - PAUSE_S
"""A longer phrase is cut in two: a clip has to have room for it."""
_JUMP_S: Final = 60.0
"""Timestamps further apart than this are of another beginning."""
_HALF: Final = 1 << 31


@dataclass(frozen=True, slots=True)
class Phrase:
    """Something that was said."""

    time: float
    """When its first packet came, seconds since 1970."""
    samples: Samples


@dataclass(slots=True)
class Allowance:
    """Of how much speech there is room still: one for all voices of a capture."""

    seconds: float = MAX_SPEECH_S

    def take(self, seconds: float) -> None:
        """Take some of it. Raises ScenarioError where there is not so much."""
        self.seconds -= seconds
        if self.seconds < 0:
            raise ScenarioError(f"found more than {MAX_SPEECH_S:.0f} s of speech; a capture of a shorter time is due")


@dataclass(slots=True)
class _Under:
    """A phrase under way."""

    time: float
    begins: int
    """Sample of the stream at which it begins."""
    heard_until: int
    parts: list[tuple[int, Samples]] = field(default_factory=list)


@dataclass(slots=True)
class _Sound:
    """One packet's sound."""

    time: float
    begins: int
    samples: Samples


class Voice:
    """One stream of packets, as whoever receives it hears it."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self.phrases: list[Phrase] = []
        self._waiting: list[tuple[int, int, float, RtpPacket]] = []
        """By sequence number: packets that one sent before them may still come after."""
        self._newest: int | None = None
        self._count = 0
        self._ssrc: int | None = None
        self._codec: Codec | None = None
        self._decoder: Decoder | None = None
        self._converter: Converter | None = None
        self._last: tuple[int, int] | None = None
        """Timestamp of the packet before, and the sample of the stream at which that began."""
        self._end = 0
        """Sample at which the sound before ended."""
        self._under: _Under | None = None
        self._before: deque[_Sound] = deque(maxlen=LEAD)

    def take(self, time: float, packet: RtpPacket, codec: str) -> None:
        """Take the next packet that was captured. Raises MediaError for a codec that is not to be had here."""
        if packet.ssrc != self._ssrc or self._codec is None or codec.upper() != self._codec.name:
            self.finish()
            self._codec = codec_named(codec)
            self._ssrc, self._newest = packet.ssrc, None
            self._decoder = self._codec.decoder()
            self._converter = converter(self._codec.rate, SAMPLE_RATE)
        newest = packet.sequence if self._newest is None else self._newest
        place = newest + (packet.sequence - newest + 0x8000) % 0x10000 - 0x8000
        self._newest = max(newest, place)
        self._count += 1
        heapq.heappush(self._waiting, (place, self._count, time, packet))
        if len(self._waiting) > REORDERED:
            self._next()

    def finish(self) -> None:
        """Take it that no more packets come, of this stream or for long."""
        while self._waiting:
            self._next()
        self._close()
        self._last = None
        self._before.clear()

    def _next(self) -> None:
        place, _, time, packet = heapq.heappop(self._waiting)
        while self._waiting and self._waiting[0][0] == place:
            heapq.heappop(self._waiting)  # it was captured twice
        assert self._codec is not None
        assert self._decoder is not None
        if not packet.payload:
            return
        try:
            samples = self._decoder.decode(packet.payload)
        except RtpError:
            return
        if self._converter is not None:
            samples = self._converter.convert(samples)
        self._hear(_Sound(time, self._begins(packet.timestamp, self._codec.clock), samples))

    def _begins(self, timestamp: int, clock: int) -> int:
        """Return the sample of the stream at which a packet's sound begins."""
        if self._last is not None:
            before, began = self._last
            apart = (timestamp - before + _HALF) % (2 * _HALF) - _HALF
            if abs(apart) <= _JUMP_S * clock:
                self._last = timestamp, began + apart * SAMPLE_RATE // clock
                return self._last[1]
            self._close()
            self._before.clear()
        # Far from all that was before, so that nothing of it is taken for the same.
        self._last = timestamp, self._end + int(_JUMP_S) * SAMPLE_RATE
        return self._last[1]

    def _hear(self, sound: _Sound) -> None:
        end = sound.begins + len(sound.samples)
        if sound.begins < self._end:
            return
        self._end = end
        heard = float(np.sqrt(np.mean(np.square(sound.samples, dtype=np.float64)))) > QUIET
        under = self._under
        if under is not None and (
            sound.begins - under.heard_until >= PAUSE_S * SAMPLE_RATE or end - under.begins > _PHRASE_S * SAMPLE_RATE
        ):
            self._close()
            under = None
        if under is None:
            if not heard:
                self._before.append(sound)
                return
            under = self._begin(sound)
        under.parts.append((sound.begins, sound.samples))
        if heard:
            under.heard_until = end

    def _begin(self, sound: _Sound) -> _Under:
        lead = [each for each in self._before if sound.begins - each.begins <= (LEAD + 1) * len(sound.samples)]
        self._before.clear()
        first = lead[0] if lead else sound
        self._under = _Under(first.time, first.begins, sound.begins, [(each.begins, each.samples) for each in lead])
        return self._under

    def _close(self) -> None:
        under, self._under = self._under, None
        if under is None:
            return
        after = [part for part in under.parts if part[0] >= under.heard_until][:LEAD]
        end = after[-1][0] + len(after[-1][1]) if after else under.heard_until
        self._allowance.take((end - under.begins) / SAMPLE_RATE)
        samples = np.zeros(end - under.begins, np.int16)
        for begins, part in under.parts:
            if begins < end:
                samples[begins - under.begins : begins - under.begins + len(part)] = part
        self.phrases.append(Phrase(under.time, samples))


def host_of(told: str) -> str:
    """Return a description's address as captures have it: of IPv6 the shortest form (RFC 5952)."""
    try:
        return str(ip_address(told))
    except ValueError:
        return told
