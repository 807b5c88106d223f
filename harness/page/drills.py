"""Fallback drills: which team has worked without its console, when, and which is due again (TRN-008).

Theory. A drill counts from its day for as long as a year is divided by the catalogue's drills a year; one that went
wrong does not count. A team is any that somebody is of who sits at consoles.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from sqlalchemy import select
from sqlalchemy.orm import Session

from harness.errors import PageError
from harness.evidence.requirements import catalogue
from harness.page.contract import Person
from harness.page.skills import accounts
from harness.page.store import Store
from harness.page.tables import DrillRow, PersonRow

Fallback = Literal["radio", "paper", "other site", "recovery"]
"""Radios of the fallback's own, the log on paper, another site's room, the recovery system."""
FALLBACKS: Final[tuple[Fallback, ...]] = get_args(Fallback)
OPERATORS: Final = ("trainee", "champion")
"""The roles of those who sit at consoles."""
YEAR_S: Final = 365.25 * 24 * 3600
AHEAD_S: Final = 14 * 3600.0
"""A day may have begun somewhere on earth by so much before it has begun here."""
MAX_NOTE: Final = 400
MAX_DRILLS: Final = 2_000
"""Drills that are read, latest first."""
DrillState = Literal["held", "due", "never"]


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill."""

    team: str
    held_at: float
    """Seconds since the epoch."""
    passed: bool
    fallback: str = "radio"
    note: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class TeamDrills:
    """How a team stands."""

    team: str
    state: DrillState
    held_at: float | None
    """When it last held one that went well."""
    due_at: float | None


def period_s() -> float:
    """Seconds for which a drill counts (TRN-008)."""
    return YEAR_S / float(catalogue()["TRN-008"].figure("drills_a_year").value)


def standing_of(teams: Iterable[str], drills: Iterable[Drill], now: float) -> list[TeamDrills]:
    """Return how each team stands, by name."""
    last: dict[str, float] = {}
    for each in drills:
        if each.passed:
            last[each.team] = max(last.get(each.team, 0.0), min(each.held_at, now))
    return [_team(team, last.get(team), now) for team in sorted(set(teams) - {""})]


def _team(team: str, held_at: float | None, now: float) -> TeamDrills:
    if held_at is None:
        return TeamDrills(team, "never", None, None)
    due_at = held_at + period_s()
    return TeamDrills(team, "due" if now > due_at else "held", held_at, due_at)


class Drills:
    """The drills in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def all(self) -> tuple[list[TeamDrills], Sequence[Drill]]:
        """Return how each team stands, and the drills, latest first."""

        def read(session: Session) -> tuple[list[str], list[Drill]]:
            rows = session.execute(
                select(DrillRow, PersonRow.name)
                .join(PersonRow, PersonRow.id == DrillRow.by_id)
                .order_by(DrillRow.held_at.desc(), DrillRow.id.desc())
                .limit(MAX_DRILLS)
            )
            found = [Drill(row.team, row.held_at, row.passed, row.fallback, row.note, by) for row, by in rows]
            return [row.team for row in accounts(session) if row.role in OPERATORS], found

        teams, found = await self._store.run(read)
        return standing_of(teams, found, time.time()), found

    async def keep(self, by: Person, team: str, day: float, fallback: str, note: str, *, passed: bool) -> None:
        """Keep a drill. Raises PageError for a team that there is not, a day to come, or a fallback of no kind."""
        if fallback not in FALLBACKS:
            raise PageError(f"found the fallback {fallback[:20]!r}; there is {', '.join(FALLBACKS)}")
        if not 0 <= day <= time.time() + AHEAD_S:
            raise PageError("a drill is recorded on its day or after it, and not before")
        if len(note) > MAX_NOTE:
            raise PageError(f"a note has {MAX_NOTE} characters at most; this one has {len(note)}")

        def add(session: Session) -> list[str]:
            teams = sorted({row.team for row in accounts(session) if row.role in OPERATORS and row.team})
            if team in teams:
                session.add(
                    DrillRow(
                        team=team,
                        held_at=day,
                        fallback=fallback,
                        passed=passed,
                        note=note,
                        by_id=by.id,
                        at=time.time(),
                    )
                )
            return teams

        teams = await self._store.run(add)
        if team not in teams:
            raise PageError(f"there is no team {team[:80]!r} of operators: there is {', '.join(teams) or 'none'}")
