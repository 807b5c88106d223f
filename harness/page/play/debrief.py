"""What a playing came to: the attempt that is kept, and what can be heard of it again."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from harness.errors import PageError
from harness.journal import Journal
from harness.page.contract import Attempt, Attempts, Ended, Marked, Person
from harness.page.play.sound import A_LAW
from harness.page.play.turns import Turns
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.scenario.player import SOURCE
from harness.scenario.result import Result, StepResult

if TYPE_CHECKING:
    from harness.page.play.session import Chosen

MAX_EVENTS: Final = 2_000
"""Events of the seat and of the scenario that an attempt keeps; the debrief says where there were more."""
MAX_TOLD: Final = 400
"""Characters of a step's or an event's text."""
_LEFT_OUT: Final = frozenset({"step.began", "step.ended", "media.closed", "playout.ended", "rtp.first_packet"})


def attempt_of(
    chosen: Chosen,
    result: Result,
    turns: Turns,
    journal: Journal,
    component: str,
    *,
    began_at: float,
    began: float,
    speeds: Sequence[float],
    why: str,
) -> Attempt:
    """Return the attempt, for `Attempts.keep`.

    ``component``: the seat's. ``began_at``: seconds since the epoch; ``began``: run time. ``speeds``: of the scenario's
    clock, that were used. ``why`` it ended early, if it did.
    """
    ended: dict[str, Ended] = {"passed": "passed", "failed": "failed", "interrupted": "abandoned"}
    score = result.scores[chosen.seat]
    events, more = _events(journal, component, began)
    took = round(journal.now() - began, 3)
    starts = {
        event.data["step"]: event.time - began
        for event in journal
        if event.source == SOURCE and event.kind == "step.began"
    }
    return Attempt(
        scenario=chosen.scenario.id,
        digest=chosen.digest,
        build=chosen.build,
        seat=chosen.seat,
        ended=ended[result.outcome],
        began_at=began_at,
        took_s=took,
        percent=score.percent,
        steps=tuple(_marked(each, starts.get(each.number, took)) for each in result.steps),
        thrive=dict(turns.thrive),
        detail={
            "title": chosen.scenario.title,
            "learning": list(chosen.scenario.learning),
            "score": {"on_time": score.on_time, "late": score.late, "missed": score.missed, "steps": score.steps},
            "reached": len(result.steps),
            "planned": result.planned,
            "why": why[:MAX_TOLD],
            "speeds": list(speeds),
            "events": events,
            "more_events": more,
        },
    )


def _marked(step: StepResult, began_s: float) -> Marked:
    """``began_s``: when it began by the clock of what was heard and seen, whose moments can be replayed."""
    return Marked(
        told=step.told[:MAX_TOLD],
        done=step.done,
        began_s=round(began_s, 3),
        took_s=round(step.took, 3),
        due_s=step.due_s,
        reason=step.reason[:MAX_TOLD],
    )


def _events(journal: Journal, component: str, began: float) -> tuple[list[dict[str, Any]], int]:
    """What the seat's console showed and what was done there, in order; and how many more there were."""
    found = [
        event for event in journal if event.time >= began and event.source == component and event.kind not in _LEFT_OUT
    ]
    rows = [
        {
            "at": round(event.time - began, 3),
            "kind": event.kind,
            "told": " ".join(f"{key}={value}" for key, value in event.data.items())[:MAX_TOLD],
        }
        for event in found[:MAX_EVENTS]
    ]
    return rows, len(found) - len(rows)


@dataclass(slots=True)
class Kept:
    """An attempt and what was heard in it; held here until it is stored."""

    attempt: Attempt
    began: float
    """Run time at which the scenario began."""
    heard_from: float
    """Run time of the first sample."""
    heard: bytes
    """8 kHz A-law, a byte a sample."""
    number: int | None = None
    """Under which it is stored."""
    unkept: str = ""
    """Why it is not stored yet."""
    _keeping: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def keep(self, attempts: Attempts, person: Person) -> None:
        """Store it; where that fails it is held, with the reason in `unkept`. Once stored, nothing is done."""
        async with self._keeping:  # whoever asks twice has it stored once
            if self.number is not None:
                return
            try:
                self.number = await attempts.keep(person, self.attempt)
            except (PageError, OSError) as error:
                self.unkept = str(error) or type(error).__name__
            else:
                self.unkept = ""

    def wav(self, at: float) -> bytes:
        """What was heard from ``at`` seconds of the scenario on, as a WAV file (8 kHz, 16 bits)."""
        first = max(0, round((self.began + at - self.heard_from) * SAMPLE_RATE))
        return as_wav(A_LAW.decode(self.heard[first:]))


def as_wav(samples: Samples) -> bytes:
    """Return speech as a WAV file (8 kHz, 16 bits)."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(SAMPLE_RATE)
        writer.writeframes(samples.astype(np.dtype("<i2")).tobytes())
    return file.getvalue()
