"""The shape of a load in time: calls that come by chance, more of them in its busiest part, of lengths that vary."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from random import Random

from harness.drivers.call_load import MAX_CALLS, Moment
from harness.errors import DriverError


def moments(
    rng: Random, calls: int, lasts_s: float, *, parts: Sequence[float], mean_hold_s: float
) -> tuple[Moment, ...]:
    """When each of `calls` calls is placed within `lasts_s` seconds, in order, and for how long it is up.

    `parts` share the time out evenly and say how many calls fall into each, in any unit: ``(1, 1, 2, 1)`` has two
    fifths of them in the third quarter. Within a part they come independently of each other, as Poisson's do, given
    their number. How long they last is exponential about the mean, as Erlang's formulas take it. Raises DriverError for
    a load that can't be.
    """
    if not 1 <= calls <= MAX_CALLS or lasts_s <= 0 or mean_hold_s <= 0:
        raise DriverError(f"a load has 1 to {MAX_CALLS} calls, and lasts and holds for more than 0 s")
    if not parts or min(parts) < 0 or not sum(parts):
        raise DriverError(f"the parts of a load are shares of its calls, not {tuple(parts)}")
    up_to = list(accumulate(parts))
    part_s = lasts_s / len(parts)

    def placed() -> float:
        drawn = rng.random() * up_to[-1]
        part = next(number for number, most in enumerate(up_to) if drawn < most)
        return part_s * (part + (drawn - up_to[part] + parts[part]) / parts[part])

    at = sorted(placed() for _ in range(calls))
    return tuple(Moment(each, rng.expovariate(1 / mean_hold_s)) for each in at)
