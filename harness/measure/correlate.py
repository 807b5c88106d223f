"""Finding one sound in another: normalised cross-correlation by FFT."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.errors import LocalError

MAX_SAMPLES = 300 * 8000 * 2
"""What either sound may have: ten minutes at 8 kHz."""
MIN_SAMPLES = 800
"""A tenth of a second: less is found anywhere."""
SMALLEST_OVERLAP = 0.5
"""Share of the reference that must lie within what was heard."""
_QUIET = 1e-3  # share of the loudest stretch's energy under which a stretch is not worth comparing


@dataclass(frozen=True, slots=True)
class Match:
    """Where a reference was found."""

    lag: float
    """Samples from the start of what was heard to the start of the reference, finer than one; may be negative."""
    peak: float
    """Normalised correlation there, 0 (nothing alike) to 1 (the same but for loudness)."""


def find(reference: NDArray[np.int16], heard: NDArray[np.int16]) -> Match:
    """The best place of `reference` in `heard`, whichever its loudness and polarity.

    At each lag the correlation is divided by the energies of the two stretches that overlap, so loudness does not
    count; only lags at which SMALLEST_OVERLAP of the reference lies within `heard` are looked at. Raises LocalError
    when either is too short or too long to compare, or the reference is silent.
    """
    for name, sound in (("reference", reference), ("heard", heard)):
        if len(sound) > MAX_SAMPLES:
            raise LocalError(f"the {name} sound has {len(sound)} samples; at most {MAX_SAMPLES} can be compared")
    if len(reference) < MIN_SAMPLES:
        raise LocalError(f"a reference of {len(reference)} samples is too short to find; {MIN_SAMPLES} at least")
    spoken = reference.astype(np.float64) - reference.mean()
    if not spoken.any():
        raise LocalError("the reference sound is silent: there is nothing to find")
    if len(heard) < MIN_SAMPLES:
        return Match(0.0, 0.0)
    received = heard.astype(np.float64) - heard.mean()

    size, length = len(spoken), len(received)
    total = 1 << (size + length - 1).bit_length()
    spectrum = np.fft.rfft(received, total) * np.conj(np.fft.rfft(spoken, total))
    raw = np.fft.irfft(spectrum, total)
    # a received sound shorter than the reference can't hold half of it: then half of itself will do
    overlap = int(SMALLEST_OVERLAP * min(size, length))
    lags = np.arange(overlap - size, length - overlap + 1)
    correlation = raw[lags % total]

    spoken_energy = np.concatenate([[0.0], np.cumsum(spoken**2)])
    received_energy = np.concatenate([[0.0], np.cumsum(received**2)])
    of_spoken = spoken_energy[np.clip(length - lags, 0, size)] - spoken_energy[np.clip(-lags, 0, size)]
    of_received = received_energy[np.clip(lags + size, 0, length)] - received_energy[np.clip(lags, 0, length)]
    # where hardly any of the reference's energy overlaps, a chance likeness would score high
    floor = max(_QUIET * float(of_received.max()), 1.0)
    enough = (of_spoken >= SMALLEST_OVERLAP * spoken_energy[-1]) & (of_received >= floor)
    scores = np.zeros(len(lags))
    np.divide(np.abs(correlation), np.sqrt(of_spoken * np.maximum(of_received, floor)), out=scores, where=enough)
    best = int(np.argmax(scores))
    return Match(float(lags[best]) + refine(scores, best), float(min(1.0, scores[best])))


def correlation(reference: NDArray[np.int16], heard: NDArray[np.int16]) -> float:
    """How well `reference` is found in `heard`, 0 to 1: over 0.9 on a clean G.711 path, under 0.3 for other speech.

    Raises LocalError as `find` does.
    """
    return find(reference, heard).peak


def refine(scores: NDArray[np.float64], best: int) -> float:
    """How far the top of the parabola through the peak and its neighbours lies from the peak, in samples."""
    if not 0 < best < len(scores) - 1:
        return 0.0
    before, peak, after = scores[best - 1 : best + 2]
    curve = before - 2 * peak + after
    return float(0.5 * (before - after) / curve) if curve < 0 else 0.0
