"""A terminal's own reports: whichever of time and way is over first, counted from the report that left."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import SdsError
from harness.protocols.location.shapes import Point, distance
from harness.protocols.tetra import lip
from harness.protocols.tetra.lip import Reason, ShortLocation
from harness.protocols.tetra.lip_trigger import Reporter, Trigger

HERE = Point(55.86, -4.25)
STEP_M = distance(HERE, Point(55.86, -4.249))


def test_time_and_way_each_let_it_report_and_both_count_anew() -> None:
    reporter = Reporter(Trigger(30.0, 2.5 * STEP_M))
    assert reporter.fix(0.0, HERE) is Reason.POWERED_ON
    reporter.reported(0.0)
    assert reporter.fix(29.9, HERE) is None
    assert reporter.fix(30.0, HERE) is Reason.INTERVAL
    reporter.reported(30.0)
    east = [Point(55.86, -4.25 + 0.001 * number) for number in (1, 0, 1)]  # there, back, there: the way counts
    assert [reporter.fix(31.0 + number, at) for number, at in enumerate(east)] == [None, None, Reason.DISTANCE]


def test_a_report_that_did_not_leave_stays_due() -> None:
    reporter = Reporter(Trigger(30.0, 200.0))
    reporter.fix(0.0, HERE)
    reporter.reported(0.0)
    assert [reporter.fix(time, HERE) for time in (30.0, 31.0, 500.0)] == [Reason.INTERVAL] * 3


@given(
    st.floats(1, 60),
    st.floats(10, 500),
    st.lists(st.tuples(st.floats(0, 0.0005), st.floats(0.2, 2.0)), min_size=2, max_size=200),
)
def test_no_gap_is_longer_than_the_trigger_and_what_one_fix_adds(
    every_s: float, every_m: float, steps: list[tuple[float, float]]
) -> None:
    reporter = Reporter(Trigger(every_s, every_m))
    time, at, since, way = 0.0, HERE, 0.0, 0.0
    reporter.fix(time, at)
    reporter.reported(time)
    for north, seconds in steps:
        there = Point(at.latitude + north, at.longitude)
        step_m = distance(at, there)
        time, at, way = time + seconds, there, way + step_m
        due = reporter.fix(time, at)
        assert time - since < every_s + seconds + 1e-9
        assert way < every_m + step_m + 1e-6
        if due is not None:
            reporter.reported(time)
            since, way = time, 0.0


@pytest.mark.parametrize(("every_s", "every_m"), [(0.0, 200.0), (30.0, 0.0), (float("nan"), 1.0), (1.0, -1.0)])
def test_a_trigger_that_means_nothing_is_refused(every_s: float, every_m: float) -> None:
    with pytest.raises(SdsError, match="above 0"):
        Trigger(every_s, every_m)


@given(st.floats(0, 1000))
def test_a_speed_is_coded_to_the_nearest_step(kmh: float) -> None:
    """1 km/h up to 28, then 3.8 per cent; what is beyond 1,080 km/h is the highest there is."""
    told = ShortLocation(0.0, 0.0, velocity=lip.velocity_code(kmh)).speed_kmh
    assert told is not None
    assert told == pytest.approx(kmh, abs=0.51, rel=0.02)
    assert lip.velocity_code(1e9) == lip.VELOCITY_UNKNOWN - 1
    with pytest.raises(SdsError):
        lip.velocity_code(-1.0)
