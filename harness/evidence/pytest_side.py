"""Ties pytest to the catalogue: unknown requirement ids end collection, results are labelled, progress is told.

A test or fixture that raises NotApplicableError ends as "not applicable": its own category in pytest's summary, with
the reason; a skip with that text in JUnit, and a label in Allure.

`RequirementsPlugin` is registered by the project's pytest plugin; it does nothing to tests that name no requirement
beyond telling their progress.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from typing import Any

import pytest

from harness.errors import NotApplicableError, NotPlayedError
from harness.evidence.allure_adapter import (
    NOT_APPLICABLE,
    OUTCOME,
    RunDescription,
    declare_not_applicable,
    describe,
    entitle,
)
from harness.evidence.progress import Outcome, Progress
from harness.evidence.requirements import Catalogue, Requirement, catalogue

MARKER = "requirement"


def named_requirements(item: pytest.Item) -> list[str]:
    """Return the ids that a test's markers name, in order, each once."""
    marks = reversed(list(item.iter_markers(MARKER)))
    return list(dict.fromkeys(str(name) for mark in marks for name in mark.args))


def collection_check(items: Iterable[pytest.Item], known: Catalogue | None = None) -> None:
    """Raise pytest.UsageError where a test names a requirement the catalogue lacks, or a marker that names none."""
    wrong = []
    for item in items:
        place = f"{item.location[0]}:{(item.location[1] or 0) + 1}: {item.name}"
        for mark in item.iter_markers(MARKER):
            if not mark.args:
                wrong.append(f"{place}: @{MARKER} names no requirement")
        names = named_requirements(item)
        if names:
            book = catalogue() if known is None else known
            wrong += [f"{place}: {book.unknown(name)}" for name in names if name not in book]
    if wrong:
        raise pytest.UsageError("\n".join(dict.fromkeys(wrong)))


def requirements_of(item: pytest.Item) -> Sequence[Requirement]:
    """Return the criteria that a test gives evidence for."""
    names = named_requirements(item)
    return [catalogue()[name] for name in names]


def in_words(name: str) -> str:
    """Return a test function's name as a sentence, as Robot's tests have; its parameters stay as they are.

    ``test_a_held_call_is_kept[2]`` is "A held call is kept [2]".
    """
    told, bracket, parameters = name.partition("[")
    words = told.removeprefix("test_").replace("_", " ").strip() or told
    return words[:1].upper() + words[1:] + (f" {bracket}{parameters}" if bracket else "")


class RequirementsPlugin:
    """The hooks: register one with ``config.pluginmanager.register(RequirementsPlugin())``."""

    def __init__(self) -> None:
        self._progress = Progress("pytest")
        self._worst: dict[str, tuple[Outcome, str]] = {}
        self._seconds: dict[str, float] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Refuse unknown ids."""
        collection_check(items)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Tell how many tests there are."""
        self._progress.total(len(session.items))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Label the result before anything of the test can fail."""
        requirements = requirements_of(item)
        self._progress.started(item.nodeid, [requirement.id for requirement in requirements])
        describe(requirements, RunDescription.from_environment())

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self) -> Generator[None, Any, Any]:
        """A fixture that is not applicable makes its test so."""
        return (yield from _as_outcome())

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Generator[None, Any, Any]:
        """A test that is not applicable ends with that outcome."""
        return (yield from _as_outcome())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Tell the test's title, and of what is not applicable, in Allure's result; and in JUnit's, as a property.

        Both have but one word for all skips. Allure names a test by its function when its set-up is over.
        """
        report = yield
        if report.when == "setup":
            entitle(in_words(item.name))
        if _is_not_applicable(report):
            declare_not_applicable()
            item.user_properties.append((OUTCOME, NOT_APPLICABLE))
        return report

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """A category of its own."""
        return (NOT_APPLICABLE, "n", NOT_APPLICABLE.upper()) if _is_not_applicable(report) else None

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The reasons, a test a line."""
        reports = terminalreporter.stats.get(NOT_APPLICABLE, [])
        if not reports:
            return
        terminalreporter.section(NOT_APPLICABLE)
        for report in reports:
            reason = _message(report).removeprefix("Skipped: ").removeprefix(NotApplicableError.PREFIX)
            terminalreporter.line(f"{report.nodeid}: {reason}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Tell how each test ended: broken where set-up or teardown failed, failed where the test itself did."""
        name = report.nodeid
        self._seconds[name] = self._seconds.get(name, 0.0) + report.duration
        outcome, message = self._worst.get(name, ("passed", ""))
        if report.failed and outcome in {"passed", "skipped", NOT_APPLICABLE}:
            self._worst[name] = ("failed" if report.when == "call" else "broken"), _message(report)
        elif report.skipped and outcome == "passed":
            self._worst[name] = (NOT_APPLICABLE if _is_not_applicable(report) else "skipped"), _message(report)
        if report.when == "teardown":
            outcome, message = self._worst.pop(name, ("passed", ""))
            self._progress.ended(name, outcome, seconds=self._seconds.pop(name), message=message)


def _as_outcome() -> Generator[None, Any, Any]:
    """Around a hook: turn what skips a test into what pytest takes for a skip; not applicable is known by its text."""
    try:
        return (yield)
    except (NotApplicableError, NotPlayedError) as error:
        raise pytest.skip.Exception(str(error), _use_item_location=True) from error


def _is_not_applicable(report: pytest.TestReport) -> bool:
    return report.skipped and NotApplicableError.tells(_message(report))


def _message(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2])
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message) if crash is not None else str(report.longrepr or "")
