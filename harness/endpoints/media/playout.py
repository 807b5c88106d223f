"""The playout (jitter) buffer: packets in as they come, samples out at their time.

Theory. The first packet of a stream fixes the mapping: its first sample plays `depth` after it arrived, and every
other sample at its RTP timestamp's distance from it, exact to the sample, wherever the 20 ms frames fall. What comes
after its time is late and dropped; what is missing while later samples are already here was lost and is concealed;
what is missing with nothing later is silence, for the peer may simply have stopped; and what lies between two packets
that follow each other in sequence was never sent: silence, or the peer's comfort noise. The mapping is moved when the
depth is to change (see `delay`), and made afresh when the peer's timestamps leap, when it has been silent for
STARVED_S, or when its clock has drifted so far that packets keep coming late, or keep piling up.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harness.endpoints.media.delay import DelayControl
from harness.errors import RtpError
from harness.protocols.rtp.comfort_noise import Noise, NoiseMaker
from harness.protocols.rtp.concealment import Concealer
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples

FRAME: Final = 160
"""Samples in 20 ms at 8,000 a second."""
FRAMES_A_SECOND: Final = 50
DEFAULT_DEPTH_MS: Final = 40
MIN_DEPTH_MS: Final = 20
"""Below one frame, what a frame needs has not come yet."""
MAX_DEPTH_MS: Final = 500
DEFAULT_MAX_DEPTH_MS: Final = 200
"""How deep it may become by itself: mouth-to-ear delay stays under 400 ms (ITU-T G.114) on most paths."""
CAPACITY_S: Final = 1.024
"""Seconds of sound held: over MAX_DEPTH_MS and any packet."""
MAX_PENDING: Final = 128
"""Coded packets that wait for their turn to be decoded."""
STARVED_S: Final = 0.5
"""After so long without a sample the next packet begins a new mapping."""
LATE_RESYNC: Final = 5
"""Late packets in a row that show that the mapping is wrong, not the packets."""
EXCESS_S: Final = 0.1
EXCESS_RESYNC: Final = 50
"""Packets in a row that wait longer than the depth plus EXCESS_S, and so show that the delay has grown for nothing."""
QUIET: Final = 300
"""Samples under this (-41 dBov) are nobody's speech: there the buffer may become shallower."""

_WRAP: Final = 1 << 32

Change = tuple[str, float]
"""Why the buffer moved ("jitter", "late", "surplus", "resync"), and by how many seconds it became deeper."""


class Playout:
    """One stream's buffer: it bears jitter of its depth less one frame.

    `late`, `concealed`, `dropped`, `stretched` and `resyncs` count what befell it.
    """

    def __init__(
        self,
        depth_ms: int = DEFAULT_DEPTH_MS,
        *,
        max_depth_ms: int | None = None,
        rate: int = SAMPLE_RATE,
        clock: int = SAMPLE_RATE,
        seed: int = 0,
    ) -> None:
        """`depth_ms`: MIN_DEPTH_MS to MAX_DEPTH_MS; `max_depth_ms`: how deep it may become, None: it is fixed.

        `rate`: samples a second of what is played; `clock`: RTP timestamp units a second; `seed`: of comfort noise.
        """
        self._depth = depth_ms / 1000
        self._most = max(self._depth, (depth_ms if max_depth_ms is None else max_depth_ms) / 1000)
        self._seed = seed
        self.late = 0
        """Packets that came after their time."""
        self.concealed = 0
        """Frames that were filled in, wholly or in part, because packets were missing."""
        self.dropped = 0
        """Samples that came and were not played, to become shallower or because the mapping was made afresh."""
        self.stretched = 0
        """Samples that were made up to become deeper."""
        self.resyncs = 0
        self.changes: list[Change] = []
        """What changed since the last look; the caller empties it."""
        self.set_rate(rate, clock)

    def set_rate(self, rate: int, clock: int) -> None:
        """Play another codec's samples; what is here of the last one is forgotten."""
        self.frame = rate // FRAMES_A_SECOND
        """Samples in a frame."""
        self._rate = rate
        self._scale = rate / clock
        self._capacity = round(CAPACITY_S * rate)
        self._ring = np.zeros(self._capacity, np.int16)
        self._filled = np.zeros(self._capacity, np.bool_)
        self._concealer = Concealer(rate)
        self._noise_maker: NoiseMaker | None = None
        self._noise: NoiseMaker | None = None  # while the peer's noise is played
        self.delay = DelayControl(self._depth, self._most)
        self.reset()

    def reset(self) -> None:
        """Forget the stream; the next packet begins a new mapping."""
        self.anchored = False
        self._running = False
        self._anchor_time = 0.0
        self._anchor = 0  # position of the first packet; positions are unwrapped timestamps, in samples
        self._newest = 0  # one past the last sample received
        self._timestamp = 0  # of the packet that the newest sample came in, unwrapped
        self._play = 0  # position of the next sample to play
        self._played_at = 0.0  # when that sample plays
        self._stretch_end = 0  # samples before it are missing because we became deeper
        self._starved = 0
        self._late_run = 0
        self._excess_run = 0
        self._shrink = 0  # samples to be dropped where it is quiet
        self._shrink_now = False  # whatever is being said
        self._noise_at = 0  # position from which there is noise
        self._pending: list[tuple[int, int, Callable[[], Samples]]] = []
        self._coded = 0
        self._filled[:] = False
        self._concealer.forget()
        self.delay.reset()

    @property
    def noisy(self) -> bool:
        """Whether the peer's comfort noise is played while it says nothing."""
        return self._noise is not None

    # --- in ---

    def put(self, timestamp: int, samples: Samples, arrival: float, *, missing: int | None = None) -> bool:
        """Take a packet's samples; `arrival` in seconds. False: it was late.

        `missing`: packets that are missing between it and the newest one before it, by sequence number; None: it is
        not known, or the packet is older.
        """
        position = self._place(timestamp, len(samples), arrival, missing)
        if position is None:
            return False
        self._keep(position, samples)
        return True

    def put_coded(
        self, timestamp: int, size: int, decode: Callable[[], Samples], arrival: float, *, missing: int | None = None
    ) -> bool:
        """Take a packet of `size` samples that must be decoded in order: it is, when its time comes.

        `decode` may raise RtpError: then the packet counts as lost.
        """
        position = self._place(timestamp, size, arrival, missing)
        if position is None:
            return False
        if len(self._pending) < MAX_PENDING:
            self._coded += 1
            heapq.heappush(self._pending, (position, self._coded, decode))
        return True

    def _place(self, timestamp: int, size: int, arrival: float, missing: int | None) -> int | None:
        """Where a packet's first sample goes; None where it is too late for any of them."""
        position = self._unwrap(timestamp, arrival)
        if self._running:
            ahead = position - self._play
            slack = ahead / self._rate + self._played_at - arrival
            if ahead + size > self._capacity:
                position = self._resync(timestamp, arrival)
            elif ahead + size <= 0:
                self._grow(self.delay.late(-slack), "late")
                if position + size <= self._play:
                    self.late += 1
                    self._late_run += 1
                    if self._late_run < LATE_RESYNC:
                        return None
                    position = self._resync(timestamp, arrival)
            else:
                self._late_run = 0
                self._adjust(self.delay.note(slack))
                excess = not self.delay.adaptive and ahead > (self._depth + EXCESS_S) * self._rate
                self._excess_run = self._excess_run + 1 if excess else 0
                if self._excess_run >= EXCESS_RESYNC:
                    position = self._resync(timestamp, arrival)
        elif abs(position + size - self._anchor) > self._capacity:
            position = self._resync(timestamp, arrival)
        if position > self._newest and missing is not None:
            # what is not missing by number was never sent: the peer suppresses silence
            unsent = position - self._newest - missing * size
            if unsent > 0:
                self._keep_quiet(self._newest, unsent)
        if self._noise is not None and position >= self._noise_at:
            self._noise = None
        if not self._running and position < self._anchor:
            # an older packet overtook: its samples are due earlier by as much
            self._anchor_time -= (self._anchor - position) / self._rate
            self._anchor = position
        self._newest = max(self._newest, position + size)
        return position

    def put_silence(self, timestamp: int, units: int, arrival: float) -> None:
        """Note that the peer sent something else for so many timestamp units (a telephone event): it is no loss."""
        if self.anchored:
            self._keep_quiet(self._unwrap(timestamp, arrival), round(units * self._scale))

    def put_noise(self, timestamp: int, noise: Noise, arrival: float) -> None:
        """Play comfort noise from now on where there is nothing else."""
        if self._noise_maker is None:
            self._noise_maker = NoiseMaker(self._seed)
        self._noise = self._noise_maker
        self._noise.describe(noise)
        self._noise_at = self._unwrap(timestamp, arrival) if self.anchored else 0

    def _keep(self, position: int, samples: Samples) -> None:
        skip = max(0, self._play - position) if self._running else 0
        samples = samples[skip:]
        begin, size = (position + skip) % self._capacity, len(samples)
        if begin + size <= self._capacity:
            self._ring[begin : begin + size] = samples
            self._filled[begin : begin + size] = True
        else:
            index = np.arange(begin, begin + size) % self._capacity
            self._ring[index] = samples
            self._filled[index] = True

    def _keep_quiet(self, position: int, size: int) -> None:
        """Nothing is missing here; what has come stays."""
        floor = self._play if self._running else self._anchor
        end = min(position + size, floor + self._capacity)
        position = max(position, floor)
        if end <= position:
            return
        index = np.arange(position, end) % self._capacity
        index = index[~self._filled[index]]
        self._ring[index] = 0 if self._noise is None else self._noise.frame(len(index))
        self._filled[index] = True
        self._newest = max(self._newest, end)

    # --- out ---

    def take(self, now: float) -> Samples | None:
        """The frame whose first sample plays at `now`; None for silence. Frames are taken every 20 ms without a gap."""
        size = self.frame
        if not self.anchored:
            return None if self._noise is None else self._noise.frame(size)
        if not self._running:
            start = self._anchor + round((now - self._anchor_time) * self._rate)
            if start + size <= self._anchor:
                return None if self._noise is None else self._noise.frame(size)
            self._play = start
            self._running = True
        if self._shrink:
            self._skip_quiet()
        start = self._play
        if self._pending and self._pending[0][0] < start + size:
            self._decode(start + size)
        self._play = start + size
        self._played_at = now + 1 / FRAMES_A_SECOND
        begin = start % self._capacity
        if begin + size <= self._capacity:
            frame = self._ring[begin : begin + size].copy()
            here = self._filled[begin : begin + size]
            whole = np.count_nonzero(here) == size  # several times as fast as `all`
            if not whole:
                here = here.copy()
            self._filled[begin : begin + size] = False
        else:
            index = np.arange(begin, begin + size) % self._capacity
            frame, here = self._ring[index], self._filled[index]
            whole = np.count_nonzero(here) == size
            self._filled[index] = False
        if whole:
            self._starved = 0
            if self._concealer.busy:
                frame = self._concealer.resume(frame)
            self._concealer.heard(frame)
            return frame
        return self._fill(start, frame, ~here)

    def _decode(self, end: int) -> None:
        """Decode, in order, the packets that begin before `end`."""
        while self._pending and self._pending[0][0] < end:
            position, _, decode = heapq.heappop(self._pending)
            try:
                samples = decode()
            except RtpError:
                continue
            self._keep(position, samples)
            self._newest = max(self._newest, position + len(samples))

    def _fill(self, start: int, frame: Samples, missing: NDArray[np.bool_]) -> Samples | None:
        size = self.frame
        if start < self._anchor:
            before = min(size, self._anchor - start)
            frame[:before] = 0  # before the stream began
            missing[:before] = False
        frame[missing] = 0
        gaps = int(np.count_nonzero(missing))
        if not gaps:
            self._concealer.heard(frame)
            return frame
        if self._newest > start + size or (self._newest > start and not missing[-1]):
            self._starved = 0
            stretched = max(0, min(self._stretch_end - start, size))
            self.stretched += int(missing[:stretched].sum())
            self.concealed += bool(missing[stretched:].any())
            frame = self._conceal(frame, missing)
            self._concealer.heard(frame)
            return frame
        if gaps < size:  # the end of what there is
            frame[missing] = 0 if self._noise is None else self._noise.frame(gaps)
            self._concealer.heard(frame)
            return frame
        self._concealer.forget()
        self._starved += size
        if self._starved >= STARVED_S * self._rate:
            self.reset()
        return None if self._noise is None else self._noise.frame(size)

    def _conceal(self, frame: Samples, missing: NDArray[np.bool_]) -> Samples:
        """Fill the holes of a frame, and overlap what comes after each."""
        edges = np.flatnonzero(np.diff(missing, prepend=~missing[:1]))
        for begin, end in zip(edges, [*edges[1:], len(frame)], strict=True):
            if missing[begin]:
                frame[begin:end] = self._concealer.conceal(end - begin, frame[:begin])
            elif self._concealer.busy:
                frame[begin:end] = self._concealer.resume(frame[begin:end])
        return frame

    # --- the mapping ---

    def _unwrap(self, timestamp: int, arrival: float) -> int:
        if not self.anchored:
            self.anchored = True
            self._anchor_time = arrival + self.delay.target
            # far from zero, so that a position never becomes negative
            self._timestamp = timestamp + _WRAP
            self._anchor = self._newest = round(self._timestamp * self._scale)
        unwrapped = self._timestamp + (timestamp - self._timestamp + _WRAP // 2) % _WRAP - _WRAP // 2
        self._timestamp = max(self._timestamp, unwrapped)
        return round(unwrapped * self._scale) if self._scale != 1 else unwrapped

    def _resync(self, timestamp: int, arrival: float) -> int:
        self.resyncs += 1
        self.dropped += int(self._filled.sum()) if self._running else 0
        self.changes.append(("resync", 0.0))
        self._noise = None
        self.reset()
        return self._unwrap(timestamp, arrival)

    def _adjust(self, by: float) -> None:
        if by > 0:
            self._grow(by, "jitter")
        elif by < 0:
            self._shrink = round(-by * self._rate)
            self._shrink_now = self.delay.urgent

    def _grow(self, by: float, why: str) -> None:
        """Play the next samples later: the time until then is filled as a loss is, but counted apart."""
        count = round(by * self._rate)
        if count <= 0:
            return
        self._shrink = 0
        self._stretch_end = max(self._stretch_end, self._play)
        self._play -= count
        self.delay.grown(by)
        self.changes.append((why, by))

    def _skip_quiet(self) -> None:
        """Drop what is to be dropped of the next frame, where nobody speaks in it."""
        count = min(self._shrink, self.frame)
        index = np.arange(self._play, self._play + count) % self._capacity
        spoken = self._filled[index].all() and np.abs(self._ring[index].astype(np.int32)).max() >= QUIET
        if spoken and not self._shrink_now:
            return
        self.dropped += int(self._filled[index].sum())
        self._filled[index] = False
        self._play += count
        self._shrink -= count
        self.delay.grown(-count / self._rate)
        if not self._shrink:
            self.changes.append(("surplus", -count / self._rate))
