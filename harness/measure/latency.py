"""Mouth-to-ear latency: the delay between the spoken and the heard sound (NIST MCV QoE; TS 22.179 KPI 3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harness.endpoints.media.api import Recording
from harness.errors import LocalError
from harness.measure.correlate import find
from harness.measure.envelope import SHORTEST_S, find_envelope

LEAST_CONFIDENCE: Final = 0.5
"""Below this correlation what was heard is not what was spoken, and a delay would mean nothing."""


class Method(Enum):
    """What is compared."""

    WAVEFORM = "waveform"
    """The samples: exact, where the path keeps the waveform (G.711, G.722, analogue radio)."""
    ENVELOPE = "envelope"
    """How loud each band is from moment to moment: what a vocoder keeps."""


@dataclass(frozen=True, slots=True)
class Latency:
    """A measured delay."""

    ms: float
    """From a sample's leaving the mouth's jack to its being played at the ear's, in milliseconds."""
    confidence: float
    """Normalised correlation at that delay, 0-1."""
    method: Method = Method.WAVEFORM


def mouth_to_ear(
    spoken: NDArray[np.int16], spoken_start_s: float, heard: Recording, method: Method | None = None
) -> Latency:
    """Measure the delay of `spoken`, whose first sample left at run time `spoken_start_s`, in `heard`.

    Both at `heard.rate`. `method` None: by the waveform, and by the envelope where that was not kept. Neither gain nor
    G.711 shifts the result. Raises LocalError when the two are not the same sound (correlation under
    LEAST_CONFIDENCE), for there is then no delay to tell.
    """
    scores = []
    for each in Method if method is None else (method,):
        waveform = each is Method.WAVEFORM
        if not waveform and method is None and len(spoken) < SHORTEST_S * heard.rate:
            continue
        match = find(spoken, heard.samples) if waveform else find_envelope(spoken, heard.samples, heard.rate)
        if match.peak >= LEAST_CONFIDENCE:
            delay = heard.start + match.lag / heard.rate - spoken_start_s
            return Latency(round(delay * 1000, 3), round(match.peak, 4), each)
        scores.append(f"{match.peak:.2f} by {each.value}")
    raise LocalError(
        f"what was spoken was not heard: correlation {', '.join(scores)}; at least {LEAST_CONFIDENCE} is needed"
    )
