"""What comes of a radio session: whose packets are taken, in what order, and what was said in them, by the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any, Final

import numpy as np

from harness.endpoints.media import Recording
from harness.errors import MediaError
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.protocols.rtp.rtp import RtpPacket

MAX_RECORDING_S: Final = 300
"""Seconds of one recording; what comes after is not kept."""
MAX_TOLD: Final = 16
"""Oddities of one kind that a stream journals; beyond it they are only counted."""
ADRIFT_S: Final = 0.5
"""Timestamps that are so far from the clock do not count the time between talkspurts: speech is placed anew."""


@dataclass(slots=True)
class StreamStats:
    """What crossed one radio session. Datagrams unless said otherwise."""

    sent: int = 0
    received: int = 0
    """Taken, keep-alives among them."""
    keep_alives: int = 0
    """Of those received."""
    speech: int = 0
    """Of those received."""
    lost: int = 0
    """Due by sequence number and never come, or come late."""
    late: int = 0
    """Came after a later one: their speech is kept, what they say of PTT is not."""
    duplicates: int = 0
    strangers: int = 0
    """Dropped: not from the peer's address."""
    malformed: int = 0
    """Dropped: not RTP."""
    unexpected_payload: int = 0
    """Dropped: a payload type that was not agreed."""
    early: int = 0
    """Dropped: came before the session was agreed."""
    ssrc_changes: int = 0
    collisions: int = 0
    """Times the peer spoke under our SSRC and we took another."""

    def as_json(self) -> dict[str, Any]:
        """Field by field."""
        return asdict(self)


class Arrived(Enum):
    """How a packet fits those before it."""

    NEXT = "next"
    """In order, or after a gap, or a stream that began anew: it is the peer's latest word."""
    LATE = "late"
    DUPLICATE = "duplicate"


class Order:
    """The sequence numbers of one peer (RFC 3550 A.1): a restart is believed when two packets agree on it."""

    def __init__(self) -> None:
        self.ssrc: int | None = None
        self.lost = 0
        self._last = 0
        self._restart: int | None = None

    def take(self, packet: RtpPacket) -> Arrived:
        """How this packet fits."""
        step = (packet.sequence - self._last) & 0xFFFF
        if packet.ssrc != self.ssrc:
            self.ssrc, self._last, self._restart = packet.ssrc, packet.sequence, None
            return Arrived.NEXT
        if step == 0:
            return Arrived.DUPLICATE
        if step < 0x8000 or packet.sequence == self._restart:
            self.lost += step - 1 if step < 0x8000 else 0
            self._last, self._restart = packet.sequence, None
            return Arrived.NEXT
        self._restart = (packet.sequence + 1) & 0xFFFF
        return Arrived.LATE


class Recorder:
    """Speech placed by its timestamps, without a playout buffer; what never came is silence."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._kept: list[tuple[int, Samples]] | None = None
        """Place in samples from the recording's start, and what is there; at most MAX_RECORDING_S of it."""
        self._samples = 0
        self._start = 0.0
        self._anchor: tuple[int, int, int] | None = None
        """SSRC, timestamp, and the place that it has."""

    def begin(self) -> None:
        """Begin afresh, now."""
        self._kept, self._samples, self._anchor, self._start = [], 0, None, self._now()

    def put(self, packet: RtpPacket, samples: Samples) -> None:
        """Keep what a packet says, where a recording is under way."""
        if self._kept is None or self._samples + len(samples) > MAX_RECORDING_S * SAMPLE_RATE:
            return
        here = round((self._now() - self._start) * SAMPLE_RATE)
        place = here
        if self._anchor is not None and self._anchor[0] == packet.ssrc:
            step = (packet.timestamp - self._anchor[1] + 0x80000000) % 0x100000000 - 0x80000000
            place = self._anchor[2] + step
            if abs(place - here) > ADRIFT_S * SAMPLE_RATE:
                place = here
        if 0 <= place < MAX_RECORDING_S * SAMPLE_RATE:
            self._anchor = packet.ssrc, packet.timestamp, place
            self._kept.append((place, samples))
            self._samples += len(samples)

    def end(self) -> Recording:
        """End the recording and return it. Raises MediaError when none was begun."""
        if self._kept is None:
            raise MediaError("no recording was begun")
        kept, self._kept = self._kept, None
        length = max((place + len(samples) for place, samples in kept), default=0)
        whole = np.zeros(length, np.int16)
        for place, samples in kept:
            whole[place : place + len(samples)] = samples
        return Recording(self._start, whole)
