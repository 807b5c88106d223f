"""The two feeds as CSV files: a file header, a column header, data lines.

    ICCS-WFM,1,intervals,iccs,2026-01-01T00:00:00Z,2026-01-01T00:15:00Z
    interval_start,queue,offered,answered,within_target,abandoned,left,handled,answer_s,mean_answer_s,handle_s,…
    2026-01-01T00:00:00Z,emergency,12,11,10,1,0,9,44.120,4.011,3780.000,420.000

The file header: form and version, kind, the feed (which numbers its rows), and from when until when it tells all. A
writer gives the same bytes for the same rows. A reader takes good lines and tells of each bad one, by its number.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Generic, Literal, TypeVar

from harness.errors import WfmFeedError
from harness.protocols import times
from harness.protocols.wfm.rows import IntervalRow, State, StateRow

FORM, VERSION = "ICCS-WFM", "1"
MAX_LINE: Final = 1_000
"""Characters of a line."""
MAX_TOLD: Final = 1_000
"""Bad lines that are told of by themselves; the others are counted."""
STATE_COLUMNS: Final = ("number", "moment", "agent", "state", "queue")
INTERVAL_COLUMNS: Final = (
    *("interval_start", "queue", "offered", "answered", "within_target", "abandoned", "left", "handled"),
    *("answer_s", "mean_answer_s", "handle_s", "mean_handle_s"),
)
Kind = Literal["states", "intervals"]
R = TypeVar("R", StateRow, IntervalRow)


@dataclass(frozen=True, slots=True)
class Header:
    """What a file is."""

    kind: Kind
    feed: str
    """Which feed it is of: a switch that starts again begins a new one, whose rows are numbered anew."""
    since: float
    """Seconds since 1970 from which it tells all."""
    until: float


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that can't be used."""

    line: int
    """From 1, headers counted."""
    found: str
    """What is wrong with it, and what was meant."""


@dataclass(slots=True)
class Read(Generic[R]):
    """What a file held."""

    header: Header
    rows: list[R] = field(default_factory=list)
    bad: int = 0
    told: list[BadLine] = field(default_factory=list)
    """The first MAX_TOLD bad lines."""


def write_states(header: Header, rows: Iterable[StateRow]) -> str:
    """Return a file of states."""
    return _written(
        header,
        STATE_COLUMNS,
        ((str(row.number), times.to_iso(row.at_ms / 1000), row.agent, row.state.value, row.queue) for row in rows),
    )


def write_intervals(header: Header, rows: Iterable[IntervalRow]) -> str:
    """Return a file of intervals."""

    def cells(row: IntervalRow) -> tuple[str, ...]:
        counts = (row.offered, row.answered, row.within, row.abandoned, row.left, row.handled)
        return (
            times.to_iso(row.start),
            row.queue,
            *map(str, counts),
            *(_seconds(row.answer_ms), _mean(row.mean_answer_s), _seconds(row.handle_ms), _mean(row.mean_handle_s)),
        )

    return _written(header, INTERVAL_COLUMNS, map(cells, rows))


def _written(header: Header, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    head = (FORM, VERSION, header.kind, header.feed, times.to_iso(header.since), times.to_iso(header.until))
    writer.writerow(head)
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def _seconds(ms: int) -> str:
    return f"{ms // 1000}.{ms % 1000:03d}"


def _mean(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.3f}"


def read_header(text: str) -> Header:
    """Return what a file's first line says. Raises WfmFeedError: such a file is no use at all."""
    cells = text.removeprefix("\ufeff").strip("\r\n").split(",") if len(text) <= MAX_LINE else []
    if len(cells) != 6 or cells[0] != FORM:
        raise WfmFeedError(f"line 1 is {text[:60]!r}; a file header is due: {FORM},{VERSION},kind,feed,since,until")
    if cells[1] != VERSION:
        raise WfmFeedError(f"line 1: version {cells[1][:20]!r} of the form, and this reads {VERSION}")
    kind: Kind
    if cells[2] == "states":
        kind = "states"
    elif cells[2] == "intervals":
        kind = "intervals"
    else:
        raise WfmFeedError(f"line 1: kind {cells[2][:20]!r}; 'states' or 'intervals' is due")
    try:
        return Header(kind, cells[3], times.from_iso(cells[4]), times.from_iso(cells[5]))
    except ValueError as error:
        raise WfmFeedError(f"line 1: {error}") from None


def read_states(text: str) -> Read[StateRow]:
    """Read a file of states. Raises WfmFeedError where its headers are not one's."""
    return _read(text, "states", STATE_COLUMNS, _state)


def read_intervals(text: str) -> Read[IntervalRow]:
    """Read a file of intervals. Raises WfmFeedError where its headers are not one's."""
    return _read(text, "intervals", INTERVAL_COLUMNS, _interval)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, each in enumerate(text.split("\n"), 1):
        if each.strip("\r"):
            yield number, each.rstrip("\r")


def _read(text: str, kind: Kind, columns: tuple[str, ...], row: Callable[[list[str]], R]) -> Read[R]:
    lines = _lines(text)
    _, first = next(lines, (1, ""))
    header = read_header(first)
    if header.kind != kind:
        raise WfmFeedError(f"line 1: a file of {header.kind}; one of {kind} is due")
    _, second = next(lines, (2, ""))
    if second.split(",") != list(columns):
        raise WfmFeedError(f"line 2 is {second[:100]!r}; the columns are {','.join(columns)}")
    found = Read[R](header)
    for number, line in lines:
        try:
            found.rows.append(row(_cells(line, len(columns))))
        except WfmFeedError as error:
            found.bad += 1
            if len(found.told) < MAX_TOLD:
                found.told.append(BadLine(number, str(error)))
    return found


def _cells(line: str, due: int) -> list[str]:
    if len(line) > MAX_LINE:
        raise WfmFeedError(f"{len(line)} characters; a line has {MAX_LINE} at most")
    # No cell of either feed holds a comma or a quote: the names are of letters, digits and _ . @ -.
    cells = line.split(",")
    if len(cells) != due:
        raise WfmFeedError(f"{len(cells)} cells; {due} are due")
    return cells


def _state(cells: list[str]) -> StateRow:
    number, moment, agent, state, queue = cells
    if state not in State.__members__.values():
        raise WfmFeedError(f"state is {state[:40]!r}; {', '.join(State)} are there")
    return StateRow(_count("number", number), round(_moment("moment", moment) * 1000), agent, State(state), queue)


def _interval(cells: list[str]) -> IntervalRow:
    start, queue, *counts = cells[:8]
    offered, answered, within, abandoned, left, handled = map(_count, INTERVAL_COLUMNS[2:8], counts)
    began = _moment("interval_start", start)
    answer_ms, handle_ms = _ms("answer_s", cells[8]), _ms("handle_s", cells[10])
    if began % 1:
        raise WfmFeedError("an interval begins at a whole quarter of an hour")
    row = IntervalRow(int(began), queue, offered, answered, within, abandoned, left, handled, answer_ms, handle_ms)
    for name, cell, mean in (
        ("mean_answer_s", cells[9], row.mean_answer_s),
        ("mean_handle_s", cells[11], row.mean_handle_s),
    ):
        if cell != _mean(mean):
            raise WfmFeedError(f"{name} is {cell[:20]!r}; by its total it is {_mean(mean)!r}")
    return row


def _count(name: str, cell: str) -> int:
    if not (cell.isascii() and cell.isdigit() and len(cell) <= 13):
        raise WfmFeedError(f"{name} is {cell[:40]!r}; a whole number is due")
    return int(cell)


def _ms(name: str, cell: str) -> int:
    whole, dot, parts = cell.partition(".")
    digits = whole + parts
    if not (digits.isascii() and digits.isdigit() and whole and len(whole) <= 10 and len(parts) == 3 and dot):
        raise WfmFeedError(f"{name} is {cell[:40]!r}; seconds with three decimals are due")
    return int(digits)


def _moment(name: str, cell: str) -> float:
    try:
        if not cell.endswith("Z"):
            raise ValueError
        return times.from_iso(cell)
    except ValueError:
        raise WfmFeedError(f"{name} is {cell[:40]!r}; yyyy-MM-ddTHH:mm:ssZ is due") from None
