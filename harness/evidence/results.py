"""Reads Allure results back into a standing by requirement: what passed, failed or was never run, and on what ground.

A pass won on simulators is called "passed (simulated)": it is no acceptance. A criterion without a result is "not run",
and so is one whose tests were all skipped. One whose tests were all declared not applicable is so itself: no pass. A
failure that a known fault explains is "known": no pass either.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from harness.errors import LocalError, NotApplicableError
from harness.evidence.allure_adapter import BINDING, NOT_APPLICABLE, OUTCOME, REQUIREMENT, SCENARIO
from harness.evidence.defects import EMPTY, Defect, Register, this_day
from harness.evidence.requirements import Catalogue, Requirement

RESULT_BYTES = 16 * 1024 * 1024
"""A result file larger than this is none of ours."""


class ResultsError(LocalError):
    """There are no results where they were looked for."""


class Standing(StrEnum):
    """How a criterion stands after a run."""

    FAILED = "failed"
    KNOWN = "known fault"
    """Nothing failed but what known faults explain."""
    PASSED = "passed"
    PASSED_SIMULATED = "passed (simulated)"
    WITNESSED = "witnessed"
    """Met by what was shown on real equipment outside of any run; only a dossier and its gate know of it."""
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
    KNOWN = "known"
    """Failed or broken, by a fault in the register; Allure's status stays, a label tells of the fault."""


_ALLURES = frozenset({Verdict.PASSED, Verdict.FAILED, Verdict.BROKEN, Verdict.SKIPPED, Verdict.UNKNOWN})


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
    defect: Defect | None = None
    """The fault that explains the failure, where the verdict is KNOWN."""
    file: str = ""
    """Name of its result file."""
    scenario: str = ""
    """Id of the scenario that it plays; empty where it plays none."""

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
    today: date = field(default_factory=this_day)
    """The day by which waivers are judged."""
    expired: tuple[str, ...] = field(default=())
    """Open faults whose waiver has expired, a line each."""

    def count(self, *verdicts: Verdict) -> int:
        """Return how many tests ended so."""
        return sum(test.verdict in verdicts for test in self.tests)

    @property
    def passed(self) -> bool:
        """Tell whether a test passed, none failed that no waiver lets through, no waiver expired, all could be read."""
        bad = self.count(Verdict.FAILED, Verdict.BROKEN, Verdict.UNKNOWN) + len(self.known_unwaived)
        return self.count(Verdict.PASSED) > 0 and bad == 0 and not self.unreadable and not self.expired

    @property
    def known_unwaived(self) -> list[TestOutcome]:
        """Tests that failed by a known fault without a waiver that lets the run pass."""
        known = [(test, test.defect) for test in self.tests if test.verdict is Verdict.KNOWN]
        return [test for test, defect in known if defect is None or not defect.passes_gate(self.today)]

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
            history, start, outcome = _outcome(json.loads(path.read_text(encoding="utf-8")), path.name)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            unreadable.append(f"{path.name}: {error or type(error).__name__}")
            continue
        if history not in latest or latest[history][0] <= start:
            latest[history] = start, outcome
    return [outcome for _, outcome in sorted(latest.values(), key=lambda pair: (pair[0], pair[1].name))], unreadable


def _outcome(data: Mapping[str, Any], file: str) -> tuple[str, float, TestOutcome]:
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
        file=file,
        scenario=first(SCENARIO),
    )
    return str(data.get("historyId") or data["uuid"]), start, outcome


def _verdict(status: str, declared: str) -> Verdict:
    verdict = Verdict(status)
    if verdict not in _ALLURES:
        raise ValueError(f"{status!r} is no status of Allure's")
    return Verdict.NOT_APPLICABLE if verdict is Verdict.SKIPPED and declared == NOT_APPLICABLE else verdict


def summarise(
    tests: Iterable[TestOutcome],
    catalogue: Catalogue,
    unreadable: Iterable[str] = (),
    *,
    register: Register = EMPTY,
    today: date | None = None,
) -> Summary:
    """Return how every criterion of the catalogue stands; ``register`` explains failures, ``today`` judges waivers."""
    today = today or this_day()
    outcomes = tuple(_explained(test, register) for test in tests)
    by_requirement: dict[str, list[TestOutcome]] = {}
    for test in outcomes:
        for name in test.requirements:
            by_requirement.setdefault(name, []).append(test)
    standings = tuple(
        RequirementStanding(requirement, standing(by_requirement.get(name, ())), tuple(by_requirement.get(name, ())))
        for name, requirement in catalogue.items()
    )
    return Summary(outcomes, standings, tuple(unreadable), today, tuple(register.expired(today)))


def _explained(test: TestOutcome, register: Register) -> TestOutcome:
    if test.verdict not in (Verdict.FAILED, Verdict.BROKEN):
        return test
    defect = register.explaining(test.name, test.message)
    return test if defect is None else replace(test, verdict=Verdict.KNOWN, defect=defect)


def standing(tests: Iterable[TestOutcome]) -> Standing:
    """Return how a criterion with these tests stands: a failure outweighs any pass, a simulated pass any real one."""
    there = [(test.verdict, test.binding) for test in tests]
    told = [each for each in there if each[0] not in (Verdict.SKIPPED, Verdict.NOT_APPLICABLE)]
    if any(verdict not in (Verdict.PASSED, Verdict.KNOWN) for verdict, _ in told):
        return Standing.FAILED
    if any(verdict is Verdict.KNOWN for verdict, _ in told):
        return Standing.KNOWN
    if not told:
        declared = there and all(verdict is Verdict.NOT_APPLICABLE for verdict, _ in there)
        return Standing.NOT_APPLICABLE if declared else Standing.NOT_RUN
    return Standing.PASSED if all(binding == "real" for _, binding in told) else Standing.PASSED_SIMULATED


def _told(test: TestOutcome) -> dict[str, str]:
    told = {"name": test.name, "verdict": test.verdict.value, "binding": test.binding}
    if test.defect is not None:
        told |= {"defect": test.defect.id, "change_request": test.defect.change_request or ""}
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
        "known": [_told(test) for test in summary.tests if test.verdict is Verdict.KNOWN],
        "expired_waivers": list(summary.expired),
    }
