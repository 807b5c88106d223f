"""Counts what queues see by intervals of 15 minutes: whatever the order in which it is told, the sums are the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from harness.protocols.wfm.rows import QUARTER_S, IntervalRow


class Counted(StrEnum):
    """What is counted; the value is what the journal calls it."""

    OFFERED = "queue.offered"
    ANSWERED = "queue.answered"
    ABANDONED = "queue.abandoned"
    LEFT = "queue.left"
    ENDED = "queue.ended"
    """A call ended that had been answered."""
    WORKED = "queue.worked"
    """An adviser's time in a call, or writing it up, is over."""


@dataclass(slots=True)
class _Sums:
    offered: int = 0
    answered: int = 0
    within: int = 0
    abandoned: int = 0
    left: int = 0
    handled: int = 0
    answer_ms: int = 0
    handle_ms: int = 0


class Tally:
    """The sums of the intervals that are not closed."""

    def __init__(self, queues: Iterable[str]) -> None:
        self._queues = tuple(queues)
        self._sums: dict[tuple[int, str], _Sums] = {}

    def count(self, at_ms: int, queue: str, what: Counted, *, ms: int = 0, within: bool = False) -> None:
        """Count something of the moment ``at_ms``; ``ms``: a wait, or a time worked."""
        start = at_ms // 1000 // QUARTER_S * QUARTER_S
        sums = self._sums.setdefault((start, queue), _Sums())
        match what:
            case Counted.OFFERED:
                sums.offered += 1
            case Counted.ANSWERED:
                sums.answered += 1
                sums.answer_ms += ms
                sums.within += within
            case Counted.ABANDONED:
                sums.abandoned += 1
            case Counted.LEFT:
                sums.left += 1
            case Counted.ENDED:
                sums.handled += 1
            case Counted.WORKED:
                sums.handle_ms += ms

    def close(self, start: int) -> list[IntervalRow]:
        """Return what each queue saw in the interval that began at ``start``, seconds since 1970, and forget it.

        A queue that saw nothing has a row of noughts: a quiet quarter is not one that is missing.
        """
        rows = []
        for queue in self._queues:
            sums = self._sums.pop((start, queue), _Sums())
            rows.append(
                IntervalRow(
                    start,
                    queue,
                    offered=sums.offered,
                    answered=sums.answered,
                    within=sums.within,
                    abandoned=sums.abandoned,
                    left=sums.left,
                    handled=sums.handled,
                    answer_ms=sums.answer_ms,
                    handle_ms=sums.handle_ms,
                )
            )
        return rows
