"""The shape of a control room's day, for made-up history and load: how many of a day's calls come in each quarter."""

from __future__ import annotations

from typing import Final

import numpy as np

HOURS: Final = (30, 24, 20, 17, 14, 13, 15, 22, 32, 40, 46, 50, 52, 53, 54, 57, 66, 78, 80, 72, 62, 56, 48, 38)
"""Parts of the day's calls that come about the middle of each hour of local time; the busiest has near 8 %. [p]"""
WEEKDAYS: Final = (0.95, 0.94, 0.95, 0.98, 1.06, 1.12, 1.00)
"""What each weekday has of a mean day, Monday first. [p]"""


def quarter_shares() -> tuple[float, ...]:
    """Return the share of a day's calls in each of its 96 quarters of an hour, evenly between the hours' middles."""
    middles = np.arange(-1, 25) + 0.5
    parts = np.array((HOURS[-1], *HOURS, HOURS[0]), dtype=float)
    found = np.interp((np.arange(96) + 0.5) / 4, middles, parts)
    return tuple(float(each) for each in found / found.sum())
