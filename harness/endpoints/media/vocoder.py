"""A vocoder's stand-in: speech loses its waveform, its band, some frames and its beginning, and stays speech.

No real vocoder is modelled: TETRA's and MCPTT's keep some of the waveform, or none, by their bit rate. What matters to
a measurement is modelled, each as hard as asked for: whether the waveform is kept, the band, frames lost and concealed,
and the front of a transmission that was cut off while the path was being set up.

Each block of WINDOW_S is taken to its spectrum, made anew, and laid over its neighbours by half (square-root Hann
windows, so that an unchanged spectrum gives the samples back). The delay is DELAY_S, exactly.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harness.errors import MediaError
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples

DELAY_S: Final = 0.01
"""By how much what comes out lags what went in: one hop."""
WINDOW_S: Final = 2 * DELAY_S
EDGE_HZ: Final = 100.0
"""How far from its edge the band has faded to nothing."""
FADE: Final = 0.7
"""By how much each lost block is weaker than the one before: a row of them has died away after a fifth of a second."""
ORDER: Final = 10
"""Of the linear prediction at 8 kHz; two more for each further kHz of band."""
PITCH_HZ: Final = (100.0, 400.0)
"""Deeper voices are spoken at an octave, or from noise: a window has no room for their period."""
VOICED: Final = 0.35
"""The least autocorrelation at the pitch's period that makes a block voiced."""
_WHITE: Final = 1.0001  # keeps the prediction stable on tones


class Resynthesis(Enum):
    """What becomes of the waveform."""

    NONE = "none"
    """It is kept."""
    SCRAMBLED = "scrambled"
    """Each block keeps its magnitudes; its phases are drawn at random."""
    PARAMETRIC = "parametric"
    """Each block is told by a spectral envelope, a level and a pitch alone, and spoken anew from pulses or noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocoder:
    """How speech is treated."""

    resynthesis: Resynthesis = Resynthesis.PARAMETRIC
    low_hz: float = 200.0
    high_hz: float = 3_400.0
    loss: float = 0.0
    """Share of blocks of DELAY_S that are lost and concealed, 0 to below 1."""
    burst_s: float = 0.06
    """Mean length of a row of losses: two speech frames of 30 ms in one TETRA slot [U]."""
    front_clip_s: float = 0.0
    """What is cut off the front of each transmission."""

    def __post_init__(self) -> None:
        if not 0 <= self.low_hz < self.high_hz:
            raise MediaError(f"a band from {self.low_hz} to {self.high_hz} Hz is empty")
        if not 0 <= self.loss < 1 or self.burst_s < DELAY_S or self.front_clip_s < 0:
            raise MediaError(
                f"a loss of {self.loss} (0 to below 1) in rows of {self.burst_s} s ({DELAY_S} or more) and a front of "
                f"{self.front_clip_s} s (0 or more) can't be had"
            )


class VocoderStream:
    """Samples in, as many samples out, DELAY_S later; the same seed gives the same sound."""

    def __init__(self, how: Vocoder, seed: int, rate: int = SAMPLE_RATE) -> None:
        """`rate`: samples a second, a multiple of 100. Raises MediaError."""
        if rate <= 0 or rate % 100:
            raise MediaError(f"{rate} samples a second can't be cut into hops of 10 ms")
        self._how = how
        self._rate = rate
        self._hop = round(rate * DELAY_S)
        size = 2 * self._hop
        self._window = np.sin(np.pi * (np.arange(size) + 0.5) / size)
        frequencies = np.fft.rfftfreq(size, 1 / rate)
        below = np.clip((frequencies - how.low_hz) / EDGE_HZ + 1, 0, 1)
        above = np.clip((how.high_hz - frequencies) / EDGE_HZ + 1, 0, 1)
        self._band = below * above
        self._order = ORDER + 2 * max(0, (rate - SAMPLE_RATE) // 2000)
        self._chance = random.Random(seed)
        self._noise = np.random.default_rng(seed)
        self.begin()

    def begin(self) -> None:
        """Begin a transmission: nothing of what was before is left, and its front will be cut off."""
        self._before = np.zeros(self._hop)
        self._tail = np.zeros(self._hop)
        self._last = np.zeros(self._hop + 1)
        self._taken = 0
        self._lost = False
        self._pulse = 0

    def convert(self, samples: Samples) -> Samples:
        """Take some hops of DELAY_S. Raises MediaError when they are not whole."""
        if len(samples) % self._hop:
            raise MediaError(f"{len(samples)} samples are not whole hops of {self._hop}")
        heard = samples.astype(np.float64)
        cut = round(self._how.front_clip_s * self._rate) - self._taken
        if cut > 0:
            heard[:cut] = 0
        self._taken += len(samples)
        out = [self._next(heard[at : at + self._hop]) for at in range(0, len(heard), self._hop)]
        whole = np.concatenate(out) if out else np.zeros(0)
        return np.clip(np.rint(whole), -32768, 32767).astype(np.int16)

    def _next(self, hop: NDArray[np.float64]) -> NDArray[np.float64]:
        block = np.concatenate([self._before, hop]) * self._window
        self._before = hop
        made = np.fft.irfft(self._spectrum(block), 2 * self._hop) * self._window
        out = self._tail + made[: self._hop]
        self._tail = made[self._hop :]
        return out

    def _spectrum(self, block: NDArray[np.float64]) -> NDArray[np.complex128]:
        """What is laid down for a block."""
        if self._is_lost():
            self._last = self._last * FADE
            return self._last * self._random_phases()
        spectrum = np.fft.rfft(block) * self._band
        self._last = np.abs(spectrum)
        match self._how.resynthesis:
            case Resynthesis.NONE:
                return np.asarray(spectrum, np.complex128)
            case Resynthesis.SCRAMBLED:
                return self._last * self._random_phases()
            case Resynthesis.PARAMETRIC:
                return self._spoken_anew(spectrum)

    def _is_lost(self) -> bool:
        """Gilbert's channel: a row of losses ends with this chance, and begins so often that the share is as asked."""
        if not self._how.loss:
            return False
        ends = DELAY_S / self._how.burst_s
        begins = min(1.0, ends * self._how.loss / (1 - self._how.loss))
        self._lost = self._chance.random() >= ends if self._lost else self._chance.random() < begins
        return self._lost

    def _random_phases(self) -> NDArray[np.complex128]:
        return np.asarray(np.exp(2j * np.pi * self._noise.random(self._hop + 1)), np.complex128)

    def _spoken_anew(self, spectrum: NDArray[np.complex128]) -> NDArray[np.complex128]:
        size = 2 * self._hop
        power = self._last**2
        if not power.any():
            return spectrum
        likeness = np.fft.irfft(power, size)
        envelope = _envelope(likeness[: self._order + 1], size) * self._band
        excited = envelope * self._excitation(likeness)
        energy = float(np.sum(np.abs(excited) ** 2))
        louder = np.sqrt(float(power.sum()) / energy) if energy else 1.0
        return np.asarray(excited * louder, np.complex128)

    def _excitation(self, likeness: NDArray[np.float64]) -> NDArray[np.complex128]:
        """Pulses that run on from block to block where there is a pitch, noise elsewhere."""
        shortest, longest = (round(self._rate / hz) for hz in reversed(PITCH_HZ))
        lags = np.arange(shortest, longest)
        # a windowed block's autocorrelation falls off with the lag; a pitch is a top above that
        period = int(lags[int(np.argmax(likeness[lags]))])
        if likeness[period] < VOICED * likeness[0]:
            self._pulse = 0
            return self._random_phases()
        train = np.zeros(2 * self._hop)
        train[self._pulse :: period] = 1.0
        places = np.arange(self._pulse, self._hop + period, period)
        self._pulse = int(places[places >= self._hop][0]) - self._hop
        return np.asarray(np.fft.rfft(train * self._window), np.complex128)


def _envelope(likeness: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """The all-pole spectrum of an autocorrelation (Levinson and Durbin's recursion)."""
    first = likeness[0] * _WHITE
    error = first
    filtered = np.array([1.0])
    for order in range(1, len(likeness)):
        reflected = -float(np.dot(filtered, likeness[order : order - len(filtered) : -1])) / error
        padded = np.append(filtered, 0.0)
        filtered = padded + reflected * padded[::-1]
        error *= 1 - reflected**2
    return np.asarray(1 / np.abs(np.fft.rfft(filtered, size)), np.float64)


def vocoded(samples: Samples, how: Vocoder, seed: int, rate: int = SAMPLE_RATE) -> Samples:
    """A whole transmission, as long as it was and in its place: DELAY_S is taken out again. Raises MediaError."""
    stream = VocoderStream(how, seed, rate)
    hop = round(rate * DELAY_S)
    fill = np.zeros(hop + -len(samples) % hop, np.int16)
    return stream.convert(np.concatenate([samples, fill]))[hop : hop + len(samples)]
