"""Silence suppression: when a talker's silence is not sent, and what is told in its place (RFC 3389)."""

from __future__ import annotations

from typing import Final

import numpy as np

from harness.endpoints.media.speech import level_dbov
from harness.protocols.rtp.comfort_noise import Noise
from harness.protocols.rtp.g711 import Samples

HANGOVER_FRAMES: Final = 10
"""Silent frames (200 ms) that are still sent, so that a pause within a word is not cut."""
TOLD_EVERY_FRAMES: Final = 50
"""The noise is told anew every second: an update that was lost is made up for, and the path kept open."""
SPEECH_DBOV: Final = -50.0
"""Frames at or above this are speech: 5 dB under where a hearer says so."""
QUIETEST: Final = 78
"""-78 dBov, told of digital silence: what an idle G.711 line has, so that the line does not seem dead."""


class SilenceSuppressor:
    """Frames in; whether each is sent, and when the noise is to be told."""

    def __init__(self) -> None:
        self._silent = 0
        self._energy = 0.0
        self._samples = 0

    @property
    def suppressing(self) -> bool:
        """Whether the last frame was not sent."""
        return self._silent > HANGOVER_FRAMES

    def speaks(self, sound: Samples | None) -> bool:
        """Whether a frame (None: digital silence) is sent."""
        energy = 0.0
        if sound is not None:
            linear = sound.astype(np.float32)
            energy = float(np.dot(linear, linear))
            if level_dbov(energy, len(sound)) >= SPEECH_DBOV:
                self._silent, self._energy, self._samples = 0, 0.0, 0
                return True
            self._samples += len(sound)
        self._energy += energy
        self._silent += 1
        return not self.suppressing

    def noise(self) -> Noise | None:
        """What is to be told of the silence that this frame belongs to; None where it was told lately."""
        if (self._silent - HANGOVER_FRAMES - 1) % TOLD_EVERY_FRAMES:
            return None
        level = round(-level_dbov(self._energy, self._samples))
        self._energy, self._samples = 0.0, 0
        return Noise(max(0, min(QUIETEST, level)))
