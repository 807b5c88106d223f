"""A simulated vehicle's course: where it is when, at which speed, and that it stands at its end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import LocalError
from harness.protocols.location.shapes import Point, distance
from simulators.radio.course import MAX_WAYPOINTS, Course

CORNER = [Point(55.86, -4.25), Point(55.86, -4.24), Point(55.87, -4.24)]


@given(st.floats(1, 200), st.floats(0, 2000))
def test_it_goes_as_fast_as_it_says_and_never_back(kmh: float, seconds: float) -> None:
    course = Course(CORNER, kmh)
    one, speed, _ = course.at(seconds)
    two, _, _ = course.at(seconds + 1)
    gone = min(seconds * kmh / 3.6, course.length_m)
    assert distance(one, two) <= kmh / 3.6 + 0.01
    assert speed == (pytest.approx(kmh) if gone < course.length_m else 0.0)
    passed = distance(CORNER[0], one) if gone <= distance(*CORNER[:2]) else None
    if passed is not None:
        assert passed == pytest.approx(gone, abs=0.05)


def test_it_turns_at_the_corner_and_stands_at_the_end() -> None:
    course = Course(CORNER, 36.0)  # 10 m/s
    assert course.length_m == pytest.approx(distance(*CORNER[:2]) + distance(*CORNER[1:]))
    assert course.at(10)[2] == pytest.approx(90, abs=0.1)
    assert course.at(80)[2] == pytest.approx(0, abs=0.1)
    assert course.at(1e9) == (CORNER[-1], 0.0, pytest.approx(0, abs=0.1))


def test_one_waypoint_and_two_in_one_place_are_a_stand() -> None:
    assert Course(CORNER[:1], 50).at(9)[:2] == (CORNER[0], 0.0)
    assert Course([CORNER[0], CORNER[0]], 50).at(9)[:2] == (CORNER[0], 0.0)


@pytest.mark.parametrize(("waypoints", "kmh"), [([], 50), (CORNER * MAX_WAYPOINTS, 50), (CORNER, -1), (CORNER, 501)])
def test_a_course_that_can_not_be_is_refused(waypoints: list[Point], kmh: float) -> None:
    with pytest.raises(LocalError):
        Course(waypoints, kmh)
