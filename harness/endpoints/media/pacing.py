"""How late packets leave and are read: histograms, cheap enough to be always on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.endpoints.media.api import Pacing

BIN_S = 10e-6
BINS = 20_000
"""A fifth of a second; what is later counts in the last bin, and in the maximum."""
FOLD = 2000
"""Delays that are gathered before they are counted, all at once."""


class Lateness:
    """Counts by how much each of many things was late."""

    def __init__(self) -> None:
        self._bins: NDArray[np.int64] = np.zeros(BINS, np.int64)
        self._max = 0.0
        self._fresh: list[float] = []

    def add(self, late: float) -> None:
        """Count one, `late` seconds late."""
        self._fresh.append(late)
        if len(self._fresh) >= FOLD:
            self._fold()

    def add_all(self, late: list[float]) -> None:
        """Count several."""
        self._fresh += late
        if len(self._fresh) >= FOLD:
            self._fold()

    def _fold(self) -> None:
        late = np.array(self._fresh)
        self._fresh.clear()
        if len(late):
            self._max = max(self._max, float(late.max()))
            self._bins += np.bincount(np.clip((late / BIN_S).astype(np.int64), 0, BINS - 1), minlength=BINS)

    def take(self, *shares: float) -> tuple[int, float, list[float]]:
        """How many there were since the last call, the latest, and a percentile for each of `shares`; milliseconds.

        The percentiles are upper ends of bins, and nothing where nothing was late.
        """
        self._fold()
        counts = np.cumsum(self._bins)
        total, latest = int(counts[-1]), round(self._max * 1000, 3)
        self._bins[:] = 0
        self._max = 0.0
        bins = [int(np.searchsorted(counts, share * total)) + 1 if total else 0 for share in shares]
        return total, latest, [round(number * BIN_S * 1000, 3) for number in bins]


def pacing_of(sent: Lateness, read: Lateness, *, realtime: bool, cpu_s: float) -> Pacing:
    """The figures since the last call."""
    packets, latest, (p50, p99, p999) = sent.take(0.5, 0.99, 0.999)
    _, _, (read_p99,) = read.take(0.99)
    return Pacing(packets, p50, p99, p999, latest, realtime, round(cpu_s, 3), read_p99)
