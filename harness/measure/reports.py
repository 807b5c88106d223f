"""How far apart a vehicle's place reports are, in time and in way: what a map does not know in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from harness.errors import LocalError
from harness.protocols.location.shapes import Point, distance


@dataclass(frozen=True, slots=True)
class Report:
    """A place as it came."""

    time: float
    """Seconds."""
    at: Point


@dataclass(frozen=True, slots=True)
class Gap:
    """Between two reports that follow each other, or after the last one."""

    began: float
    """Seconds: when the earlier one came."""
    seconds: float
    metres: float
    """In a straight line; 0 after the last report, whose successor's place is not known."""


def gaps(reports: Sequence[Report], *, until: float) -> list[Gap]:
    """Return every gap, oldest first; the last reaches from the last report to ``until``, the end of watching.

    Raises LocalError where there is no report, or one is from after ``until`` or out of order.
    """
    if not reports:
        raise LocalError("no report of a place came")
    times = [report.time for report in reports] + [until]
    if times != sorted(times):
        raise LocalError("reports are in the order in which they came, and none from after the end of watching")
    found = [Gap(one.time, two.time - one.time, distance(one.at, two.at)) for one, two in pairwise(reports)]
    return [*found, Gap(reports[-1].time, until - reports[-1].time, 0.0)]
