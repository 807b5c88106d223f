"""Whether clocks agree: each one's skew against a reference, with what is not known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.errors import LocalError
from harness.protocols.sntp import Sample


@dataclass(frozen=True, slots=True)
class Skew:
    """One clock against the reference, in milliseconds."""

    node: str
    skew_ms: float
    """How far it is ahead; below 0: behind."""
    uncertainty_ms: float

    @property
    def worst_ms(self) -> float:
        """The farthest off that it can be."""
        return abs(self.skew_ms) + self.uncertainty_ms

    @property
    def least_ms(self) -> float:
        """The least that it is off."""
        return max(abs(self.skew_ms) - self.uncertainty_ms, 0.0)

    def told(self) -> str:
        """Return it in words."""
        way = "ahead" if self.skew_ms >= 0 else "behind"
        return f"{self.node} {abs(self.skew_ms):.1f} ± {self.uncertainty_ms:.1f} ms {way}"


def skews(readings: Mapping[str, Sample], *, reference: str | None = None) -> list[Skew]:
    """Return each clock's skew, the most wrong first, against ``reference``, or the measuring side where it is None.

    Against a reference both readings' uncertainties add up. Raises LocalError where the reference was not read.
    """
    zero_s = unsure_s = 0.0
    if reference is not None:
        if reference not in readings:
            raise LocalError(f"the reference clock {reference!r} was not read; {', '.join(readings)} were")
        zero_s, unsure_s = readings[reference].offset_s, readings[reference].uncertainty_s
    found = [
        Skew(node, (each.offset_s - zero_s) * 1000, (each.uncertainty_s + unsure_s) * 1000)
        for node, each in readings.items()
        if node != reference
    ]
    return sorted(found, key=lambda each: -abs(each.skew_ms))
