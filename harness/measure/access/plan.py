"""When to press next: a sequential plan that measures an access time with few presses, and stops when it is known.

NIST sweeps the lead in fixed steps, thirty presses at each, and spends most of them where nothing is to be learnt:
4,770 to 11,010 a system (NISTIR 8275). Here a press goes where it tells most. First the slope is bracketed by halving;
then, press by press, the curve is fitted anew and the next lead is the one that lessens the variance of tau(alpha)
most, given all presses so far (a c-optimal design made sequentially), the scatter of a trial being largest in the
middle of the slope.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harness.errors import LocalError
from harness.measure.access.curve import ALPHA, LEVEL, AccessCurve, Interval, Trial, fit

SHARES: Final = (0.05, 0.12, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.88, 0.95)
"""Where on the curve the next press may go, as shares of I0."""
BRACKET_PRESSES: Final = 2
"""At each lead while the slope is being bracketed: one may have been unlucky."""
UNDERSTOOD: Final = 0.5
"""Of I0: above it a lead is too long to be the slope's middle."""
QUIET: Final = 0.02
"""Variance of a trial at the slope's ends, as a share of that in its middle: never quite none."""
LEAST_PRESSES: Final = 40
"""Before which no interval is believed: the first few presses may agree by chance."""
IN_A_ROW: Final = 3
"""Fits that must be narrow enough, so that a lucky one does not end the measurement."""
EXPLORING: Final = 10
"""One press in so many goes to one end of the slope: a wrong first guess is found out."""
FITS: Final = 50
"""A curve is fitted anew when a fiftieth more presses are there: one among hundreds moves it less than chance does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What is to be known, and what may be spent."""

    half_width_s: float = 0.005
    """Half of tau's interval."""
    alpha: float = ALPHA
    level: float = LEVEL
    shortest_s: float = -0.5
    """The least lead tried; negative presses come after the word began."""
    longest_s: float = 2.0
    """The longest; the path must be up by then."""
    resolution_s: float = 0.005
    """How far bracketing goes."""
    most_presses: int = 1_000

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 1 or not 0 < self.level < 1 or self.half_width_s <= 0 or self.resolution_s <= 0:
            raise LocalError("alpha and confidence must lie between 0 and 1, half width and resolution be above 0 s")
        if self.shortest_s >= self.longest_s or self.most_presses < LEAST_PRESSES:
            raise LocalError(
                f"leads of {self.shortest_s} to {self.longest_s} s and {self.most_presses} presses: the first must be "
                f"the shorter, and {LEAST_PRESSES} presses are the least"
            )


class AccessPlan:
    """Ask `next_lead`, press, score, `tell`; until `done`."""

    def __init__(self, aim: Aim | None = None, *, seed: int = 0) -> None:
        """`seed`: of the few draws by which ties are broken and the slope's ends looked at."""
        self.aim = Aim() if aim is None else aim
        self.trials: list[Trial] = []
        self.curve: AccessCurve | None = None
        """The last fit; None while the slope is being bracketed."""
        self._chance = np.random.default_rng(seed)
        self._low, self._high = self.aim.shortest_s, self.aim.longest_s
        self._here: list[float] = []
        self._lead = self._high
        self._narrow = 0

    @property
    def done(self) -> bool:
        """Whether tau is known as well as was aimed for."""
        return self._narrow >= IN_A_ROW

    @property
    def spent(self) -> bool:
        """Whether no press is left."""
        return len(self.trials) >= self.aim.most_presses

    def next_lead(self) -> float:
        """How long before the word to press, seconds. Raises LocalError when the plan is done or spent."""
        if self.done or self.spent:
            raise LocalError("the plan asks for no more presses")
        if self._here or self.curve is None:
            return self._lead
        self._lead = self._most_telling(self.curve)
        return self._lead

    def tell(self, trial: Trial) -> None:
        """Take a trial's result; its `ptt_s` is the lead that really was, its P2 must be scored.

        Raises LocalError when the longest lead is not understood, or the shortest is: the range holds no slope.
        """
        if trial.p2 is None or not 0 <= trial.p1 <= 1 or not 0 <= trial.p2 <= 1:
            raise LocalError("a plan needs P1 and P2 of each trial, both 0 to 1")
        self.trials.append(trial)
        if self.curve is None and self._high - self._low > self.aim.resolution_s:
            self._bracket(trial)
            return
        if self.curve is not None and len(self.trials) % (1 + len(self.trials) // FITS) != 0:
            return
        try:
            self.curve = fit(self.trials)
        except LocalError:
            # the slope is steeper than the presses lie apart, or hidden by chance: look around its middle
            self._lead = float(
                self._chance.uniform(self._low - self.aim.resolution_s, self._high + self.aim.resolution_s)
            )
            self.curve, self._narrow = None, 0
            return
        tau = self.curve.tau(self.aim.alpha, self.aim.level)
        narrow = tau.half_width <= self.aim.half_width_s and len(self.trials) >= LEAST_PRESSES
        self._narrow = self._narrow + 1 if narrow else 0

    def result(self) -> Interval:
        """The access time. Raises LocalError where there is no fit."""
        return fit(self.trials).tau(self.aim.alpha, self.aim.level)

    def _bracket(self, trial: Trial) -> None:
        self._here.append(trial.p1)
        if len(self._here) < BRACKET_PRESSES:
            return
        i0 = float(np.mean([each.p2 for each in self.trials if each.p2 is not None]))
        understood = float(np.mean(self._here)) > UNDERSTOOD * i0
        self._here = []
        if self._lead == self.aim.longest_s:
            if not understood or not i0:
                raise LocalError(
                    f"pressed {self.aim.longest_s:g} s before it, the word is not understood: the path comes up later, "
                    "or not at all"
                )
            self._lead = self.aim.shortest_s
            return
        if self._lead == self.aim.shortest_s:
            if understood:
                raise LocalError(
                    f"pressed {-self.aim.shortest_s:g} s after its beginning, the word is still understood: press later"
                )
        elif understood:
            self._high = self._lead
        else:
            self._low = self._lead
        self._lead = (self._low + self._high) / 2

    def _most_telling(self, curve: AccessCurve) -> float:
        """The lead that lessens the variance of tau most."""
        share = np.array(SHARES)
        leads = curve.t0_s + curve.lambda_s * np.log((1 - share) / share)
        if len(self.trials) % EXPLORING == 0:
            chosen = float(leads[0] if self._chance.random() < 0.5 else leads[-1])
        else:
            so_far = _information(curve, np.array([each.ptt_s for each in self.trials])).sum(axis=0)
            so_far += 1e-9 * np.trace(so_far) * np.eye(2)
            wanted = np.array([1.0, log((1 - self.aim.alpha) / self.aim.alpha)])
            variances = [float(wanted @ np.linalg.solve(so_far + one, wanted)) for one in _information(curve, leads)]
            chosen = float(leads[int(np.argmin(variances))])
        return min(self.aim.longest_s, max(self.aim.shortest_s, chosen))


def _information(curve: AccessCurve, leads: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each lead: what a trial there tells of t0 and lambda, its scatter being that of a share."""
    z = (leads - curve.t0_s) / curve.lambda_s
    share = 1 / (1 + np.exp(np.clip(z, -50, 50)))
    steep = share * (1 - share) / curve.lambda_s
    by = np.stack([steep, steep * z], axis=1)
    variance = share * (1 - share) + QUIET / 4
    return np.asarray(by[:, :, None] * by[:, None, :] / variance[:, None, None], np.float64)
