"""How many agents a load needs: the fewest with whom the share that is asked for is answered in time."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import StaffingError
from harness.workforce.erlang import MAX_AGENTS, Line, line


@dataclass(frozen=True, slots=True)
class Demand:
    """What comes, and what is asked of those who answer."""

    calls: float
    """Calls of one period."""
    period_s: float
    handling_s: float
    """Mean time that a call takes an agent, writing up included."""
    within_s: float
    share: float
    """Share of calls to be answered within that time, above 0 and below 1."""
    patience_s: float | None = None
    """Mean time after which waiting callers hang up; None: never."""

    def __post_init__(self) -> None:
        """Raise StaffingError for what can't be."""
        if not 0 < self.share < 1:
            raise StaffingError(
                f"a share to answer lies between 0 and 1, not {self.share:g}: with all of them in time "
                "no number of agents is sure"
            )
        if not 0 < self.period_s <= 366 * 86_400 or self.calls < 0:
            raise StaffingError("calls are 0 or more, of a period above 0 s and of a year at most")

    @property
    def erlangs(self) -> float:
        """The load."""
        return self.calls * self.handling_s / self.period_s

    def met_by(self, agents: int) -> Line:
        """Return how so many agents do. Raises StaffingError."""
        return line(
            agents,
            per_s=self.calls / self.period_s,
            handling_s=self.handling_s,
            within_s=self.within_s,
            patience_s=self.patience_s,
        )


def needed(demand: Demand) -> Line:
    """Return how the fewest agents do who keep to the share: found by halving, for more agents never answer later.

    Raises StaffingError where MAX_AGENTS do not.
    """
    low, high = 0, max(1, min(MAX_AGENTS, int(demand.erlangs) + 1))
    while demand.met_by(high).in_time < demand.share:
        if high == MAX_AGENTS:
            raise StaffingError(f"{demand.erlangs:.0f} erlangs need more than {MAX_AGENTS} agents")
        low, high = high, min(MAX_AGENTS, 2 * high)
    while low < high:
        middle = (low + high) // 2
        if demand.met_by(middle).in_time < demand.share:
            low = middle + 1
        else:
            high = middle
    return demand.met_by(high)


def rostered(agents: int, shrinkage: float) -> int:
    """Return how many are to be rostered for `agents` to be at their positions.

    `shrinkage`: share of paid time away from them (leave, sickness, training, meals), 0 to below 1. Raises
    StaffingError.
    """
    if not 0 <= shrinkage < 1:
        raise StaffingError(f"shrinkage is a share from 0 to below 1, not {shrinkage:g}")
    return -int(-(agents / (1 - shrinkage)) // 1)
