"""The wallboard's figures: how many calls came, were answered and given up, how long they waited, by queue.

Theory. Waits are kept one by one, within a bound, so that mean and percentile are exact over the newest MAX_WAITS
answers. The service level is the share answered in time of all calls that were answered, or given up after that time: a
caller who gave up sooner says nothing of it.
"""

from __future__ import annotations

from array import array
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Protocol

from simulators.iccs.feeds.tally import Counted
from simulators.iccs.records import Bands
from simulators.iccs.settings import CRITICAL_QUEUE, QueueSettings
from simulators.iccs.settings.queues import ServiceLevel

MAX_WAITS = 100_000
"""Answers of one queue whose waits are kept."""
RECENT = 50
"""Calls from which the time that a call lasts is reckoned, and the wait to be expected from that."""


class Waits:
    """The newest MAX_WAITS waits, in no order; eight bytes each, for a busy switch has many."""

    def __init__(self) -> None:
        self._seconds = array("d")
        self._oldest = 0

    def append(self, seconds: float) -> None:
        """Keep one; where there is no room, the oldest goes."""
        if len(self._seconds) < MAX_WAITS:
            self._seconds.append(seconds)
            return
        self._seconds[self._oldest] = seconds
        self._oldest = (self._oldest + 1) % MAX_WAITS

    def __iter__(self) -> Iterator[float]:
        """Each of them."""
        return iter(self._seconds)


@dataclass(slots=True)
class QueueFigures:
    """One queue's, since the switch began."""

    level: ServiceLevel
    offered: int = 0
    """Calls that came into it."""
    answered: int = 0
    abandoned: int = 0
    overflowed: int = 0
    """Left it for another queue, or were sent away."""
    rerouted: int = 0
    """Taken back by the network for another route."""
    late: int = 0
    """Abandoned after the time of the service level."""
    in_time: int = 0
    callbacks: Counter[str] = field(default_factory=Counter)
    """``accepted``, ``reached``, ``not reached``."""
    waits: Waits = field(default_factory=Waits)
    """Seconds from coming to the answer."""
    answered_by_band: Counter[str] = field(default_factory=Counter)
    abandoned_by_band: Counter[str] = field(default_factory=Counter)
    lasted: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))
    """Seconds from the answer to the end, of the newest calls."""

    def shown(self, bands: Bands) -> dict[str, Any]:
        """Return them as a wallboard shows them; times in seconds, None where there is nothing to tell."""
        waits = sorted(self.waits)
        judged = self.answered + self.late
        return {
            "offered": self.offered,
            "answered": self.answered,
            "abandoned": self.abandoned,
            "overflowed": self.overflowed,
            "rerouted": self.rerouted,
            "answered_by_band": {name: self.answered_by_band[name] for name in bands.names},
            "abandoned_by_band": {name: self.abandoned_by_band[name] for name in bands.names},
            "mean_answer_s": round(sum(waits) / len(waits), 3) if waits else None,
            "p90_answer_s": round(waits[ceil(0.9 * len(waits)) - 1], 3) if waits else None,
            "longest_answer_s": round(waits[-1], 3) if waits else None,
            "service_level": {
                "within_s": self.level.within_s,
                "target": self.level.share,
                "share": round(100 * self.in_time / judged, 2) if judged else None,
            },
            "callbacks": {name: self.callbacks[name] for name in ("accepted", "reached", "not reached")},
        }


class Listener(Protocol):
    """Whoever is told of what is counted."""

    def __call__(self, what: Counted, queue: str, wait_s: float = 0.0, *, within: bool = False) -> None:
        """Something was counted of a queue; ``within``: it was answered in time."""


def _nobody(what: Counted, queue: str, wait_s: float = 0.0, *, within: bool = False) -> None:
    del what, queue, wait_s, within


class Figures:
    """All queues' figures."""

    def __init__(self, queues: Mapping[str, QueueSettings], bands: Bands) -> None:
        self._bands = bands
        self._queues = {name: QueueFigures(queue.service_level) for name, queue in queues.items()}
        self._queues[CRITICAL_QUEUE] = QueueFigures(ServiceLevel())
        self.counted: Listener = _nobody
        """Called with all that workforce management counts too."""

    def __iter__(self) -> Iterator[str]:
        """The queues' names."""
        return iter(self._queues)

    def of(self, queue: str | None) -> QueueFigures | None:
        """Return one queue's; None for calls that came by none."""
        return self._queues.get(queue or "")

    def came(self, queue: str | None) -> None:
        """A call came into a queue."""
        if (figures := self.of(queue)) is not None:
            figures.offered += 1
            self.counted(Counted.OFFERED, queue or "")

    def answered(self, queue: str | None, wait_s: float) -> None:
        """An adviser has it, after so long."""
        if (figures := self.of(queue)) is not None:
            figures.answered += 1
            figures.in_time += wait_s <= figures.level.within_s
            figures.waits.append(wait_s)
            figures.answered_by_band[self._bands.of(wait_s)] += 1
            self.counted(Counted.ANSWERED, queue or "", wait_s, within=wait_s <= figures.level.within_s)

    def abandoned(self, queue: str | None, wait_s: float) -> None:
        """The caller gave up, after so long."""
        if (figures := self.of(queue)) is not None:
            figures.abandoned += 1
            figures.late += wait_s > figures.level.within_s
            figures.abandoned_by_band[self._bands.of(wait_s)] += 1
            self.counted(Counted.ABANDONED, queue or "", wait_s)

    def overflowed(self, queue: str | None) -> None:
        """A call left a queue for another, or was sent away."""
        if (figures := self.of(queue)) is not None:
            figures.overflowed += 1
            self.counted(Counted.LEFT, queue or "")

    def rerouted(self, queue: str | None) -> None:
        """The network took a call back for another route."""
        if (figures := self.of(queue)) is not None:
            figures.rerouted += 1
            self.counted(Counted.LEFT, queue or "")

    def callback(self, queue: str | None, outcome: str) -> None:
        """A callback was ``accepted``, ``reached``, ``not reached``."""
        if (figures := self.of(queue)) is not None:
            figures.callbacks[outcome] += 1
            if outcome == "accepted":
                self.counted(Counted.LEFT, queue or "")

    def lasted(self, queue: str | None, seconds: float) -> None:
        """A call of a queue took an adviser so long."""
        if (figures := self.of(queue)) is not None:
            figures.lasted.append(seconds)
            self.counted(Counted.ENDED, queue or "")

    def handling_s(self, queue: str, otherwise: float) -> float:
        """Return how long calls of a queue last, by the newest ones."""
        lasted = self._queues[queue].lasted
        return sum(lasted) / len(lasted) if lasted else otherwise

    def shown(self) -> dict[str, dict[str, Any]]:
        """Return all of them, by queue."""
        return {name: figures.shown(self._bands) for name, figures in self._queues.items()}
