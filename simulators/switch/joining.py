"""What a leg can be, and what it can be joined to."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from simulators.switch.ends import Who

if TYPE_CHECKING:
    from simulators.switch.leg import Leg


class LegState(StrEnum):
    """How far a leg is."""

    OFFERED = "offered"
    """They call us; unanswered."""
    PLACED = "placed"
    """We call them; nothing is known yet."""
    RINGING = "ringing"
    """We call them, and it rings."""
    UP = "up"
    OVER = "over"


class Joined(Protocol):
    """What a leg is joined to: another leg, a conference, a mailbox, a slot in the park, or a call being set up."""

    def partner_of(self, leg: Leg) -> Who:
        """Whom the leg speaks to."""

    def changed(self, leg: Leg) -> None:
        """The leg was put on hold or taken off it, or its speech was agreed anew."""

    def left(self, leg: Leg) -> None:
        """The leg is over."""

    def key(self, leg: Leg, digit: str) -> None:
        """A key was pressed on the leg."""

    def replace(self, old: Leg, new: Leg) -> None:
        """Another leg takes the place of one; the old one is joined to nothing then."""

    def release(self, leg: Leg) -> None:
        """The leg goes elsewhere: it is joined to nothing then."""


class PassedThrough(Protocol):
    """What relays a leg's session descriptions."""

    async def anchor(self, leg: Leg) -> None:
        """Bring the leg's speech to the switch. Raises HarnessError."""
