"""Mouth-to-ear latency: the delay between the spoken and the heard waveform (NIST MCV QoE; TS 22.179 KPI 3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.endpoints.media.api import Recording
from harness.errors import LocalError
from harness.measure.correlate import find

LEAST_CONFIDENCE = 0.5
"""Below this correlation what was heard is not what was spoken, and a delay would mean nothing."""


@dataclass(frozen=True, slots=True)
class Latency:
    """A measured delay."""

    ms: float
    """From a sample's leaving the mouth's jack to its being played at the ear's, in milliseconds."""
    confidence: float
    """Normalised correlation at that delay, 0-1."""


def mouth_to_ear(spoken: NDArray[np.int16], spoken_start_s: float, heard: Recording) -> Latency:
    """Measure the delay of `spoken`, whose first sample left at run time `spoken_start_s`, in `heard`.

    Both at `heard.rate`. Neither gain nor G.711 shifts the result. Raises LocalError when the two are not the same
    sound (correlation under LEAST_CONFIDENCE), for there is then no delay to tell.
    """
    match = find(spoken, heard.samples)
    if match.peak < LEAST_CONFIDENCE:
        raise LocalError(
            f"what was spoken was not heard: correlation {match.peak:.2f}, at least {LEAST_CONFIDENCE} is needed"
        )
    delay = heard.start + match.lag / heard.rate - spoken_start_s
    return Latency(round(delay * 1000, 3), round(match.peak, 4))
