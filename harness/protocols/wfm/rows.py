"""What the rows of the two feeds hold, and what they must keep to. Times in milliseconds, so that sums are exact."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from harness.errors import WfmFeedError
from harness.protocols import times

QUARTER_S: Final = 900
"""Seconds of an interval; it begins at a whole quarter of an hour of UTC."""
MAX_COUNT: Final = 1_000_000
"""Calls of one interval."""
MAX_MS: Final = 10**13
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")


class State(StrEnum):
    """What an agent does, as workforce management has it."""

    LOGIN = "login"
    """Logged in; what follows at the same moment is the state then."""
    READY = "ready"
    IN_CALL = "in_call"
    """With a caller, one on hold too, or keying a talkgroup."""
    WRAP_UP = "wrap_up"
    BREAK = "break"
    LOGGED_OUT = "logged_out"


@dataclass(frozen=True, slots=True)
class StateRow:
    """An agent's state has changed."""

    number: int
    """Its place in the feed, from 1: rows of one moment go in this order."""
    at_ms: int
    """When, milliseconds since 1970."""
    agent: str
    """As the switch knows the agent: the position."""
    state: State
    queue: str = ""
    """Of a call, or of the one that is written up; empty where it came by none."""

    def __post_init__(self) -> None:
        """Raise WfmFeedError for what can't be."""
        if not 1 <= self.number <= MAX_MS:
            raise WfmFeedError(f"a row's number is from 1, not {self.number}")
        if not 0 <= self.at_ms <= times.LATEST * 1000:
            raise WfmFeedError(f"a moment is from 1970 to 9999, not {self.at_ms} ms")
        _named("agent", self.agent)
        if self.queue:
            _named("queue", self.queue)


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """What a queue saw in one interval: each thing is counted in the interval in which it happened."""

    start: int
    """Seconds since 1970, a whole quarter of an hour."""
    queue: str
    offered: int = 0
    """Calls that came."""
    answered: int = 0
    within: int = 0
    """Of those answered: within the time that the queue is to be answered in."""
    abandoned: int = 0
    left: int = 0
    """Went to another queue or route, were sent away, or asked to be called back."""
    handled: int = 0
    """Calls that ended after an answer."""
    answer_ms: int = 0
    """Waits of the answered, together."""
    handle_ms: int = 0
    """Time that agents spent on calls of the queue and on writing them up, counted when it ends."""

    def __post_init__(self) -> None:
        """Raise WfmFeedError for what can't be."""
        if not 0 <= self.start <= times.LATEST or self.start % QUARTER_S:
            raise WfmFeedError("an interval begins at a whole quarter of an hour")
        _named("queue", self.queue)
        for name in ("offered", "answered", "within", "abandoned", "left", "handled"):
            if not 0 <= getattr(self, name) <= MAX_COUNT:
                raise WfmFeedError(f"{name} is 0 to {MAX_COUNT}, not {getattr(self, name)}")
        for name in ("answer_ms", "handle_ms"):
            if not 0 <= getattr(self, name) <= MAX_MS:
                raise WfmFeedError(f"{name} is 0 to {MAX_MS}, not {getattr(self, name)}")
        if self.within > self.answered:
            raise WfmFeedError(f"{self.within} were answered in time, and {self.answered} at all")

    @property
    def mean_answer_s(self) -> float | None:
        """Mean wait of the answered, seconds; None where there is none."""
        return _mean(self.answer_ms, self.answered)

    @property
    def mean_handle_s(self) -> float | None:
        """Mean time that a call took, seconds; None where none ended."""
        return _mean(self.handle_ms, self.handled)


def _mean(total_ms: int, count: int) -> float | None:
    return round(total_ms / count) / 1000 if count else None


def _named(what: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise WfmFeedError(f"{what} is {name[:70]!r}; letters, digits and _ . @ - are due, 64 at most")
