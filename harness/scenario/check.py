"""What only the whole of a scenario tells: whether actors, verbs, arguments, names, figures and clips are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from harness.errors import HarnessError
from harness.evidence.requirements import catalogue
from harness.scenario.measures import MEASURES
from harness.scenario.model import Due, Expect, Outcome, Scenario, Step
from harness.scenario.names import meant, references, refers
from harness.scenario.values import Fits, Limit
from harness.scenario.verbs import VERBS
from harness.source import shown
from harness.testbed.clips import AUDIO, read_clip

Complaint = tuple[tuple[str | int, ...], str]
"""Where, and what is wrong."""
SPEECH_VERBS = frozenset({"say", "begin_saying"})


def complaints(scenario: Scenario) -> list[Complaint]:
    """Return all that is wrong with a scenario that its parts alone do not tell."""
    return list(_Check(scenario).all())


class _Check:
    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._kept: set[str] = set()
        """Names under which something was kept so far."""
        self._measured: dict[str, tuple[str, ...]] = {}
        """What was measured by the expectations that were kept so far."""

    def all(self) -> Iterator[Complaint]:
        for index, name in enumerate(self._scenario.requirements):
            if name not in catalogue():
                yield ("requirements", index), catalogue().unknown(name)
        for index, step in enumerate(self._scenario.timeline):
            yield from self._step(("timeline", index), step)
        for index, outcome in enumerate(self._scenario.outcome):
            yield from self._outcome(("outcome", index), outcome)

    def _step(self, where: tuple[str | int, ...], step: Step) -> Iterator[Complaint]:
        for actor, acts in step.acts.items():
            yield from self._acts((*where, actor), actor, acts)
        for index, expect in enumerate(step.expect):
            # One expectation stands in the step itself, several in a list.
            yield from self._expect((*where, "expect", index), expect)
        if step.note is not None:
            yield from self._references((*where, "note"), step.note)
        yield from self._keep((*where, "as"), step.keep)
        for index, expect in enumerate(step.expect):
            yield from self._keep((*where, "expect", index, "as"), expect.keep)
            if expect.keep is not None:
                self._measured[expect.keep] = tuple(expect.measure)

    def _keep(self, where: tuple[str | int, ...], name: str | None) -> Iterator[Complaint]:
        if name is None:
            return
        if name in self._scenario.actors:
            yield where, f"found {name!r}, which is an actor; what is kept needs another name"
        self._kept.add(name)

    def _actor(self, where: tuple[str | int, ...], name: str | None) -> Iterator[Complaint]:
        if name is not None and name not in self._scenario.actors:
            yield where, f"found {name!r}, which is no actor{meant(name, self._scenario.actors)}"

    def _acts(self, where: tuple[str | int, ...], name: str, acts: Mapping[str, Any]) -> Iterator[Complaint]:
        if name not in self._scenario.actors:
            yield where, f"found {name!r}, which is no actor{meant(name, self._scenario.actors)}"
            return
        role = self._scenario.actors[name].role
        known = VERBS[role]
        if not acts:
            yield where, f"found nothing to do; {role} can {', '.join(known)}"
        for act, value in acts.items():
            verb = known.get(act)
            if verb is None:
                yield (*where, act), f"found {act!r}, which {role} can't do{meant(act, known)}"
                continue
            yield from self._references((*where, act), value)
            try:
                arguments = verb.arguments.model_validate(verb.takes(value))
            except ValidationError as error:
                for each in error.errors(include_url=False):
                    yield self._argument((*where, act), each, verb.arguments.model_fields)
                continue
            for field, unit in verb.arguments.measured_in.items():
                due: Due = getattr(arguments, field)
                yield from self._due((*where, act, field), due.limit, due.requirement, due.figure, unit)
            if act in SPEECH_VERBS:
                yield from self._clip((*where, act), getattr(arguments, "clip", ""))

    @staticmethod
    def _argument(where: tuple[str | int, ...], error: Any, fields: Mapping[str, Any]) -> Complaint:
        location = tuple(error["loc"])
        last = str(location[-1]) if location else ""
        if error["type"] == "extra_forbidden":
            return (*where, *location), f"found the unknown key {last!r}{meant(last, fields)}"
        if error["type"] == "missing":
            return (*where, *location), f"{last!r} is needed, and missing"
        message = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
        if not location:
            message = f"a mapping with {', '.join(fields)}" if fields else "nothing goes with it"
        return (*where, *location), f"found {shown(error['input'])}; allowed: {message[:1].lower() + message[1:]}"

    def _clip(self, where: tuple[str | int, ...], clip: str) -> Iterator[Complaint]:
        if refers(clip):
            return
        try:
            read_clip(clip, self._scenario.folder)
        except HarnessError as error:
            names = sorted(path.stem for path in AUDIO.glob("*.wav"))
            yield where, f"found the clip {clip!r}: {error}{meant(clip, names)}"
        except (OSError, ValueError) as error:
            yield where, f"found the clip {clip!r}, which can't be read: {error}"

    def _references(self, where: tuple[str | int, ...], value: Any) -> Iterator[Complaint]:
        for beneath, text, name, field in references(value):
            if not name:
                yield (*where, *beneath), f"found {text!r}; a reference is ${{name}} or ${{name.field}}"
            elif name in self._scenario.actors:
                if not field:
                    yield (*where, *beneath), f"found {text!r}: an actor is no value; ${{{name}.issi}} or the like is"
            elif name not in self._kept:
                known = [*sorted(self._kept), *self._scenario.actors]
                yield (
                    (*where, *beneath),
                    f"found {text!r}, and nothing is kept under {name!r} so far{meant(name, known)}",
                )

    def _expect(self, where: tuple[str | int, ...], expect: Expect) -> Iterator[Complaint]:
        yield from self._actor((*where, "on"), expect.on)
        yield from self._wanted((*where, "with"), expect.with_)
        if expect.after is not None and expect.after not in self._kept:
            known = meant(expect.after, sorted(self._kept))
            yield (*where, "after"), f"found {expect.after!r}, and nothing is kept under that name so far{known}"
        for name, due in expect.measure.items():
            at = (*where, "measure", name)
            yield from self._due(at, due.limit, due.requirement, due.figure, MEASURES[name].unit)
            yield from self._actor((*at, "of"), due.of)
            if due.than is not None and name not in self._measured.get(due.than, ()):
                known = meant(due.than, [kept for kept, names in self._measured.items() if name in names])
                yield (*at, "than"), f"found {due.than!r}, and no {name!r} is kept under that name so far{known}"
            if name == "mouth_to_ear" and self._scenario.media != "packets":
                yield at, f"found 'mouth_to_ear', and with 'media: {self._scenario.media}' nobody hears any speech"
            if name == "mouth_to_ear" and expect.on is None:
                yield at, "'mouth_to_ear' needs 'on', whose ear it is"

    def _wanted(self, where: tuple[str | int, ...], wanted: Mapping[str, Any]) -> Iterator[Complaint]:
        for key, value in wanted.items():
            plain = value.model_dump(exclude_unset=True) if isinstance(value, Fits) else value
            for _, text in self._references((*where, key), plain):
                yield (*where, key), text

    def _outcome(self, where: tuple[str | int, ...], outcome: Outcome) -> Iterator[Complaint]:
        yield from self._actor((*where, "on"), outcome.on)
        yield from self._wanted((*where, "with"), outcome.with_)
        if outcome.measure is None:
            return
        for key, name in (("from", outcome.begins), ("to", outcome.ends)):
            if name is not None and name not in self._kept:
                yield (*where, key), f"found {name!r}, and nothing is kept under that name{meant(name, self._kept)}"
        unit = "s"
        if outcome.begins is None:
            measure = MEASURES.get(outcome.measure)
            if measure is None or measure.between is None:
                known = [name for name, each in MEASURES.items() if each.between is not None]
                yield (
                    (*where, "measure"),
                    f"found {outcome.measure!r}, which is no measure{meant(outcome.measure, known)}; one of your own "
                    "needs 'from' and 'to'",
                )
                return
            unit = measure.unit
            if outcome.on is None:
                yield where, f"{outcome.measure!r} needs 'on', whose it is"
        yield from self._due(where, outcome.limit, outcome.requirement, outcome.figure, unit)

    def _due(
        self, where: tuple[str | int, ...], limit: Limit | None, requirement: str | None, figure: str | None, unit: str
    ) -> Iterator[Complaint]:
        if limit is not None:
            try:
                limit.within(0.0, unit)
            except ValueError as error:
                yield (*where, "is"), f"the measure {error}"
        if requirement is None:
            return
        if requirement not in catalogue():
            yield (*where, "requirement"), catalogue().unknown(requirement)
            return
        if requirement not in self._scenario.requirements:
            told = "which is not among the scenario's 'requirements'; what is measured for it has to be"
            yield (*where, "requirement"), f"found {requirement!r}, {told}"
        if figure is not None and figure not in catalogue()[requirement].figures:
            known = catalogue()[requirement].figures
            yield (*where, "figure"), f"found {figure!r}, which {requirement} has not{meant(figure, known)}"
        elif figure is not None and catalogue()[requirement].figures[figure].unit != unit:
            found = catalogue()[requirement].figures[figure].unit
            yield (*where, "figure"), f"{figure!r} is in {found or 'no unit'}, the measure in {unit}"
