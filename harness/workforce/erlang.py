"""Waiting lines by Erlang's formulas: calls that come by chance, exponential times, callers with patience or without.

Theory. Offered load a = arrivals times handling time, in erlangs; n agents; mu = 1 / handling time, per agent. Erlang B
is reckoned by its recursion B(k) = a·B(k-1) / (k + a·B(k-1)), which never leaves 0 to 1, however many agents there are
(A. K. Erlang 1917; ITU-D Teletraffic Engineering Handbook, section 7.3). Erlang C, M/M/n, has callers who wait for ever
and needs a < n: C = n·B / (n - a·(1 - B)), P(W > t) = C·exp(-(n - a)·mu·t).

Erlang A, M/M/n+M (C. Palm 1946; Garnett, Mandelbaum, Reiman 2002), has callers who hang up after an exponential time of
mean 1/theta. A caller who finds all agents taken and j callers waiting gets to the front after a sum of j + 1
exponential times of rates n·mu, n·mu + theta … n·mu + j·theta, which has a closed density. Summed over j, weighted with
how often each j is met, the wait that is offered to a caller has, beside its atom at 0, the density

    g(x) = pi(n) · n·mu · exp(h(x)),   h(x) = -n·mu·x + (lambda/theta)·(1 - exp(-theta·x))

(Baccelli and Hebuterne 1981). pi(n), all agents busy and nobody waiting, is 1 / (1/B - 1 + n·mu·∫exp(h)) by the same
recursion. h is concave, so its integral is had by Gauss's rule on pieces about the peak, with exp(max h) taken out of
it: nothing overflows, with 1,000 agents or with ten times the calls that they can take.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harness.errors import StaffingError

MAX_AGENTS: Final = 10_000
MAX_ERLANGS: Final = 100_000.0
LONGEST_S: Final = 31 * 86_400.0
"""A handling time, patience or wait, at most."""
SHORTEST_S: Final = 0.001
_NEGLIGIBLE: Final = 60.0
"""exp(-60) of the peak adds nothing to a double."""
_PIECES: Final = 256
_POINTS: Final = 16

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Line:
    """How a waiting line does; shares from 0 to 1, times in seconds."""

    agents: int
    erlangs: float
    """Offered load."""
    delayed: float
    """Share of calls that find every agent taken."""
    in_time: float
    """Share of all calls offered that are answered within the time asked for."""
    mean_answer_s: float
    """Mean wait of those who are answered; infinite where a line without patience grows for ever."""
    abandoned: float
    """Share of calls whose callers hang up; 0 without patience."""
    occupancy: float
    """Share of their time for which agents are with a caller."""


def erlang_b(agents: int, erlangs: float) -> float:
    """Return the share of calls lost by `agents` lines that let nobody wait. Raises StaffingError."""
    _check(agents, erlangs)
    blocked = 1.0
    for k in range(1, agents + 1):
        blocked = erlangs * blocked / (k + erlangs * blocked)
    return blocked


def erlang_c(agents: int, erlangs: float) -> float:
    """Return the share of calls that have to wait for one of `agents`, 1 where they can't keep up.

    Raises StaffingError.
    """
    blocked = erlang_b(agents, erlangs)
    if erlangs >= agents:
        return 1.0
    return agents * blocked / (agents - erlangs * (1 - blocked))


def line(agents: int, *, per_s: float, handling_s: float, within_s: float, patience_s: float | None = None) -> Line:
    """Return how `agents` do with calls that come `per_s` times a second and take `handling_s` each.

    `within_s`: the time that `Line.in_time` is about. `patience_s`: after what mean time waiting callers hang up; None:
    never, and the formula is Erlang C's. Raises StaffingError for what is out of bounds.
    """
    for what, seconds in (("handling time", handling_s), ("patience", patience_s)):
        if seconds is not None and not SHORTEST_S <= seconds <= LONGEST_S:
            raise StaffingError(f"a {what} is {SHORTEST_S:g} to {LONGEST_S:g} s, not {seconds:g}")
    if not 0 <= within_s <= LONGEST_S:
        raise StaffingError(f"a time to answer is 0 to {LONGEST_S:g} s, not {within_s:g}")
    if not per_s >= 0:
        raise StaffingError(f"calls come 0 times a second or more often, not {per_s:g}")
    erlangs = per_s * handling_s
    _check(agents, erlangs)
    if erlangs == 0:
        return Line(agents, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
    if agents == 0:
        lost = 0.0 if patience_s is None else 1.0
        return Line(0, erlangs, 1.0, 0.0, math.inf, lost, 0.0)
    if patience_s is None:
        return _without_patience(agents, erlangs, handling_s, within_s)
    return _with_patience(agents, erlangs, handling_s, within_s, patience_s)


def _without_patience(agents: int, erlangs: float, handling_s: float, within_s: float) -> Line:
    waits = erlang_c(agents, erlangs)
    if erlangs >= agents:
        return Line(agents, erlangs, 1.0, 0.0, math.inf, 0.0, 1.0)
    spare = agents - erlangs
    in_time = 1 - waits * math.exp(-spare * within_s / handling_s)
    return Line(agents, erlangs, waits, in_time, waits * handling_s / spare, 0.0, erlangs / agents)


def _with_patience(agents: int, erlangs: float, handling_s: float, within_s: float, patience_s: float) -> Line:
    # Time is counted in handling times from here on: mu = 1, lambda = erlangs.
    theta = handling_s / patience_s
    peak_at = max(0.0, math.log(erlangs / agents) / theta) if erlangs > agents else 0.0
    peak = float(_exponent(np.array([peak_at]), agents, erlangs, theta)[0])
    end = _where_negligible(agents, erlangs, theta, peak_at, peak)
    x, weight = _nodes(0.0, end, peak_at)
    offered = weight * np.exp(_exponent(x, agents, erlangs, theta) - peak)
    stays = np.exp(-theta * x)
    mass, served = float(offered.sum()), float((offered * stays).sum())
    waited = float((offered * stays * x).sum())
    early = 0.0
    if within_s > 0:
        until = min(end, within_s / handling_s)
        x, weight = _nodes(0.0, until, min(peak_at, until))
        early = float((weight * np.exp(_exponent(x, agents, erlangs, theta) - peak - theta * x)).sum())
    free, waits = _shares(agents, erlangs, math.log(agents) + peak + math.log(mass))
    answered = free + waits * served / mass
    abandoned = waits * (1 - served / mass)
    return Line(
        agents,
        erlangs,
        waits,
        min(1.0, free + waits * early / mass),
        handling_s * waits * (waited / mass) / answered,
        abandoned,
        min(1.0, erlangs * answered / agents),
    )


def _exponent(x: Floats, agents: int, erlangs: float, theta: float) -> Floats:
    """h(x), with times counted in handling times."""
    return -agents * x - (erlangs / theta) * np.expm1(-theta * x)


def _where_negligible(agents: int, erlangs: float, theta: float, peak_at: float, peak: float) -> float:
    """Where, past its peak, exp(h) adds no more: found by doubling, for h falls faster the farther it is."""
    step = 1.0 / agents
    while peak - float(_exponent(np.array([peak_at + step]), agents, erlangs, theta)[0]) < _NEGLIGIBLE:
        step *= 2
    return peak_at + step


@cache
def _gauss() -> tuple[Floats, Floats]:
    points, weights = np.polynomial.legendre.leggauss(_POINTS)
    return np.asarray(points), np.asarray(weights)


def _nodes(start: float, end: float, about: float) -> tuple[Floats, Floats]:
    """Gauss's nodes and weights on pieces of `start` to `end` that begin and end at `about`."""
    sides = [side for side in ((start, about), (about, end)) if side[1] > side[0]]
    edges = np.concatenate([np.linspace(low, high, _PIECES + 1)[:-1] for low, high in sides] + [np.array([end])])
    half = np.diff(edges)[:, None] / 2
    points, weights = _gauss()
    return (edges[:-1, None] + half * (points + 1)).ravel(), (half * weights).ravel()


def _shares(agents: int, erlangs: float, log_delayed: float) -> tuple[float, float]:
    """Shares of calls that find an agent free, and that don't; `log_delayed`: of the second's weight, pi(n) being 1.

    The first's weight is 1/B - 1: B(n) = a·B(n-1) / (n + a·B(n-1)), so that (1 - B)/B = n / (a·B(n-1)).
    """
    before = erlang_b(agents - 1, erlangs)
    if before == 0:  # so many agents that a double has no number for all of them being taken
        return 1.0, 0.0
    ratio = math.log(agents) - math.log(erlangs) - math.log(before) - log_delayed
    if ratio > 700:
        return 1.0, 0.0
    waits = 1 / (1 + math.exp(ratio))
    return 1 - waits, waits


def _check(agents: int, erlangs: float) -> None:
    if not 0 <= agents <= MAX_AGENTS:
        raise StaffingError(f"there are 0 to {MAX_AGENTS} agents, not {agents}")
    if not 0 <= erlangs <= MAX_ERLANGS:
        raise StaffingError(f"a load is 0 to {MAX_ERLANGS:g} erlangs, not {erlangs:g}")
