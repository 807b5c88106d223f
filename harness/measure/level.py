"""How loud speech is: the level of samples about full scale."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FULL_SCALE = 32768
SILENCE_DB = -100.0
"""What digital silence is told as."""


def level_db(samples: NDArray[np.int16]) -> float:
    """Return the root mean square of samples, dB about full scale (0 dB: a square wave at full scale).

    Raises ValueError when there are none.
    """
    if not len(samples):
        raise ValueError("nothing was recorded: no samples have no level")
    power = float(np.mean(np.square(samples.astype(np.float64))))
    return max(SILENCE_DB, 10 * math.log10(power / FULL_SCALE**2)) if power else SILENCE_DB
