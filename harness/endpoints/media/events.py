"""What an engine tells its host, and how things that come in floods are told: counted, once in a while."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

REPORT_EVERY_S: Final = 1.0
"""What comes in floods is told at most so often; each report says how many there were."""


@dataclass(frozen=True, slots=True)
class MediaEvent:
    """What an engine tells its host; journalled under the port's name."""

    time: float
    """Engine time at which it happened on the wire, or at the ear."""
    port: int
    kind: str
    data: dict[str, Any] = field(default_factory=dict)
    warning: bool = False


class Teller:
    """Tells what happens on one port.

    It knows the list and not the port, and so may be given to the port's parts: without a cycle a port is freed with
    its last use. The worker collects no cycles while it paces anything, which may be for days.
    """

    __slots__ = ("_events", "_number")

    def __init__(self, events: list[MediaEvent], number: int) -> None:
        self._events = events
        self._number = number

    def __call__(self, time: float, kind: str, *, warning: bool = False, **data: Any) -> None:
        """Tell of one thing."""
        self._events.append(MediaEvent(time, self._number, kind, data, warning))


class FloodReports:
    """Counts something, and says when so many are to be told."""

    def __init__(self) -> None:
        self.count = 0
        self._untold = 0
        self._told_at = float("-inf")

    def one(self, now: float) -> int:
        """Count one; return how many are to be told of now (0: not yet)."""
        self.count += 1
        self._untold += 1
        if now - self._told_at < REPORT_EVERY_S:
            return 0
        self._told_at = now
        told, self._untold = self._untold, 0
        return told
