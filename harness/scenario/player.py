"""Plays a scenario on a bench: steps at their times, actors side by side, expectations, measures and outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from harness.errors import DriverError, HarnessError, ScenarioError
from harness.journal import Event
from harness.scenario import measures
from harness.scenario.cast import Cast
from harness.scenario.expecting import Moment, Watched, await_event, in_window
from harness.scenario.model import DEFAULT_WITHIN_S, Acts, Due, Expect, Outcome, Scenario, Step, told_acts
from harness.scenario.names import meant, resolved
from harness.scenario.result import Done, Result, StepResult
from harness.scenario.seats import SPOKE, Acted, await_act, check_seats
from harness.scenario.values import predicate
from harness.scenario.verbs import VERBS
from harness.source import Spot
from harness.testbed.bench import Bench

SOURCE = "scenario"
"""Under this name a scenario's own events are in the journal: ``step.began``, ``step.ended``, ``scenario.ended``."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What ``as`` keeps: a value, and when it came."""

    value: Any
    moment: Moment
    measures: Mapping[str, float] = field(default_factory=dict)
    """What its expectation measured, by name, each in its unit."""


@dataclass(slots=True)
class Onlooker:
    """Who looks on while a scenario is played, and may hold it."""

    begins: Callable[[Step, str], None] = lambda _step, _told: None
    """A step begins; it is told as a person reads it."""
    ended: Callable[[StepResult], None] = lambda _step: None
    """A step ended."""
    gate: Callable[[str], Awaitable[None]] | None = None
    """Awaited before each step; the scenario's clock stands meanwhile."""
    wait: Callable[[float], Awaitable[None]] | None = None
    """Waits so many seconds of the scenario's clock for a step's time, where that clock goes at a pace of its own."""


class Player:
    """One playing of a scenario."""

    def __init__(
        self,
        scenario: Scenario,
        bench: Bench,
        *,
        lines: Spot | None = None,
        seats: Collection[str] = (),
        telling: Collection[str] = (),
        onlooker: Onlooker | None = None,
    ) -> None:
        """``lines``: where steps stand in the file. ``seats``: actors that are left to a person. ``telling``: of
        those, whose client journals when the person speaks (``operator.spoke``), so that speaking is waited for.

        Raises ScenarioError where a seat is no console's.
        """
        self._seats = tuple(seats)
        self._telling = tuple(telling)
        check_seats(scenario, self._seats)
        self.scenario = scenario
        self.result = Result(scenario.id, scenario.title, len(scenario.timeline) + len(scenario.outcome))
        self.result.seats = self._seats
        self._bench = bench
        self._journal = bench.journal
        self._lines = lines
        self._onlooker = onlooker or Onlooker()
        self._cast: Cast
        self._kept: dict[str, Kept] = {}
        self._found: dict[tuple[str | None, str], int] = {}
        """The newest event that an expectation since the step done last has had, by source and kind."""
        self._since = Moment(0.0, 0)
        self._began = 0
        """The journal's position when the scenario began."""
        self._zero = 0.0
        """Run time at which the scenario began; later by as long as it was held, and as its clock went slower."""

    async def play(self) -> Result:
        """Play it and return what became of it; `result` has it too, and what was reached when this is cancelled.

        Raises TestbedError where the testbed has not what the scenario needs, and what opening drivers raises.
        """
        self._cast = await Cast.open(self._bench, self.scenario, self._seats, self._telling, self._lines)
        self._zero = self._journal.now()
        self._began = self._journal.position
        self._since = Moment(self._zero, self._began)
        self._journal.record(SOURCE, "scenario.began", id=self.scenario.id, seats=list(self._seats))
        try:
            self.result.outcome = "passed" if await self._all() else "failed"
        finally:
            self._journal.record(
                SOURCE, "scenario.ended", id=self.scenario.id, outcome=self.result.outcome, steps=len(self.result.steps)
            )
            await self._cast.close()
        return self.result

    async def _all(self) -> bool:
        for index, step in enumerate(self.scenario.timeline):
            if not await self._step(index, step):
                return False
        return all([await self._ends(index, each) for index, each in enumerate(self.scenario.outcome)])

    # Steps

    async def _step(self, index: int, step: Step) -> bool:
        """Play one step; whether the scenario goes on."""
        await self._until(step)
        told = self._resolved_text(step.told())
        if self._onlooker.gate is not None:
            held = self._journal.now()
            await self._onlooker.gate(told)
            self._zero += self._journal.now() - held
        self._onlooker.begins(step, told)
        self._journal.record(SOURCE, "step.began", step=index + 1, told=told)
        began = self._journal.now()
        results: list[StepResult] = []

        def end(done: Done, reason: str = "", person: str | None = None, acted: Acted | None = None) -> None:
            took = acted.took if acted is not None else self._journal.now() - began
            due = acted.due_s if acted is not None else None
            line = told if person is None else f"{person}: {self._resolved_text(told_acts(step.acts[person]))}"
            results.append(
                StepResult(index + 1, self._place(index), line, began - self._zero, took, done, reason, person, due)
            )

        try:
            if step.acts:
                persons = await self._act(index, step)
                for actor, acted in persons:
                    end(acted.done, acted.reason, actor, acted)
                if len(persons) < len(step.acts):
                    end("done")
            elif step.expect:
                await self._expect_all(index, step)
                end("done")
            else:
                end("done")
        except HarnessError as error:
            end("failed", str(error))
        return self._tell(results)

    def _tell(self, results: list[StepResult]) -> bool:
        for each in results:
            self.result.steps.append(each)
            row = each.as_json()
            del row["began"], row["place"]  # the journal has the one, and another checkout has other places
            self._journal.record(SOURCE, "step.ended", **row)
            self._onlooker.ended(each)
        return all(each.done not in {"failed", "missed"} for each in results)

    async def _until(self, step: Step) -> None:
        """Wait for the step's time."""
        began = self._journal.now()
        if step.at is not None:
            due = max(0.0, self._zero + step.at - began)
        elif step.after is not None:
            due = step.after
        else:
            return
        if self._onlooker.wait is None:
            await asyncio.sleep(due)
        else:
            await self._onlooker.wait(due)
            self._zero += self._journal.now() - began - due

    def _place(self, index: int, part: str = "timeline") -> str:
        spot = self._lines.at((part, index)) if self._lines is not None else None
        return f"{spot.file.name}:{spot.line}" if spot is not None else f"{part} {index + 1}"

    # Acts

    async def _act(self, index: int, step: Step) -> list[tuple[str, Acted]]:
        """Let all actors of a step act, side by side; return what persons did."""
        await self._listen(index, step)
        self._since = Moment(self._journal.now(), self._journal.position)
        self._found.clear()
        persons: list[tuple[str, Acted]] = []
        waits: list[Awaitable[Any]] = [self._acts_of(actor, acts, step, persons) for actor, acts in step.acts.items()]
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        try:
            values = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        seen = [each.event for _, each in persons if each.event is not None]
        if seen:  # what follows is due from when a person acted, not from when it was their turn
            acted = max(event.time for event in seen)
            self._since = Moment(acted, min(self._since.seq, *(event.seq - 1 for event in seen)))
        if step.keep is not None:
            self._kept[step.keep] = Kept(values[0], self._since)
        return persons

    async def _acts_of(self, actor: str, acts: Acts, step: Step, persons: list[tuple[str, Acted]]) -> Any:
        """Do what one actor does, one after the other; return what the last that gives something gave."""
        part = self._cast.parts[actor]
        given: Any = None
        for name, value in acts.items():
            verb = VERBS[part.actor.role][name]  # type: ignore[attr-defined]
            try:
                arguments = verb.arguments.model_validate(verb.takes(self._resolved(value)))
            except ValidationError as error:
                first = error.errors(include_url=False)[0]
                where = ".".join(map(str, first["loc"]))
                raise ScenarioError(f"{actor}: {name} {where}: found {first['input']!r}: {first['msg']}") from error
            if part.person:
                acted = await await_act(part, verb, arguments, step.within, self._since.seq)
                persons.append((actor, acted))
                given = acted.value if acted.value is not None else given
                if acted.done == "missed":
                    break
                if acted.event is not None and acted.event.kind == SPOKE.kind:
                    await self._cast.speech.said_by_person(part, acted.event)
                continue
            result = await verb.perform(part, arguments)
            given = result if result is not None else given
        return given

    async def _listen(self, index: int, step: Step) -> None:
        """Let those listen whose ears the expectations after this step measure."""
        if not any(verb in {"say", "begin_saying"} for acts in step.acts.values() for verb in acts):
            return
        for later in self.scenario.timeline[index + 1 :]:
            if any(verb in {"say", "begin_saying"} for acts in later.acts.values() for verb in acts):
                return
            for expect in later.expect:
                if "mouth_to_ear" in expect.measure and expect.on is not None:
                    await self._cast.speech.listen(self._cast.parts[expect.on])

    # Names

    def _resolved(self, value: Any) -> Any:
        return resolved(value, self._look_up)

    def _resolved_text(self, text: str) -> str:
        def known(name: str, field_: str) -> Any:
            try:
                return self._look_up(name, field_)
            except HarnessError:
                raise KeyError(name) from None

        return str(resolved(text, known))

    def _look_up(self, name: str, field_: str) -> Any:
        if name in self.scenario.actors:
            return self._cast.value(name, field_)
        kept = self._kept.get(name)
        if kept is None:
            raise ScenarioError(f"nothing is kept under {name!r}{meant(name, self._kept)}")
        if not field_:
            if isinstance(kept.value, Event):
                fields = ", ".join(f"${{{name}.{key}}}" for key in kept.value.data)
                raise ScenarioError(f"{name!r} is an event, of which a value is due: {fields}")
            if kept.value is None:
                raise ScenarioError(f"the act kept under {name!r} gives no value")
            return kept.value
        if isinstance(kept.value, Event) and field_ in kept.value.data:
            return kept.value.data[field_]
        known = kept.value.data if isinstance(kept.value, Event) else ()
        raise ScenarioError(f"{name!r} has no {field_!r}{meant(field_, known)}")

    # Expectations

    async def _expect_all(self, index: int, step: Step) -> None:
        """Wait for all expectations of a step, in any order. Raises the first failure."""
        # Taken before any is waited for: of two in one step neither looks past what the other has found.
        had = dict(self._found)
        tasks = [asyncio.ensure_future(self._expect(expect, had)) for expect in step.expect]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _expect(self, expect: Expect, had: Mapping[tuple[str | None, str], int]) -> None:
        since = self._kept[expect.after].moment if expect.after is not None else self._since
        source, kind, own = self._watched(expect.on, expect.event)
        wanted = own | {key: self._wanted(value) for key, value in expect.with_.items()}
        after = max(since.seq, had.get((source, kind), 0)) if expect.after is None else since.seq
        watched = Watched.of(source, kind, wanted)
        found = await await_event(self._journal, watched, expect, since, after)
        if found is None:
            return
        self._found[source, kind] = max(found.seq, self._found.get((source, kind), 0))
        measured: dict[str, float] = {}
        for name, due in expect.measure.items():
            came = in_window(self._journal, watched, expect, since, after) if name == "share" else [found]
            value = await self._measure(expect, name, due, came, since)
            if value is not None:
                measured[name] = value
        if expect.keep is not None:
            self._kept[expect.keep] = Kept(found, Moment(found.time, found.seq), measured)

    def _watched(self, actor: str | None, event: str) -> tuple[str | None, str, dict[str, Any]]:
        """By which source and kind an actor's event is known, and by what of the event itself."""
        if actor is None:
            return None, event, {}
        part = self._cast.parts[actor]
        return *part.voice(event), part.own(event)

    async def _measure(self, expect: Expect, name: str, due: Due, came: list[Event], since: Moment) -> float | None:
        """Measure what an expectation asks for and hold it against what is due; return it, None where it can't be."""
        if name == "share":
            assert expect.of is not None, "the file's reader saw to it"
            value = 100.0 * len(came) / expect.of
        elif name == "time":
            value = came[-1].time - since.time
        else:
            assert expect.on is not None, "the file's reader saw to it"
            heard = await self._cast.speech.mouth_to_ear(expect.on, due.of)
            if heard is None:
                return None
            value = heard.ms
        told = f"{name} {'to' if name == 'mouth_to_ear' else expect.event} {expect.on or ''}".rstrip()
        measured = value
        if due.than is not None:
            measured -= self._kept[due.than].measures[name]
            told += f" than {due.than}"
        measure = measures.MEASURES[name]
        measures.hold(
            self._bench,
            told,
            measured,
            measure.unit,
            limit=due.limit,
            requirement=due.requirement,
            figure=due.figure,
            at_least=measure.least,
        )
        return value

    def _wanted(self, value: Any) -> Any:
        """A wanted value with its references replaced, of a condition its text."""
        if hasattr(value, "model_copy"):
            return value.model_copy(update={"has": self._resolved(value.has)}) if value.has is not None else value
        return self._resolved(value)

    # The outcome

    async def _ends(self, index: int, outcome: Outcome) -> bool:
        began = self._journal.now()
        told, reason = self._told_outcome(outcome), ""
        done: Done = "done"
        try:
            if outcome.event is not None:
                await self._is_seen(outcome)
            else:
                self._measured(outcome)
        except HarnessError as error:
            done, reason = "failed", str(error)
        number = len(self.scenario.timeline) + index + 1
        return self._tell(
            [StepResult(number, self._place(index, "outcome"), told, began - self._zero, 0.0, done, reason)]
        )

    @staticmethod
    def _told_outcome(outcome: Outcome) -> str:
        if outcome.event is not None:
            return f"outcome: {outcome.event} on {outcome.on or 'anything'}"
        due = str(outcome.limit) if outcome.limit is not None else f"{outcome.requirement} {outcome.figure}"
        return f"outcome: {outcome.measure}{f' of {outcome.on}' if outcome.on else ''} {due}"

    async def _is_seen(self, outcome: Outcome) -> None:
        """Look for an event in all the scenario, and wait for it a little: the last act may still be on its way."""
        assert outcome.event is not None
        source, kind, own = self._watched(outcome.on, outcome.event)
        wanted = {key: predicate(key, self._wanted(value)) for key, value in (own | dict(outcome.with_)).items()}
        await self._journal.expect(source, kind, within=DEFAULT_WITHIN_S, after=self._began, **wanted)

    def _measured(self, outcome: Outcome) -> None:
        assert outcome.measure is not None
        if outcome.begins is not None and outcome.ends is not None:
            begins, ends = (self._kept.get(name) for name in (outcome.begins, outcome.ends))
            if begins is None or ends is None:
                raise DriverError(f"{outcome.begins!r} or {outcome.ends!r} did not come about")
            value = ends.moment.time - begins.moment.time
        else:
            assert outcome.on is not None, "the file's reader saw to it"
            value = measures.elapsed(self._journal, outcome.measure, self._cast.parts[outcome.on].component)
        unit = "s" if outcome.begins is not None else measures.MEASURES[outcome.measure].unit
        name = f"{outcome.measure}{f' {outcome.on}' if outcome.on else ''}"
        measures.hold(
            self._bench,
            name,
            value,
            unit,
            limit=outcome.limit,
            requirement=outcome.requirement,
            figure=outcome.figure,
        )


async def replay(scenario: Scenario, bench: Bench, lines: Spot | None = None) -> Result:
    """Play a scenario with every seat played by the harness. Raises ExpectationError where it does not pass."""
    result = await Player(scenario, bench, lines=lines).play()
    result.check()
    return result
