"""The playout (jitter) buffer: packets in as they come, samples out at their time.

Theory. The first packet of a stream fixes the mapping: its first sample plays `depth` after it arrived, and every
other sample at its RTP timestamp's distance from it, exact to the sample, wherever the 20 ms frames fall. What comes
after its time is late and dropped; what is missing while later samples are already here was lost and is filled by
repeating the last frame, halved each time; what is missing with nothing later is silence, for the peer may simply
have stopped. The mapping is made afresh when the peer's timestamps leap, when it has been silent for STARVED_S, or
when its clock has drifted so far that packets keep coming late, or keep piling up.
"""

from __future__ import annotations

import numpy as np

from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples

FRAME = 160
"""Samples in 20 ms."""
DEFAULT_DEPTH_MS = 40
MIN_DEPTH_MS = 20
"""Below one frame, what a frame needs has not come yet."""
MAX_DEPTH_MS = 500
CAPACITY = 8192
"""Samples held: about one second, over MAX_DEPTH_MS and any packet."""
MAX_REPEATS = 3
"""Lost frames in a row that are filled by repetition; the rest is silence (as in G.711 appendix I: 60 ms)."""
STARVED_S = 0.5
"""After so long without a sample the next packet begins a new mapping."""
LATE_RESYNC = 5
"""Late packets in a row that show that the mapping is wrong, not the packets."""
EXCESS_S = 0.1
EXCESS_RESYNC = 50
"""Packets in a row that wait longer than the depth plus EXCESS_S, and so show that the delay has grown for nothing."""

_WRAP = 1 << 32


class Playout:
    """One stream's buffer: it bears jitter of its depth less one frame.

    `late`, `concealed` and `resyncs` count what befell it.
    """

    def __init__(self, depth_ms: int = DEFAULT_DEPTH_MS) -> None:
        """`depth_ms`: MIN_DEPTH_MS to MAX_DEPTH_MS."""
        self._depth = depth_ms / 1000
        self._ring = np.zeros(CAPACITY, np.int16)
        self._filled = np.zeros(CAPACITY, np.bool_)
        self._last: Samples = np.zeros(FRAME, np.int16)
        self.late = 0
        self.concealed = 0
        self.resyncs = 0
        self.reset()

    def reset(self) -> None:
        """Forget the stream; the next packet begins a new mapping."""
        self._anchored = False
        self._running = False
        self._anchor_time = 0.0
        self._anchor = 0  # position of the first packet; positions are unwrapped timestamps
        self._newest = 0  # one past the last sample received
        self._play = 0  # position of the next sample to play
        self._repeats = 0
        self._starved = 0
        self._late_run = 0
        self._excess_run = 0
        self._filled[:] = False
        self._last = np.zeros(FRAME, np.int16)

    def put(self, timestamp: int, samples: Samples, arrival: float) -> bool:
        """Take a packet's samples; `arrival` in seconds. False: it was late."""
        position = self._unwrap(timestamp, arrival)
        size = len(samples)
        if self._running:
            ahead = position - self._play
            if ahead + size > CAPACITY:
                position = self._resync(timestamp, arrival)
            elif ahead + size <= 0:
                self.late += 1
                self._late_run += 1
                if self._late_run < LATE_RESYNC:
                    return False
                position = self._resync(timestamp, arrival)
            else:
                self._late_run = 0
                self._excess_run = self._excess_run + 1 if ahead > (self._depth + EXCESS_S) * SAMPLE_RATE else 0
                if self._excess_run >= EXCESS_RESYNC:
                    position = self._resync(timestamp, arrival)
        elif abs(position + size - self._anchor) > CAPACITY:
            position = self._resync(timestamp, arrival)
        floor = self._play if self._running else min(self._anchor, position)
        skip = max(0, floor - position)
        self._write(position + skip, samples[skip:])
        self._newest = max(self._newest, position + size)
        if not self._running and position < self._anchor:
            # an older packet overtook: its samples are due earlier by as much
            self._anchor_time -= (self._anchor - position) / SAMPLE_RATE
            self._anchor = position
        return True

    def put_silence(self, timestamp: int, size: int, arrival: float) -> None:
        """Note that the peer sent something else in this time (a telephone event), so nothing is missing there."""
        if not self._anchored:
            return
        position = self._unwrap(timestamp, arrival)
        floor = self._play if self._running else self._anchor
        if not floor <= position <= floor + CAPACITY - size:
            return
        index = np.arange(position, position + size) % CAPACITY
        self._ring[index[~self._filled[index]]] = 0
        self._filled[index] = True
        self._newest = max(self._newest, position + size)

    def take(self, now: float) -> Samples | None:
        """The frame whose first sample plays at `now`; None for silence. Frames are taken every 20 ms without a gap."""
        if not self._anchored:
            return None
        if not self._running:
            start = self._anchor + round((now - self._anchor_time) * SAMPLE_RATE)
            if start + FRAME <= self._anchor:
                return None
            self._play = start
            self._running = True
        start = self._play
        self._play += FRAME
        begin = start % CAPACITY
        if begin + FRAME <= CAPACITY:
            frame = self._ring[begin : begin + FRAME].copy()
            here = self._filled[begin : begin + FRAME]
            whole = bool(here.all())
            if not whole:
                here = here.copy()
            self._filled[begin : begin + FRAME] = False
        else:
            index = np.arange(begin, begin + FRAME) % CAPACITY
            frame, here = self._ring[index], self._filled[index]
            whole = bool(here.all())
            self._filled[index] = False
        if whole:
            self._repeats = self._starved = 0
            self._last = frame
            return frame
        return self._fill(start, frame, ~here)

    def _fill(self, start: int, frame: Samples, missing: np.typing.NDArray[np.bool_]) -> Samples | None:
        if start < self._anchor:
            before = min(FRAME, self._anchor - start)
            frame[:before] = 0  # before the stream began
            missing[:before] = False
        frame[missing] = 0
        if not missing.any():
            self._last = frame
            return frame
        if self._newest > start + FRAME or (self._newest > start and not missing[-1]):
            self.concealed += 1
            self._starved = 0
            self._repeats += 1
            if self._repeats <= MAX_REPEATS:
                frame[missing] = self._last[missing] >> self._repeats
            return frame
        if not missing.all():  # the end of what there is
            self._last = frame
            return frame
        self._starved += FRAME
        if self._starved >= STARVED_S * SAMPLE_RATE:
            self.reset()
        return None

    def _unwrap(self, timestamp: int, arrival: float) -> int:
        if not self._anchored:
            self._anchored = True
            self._anchor_time = arrival + self._depth
            # far from zero, so that a position never becomes negative
            self._anchor = self._newest = timestamp + _WRAP
        reference = self._newest
        return reference + (timestamp - reference + _WRAP // 2) % _WRAP - _WRAP // 2

    def _resync(self, timestamp: int, arrival: float) -> int:
        self.resyncs += 1
        self.reset()
        return self._unwrap(timestamp, arrival)

    def _write(self, position: int, samples: Samples) -> None:
        begin = position % CAPACITY
        size = len(samples)
        if begin + size <= CAPACITY:
            self._ring[begin : begin + size] = samples
            self._filled[begin : begin + size] = True
        else:
            index = np.arange(begin, begin + size) % CAPACITY
            self._ring[index] = samples
            self._filled[index] = True
