"""Forecasts calls by intervals of 15 minutes from those of earlier days, and tells how far a forecast was off.

Method. A day's calls are a level with a trend, times what its weekday has of it: T = (a + b·t)·w. Both are fitted in
turns, least squares for the line, the mean ratio to it for each weekday, until they stand (ROUNDS). A day's calls are
spread over its intervals by the weekday's own profile (share of the day's calls in each), drawn towards the profile of
all days as if PRIOR_DAYS of these had been seen beside it, so that a few weeks of one weekday are not taken at their
word. The time that a call takes is the mean of its interval of the day, drawn likewise. Days that are not whole are
left out.

Error. WAPE is the sum of what each interval was off, by the sum of what came: quiet hours count for what they have.
MAPE is the mean of each interval's own share, over those in which something came. Calls come by chance: were the
forecast the true mean of every interval, WAPE would still be `by_chance` (mean absolute deviation of Poisson counts, De
Moivre).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from harness.errors import StaffingError

INTERVALS: Final = 96
"""Of a day; of one on which the clocks change, four are empty or hold two quarters."""
MIN_DAYS: Final = 14
"""Whole days from which a forecast is made, at least."""
MAX_DAYS: Final = 800
ROUNDS: Final = 8
PRIOR_DAYS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a queue, as it was."""

    number: int
    """Days since 1970-01-01, which was a Thursday."""
    calls: tuple[int, ...]
    """Calls offered in each interval of the day."""
    handled: tuple[int, ...]
    handle_s: tuple[float, ...]
    """Time that those handled took, together."""

    def __post_init__(self) -> None:
        """Raise StaffingError for one of another length."""
        if not len(self.calls) == len(self.handled) == len(self.handle_s) == INTERVALS:
            raise StaffingError(f"a day has {INTERVALS} intervals")

    @property
    def weekday(self) -> int:
        """0 is Monday."""
        return (self.number + 3) % 7


@dataclass(frozen=True, slots=True)
class Expected:
    """What is forecast of one interval."""

    calls: float
    handling_s: float
    """Mean time that a call takes."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How far a forecast was off; shares, None where nothing came."""

    wape: float | None
    mape: float | None
    by_chance: float | None
    """WAPE that a perfect forecast would be likely to have."""
    expected: float
    """Calls of all intervals."""
    actual: int


def forecast(history: Sequence[Day], number: int) -> list[Expected]:
    """Return what is to be expected of each interval of day ``number``, by the days before it.

    Raises StaffingError where there are too few, or they had no calls.
    """
    days = sorted((day for day in history if day.number < number), key=lambda day: day.number)[-MAX_DAYS:]
    if len({day.number for day in days}) != len(days):
        raise StaffingError("a day of the history is there twice")
    if len(days) < MIN_DAYS:
        raise StaffingError(f"{len(days)} whole days are known before it; a forecast needs {MIN_DAYS}")
    totals = np.array([sum(day.calls) for day in days], dtype=float)
    if not totals.sum():
        raise StaffingError("no call came on any of the days before it")
    total = _level(days, totals, number)
    weekday = Day(number, *[(0,) * INTERVALS] * 3).weekday
    everyday = np.array([day.calls for day in days], dtype=float)
    own = everyday[[day.weekday == weekday for day in days]].sum(axis=0)
    profile = everyday.sum(axis=0) / totals.sum()
    weight = PRIOR_DAYS * totals.mean()
    share = (own + weight * profile) / (own.sum() + weight)
    return [Expected(float(total * part), handling) for part, handling in zip(share, _handling(days), strict=True)]


def _level(days: Sequence[Day], totals: np.ndarray[tuple[int, ...], np.dtype[np.float64]], number: int) -> float:
    """Calls of day ``number``: the line's, times its weekday's part."""
    t = np.array([day.number - number for day in days], dtype=float)
    of = np.array([day.weekday for day in days])
    weekday = Day(number, *[(0,) * INTERVALS] * 3).weekday
    parts = np.ones(7)
    for _ in range(ROUNDS):
        slope, level = np.polyfit(t, totals / parts[of], 1)
        line = np.maximum(slope * t + level, 1e-9)
        for each in range(7):
            if (of == each).any():
                parts[each] = max(1e-6, totals[of == each].sum() / line[of == each].sum())
    return max(0.0, float(level) * float(parts[weekday]))


def _handling(days: Sequence[Day]) -> list[float]:
    handled = np.array([day.handled for day in days], dtype=float).sum(axis=0)
    seconds = np.array([day.handle_s for day in days], dtype=float).sum(axis=0)
    if not handled.sum():
        return [0.0] * INTERVALS
    mean = seconds.sum() / handled.sum()
    weight = PRIOR_DAYS * handled.sum() / len(days) / INTERVALS
    return [float(each) for each in (seconds + weight * mean) / (handled + weight)]


def accuracy(expected: Mapping[int, float], actual: Mapping[int, int]) -> Accuracy:
    """Hold a forecast against what came, both by interval; only intervals that are in both count."""
    both = sorted(expected.keys() & actual.keys())
    off = {at: abs(expected[at] - actual[at]) for at in both}
    came = sum(actual[at] for at in both)
    busy = [at for at in both if actual[at]]
    forecasts = math.fsum(expected[at] for at in both)
    return Accuracy(
        wape=math.fsum(off.values()) / came if came else None,
        mape=math.fsum(off[at] / actual[at] for at in busy) / len(busy) if busy else None,
        by_chance=math.fsum(_deviation(expected[at]) for at in both) / forecasts if forecasts else None,
        expected=forecasts,
        actual=came,
    )


def _deviation(mean: float) -> float:
    """Mean absolute deviation of a Poisson count: 2·exp(-m)·m^(k+1)/k!, k the whole part of the mean m."""
    if mean <= 0:
        return 0.0
    whole = math.floor(mean)
    return 2 * math.exp(-mean + (whole + 1) * math.log(mean) - math.lgamma(whole + 1))
