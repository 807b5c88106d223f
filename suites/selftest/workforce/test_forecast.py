"""Forecasts find a level, a trend and weekdays that were put in; their error is the one that is defined."""

from __future__ import annotations

import numpy as np
import pytest

from harness.errors import StaffingError
from harness.workforce.forecast import INTERVALS, Day, accuracy, forecast
from harness.workforce.shape import WEEKDAYS, quarter_shares


def days(count: int, *, per_day: float = 20_000, trend: float = 0.002, before: int = 20_454) -> list[Day]:
    found = []
    for number in range(before - count, before):
        weekday = (number + 3) % 7
        level = per_day * (1 + trend * (number - before)) * WEEKDAYS[weekday]
        calls = tuple(round(level * share) for share in quarter_shares())
        found.append(Day(number, calls, calls, tuple(300.0 * each for each in calls)))
    return found


@pytest.mark.parametrize("ahead", range(7))
def test_a_trend_and_weekdays_that_were_put_in_are_found(ahead: int) -> None:
    number = 20_454 + ahead
    expected = forecast(days(56), number)
    due = 20_000 * (1 + 0.002 * ahead) * WEEKDAYS[(number + 3) % 7]
    assert sum(each.calls for each in expected) == pytest.approx(due, rel=0.005)
    assert all(each.handling_s == pytest.approx(300) for each in expected)


def test_only_days_before_it_count() -> None:
    later = [Day(20_454, *[(9_999,) * INTERVALS] * 3)]
    assert forecast([*days(28), *later], 20_454) == forecast(days(28), 20_454)


def test_too_few_days_are_told() -> None:
    with pytest.raises(StaffingError, match="13 whole days are known before it; a forecast needs 14"):
        forecast(days(13), 20_454)


def test_errors_are_as_defined_and_chance_is_known() -> None:
    found = accuracy({0: 10.0, 900: 20.0, 1800: 5.0}, {0: 8, 900: 25, 1800: 0, 2700: 7})
    assert found.wape == pytest.approx((2 + 5 + 5) / 33)
    assert found.mape == pytest.approx((2 / 8 + 5 / 25) / 2)
    rng = np.random.default_rng(1)
    counts = rng.poisson(20, 200_000)
    by_chance = accuracy({0: 20.0}, {0: 1}).by_chance
    assert by_chance == pytest.approx(float(np.abs(counts - 20).mean()) / 20, rel=0.01)
