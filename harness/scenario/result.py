"""What became of a scenario: step by step, with a person's score."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from harness.errors import ExpectationError

Outcome = Literal["passed", "failed", "interrupted"]
Done = Literal["done", "failed", "late", "missed", "unscored"]
"""Of a step; a person's may be late or missed, or of a kind that a console does not show."""
MARKS: Final = {"done": "✓", "failed": "✗", "late": "!", "missed": "✗", "unscored": "·"}


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step."""

    number: int
    """From 1, as played."""
    place: str
    """``file:line``."""
    told: str
    """What it was, as a person reads it."""
    began: float
    """Seconds since the scenario began."""
    took: float
    """Seconds."""
    done: Done
    reason: str = ""
    """Why it was not done as due."""
    person: str | None = None
    """The actor whose seat a person has, where the step was theirs."""
    due_s: float | None = None
    """A person's time for it."""

    def line(self) -> str:
        """Return the step as a line of progress."""
        first = f"{self.began:9.3f} s  {MARKS[self.done]} {self.told}"
        if self.person is not None and self.due_s is not None:
            first += f"  [{self.done}: {self.took:.1f} of {self.due_s:g} s]"
        reason = "\n".join(f"             {line}" for line in self.reason.splitlines())
        return f"{first}\n{reason}" if reason else first

    def as_json(self) -> dict[str, Any]:
        """Return the step as JSON holds it."""
        return {
            "step": self.number,
            "place": self.place,
            "told": self.told,
            "began": round(self.began, 6),
            "took": round(self.took, 6),
            "done": self.done,
            "reason": self.reason,
            "person": self.person,
            "due_s": self.due_s,
        }


@dataclass(frozen=True, slots=True)
class Score:
    """How a person did."""

    steps: int
    on_time: int
    late: int
    missed: int

    @property
    def percent(self) -> float:
        """Steps in time, of all; a late one counts half."""
        return 100.0 * (self.on_time + 0.5 * self.late) / self.steps if self.steps else 0.0

    def __str__(self) -> str:
        """Return the score as a person reads it."""
        return (
            f"{self.percent:.0f} %: {self.on_time} of {self.steps} steps in time, {self.late} late, "
            f"{self.missed} missed"
        )


def score(steps: Iterable[StepResult], actor: str) -> Score:
    """Return how the person in an actor's seat did, so far as a console shows what is done at it."""
    theirs = [step.done for step in steps if step.person == actor and step.done != "unscored"]
    return Score(len(theirs), theirs.count("done"), theirs.count("late"), theirs.count("missed"))


@dataclass(slots=True)
class Result:
    """One playing of a scenario."""

    id: str
    title: str
    planned: int
    """Steps of the timeline and lines of the outcome."""
    outcome: Outcome = "interrupted"
    steps: list[StepResult] = field(default_factory=list)
    seats: tuple[str, ...] = ()

    @property
    def scores(self) -> dict[str, Score]:
        """How each person did, by actor."""
        return {seat: score(self.steps, seat) for seat in self.seats}

    def told(self) -> str:
        """Return the end as a person reads it."""
        lines = [f"{self.id}: {self.outcome}, {len(self.steps)} of {self.planned} steps reached"]
        lines += [f"{seat}: {points}" for seat, points in self.scores.items()]
        return "\n".join(lines)

    def check(self) -> None:
        """Raise ExpectationError, naming the step and why, where it did not pass."""
        if self.outcome == "passed":
            return
        wrong = [step for step in self.steps if step.done in {"failed", "missed"}]
        what = f"{wrong[-1].place}: {wrong[-1].told}\n{wrong[-1].reason}" if wrong else self.told()
        raise ExpectationError(f"{self.id} {self.outcome}: {what}")
