"""THRIVE marked by two markers, each without seeing the other's marks, and how far they agree (TRN-006).

Theory. Of an attempt two markers each say of every factor that was due whether it was considered. Two people who mark
by chance agree often, too; Cohen's kappa is how much of what chance leaves was agreed on: (observed - chance) / (1 -
chance), where chance is of how often each of the two says yes (J. Cohen, Educational and Psychological Measurement 20,
1960). It is told for each two people who have marked together. Where both always said the same one thing chance leaves
nothing, and there is no kappa.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from harness.errors import PageError
from harness.evidence.requirements import catalogue
from harness.page.contract import Person
from harness.page.store import Store
from harness.page.tables import AttemptRow, MarkRow, PersonRow

MARKERS: Final = 2
"""How many mark an attempt."""
MAX_LISTED: Final = 200
"""Attempts that are listed to be marked, latest first."""
MAX_MARKS: Final = 20_000
"""Marks, latest first, of which the agreement is told."""


@dataclass(frozen=True, slots=True)
class Markable:
    """An attempt whose THRIVE is to be marked, as one marker sees it."""

    number: int
    whose: str
    scenario: str
    began_at: float
    factors: tuple[str, ...]
    """Those that were due."""
    marked_by: int
    """How many have marked it."""
    mine: Mapping[str, bool] | None
    """This marker's marks, by factor."""
    other: Mapping[str, bool] | None
    """The other marker's; None until both have marked."""

    @property
    def is_open(self) -> bool:
        """Whether this marker may mark it: both markers' marks stay as they are."""
        return self.marked_by < MARKERS


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two markers agree."""

    markers: tuple[str, str]
    marks: int
    """Factors that both have marked."""
    kappa: float | None
    """-1 to 1; None where both always said the same one thing."""

    @property
    def enough(self) -> bool | None:
        """Whether it is what TRN-006 asks for; None where nothing can be told."""
        return None if self.kappa is None else self.kappa >= due_agreement()


def due_agreement() -> float:
    """Return the kappa that TRN-006 asks for."""
    return float(catalogue()["TRN-006"].figure("agreement").value)


def kappa(pairs: Sequence[tuple[bool, bool]]) -> float | None:
    """Return Cohen's kappa of what two markers said of the same things; None where chance leaves nothing."""
    if not pairs:
        return None
    total = len(pairs)
    observed = sum(one == other for one, other in pairs)
    yes_one, yes_other = sum(one for one, _ in pairs), sum(other for _, other in pairs)
    by_chance = yes_one * yes_other + (total - yes_one) * (total - yes_other)
    # In whole numbers, so that what is just enough is not a little less.
    left = total * total - by_chance
    return None if left == 0 else (total * observed - by_chance) / left


def agreements(marked: Iterable[Sequence[tuple[str, Mapping[str, bool]]]]) -> list[Agreement]:
    """Return how far each two markers agree, by their names.

    ``marked``: of each attempt who marked it, and their marks; one that fewer than two have marked tells nothing.
    """
    pairs: dict[tuple[str, str], list[tuple[bool, bool]]] = defaultdict(list)
    for each in marked:
        if len(each) != MARKERS:
            continue
        (one, first), (other, second) = sorted(each, key=lambda mark: mark[0])
        pairs[one, other] += [(first[factor], second[factor]) for factor in first if factor in second]
    return [Agreement(who, len(both), kappa(both)) for who, both in sorted(pairs.items())]


class Marking:
    """The marks in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def listed(self, marker: Person) -> list[Markable]:
        """Return the latest attempts of others in which THRIVE was due."""

        def read(session: Session) -> list[Markable]:
            rows = session.execute(
                select(AttemptRow, PersonRow.name)
                .join(PersonRow, PersonRow.id == AttemptRow.person_id)
                .where(AttemptRow.person_id != marker.id, AttemptRow.thrive != "{}", AttemptRow.ended != "abandoned")
                .order_by(AttemptRow.began_at.desc())
                .limit(MAX_LISTED)
            )
            return [_markable(session, row, name, marker.id) for row, name in rows]

        return await self._store.run(read)

    async def one(self, marker: Person, number: int) -> Markable:
        """Return an attempt to be marked. Raises PageError where there is none that this marker may mark."""

        def read(session: Session) -> Markable | None:
            row = session.get(AttemptRow, number) if 0 < number < 2**31 else None
            if row is None or row.person_id == marker.id or row.thrive == "{}" or row.ended == "abandoned":
                return None
            whose = session.get(PersonRow, row.person_id)
            return _markable(session, row, whose.name if whose is not None else "", marker.id)

        found = await self._store.run(read)
        if found is None:
            raise PageError(f"there is no attempt {number} of somebody else in which THRIVE was due")
        return found

    async def mark(self, marker: Person, number: int, factors: Mapping[str, bool]) -> None:
        """Keep a marker's marks, in place of those they made before.

        Raises PageError where two others have marked it, the marks of both are in, or a factor is not marked.
        """
        await self.one(marker, number)

        def keep(session: Session) -> str:
            row = session.get(AttemptRow, number)
            assert row is not None, "attempts are never removed"
            if set(factors) != set(json.loads(row.thrive)):
                return f"each of {', '.join(json.loads(row.thrive))} is to be marked"
            count = session.scalar(select(func.count()).where(MarkRow.attempt_id == number)) or 0
            mine = session.get(MarkRow, (number, marker.id))
            if count >= MARKERS:
                return "two have marked it: their marks stay as they are"
            if mine is None:
                mine = MarkRow(attempt_id=number, marker_id=marker.id)
                session.add(mine)
            mine.factors, mine.at = json.dumps(dict(factors)), time.time()
            return ""

        refused = await self._store.run(keep)
        if refused:
            raise PageError(f"attempt {number}: {refused}")

    async def agreements(self) -> list[Agreement]:
        """Return how far each two markers agree."""

        def read(session: Session) -> list[Agreement]:
            marked: dict[int, list[tuple[str, Mapping[str, bool]]]] = defaultdict(list)
            rows = session.execute(
                select(MarkRow.attempt_id, PersonRow.name, MarkRow.factors)
                .join(PersonRow, PersonRow.id == MarkRow.marker_id)
                .order_by(MarkRow.at.desc())
                .limit(MAX_MARKS)
            )
            for attempt, name, factors in rows:
                marked[attempt].append((name, json.loads(factors)))
            return agreements(marked.values())

        return await self._store.run(read)


def _markable(session: Session, row: AttemptRow, whose: str, marker: int) -> Markable:
    marks = {
        each.marker_id: json.loads(each.factors)
        for each in session.scalars(select(MarkRow).where(MarkRow.attempt_id == row.id))
    }
    mine = marks.get(marker)
    others = [each for who, each in marks.items() if who != marker]
    seen = others[0] if mine is not None and len(marks) >= MARKERS else None
    return Markable(row.id, whose, row.scenario, row.began_at, tuple(json.loads(row.thrive)), len(marks), mine, seen)
