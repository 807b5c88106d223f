"""Gaps between place reports: each one, the last to the end of watching, and nothing measured of nothing."""

from __future__ import annotations

import pytest

from harness.errors import LocalError
from harness.measure.reports import Report, gaps
from harness.protocols.location.shapes import Point, distance

PLACES = [Point(55.86, -4.25), Point(55.861, -4.25), Point(55.861, -4.246)]


def test_every_gap_is_there_and_the_silence_after_the_last_report() -> None:
    found = gaps([Report(10.0 * number, place) for number, place in enumerate(PLACES)], until=75.0)
    assert [(gap.began, gap.seconds) for gap in found] == [(0.0, 10.0), (10.0, 10.0), (20.0, 55.0)]
    assert [gap.metres for gap in found] == [distance(*PLACES[:2]), distance(*PLACES[1:]), 0.0]
    assert found[0].metres == pytest.approx(111.3, abs=0.3)


def test_no_report_or_a_time_that_goes_back_is_no_measurement() -> None:
    with pytest.raises(LocalError, match="no report"):
        gaps([], until=1.0)
    with pytest.raises(LocalError, match="order"):
        gaps([Report(2.0, PLACES[0]), Report(1.0, PLACES[1])], until=3.0)
    with pytest.raises(LocalError, match="order"):
        gaps([Report(2.0, PLACES[0])], until=1.0)
