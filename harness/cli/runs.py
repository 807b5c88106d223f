"""``iccs runs``: the acceptance runs that were kept: list, show, compare, hold, prune."""

from __future__ import annotations

import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.cli.places import PROJECT
from harness.errors import LocalError

if TYPE_CHECKING:
    from harness.evidence.comparing import Key, MeasureComparison
    from harness.evidence.results import TestOutcome
    from harness.evidence.run_store import KeptRun, RunStore

EXIT_FAILED, EXIT_USAGE = 1, 2
DAY_S = 86_400
_SPAN = re.compile(r"(\d{1,5})d")
Runs = Annotated[
    str,
    typer.Option("--runs", envvar="ICCS_RUNS", help="The run store: a file, or postgresql://user:password@host/name."),
]
DEFAULT = str(PROJECT / "reports" / "out" / "runs.sqlite")
Name = Annotated[str, typer.Argument(help="The beginning of a run's id, as `iccs runs list` shows it.")]
Side = Annotated[str, typer.Argument(help="The beginning of a run's id, or of a commit: all its runs that ended.")]

app = typer.Typer(
    help="Acceptance runs that were kept. Example: iccs runs compare 3f2a91c 8d01e77", no_args_is_help=True
)


@contextmanager
def _store(at: str) -> Iterator[RunStore]:
    from harness.evidence.run_store import RunStore  # noqa: PLC0415 - help must come at once

    try:
        store = RunStore.open(at)
        try:
            yield store
        finally:
            store.close()
    except LocalError as error:
        print(error, file=sys.stderr)  # noqa: T201
        raise typer.Exit(EXIT_USAGE) from error


@app.command("list")
def list_runs(runs: Runs = DEFAULT) -> None:
    """Show the last 1,000 runs, newest first. "running" is one under way, or killed and not yet seen by the next run.

    Example: iccs runs list
    """
    table = Table(title="Runs", title_justify="left")
    for heading in ("id", "commit", "testbed", "state", "tests", "hold"):
        table.add_column(heading, no_wrap=heading == "id")
    with _store(runs) as store:
        for row, tests in store.runs():
            ground = f"{row.testbed}, {row.stage}, {_won_on(row.bindings)}"
            state = row.state if row.exit is None else f"{row.state}, exit {row.exit}"
            cells = (row.id, _build(row.commit, row.dirty), ground, state, str(tests), row.hold or "")
            table.add_row(*(escape(cell) for cell in cells))
    Console().print(table)


@app.command()
def show(run: Name, runs: Runs = DEFAULT) -> None:
    """Show all that is kept of a run, evidence files with their SHA-256 too.

    Example: iccs runs show 20261126T1632
    """
    with _store(runs) as store:
        kept = store.run(run)
    row, console = kept.row, Console()
    ended = _time(row.ended) if row.ended is not None else "-"
    facts = {
        "run": row.id + (f" (held: {row.hold})" if row.hold else ""),
        "state": f"{row.state}, exit {'-' if row.exit is None else row.exit}",
        "began, ended (UTC)": f"{_time(row.began)}, {ended}",
        "build": _build(row.commit, row.dirty),
        "testbed": f"{row.testbed}, {row.stage}, seed {row.seed}; suites {', '.join(json.loads(row.suites))}",
        "won on": _won_on(row.bindings),
        **{f"  {name}": how for name, how in json.loads(row.bindings).items()},
        "tests": ", ".join(f"{count} {verdict}" for verdict, count in Counter(r.verdict for r in kept.results).items()),
    }
    for name, value in facts.items():
        _line(console, f"{name}: {value}")
    for result in kept.results:
        named = f" [{', '.join(json.loads(result.requirements))}]" if result.requirements != "[]" else ""
        _line(console, f"{result.verdict:<14} {result.name}{named} {result.defect}".rstrip())
    for measure in kept.measures:
        _line(console, f"measure {measure.name}: {measure.value:g} {measure.unit} {measure.requirement}".rstrip())
    for file in kept.files:
        _line(console, f"{file.sha256}  {file.path}")


@app.command()
def compare(a: Side, b: Side, runs: Runs = DEFAULT) -> None:
    """Tell what changed from A to B: requirements that stand otherwise, measures that moved (Mann-Whitney, two-sided).

    Of a commit, all runs that ended count together. A measure needs 4 values a side at the least; p is adjusted over
    all measures (Benjamini and Hochberg), and one moved where that is below 5 %. Exit 1 when a requirement regressed.

    Example: iccs runs compare 3f2a91c 8d01e77
    """
    from harness.evidence.comparing import measures_compared, requirements_moved  # noqa: PLC0415

    with _store(runs) as store:
        sides = [[store.run(each) for each in store.named(name)] for name in (a, b)]
    console = Console()
    for name, side in zip("AB", sides, strict=True):
        _line(console, f"{name}: {len(side)} runs: {', '.join(each.row.id for each in side[:5])}")
    grounds = {(each.row.testbed, each.row.stage, each.row.bindings) for side in sides for each in side}
    if len(grounds) > 1:
        _line(console, "These runs were not all on the same testbed and bindings: a difference may be the testbed's.")
    moved = requirements_moved(*(_tests(side) for side in sides))
    for each in moved:
        word = "REGRESSED" if each.regressed else "changed"
        _line(console, f"{word}: {each.requirement}: {each.before} → {each.after}")
    if not moved:
        _line(console, "No requirement stands otherwise.")
    _show_measures(console, measures_compared(*(_values(side) for side in sides)))
    if any(each.regressed for each in moved):
        raise typer.Exit(EXIT_FAILED)


@app.command()
def hold(
    run: Name,
    why: Annotated[str, typer.Option(help="Why it must be kept; with --release, not needed.")] = "",
    release: Annotated[bool, typer.Option("--release", help="It may be pruned again.")] = False,
    runs: Runs = DEFAULT,
) -> None:
    """Keep a run from being pruned, or no longer.

    Example: iccs runs hold 20261126T1632 --why "evidence for the board of 3 December"
    """
    if not release and not why.strip():
        print("a hold needs a reason: --why", file=sys.stderr)  # noqa: T201
        raise typer.Exit(EXIT_USAGE)
    with _store(runs) as store:
        held = store.hold(run, None if release else why.strip()[:2_000])
    print(f"{held}: {'may be pruned' if release else 'held'}")  # noqa: T201


@app.command()
def prune(
    keep: Annotated[str, typer.Option(help="Runs that began within so many days stay: 90d.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would go.")] = False,
    runs: Runs = DEFAULT,
) -> None:
    """Drop old runs from the store; one that is held, or under way, stays. Files of evidence are not touched.

    Example: iccs runs prune --keep 90d
    """
    span = _SPAN.fullmatch(keep)
    if span is None:
        print(f"--keep: found {keep!r}; allowed: days, such as 90d", file=sys.stderr)  # noqa: T201
        raise typer.Exit(EXIT_USAGE)
    with _store(runs) as store:
        going, held = store.prune(time.time() - int(span[1]) * DAY_S, dry=dry_run)
    for run in going:
        print(f"{'would drop' if dry_run else 'dropped'} {run}")  # noqa: T201
    print(f"{len(going)} runs older than {keep}; {held} more are held")  # noqa: T201


def _tests(side: list[KeptRun]) -> list[TestOutcome]:
    from harness.evidence.run_store import as_outcome  # noqa: PLC0415

    return [as_outcome(row) for each in side for row in each.results]


def _values(side: list[KeptRun]) -> dict[Key, list[float]]:
    found: dict[Key, list[float]] = {}
    for each in side:
        for row in each.measures:
            found.setdefault((row.requirement, row.name, row.unit), []).append(row.value)
    return found


def _show_measures(console: Console, compared: list[MeasureComparison]) -> None:
    table = Table(title="Measures", title_justify="left")
    for heading in ("measure", "n A, n B", "median A", "median B", "p", "adjusted p", ""):
        table.add_column(heading)
    few = [each for each in compared if each.p is None]
    for each in compared:
        if each.p is None or each.adjusted is None:
            continue
        requirement, name, unit = each.key
        numbers = (f"{each.samples[0]}, {each.samples[1]}", *(f"{value:g} {unit}".rstrip() for value in each.medians))
        verdict = "moved" if each.moved else "no difference shown"
        cells = (f"{requirement} {name}".strip(), *numbers, f"{each.p:.3g}", f"{each.adjusted:.3g}", verdict)
        table.add_row(*(escape(cell) for cell in cells))
    if table.row_count:
        console.print(table)
    if few:
        _line(console, f"{len(few)} measures have too few samples to tell (4 a side at the least); the first of them:")
        for each in few[:10]:
            _line(console, f"  {' '.join(each.key[:2]).strip()}: n {each.samples[0]}, {each.samples[1]}")


def _line(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _time(when: float) -> str:
    return f"{datetime.fromtimestamp(when, UTC):%Y-%m-%d %H:%M:%S}"


def _build(commit: str, dirty: bool) -> str:
    return (commit[:10] or "unknown") + (" (changed)" if dirty else "")


def _won_on(bindings: str) -> str:
    from harness.evidence.allure_adapter import RunDescription  # noqa: PLC0415

    return RunDescription(bindings=json.loads(bindings)).binding
