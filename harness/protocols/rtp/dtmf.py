"""Telephone events: DTMF digits as RTP payloads, sent and received (RFC 4733).

Theory. An event's packets all carry the RTP timestamp of its start; the duration grows with each. The last one has the
end bit and is sent three times (section 2.5.1.4), so that losing one or two does not lose the end. A receiver therefore
reports one tone per timestamp: at the first end packet, or, when all were lost, at the next event or when told so.
"""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass

from harness.errors import MediaError, RtpError

DIGITS = "0123456789*#ABCD"
"""Events 0-15 (RFC 4733 section 3.2)."""
PAYLOAD_SIZE = 4
END_PACKETS = 3
DEFAULT_VOLUME = 10
"""-10 dBm0."""
MAX_DURATION = 0xFFFF
"""Timestamp units: 8.19 s at 8,000 Hz. Longer events need segments (section 2.5.1.3), which we read but do not send."""
MAX_QUEUED_DIGITS = 64
REMEMBERED_TIMESTAMPS = 8
"""Ended events whose late repetitions are recognised."""

_PAYLOAD = struct.Struct("!BBH")


@dataclass(frozen=True, slots=True)
class DtmfEvent:
    """One telephone-event payload."""

    event: int
    """0-255; 0-15 are the DTMF digits."""
    end: bool
    volume: int
    """0-63: the power as -dBm0."""
    duration: int
    """Timestamp units so far, 0-65535."""

    @classmethod
    def parse(cls, payload: bytes) -> DtmfEvent:
        """Read a payload. Raises RtpError when it is not one telephone event."""
        if len(payload) != PAYLOAD_SIZE:
            raise RtpError(f"telephone event of {len(payload)} octets, must be {PAYLOAD_SIZE} (RFC 4733 section 2.3)")
        event, flags, duration = _PAYLOAD.unpack(payload)
        return cls(event, bool(flags & 0x80), flags & 0x3F, duration)

    def build(self) -> bytes:
        """The payload. Raises MediaError when a field does not fit."""
        if not (0 <= self.event <= 0xFF and 0 <= self.volume <= 0x3F and 0 <= self.duration <= MAX_DURATION):
            raise MediaError(f"a telephone event's field is out of range: {self}")
        return _PAYLOAD.pack(self.event, self.end << 7 | self.volume, self.duration)


@dataclass(frozen=True, slots=True)
class Tone:
    """A whole event as received."""

    event: int
    duration: int
    """Timestamp units."""
    timestamp: int
    """RTP timestamp of its start."""
    ended: bool
    """False when every end packet was lost and the duration is only what was seen."""

    @property
    def digit(self) -> str:
        """The key, or "event N" for what is not a DTMF digit."""
        return DIGITS[self.event] if self.event < len(DIGITS) else f"event {self.event}"


@dataclass(frozen=True, slots=True)
class DtmfPacket:
    """What a sender puts into one frame."""

    event: DtmfEvent
    timestamp: int
    marker: bool
    last: bool
    """The third end packet: the digit is out."""


class DtmfSender:
    """Turns digits into one packet a frame."""

    def __init__(self, *, frame: int = 160) -> None:
        """`frame`: timestamp units between packets."""
        self._frame = frame
        self._queue: deque[tuple[int, int, int]] = deque()
        self._start: int | None = None
        self._ends = 0
        self._gap = 0

    @property
    def active(self) -> bool:
        """Whether a digit, or the gap before the next, is still due."""
        return bool(self._queue) or self._gap > 0

    def queue(self, digits: str, *, duration: int = 800, gap: int = 800) -> None:
        """Add digits, each `duration` long and followed by `gap` (timestamp units, rounded up to whole frames).

        Raises MediaError for a key that does not exist, a duration outside one frame to MAX_DURATION, or a full queue.
        """
        events = [DIGITS.find(digit) for digit in digits.upper()]
        if not events or -1 in events:
            raise MediaError(f"{digits!r} is not a string of DTMF keys; they are {DIGITS}")
        if not self._frame <= duration <= MAX_DURATION or not 0 <= gap <= MAX_DURATION:
            raise MediaError(f"DTMF duration {duration} or gap {gap} is not within {self._frame}-{MAX_DURATION} units")
        if len(self._queue) + len(events) > MAX_QUEUED_DIGITS:
            raise MediaError(f"more than {MAX_QUEUED_DIGITS} DTMF digits queued")
        self._queue.extend((event, duration, gap) for event in events)

    def next_packet(self, timestamp: int) -> DtmfPacket | None:
        """What to send in the frame that begins at `timestamp`; None when the frame is free for audio."""
        if self._gap > 0:
            self._gap -= self._frame
            return None
        if not self._queue:
            return None
        event, duration, gap = self._queue[0]
        marker = self._start is None
        if self._start is None:
            self._start = timestamp
        # a packet tells the duration at the END of its frame, so the first one already has a frame's length
        elapsed = (timestamp - self._start) % 2**32 + self._frame
        end = elapsed >= duration
        self._ends += end
        last = self._ends == END_PACKETS
        packet = DtmfPacket(
            DtmfEvent(event, end, DEFAULT_VOLUME, min(elapsed, duration)), self._start, marker=marker, last=last
        )
        if last:
            self._queue.popleft()
            self._start, self._ends = None, 0
            # two of the frames of the gap went to repeating the end
            self._gap = gap - (END_PACKETS - 1) * self._frame
        return packet


class DtmfReceiver:
    """Turns telephone-event packets into tones, each reported once."""

    def __init__(self) -> None:
        self._current: tuple[int, int, int] | None = None  # timestamp, event, duration
        self._joined = 0
        self._ended: deque[int] = deque(maxlen=REMEMBERED_TIMESTAMPS)

    @property
    def active(self) -> bool:
        """Whether an event has begun and its end is still due."""
        return self._current is not None

    def receive(self, timestamp: int, event: DtmfEvent) -> list[Tone]:
        """Take a packet; return the tones that it completes: two when it also shows the last one's end."""
        tones: list[Tone] = []
        if timestamp in self._ended:
            return tones
        if self._current is not None and self._current[0] != timestamp:
            started, previous, duration = self._current
            if (timestamp - started) % 2**32 > 2**31:  # older than the current one: a straggler
                return tones
            if previous == event.event and (timestamp - started) % 2**32 == duration == MAX_DURATION:
                self._joined += duration  # the next segment of a long event (section 2.5.1.3)
                self._ended.append(started)
                self._current = None
            else:
                tones += self.give_up()
        seen = self._current[2] if self._current is not None else 0
        self._current = (timestamp, event.event, max(seen, event.duration))
        if event.end:
            tones.append(self._finish(ended=True))
        return tones

    def give_up(self) -> list[Tone]:
        """Report the event under way though its end never came (nothing when there is none)."""
        return [self._finish(ended=False)] if self._current is not None else []

    def _finish(self, *, ended: bool) -> Tone:
        assert self._current is not None
        timestamp, event, duration = self._current
        tone = Tone(event, duration + self._joined, (timestamp - self._joined) % 2**32, ended)
        self._ended.append(timestamp)
        self._current, self._joined = None, 0
        return tone
