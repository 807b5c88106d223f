"""Reads Allure results back into a standing by requirement: what passed, failed or was never run, and on what ground.

A pass won on simulators is called "passed (simulated)": it is no acceptance. A criterion without a result is "not run",
and so is one whose tests were all skipped. One whose tests were all declared not applicable is so itself: no pass.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from harness.errors import LocalError, NotApplicableError
from harness.evidence.allure_adapter import BINDING, NOT_APPLICABLE, OUTCOME, REQUIREMENT
from harness.evidence.requirements import Catalogue, Requirement

RESULT_BYTES = 16 * 1024 * 1024
"""A result file larger than this is none of ours."""


class ResultsError(LocalError):
    """There are no results where they were looked for."""


class Standing(StrEnum):
    """How a criterion stands after a run."""

    FAILED = "failed"
    PASSED = "passed"
    PASSED_SIMULATED = "passed (simulated)"
    NOT_APPLICABLE = NOT_APPLICABLE
    NOT_RUN = "not run"


class Verdict(StrEnum):
    """How one test ended, in Allure's words and one of our own."""

    PASSED = "passed"
    FAILED = "failed"
    BROKEN = "broken"
    SKIPPED = "skipped"
    NOT_APPLICABLE = NOT_APPLICABLE
    """Declared with a reason; Allure's status is ``skipped`` and a label tells them apart."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """One test's last result."""

    __test__ = False

    name: str
    verdict: Verdict
    requirements: tuple[str, ...]
    binding: str
    """``real`` only where the result says so; anything else counts as simulated."""
    framework: str = ""
    message: str = ""
    seconds: float = 0.0

    @property
    def reason(self) -> str:
        """Why it was skipped, or is not applicable; of another, its message."""
        return self.message.removeprefix("Skipped: ").removeprefix(NotApplicableError.PREFIX)


@dataclass(frozen=True, slots=True)
class RequirementStanding:
    """A criterion and the tests that gave evidence for it."""

    requirement: Requirement
    standing: Standing
    tests: tuple[TestOutcome, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """A run as a whole."""

    tests: tuple[TestOutcome, ...]
    standings: tuple[RequirementStanding, ...]
    unreadable: tuple[str, ...] = field(default=())
    """Result files that could not be read, each with why."""

    def count(self, *verdicts: Verdict) -> int:
        """Return how many tests ended so."""
        return sum(test.verdict in verdicts for test in self.tests)

    @property
    def passed(self) -> bool:
        """Tell whether there was at least one test that passed, none failed, and all results could be read."""
        bad = self.count(Verdict.FAILED, Verdict.BROKEN, Verdict.UNKNOWN)
        return self.count(Verdict.PASSED) > 0 and bad == 0 and not self.unreadable

    def musts(self) -> Mapping[Standing, int]:
        """Return how many of the Musts stand how."""
        musts = [each.standing for each in self.standings if each.requirement.priority == "M"]
        return {standing: musts.count(standing) for standing in Standing}


def read_results(folder: Path) -> tuple[list[TestOutcome], list[str]]:
    """Return the last result of each test in an Allure results folder, and which files could not be read.

    Raises ResultsError when there is no such folder.
    """
    if not folder.is_dir():
        raise ResultsError(f"{folder}: no results here")
    latest: dict[str, tuple[float, TestOutcome]] = {}
    unreadable = []
    for path in sorted(folder.glob("*-result.json")):
        try:
            if path.stat().st_size > RESULT_BYTES:
                raise ValueError(f"{path.stat().st_size} bytes")
            history, start, outcome = _outcome(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            unreadable.append(f"{path.name}: {error or type(error).__name__}")
            continue
        if history not in latest or latest[history][0] <= start:
            latest[history] = start, outcome
    return [outcome for _, outcome in sorted(latest.values(), key=lambda pair: (pair[0], pair[1].name))], unreadable


def _outcome(data: Mapping[str, Any]) -> tuple[str, float, TestOutcome]:
    labels = [(str(label["name"]), str(label["value"])) for label in data.get("labels") or []]

    def first(name: str) -> str:
        return next((value for key, value in labels if key == name), "")

    start = float(data.get("start") or 0)
    outcome = TestOutcome(
        name=str(data.get("fullName") or data["name"]),
        verdict=_verdict(str(data.get("status") or "unknown"), first(OUTCOME)),
        requirements=tuple(dict.fromkeys(value for key, value in labels if key == REQUIREMENT)),
        binding=first(BINDING) or "simulated",
        framework=first("framework"),
        message=str((data.get("statusDetails") or {}).get("message") or ""),
        seconds=max(0.0, float(data.get("stop") or start) - start) / 1000,
    )
    return str(data.get("historyId") or data["uuid"]), start, outcome


def _verdict(status: str, declared: str) -> Verdict:
    verdict = Verdict(status)
    return Verdict.NOT_APPLICABLE if verdict is Verdict.SKIPPED and declared == NOT_APPLICABLE else verdict


def summarise(tests: Iterable[TestOutcome], catalogue: Catalogue, unreadable: Iterable[str] = ()) -> Summary:
    """Return how every criterion of the catalogue stands."""
    outcomes = tuple(tests)
    by_requirement: dict[str, list[TestOutcome]] = {}
    for test in outcomes:
        for name in test.requirements:
            by_requirement.setdefault(name, []).append(test)
    standings = tuple(
        RequirementStanding(requirement, standing(by_requirement.get(name, ())), tuple(by_requirement.get(name, ())))
        for name, requirement in catalogue.items()
    )
    return Summary(outcomes, standings, tuple(unreadable))


def standing(tests: Iterable[TestOutcome]) -> Standing:
    """Return how a criterion with these tests stands: a failure outweighs any pass, a simulated pass any real one."""
    there = [(test.verdict, test.binding) for test in tests]
    told = [each for each in there if each[0] not in (Verdict.SKIPPED, Verdict.NOT_APPLICABLE)]
    if any(verdict is not Verdict.PASSED for verdict, _ in told):
        return Standing.FAILED
    if not told:
        declared = there and all(verdict is Verdict.NOT_APPLICABLE for verdict, _ in there)
        return Standing.NOT_APPLICABLE if declared else Standing.NOT_RUN
    return Standing.PASSED if all(binding == "real" for _, binding in told) else Standing.PASSED_SIMULATED


def _told(test: TestOutcome) -> dict[str, str]:
    told = {"name": test.name, "verdict": test.verdict.value, "binding": test.binding}
    return told | ({"reason": test.reason} if test.verdict is Verdict.NOT_APPLICABLE else {})


def as_json(summary: Summary) -> dict[str, Any]:
    """Return the summary as it is written to ``summary.json``."""
    return {
        "passed": summary.passed,
        "tests": {verdict.value: summary.count(verdict) for verdict in Verdict},
        "musts": {standing.value: count for standing, count in summary.musts().items()},
        "requirements": [
            {
                "id": each.requirement.id,
                "priority": each.requirement.priority,
                "feature": each.requirement.feature,
                "standing": each.standing.value,
                "tests": [_told(test) for test in each.tests],
            }
            for each in summary.standings
        ],
        "untraced": [test.name for test in summary.tests if not test.requirements],
        "unreadable": list(summary.unreadable),
    }
