"""The course of a vehicle: from waypoint to waypoint at one speed, then it stands. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise

from harness.errors import LocalError
from harness.protocols.location.shapes import Point, bearing, distance

MAX_WAYPOINTS = 1_000
MAX_KMH = 500.0


class Course:
    """Where a vehicle is so many seconds after it set out."""

    def __init__(self, waypoints: Sequence[Point], speed_kmh: float) -> None:
        """Raises LocalError for a course of no or too many waypoints, or a speed beyond 0 to MAX_KMH."""
        if not 1 <= len(waypoints) <= MAX_WAYPOINTS:
            raise LocalError(f"a course has 1 to {MAX_WAYPOINTS} waypoints, not {len(waypoints)}")
        if not 0 <= speed_kmh <= MAX_KMH:
            raise LocalError(f"a vehicle goes at 0 to {MAX_KMH:g} km/h, not {speed_kmh:g}")
        self._waypoints = list(waypoints)
        self._passed = list(accumulate((distance(*leg) for leg in pairwise(waypoints)), initial=0.0))
        self._speed = speed_kmh / 3.6

    @property
    def length_m(self) -> float:
        """The way from the first waypoint to the last."""
        return self._passed[-1]

    def at(self, seconds: float) -> tuple[Point, float, float]:
        """Return the position, the speed in km/h and the direction, degrees from north, at that time."""
        gone = min(max(seconds, 0.0) * self._speed, self.length_m)
        leg = min(bisect_right(self._passed, gone), len(self._waypoints) - 1)
        if leg == 0:
            return self._waypoints[0], 0.0, 0.0
        one, two = self._waypoints[leg - 1], self._waypoints[leg]
        whole = self._passed[leg] - self._passed[leg - 1]
        share = (gone - self._passed[leg - 1]) / whole if whole else 1.0
        where = Point(
            one.latitude + share * (two.latitude - one.latitude),
            one.longitude + share * (two.longitude - one.longitude),
        )
        moves = gone < self.length_m
        return where, self._speed * 3.6 if moves else 0.0, bearing(one, two)
