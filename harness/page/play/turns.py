"""Whose turn it is: the step that waits for the person, its window, and what became of the steps before."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Final

from harness.page.play.acts import THRIVE
from harness.scenario.model import DEFAULT_PERSON_S, Scenario, Step, told_acts
from harness.scenario.names import refers
from harness.scenario.result import StepResult

MAX_SHOWN: Final = 60
"""Steps that are shown while it is played; the debrief has all."""
PHRASES: Final = {"call_taker": "call-taker"}
"""What is said by a seat that is called so where no step tells; any other says `OTHERWISE`."""
OTHERWISE: Final = "dispatch"


@dataclass(slots=True)
class Turn:
    """What waits for the person."""

    told: str
    hint: str
    due_s: float
    began: float
    """Run time, seconds."""
    late: bool = False


class Turns:
    """The steps of one playing, as the person in the seat is shown them."""

    def __init__(self, scenario: Scenario, seat: str) -> None:
        self._seat = seat
        self.turn: Turn | None = None
        self.thrive = dict.fromkeys(thrive_due(scenario, seat), False)
        """The THRIVE factors that are due, and whether the person recorded each."""
        self._planned = len(scenario.timeline) + len(scenario.outcome)
        self._reached = 0
        self._watching = ""
        self._phrase = PHRASES.get(seat, OTHERWISE)
        self._said_now: str | None = None
        self._ended: deque[dict[str, Any]] = deque(maxlen=MAX_SHOWN)

    @property
    def phrase(self) -> str:
        """The clip that is said for the person now."""
        return self._said_now or self._phrase

    def begins(self, step: Step, told: str, now: float) -> Turn | None:
        """A step begins; return the person's turn where it is theirs."""
        self._watching = told
        self._said_now = None
        acts = step.acts.get(self._seat)
        if acts is None:
            self.turn = None
            return None
        clip = acts.get("say") or acts.get("begin_saying")
        self._said_now = clip if isinstance(clip, str) and not refers(clip) else None
        mine = next((part for part in told.split("; ") if part.startswith(f"{self._seat}: ")), told_acts(acts))
        due = DEFAULT_PERSON_S if step.within is None else step.within
        self.turn = Turn(mine.removeprefix(f"{self._seat}: "), step.hint or "", due, now)
        return self.turn

    def ended(self, result: StepResult) -> None:
        """A step ended."""
        self._reached = max(self._reached, result.number)
        if result.person == self._seat:
            self.turn = None
        row = {"number": result.number, "told": result.told, "done": result.done, "began": result.began}
        row |= {"took": result.took, "due": result.due_s, "reason": result.reason, "mine": result.person == self._seat}
        self._ended.append(row)

    def over(self) -> None:
        """It is over: nothing waits any more."""
        self.turn, self._watching = None, ""

    def recorded(self, factor: str) -> None:
        """The person recorded a THRIVE factor."""
        if factor in self.thrive:
            self.thrive[factor] = True

    def shown(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        turn = self.turn
        return {
            "turn": None
            if turn is None
            else {"told": turn.told, "hint": turn.hint, "due": turn.due_s, "began": turn.began, "late": turn.late},
            "watching": self._watching,
            "steps": list(self._ended),
            "reached": self._reached,
            "planned": self._planned,
            "thrive": dict(self.thrive),
        }


def thrive_due(scenario: Scenario, seat: str) -> list[str]:
    """The factors of THRIVE, and the rationale, that a scenario's seat is to record."""
    asked = [step.acts.get(seat, {}).get("assess_incident") or {} for step in scenario.timeline]
    return [factor for factor in THRIVE if any(factor.lower() in each for each in asked)]
