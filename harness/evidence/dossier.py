"""Judges a run for a board: a colour, a recommendation, and the reasons; measures and faults as the dossier shows them.

Green is for Musts that were all won on real equipment. What was not run, or won on simulators, is amber at best.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Literal

from harness.evidence.allure_adapter import Binding
from harness.evidence.defects import Register
from harness.evidence.plan import Criterion
from harness.evidence.results import Standing, Summary
from harness.evidence.run_store import Measured

Colour = Literal["red", "amber", "green"]
RECOMMENDATION: dict[Colour, str] = {
    "red": "Do not accept.",
    "amber": "Not enough evidence to accept.",
    "green": "Every Must was met on real equipment: the evidence supports acceptance.",
}

_GROUND: dict[Binding, str] = {"simulated": "on simulators", "mixed": "partly on simulators"}


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


def judge(
    summary: Summary, register: Register, binding: Binding, exits: Iterable[Criterion] = (), *, finished: bool
) -> Judgement:
    """Return the colour and why.

    ``binding`` is what the run was won on, ``exits`` how it stands to the plan, ``finished`` that it came to its end.
    """
    missed = Counter(each.state for each in exits)
    musts = summary.musts()
    opened = [each for each in register.defects if each.closed is None]
    grave = [each for each in opened if each.severity <= 2]
    red = [
        _counted(musts[Standing.FAILED], "Must failed", "Musts failed"),
        _counted(
            len(summary.known_unwaived), "test fails", "tests fail", " by known faults that no waiver lets through"
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
        _counted(musts[Standing.KNOWN], "Must has", "Musts have", " a known fault under a waiver"),
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
    """Return each measure with how many values it has, the least, the middle, the most; of no requirement, last."""
    found: dict[tuple[str, str, str], list[float]] = {}
    for each in measures:
        found.setdefault((each.requirement, each.name, each.unit), []).append(each.value)
    return [
        MeasureLine(*key, len(values), min(values), median(values), max(values))
        for key, values in sorted(found.items(), key=lambda each: (not each[0][0], each[0]))
    ]
