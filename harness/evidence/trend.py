"""How a dossier shows measures, earlier runs and faults over time: plots as pictures that a page holds in itself."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from harness.evidence.defects import SEVERITIES, Register
from harness.evidence.plot import HALF, Axis, Line, Style, line_plot
from harness.evidence.run_store import Measured, RunStore

MAX_PLOTS: Final = 12
"""Measures of one dossier that are plotted; the table has all of them."""
LEAST_VALUES: Final = 5
"""Values that a measure has at the least to be plotted; and not all of them the same."""
TREND_RUNS: Final = 12
"""Runs that a trend goes back."""
TREND_WEEKS: Final = 8
"""Weeks that the trend of known faults goes back, with this one."""
_TREND: Final[dict[str, tuple[str, Style]]] = {
    "passed": ("#0b4f77", "-"),
    "failed": ("#9b1c13", "--"),
    "known": ("#7a1f7a", "-."),
    "not run": ("#8a5a00", ":"),
}
"""Each with colour and stroke. None is green: what was passed may have been so on simulators."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A plot in a page."""

    title: str
    data: str
    """A ``data:`` address."""


@dataclass(frozen=True, slots=True)
class RunLine:
    """An earlier run, in numbers."""

    run: str
    began: datetime
    build: str
    state: str
    tests: int
    """Of it; runs of other suites have others."""
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class FaultLine:
    """Known faults on one day."""

    day: date
    counts: tuple[int, ...]
    """How many were open, from severity 1 on."""


def plots(measures: Iterable[Measured]) -> list[Picture]:
    """Return a plot of each measure that has enough values: which share of them is no more than so much."""
    found: dict[tuple[str, str, str], list[Measured]] = {}
    for each in measures:
        found.setdefault((each.requirement, each.name, each.unit), []).append(each)
    pictures: list[Picture] = []
    for (requirement, name, unit), rows in sorted(found.items(), key=lambda pair: (not pair[0][0], pair[0])):
        values = sorted(each.value for each in rows)
        if len(rows) < LEAST_VALUES or values[0] == values[-1] or len(pictures) >= MAX_PLOTS:
            continue
        steps = [(value, 100 * share / len(values)) for at, value in enumerate(values) for share in (at, at + 1)]
        lines = {"measured": Line([value for value, _ in steps], [share for _, share in steps])}
        limits = {each.limit for each in rows}
        if len(limits) == 1 and (limit := limits.pop()) is not None:
            lines[f"limit {limit:g} {unit}".rstrip()] = Line([limit, limit], [0.0, 100.0], "--")
        title = f"{requirement} {name}".strip()
        drawn = line_plot(lines, title=title, x=Axis(name, unit), y=Axis("values no greater", "%"), inches=HALF)
        pictures.append(_picture(title, drawn))
    return pictures


def open_faults(register: Register, today: date) -> list[FaultLine]:
    """Return how many known faults of each severity were open today and on each day a week before, oldest first."""
    days = [today - timedelta(weeks=before) for before in reversed(range(TREND_WEEKS))]
    return [
        FaultLine(
            day,
            tuple(
                sum(
                    each.severity == severity and each.opened <= day and (each.closed is None or day < each.closed)
                    for each in register.defects
                )
                for severity in SEVERITIES
            ),
        )
        for day in days
    ]


def trend(store: RunStore, testbed: str, stage: str) -> list[RunLine]:
    """Return the last runs of a testbed at a stage, oldest first."""
    rows = [row for row, _ in store.runs() if row.testbed == testbed and row.stage == stage and row.state != "running"]
    found = []
    for row in reversed(rows[:TREND_RUNS]):
        results = store.run(row.id).results
        counted = Counter(result.verdict for result in results)
        counts = {
            "passed": counted["passed"],
            "failed": counted["failed"] + counted["broken"] + counted["unknown"],
            "known": counted["known"],
            "not run": counted["skipped"] + counted["not run"],
        }
        build = (row.commit[:10] or "unknown") + (" (changed)" if row.dirty else "")
        found.append(RunLine(row.id, datetime.fromtimestamp(row.began, UTC), build, row.state, len(results), counts))
    return found


def trend_picture(runs: Sequence[RunLine]) -> Picture | None:
    """Return a plot of how many tests ended how, run by run; none where there is but one run."""
    if len(runs) < 2:
        return None
    places = [float(index + 1) for index in range(len(runs))]
    lines = {
        name: Line(places, [float(each.counts[name]) for each in runs], style, colour)
        for name, (colour, style) in _TREND.items()
    }
    x, y = Axis("run, oldest first", counts=True), Axis("tests", counts=True)
    drawn = line_plot(lines, title="Tests by how they ended", x=x, y=y)
    return _picture("Tests by how they ended, run by run", drawn)


def _picture(title: str, svg: bytes) -> Picture:
    return Picture(title, "data:image/svg+xml;base64," + base64.b64encode(svg).decode())
