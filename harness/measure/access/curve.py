"""The access curve: how much of a word is understood, by how long before it push-to-talk was pressed; and its fit.

Theory (NISTIR 8275). A message holds the same word twice. Push-to-talk is pressed `t` seconds before the first, P1;
what is understood of it rises along a logistic from nothing, when the path was not up in time, to what is understood of
P2, spoken when it surely was:

    I(t) = I0 / (1 + exp((t - t0) / lambda)),    lambda < 0 where `t` counts the lead before the word,

and the access time for a share `alpha` of I0 is where the curve reaches it:

    tau(alpha) = t0 + lambda ln((1 - alpha) / alpha).

A table may give the press as a moment of the clip instead; then intelligibility falls with it, lambda > 0, and
tau is the latest such moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harness.errors import LocalError

LEAST_TRIALS: Final = 8
"""With fewer there is no interval worth the name."""
MOST_TRIALS: Final = 100_000
LEAST_SWING: Final = 0.2
"""Share of I0 by which P1 must differ between the least and the most favourable presses for a slope to be there."""
ALPHA: Final = 0.9
"""The share of I0 asked for where nothing else is said."""
LEVEL: Final = 0.95
"""Confidence of intervals."""
STEEPEST_S: Final = 1e-4
"""The least |lambda|: no press is timed finer."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One message."""

    ptt_s: float
    """When push-to-talk was pressed, in seconds: the lead before P1, or the moment in the clip."""
    p1: float
    """Intelligibility of the word that was spoken so soon after, 0-1."""
    p2: float | None = None
    """Intelligibility of the same word spoken later, 0-1; None: not scored."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and where it lies with a given confidence."""

    value: float
    low: float
    high: float
    level: float = LEVEL

    @property
    def half_width(self) -> float:
        """Half of what lies between the bounds."""
        return (self.high - self.low) / 2


@dataclass(frozen=True, slots=True)
class AccessCurve:
    """A fitted curve; the formulas are the module's."""

    i0: float
    t0_s: float
    lambda_s: float
    covariance: tuple[tuple[float, float], tuple[float, float]]
    """Of t0 and lambda, seconds squared, whatever the scatter of trials may depend on."""
    trials: int

    def intelligibility(self, ptt_s: float) -> float:
        """I at a press."""
        return self.i0 * _share(ptt_s, self.t0_s, self.lambda_s)

    def tau(self, alpha: float = ALPHA, level: float = LEVEL) -> Interval:
        """The access time for `alpha` of I0, in seconds, with its interval (delta method, Student's t).

        Raises LocalError when `alpha` or `level` is not between 0 and 1.
        """
        if not 0 < alpha < 1 or not 0 < level < 1:
            raise LocalError(f"alpha {alpha} and confidence {level} must lie between 0 and 1, without either")
        from scipy.stats import t as student  # noqa: PLC0415 - takes half a second to import

        slope = log((1 - alpha) / alpha)
        value = self.t0_s + self.lambda_s * slope
        (tt, tl), (_, ll) = self.covariance
        spread = sqrt(max(0.0, tt + 2 * slope * tl + slope * slope * ll))
        reach = float(student.ppf((1 + level) / 2, self.trials - 2)) * spread
        return Interval(value, value - reach, value + reach, level)


def _share(t: float, t0: float, lam: float) -> float:
    return 1 / (1 + exp(min(700.0, max(-700.0, (t - t0) / lam))))


def _shares(t: NDArray[np.float64], t0: float, lam: float) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(np.clip((t - t0) / lam, -700, 700))), np.float64)


def fit(trials: Sequence[Trial]) -> AccessCurve:
    """Fit the curve by least squares: I0 is the mean of P2 (fitted too, where no P2 was scored).

    The covariance is the sandwich estimator (HC3), for the scatter is large on the slope and none at its ends. Raises
    LocalError, saying what to press next, where there is no slope to fit.
    """
    if not LEAST_TRIALS <= len(trials) <= MOST_TRIALS:
        raise LocalError(f"{len(trials)} trials: a curve needs {LEAST_TRIALS} to {MOST_TRIALS}")
    t = np.array([each.ptt_s for each in trials])
    p1 = np.array([each.p1 for each in trials])
    known = [each.p2 for each in trials if each.p2 is not None]
    rises = _rises(t, p1)
    quarter = max(1, len(t) // 4)
    order = np.argsort(t if rises else -t, kind="stable")
    worst, best = float(p1[order[:quarter]].mean()), float(p1[order[-quarter:]].mean())
    i0 = float(np.mean(known)) if known else best
    if i0 <= 0:
        raise LocalError("the word was never understood, not even at P2: there is no path to time")
    if best - worst < LEAST_SWING * i0:
        raise LocalError(
            f"P1 is understood at {worst:.2f} to {best:.2f} over all presses from {t.min():g} to {t.max():g} s: "
            "there is no slope to fit; press earlier and later before the word"
        )
    t0, lam, i0 = _solve(t, p1, i0, rises=rises, i0_known=bool(known))
    if not t.min() <= t0 <= t.max():
        raise LocalError(
            f"the middle of the slope, {t0:.3f} s, lies outside the presses ({t.min():g} to {t.max():g} s): press there"
        )
    if abs(lam) <= STEEPEST_S * 1.01:
        below, above = float(t[t <= t0].max()), float(t[t >= t0].min())
        raise LocalError(f"no press lies on the slope between {below:g} and {above:g} s; press there, more finely")
    return AccessCurve(i0, t0, lam, _covariance(t, p1, i0, t0, lam), len(trials))


def _rises(t: NDArray[np.float64], p1: NDArray[np.float64]) -> bool:
    return float(np.dot(t - t.mean(), p1 - p1.mean())) >= 0


def _solve(
    t: NDArray[np.float64], p1: NDArray[np.float64], i0: float, *, rises: bool, i0_known: bool
) -> tuple[float, float, float]:
    """t0, lambda and I0 of least squares, from several beginnings, as a steep curve has flat places."""
    from scipy.optimize import least_squares  # noqa: PLC0415 - takes half a second to import

    span = float(t.max() - t.min())
    sign = -1.0 if rises else 1.0

    def wrong(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((i0 if i0_known else x[2]) * _shares(t, x[0], sign * np.exp(x[1])) - p1, np.float64)

    # where the running mean crosses the middle
    order = np.argsort(t, kind="stable")
    cut = int(np.argmin(_split_errors(p1[order], i0, rises=rises))) + 1
    middle = float(t[order][cut - 1] + t[order][cut]) / 2
    low, high = log(STEEPEST_S), log(max(span, 2 * STEEPEST_S))
    best = None
    for lam in (span / 100, span / 30, span / 8):
        start = [middle, min(high - 1e-9, max(low + 1e-9, log(lam)))]
        bounds = ([t.min() - span, low], [t.max() + span, high])
        if not i0_known:
            start, bounds = [*start, i0], ([*bounds[0], 0.0], [*bounds[1], 1.0 + 1e-9])
        found = least_squares(wrong, start, bounds=bounds, x_scale=[span, 1.0, 1.0][: len(start)])
        if best is None or found.cost < best.cost:
            best = found
    assert best is not None
    return float(best.x[0]), sign * exp(float(best.x[1])), i0 if i0_known else float(best.x[2])


def _split_errors(p1: NDArray[np.float64], i0: float, *, rises: bool) -> NDArray[np.float64]:
    """What a step before index 1, 2 … leaves of the squares."""
    before, after = (0.0, i0) if rises else (i0, 0.0)
    left = np.cumsum((p1 - before) ** 2)[:-1]
    right = np.cumsum((p1[::-1] - after) ** 2)[::-1][1:]
    return left + right


def _covariance(
    t: NDArray[np.float64], p1: NDArray[np.float64], i0: float, t0: float, lam: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    share = _shares(t, t0, lam)
    steep = i0 * share * (1 - share)
    by = np.stack([steep / lam, steep * (t - t0) / lam**2], axis=1)
    bread = np.linalg.pinv(by.T @ by)
    leverage = np.clip(np.einsum("ij,jk,ik->i", by, bread, by), 0, 0.99)
    wrong = (i0 * share - p1) / (1 - leverage)
    meat = by.T @ (by * wrong[:, None] ** 2)
    sandwich = bread @ meat @ bread
    off = float(sandwich[0, 1])
    return (float(sandwich[0, 0]), off), (off, float(sandwich[1, 1]))
