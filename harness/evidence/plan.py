"""The test plan: for each stage its exit criteria, who signs, and what only people know; and how a run stands to it.

Nothing simulated meets a criterion that asks for real equipment, and what was not run is never met.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.evidence.allure_adapter import Binding
from harness.evidence.defects import Line, Register, Severity, Text
from harness.evidence.results import Standing, Summary, Verdict
from harness.evidence.stages import Stage
from harness.evidence.witnessed import MAX_WITNESSED, Witnessed

Percent = Annotated[float, Field(ge=0, le=100)]
State = Literal["met", "not met", "not declared"]
MAX_LISTED: Final = 50
"""Entries of any one list of a plan."""
MAX_SITES: Final = 12
"""Sites of a plan."""
_Part = ConfigDict(extra="forbid", frozen=True)
_STOOD: Final[Mapping[Binding, str]] = {
    "real": "real equipment",
    "mixed": "simulators, partly",
    "simulated": "simulators",
}


class Declared(BaseModel):
    """What a person has to declare: no test can tell it."""

    model_config = _Part
    text: Line
    by: Line | None = None
    """Name and office of whoever declared it; until then it is not met."""
    on: date | None = None


class Exit(BaseModel):
    """When a stage is over."""

    model_config = _Part
    run: Percent | None = None
    """Of the stage's tests, how many must have been run."""
    passed: Percent | None = None
    """Of the tests that were run, how many must have passed."""
    musts: bool = True
    """Whether every Must that is applicable has to have passed."""
    real: bool = True
    """Whether it counts on real equipment alone."""
    open_faults: dict[Severity, Annotated[int, Field(ge=0, le=1_000)]] = Field(default_factory=dict)
    """Open faults that are borne, by severity; a severity that is not named is not limited."""
    declared: Annotated[tuple[Declared, ...], Field(max_length=MAX_LISTED)] = ()


class StagePlan(BaseModel):
    """One stage."""

    model_config = _Part
    ends: date | None = None
    """The day on which it is to be over."""
    exit: Exit
    signatures: Annotated[tuple[Line, ...], Field(min_length=1, max_length=10)]
    """The offices that sign its certificate."""


class Risk(BaseModel):
    """A risk that remains."""

    model_config = _Part
    risk: Line
    owner: Line


class Board(BaseModel):
    """What the board asks for and no run can tell."""

    model_config = _Part
    recovery: date | None = None
    """When disaster recovery was last tried, and worked."""
    rollback: date | None = None
    """When rollback was last tried, and worked."""
    ithc: Line | None = None
    """How the IT Health Check came out."""
    sites: dict[Line, Annotated[tuple[Line, ...], Field(min_length=1, max_length=MAX_LISTED)]] = Field(
        default_factory=dict, max_length=MAX_SITES
    )
    """The testbeds that stand at each site, by their names: where a scenario that was played there counts."""
    staff: dict[Line, Percent] = Field(default_factory=dict)
    """Staff whose training is current, by site."""
    risks: Annotated[tuple[Risk, ...], Field(max_length=5)] = ()
    decision: Line | None = None
    """The decision that is asked for."""


class Completion(BaseModel):
    """What people add to the test completion report."""

    model_config = _Part
    deviations: Annotated[tuple[Text, ...], Field(max_length=MAX_LISTED)] = ()
    blocked: Annotated[tuple[Text, ...], Field(max_length=MAX_LISTED)] = ()
    reusable: Annotated[tuple[Text, ...], Field(max_length=MAX_LISTED)] = ()
    lessons: Annotated[tuple[Text, ...], Field(max_length=MAX_LISTED)] = ()


class Plan(BaseModel):
    """A plan file."""

    model_config = _Part
    plan: Line
    stages: Annotated[dict[Stage, StagePlan], Field(min_length=1)]
    board: Board = Board()
    completion: Completion = Completion()
    witnessed: Annotated[tuple[Witnessed, ...], Field(max_length=MAX_WITNESSED)] = ()
    """What was shown outside of any run."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """An exit criterion and how the run stands to it."""

    text: str
    found: str
    state: State


def criteria(stage: StagePlan, summary: Summary, register: Register, binding: Binding) -> list[Criterion]:
    """Return the stage's exit criteria, each with what was found."""
    asked, found = stage.exit, []
    total = len(summary.tests)
    ran = total - summary.count(Verdict.SKIPPED, Verdict.NOT_APPLICABLE, Verdict.UNKNOWN)
    due = total - summary.count(Verdict.NOT_APPLICABLE)
    counts = binding == "real" or not asked.real
    where = " on real equipment" if asked.real else ""
    ground = {"real": "", "mixed": ", partly on simulators", "simulated": ", on simulators"}[binding]
    state: State
    if asked.run is not None:
        left_out = f"; {total - due} not applicable" if total > due else ""
        told = f"{ran} of {due} tests were run{ground}{left_out}"
        state = _share(ran, due, asked.run, counts=counts)
        found.append(Criterion(f"{asked.run:g} % of the tests are run{where}", told, state))
    if asked.passed is not None:
        passed = summary.count(Verdict.PASSED)
        told = f"{passed} of {ran} passed{ground}"
        state = _share(passed, ran, asked.passed, counts=counts)
        found.append(Criterion(f"{asked.passed:g} % of those that were run passed{where}", told, state))
    if asked.musts:
        found.append(_musts(summary, real=asked.real))
    if asked.real:
        state = "met" if binding == "real" else "not met"
        found.append(Criterion("the run stood on real equipment", f"it stood on {_STOOD[binding]}", state))
    for severity, borne in sorted(asked.open_faults.items()):
        opened = sum(each.severity == severity and each.closed is None for each in register.defects)
        state = "met" if opened <= borne else "not met"
        most = f"at most {borne} open {'fault' if borne == 1 else 'faults'}" if borne else "no open fault"
        told = f"{opened or 'none'} {'is' if opened < 2 else 'are'} open"
        found.append(Criterion(f"{most} of severity {severity}", told, state))
    for each in asked.declared:
        if each.by is None or each.on is None:
            found.append(Criterion(each.text, "nobody has declared it", "not declared"))
        else:
            found.append(Criterion(each.text, f"declared by {each.by} on {each.on}", "met"))
    return found


def _share(count: int, of: int, asked: float, *, counts: bool) -> State:
    return "met" if counts and of and 100 * count / of >= asked else "not met"


def _musts(summary: Summary, *, real: bool) -> Criterion:
    musts = summary.musts()
    good = musts[Standing.PASSED] + musts[Standing.WITNESSED] + (0 if real else musts[Standing.PASSED_SIMULATED])
    due = sum(musts.values()) - musts[Standing.NOT_APPLICABLE]
    where = " on real equipment" if real else ""
    state: State = "met" if due and good == due else "not met"
    seen = musts[Standing.WITNESSED]
    told = f"{good} of {due} did" + (f", {seen} of them witnessed outside of a run" if seen else "")
    return Criterion(f"every Must passed{where}", told, state)


def allure_rules(stage: StagePlan) -> Mapping[str, float]:
    """Return what of the exit criteria Allure's own quality gate can judge: how many tests there are and passed."""
    passed = stage.exit.passed
    told: dict[str, float] = {"minTestsCount": 1}
    if passed is not None:
        told |= {"maxFailures": 0} if passed == 100 else {"successRate": passed / 100}
    return told
