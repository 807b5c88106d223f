"""Whether a meeting was stable: who was dropped, and what its media were each time that they were sampled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

WORST_SHOWN: Final = 10
"""Findings that a summary names; the others are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What each sample must keep to."""

    delay_ms: float
    """One way, mouth to ear, milliseconds; at most."""
    loss_share: float
    """Packets that were missing, percent; at most."""
    correlation: float = 0.8
    """How like what was said what was heard must be, 0 to 1; at least."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one party heard of another for a few seconds."""

    at: float
    """Run time at which the other began to speak, seconds."""
    mouth: str
    ear: str
    correlation: float
    """Of what was said and heard, 0 to 1."""
    delay_ms: float | None
    """One way; None where what was said was not heard."""
    loss_share: float
    """Packets that were missing of those that the ear was sent, percent."""
    due: bool = True
    """Whether it was to be heard; an attendee of a webinar is not."""
    problem: str = ""
    """Why there was nothing to listen to."""

    def findings(self, limits: Limits) -> list[str]:
        """What was not as due, in words."""
        which = f"{self.at:.0f} s: {self.ear} of {self.mouth}"
        if self.problem:
            return [f"{which}: {self.problem}"]
        if not self.due:
            return [f"{which}: heard, and is not to be"] if self.correlation >= limits.correlation else []
        found = []
        if self.correlation < limits.correlation or self.delay_ms is None:
            found.append(f"{which}: not heard, correlation {self.correlation:.2f}")
        elif self.delay_ms > limits.delay_ms:
            found.append(f"{which}: {self.delay_ms:.0f} ms late, {limits.delay_ms:g} at most")
        if self.loss_share > limits.loss_share:
            found.append(f"{which}: {self.loss_share:.1f} % lost, {limits.loss_share:g} at most")
        return found


@dataclass(frozen=True, slots=True)
class Presence:
    """How one party was there."""

    party: str
    joined: bool
    drops: Sequence[tuple[float, str, float | None]] = ()
    """Run time, reason, and run time at which they were back, None where they were not."""

    def findings(self) -> list[str]:
        """What was not as due, in words."""
        if not self.joined:
            return [f"{self.party} did not get in"]
        return [
            f"{at:.0f} s: {self.party} was dropped ({reason or 'no reason given'}), "
            + ("not back" if again is None else f"back {again - at:.0f} s later")
            for at, reason, again in self.drops
        ]


@dataclass(frozen=True, slots=True)
class Stability:
    """A meeting from when all were in until its end."""

    lasted_s: float
    presences: Sequence[Presence]
    samples: Sequence[Sample]
    counted: Sequence[tuple[float, int]]
    """Run time, and how many the service said were in it."""

    @property
    def drops(self) -> int:
        """Times that somebody was dropped."""
        return sum(len(each.drops) for each in self.presences)

    @property
    def rejoined(self) -> int:
        """Of these, times that they were in again afterwards."""
        return sum(again is not None for each in self.presences for _, _, again in each.drops)

    @property
    def sampled(self) -> int:
        """Parties who were listened to, or listened, at least once."""
        return len({name for each in self.samples for name in (each.mouth, each.ear)})

    @property
    def worst_delay_ms(self) -> float | None:
        """Of what was heard; None where nothing was."""
        return max((each.delay_ms for each in self.samples if each.delay_ms is not None and each.due), default=None)

    @property
    def worst_loss_share(self) -> float:
        """Percent, of one sample."""
        return max((each.loss_share for each in self.samples if each.due), default=0.0)

    def findings(self, limits: Limits) -> list[str]:
        """All that was not as due, in words; empty where it was stable."""
        everybody = len(self.presences)
        found = [line for each in self.presences for line in each.findings()]
        found += [line for each in self.samples for line in each.findings(limits)]
        found += [
            f"{at:.0f} s: the service says that {count} are in, and {everybody} are to be"
            for at, count in self.counted
            if count != everybody
        ]
        if not any(each.due for each in self.samples):
            found.append("no media were sampled")
        return found

    def shown(self) -> dict[str, Any]:
        """As the journal has it."""
        delay = self.worst_delay_ms
        return {
            "parties": len(self.presences),
            "lasted_s": round(self.lasted_s, 3),
            "drops": self.drops,
            "rejoined": self.rejoined,
            "samples": len(self.samples),
            "sampled_parties": self.sampled,
            "worst_delay_ms": None if delay is None else round(delay, 3),
            "worst_loss_share": round(self.worst_loss_share, 3),
        }


def told(findings: Iterable[str]) -> str:
    """Findings as an error names them."""
    lines = list(findings)
    more = len(lines) - WORST_SHOWN
    return "; ".join(lines[:WORST_SHOWN]) + (f"; and {more} more" if more > 0 else "")
