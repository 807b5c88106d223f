"""``iccs report``: makes the Allure report, the catalogue's page and the summary of a run from its results."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import Console
from rich.table import Table

from harness.cli.defects import REGISTER, load_register
from harness.cli.node import ALLURE_CONFIG, MissingToolError, find_allure, find_node
from harness.cli.pages import page as rendered
from harness.cli.places import PROJECT
from harness.cli.redacting import Audience, Names, Readers, Shown
from harness.errors import HarnessError
from harness.evidence.allure_adapter import CATALOGUE_PAGE
from harness.evidence.defects import DEFECT, Defect, Register, marked
from harness.evidence.machine_formats import junit_xml, matrix_csv
from harness.evidence.page_size import for_one_page
from harness.evidence.requirements import PRIORITIES, Catalogue, catalogue
from harness.evidence.results import (
    ResultsError,
    Standing,
    Summary,
    TestOutcome,
    Verdict,
    as_json,
    read_results,
    summarise,
)
from harness.whole_file import write_whole

OUT = PROJECT / "reports" / "out"
RESULTS = "allure-results"
REPORT = "allure-report"
SUMMARY = "summary.json"
MATRIX = "matrix.csv"
JUNIT = "junit.xml"
HISTORY = "history.jsonl"
NO_ACCEPTANCE = "on simulators: no acceptance"
WITHOUT_ALLURE = "The dossier needs no Allure: iccs dossier"
GENERATE_S = 600.0
"""How long Allure may take."""
EXIT_FAILED, EXIT_USAGE, EXIT_ENVIRONMENT = 1, 2, 3
NO_REPORT = 4
"""Exit code of a run that passed, whose Allure report could not be made: it has a dossier all the same."""
_COUNTER = re.compile(
    r"<script async src=\"https://www\.googletagmanager\.com/[^\"]{0,200}\"></script>\s*<script>[^<]{0,2000}</script>"
)
_OUTSIDE = re.compile(
    r"<(?:script|link|img|iframe)\s[^>]{0,500}(?:src|href)=[\"']?(?:https?:)?//[^>]{0,300}>", re.IGNORECASE
)
STYLES = {
    Standing.PASSED: "green",
    Standing.PASSED_SIMULATED: "cyan",
    Standing.WITNESSED: "green",
    Standing.FAILED: "bold red",
    Standing.KNOWN: "magenta",
    Standing.NOT_APPLICABLE: "dim",
    Standing.NOT_RUN: "yellow",
}
"""Green is for what was won on real equipment alone."""
OF_A_RUN = tuple(each for each in Standing if each is not Standing.WITNESSED)
"""Standings that a run can tell of."""


class ReportError(HarnessError):
    """Allure did not make a report; the text has what it printed."""


def report(
    results: Annotated[Path, typer.Option(help="Folder of Allure results.")] = OUT / RESULTS,
    out: Annotated[Path, typer.Option(help="Folder in which allure-report/ and summary.json are written.")] = OUT,
    defects: Annotated[Path, typer.Option(help="The register of known faults.")] = REGISTER,
    audience: Audience = Readers.INTERNAL,
    names: Names = None,
) -> None:
    """Make the report of a run again from its results; nothing is run.

    For an audience beyond the programme it is made of a masked copy, in OUT/governance or OUT/public.

    Examples:

      iccs report --results reports/out/allure-results --out /tmp/report

      iccs report --audience public
    """
    console = Console()
    try:
        register = load_register(defects)
        if audience is not Readers.INTERNAL:
            out, register, _ = Shown(audience, names).copy(results.resolve().parent, _components(results), register)
            results = out / RESULTS
        summary = summarised(results, catalogue(), register)
        write_summary(out, summary, {})
        show(console, summary)
        made = make_report(results, out, summary, join_history=False)
    except MissingToolError as error:
        print(f"{error}\n{WITHOUT_ALLURE}", file=sys.stderr)  # noqa: T201
        raise typer.Exit(EXIT_ENVIRONMENT) from error
    except HarnessError as error:
        print(error, file=sys.stderr)  # noqa: T201
        raise typer.Exit(EXIT_USAGE) from error
    tell_report(console, made)


def _components(results: Path) -> list[str]:
    """Return the components of the run's testbed, by the summary beside its results."""
    try:
        run = json.loads((results.resolve().parent / SUMMARY).read_text(encoding="utf-8"))["run"]
        return [str(name) for name in run.get("bindings") or {}]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def summarised(results: Path, book: Catalogue, register: Register) -> Summary:
    """Return how the criteria stand by the results in a folder, and tell in these of the faults that explain them.

    Raises ResultsError.
    """
    tests, unreadable = read_results(results)
    summary = summarise(tests, book, unreadable, register=register)
    for test in summary.tests:
        _mark(results / test.file, test.defect)
    return summary


def _mark(path: Path, defect: Defect | None) -> None:
    """Tell a result of its fault, so that Allure does; one without, and never with one, stays as it is."""
    was = json.loads(path.read_text(encoding="utf-8"))
    labelled = any(label.get("name") == DEFECT for label in was.get("labels") or [])
    if defect is None and not labelled:
        return
    beside = path.with_suffix(".part")
    try:
        beside.write_text(json.dumps(marked(was, defect), ensure_ascii=False), encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise ResultsError(f"{path}: can't be told of its fault: {error}") from error


def write_summary(out: Path, summary: Summary, run: Mapping[str, Any]) -> Path:
    """Write ``summary.json``, and the same for other programs beside it.

    ``run`` tells of the run itself. Without it, what an earlier summary told is kept. Raises ReportError where they
    can't be written; each of them is whole, or as it was before.
    """
    path = out / SUMMARY
    if not run and path.is_file():
        try:
            run = json.loads(path.read_text(encoding="utf-8")).get("run", {})
        except (ValueError, AttributeError):
            run = {}
    document = {"run": dict(run), **as_json(summary)}
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(document, ensure_ascii=False, indent=1) + "\n")
        write_whole(out / MATRIX, matrix_csv(summary))
        write_whole(out / JUNIT, junit_xml(summary, run))
    except OSError as error:
        raise ReportError(f"{out}: the summary can't be written: {error.strerror}") from error
    return path


class Made(NamedTuple):
    """A report."""

    page: Path
    left_out: str
    """What is told of evidence that was too much for the page; empty where all is in it."""


def make_report(results: Path, out: Path, summary: Summary, *, join_history: bool) -> Made:
    """Make ``out/allure-report/index.html``, one file that opens from the file system.

    ``join_history`` adds the run to the history that later reports show. Raises MissingToolError, ReportError.
    """
    folder = out.resolve() / REPORT
    if folder.exists():
        shutil.rmtree(folder)
    told = {"ICCS_HISTORY": str(out.resolve() / HISTORY), "ICCS_JOIN_HISTORY": "1" if join_history else "0"}
    told |= {"ICCS_GROUND": _ground(summary)}
    page, copies = folder / "index.html", Path(tempfile.mkdtemp(prefix=".page-", dir=out))
    try:
        fitting = for_one_page(results, copies / RESULTS)
        ran = _allure("generate", fitting.results, ["--output", folder], told)
    except OSError as error:
        raise ReportError(f"{results}: no report can be made of them: {error}") from error
    finally:
        shutil.rmtree(copies, ignore_errors=True)
    if ran.returncode != 0 or not page.is_file():
        raise ReportError(f"Allure made no report (exit {ran.returncode}):\n{ran.stdout}{ran.stderr}".rstrip())
    try:
        write_whole(page, kept_at_home(page.read_text(encoding="utf-8")))
        write_whole(folder / CATALOGUE_PAGE, catalogue_page(summary, catalogue()))
    except OSError as error:
        raise ReportError(f"{folder}: the report can't be written: {error.strerror}") from error
    return Made(page, fitting.left_out)


def tell_report(console: Console, made: Made) -> None:
    """Print where a report is, and what is not in it."""
    console.print(f"Report: {made.page}", soft_wrap=True, highlight=False)
    if made.left_out:
        console.print(made.left_out, style="yellow", markup=False, soft_wrap=True, highlight=False)


def _ground(summary: Summary) -> str:
    """Return what the report's name and first chart are to tell of what tests were won on; "" of real equipment."""
    bindings = {test.binding for test in summary.tests}
    return {frozenset({"real"}): "", frozenset({"simulated"}): NO_ACCEPTANCE}.get(
        frozenset(bindings), f"partly {NO_ACCEPTANCE}"
    )


def allure_gate(results: Path, rules: Mapping[str, float]) -> tuple[bool, str]:
    """Return whether the results pass Allure's own quality gate by these rules, and what it said of them.

    Raises MissingToolError, ReportError.
    """
    ran = _allure("quality-gate", results, [], {"ICCS_GATE": json.dumps(dict(rules))})
    if ran.returncode not in (0, 1):
        raise ReportError(f"Allure's quality gate did not judge (exit {ran.returncode}):\n{ran.stdout}{ran.stderr}")
    return ran.returncode == 0, (ran.stdout + ran.stderr).strip()


def _allure(
    command: str, results: Path, arguments: Sequence[str | Path], told: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    where = results.resolve()
    words = [find_node(), find_allure(), command, "--config", ALLURE_CONFIG, "--cwd", where.parent, *arguments]
    try:
        return subprocess.run(  # noqa: S603 - our own command
            [str(word) for word in [*words, where.name]],
            env={**os.environ, **told},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=GENERATE_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ReportError(f"Allure was not done within {GENERATE_S:g} s") from error


def kept_at_home(html: str) -> str:
    """Return Allure's page without its visit counter: opening a control room's report must tell nobody of it.

    Allure 3.18 has no setting for that. Raises ReportError when the page would still load a script from elsewhere.
    """
    html = _COUNTER.sub("", html)
    if (outside := _OUTSIDE.search(html)) is not None:
        raise ReportError(f"Allure's page would load a script from elsewhere: {outside[0][:200]}")
    return html


def catalogue_page(summary: Summary, book: Catalogue) -> str:
    """Return the page to which requirement links lead: every criterion, its sources, and how it stands."""
    return rendered(CATALOGUE_PAGE, standings=summary.standings, sources=book.sources, priorities=PRIORITIES)


def show(console: Console, summary: Summary) -> None:
    """Print the criteria that tests gave evidence for, then how each group's Musts stand."""
    covered = Table(title="By requirement", title_justify="left")
    for heading in ("requirement", "P", "criterion", "standing", "tests"):
        covered.add_column(heading, no_wrap=heading != "criterion")
    for each in summary.standings:
        if each.tests:
            asked = each.requirement
            told = _styled(each.standing)
            covered.add_row(asked.id, asked.priority, asked.title, told, str(len(each.tests)))
    if covered.row_count:
        console.print(covered)
    groups = Table(title="Musts by group", title_justify="left")
    groups.add_column("group")
    for standing in OF_A_RUN:
        groups.add_column(standing.value, justify="right", style=STYLES[standing])
    features: dict[str, dict[Standing, int]] = {}
    for each in summary.standings:
        if each.requirement.priority == "M":
            counts = features.setdefault(each.requirement.feature, dict.fromkeys(Standing, 0))
            counts[each.standing] += 1
    for feature, counts in features.items():
        groups.add_row(feature, *(str(counts[standing]) for standing in OF_A_RUN))
    musts = summary.musts()
    groups.add_section()
    groups.add_row("all Musts", *(str(musts[standing]) for standing in OF_A_RUN))
    console.print(groups)
    _show_tests(console, summary)


def _show_tests(console: Console, summary: Summary) -> None:
    """Print what a reader must know of single tests, and how many ended how."""
    for name in summary.unreadable:
        console.print(f"unreadable result: {name}", style="red", markup=False)
    for test in summary.tests:
        if test.verdict is Verdict.NOT_APPLICABLE:
            console.print(f"not applicable: {test.name}: {test.reason}", style="dim", markup=False, soft_wrap=True)
    for test in summary.tests:
        if test.defect is not None:
            console.print(_known(test, test.defect, summary), style="magenta", markup=False, soft_wrap=True)
    for line in summary.expired:
        console.print(f"expired waiver, the gate fails: {line}", style="bold red", markup=False, soft_wrap=True)
    told = ", ".join(f"{summary.count(verdict)} {verdict}" for verdict in Verdict if summary.count(verdict))
    console.print(f"{len(summary.tests)} tests: {told or 'none'}")


def _known(test: TestOutcome, defect: Defect, summary: Summary) -> str:
    gate = "waived, the gate passes" if defect.passes_gate(summary.today) else "the gate fails"
    return f"known fault: {test.name}: {defect.label}, severity {defect.severity}: {defect.title}; {gate}"


def _styled(standing: Standing) -> str:
    return f"[{STYLES[standing]}]{standing}[/]"
