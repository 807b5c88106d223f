"""The scenario file: actors, timeline, expectations, measures and outcome."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, PrivateAttr, field_validator, model_validator

from harness.scenario.actors import Actor
from harness.scenario.names import Name
from harness.scenario.values import Limit, Seconds, Strict, Wanted

MAX_STEPS: Final = 1_000
"""Steps of a timeline, includes written out."""
MAX_ACTORS: Final = 64
MAX_TOGETHER: Final = 32
"""Expectations of one step."""
DEFAULT_WITHIN_S: Final = 5.0
"""Window of an expectation that names none."""
DEFAULT_PERSON_S: Final = 30.0
"""A person's time for a step that names none."""
KEYWORDS: Final = frozenset({"at", "after", "within", "hint", "as", "expect", "note", "include", "with", "acts"})
"""Names that no actor can have, as steps use them."""

Media = Literal["packets", "talkspurts", "none"]
Text = Annotated[str, Field(min_length=1, max_length=2_000)]
Kind = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_-]+)+$", max_length=80)]
"""An event's kind: ``call.ringing``."""
Acts = Mapping[str, Any]
"""Verb to what goes with it, in the order in which they are done."""


class Due(Strict):
    """What a measure is held against: a limit of the file's own, or a figure of the requirements' catalogue."""

    limit: Limit | None = Field(default=None, alias="is")
    requirement: str | None = None
    figure: str | None = None
    of: Name | None = None
    """For ``mouth_to_ear``: who spoke, where that is not whoever spoke last."""
    than: Name | None = None
    """Less what the expectation kept under this name measured: what a patch adds, say."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"is": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _held(self) -> Due:
        if (self.figure is None) == (self.limit is None):
            raise ValueError("'is' with a limit, or 'requirement' with 'figure': one of the two is needed")
        if self.figure is not None and self.requirement is None:
            raise ValueError("'figure' needs 'requirement', whose figure it is")
        return self


class Expect(Strict):
    """What has to be seen, in time, or not to be seen."""

    on: Name | None = None
    """The actor who is shown it; left out: anybody."""
    event: Kind
    with_: Mapping[str, Wanted] = Field(default_factory=dict, alias="with")
    within: Seconds = DEFAULT_WITHIN_S
    """The window: from the step done last, or from ``after``, to so long after it."""
    not_before: Seconds = 0.0
    """It must not come sooner than this."""
    count: int | None = Field(default=None, ge=1, le=10_000)
    """Exactly so many in the window, which is waited for to its end."""
    absent: bool = False
    """None in the window, which is waited for to its end."""
    after: Name | None = None
    """Count from that step or event, by the name under which ``as`` keeps it."""
    keep: Name | None = Field(default=None, alias="as")
    of: int | None = Field(default=None, ge=1, le=100_000)
    """Of so many: what share of them comes in the window, which is waited for to its end, is the measure ``share``."""
    measure: Mapping[Literal["mouth_to_ear", "time", "share"], Due] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _makes_sense(self) -> Expect:
        if (self.of is not None) != ("share" in self.measure):
            raise ValueError("'of' and the measure 'share' go together")
        if self.of is not None and (self.absent or self.count is not None):
            raise ValueError("'of' goes with neither 'absent' nor 'count'")
        if self.absent and (self.count is not None or self.keep or self.measure or self.not_before):
            raise ValueError("'absent' goes with none of 'count', 'as', 'measure', 'not_before'")
        if self.not_before > self.within:
            raise ValueError("'not_before' lies after 'within'")
        return self

    def told(self) -> str:
        """Return it as a person reads it."""
        data = " ".join(f"{key}={value}" for key, value in self.with_.items())
        times = f" {self.count} times" if self.count else f" of {self.of}" if self.of else ""
        return (
            f"{'no ' if self.absent else ''}{self.event}{times} on {self.on or 'anything'}"
            f"{' with ' + data if data else ''} within {self.within:g} s"
        )


class Step(Strict):
    """One entry of the timeline: what actors do, what is expected, or a note."""

    at: Seconds | None = None
    """When, since the scenario began; left out: after the step before."""
    after: Seconds | None = None
    """How long after the step before."""
    acts: Mapping[Name, Acts] = Field(default_factory=dict)
    """Who does what; several actors act at the same time. In the file the actors stand in the step itself."""
    within: Seconds | None = None
    """A person's time for it, where a person has the seat."""
    hint: Text | None = None
    """What a person is told."""
    keep: Name | None = Field(default=None, alias="as")
    """Keep what the act returns, and the moment, under this name."""
    expect: tuple[Expect, ...] = Field(default=(), max_length=MAX_TOGETHER)
    """One, or a list that may come in any order."""
    note: Text | None = None
    """Told to whoever looks on."""

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, value: Any) -> Any:
        """Put the actors under ``acts``, and one expectation into a list."""
        if not isinstance(value, Mapping):
            raise ValueError("a step is a mapping: 'caller: {dial: \"999\"}', or 'expect: {…}'")
        step = {key: each for key, each in value.items() if key in KEYWORDS and key != "acts"}
        acts = {key: _acts(each) for key, each in value.items() if key not in KEYWORDS}
        if isinstance(expected := step.get("expect"), Mapping):
            step["expect"] = (expected,)
        return step | {"acts": acts}

    @model_validator(mode="after")
    def _is_one_thing(self) -> Step:
        if bool(self.acts) + bool(self.expect) + bool(self.note) != 1:
            raise ValueError("a step is one of: an actor's act (several actors act together), 'expect', or 'note'")
        if self.at is not None and self.after is not None:
            raise ValueError("a step has 'at' or 'after', not both")
        if self.keep is not None and (len(self.acts) != 1):
            raise ValueError("'as' goes with one actor's act; an expectation has its own inside 'expect'")
        if not self.acts and (self.within is not None or self.hint is not None):
            raise ValueError("'within' and 'hint' of a step are for an act; an expectation's window stands inside it")
        return self

    def told(self) -> str:
        """Return it as a person reads it."""
        if self.note is not None:
            return self.note
        if self.expect:
            return "; ".join(f"expect {each.told()}" for each in self.expect)
        return "; ".join(f"{actor}: {told_acts(acts)}" for actor, acts in self.acts.items())


class Outcome(Strict):
    """What must be true when the timeline is over: an event that came, or a measure that is kept."""

    event: Kind | None = None
    on: Name | None = None
    with_: Mapping[str, Wanted] = Field(default_factory=dict, alias="with")
    measure: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_ ]{0,59}$")] | None = None
    begins: Name | None = Field(default=None, alias="from")
    ends: Name | None = Field(default=None, alias="to")
    limit: Limit | None = Field(default=None, alias="is")
    requirement: str | None = None
    figure: str | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Outcome:
        if (self.event is None) == (self.measure is None):
            raise ValueError("an outcome is 'event' or 'measure', one of the two")
        if self.event is not None:
            if self.model_fields_set - {"event", "on", "with_"}:
                raise ValueError("an outcome with 'event' has 'on' and 'with', and no more")
            return self
        if (self.limit is None) == (self.figure is None):
            raise ValueError("a measure needs 'is' with a limit, or 'requirement' with 'figure'")
        if self.figure is not None and self.requirement is None:
            raise ValueError("'figure' needs 'requirement', whose figure it is")
        if (self.begins is None) != (self.ends is None):
            raise ValueError("'from' and 'to' go together")
        if self.with_:
            raise ValueError("'with' goes with 'event'")
        return self


class Scenario(Strict):
    """A whole scenario file, includes and variables written out."""

    id: str = Field(pattern=r"^[A-Z0-9][A-Z0-9-]{1,59}$")
    title: str = Field(min_length=1, max_length=200)
    brief: Text | None = None
    """What a trainee reads before it begins."""
    requirements: tuple[str, ...] = ()
    learning: tuple[Text, ...] = Field(default=(), max_length=50)
    testbed: str | None = Field(default=None, min_length=1, max_length=400)
    """The testbed file on which it is played where nobody names another; from the scenario file's folder."""
    media: Media = "packets"
    """``packets``: speech is played and heard; ``talkspurts``: its start and end are told, none goes over the wire, it
    takes its time; ``none``: it takes no time either."""
    actors: Mapping[Name, Actor] = Field(min_length=1, max_length=MAX_ACTORS)
    timeline: tuple[Step, ...] = Field(min_length=1, max_length=MAX_STEPS)
    outcome: tuple[Outcome, ...] = Field(default=(), max_length=MAX_STEPS)
    _folder: Path | None = PrivateAttr(default=None)

    def model_post_init(self, context: Any) -> None:
        """Keep the folder of the file that is read, which whoever reads it gives as pydantic's context."""
        self._folder = context

    @property
    def folder(self) -> Path | None:
        """Where clips lie that the scenario names by a path; None where it was read from no file."""
        return self._folder

    @field_validator("actors")
    @classmethod
    def _no_keyword(cls, actors: Mapping[str, Any]) -> Mapping[str, Any]:
        for name in actors:
            if name in KEYWORDS:
                raise ValueError(f"{name!r} is a word of steps: an actor needs another name")
        return actors


def _acts(value: Any) -> Any:
    """``officer: release`` is short for ``officer: {release: }``."""
    return {value: None} if isinstance(value, str) else value


def told_acts(acts: Acts) -> str:
    """Return what somebody does as a person reads it: ``key GD-OPS-1, say dispatch``."""
    return ", ".join(f"{verb.replace('_', ' ')} {_told(value)}".rstrip() for verb, value in acts.items())


def _told(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{key}={each}" for key, each in value.items())
    return "" if value is None or value is True else str(value)
