"""Adherence: what agents did, beside what they were scheduled to do; and how far two records of it agree.

Theory. A timeline is what held from when until when, in milliseconds, in order and without overlap. Time scheduled for
work is kept to while the agent is ready, in a call or writing up; time scheduled for a break while on break or logged
out. Calls decide when they end, so a minute or two at each change is the schedule's own tolerance: none is given here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from harness.errors import StaffingError

Activity = Literal["work", "break"]
KEEPS_TO: Final[dict[Activity, frozenset[str]]] = {
    "work": frozenset({"ready", "in_call", "wrap_up"}),
    "break": frozenset({"break", "logged_out"}),
}
"""The states that keep to each activity."""
AT_WORK: Final = frozenset({"ready", "in_call", "wrap_up", "break"})


@dataclass(frozen=True, slots=True)
class Span:
    """What held for a time."""

    start_ms: int
    end_ms: int
    what: str

    def __post_init__(self) -> None:
        """Raise StaffingError for a span that ends before it begins."""
        if self.end_ms < self.start_ms:
            raise StaffingError(f"{self.what} ends {self.start_ms - self.end_ms} ms before it begins")


@dataclass(frozen=True, slots=True)
class Kept:
    """How one agent kept to a schedule; milliseconds."""

    scheduled_ms: int
    kept_ms: int
    unscheduled_ms: int
    """At work with nothing scheduled."""

    @property
    def share(self) -> float | None:
        """Share of the scheduled time that was kept to, 0 to 1; None where nothing was scheduled."""
        return self.kept_ms / self.scheduled_ms if self.scheduled_ms else None


def timeline(changes: Iterable[tuple[int, str]], start_ms: int, end_ms: int, *, before: str) -> list[Span]:
    """Return what held between two moments, by changes in the order in which they happened.

    ``before``: what held when the first of them came. Of changes of one moment the last one holds.
    """
    spans: list[Span] = []
    since, what = start_ms, before
    for at, state in changes:
        moment = min(max(at, start_ms), end_ms)
        if moment > since:
            _add(spans, Span(since, moment, what))
            since = moment
        what = state
    if end_ms > since:
        _add(spans, Span(since, end_ms, what))
    return spans


def _add(spans: list[Span], span: Span) -> None:
    if spans and spans[-1].what == span.what:
        spans[-1] = Span(spans[-1].start_ms, span.end_ms, span.what)
    else:
        spans.append(span)


def seconds_in(spans: Iterable[Span]) -> dict[str, float]:
    """Return for how long each thing held, seconds."""
    total: Counter[str] = Counter()
    for span in spans:
        total[span.what] += span.end_ms - span.start_ms
    return {what: ms / 1000 for what, ms in sorted(total.items())}


def overlaps(first: Sequence[Span], second: Sequence[Span]) -> Iterable[tuple[int, str, str]]:
    """Yield for how many milliseconds the one held along with the other; both in order, without overlap."""
    i = j = 0
    while i < len(first) and j < len(second):
        a, b = first[i], second[j]
        lasts = min(a.end_ms, b.end_ms) - max(a.start_ms, b.start_ms)
        if lasts > 0:
            yield lasts, a.what, b.what
        if a.end_ms <= b.end_ms:
            i += 1
        else:
            j += 1


def agreement(first: Sequence[Span], second: Sequence[Span]) -> float:
    """Return the share of the longer record's time for which both tell the same state, 0 to 1; 1 for two empty ones."""
    whole = max(sum(span.end_ms - span.start_ms for span in spans) for spans in (first, second))
    same = sum(lasts for lasts, a, b in overlaps(first, second) if a == b)
    return same / whole if whole else 1.0


def kept(schedule: Sequence[Span], states: Sequence[Span]) -> Kept:
    """Hold an agent's states against a schedule, whose spans are of activities. Raises StaffingError for another."""
    for span in schedule:
        if span.what not in KEEPS_TO:
            raise StaffingError(f"{span.what!r} can't be scheduled; {', '.join(KEEPS_TO)} can")
    both = list(overlaps(schedule, states))
    did = sum(lasts for lasts, due, state in both if any(due == each and state in KEEPS_TO[each] for each in KEEPS_TO))
    worked = sum(span.end_ms - span.start_ms for span in states if span.what in AT_WORK)
    scheduled_work = sum(lasts for lasts, _due, state in both if state in AT_WORK)
    return Kept(sum(span.end_ms - span.start_ms for span in schedule), did, worked - scheduled_work)
