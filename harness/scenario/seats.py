"""A person in an actor's seat: an act is known by what the console shows of it, and timed against its window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from harness.errors import ExpectationError, ScenarioError
from harness.journal import Event
from harness.scenario.actors import ConsoleActor
from harness.scenario.cast import Part
from harness.scenario.model import DEFAULT_PERSON_S, Scenario
from harness.scenario.names import meant
from harness.scenario.result import Done
from harness.scenario.values import reads
from harness.scenario.verbs import Verb
from harness.scenario.verbs.base import Seen
from harness.testbed.components import ConsoleComponent

LATEST_S: Final = 60.0
"""For so long after its time an act is still waited for: it is late then, and missed after."""
SPOKE: Final = Seen("operator.spoke")
"""By this a person's speech is known, where their client tells of it: {clip}, or none for their own voice."""
LETS_GO: Final = Seen("ptt.released")
_SPEAKS: Final = ("say", "begin_saying")


@dataclass(frozen=True, slots=True)
class Acted:
    """What a person did."""

    done: Done
    took: float
    due_s: float
    value: Any = None
    reason: str = ""
    event: Event | None = None
    """By what it was seen."""


def check_seats(scenario: Scenario, seats: tuple[str, ...]) -> None:
    """Raise ScenarioError where a seat is no console's of the scenario."""
    consoles = [name for name, actor in scenario.actors.items() if isinstance(actor, ConsoleActor)]
    for seat in seats:
        if seat not in scenario.actors:
            raise ScenarioError(f"{seat!r} is no actor of {scenario.id}{meant(seat, consoles)}")
        if seat not in consoles:
            role = scenario.actors[seat].role
            raise ScenarioError(
                f"{seat} is a {role}: a person can have a console's seat, of which there is "
                f"{', '.join(consoles) or 'none'}"
            )


async def await_act(part: Part, verb: Verb, arguments: Any, within: float | None, after: int) -> Acted:
    """Wait until a person has done what the step says, and tell whether that was in time.

    What no console shows can't be scored, and is not waited for. What may be done early counts from the person's act
    before on; it took no time then.
    """
    due = DEFAULT_PERSON_S if within is None else within
    seen = SPOKE if verb.name in _SPEAKS and part.tells_speech else verb.seen
    journal = part.cast.bench.journal
    if verb.name == "for":
        return await _lets_go(part, due, after)
    if seen is None:
        return Acted("unscored", 0.0, due, reason="a console does not show this act: it is not scored")
    began = journal.now()
    try:
        found = await journal.expect(
            part.component,
            seen.kind,
            within=due + LATEST_S,
            after=part.counted if seen.early else after,
            **_wanted(part, seen, arguments),
        )
    except ExpectationError as error:
        return Acted("missed", journal.now() - began, due, reason=str(error))
    part.counted = found.seq
    took = max(0.0, found.time - began)
    value = found.data.get(seen.gives) if seen.gives is not None else None
    return Acted("done" if took <= due else "late", took, due, value, event=found)


async def _lets_go(part: Part, due: float, after: int) -> Acted:
    """Wait until the key is let go of, which is not scored: how long a person speaks is their own."""
    journal = part.cast.bench.journal
    told = "how long a person speaks is not scored"
    try:
        await journal.expect(part.component, LETS_GO.kind, within=LATEST_S, after=after)
    except ExpectationError:
        told = f"the key was still down after {LATEST_S:g} s"
    return Acted("unscored", 0.0, due, reason=told)


def _wanted(part: Part, seen: Seen, arguments: Any) -> dict[str, Any]:
    """What the event has to have."""
    wanted: dict[str, Any] = {}
    for each in seen.same:
        name, _, field = each.partition(":")
        value = _given(part, arguments, name)
        if value is not None:
            wanted[field or name] = _Same(value)
    if seen.by is not None:
        assert isinstance(part.settings, ConsoleComponent), "only consoles are left to persons"
        wanted[seen.by] = _Same(part.settings.position)
    return wanted


def _given(part: Part, arguments: Any, name: str) -> Any:
    """An argument as the event has it: an actor who is named by a position."""
    value = getattr(arguments, name, None)
    return part.cast.position(value) if name == "to" and isinstance(value, str) else value


class _Same:
    def __init__(self, wanted: Any) -> None:
        self.__name__ = repr(wanted)
        self._wanted = wanted

    def __call__(self, seen: Any) -> bool:
        return reads(seen, self._wanted)
