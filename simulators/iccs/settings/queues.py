"""Queues in an ICCS's settings: who serves them, how calls are offered, what waiting callers hear, where calls go then.

Figures marked [p] are put forward by this project and still to be agreed: each is a setting, none is a constant.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from simulators.iccs.settings.base import Clip, Digit, Number, PositionId, QueueName, Role, Seconds, Skill
from simulators.settings import Strict

EMERGENCY_NUMBERS = frozenset({"999", "112", "18000"})
"""A queue that one of these leads to is an emergency queue, unless it says otherwise."""


class ServiceLevel(Strict):
    """What share of calls is to be answered how soon."""

    share: float = Field(default=90, gt=0, le=100)
    """Per cent of the calls."""
    within_s: float = Field(default=10, gt=0, le=3600)


class Waiting(Strict):
    """What a caller hears while nobody answers. Without music, there is ringing as before."""

    busy: Clip | None = None
    """Said when nobody is free to answer (NICCS-TEL-005), and again every ``busy_every_s``."""
    busy_after_s: Seconds = 0.0
    """How long after the call came nobody must have been free. [p]"""
    busy_every_s: Seconds = 30.0
    """[p]"""
    early: bool = True
    """Whether a call that is not answered yet hears it as early media (183), so that it is answered by an adviser. Else
    the call is answered (200) for it."""
    queued_every_s: Seconds = 20.0
    """How often the network is told (182) that a call is queued still, where it is not answered yet; 0: never. It takes
    a call that only rings for one that nobody will answer, and tries another route."""
    music: Clip | None = None
    position_every_s: Seconds = 0.0
    """How often the caller's place in the queue and the wait to be expected are said; 0: never. [p]"""
    handling_s: float = Field(default=300.0, gt=0, le=7200)
    """How long a call is taken to last before there is anything to reckon the wait from. [p]"""


class CallbackSettings(Strict):
    """A caller who has waited long is offered to be called back, and keeps the place (NICCS-TEL-017)."""

    after_s: Seconds = 120.0
    """Wait from which on it is offered, once. [p]"""
    longer_than_s: Seconds = 0.0
    """It is offered only where the wait still to be expected is longer than this. [p]"""
    digit: Digit = "1"
    """The key that accepts it."""
    answer_s: Seconds = 5.0
    """How long after the offer the key may come. [p]"""
    attempts: int = Field(default=2, ge=1, le=10)
    """Times that the caller is rung. [p]"""
    ring_s: float = Field(default=30.0, gt=0, le=300)
    """How long each time. [p]"""
    retry_s: Seconds = 300.0
    """Between two attempts. [p]"""


class Overflow(Strict):
    """When a call leaves its queue for another, or is sent away."""

    after_s: Seconds | None = None
    """Once it has waited so long."""
    longer_than: int | None = Field(default=None, ge=0, le=10_000)
    """When it comes and so many wait already."""
    to: QueueName | None = None
    """The queue that it goes to, with the time that it has waited; None: it hears ``say`` and is cleared."""
    say: Clip | None = None

    @model_validator(mode="after")
    def _has_cause(self) -> Overflow:
        if self.after_s is None and self.longer_than is None:
            raise ValueError("an overflow needs 'after_s' or 'longer_than'")
        if self.to is not None and self.say is not None:
            raise ValueError("'say' is for callers that are sent away: leave out 'to'")
        return self


class QueueSettings(Strict):
    """One queue. Earlier queues are served first."""

    numbers: tuple[Number, ...] = ()
    """Numbers that lead to it."""
    emergency: bool | None = None
    """Whether its callers are located, rung back when they give up, and so on; None: as its numbers say."""
    roles: tuple[Role, ...] = Field(default=("call_taker",), min_length=1)
    """Who serves it."""
    skills: tuple[Skill, ...] = ()
    """What an adviser must have, all of them."""
    presentation: Literal["broadcast", "longest_idle"] = "broadcast"
    """``broadcast``: a call rings at every position that serves the queue, and the first to answer has it.
    ``longest_idle``: it is offered to the adviser who has been available for longest, then to the next."""
    site: PositionId | None = None
    """The site whose advisers come first."""
    local_s: Seconds = 0.0
    """How long a call is kept for that site alone, before the first available adviser anywhere has it. [p]"""
    offer_s: float = Field(default=20.0, gt=0, le=600)
    """How long one adviser is offered a call. [p]"""
    unanswered: Literal["break", "available"] = "break"
    """What becomes of an adviser who lets an offer pass."""
    wrap_up_s: Seconds = 0.0
    """How long an adviser writes up a call of this queue before the next one is offered. [p]"""
    service_level: ServiceLevel = ServiceLevel()
    waiting: Waiting = Waiting()
    callback: CallbackSettings | None = None
    overflow: Overflow | None = None

    @property
    def is_emergency(self) -> bool:
        """Whether its callers are in an emergency, as far as the number that they dialled tells."""
        if self.emergency is not None:
            return self.emergency
        return not EMERGENCY_NUMBERS.isdisjoint(self.numbers)


class CriticalSettings(Strict):
    """Numbers that agencies ring in a spate: they go round the queues, to whoever is free (NICCS-TEL-012)."""

    numbers: tuple[Number, ...] = ()
    roles: tuple[Role, ...] = ("supervisor",)
    """Who is rung whether free or not; any position that is free is rung besides."""
