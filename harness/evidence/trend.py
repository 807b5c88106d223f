"""How a dossier shows measures and earlier runs: plots as pictures that a page holds in itself."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from harness.evidence.plot import Axis, Line, line_plot
from harness.evidence.run_store import Measured, RunStore

MAX_PLOTS: Final = 12
"""Measures of one dossier that are plotted; the table has all of them."""
LEAST_VALUES: Final = 5
"""Values that a measure has at the least to be plotted."""
TREND_RUNS: Final = 12
"""Runs that a trend goes back."""
_TREND: Final = ("passed", "failed", "known", "not run")


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
    counts: dict[str, int]


def plots(measures: Iterable[Measured]) -> list[Picture]:
    """Return a plot of each measure that has enough values: which share of them is no more than so much."""
    found: dict[tuple[str, str, str], list[Measured]] = {}
    for each in measures:
        found.setdefault((each.requirement, each.name, each.unit), []).append(each)
    pictures: list[Picture] = []
    for (requirement, name, unit), rows in sorted(found.items(), key=lambda pair: (not pair[0][0], pair[0])):
        if len(rows) < LEAST_VALUES or len(pictures) >= MAX_PLOTS:
            continue
        values = sorted(each.value for each in rows)
        steps = [(value, 100 * share / len(values)) for at, value in enumerate(values) for share in (at, at + 1)]
        lines = {"measured": Line([value for value, _ in steps], [share for _, share in steps])}
        limits = {each.limit for each in rows}
        if len(limits) == 1 and (limit := limits.pop()) is not None:
            lines[f"limit {limit:g} {unit}".rstrip()] = Line([limit, limit], [0.0, 100.0], "--")
        title = f"{requirement} {name}".strip()
        drawn = line_plot(lines, title=title, x=Axis(name, unit), y=Axis("values no greater", "%"))
        pictures.append(_picture(title, drawn))
    return pictures


def trend(store: RunStore, testbed: str, stage: str) -> list[RunLine]:
    """Return the last runs of a testbed at a stage, oldest first."""
    rows = [row for row, _ in store.runs() if row.testbed == testbed and row.stage == stage and row.state != "running"]
    found = []
    for row in reversed(rows[:TREND_RUNS]):
        counted = Counter(result.verdict for result in store.run(row.id).results)
        counts = {
            "passed": counted["passed"],
            "failed": counted["failed"] + counted["broken"] + counted["unknown"],
            "known": counted["known"],
            "not run": counted["skipped"] + counted["not run"],
        }
        build = (row.commit[:10] or "unknown") + (" (changed)" if row.dirty else "")
        found.append(RunLine(row.id, datetime.fromtimestamp(row.began, UTC), build, row.state, counts))
    return found


def trend_picture(runs: Sequence[RunLine]) -> Picture | None:
    """Return a plot of how many tests ended how, run by run; none where there is but one run."""
    if len(runs) < 2:
        return None
    places = [float(index + 1) for index in range(len(runs))]
    lines = {name: Line(places, [float(each.counts[name]) for each in runs]) for name in _TREND}
    drawn = line_plot(lines, title="Tests by how they ended", x=Axis("run, oldest first"), y=Axis("tests"))
    return _picture("Tests by how they ended, run by run", drawn)


def _picture(title: str, svg: bytes) -> Picture:
    return Picture(title, "data:image/svg+xml;base64," + base64.b64encode(svg).decode())
