"""The shape of a load: as many calls as asked, in order, most in the busiest part, of lengths about the mean."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.drivers.call_load import LoadPlan, Moment
from harness.drivers.load_shape import moments
from harness.errors import DriverError


@given(
    st.integers(1, 300),
    st.floats(1, 7200),
    st.lists(st.floats(0, 10), min_size=1, max_size=8).filter(lambda parts: sum(parts) > 0.1),
    st.integers(0, 2**32),
)
def test_calls_are_in_order_within_the_time_and_none_in_a_part_without(
    calls: int, lasts_s: float, parts: list[float], seed: int
) -> None:
    made = moments(Random(seed), calls, lasts_s, parts=parts, mean_hold_s=60)
    at = [each.at_s for each in made]
    assert len(made) == calls
    assert at == sorted(at)
    assert at[0] >= 0
    assert at[-1] <= lasts_s * (1 + 1e-9)
    assert all(each.hold_s > 0 for each in made)
    for place in at:
        near = {min(len(parts) - 1, int(len(parts) * place / lasts_s + off)) for off in (-1e-6, 1e-6)}
        assert any(parts[max(0, part)] > 0 for part in near)


def test_the_busiest_part_has_its_share_and_lengths_lie_about_the_mean() -> None:
    made = moments(Random(1), 2000, 3600, parts=(1, 1, 2, 1), mean_hold_s=120)
    third = sum(1800 <= each.at_s < 2700 for each in made)
    assert third / 2000 == pytest.approx(0.4, abs=0.03)
    assert sum(each.hold_s for each in made) / 2000 == pytest.approx(120, rel=0.06)


def test_one_seed_gives_one_load() -> None:
    one, again, other = (moments(Random(seed), 50, 60, parts=(1,), mean_hold_s=5) for seed in (3, 3, 4))
    assert one == again != other


@pytest.mark.parametrize(
    ("calls", "lasts_s", "parts", "hold"),
    [(0, 60, (1,), 5), (10**6, 60, (1,), 5), (5, 0, (1,), 5), (5, 60, (), 5), (5, 60, (0, 0), 5), (5, 60, (-1, 2), 5)],
)
def test_a_load_that_can_not_be_is_refused(calls: int, lasts_s: float, parts: tuple[float, ...], hold: float) -> None:
    with pytest.raises(DriverError):
        moments(Random(1), calls, lasts_s, parts=parts, mean_hold_s=hold)


def test_a_plan_wants_a_moment_for_each_call() -> None:
    for wrong in ((Moment(0, 1),), (Moment(-1, 1), Moment(0, 1)), (Moment(0, 0), Moment(0, 1))):
        with pytest.raises(DriverError, match="moment"):
            LoadPlan(number="101", calls=2, per_second=1, hold_s=1, moments=wrong)
    plan = LoadPlan(number="101", calls=2, per_second=4, hold_s=3)
    assert plan.moment(1) == Moment(0.25, 3)
