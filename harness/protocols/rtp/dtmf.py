"""Telephone events: DTMF digits as RTP payloads, sent and received (RFC 4733).

Theory. An event's packets all carry the RTP timestamp of its start; the duration grows with each. The last one has the
end bit and is sent three times (section 2.5.1.4), so that losing one or two does not lose the end. An event longer than
the duration field can say is cut into segments: each but the last ends, without the end bit, at the longest duration,
and the next has a timestamp later by as much (section 2.5.1.3). A receiver reports one tone for all of it: at the first
end packet, or, when all were lost, at the next event or when told so. It needs none of the earlier packets.
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
MAX_VOLUME = 63
SEGMENT = 0xFFFF
"""Timestamp units that the duration field can say: 8.19 s at 8,000 Hz."""
MAX_DURATION = 60 * 48_000
"""Timestamp units of the longest event that is sent: a minute at the fastest clock."""
MAX_SEGMENTS = 64
"""Segments that a receiver joins; a longer event is reported as several."""
MAX_QUEUED_DIGITS = 64
REMEMBERED_TIMESTAMPS = 8
"""Ended events whose late repetitions are recognised."""

_PAYLOAD = struct.Struct("!BBH")
_WRAP = 1 << 32


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
        if not (0 <= self.event <= 0xFF and 0 <= self.volume <= MAX_VOLUME and 0 <= self.duration <= SEGMENT):
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
    volume: int = DEFAULT_VOLUME
    """0-63: the power as -dBm0, as first stated."""

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
    elapsed: int
    """Timestamp units from the event's start to this packet's end, over all its segments."""


@dataclass(frozen=True, slots=True)
class _Digit:
    event: int
    duration: int
    gap: int
    volume: int


class DtmfSender:
    """Turns digits into one packet a frame."""

    def __init__(self, *, frame: int = 160, step: int | None = None) -> None:
        """`frame`: units of the events' clock between packets; `step`: of the RTP timestamps, where that differs."""
        self._frame = frame
        self._step = frame if step is None else step
        self._queue: deque[_Digit] = deque()
        self._start: int | None = None  # RTP timestamp of the segment under way
        self._begun = 0  # units of the event before that segment
        self._elapsed = 0
        self._ends = 0
        self._gap = 0

    @property
    def active(self) -> bool:
        """Whether a digit, or the gap before the next, is still due."""
        return bool(self._queue) or self._gap > 0

    def queue(self, digits: str, *, duration: int = 800, gap: int = 800, volume: int = DEFAULT_VOLUME) -> None:
        """Add digits, each `duration` long and followed by `gap` (units of the events' clock, up to whole frames).

        `volume`: 0-63, the power as -dBm0. Raises MediaError for a key that does not exist, a duration outside one
        frame to MAX_DURATION, or a full queue.
        """
        events = [DIGITS.find(digit) for digit in digits.upper()]
        if not events or -1 in events:
            raise MediaError(f"{digits!r} is not a string of DTMF keys; they are {DIGITS}")
        if not self._frame <= duration <= MAX_DURATION or not 0 <= gap <= MAX_DURATION:
            raise MediaError(f"DTMF duration {duration} or gap {gap} is not within {self._frame}-{MAX_DURATION} units")
        if not 0 <= volume <= MAX_VOLUME:
            raise MediaError(f"a DTMF volume is 0-{MAX_VOLUME} (-dBm0), not {volume}")
        if len(self._queue) + len(events) > MAX_QUEUED_DIGITS:
            raise MediaError(f"more than {MAX_QUEUED_DIGITS} DTMF digits queued")
        self._queue.extend(_Digit(event, duration, gap, volume) for event in events)

    def next_packet(self, timestamp: int) -> DtmfPacket | None:
        """What to send in the frame that begins at `timestamp`; None when the frame is free for audio."""
        if self._gap > 0:
            self._gap -= self._frame
            return None
        if not self._queue:
            return None
        digit = self._queue[0]
        marker = self._start is None
        if self._start is None:
            self._start, self._begun, self._elapsed = timestamp, 0, 0
        elif self._elapsed - self._begun >= SEGMENT and not self._ends:
            self._begun += SEGMENT
            self._start = (self._start + SEGMENT * self._step // self._frame) % _WRAP
        # a packet tells the duration at the END of its frame, so the first one already has a frame's length
        self._elapsed += self._frame
        elapsed = min(self._elapsed, digit.duration)
        # what a segment can't say waits for the next one, also when it is all that is left
        end = elapsed >= digit.duration and elapsed - self._begun <= SEGMENT
        self._ends += end
        last = self._ends == END_PACKETS
        event = DtmfEvent(digit.event, end, digit.volume, min(elapsed - self._begun, SEGMENT))
        packet = DtmfPacket(event, self._start, marker=marker, last=last, elapsed=elapsed)
        if last:
            self._queue.popleft()
            self._start, self._ends = None, 0
            # two of the frames of the gap went to repeating the end
            self._gap = digit.gap - (END_PACKETS - 1) * self._frame
        return packet


@dataclass(slots=True)
class _Current:
    """The event under way."""

    timestamp: int
    event: int
    duration: int
    volume: int
    first: int
    """RTP timestamp of the first segment seen."""
    before: int = 0
    """Units in the segments before this one."""
    segments: int = 1


class DtmfReceiver:
    """Turns telephone-event packets into tones, each reported once."""

    def __init__(self, *, segment: int = SEGMENT) -> None:
        """`segment`: RTP timestamp units between segments, where the events' clock is not the stream's."""
        self._segment = segment
        self._current: _Current | None = None
        self._ended: deque[int] = deque(maxlen=REMEMBERED_TIMESTAMPS)

    @property
    def active(self) -> bool:
        """Whether an event has begun and its end is still due."""
        return self._current is not None

    @property
    def began(self) -> int | None:
        """RTP timestamp of the start of the event under way; None where there is none."""
        return None if self._current is None else self._current.first

    def receive(self, timestamp: int, event: DtmfEvent) -> list[Tone]:
        """Take a packet; return the tones that it completes: two when it also shows the last one's end."""
        tones: list[Tone] = []
        if timestamp in self._ended:
            return tones
        current = self._current
        if current is not None and current.timestamp != timestamp:
            later = (timestamp - current.timestamp) % _WRAP
            if later > _WRAP // 2:  # older than the current one: a straggler
                return tones
            if current.event == event.event and later == self._segment and current.segments < MAX_SEGMENTS:
                # the next segment of a long event, whether or not the last packets of this one came
                self._ended.append(current.timestamp)
                current.timestamp, current.duration = timestamp, 0
                current.before += SEGMENT
                current.segments += 1
            else:
                tones += self.give_up()
                current = None
        if current is None:
            current = self._current = _Current(timestamp, event.event, 0, event.volume, timestamp)
        current.event = event.event
        current.duration = max(current.duration, event.duration)
        if event.end:
            tones.append(self._finish(current, ended=True))
        return tones

    def give_up(self) -> list[Tone]:
        """Report the event under way though its end never came (nothing when there is none)."""
        return [] if self._current is None else [self._finish(self._current, ended=False)]

    def _finish(self, current: _Current, *, ended: bool) -> Tone:
        self._ended.append(current.timestamp)
        self._current = None
        return Tone(current.event, current.before + current.duration, current.first, ended, current.volume)
