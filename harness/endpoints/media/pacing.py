"""How late packets leave: a histogram of send errors, cheap enough to be always on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.endpoints.media.api import Pacing

BIN_S = 10e-6
BINS = 20_000
"""A fifth of a second; what is later counts in the last bin, and in the maximum."""
FOLD = 2000
"""Errors that are gathered before they are counted, all at once."""


class SendErrors:
    """Counts how far behind its absolute deadline each packet was sent."""

    def __init__(self) -> None:
        self._bins: NDArray[np.int64] = np.zeros(BINS, np.int64)
        self._max = 0.0
        self._fresh: list[float] = []

    def add(self, error: float) -> None:
        """Count one packet, `error` seconds late."""
        self._fresh.append(error)
        if len(self._fresh) >= FOLD:
            self._fold()

    def _fold(self) -> None:
        errors = np.array(self._fresh)
        self._fresh.clear()
        if len(errors):
            self._max = max(self._max, float(errors.max()))
            self._bins += np.bincount(np.clip((errors / BIN_S).astype(np.int64), 0, BINS - 1), minlength=BINS)

    def take(self, *, realtime: bool, cpu_s: float) -> Pacing:
        """The figures since the last call; the percentiles are upper ends of bins."""
        self._fold()
        counts = np.cumsum(self._bins)
        total = int(counts[-1])

        def percentile(share: float) -> float:
            if not total:
                return 0.0
            return round((int(np.searchsorted(counts, share * total)) + 1) * BIN_S * 1000, 3)

        figures = Pacing(
            total,
            percentile(0.5),
            percentile(0.99),
            percentile(0.999),
            round(self._max * 1000, 3),
            realtime,
            round(cpu_s, 3),
        )
        self._bins[:] = 0
        self._max = 0.0
        return figures
