"""How late packets leave: a histogram of send errors, cheap enough to be always on."""

from __future__ import annotations

import numpy as np

from harness.endpoints.media.api import Pacing

BIN_S = 10e-6
BINS = 50_000
"""Half a second; what is later counts in the last bin, and in the maximum."""


class SendErrors:
    """Counts how far behind its absolute deadline each packet was sent."""

    def __init__(self) -> None:
        self._bins = [0] * BINS
        self._max = 0.0

    def add(self, error: float) -> None:
        """Count one packet, `error` seconds late."""
        self._bins[min(BINS - 1, max(0, int(error / BIN_S)))] += 1
        self._max = max(self._max, error)

    def take(self, *, realtime: bool, cpu_s: float) -> Pacing:
        """The figures since the last call; the percentiles are upper ends of bins."""
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
        self._bins = [0] * BINS
        self._max = 0.0
        return figures
