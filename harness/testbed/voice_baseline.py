"""The voice quality that a vocoded radio is held to: until one was measured on the network, a vocoder stand-in's."""

from __future__ import annotations

from typing import Final

import numpy as np

from harness.endpoints.media import Recording
from harness.endpoints.media.vocoder import Vocoder, vocoded
from harness.measure.correlate import find
from harness.protocols.rtp.g711 import Samples

STAND_IN: Final = Vocoder()
"""Unconfirmed: no TETRA codec (EN 300 395-2) is modelled; speech by envelope and pitch, 200 to 3,400 Hz, no loss."""
SEED: Final = 1


def baseline(clip: Samples) -> Samples:
    """Return a clip (8 kHz) as a vocoded radio on a good day would give it, aligned with what was said."""
    return vocoded(clip, STAND_IN, SEED)


def heard_part(clip: Samples, heard: Recording) -> Samples:
    """Return what was heard of a clip, as long as it and aligned with it; silence where nothing was heard.

    Raises LocalError where the two can't be compared.
    """
    begins = round(find(clip, heard.samples).lag)
    part = heard.samples[max(0, begins) : max(0, begins + len(clip))]
    out = np.zeros(len(clip), np.int16)
    at = max(0, -begins)
    out[at : at + len(part)] = part
    return out
