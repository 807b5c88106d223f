"""Compares runs: which requirements stand otherwise, and which measures moved, by a Mann-Whitney test.

Theory. The Mann-Whitney U test asks whether values of one side tend to be larger than those of the other; it needs no
bell curve. Two-sided, with fewer than MIN_SAMPLES a side it can't come below 5 %, whatever the values. Of many
measures one in twenty would seem to move by chance, so p is adjusted over all of them (Benjamini and Hochberg).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from harness.evidence.results import Standing, TestOutcome, standing

MIN_SAMPLES: Final = 4
"""Values a side below which nothing can be told: 3 against 3 have p = 0.1 at the least."""
LEVEL: Final = 0.05
"""Adjusted p below which a measure is said to have moved."""
_WON: Final = (Standing.PASSED, Standing.PASSED_SIMULATED)
Key = tuple[str, str, str]
"""A measure's requirement, name and unit."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A requirement that stands otherwise."""

    requirement: str
    before: Standing
    after: Standing

    @property
    def regressed(self) -> bool:
        """Whether it was passed and is no more, or was passed on real equipment and now on simulators."""
        return (self.before in _WON and self.after not in _WON) or (
            self.before is Standing.PASSED and self.after is Standing.PASSED_SIMULATED
        )


@dataclass(frozen=True, slots=True)
class MeasureComparison:
    """A measure on both sides; p and adjusted are None with too few samples."""

    key: Key
    samples: tuple[int, int]
    medians: tuple[float, float]
    p: float | None = None
    adjusted: float | None = None

    @property
    def moved(self) -> bool:
        """Whether it moved by more than chance."""
        return self.adjusted is not None and self.adjusted < LEVEL


def requirements_moved(before: Iterable[TestOutcome], after: Iterable[TestOutcome]) -> list[Moved]:
    """Return the requirements that stand otherwise after than before, those that regressed first."""
    sides = [_by_requirement(before), _by_requirement(after)]
    names = sorted({*sides[0], *sides[1]})
    moved = [Moved(name, *(standing(side.get(name, ())) for side in sides)) for name in names]
    return sorted((each for each in moved if each.before is not each.after), key=lambda each: not each.regressed)


def _by_requirement(tests: Iterable[TestOutcome]) -> Mapping[str, list[TestOutcome]]:
    found: dict[str, list[TestOutcome]] = {}
    for test in tests:
        for name in test.requirements:
            found.setdefault(name, []).append(test)
    return found


def measures_compared(
    before: Mapping[Key, Sequence[float]], after: Mapping[Key, Sequence[float]]
) -> list[MeasureComparison]:
    """Return each measure that both sides have: those that moved first, those with too few samples last."""
    from scipy.stats import false_discovery_control, mannwhitneyu  # noqa: PLC0415 - half a second

    told: list[MeasureComparison] = []
    tested: list[MeasureComparison] = []
    for key in sorted(before.keys() & after.keys()):
        one, other = before[key], after[key]
        found = MeasureComparison(key, (len(one), len(other)), (median(one), median(other)))
        if min(found.samples) < MIN_SAMPLES:
            told.append(found)
            continue
        p = float(mannwhitneyu(one, other, alternative="two-sided").pvalue)
        tested.append(MeasureComparison(key, found.samples, found.medians, p))
    if tested:
        adjusted = false_discovery_control([each.p for each in tested])
        tested = [
            MeasureComparison(each.key, each.samples, each.medians, each.p, float(q))
            for each, q in zip(tested, adjusted, strict=True)
        ]
    return sorted(tested, key=lambda each: each.adjusted or 0.0) + told
