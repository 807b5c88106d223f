"""Erlang's formulas: published and others' values, a simulation that shares nothing with them, and what must hold."""

from __future__ import annotations

import heapq
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import StaffingError
from harness.workforce.erlang import erlang_b, erlang_c, line
from harness.workforce.staffing import Demand, needed, rostered


@pytest.mark.parametrize(
    ("calls", "handling_s", "within_s", "share", "agents"),
    [(168, 420, 10, 0.9, 27), (300, 600, 60, 0.8, 56)],  # the project's load model, derived from public figures
)
def test_the_load_model_s_numbers_of_advisers(
    calls: float, handling_s: float, within_s: float, share: float, agents: int
) -> None:
    assert needed(Demand(calls, 3600, handling_s, within_s, share)).agents == agents


def test_erlang_b_as_the_tables_have_it() -> None:
    """Offered load for 1 % blocking on 10 and 100 lines in the printed tables: 4.46 and 84.1 erlangs."""
    assert erlang_b(10, 4.461) == pytest.approx(0.01, rel=2e-3)
    assert erlang_b(100, 84.06) == pytest.approx(0.01, rel=2e-3)


@pytest.mark.parametrize("patience_s", [None, 90.0])
def test_a_simulated_line_does_as_the_formula_says(patience_s: float | None) -> None:
    """Calls one by one, by numpy: an outside witness that knows no formula."""
    agents, per_s, handling_s, within_s = 12, 0.1, 100.0, 20.0
    rng = np.random.default_rng(4)
    calls = 400_000
    came = np.cumsum(rng.exponential(1 / per_s, calls))
    lasts = rng.exponential(handling_s, calls)
    stays = rng.exponential(patience_s, calls) if patience_s is not None else np.full(calls, math.inf)
    free = [0.0] * agents
    waits, in_time, gave_up, delayed = [], 0, 0, 0
    for at, last, stay in zip(came, lasts, stays, strict=True):
        wait = max(0.0, free[0] - at)
        delayed += wait > 0
        if wait > stay:
            gave_up += 1
            continue
        heapq.heapreplace(free, at + wait + last)
        waits.append(wait)
        in_time += wait <= within_s
    found = line(agents, per_s=per_s, handling_s=handling_s, within_s=within_s, patience_s=patience_s)
    assert in_time / calls == pytest.approx(found.in_time, abs=0.01)
    assert delayed / calls == pytest.approx(found.delayed, abs=0.01)
    assert gave_up / calls == pytest.approx(found.abandoned, abs=0.005)
    assert np.mean(waits) == pytest.approx(found.mean_answer_s, rel=0.1)


@pytest.mark.parametrize(("agents", "erlangs"), [(10, 15.0), (1000, 1200.0), (1000, 900.0), (50, 50.0), (3, 0.5)])
def test_erlang_a_is_what_its_states_add_up_to(agents: int, erlangs: float) -> None:
    """The birth and death chain itself, state by state, with 300 s of work and 60 s of patience."""
    weights = [1.0]
    for k in range(agents + 3_000):
        rate = min(k + 1, agents) / 300 + max(0, k + 1 - agents) / 60
        weights.append(weights[-1] * (erlangs / 300) / rate)
        if weights[-1] > 1e200:
            weights = [each * 1e-200 for each in weights]
    total = math.fsum(weights)
    queue = math.fsum((k - agents) * w for k, w in enumerate(weights) if k > agents) / total
    found = line(agents, per_s=erlangs / 300, handling_s=300, within_s=10, patience_s=60)
    assert found.delayed == pytest.approx(math.fsum(weights[agents:]) / total, abs=1e-9)
    assert found.abandoned == pytest.approx(queue / 60 / (erlangs / 300), abs=1e-9)


@given(st.integers(1, 1_000), st.floats(0.01, 1_200), st.floats(1, 600))
def test_one_agent_more_never_answers_later(agents: int, erlangs: float, patience_s: float) -> None:
    for patience in (None, patience_s):
        few, more = (
            line(n, per_s=erlangs / 300, handling_s=300, within_s=10, patience_s=patience) for n in (agents, agents + 1)
        )
        assert few.in_time <= more.in_time + 1e-9
        assert few.delayed >= more.delayed - 1e-9
        assert few.abandoned >= more.abandoned - 1e-9
        for each in (few, more):
            assert all(
                0 <= share <= 1 + 1e-12 for share in (each.in_time, each.delayed, each.abandoned, each.occupancy)
            )


@given(st.integers(1, 300), st.floats(0.01, 0.99))
def test_callers_who_wait_almost_for_ever_are_erlang_c_s(agents: int, busy: float) -> None:
    patient = line(agents, per_s=agents * busy / 100, handling_s=100, within_s=10, patience_s=2_600_000)
    assert patient.delayed == pytest.approx(erlang_c(agents, agents * busy), abs=2e-2)


def test_what_can_t_be_is_told() -> None:
    with pytest.raises(StaffingError, match="share"):
        Demand(100, 3600, 300, 10, 1.0)
    with pytest.raises(StaffingError, match="more than 10000 agents"):
        needed(Demand(50_000, 1_000, 1_000, 10, 0.9))
    with pytest.raises(StaffingError, match="shrinkage"):
        rostered(10, 1.0)
    assert rostered(27, 0.3) == 39
