"""Speech activity: when somebody begins and stops talking, and how loud, from the energy of 20 ms frames."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from harness.protocols.rtp.g711 import Samples

THRESHOLD_DBOV = -45.0
"""Above this a frame is speech: well over line noise and G.711's own (about -70), well under a quiet talker (-35)."""
ONSET_FRAMES = 3
"""Loud frames in a row that make speech: a click of one packet may lie across two."""
HANGOVER_S = 0.4
"""Pauses between words are no longer than this."""
FLOOR_DBOV = -96.0
"""What digital silence is said to have."""

_FULL_SCALE = 32768.0
_THRESHOLD = 10 ** (THRESHOLD_DBOV / 10) * _FULL_SCALE**2
"""THRESHOLD_DBOV as the mean square of samples."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Speech began or ended."""

    started: bool
    time: float
    """When the first loud frame began, or the last one ended."""
    level_dbov: float
    """Of the onset, or of the whole talkspurt (RMS relative to overload, ITU-T G.100.1)."""


class SpeechDetector:
    """Frames in, `Voice` out."""

    def __init__(self) -> None:
        self.talking = False
        self._loud_frames = 0
        self._since = 0.0
        self._last_loud_end = 0.0
        self._energy = 0.0
        self._samples = 0

    @property
    def idle(self) -> bool:
        """Whether a frame of silence would change nothing."""
        return not self.talking and not self._loud_frames

    def frame(self, samples: Samples | None, time: float, duration: float) -> Voice | None:
        """Take the frame heard at `time` (None: silence) that lasts `duration` seconds."""
        energy = 0.0
        if samples is not None:
            linear = samples.astype(np.float32)
            energy = float(np.dot(linear, linear))
        if samples is not None and energy >= _THRESHOLD * len(samples):
            if not self._loud_frames and not self.talking:
                self._since, self._energy, self._samples = time, 0.0, 0
            self._loud_frames += 1
            self._energy += energy
            self._samples += len(samples)
            self._last_loud_end = time + duration
            if not self.talking and self._loud_frames >= ONSET_FRAMES:
                self.talking = True
                return Voice(True, self._since, level_dbov(self._energy, self._samples))
            return None
        self._loud_frames = 0
        if self.talking and time + duration - self._last_loud_end >= HANGOVER_S:
            return self.stop()
        return None

    def stop(self) -> Voice | None:
        """End the talkspurt under way: the port is closed or has another peer."""
        if not self.talking:
            return None
        self.talking = False
        self._loud_frames = 0
        return Voice(False, self._last_loud_end, level_dbov(self._energy, self._samples))


def level_dbov(energy: float, samples: int) -> float:
    """The level of a sum of squares over so many samples, to a tenth of a dB."""
    if energy <= 0 or samples <= 0:
        return FLOOR_DBOV
    return round(max(FLOOR_DBOV, 10 * math.log10(energy / samples / _FULL_SCALE**2)), 1)
