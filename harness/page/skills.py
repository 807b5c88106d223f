"""The skill record: what each person can play now, what is due and what has lapsed (TRN-001 to 010).

Theory. A skill is one person's at one scenario. It is current from a playing that passed until it has not been used for
the catalogue's weeks (TRN-002); in the last two of them it is due. Its index is the mean share of steps in time of the
last three playings that were not broken off; where it falls by the catalogue's share below the best that it was, a
refresher is assigned (TRN-007).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from harness.evidence.requirements import catalogue
from harness.page.tables import AttemptRow, PersonRow

State = Literal["untrained", "current", "due", "lapsed"]
WEEK_S: Final = 7 * 24 * 3600.0
DUE_S: Final = 2 * WEEK_S
"""So long before it lapses a skill is due."""
OF_LAST: Final = 3
"""Playings that an index is the mean of."""
MAX_ATTEMPTS: Final = 200_000
"""Attempts that a record is made from; the latest count."""


@dataclass(frozen=True, slots=True)
class Played:
    """What the record needs of an attempt."""

    person: int
    scenario: str
    ended: str
    began_at: float
    percent: float
    build: str


@dataclass(frozen=True, slots=True)
class Skill:
    """One person's at one scenario."""

    person: int
    scenario: str
    state: State
    passed_at: float | None
    """When a playing last passed, seconds since the epoch."""
    lapses_at: float | None
    index: float | None
    """0 to 100."""
    dropped: bool
    """Whether a refresher is assigned."""
    build: str
    """What was last played on."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How many people of a site, or of all, stand how."""

    site: str
    people: int
    trained: int
    """Who have ever passed a scenario."""
    current: int
    """Who have a scenario that is current or due, and none that has lapsed."""
    due: int
    """Of the current, those of whom something is due."""
    lapsed: int
    """Who have a scenario that has lapsed."""


def unused_s() -> float:
    """Seconds without use after which a skill has lapsed (TRN-002)."""
    return float(catalogue()["TRN-002"].figure("unused_weeks").value) * WEEK_S


def drop_share() -> float:
    """Share of its best by which an index may fall, 0 to 1 (TRN-007)."""
    return float(catalogue()["TRN-007"].figure("drop_share").value) / 100


def skills(attempts: Iterable[Played], now: float) -> list[Skill]:
    """Return every skill of the people who made ``attempts``, by person and scenario."""
    of: dict[tuple[int, str], list[Played]] = defaultdict(list)
    for each in attempts:
        of[each.person, each.scenario].append(each)
    return [_skill(key, sorted(of[key], key=lambda each: each.began_at), now) for key in sorted(of)]


def standing(people: Mapping[int, str], found: Sequence[Skill]) -> list[Standing]:
    """Return how each site's people stand, by site. ``people``: each person's site."""
    states: dict[int, set[State]] = defaultdict(set)
    for skill in found:
        states[skill.person].add(skill.state)
    sites: dict[str, list[set[State]]] = defaultdict(list)
    for person, site in people.items():
        sites[site].append(states[person] - {"untrained"})
    return [
        Standing(
            site=site,
            people=len(each),
            trained=sum(bool(held) for held in each),
            current=sum(bool(held) and "lapsed" not in held for held in each),
            due=sum("due" in held and "lapsed" not in held for held in each),
            lapsed=sum("lapsed" in held for held in each),
        )
        for site, each in sorted(sites.items())
    ]


def uncovered(people: Iterable[tuple[str, str, str]]) -> list[tuple[str, str, int]]:
    """Return the teams' shifts that have fewer champions than TRN-003 asks for, and how many they have.

    ``people``: role, team and shift of everybody; who has no team or no shift is no part of it.
    """
    needed = catalogue()["TRN-003"].figure("champions").value
    champions: dict[tuple[str, str], int] = defaultdict(int)
    for role, team, shift in people:
        if team and shift:
            champions[team, shift] += role == "champion"
    return [(team, shift, count) for (team, shift), count in sorted(champions.items()) if count < needed]


def short_of_walkers(people: Iterable[tuple[str, str]]) -> list[tuple[str, int, int]]:
    """Return the sites that can't put TRN-009's floor-walkers on the floor: the champions that they have and need.

    ``people``: role and site of everybody. A champion walks the floor; trainees are the staff who are walked to.
    """
    per_walker = catalogue()["TRN-009"].figure("staff_per_walker").value
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for role, site in people:
        counts[site][role] += 1
    told = [(site, each["champion"], math.ceil(each["trainee"] / per_walker)) for site, each in sorted(counts.items())]
    return [(site, has, needs) for site, has, needs in told if has < needs]


def uncertified(operators: Iterable[int], attempts: Iterable[Played], go_live: float) -> list[int]:
    """Return the operators who passed nothing in TRN-001's weeks before ``go_live``, seconds since the epoch."""
    since = go_live - float(catalogue()["TRN-001"].figure("certified_weeks").value) * WEEK_S
    certified = {each.person for each in attempts if each.ended == "passed" and since <= each.began_at <= go_live}
    return [each for each in operators if each not in certified]


def attempts_of(session: Session, person: int | None = None) -> list[Played]:
    """Return what was played by one person, or by everybody."""
    columns = (
        AttemptRow.person_id,
        AttemptRow.scenario,
        AttemptRow.ended,
        AttemptRow.began_at,
        AttemptRow.percent,
        AttemptRow.build,
    )
    wanted = select(*columns).order_by(AttemptRow.began_at.desc()).limit(MAX_ATTEMPTS)
    if person is not None:
        wanted = wanted.where(AttemptRow.person_id == person)
    return [Played(*row) for row in session.execute(wanted)]


def accounts(session: Session) -> list[PersonRow]:
    """Return everybody whose account is not disabled, by name."""
    return list(session.scalars(select(PersonRow).where(PersonRow.disabled.is_(False)).order_by(PersonRow.name)))


def _skill(key: tuple[int, str], attempts: list[Played], now: float) -> Skill:
    # What lies in the future was kept by a clock that ran ahead: it counts as played now, and never longer.
    passed = [min(each.began_at, now) for each in attempts if each.ended == "passed"]
    passed_at = max(passed, default=None)
    lapses_at = None if passed_at is None else passed_at + unused_s()
    percents = [each.percent for each in attempts if each.ended != "abandoned"]
    windows = [percents[max(0, end - OF_LAST) : end] for end in range(1, len(percents) + 1)]
    indexes = [sum(window) / len(window) for window in windows]
    return Skill(
        person=key[0],
        scenario=key[1],
        state=_state(lapses_at, now),
        passed_at=passed_at,
        lapses_at=lapses_at,
        index=indexes[-1] if indexes else None,
        dropped=bool(indexes) and indexes[-1] <= max(indexes) * (1 - drop_share()) and max(indexes) > 0,
        build=attempts[-1].build,
    )


def _state(lapses_at: float | None, now: float) -> State:
    if lapses_at is None:
        return "untrained"
    if now > lapses_at:
        return "lapsed"
    return "due" if now > lapses_at - DUE_S else "current"
