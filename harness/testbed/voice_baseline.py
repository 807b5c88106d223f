"""The voice quality that a vocoded radio is held to: what was measured on its network, or a vocoder stand-in's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from harness.drivers.talking_radio import Technology
from harness.endpoints.media import Recording
from harness.endpoints.media.vocoder import Vocoder, vocoded
from harness.errors import TestbedError
from harness.measure.correlate import find
from harness.protocols.rtp.g711 import Samples
from harness.testbed.components import Binding, RadioTerminalComponent, RoipGatewayComponent
from harness.testbed.model import Testbed

STAND_IN: Final = Vocoder()
"""Unconfirmed: no TETRA codec (EN 300 395-2) is modelled; speech by envelope and pitch, 200 to 3,400 Hz, no loss."""
SEED: Final = 1
_WAYS: Final = {Technology.TETRA: RadioTerminalComponent, Technology.ROIP: RoipGatewayComponent}
"""The component whose binding says whether a technology's network is real."""


def baseline(clip: Samples) -> Samples:
    """Return a clip (8 kHz) as a vocoded radio on a good day would give it, aligned with what was said."""
    return vocoded(clip, STAND_IN, SEED)


def due(
    testbed: Testbed, technology: Technology, by: str, clip: Samples, measure: Callable[[Samples, Samples], float]
) -> float | None:
    """Return the least score due on a testbed; None where its network is real and nobody has measured it yet.

    ``by``: what ``measure`` gives, `MOS` or `STOI`. Raises TestbedError where the baseline was measured by the other.
    """
    measured = {Technology(name): each for name, each in testbed.voice_baselines.items()}.get(technology)
    if measured is None:
        way = _WAYS[technology]
        is_real = any(isinstance(each, way) and each.binding is Binding.REAL for each in testbed.components.values())
        return None if is_real else measure(clip, baseline(clip))
    if measured.by != by:
        raise TestbedError(
            f"the voice baseline of {technology} in testbed {testbed.name!r} is {measured.by}, and {by} is measured "
            "now: install the extra 'quality' where it is MOS, or measure the baseline anew"
        )
    return measured.score


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
