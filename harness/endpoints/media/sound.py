"""What a port sends and keeps: the queue of clips, the recording, the mix of what other ports hear."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.errors import MediaError
from harness.protocols.rtp.g711 import G711, SAMPLE_RATE, Samples
from harness.protocols.rtp.resample import converted

MAX_CLIP_S = 300
MAX_QUEUED_CLIPS = 32
MAX_RECORDING_S = 300
"""What comes after it is not kept."""
FRAME_S = 0.02
FRAMES_A_SECOND = 50


@dataclass(slots=True)
class _Clip:
    number: int
    frames: Samples  # whole frames, the last one filled up with silence
    loop: bool
    position: int = 0
    coded: tuple[G711, bytes] | None = None
    """All of it in a law, once it was asked for: coded once, a clip that loops costs next to nothing."""


class ClipQueue:
    """Clips to send, one after the other, each from a frame's beginning."""

    def __init__(self, rate: int = SAMPLE_RATE) -> None:
        """`rate`: samples a second."""
        self.frame = rate // FRAMES_A_SECOND
        """Samples in a frame."""
        self._rate = rate
        self._clips: deque[_Clip] = deque()
        self._count = 0

    @property
    def playing(self) -> bool:
        """Whether anything is left to send."""
        return bool(self._clips)

    def add(self, samples: Samples, *, loop: bool) -> tuple[int, int]:
        """Queue a clip; return its number and how many frames go out before it. Raises MediaError."""
        if samples.dtype != np.int16 or samples.ndim != 1 or not len(samples):
            raise MediaError("a clip is a one-dimensional array of int16 samples, and not empty")
        if len(samples) > MAX_CLIP_S * self._rate:
            raise MediaError(f"a clip lasts at most {MAX_CLIP_S} s, not {len(samples) / self._rate:.1f}")
        if len(self._clips) >= MAX_QUEUED_CLIPS:
            raise MediaError(f"{MAX_QUEUED_CLIPS} clips are queued already")
        if any(clip.loop for clip in self._clips):
            raise MediaError("the clip being played loops; stop it before another can follow")
        ahead = sum((len(clip.frames) - clip.position) // self.frame for clip in self._clips)
        self._count += 1
        whole = np.concatenate([samples, np.zeros(-len(samples) % self.frame, np.int16)])
        self._clips.append(_Clip(self._count, whole, loop))
        return self._count, ahead

    def next_frame(self) -> tuple[Samples | None, int, int]:
        """The frame to send now (None: nothing), and the numbers of the clip it begins and ends (0: none)."""
        if not self._clips:
            return None, 0, 0
        clip = self._clips[0]
        frame = clip.frames[clip.position : clip.position + self.frame]
        return frame, *self._advance(clip)

    def next_coded(self, law: G711) -> tuple[bytes, int, int]:
        """The same frame as G.711 octets; there must be a clip."""
        clip = self._clips[0]
        if clip.coded is None or clip.coded[0] is not law:
            clip.coded = law, law.encode(clip.frames)
        octets = clip.coded[1][clip.position : clip.position + self.frame]
        return octets, *self._advance(clip)

    def _advance(self, clip: _Clip) -> tuple[int, int]:
        begun = clip.number if clip.position == 0 else 0
        clip.position += self.frame
        if clip.position < len(clip.frames):
            return begun, 0
        if clip.loop:
            clip.position = 0
            return begun, 0
        self._clips.popleft()
        return begun, clip.number

    def clear(self) -> int:
        """Forget all; return the number of the last clip (0: there was none)."""
        last = self._clips[-1].number if self._clips else 0
        self._clips.clear()
        return last

    def change_rate(self, rate: int) -> int:
        """Clips of another rate are due from now on; forget those queued, and return the number of the last one."""
        last = self.clear()
        self._rate, self.frame = rate, rate // FRAMES_A_SECOND
        return last


class Recorder:
    """Keeps what is heard, frame by frame, up to MAX_RECORDING_S."""

    def __init__(self, rate: int = SAMPLE_RATE) -> None:
        """`rate`: samples a second."""
        self.rate = rate
        self._frames: list[Samples] = []
        self._running = False
        self._start = 0.0

    @property
    def running(self) -> bool:
        """Whether frames are being kept."""
        return self._running

    def begin(self, now: float) -> None:
        """Begin afresh."""
        self._frames = []
        self._running = True
        self._start = now

    def frame(self, samples: Samples | None, now: float) -> None:
        """Keep what is heard at `now` (None: silence)."""
        if not self._frames:
            self._start = now
        if len(self._frames) < MAX_RECORDING_S * FRAMES_A_SECOND:
            self._frames.append(np.zeros(self.rate // FRAMES_A_SECOND, np.int16) if samples is None else samples)

    def change_rate(self, rate: int) -> None:
        """Another codec is heard from now on; what was kept so far is brought to its rate."""
        if self._frames:
            whole = converted(np.concatenate(self._frames), self.rate, rate)
            self._frames = list(whole.reshape(-1, rate // FRAMES_A_SECOND))
        self.rate = rate

    def pad(self, frames: int, now: float) -> None:
        """Keep so many frames of silence, for time in which nothing could be heard."""
        room = MAX_RECORDING_S * FRAMES_A_SECOND - len(self._frames)
        for index in range(min(frames, room)):
            self.frame(None, now + index * FRAME_S)

    def end(self) -> tuple[float, Samples]:
        """Stop; return the time of the first sample and the samples. Raises MediaError when nothing was begun."""
        if not self._running:
            raise MediaError("nothing is being recorded; call record() first")
        self._running = False
        frames, self._frames = self._frames, []
        return self._start, np.concatenate(frames) if frames else np.zeros(0, np.int16)


def mix(frames: Sequence[Samples]) -> Samples:
    """The sum, saturated; frames of one length, at least one."""
    if len(frames) == 1:
        return frames[0]
    total = frames[0].astype(np.int32)
    for frame in frames[1:]:
        total += frame
    return saturated(total)


def saturated(total: NDArray[np.int32]) -> Samples:
    """A sum as samples, what is too loud at full scale; the sum is used up."""
    np.minimum(total, 32767, out=total)
    np.maximum(total, -32768, out=total)
    return total.astype(np.int16)


def turned(frame: Samples, gain_db: float) -> Samples:
    """A frame turned up or down; what is too loud at full scale."""
    return saturated(np.rint(frame * 10 ** (gain_db / 20)).astype(np.int32))
