"""A conversation: two legs that hear each other, with hold, music, keys, and an end that takes both down."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import MediaError
from harness.protocols.cdr.codes import CALL_SPLIT, OnBehalfOf
from harness.protocols.sip import q850
from simulators.switch.call import CallState, SwitchCall
from simulators.switch.ends import LineEnd, Who
from simulators.switch.leg import Leg

if TYPE_CHECKING:
    from simulators.switch.core import Core


@dataclass(frozen=True, slots=True)
class Pairing:
    """Two ends that were, or were to be, connected: what a call detail record is of."""

    call: SwitchCall
    orig: Leg
    dest: Leg | None
    device: str = ""
    """Of a destination that is the switch itself."""
    began: float = 0.0
    connected: float | None = None
    ended: float = 0.0
    cause: int = 0
    by_orig: bool = True
    """Whether the cause is the originating end's."""
    cleared_by: int = OnBehalfOf.UNKNOWN
    joined_by: int = OnBehalfOf.UNKNOWN
    conversation: int = 0
    """The number of the conference that it led to."""


class Conversation:
    """Two legs."""

    def __init__(self, core: Core, call: SwitchCall, first: Leg, second: Leg, *, one_way: bool = False) -> None:
        """`first` is the originating leg. `one_way`: the second one is not heard until a key is pressed there."""
        self.core = core
        self.call = call
        self.legs = (first, second)
        self.one_way = one_way
        self.began = call.began
        self.connected = core.now()
        self._is_over = False
        self._lock = asyncio.Lock()
        for leg in self.legs:
            leg.joined, leg.call = self, call
        call.state = CallState.UP
        self.core.journal.record(
            call.id, "call.connected", orig=first.id, dest=second.id, from_=first.who.shown, to=second.who.shown
        )
        self.core.tell("call.connected", call)

    def other(self, leg: Leg) -> Leg:
        """The one that a leg speaks to."""
        first, second = self.legs
        return second if leg is first else first

    async def patch(self) -> None:
        """Join, or part, what the two hear, as it is to be now."""
        async with self._lock:
            for leg in self.legs:
                other = self.other(leg)
                speech = leg.speech
                if speech is None or other.speech is None or self._is_over:
                    continue
                try:
                    if leg.holds:
                        await speech.sound()
                    elif other.holds:
                        await speech.sound(clip=self.core.music)
                    elif self.one_way and leg is self.legs[0]:
                        await speech.sound()
                    else:
                        await speech.sound(hears=[other.speech.port])
                except MediaError as error:  # a port that closed between the asking and the doing
                    self.core.journal.record(self.call.id, "patch.late", leg=leg.id, reason=str(error))

    # leg.Joined

    def partner_of(self, leg: Leg) -> Who:
        """The other one."""
        other = self.other(leg)
        if isinstance(other.end, LineEnd):
            settings = other.end.line.settings
            return Who(other.end.number, settings.name, settings.withheld)
        return other.who

    def changed(self, leg: Leg) -> None:
        """Somebody holds, or holds no more."""
        self.core.journal.record(self.call.id, "call.held" if leg.holds else "call.agreed", leg=leg.id)
        self.core.tell("call.held" if leg.holds else "call.resumed", self.call)
        self.core.spawn(self.patch())

    def left(self, leg: Leg) -> None:
        """One hung up, so the other one is, too."""
        if self._is_over:
            return
        other = self.other(leg)
        first, _ = self.legs
        cause = leg.cause or q850.NORMAL_UNSPECIFIED
        self._end(cause, by_orig=leg is first, cleared_by=OnBehalfOf.DEVICE)
        self.call.state = CallState.OVER
        other.joined = None
        other.hang_up(cause=cause if cause <= q850.MAX_CAUSE else q850.NORMAL_CLEARING)
        self.core.call_over(self.call)

    def key(self, leg: Leg, digit: str) -> None:
        """A key goes to the other one; in an intercom call it opens the way back."""
        if self.one_way and leg is self.legs[1]:
            self.one_way = False
            self.core.spawn(self.patch())
            return
        self.other(leg).send_key(digit)

    def replace(self, old: Leg, new: Leg) -> None:
        """Another leg takes the place of one; nobody is hung up on."""
        first, second = self.legs
        self._end(CALL_SPLIT, by_orig=True, cleared_by=OnBehalfOf.TRANSFER)
        old.joined = None
        self.legs = (new, second) if old is first else (first, new)
        self.began = self.connected = self.core.now()
        self._is_over = False
        new.joined, new.call = self, self.call
        self.core.spawn(self.patch())

    def release(self, leg: Leg) -> None:
        """A leg goes elsewhere: the conversation is over, and both are joined to nothing."""
        if self._is_over:
            return
        self._end(CALL_SPLIT, by_orig=True, cleared_by=OnBehalfOf.TRANSFER)
        for each in self.legs:
            each.joined = None
            each.ordered_hold = False

    def _end(self, cause: int, *, by_orig: bool, cleared_by: int) -> None:
        self._is_over = True
        first, second = self.legs
        self.core.paired(
            Pairing(
                self.call,
                first,
                second,
                began=self.began,
                connected=self.connected,
                ended=self.core.now(),
                cause=cause,
                by_orig=by_orig,
                cleared_by=cleared_by,
                joined_by=self.call.joined_by,
            )
        )
