"""Scenarios by site, and faults over time: what was last played where, and that nothing unplayed looks played."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.evidence.defects import Defect, Register
from harness.evidence.played import Cell, by_site, plays_of
from harness.evidence.results import Standing, TestOutcome, Verdict
from harness.evidence.run_store import Play
from harness.evidence.trend import open_faults

DAY = 86_400.0
GOVAN = {"Govan": ("govan",)}


def play(verdict: str, *, day: int = 0, testbed: str = "govan", binding: str = "real", scenario: str = "A") -> Play:
    return Play(testbed, day * DAY, scenario, verdict, binding)


def cell(*plays: Play) -> Cell:
    (line,) = by_site(GOVAN, plays, ["A"], "govan")
    return line.cells[0]


@pytest.mark.parametrize(
    ("plays", "standing"),
    [
        ([], Standing.NOT_RUN),
        ([play("passed")], Standing.PASSED),
        ([play("passed", binding="mixed")], Standing.PASSED_SIMULATED),
        ([play("passed"), play("passed", binding="simulated")], Standing.PASSED_SIMULATED),
        ([play("passed"), play("failed")], Standing.FAILED),
        ([play("passed"), play("known")], Standing.KNOWN),
        ([play("skipped")], Standing.NOT_RUN),
        ([play("passed"), play("skipped")], Standing.PASSED),
    ],
)
def test_one_run_tells_the_worst_of_how_it_played_a_scenario(plays: list[Play], standing: Standing) -> None:
    assert cell(*plays).standing is standing
    assert (cell(*plays).on is None) == (standing is Standing.NOT_RUN)


def test_the_last_run_that_played_a_scenario_tells_of_it() -> None:
    failed, passed = play("failed", day=3), play("passed", day=4)
    assert cell(passed, failed) == Cell(Standing.PASSED, date(1970, 1, 5))
    assert cell(failed, passed, play("skipped", day=9)) == cell(failed, passed)
    assert cell(passed, play("failed", day=5)).standing is Standing.FAILED


def test_a_testbed_counts_where_it_stands_and_nowhere_else() -> None:
    sites = {"Govan": ("govan", "govan-two"), "Dundee": ("dundee",)}
    plays = [
        play("passed", testbed="govan-two"),
        play("failed", testbed="dundee", scenario="B"),
        play("failed", testbed="x"),
    ]
    govan, dundee, ours = by_site(sites, plays, ["A", "B"], "x")
    assert [(line.name, *(each.standing for each in line.cells)) for line in (govan, dundee, ours)] == [
        ("Govan", Standing.PASSED, Standing.NOT_RUN),
        ("Dundee", Standing.NOT_RUN, Standing.FAILED),
        ("x", Standing.FAILED, Standing.NOT_RUN),
    ]
    assert [line.name for line in by_site(sites, plays, ["A"], "govan-two")] == ["Govan", "Dundee"]


def test_a_run_that_no_store_has_tells_of_its_own_plays() -> None:
    tests = [TestOutcome("t", Verdict.BROKEN, (), "real", scenario="A"), TestOutcome("u", Verdict.PASSED, (), "real")]
    assert plays_of(tests, "bed", 7.0) == [Play("bed", 7.0, "A", "broken", "real")]


def fault(severity: int, opened: date, closed: date | None) -> Defect:
    return Defect(
        id="DEF-1", title="t", severity=severity, requirements=("NICCS-TEL-001",), opened=opened, closed=closed
    )


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 80), st.none() | st.integers(0, 80))))
def test_a_fault_counts_from_its_first_day_to_the_one_before_it_was_closed(
    told: list[tuple[int, int, int | None]],
) -> None:
    first = date(2026, 1, 1).toordinal()
    faults = [
        fault(
            severity,
            date.fromordinal(first + opened),
            None if closed is None else date.fromordinal(first + max(opened, closed)),
        )
        for severity, opened, closed in told
    ]
    today = date(2026, 3, 1)
    lines = open_faults(Register(defects=tuple(faults)), today)
    assert [(today - each.day).days for each in lines] == [49, 42, 35, 28, 21, 14, 7, 0]
    for line in lines:
        after = line.day.toordinal() - first
        for severity in range(1, 5):
            open_then = [
                one
                for one in told
                if one[0] == severity and one[1] <= after and (one[2] is None or max(one[1], one[2]) > after)
            ]
            assert line.counts[severity - 1] == len(open_then)
