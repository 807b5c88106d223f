"""Calls as one party has them: what a control interface shows of each, while it is up and afterwards."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Final

from simulators.switch.call import CallState, SwitchCall
from simulators.switch.conversation import Conversation
from simulators.switch.ends import LineEnd, Who
from simulators.switch.joining import LegState
from simulators.switch.leg import Leg

KEPT: Final = 2_000
"""Parties whose call is over that are remembered."""
MAX_SUBSCRIBERS: Final = 64


class PartyState(StrEnum):
    """How a call stands for one party."""

    CONNECTING = "connecting"
    """It calls; nobody rings yet."""
    ALERTING = "alerting"
    """It is rung, or whom it calls is."""
    CONNECTED = "connected"
    HELD = "held"
    """It holds the other one."""
    REMOTE_HELD = "remote_held"
    """The other one holds it."""
    DISCONNECTED = "disconnected"


class Personality(StrEnum):
    """How a party came to the call."""

    ORIGINATOR = "originator"
    TERMINATOR = "terminator"
    CLICK_TO_DIAL = "click_to_dial"


@dataclass(frozen=True, slots=True)
class Party:
    """A call of one leg's."""

    id: str
    """The leg's name, which every order of the control interface takes."""
    call: str
    """The call's name, which all its parties share."""
    end: str
    """The telephone's or trunk's name."""
    line: str
    """The line's number; empty for a trunk."""
    personality: Personality
    state: PartyState
    number: str
    """The other party's; empty where it is withheld or unknown."""
    name: str
    dialled: str
    created: float
    """Run time, seconds."""
    answered: float | None
    ended: float | None
    is_emergency: bool
    is_secured: bool
    codec: str
    reason: str = ""
    """Why it is over."""
    queue: str = ""
    """The call queue in which its caller waited, by its number."""

    def shown(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class PartyEvent:
    """Something that happened to a party's call."""

    kind: str
    """``created``, ``updated`` or ``ended``."""
    party: Party


Subscriber = Callable[[PartyEvent], None]


def state_of(leg: Leg) -> PartyState:
    """How a leg's call stands for it."""
    if leg.is_over:
        return PartyState.DISCONNECTED
    if leg.state in (LegState.PLACED, LegState.RINGING):
        waits = leg.call is not None and leg.call.origin is leg
        return PartyState.CONNECTING if waits else PartyState.ALERTING
    if isinstance(leg.joined, SwitchCall):
        return PartyState.ALERTING if leg.joined.state is CallState.ALERTING else PartyState.CONNECTING
    if leg.holds:
        return PartyState.HELD
    if isinstance(leg.joined, Conversation) and leg.joined.other(leg).holds:
        return PartyState.REMOTE_HELD
    return PartyState.CONNECTED


def _partner(leg: Leg) -> Who:
    if leg.joined is not None:
        return leg.joined.partner_of(leg)
    call = leg.call
    if call is not None and call.origin is not leg:
        return call.who
    return Who(call.called or call.dialled) if call is not None else Who()


def party_of(leg: Leg) -> Party:
    """A leg's call as it has it."""
    call = leg.call
    personality = Personality.ORIGINATOR if leg.is_incoming else Personality.TERMINATOR
    if call is not None and call.is_click_to_dial and call.origin is leg:
        personality = Personality.CLICK_TO_DIAL
    who = _partner(leg)
    agreed = leg.speech.agreed if leg.speech is not None else None
    return Party(
        leg.id,
        call.id if call is not None else "",
        leg.end.name,
        leg.end.number if isinstance(leg.end, LineEnd) else "",
        personality,
        state_of(leg),
        who.shown,
        who.display if who.shown else "",
        call.dialled if call is not None else "",
        round(leg.began, 6),
        None if leg.answered is None else round(leg.answered, 6),
        None if leg.ended is None else round(leg.ended, 6),
        call is not None and call.emergency is not None,
        leg.speech is not None and leg.speech.is_secured,
        agreed.codec if agreed is not None else "",
        leg.sip.reason if leg.is_over else "",
        call.queue if call is not None else "",
    )


class Parties:
    """The parties of one switch: what was told of each last, and who is told."""

    def __init__(self) -> None:
        self._known: dict[str, Party] = {}
        self.over: deque[Party] = deque(maxlen=KEPT)
        """Those whose call is over, oldest first."""
        self._subscribers: list[Subscriber] = []

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Tell `subscriber` whatever happens to a party; what is returned ends that."""
        self._subscribers.append(subscriber)
        del self._subscribers[:-MAX_SUBSCRIBERS]
        return lambda: self._subscribers.remove(subscriber) if subscriber in self._subscribers else None

    def look(self, leg: Leg) -> None:
        """Something may have changed for a leg."""
        party = party_of(leg)
        known = self._known.get(leg.id)
        if known == party:
            return
        if leg.is_over:
            if self._known.pop(leg.id, None) is not None:
                # Whom it spoke to was told while it was up.
                last = known if known is not None else party
                party = _ended(party, last)
                self.over.append(party)
                self._tell("ended", party)
            return
        self._known[leg.id] = party
        self._tell("created" if known is None else "updated", party)

    def _tell(self, kind: str, party: Party) -> None:
        for subscriber in tuple(self._subscribers):
            subscriber(PartyEvent(kind, party))


def _ended(party: Party, last: Party) -> Party:
    """A party whose leg is over, with whom it spoke to."""
    return replace(
        party, number=last.number, name=last.name, call=last.call, personality=last.personality, queue=last.queue
    )
