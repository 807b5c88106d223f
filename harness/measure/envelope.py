"""Finding one sound in another by how its loudness moves, band by band: what a vocoder keeps of it."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harness.errors import LocalError
from harness.measure.correlate import MAX_SAMPLES, SMALLEST_OVERLAP, Match, refine
from harness.protocols.rtp.g711 import SAMPLE_RATE

STEP_S: Final = 0.001
"""Between two points of an envelope."""
WINDOW_S: Final = 0.032
"""What one point looks at: over two or three pitch periods, or it would see the pulses."""
BANDS_HZ: Final = (250, 500, 800, 1150, 1550, 2000, 2600, 3400)
"""Edges of the bands, about as wide as the ear's; the same for every rate, as a vocoder has nothing above."""
COMPRESSION: Final = 0.5
"""Power to which a band's energy is raised, so that loud vowels don't drown the rest."""
SLOWEST_HZ: Final = 1.5
"""Slower swings are level and noise, and smear the peak."""
SHORTEST_S: Final = 0.5
"""Less speech has too few syllables to be told from another."""


def find_envelope(reference: NDArray[np.int16], heard: NDArray[np.int16], rate: int = SAMPLE_RATE) -> Match:
    """The best place of `reference` in `heard`, both at `rate` samples a second, by band envelopes.

    The match's lag is in samples, its peak the mean correlation over bands, 0-1. Only lags at which half of the shorter
    lies within the other are looked at. Raises LocalError when a sound is too long, or the reference is too short or
    silent.
    """
    if max(len(reference), len(heard)) > MAX_SAMPLES:
        raise LocalError(f"at most {MAX_SAMPLES} samples can be compared, not {max(len(reference), len(heard))}")
    if len(reference) < SHORTEST_S * rate:
        raise LocalError(
            f"a reference of {len(reference) / rate:.2f} s has no envelope to find; {SHORTEST_S} s at least"
        )
    if not (reference != reference[0]).any():
        raise LocalError("the reference sound is silent: there is nothing to find")
    if len(heard) < SHORTEST_S * rate:
        return Match(0.0, 0.0)
    spoken, received = _envelopes(reference, rate), _envelopes(heard, rate)
    size, length = spoken.shape[1], received.shape[1]
    total = 1 << (size + length - 1).bit_length()
    overlap = max(1, int(SMALLEST_OVERLAP * min(size, length)))
    lags = np.arange(overlap - size, length - overlap + 1)
    scores = np.zeros(len(lags))
    for ours, theirs in zip(spoken, received, strict=True):
        raw = np.fft.irfft(np.fft.rfft(theirs, total) * np.conj(np.fft.rfft(ours, total)), total)
        own, other = (np.concatenate([[0.0], np.cumsum(each**2)]) for each in (ours, theirs))
        of_own = own[np.clip(length - lags, 0, size)] - own[np.clip(-lags, 0, size)]
        of_other = other[np.clip(lags + size, 0, length)] - other[np.clip(lags, 0, length)]
        floor = 0.1 * max(float(of_other.max()), 1e-12)
        energy = np.sqrt(of_own * np.maximum(of_other, floor))
        enough = of_own >= SMALLEST_OVERLAP * own[-1]
        scores += np.divide(raw[lags % total], energy, out=np.zeros(len(lags)), where=enough & (energy > 0))
    scores /= len(spoken)
    best = int(np.argmax(scores))
    lag = float(lags[best]) + refine(scores, best)
    return Match(lag * STEP_S * rate, float(np.clip(scores[best], 0.0, 1.0)))


def _envelopes(samples: NDArray[np.int16], rate: int) -> NDArray[np.float64]:
    """One row a band, one point a STEP_S, without level and slow swings."""
    step, window = round(STEP_S * rate), round(WINDOW_S * rate)
    padded = np.pad(samples.astype(np.float64), (window // 2, window))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[: len(samples) : step]
    shape = np.hanning(window + 1)[:-1]
    frequencies = np.fft.rfftfreq(window, 1 / rate)
    bands = np.stack([(frequencies >= low) & (frequencies < high) for low, high in pairwise(BANDS_HZ)]).astype(
        np.float64
    )
    chunk = 10_000  # keeps the memory of ten minutes within bounds
    power = np.concatenate(
        [np.abs(np.fft.rfft(frames[at : at + chunk] * shape)) ** 2 @ bands.T for at in range(0, len(frames), chunk)]
    ).T
    envelopes = power**COMPRESSION
    spectrum = np.fft.rfft(envelopes)
    spectrum[:, np.fft.rfftfreq(envelopes.shape[1], STEP_S) < SLOWEST_HZ] = 0
    return np.asarray(np.fft.irfft(spectrum, envelopes.shape[1]), np.float64)
