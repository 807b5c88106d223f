"""Sampling rates: between 8 and 16 kHz, and down from 48 to 16, by windowed-sinc filters, frame by frame or whole.

A stream's converter keeps what it needs of the samples before, so that frames join without a seam; it delays by
`DELAY_S` or less. A whole clip is converted without delay.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from harness.errors import MediaError
from harness.protocols.rtp.g711 import Samples

TAPS_A_SIDE: Final = 24
"""Zero crossings of the sinc kept on each side: 80 dB of stop band under a Kaiser window, 3 ms at 8 kHz."""
KAISER_BETA: Final = 7.86
"""Kaiser's window for 80 dB."""
DELAY_S: Final = TAPS_A_SIDE / 8000
CUT: Final = 0.94
"""Where the filter's middle lies, as a share of the lower rate's half: speech up to 3.6 and 7.2 kHz stays whole."""


def _kernel(factor: int) -> NDArray[np.float64]:
    """A low-pass at the lower of two rates that are `factor` apart, with unity gain."""
    reach = TAPS_A_SIDE * factor
    places = np.arange(-reach, reach + 1)
    kernel = np.sinc(places * CUT / factor) * np.kaiser(2 * reach + 1, KAISER_BETA)
    return np.asarray(kernel / kernel.sum(), np.float64)


_KERNELS: Final = {factor: _kernel(factor) for factor in (2, 3)}


class Decimator:
    """Brings a stream down to half (factor 2) or a third (3) of its rate."""

    def __init__(self, factor: int) -> None:
        self._factor = factor
        self._kernel = _KERNELS[factor]
        self._before = np.zeros(len(self._kernel) - 1)

    def convert(self, samples: Samples) -> Samples:
        """So many samples fewer; their number must be a multiple of the factor."""
        line = np.concatenate([self._before, samples])
        self._before = line[-len(self._before) :]
        return _rounded(np.convolve(line, self._kernel, "valid")[:: self._factor])


class Doubler:
    """Brings a stream up to twice its rate."""

    def __init__(self) -> None:
        kernel = _KERNELS[2] * 2  # zeros are put between the samples
        self._even, self._odd = kernel[0::2], kernel[1::2]
        self._before = np.zeros(len(self._even) - 1)

    def convert(self, samples: Samples) -> Samples:
        """Twice as many samples."""
        line = np.concatenate([self._before, samples])
        self._before = line[-len(self._before) :]
        doubled = np.empty(2 * len(samples))
        doubled[0::2] = np.convolve(line, self._even, "valid")
        doubled[1::2] = np.convolve(line[1:], self._odd, "valid")
        return _rounded(doubled)


Converter = Decimator | Doubler


def converter(source: int, target: int) -> Converter | None:
    """What brings frames from one rate to another; None where they are the same. Raises MediaError."""
    if source == target:
        return None
    if target == 2 * source:
        return Doubler()
    if source % target == 0 and source // target in _KERNELS:
        return Decimator(source // target)
    raise MediaError(f"sound can't be brought from {source} to {target} samples a second; 8000 and 16000 are spoken")


def converted(samples: Samples, source: int, target: int) -> Samples:
    """A whole clip at another rate, in place: nothing is delayed. Raises MediaError."""
    change = converter(source, target)
    if change is None:
        return samples
    # the filter's delay is TAPS_A_SIDE samples of the lower rate: what it swallows first is cut, what it owes fetched
    delay = TAPS_A_SIDE * max(1, source // target)
    whole = np.concatenate([samples, np.zeros(-len(samples) % max(1, source // target) + delay, np.int16)])
    length = -(-len(samples) * target // source)
    late = TAPS_A_SIDE * max(1, target // source)
    return change.convert(whole)[late : late + length]


def _rounded(samples: NDArray[np.float64]) -> Samples:
    return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)
