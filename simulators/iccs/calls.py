"""A call as the switch holds it, and the table of where it can go from where it stands.

Theory. A call by a menu's number begins in MENU, one that a position or a callback places in DIALLING, any other in
RINGING. RINGING is waiting: in a queue, at one position, or at a position to which it was passed on. Whoever takes it
makes it ANSWERING until its media is there, then CONNECTED; a caller who asked to be called back is DIALLING first, and
goes back to RINGING when that fails. A conversation that is on hold is CONNECTED still.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Any, Final

from harness.errors import LocalError

if TYPE_CHECKING:
    from harness.endpoints.sip.call import Call
    from harness.protocols.sip.emergency_call import Mark
    from simulators.iccs.callbacks import Callback
    from simulators.iccs.conversations import Conversation
    from simulators.iccs.leg import Leg
    from simulators.iccs.positions import Position
    from simulators.iccs.records import CallRecord


class CallState(StrEnum):
    """Where a call stands at the switch."""

    MENU = "menu"
    """The caller goes through a menu."""
    RINGING = "ringing"
    """Presented, or in a queue; nobody has taken it."""
    ANSWERING = "answering"
    """A position has taken it; its media is being set up."""
    CONNECTED = "connected"
    DIALLING = "dialling"
    """Placed by us; the other side has not answered."""
    ENDED = "ended"


class Step(Enum):
    """What moves a call on."""

    QUEUE = "is put into a queue"
    TAKE = "is taken"
    DIAL = "is dialled"
    CONNECT = "is connected"
    HAND_ON = "is passed on"
    RETURN = "is not reached"
    END = "ends"


STATES: Final = {
    (CallState.MENU, Step.QUEUE): CallState.RINGING,
    (CallState.MENU, Step.END): CallState.ENDED,
    (CallState.RINGING, Step.QUEUE): CallState.RINGING,
    (CallState.RINGING, Step.TAKE): CallState.ANSWERING,
    (CallState.RINGING, Step.DIAL): CallState.DIALLING,
    (CallState.RINGING, Step.CONNECT): CallState.CONNECTED,
    (CallState.RINGING, Step.HAND_ON): CallState.RINGING,
    (CallState.RINGING, Step.END): CallState.ENDED,
    (CallState.ANSWERING, Step.CONNECT): CallState.CONNECTED,
    (CallState.ANSWERING, Step.END): CallState.ENDED,
    (CallState.CONNECTED, Step.HAND_ON): CallState.RINGING,
    (CallState.CONNECTED, Step.END): CallState.ENDED,
    (CallState.DIALLING, Step.CONNECT): CallState.CONNECTED,
    (CallState.DIALLING, Step.RETURN): CallState.RINGING,
    (CallState.DIALLING, Step.END): CallState.ENDED,
}
"""Every step that a call can take; any other is an error and changes nothing."""


class CallStateError(LocalError):
    """A call was asked for a step that its state does not allow."""


@dataclass(slots=True, eq=False)
class SwitchCall:
    """One call through the switch: the leg to somebody outside, or from one position to another."""

    id: str
    """``call-1`` …, as consoles and reports name it."""
    record: CallRecord
    """The record that it is part of; several calls share one where they are about the same caller."""
    sip: Call | None
    """The SIP side; None until a call that we place has gone out, and between positions."""
    queue: str | None
    """The queue it came in by, or None for a call to or from a position itself."""
    cli: str | None
    """The other side's number: of a caller as the network gave it, None when withheld; else what was dialled."""
    since: float
    """Run time from which its waiting counts, seconds."""
    state: CallState = CallState.RINGING
    trunk: str = ""
    """The trunk it came or went by; empty for telephones and between positions."""
    came: bool = False
    """Whether somebody outside placed it; else one of ours did."""
    text: bool = False
    """Whether it brings, or is to bring, real-time text."""
    emergency: bool = False
    flags: tuple[str, ...] = ()
    """What the position is shown of it besides: ``silent``, ``critical``, ``buddy``, ``relay`` …"""
    notes: dict[str, Any] = field(default_factory=dict)
    """What else the position is shown of it, by name."""
    shows: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """What else each position that gets it is shown: an eCall's data."""
    mark: Mark | None = None
    """What the 999 network said of it last."""
    answered: float | None = None
    """Run time at which an adviser first had it, seconds."""
    due: bool = False
    """Whether it has rung so long that a position answers by itself, where positions do."""
    presented: list[Position] = field(default_factory=list)
    """The positions at which it rings."""
    offered_to: Position | None = None
    """The one adviser to whom a queue offers it now."""
    conversation: Conversation | None = None
    """Who talks with whom, once it was taken."""
    leg: Leg | None = None
    """Its media, once there is any."""
    caller: Position | None = None
    """Of a call between positions, the one that placed it."""
    sender: Position | None = None
    """Of a call that was passed on, the position that did it and gets it back."""
    callback: Callback | None = None
    """Set where it stands in a queue for a caller who is to be called back."""

    def step(self, what: Step) -> None:
        """Move on. Raises CallStateError where that can't be from here."""
        after = STATES.get((self.state, what))
        if after is None:
            raise CallStateError(f"{self.id} is {self.state} and can't be what {what.value}")
        self.state = after

    @property
    def waits(self) -> bool:
        """Whether nobody has taken it."""
        return self.state is CallState.RINGING

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.state is CallState.ENDED

    def shown(self) -> dict[str, Any]:
        """Return the call as consoles are told of it."""
        told: dict[str, Any] = {"call": self.id, "queue": self.queue, "cli": self.cli, "record": self.record.id}
        if self.flags:
            told["flags"] = list(self.flags)
        return {**told, **self.notes}
