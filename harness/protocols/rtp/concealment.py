"""Packet loss concealment in the manner of ITU-T G.711 appendix I: the last pitch period repeated, faded, overlapped.

Theory. When samples are missing, the last of what was heard is searched for its pitch: the lag of 5 to 15 ms at which
it looks most like itself. That period is repeated, its seam overlapped by a quarter of it, at full strength for 10 ms
and then a fifth of the strength less every 10 ms, so that nothing is left after 60 ms (appendix I section I.2.7). Where
speech comes back the repetition goes on under it for 4 ms while one fades into the other. Unlike the appendix's own, it
repeats one period throughout, and adds no delay of 3.75 ms, for the first seam lies within what was heard already.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from harness.protocols.rtp.g711 import Samples

SHORTEST_PITCH_S: Final = 0.005
LONGEST_PITCH_S: Final = 0.015
COMPARED_S: Final = 0.020
HELD_S: Final = 0.010
"""How long the repetition keeps its strength."""
FADED_S: Final = 0.060
"""After so long nothing is left of it."""
OVERLAP_S: Final = 0.004
"""Of returning speech with the repetition."""
FRAMES_KEPT: Final = 2
"""Of 20 ms: enough for the longest pitch and what it is compared with."""


class Concealer:
    """One stream's: give it every frame that was heard, ask it for what is missing."""

    def __init__(self, rate: int) -> None:
        """`rate`: samples a second."""
        self._rate = rate
        self._heard: list[Samples] = []
        self._period: NDArray[np.float64] = np.zeros(0)
        self._position = 0  # samples of the gap so far

    @property
    def busy(self) -> bool:
        """Whether the last sample was made up: what follows has to be overlapped."""
        return self._position > 0

    def heard(self, frame: Samples) -> None:
        """Keep a frame that was played, made up or not."""
        self._heard.append(frame)
        if len(self._heard) > FRAMES_KEPT:
            del self._heard[0]

    def forget(self) -> None:
        """The stream is over."""
        self._heard = []
        self._position = 0

    def conceal(self, count: int, before: Samples) -> Samples:
        """Make up `count` samples that follow `before` (what of the present frame was heard; may be empty)."""
        if not self._position:
            self._begin(before)
        made = self._repeat(count)
        self._position += count
        return made

    def resume(self, samples: Samples) -> Samples:
        """Samples that came after a gap, their beginning overlapped with the repetition."""
        count = min(len(samples), round(OVERLAP_S * self._rate))
        fade = np.arange(1, count + 1) / (count + 1)
        joined = samples.copy()
        joined[:count] = np.rint(samples[:count] * fade + self._repeat(count) * (1 - fade))
        self._position = 0
        return joined

    def _begin(self, before: Samples) -> None:
        line = np.concatenate([*self._heard, before]).astype(np.float64)
        shortest, longest = round(SHORTEST_PITCH_S * self._rate), round(LONGEST_PITCH_S * self._rate)
        compared = round(COMPARED_S * self._rate)
        if len(line) < compared + longest or not line.any():
            self._period = np.zeros(shortest)
            return
        lag = _pitch(line, compared, shortest, longest)
        period = line[-lag:].copy()
        # the seam: the period's end runs into what came before its beginning
        seam = lag // 4
        fade = np.arange(1, seam + 1) / (seam + 1)
        period[-seam:] = period[-seam:] * (1 - fade) + line[-lag - seam : -lag] * fade
        self._period = period

    def _repeat(self, count: int) -> Samples:
        places = np.arange(self._position, self._position + count)
        strength = 1 - (places / self._rate - HELD_S) / (FADED_S - HELD_S)
        wave = self._period[places % len(self._period)] * np.clip(strength, 0.0, 1.0)
        return np.rint(wave).astype(np.int16)


def _pitch(line: NDArray[np.float64], compared: int, shortest: int, longest: int) -> int:
    """The lag at which the end of `line` looks most like itself."""
    end = line[-compared:]
    back = np.lib.stride_tricks.sliding_window_view(line[-compared - longest : -shortest], compared)
    energy = np.einsum("ij,ij->i", back, back)
    likeness = back @ end / np.sqrt(np.maximum(energy, 1.0))
    return longest - int(np.argmax(likeness))
