"""When a terminal reports its place by itself: by time and by way travelled, as LIP's triggers say.

Theory (ETSI TS 100 392-18-1). A terminal reports when the longest time between reports is over or the longest way is
travelled since the last report that left, whichever is first. It looks at each position fix and not between, so a gap
may be longer than the trigger by what the vehicle does until the next fix: a trigger of 150 m with a fix each second
keeps 200 m up to 180 km/h. The way is what was travelled, corners and all, and not the straight line.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import SdsError
from harness.protocols.location.shapes import Point, distance
from harness.protocols.tetra.lip import Reason


@dataclass(frozen=True, slots=True)
class Trigger:
    """What lets a terminal report."""

    every_s: float
    """The longest time between reports, above 0."""
    every_m: float
    """The longest way between reports, above 0."""

    def __post_init__(self) -> None:
        if not (self.every_s > 0 and self.every_m > 0):
            raise SdsError(f"a report every {self.every_s} s or {self.every_m} m: both are above 0")


class Reporter:
    """One terminal's reporting: give it each fix, and tell it of each report that left."""

    def __init__(self, trigger: Trigger) -> None:
        self._trigger = trigger
        self._at: Point | None = None
        self._reported_at: float | None = None
        self.travelled_m = 0.0
        """The way since the last report that left."""

    def fix(self, time: float, at: Point) -> Reason | None:
        """Take a fix at ``time`` (seconds, rising) and return why a report is due now, or None."""
        if self._at is not None:
            self.travelled_m += distance(self._at, at)
        self._at = at
        if self._reported_at is None:
            return Reason.POWERED_ON
        if self.travelled_m >= self._trigger.every_m:
            return Reason.DISTANCE
        return Reason.INTERVAL if time - self._reported_at >= self._trigger.every_s else None

    def reported(self, time: float) -> None:
        """A report of the last fix has left: time and way count anew."""
        self._reported_at, self.travelled_m = time, 0.0
