"""A person in an actor's seat: an act is known by what the console shows of it, and timed against its window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from harness.errors import ExpectationError, ScenarioError
from harness.scenario.actors import ConsoleActor
from harness.scenario.cast import Part
from harness.scenario.model import DEFAULT_PERSON_S, Scenario
from harness.scenario.names import meant
from harness.scenario.result import Done
from harness.scenario.values import reads
from harness.scenario.verbs import Verb
from harness.testbed.components import ConsoleComponent

LATEST_S: Final = 60.0
"""For so long after its time an act is still waited for: it is late then, and missed after."""


@dataclass(frozen=True, slots=True)
class Acted:
    """What a person did."""

    done: Done
    took: float
    due_s: float
    value: Any = None
    reason: str = ""


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

    What no console shows can't be scored, and is not waited for.
    """
    due = DEFAULT_PERSON_S if within is None else within
    if verb.seen is None:
        return Acted("unscored", 0.0, due, reason="a console does not show this act: it is not scored")
    journal = part.cast.bench.journal
    began = journal.now()
    wanted = {name: _Same(value) for name in verb.seen.same if (value := _given(part, arguments, name)) is not None}
    if verb.seen.by is not None:
        assert isinstance(part.settings, ConsoleComponent), "only consoles are left to persons"
        wanted[verb.seen.by] = _Same(part.settings.position)
    try:
        found = await journal.expect(part.component, verb.seen.kind, within=due + LATEST_S, after=after, **wanted)
    except ExpectationError as error:
        return Acted("missed", journal.now() - began, due, reason=str(error))
    took = max(0.0, found.time - began)
    value = found.data.get(verb.seen.gives) if verb.seen.gives is not None else None
    return Acted("done" if took <= due else "late", took, due, value)


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
