"""Access time against curves that we made: the fit finds them, intervals hold them, and a plan needs few presses."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest

from harness.errors import LocalError
from harness.measure.access.curve import AccessCurve, Trial, fit
from harness.measure.access.plan import AccessPlan, Aim

I0, T0_S, LAMBDA_S = 0.92, 0.31, -0.03
NIST_LEAST = 4_770
"""Trials of NIST's smallest measurement of a system (NISTIR 8275)."""


def understood(lead_s: float, chance: np.random.Generator) -> Trial:
    """One word of a path whose curve is known; the scatter is that of words understood whole, in part or not."""
    share = 1 / (1 + exp((lead_s - T0_S) / LAMBDA_S))
    p1 = I0 * float(chance.beta(8 * share + 1e-6, 8 * (1 - share) + 1e-6))
    return Trial(lead_s, p1, float(np.clip(chance.normal(I0, 0.02), 0, 1)))


def swept(trials: int, seed: int) -> AccessCurve:
    chance = np.random.default_rng(seed)
    return fit([understood(lead, chance) for lead in np.linspace(0.0, 0.7, trials)])


def tau(alpha: float) -> float:
    return T0_S + LAMBDA_S * log((1 - alpha) / alpha)


@pytest.mark.parametrize("alpha", [0.5, 0.9])
def test_a_known_curve_is_found_within_five_milliseconds(alpha: float) -> None:
    for seed in range(10):
        assert swept(4_000, seed).tau(alpha).value == pytest.approx(tau(alpha), abs=0.005)


def test_an_interval_holds_the_truth_as_often_as_it_says() -> None:
    held = 0
    for seed in range(200):
        found = swept(300, seed).tau(0.9)
        held += found.low <= tau(0.9) <= found.high
    assert 180 <= held <= 199  # 95 % of 200, and chance


def test_a_table_that_tells_the_press_as_a_moment_of_the_clip_falls_instead_of_rising() -> None:
    chance = np.random.default_rng(1)
    trials = [understood(lead, chance) for lead in np.linspace(0.0, 0.7, 2_000)]
    moments = fit([Trial(1.0 - each.ptt_s, each.p1, each.p2) for each in trials])
    assert moments.lambda_s > 0
    assert moments.t0_s == pytest.approx(1.0 - T0_S, abs=0.005)


def test_without_p2_the_height_is_fitted_too() -> None:
    chance = np.random.default_rng(2)
    curve = fit([Trial(each.ptt_s, each.p1) for each in (understood(t, chance) for t in np.linspace(0, 0.7, 3_000))])
    assert curve.i0 == pytest.approx(I0, abs=0.01)
    assert curve.tau(0.5).value == pytest.approx(T0_S, abs=0.005)


def test_a_sequential_plan_reaches_the_interval_with_a_fraction_of_nists_trials() -> None:
    spent, wrong = [], 0
    for seed in range(5):
        plan, chance = AccessPlan(Aim(half_width_s=0.005), seed=seed), np.random.default_rng(100 + seed)
        while not plan.done and not plan.spent:
            plan.tell(understood(plan.next_lead(), chance))
        assert plan.done
        found = plan.result()
        assert found.half_width <= 0.0055
        wrong += not found.low - 0.002 <= tau(0.9) <= found.high + 0.002
        spent.append(len(plan.trials))
    assert max(spent) < NIST_LEAST / 10, spent
    assert wrong <= 1


def test_presses_that_lie_on_no_slope_are_refused_with_what_to_do() -> None:
    chance = np.random.default_rng(3)
    flat = [understood(lead, chance) for lead in np.linspace(0.6, 0.9, 40)]
    with pytest.raises(LocalError, match="press earlier and later"):
        fit(flat)
    with pytest.raises(LocalError, match="a curve needs 8"):
        fit(flat[:5])
    never = [Trial(lead, 0.0, 0.0) for lead in np.linspace(0.0, 0.7, 20)]
    with pytest.raises(LocalError, match="never understood"):
        fit(never)


def test_a_plan_whose_longest_lead_is_too_short_says_so() -> None:
    plan, chance = AccessPlan(Aim(longest_s=0.2)), np.random.default_rng(4)
    with pytest.raises(LocalError, match="comes up later"):
        for _ in range(10):
            plan.tell(understood(plan.next_lead(), chance))
