"""Judges a run for a board: a colour, a recommendation, and the reasons; tests and measures as the dossier shows them.

Green is for Musts that were all won on real equipment. What was not run, or won on simulators, is amber at best.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final, Literal

from harness.evidence.allure_adapter import Binding
from harness.evidence.defects import Register
from harness.evidence.plan import Criterion
from harness.evidence.results import Standing, Summary, TestOutcome, Verdict
from harness.evidence.run_store import Measured

Colour = Literal["red", "amber", "green"]
RECOMMENDATION: dict[Colour, str] = {
    "red": "Do not accept.",
    "amber": "Not enough evidence to accept.",
    "green": "Every Must was met on real equipment: the evidence supports acceptance.",
}

_GROUND: dict[Binding, str] = {"simulated": "on simulators", "mixed": "partly on simulators"}
ENDED: Final[Mapping[Verdict, str]] = {
    Verdict.PASSED: "passed",
    Verdict.FAILED: "failed",
    Verdict.BROKEN: "broken",
    Verdict.UNKNOWN: "without a result",
    Verdict.KNOWN: "failed by a known fault",
    Verdict.NOT_APPLICABLE: "not applicable",
    Verdict.SKIPPED: "not run",
}
"""How a test ended, as a reader is told it, in the order of a count."""
ASKED: Final[Mapping[str, str | None]] = {"NICCS-TEL-002": None, "NICCS-RAD-004": "mouth to ear"}
"""Requirements whose figures a board asks for first: by the measures' names, or all of them under one."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the board is told first."""

    colour: Colour
    reasons: tuple[str, ...]

    @property
    def recommendation(self) -> str:
        """A sentence."""
        return RECOMMENDATION[self.colour]


@dataclass(frozen=True, slots=True)
class MeasureLine:
    """The values of one measure."""

    requirement: str
    name: str
    unit: str
    count: int
    least: float
    middle: float
    most: float
    limit: str
    """What each value was held against; empty where nothing."""


@dataclass(frozen=True, slots=True)
class TestLine:
    """Tests of one name that ended alike: the cases of one test."""

    __test__ = False

    name: str
    told: str
    """How they ended, on what, and by which fault."""
    count: int


def judge(
    summary: Summary, register: Register, binding: Binding, exits: Iterable[Criterion] = (), *, finished: bool
) -> Judgement:
    """Return the colour and why.

    ``binding`` is what the run was won on, ``exits`` how it stands to the plan, ``finished`` that it came to its end.
    """
    missed = Counter(each.state for each in exits)
    musts, waived = summary.musts(), waived_musts(summary)
    unwaived = musts[Standing.KNOWN] - waived
    of_musts = {each.requirement.id for each in summary.standings if each.requirement.priority == "M"}
    others = sum(of_musts.isdisjoint(test.requirements) for test in summary.known_unwaived)
    opened = [each for each in register.defects if each.closed is None]
    grave = [each for each in opened if each.severity <= 2]
    red = [
        _counted(musts[Standing.FAILED], "Must failed", "Musts failed"),
        _counted(unwaived, "Must has", "Musts have", " a known fault that no waiver lets through"),
        _counted(
            others, "test of no Must fails", "tests of no Must fail", " by known faults that no waiver lets through"
        ),
        _counted(len(grave), "fault", "faults", " of severity 1 or 2 open"),
        _counted(len(summary.expired), "waiver has", "waivers have", " expired"),
        _counted(len(summary.unreadable), "result", "results", " could not be read"),
        "" if finished else "the run did not come to its end",
    ]
    amber = [
        _counted(musts[Standing.NOT_RUN], "Must was", "Musts were", " not run"),
        _counted(
            musts[Standing.PASSED_SIMULATED], "Must was", "Musts were", " passed on simulators, which is no acceptance"
        ),
        _counted(waived, "Must has", "Musts have", " a known fault under a waiver"),
        "" if binding == "real" else f"the run stood {_GROUND[binding]}",
        "" if summary.passed or any(red) else "the run did not pass",
        _counted(missed["not met"], "exit criterion is", "exit criteria are", " not met"),
        _counted(missed["not declared"], "exit criterion was", "exit criteria were", " not declared by anybody"),
    ]
    colour: Colour = "red" if any(red) else "amber" if any(amber) else "green"
    return Judgement(colour, tuple(filter(None, [*red, *amber])))


def _counted(count: int, one: str, more: str, rest: str = "") -> str:
    return f"{count} {one if count == 1 else more}{rest}" if count else ""


def waived_musts(summary: Summary) -> int:
    """Return how many Musts have a known fault that a waiver lets through, and no other."""
    unwaived = {name for test in summary.known_unwaived for name in test.requirements}
    return sum(
        each.standing is Standing.KNOWN and each.requirement.priority == "M" and each.requirement.id not in unwaived
        for each in summary.standings
    )


def measure_lines(measures: Iterable[Measured]) -> list[MeasureLine]:
    """Return each measure with how many values it has, the least, the middle, the most; of no requirement, last.

    Values of one measure that were held against different limits are lines of their own.
    """
    found: dict[tuple[str, str, str, str], list[float]] = {}
    for each in measures:
        limit = "" if each.limit is None else figure(each.limit)
        found.setdefault((each.requirement, each.name, each.unit, limit), []).append(each.value)
    return [
        MeasureLine(requirement, name, unit, len(values), min(values), median(values), max(values), limit)
        for (requirement, name, unit, limit), values in sorted(
            found.items(), key=lambda each: (not each[0][0], each[0])
        )
    ]


def asked_first(measures: Iterable[Measured]) -> list[MeasureLine]:
    """Return the figures that a board asks for on its page."""
    chosen = [
        replace(each, name=ASKED[each.requirement] or each.name) for each in measures if each.requirement in ASKED
    ]
    return sorted(measure_lines(chosen), key=lambda line: list(ASKED).index(line.requirement))


def figure(value: float) -> str:
    """Return a figure as a reader is shown it: four digits, or all of a large one, with commas."""
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def test_lines(tests: Iterable[TestOutcome]) -> list[TestLine]:
    """Return a requirement's tests, those of one name that ended alike as one line, in the order of the first."""
    found = Counter((test.name, _ended(test)) for test in tests)
    return [TestLine(name, told, count) for (name, told), count in found.items()]


def _ended(test: TestOutcome) -> str:
    ground = "" if test.binding == "real" else f" ({test.binding})"
    return f"{ENDED[test.verdict]}{ground}" + (f", {test.defect.label}" if test.defect else "")


def by_binding(bindings: Mapping[str, str]) -> dict[str, Sequence[str]]:
    """Return the components of each binding: how the testbed is told in a few lines."""
    found: dict[str, list[str]] = {}
    for name, how in bindings.items():
        found.setdefault(how, []).append(name)
    return dict(sorted(found.items()))
