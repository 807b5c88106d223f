"""What workforce management keeps of the feeds, each row once, and what is missing of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Final, cast

from sqlalchemy import CursorResult, Result, Table, bindparam, column, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from harness.protocols.wfm.csv_file import BadLine
from harness.protocols.wfm.rows import QUARTER_S, IntervalRow, State, StateRow
from harness.workforce.adherence import Span, timeline
from simulators.workforce.tables import (
    CoverageTable,
    FindingTable,
    IntervalTable,
    ShiftTable,
    StateTable,
    TrainingTable,
)

FINDINGS_KEPT: Final = 10_000
BATCH: Final = 1_000
"""Rows of one transaction; SQLite binds a few thousand values in a statement, and others want their turn."""

_FIGURES: Final = tuple(each.name for each in fields(IntervalRow) if each.name not in {"queue", "start"})
_figures: Final = attrgetter(*_FIGURES)


@dataclass(slots=True)
class Taken:
    """What became of rows."""

    new: int = 0
    repeated: int = 0
    """Were here before, the same."""
    corrected: int = 0
    """Were here with other figures, and have these now."""

    def add(self, other: Taken) -> None:
        """Count what became of more."""
        self.new += other.new
        self.repeated += other.repeated
        self.corrected += other.corrected


# Taking


def take_states(session: Session, feed: str, rows: Sequence[StateRow]) -> Taken:
    """Keep rows of states; a row is known by its feed and number."""
    new = [
        {
            "feed": feed,
            "number": row.number,
            "at_ms": row.at_ms,
            "agent": row.agent,
            "state": row.state.value,
            "queue": row.queue,
        }
        for row in rows
    ]
    count = _insert_new(session, StateTable, new) if new else 0
    return Taken(new=count, repeated=len(rows) - count)


def _insert_new(session: Session, table: type[StateTable], rows: list[dict[str, Any]]) -> int:
    """Insert the rows whose keys are not there, and return how many those were."""
    to = cast(Table, table.__table__)
    done: Result[Any]
    if session.get_bind().dialect.name == "postgresql":
        # By the column: a statement of a thousand rows of values takes client and server ten times as long to read.
        names = list(rows[0])
        values = (bindparam(f"{name}_of_all", [row[name] for row in rows], ARRAY(to.c[name].type)) for name in names)
        given = func.unnest(*values).table_valued(*(column(name, to.c[name].type) for name in names)).render_derived()
        chosen = select(*(given.c[name] for name in names))
        new = postgresql.insert(to).from_select(names, chosen).on_conflict_do_nothing()
        done = session.execute(new, execution_options={"preserve_rowcount": True})
    else:
        done = session.execute(sqlite.insert(to).on_conflict_do_nothing(), rows)
    return cast("CursorResult[Any]", done).rowcount


def take_intervals(session: Session, rows: Sequence[IntervalRow], *, due: float, began: float) -> Taken:
    """Keep rows of intervals; a row is known by its queue and start, and the newest telling holds.

    ``due``: the moment, seconds since 1970, at which an interval that came now was due at the latest; those of before
    ``began`` are history, and never late.
    """
    wanted = {(row.queue, row.start): row for row in rows}
    starts: dict[str, list[int]] = {}
    for queue, start in wanted:
        starts.setdefault(queue, []).append(start)
    there: dict[tuple[str, int], IntervalTable] = {}
    for queue, wanted_there in starts.items():
        kept = select(IntervalTable).where(IntervalTable.queue == queue, IntervalTable.start.in_(wanted_there))
        there |= {(each.queue, each.start): each for each in session.scalars(kept)}
    taken = Taken(repeated=len(rows) - len(wanted))
    new = []
    for key, row in wanted.items():
        before = there.get(key)
        figures = dict(zip(_FIGURES, _figures(row), strict=True))
        if before is None:
            ended = row.start + QUARTER_S
            new.append(_kept(row, late_s=max(0, round(due - ended)) if ended > began else 0))
        elif any(getattr(before, name) != value for name, value in figures.items()):
            session.execute(
                update(IntervalTable)
                .where(IntervalTable.queue == row.queue, IntervalTable.start == row.start)
                .values(**figures)
            )
            taken.corrected += 1
        else:
            taken.repeated += 1
    _insert(session, new)
    taken.new = len(new)
    return taken


def lay_out(session: Session, rows: Sequence[IntervalRow]) -> None:
    """Keep the history of a queue of which there is nothing yet; each row has another start."""
    _insert(session, [_kept(row, late_s=0) for row in rows])


def _kept(row: IntervalRow, *, late_s: int) -> dict[str, Any]:
    return {"queue": row.queue, "start": row.start, "late_s": late_s, **dict(zip(_FIGURES, _figures(row), strict=True))}


def _insert(session: Session, rows: list[dict[str, Any]]) -> None:
    # By the table: by the class, each row would be looked through once more.
    if rows:
        session.execute(insert(cast(Table, IntervalTable.__table__)), rows)


def cover(session: Session, feed: str, since_ms: int, until_ms: int) -> None:
    """Note that a feed's states are here from when until when."""
    before = session.get(CoverageTable, (feed, since_ms))
    if before is None:
        session.add(CoverageTable(feed=feed, since_ms=since_ms, until_ms=until_ms))
    elif before.until_ms < until_ms:
        before.until_ms = until_ms


def find(session: Session, file: str, bad: Sequence[BadLine]) -> None:
    """Note what could not be used; a file that comes again is told of once."""
    session.execute(delete(FindingTable).where(FindingTable.file == file))
    if bad:
        session.execute(insert(FindingTable), [{"file": file, "line": each.line, "found": each.found} for each in bad])
    newest = session.scalar(select(func.max(FindingTable.id))) or 0
    session.execute(delete(FindingTable).where(FindingTable.id <= newest - FINDINGS_KEPT))


# What is there


def findings(session: Session, limit: int) -> list[dict[str, Any]]:
    """The newest findings, newest first."""
    rows = session.scalars(select(FindingTable).order_by(FindingTable.id.desc()).limit(limit))
    return [{"file": row.file, "line": row.line, "found": row.found} for row in rows]


def figures(session: Session) -> dict[str, Any]:
    """How many rows of each kind are here, and how many came late."""
    late = select(func.count()).select_from(IntervalTable).where(IntervalTable.late_s > 0)
    return {
        "states": session.scalar(select(func.count()).select_from(StateTable)),
        "intervals": session.scalar(select(func.count()).select_from(IntervalTable)),
        "late": session.scalar(late),
        "findings": session.scalar(select(func.count()).select_from(FindingTable)),
    }


def queues(session: Session) -> list[str]:
    """The queues of which anything is known."""
    return list(session.scalars(select(IntervalTable.queue).distinct().order_by(IntervalTable.queue)))


def intervals(session: Session, queue: str, since: float, until: float, limit: int) -> list[IntervalTable]:
    """A queue's intervals that begin from ``since`` to before ``until``, in order."""
    return list(
        session.scalars(
            select(IntervalTable)
            .where(IntervalTable.queue == queue, IntervalTable.start >= since, IntervalTable.start < until)
            .order_by(IntervalTable.start)
            .limit(limit)
        )
    )


def missing(session: Session, queue: str, since: int, until: int) -> list[int]:
    """The quarters from ``since`` to before ``until`` of which a queue has no interval."""
    there = set(
        session.scalars(
            select(IntervalTable.start).where(
                IntervalTable.queue == queue, IntervalTable.start >= since, IntervalTable.start < until
            )
        )
    )
    return [start for start in _quarters(since, until) if start not in there]


def not_covered(session: Session, since: int, until: int) -> list[int]:
    """The quarters from ``since`` to before ``until`` of which not all states are here."""
    rows = session.scalars(select(CoverageTable).where(CoverageTable.until_ms > since * 1000))
    covered: list[tuple[int, int]] = []
    for start, end in sorted((row.since_ms, row.until_ms) for row in rows):
        if covered and start <= covered[-1][1]:
            covered[-1] = (covered[-1][0], max(covered[-1][1], end))
        else:
            covered.append((start, end))
    return [
        quarter
        for quarter in _quarters(since, until)
        if not any(start <= quarter * 1000 and (quarter + QUARTER_S) * 1000 <= end for start, end in covered)
    ]


def _quarters(since: int, until: int) -> Iterator[int]:
    first = -(-since // QUARTER_S) * QUARTER_S
    return iter(range(first, until - QUARTER_S + 1, QUARTER_S))


def states(session: Session, agent: str, since_ms: int, until_ms: int) -> list[Span]:
    """What an agent did between two moments; before the first that is known of, logged out."""
    in_order = (StateTable.at_ms, StateTable.feed, StateTable.number)
    theirs = select(StateTable).where(StateTable.agent == agent, StateTable.state != State.LOGIN.value)
    last = session.scalars(
        theirs.where(StateTable.at_ms < since_ms).order_by(*(each.desc() for each in in_order)).limit(1)
    ).first()
    rows = session.scalars(theirs.where(StateTable.at_ms >= since_ms, StateTable.at_ms < until_ms).order_by(*in_order))
    before = last.state if last is not None else State.LOGGED_OUT.value
    return timeline([(row.at_ms, row.state) for row in rows], since_ms, until_ms, before=before)


def agents(session: Session) -> list[str]:
    """Agents of whom a state is known."""
    return list(session.scalars(select(StateTable.agent).distinct().order_by(StateTable.agent)))


# Schedules and training


def schedule(session: Session, adviser: str, day: str, spans: Sequence[Span]) -> None:
    """Put a day's schedule in place of the one that was there."""
    session.execute(delete(ShiftTable).where(ShiftTable.adviser == adviser, ShiftTable.day == day))
    for span in spans:
        session.add(
            ShiftTable(adviser=adviser, day=day, start_ms=span.start_ms, end_ms=span.end_ms, activity=span.what)
        )


def scheduled(session: Session, adviser: str, since_ms: int, until_ms: int) -> list[Span]:
    """What an adviser is scheduled to do between two moments, in order; what reaches beyond them is cut."""
    rows = session.scalars(
        select(ShiftTable)
        .where(ShiftTable.adviser == adviser, ShiftTable.start_ms < until_ms, ShiftTable.end_ms > since_ms)
        .order_by(ShiftTable.start_ms)
    )
    return [Span(max(since_ms, row.start_ms), min(until_ms, row.end_ms), row.activity) for row in rows]


def train(session: Session, adviser: str, skill: str, lapses: str, *, anew: bool) -> None:
    """Note until when a training holds; without ``anew`` only where none is noted."""
    there = session.get(TrainingTable, (adviser, skill))
    if there is None:
        session.add(TrainingTable(adviser=adviser, skill=skill, lapses=lapses))
    elif anew:
        there.lapses = lapses


def training(session: Session) -> list[tuple[str, str, str]]:
    """Every adviser, skill and last day, in order."""
    rows = session.scalars(select(TrainingTable).order_by(TrainingTable.adviser, TrainingTable.skill))
    return [(row.adviser, row.skill, row.lapses) for row in rows]
