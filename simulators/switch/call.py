"""A call through the switch while it is being set up: who called whom, how it was diverted, what rings for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Final

from harness.endpoints.sip.incoming import UNANSWERED, IncomingCall
from harness.errors import HarnessError
from harness.protocols.cdr.codes import OnBehalfOf, Redirect
from harness.protocols.sip.diversion import Why
from harness.protocols.sip.grammar import REASONS
from simulators.switch.ends import TrunkEnd, Who
from simulators.switch.identities import connected_headers
from simulators.switch.joining import LegState
from simulators.switch.leg import Leg
from simulators.switch.sounds import ringing_tone
from simulators.switch.speech import Clip

if TYPE_CHECKING:
    from simulators.switch.core import Core
    from simulators.switch.emergency import EmergencyCall
    from simulators.switch.ringing import Ringing

MAX_DIVERSIONS: Final = 5
"""Diversions of one call; a further one is a loop, and refused with 482."""
RINGING_TONE: Final = Clip(ringing_tone())


class CallState(StrEnum):
    """How far a call is."""

    SETTING_UP = "setting_up"
    ALERTING = "alerting"
    UP = "up"
    OVER = "over"


class Failed(Enum):
    """Why nobody took a call."""

    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNREGISTERED = "unregistered"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that came to nothing."""

    status: int
    why: Failed = Failed.REFUSED
    reason: str = ""
    retry_after: int | None = None
    moved_to: str = ""
    """Where a 3xx sends it."""

    def __str__(self) -> str:
        return f"{self.status} {self.reason or REASONS.get(self.status, '')}".rstrip()


def nothing() -> None:
    """For what nobody waits for."""


class Served:
    """The switch itself has taken the call: nothing rings any more."""


SERVED: Final = Served()
Outcome = Leg | Refusal | Served


@dataclass(frozen=True, slots=True)
class Diverted:
    """One diversion of a call."""

    by: str
    """The number that diverted."""
    to: str
    why: Why


REDIRECTS: Final = {
    Why.UNCONDITIONAL: Redirect.FORWARD_ALL,
    Why.USER_BUSY: Redirect.FORWARD_BUSY,
    Why.NO_ANSWER: Redirect.FORWARD_NO_ANSWER,
    Why.UNAVAILABLE: Redirect.FORWARD_UNREGISTERED,
    Why.DEFLECTION: Redirect.DEFLECTION,
    Why.DO_NOT_DISTURB: Redirect.DO_NOT_DISTURB,
}


@dataclass(eq=False)
class SwitchCall:
    """One call. While it is being set up its caller's leg is joined to it."""

    core: Core
    number: int
    """Its number in call records."""
    origin: Leg
    """The caller's leg; another one takes its place where the caller is transferred."""
    dialled: str
    who: Who
    """Who calls."""
    state: CallState = CallState.SETTING_UP
    called: str = ""
    """To whom it was put last."""
    original: str = ""
    """Whom the caller called, translated."""
    pattern: str = ""
    """The pattern of the dial plan that led there."""
    diversions: list[Diverted] = field(default_factory=list)
    hunt: str = ""
    """The hunt group or call queue that it came by."""
    queue: str = ""
    """The call queue in which it waited."""
    emergency: EmergencyCall | None = None
    is_intercom: bool = False
    """Whether who is called answers by themselves."""
    is_click_to_dial: bool = False
    """Whether it was placed by the control interface."""
    joined_by: int = OnBehalfOf.UNKNOWN
    """What put its two legs together."""
    redirected_by: int = OnBehalfOf.UNKNOWN
    redirect_reason: int = Redirect.UNKNOWN
    """Of a call that was transferred, parked or picked up, beside its diversions."""
    transferred_by: Leg | None = None
    """The leg that sent its caller on, where one did."""
    told: str = ""
    """What the transferor is told when all is well, beside the status."""
    takes_origin: bool = True
    """Whether its caller waits for it; not for one who calls somebody into a conference."""
    on_alert: Callable[[], None] = nothing
    on_left: Callable[[], None] = nothing
    ringing: list[Leg] = field(default_factory=list)
    """What rings for it now."""
    tried: Leg | None = None
    """The leg that was tried last."""
    rings: Ringing | None = None
    """What rings for it, while anything does."""
    won: asyncio.Future[Leg | Refusal] | None = None
    """Who takes it of what rings; also for one who picks it up."""
    task: asyncio.Task[None] | None = None
    began: float = 0.0

    def __post_init__(self) -> None:
        self.began = self.core.now()
        if self.takes_origin:
            self.take_origin(self.origin)

    @property
    def id(self) -> str:
        """Its name in journals and at the control interface."""
        return f"{self.core.prefix}call-{self.number}"

    def take_origin(self, leg: Leg) -> None:
        """Make a leg the caller's."""
        self.origin = leg
        leg.joined, leg.call = self, self

    @property
    def targets(self) -> Sequence[Leg]:
        """What rings for it, and can be picked up."""
        return [leg for leg in self.ringing if leg.state in (LegState.PLACED, LegState.RINGING)]

    # What its caller is told

    def alerting(self, leg: Leg | None = None) -> None:
        """Somebody is rung."""
        first = self.state is not CallState.ALERTING
        self.state = CallState.ALERTING
        origin = self.origin
        if first:
            self.on_alert()
        if origin.joined is not self:
            return
        sip = origin.sip
        if isinstance(sip, IncomingCall) and sip.state in UNANSWERED:
            if sip.status < 180:
                sip.ring(headers=connected_headers(self, leg))
                self.core.tell("call.alerting", self)
        elif origin.is_up and origin.speech is not None:
            self.core.spawn(origin.speech.sound(clip=RINGING_TONE))

    async def early_media(self, leg: Leg, answer: bytes) -> None:
        """Somebody who is rung already speaks: announcements, a network's own ringing tone."""
        origin = self.origin
        if leg.speech is None or not isinstance(leg.end, TrunkEnd):
            self.alerting(leg)
            return
        try:
            early = leg.speech.take_early(answer)
            await leg.speech.apply(early)
            if origin.state is LegState.OFFERED:
                await origin.ring_with_speech(183, connected_headers(self, leg))
            self.state = CallState.ALERTING
            if origin.speech is not None and leg.state is not LegState.OVER:
                await origin.speech.sound(hears=[leg.speech.port])
        except HarnessError as error:
            self.core.journal.record(self.id, "call.no_early_media", reason=str(error))

    # Taking it

    def pick_up(self, leg: Leg) -> bool:
        """Let another leg take it in place of what rings; whether it can be taken still."""
        if self.won is None or self.won.done():
            return False
        self.won.set_result(leg)
        return True

    async def answer_origin(self, leg: Leg | None = None) -> None:
        """Answer the caller, unless that was done. Raises SdpError, MediaError, SipLocalError."""
        if self.origin.state is LegState.OFFERED:
            await self.origin.accept(connected_headers(self, leg))

    def refuse(self, refusal: Refusal) -> None:
        """It came to nothing."""
        if self.state is CallState.OVER:
            return
        self.state = CallState.OVER
        self.core.refused(self, refusal)

    # What its caller's leg is told of (leg.Joined)

    def partner_of(self, leg: Leg) -> Who:
        """Whom it rings."""
        line = self.core.lines.find(self.called or self.dialled)
        return Who(self.called or self.dialled, line.settings.name if line is not None else "")

    def changed(self, leg: Leg) -> None:
        """A caller on hold who is not through yet hears nothing."""

    def left(self, leg: Leg) -> None:
        """The caller gave up."""
        if leg is self.origin and self.state is not CallState.OVER:
            self.on_left()
            self.core.abandoned(self)

    def key(self, leg: Leg, digit: str) -> None:
        """Keys before the answer go to whoever gives early media."""
        for each in self.targets:
            if each.speech is not None and each.speech.agreed is not None:
                each.send_key(digit)

    def replace(self, old: Leg, new: Leg) -> None:
        """The caller was transferred while it rang."""
        old.joined = None
        self.take_origin(new)
        if self.state is CallState.ALERTING:
            self.alerting()

    def release(self, leg: Leg) -> None:
        """Nobody takes a caller out of a call that is being set up."""
        leg.joined = None
