"""The file of a load: what comes in how many hours, in figures; the events themselves are drawn from a seed."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, model_validator

from harness.scenario.values import Strict

MAX_HOURS: Final = 168
MAX_CALLS_AN_HOUR: Final = 2_000
"""Of one number; what a load of calls places at once."""
MAX_TALKGROUPS: Final = 500
SHORTEST_PRESS_S: Final = 1.0
"""Nobody says anything in less."""

Share = Annotated[float, Field(ge=0, le=1_000)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Span = Annotated[float, Field(gt=0, le=7_200)]


class CallsLoad(Strict):
    """The calls to one number."""

    number: str = Field(pattern=r"^[0-9]{3,15}$")
    calls: Count
    """In all the hours."""
    talk_s: Span
    """Mean seconds of a call, which vary as Erlang's formulas take them to (exponential). [p]"""
    patience_s: Span = 300.0
    """Seconds for which a caller waits. [p]"""
    incidents: float = Field(default=0.0, ge=0, le=1)
    """Of so many of them an incident is opened in command and control. [p]"""


class RadioLoad(Strict):
    """The presses of keys on dispatch talkgroups."""

    talkgroups: int = Field(ge=1, le=MAX_TALKGROUPS)
    terminals: int = Field(default=4, ge=2, le=99)
    """On each; besides there is the control room's gateway. One talks, the others and the gateway hear."""
    presses_a_minute: float = Field(gt=0, le=60)
    """On each. [p]"""
    talk_s: float = Field(gt=SHORTEST_PRESS_S, le=60)
    """Mean seconds for which a key is held. [p]"""
    exchange: int = Field(default=4, ge=1, le=100)
    """Presses of one exchange, each an answer to the one before; the group's call is up for all of it. [p]"""
    pause_s: float = Field(default=1.5, gt=0, le=60)
    """Mean seconds from the end of one press to the answer. [p]"""

    @model_validator(mode="after")
    def _fits(self) -> RadioLoad:
        if self.presses_a_minute * (self.talk_s + self.pause_s) > 60:
            raise ValueError(
                f"{self.presses_a_minute:g} presses a minute of {self.talk_s:g} s and {self.pause_s:g} s of pause; "
                "a talkgroup has 60 s in a minute"
            )
        return self


class Load(Strict):
    """What comes, and when."""

    seed: int = Field(default=1, ge=0, le=2**31)
    """Of when things come and how long they last; replay's own seed is that of networks' delays."""
    hours: tuple[Share, ...] = Field(min_length=1, max_length=MAX_HOURS)
    """The hours' shares of the calls, in any unit. Radio goes on evenly. [p]"""
    calls: tuple[CallsLoad, ...] = Field(default=(), max_length=4)
    radio: RadioLoad | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Load:
        if not self.calls and self.radio is None:
            raise ValueError("a load has 'calls', 'radio' or both")
        if self.calls and not sum(self.hours):
            raise ValueError("'hours' are shares, and at least one is above 0")
        for each in self.calls:
            most = max(self.hours) / sum(self.hours) * each.calls
            if most > MAX_CALLS_AN_HOUR - 1:
                raise ValueError(f"{most:.0f} calls to {each.number} in one hour; {MAX_CALLS_AN_HOUR - 1} is the most")
        return self

    @property
    def lasts_s(self) -> float:
        """Seconds."""
        return 3600.0 * len(self.hours)

    @property
    def presses(self) -> int:
        """Presses of keys in all."""
        if self.radio is None:
            return 0
        return self.radio.talkgroups * round(self.radio.presses_a_minute * self.lasts_s / 60)


class LoadFile(Strict):
    """A whole file."""

    id: str = Field(pattern=r"^[A-Z0-9][A-Z0-9-]{1,59}$")
    title: str = Field(min_length=1, max_length=200)
    load: Load
