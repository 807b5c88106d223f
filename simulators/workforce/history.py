"""Made-up history of a queue: the days before a run's first, in a control room's shape, counts by chance."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np

from harness.protocols.wfm.rows import QUARTER_S, IntervalRow
from harness.workforce.shape import WEEKDAYS, quarter_shares
from simulators.workforce.calendar import Days
from simulators.workforce.settings import HistorySettings


def made_up(seed: int, queue: str, settings: HistorySettings, before: date, days: Days) -> Iterator[IntervalRow]:
    """Yield the rows of so many weeks that end the day before ``before``; one seed gives the same ones.

    Nobody gives up in it, and each is answered in four seconds: forecasts go by offered calls and handling times.
    """
    rng = np.random.default_rng(seed)
    shares = quarter_shares()
    for back in range(settings.weeks * 7, 0, -1):
        day = before - timedelta(days=back)
        start, end = days.bounds(day)
        for at in range(start, end, QUARTER_S):
            mean = settings.per_day * WEEKDAYS[day.weekday()] * shares[days.place(at)[1]]
            calls = int(rng.poisson(mean))
            handled_ms = round(1000 * settings.handling_s * float(rng.gamma(calls))) if calls else 0
            yield IntervalRow(at, queue, calls, calls, calls, 0, 0, calls, 4000 * calls, handled_ms)
