"""Expectations of a scenario on the journal: in the window, so often, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.errors import ExpectationError
from harness.journal import Event, Journal, matches
from harness.scenario.model import Expect
from harness.scenario.values import Wanted, predicate

_EDGE_S = 1e-6
"""Events are timed to the microsecond: what came at the window's edge came in it."""


@dataclass(frozen=True, slots=True)
class Moment:
    """From where a window is counted: a step's beginning, or an event."""

    time: float
    """Run time, seconds."""
    seq: int
    """The journal's position then."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What is looked for."""

    source: str | None
    kind: str
    wanted: Mapping[str, Callable[[Any], bool]]

    @classmethod
    def of(cls, source: str | None, kind: str, wanted: Mapping[str, Wanted]) -> Watched:
        """Return what is looked for, values as the scenario has them."""
        return cls(source, kind, {key: predicate(key, value) for key, value in wanted.items()})

    def seen(self, journal: Journal, after: int) -> Iterator[Event]:
        """Yield the events that match and are younger than ``after``."""
        return (event for event in journal.since(after) if matches(event, self.source, self.kind, self.wanted))


async def await_event(journal: Journal, watched: Watched, expect: Expect, since: Moment, after: int) -> Event | None:
    """Return the event that an expectation is of; None where it is of none.

    ``since``: from where the window is counted; ``after``: only events younger than that position count. Raises
    ExpectationError, telling what did happen.
    """
    ends = since.time + expect.within
    if expect.of is not None:
        await asyncio.sleep(max(0.0, ends - journal.now()))
        seen = in_window(journal, watched, expect, since, after)
        if not seen:
            raise ExpectationError(f"{expect.told()} was due, and none came")
        return seen[-1]
    if expect.absent or expect.count is not None:
        await asyncio.sleep(max(0.0, ends - journal.now()))
        return _counted(journal, watched, expect, since, after)
    wanted: dict[str, Any] = dict(watched.wanted)
    left = max(0.0, ends - journal.now())
    try:
        found = await journal.expect(watched.source, watched.kind, within=left, after=after, **wanted)
    except ExpectationError as error:  # it tells of what was left of the window
        raise ExpectationError(f"{expect.told()} was due; {str(error).partition('; ')[2]}") from error
    came = found.time - since.time
    if found.time > ends + _EDGE_S:
        raise ExpectationError(f"{expect.told()} was due, and came after {came:.3f} s:\n  {found.told()}")
    if expect.not_before and came < expect.not_before - _EDGE_S:
        told = f"was not due before {expect.not_before:g} s, and came after {came:.3f} s"
        raise ExpectationError(f"{expect.told()} {told}:\n  {found.told()}")
    return found


def in_window(journal: Journal, watched: Watched, expect: Expect, since: Moment, after: int) -> list[Event]:
    """Return what came of what is looked for between the beginning and the end of an expectation's window."""
    ends = since.time + expect.within
    return [
        event
        for event in watched.seen(journal, after)
        if since.time + expect.not_before - _EDGE_S <= event.time <= ends + _EDGE_S
    ]


def _counted(journal: Journal, watched: Watched, expect: Expect, since: Moment, after: int) -> Event | None:
    seen = in_window(journal, watched, expect, since, after)
    due = 0 if expect.absent else expect.count
    if len(seen) != due:
        told = "".join(f"\n  {event.told()}" for event in seen[:10])
        raise ExpectationError(f"{expect.told()} was due, and there were {len(seen)}{told}")
    return seen[-1] if seen else None
