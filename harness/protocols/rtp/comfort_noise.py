"""Comfort noise: what a sender tells of its silence, and what a receiver plays in its place (RFC 3389).

The payload's first octet is the level as -dBov; what follows, where anything does, are reflection coefficients that
shape the spectrum. Noise is made from a seed, so that a run can be repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harness.errors import MediaError, RtpError
from harness.protocols.rtp.g711 import Samples

MAX_LEVEL: Final = 127
"""-127 dBov: silence."""
MAX_COEFFICIENTS: Final = 32
"""Reflection coefficients read of a payload; RFC 3389 section 3 leaves their number open, and 10 to 12 are usual."""
_CENTRE: Final = 127
_FULL_SCALE: Final = 32768.0


@dataclass(frozen=True, slots=True)
class Noise:
    """One comfort noise payload."""

    level: int
    """0-127: the level as -dBov (RFC 3389 section 3.1)."""
    coefficients: tuple[int, ...] = ()
    """Reflection coefficients as octets, 0-254, 127 standing for zero (section 3.2); empty for white noise."""

    @classmethod
    def parse(cls, payload: bytes) -> Noise:
        """Read a payload. Raises RtpError when it is none; coefficients beyond MAX_COEFFICIENTS are left out."""
        if not payload:
            raise RtpError("comfort noise without a level (RFC 3389 section 3)")
        if payload[0] > MAX_LEVEL:
            raise RtpError(f"comfort noise level {payload[0]}, at most {MAX_LEVEL} (RFC 3389 section 3.1)")
        return cls(payload[0], tuple(payload[1 : 1 + MAX_COEFFICIENTS]))

    def build(self) -> bytes:
        """The payload. Raises MediaError when a field does not fit."""
        if not 0 <= self.level <= MAX_LEVEL or len(self.coefficients) > MAX_COEFFICIENTS:
            raise MediaError(f"comfort noise has a level of 0-{MAX_LEVEL} and at most {MAX_COEFFICIENTS} coefficients")
        if any(not 0 <= each < 2 * _CENTRE + 1 for each in self.coefficients):
            raise MediaError("a comfort noise coefficient is 0-254")
        return bytes([self.level, *self.coefficients])


class NoiseMaker:
    """Plays what a `Noise` describes."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._noise = Noise(MAX_LEVEL)
        self._shape: NDArray[np.float64] | None = None

    def describe(self, noise: Noise) -> None:
        """Play this from now on."""
        if noise.coefficients != self._noise.coefficients:
            self._shape = None
        self._noise = noise

    def frame(self, count: int) -> Samples:
        """So many samples of noise."""
        level = _FULL_SCALE * 10.0 ** (-self._noise.level / 20)
        if level < 0.5:
            return np.zeros(count, np.int16)
        wave = self._random.standard_normal(count)
        if self._noise.coefficients:
            if self._shape is None or len(self._shape) != count // 2 + 1:
                self._shape = spectrum(self._noise.coefficients, count)
            wave = np.fft.irfft(np.fft.rfft(wave) * self._shape, count)
        noise: Samples = np.clip(np.rint(wave * level), -32768, 32767).astype(np.int16)
        return noise


def spectrum(coefficients: tuple[int, ...], count: int) -> NDArray[np.float64]:
    """The gain at each frequency of `count` samples' transform: the all-pole filter of the reflection coefficients.

    Of unity power, so that the level stays what the payload says.
    """
    # k = -1 ... 1 (section 3.2); at one exactly the filter would ring for ever
    reflection = [float(np.clip((each - _CENTRE) / _CENTRE, -0.99, 0.99)) for each in coefficients]
    predictor = np.array([1.0])
    for each in reflection:
        longer = np.append(predictor, 0.0)
        predictor = longer + each * longer[::-1]
    gain = 1.0 / np.maximum(np.abs(np.fft.rfft(predictor, count)), 1e-6)
    power = (gain[0] ** 2 + gain[-1] ** 2 + 2 * np.sum(gain[1:-1] ** 2)) / count
    return np.asarray(gain / np.sqrt(power), np.float64)
