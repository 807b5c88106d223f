"""A service centre's end of one SMPP 3.4 session: what may come in which state, answers, windows in both directions.

Theory. A connection is open until a bind is accepted, then bound as a transmitter, a receiver or both; an unbind ends
it. `ALLOWED` has a row for each state: the requests that it takes (section 2.2 and 2.3). What comes in another state is
answered ESME_RINVBNDSTS, what is no command of the table by a generic_nack. Of requests at most a window may be
unanswered; one beyond it is answered ESME_RTHROTTLED. What the centre sends has a window too, told by `room`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from harness.errors import SmppError
from harness.protocols.smpp import pdu as pdus
from harness.protocols.smpp.codes import RESPONSE, VERSION, Command, Status, Tag
from harness.protocols.smpp.pdu import MAX_SEQUENCE, Pdu, PduError, PduStream

DEFAULT_WINDOW: Final = 100
"""Requests that may be unanswered in one direction."""
BAD_UNITS: Final = 100
"""Units that can't be read on one session; it is closed then."""


class State(Enum):
    """Of a session."""

    OPEN = "open"
    TX = "bound as transmitter"
    RX = "bound as receiver"
    TRX = "bound as transceiver"
    CLOSED = "closed"


_C = Command
BINDS: Final = {
    _C.BIND_TRANSMITTER: State.TX,
    _C.BIND_RECEIVER: State.RX,
    _C.BIND_TRANSCEIVER: State.TRX,
}
_MESSAGES: Final = frozenset({_C.SUBMIT_SM, _C.SUBMIT_MULTI, _C.DATA_SM, _C.QUERY_SM, _C.CANCEL_SM, _C.REPLACE_SM})
_ALWAYS: Final = frozenset({_C.ENQUIRE_LINK, _C.UNBIND})
ALLOWED: Final[dict[State, frozenset[Command]]] = {
    State.OPEN: frozenset(BINDS) | {_C.ENQUIRE_LINK},
    State.TX: _MESSAGES | _ALWAYS,
    State.RX: _ALWAYS,
    State.TRX: _MESSAGES | _ALWAYS,
    State.CLOSED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class BindAsked:
    """Somebody wants to bind: answer by `bound` or `refuse`."""

    request: Pdu


@dataclass(frozen=True, slots=True)
class Asked:
    """A request about messages: answer by `answer`."""

    request: Pdu


@dataclass(frozen=True, slots=True)
class Answered:
    """What the centre sent is answered."""

    sequence: int
    status: int


@dataclass(frozen=True, slots=True)
class BadUnit:
    """A unit that could not be read, or did not fit; it was answered."""

    error: SmppError


@dataclass(frozen=True, slots=True)
class Closed:
    """The connection is to be closed, once what is due has been sent."""

    why: str


Event = BindAsked | Asked | Answered | BadUnit | Closed


class CentreSession:
    """One session at the centre's end. `receive` gives events, `take_output` the octets that are due."""

    def __init__(self, centre: str, window: int = DEFAULT_WINDOW) -> None:
        """``centre``: the system_id of the centre, up to 15 ASCII characters."""
        self.state = State.OPEN
        self.window = window
        self.takes_optional = True
        """Whether the client is of version 3.4 or later: one before it is sent no optional parameters."""
        self._centre = centre
        self._stream = PduStream()
        self._output = bytearray()
        self._unanswered: dict[int, Pdu] = {}
        """Requests that came, by sequence."""
        self._sent: set[int] = set()
        self._sequence = 0
        self._bad = 0

    @property
    def room(self) -> int:
        """How many more requests the centre may send; 0 where the session takes none."""
        return self.window - len(self._sent) if self.state in (State.RX, State.TRX) else 0

    @property
    def is_closed(self) -> bool:
        """Whether it is over."""
        return self.state is State.CLOSED

    def take_output(self) -> bytes:
        """The octets that are due."""
        data = bytes(self._output)
        self._output.clear()
        return data

    def receive(self, data: bytes) -> list[Event]:
        """Octets came."""
        if self.is_closed:
            return []
        events: list[Event] = []
        self._stream.push(data)
        while not self.is_closed:
            try:
                unit = self._stream.take()
                if unit is None:
                    break
                self._take(pdus.read(unit), events)
            except PduError as error:
                self._bad_unit(error, events)
        return events

    def _take(self, unit: Pdu, events: list[Event]) -> None:
        if unit.command & RESPONSE:
            if unit.sequence in self._sent and unit.command != _C.ENQUIRE_LINK_RESP:
                self._sent.discard(unit.sequence)
                status = unit.status or (Status.RSYSERR if unit.command == _C.GENERIC_NACK else Status.ROK)
                events.append(Answered(unit.sequence, status))
            return
        command = Command(unit.command)
        if command not in ALLOWED[self.state]:
            known = any(command in each for each in ALLOWED.values())
            bound = command in BINDS and self.state is not State.OPEN
            status = Status.RALYBND if bound else Status.RINVBNDSTS if known else Status.RINVCMDID
            events.append(BadUnit(SmppError(f"{command.name.lower()} while {self.state.value} (ESME_{status.name})")))
            self._answer(unit.answer(status) if known else Pdu(_C.GENERIC_NACK, unit.sequence, status))
        elif command is _C.ENQUIRE_LINK:
            self._answer(unit.answer())
        elif command is _C.UNBIND:
            self._answer(unit.answer())
            self._close("unbound by the client", events)
        elif unit.sequence in self._unanswered:
            events.append(BadUnit(SmppError(f"sequence {unit.sequence} is unanswered already")))
            self._answer(unit.answer(Status.RSYSERR))
        elif len(self._unanswered) >= self.window:
            self._answer(unit.answer(Status.RTHROTTLED))
        else:
            self._unanswered[unit.sequence] = unit
            events.append(BindAsked(unit) if command in BINDS else Asked(unit))

    def _bad_unit(self, error: PduError, events: list[Event]) -> None:
        events.append(BadUnit(error))
        answers = error.command in pdus.FIELDS and not error.command & RESPONSE and not error.lost
        if answers:
            self._answer(Pdu(error.command | RESPONSE, error.sequence, error.status))
        elif not error.command & RESPONSE or error.lost:
            self._answer(Pdu(_C.GENERIC_NACK, min(error.sequence, MAX_SEQUENCE), error.status))
        self._bad += 1
        if error.lost:
            self._close(str(error), events)
        elif self._bad >= BAD_UNITS:
            self._close(f"{BAD_UNITS} units could not be read", events)

    # -- what the centre does ----------------------------------------------------------------------------------------

    def bound(self, request: Pdu) -> None:
        """Accept a bind."""
        del self._unanswered[request.sequence]
        self.state = BINDS[Command(request.command)]
        self.takes_optional = request.number("interface_version") >= VERSION
        version = ((int(Tag.SC_INTERFACE_VERSION), bytes((VERSION,))),) if self.takes_optional else ()
        self._answer(replace(request.answer(fields={"system_id": self._centre}), tlvs=version))

    def answer(self, request: Pdu, status: int = Status.ROK, fields: Mapping[str, pdus.Value] | None = None) -> None:
        """Answer a request, once; nothing happens where the session is over."""
        if self._unanswered.pop(request.sequence, None) is not None and self.state is not State.CLOSED:
            self._answer(request.answer(status, fields))

    def forget(self, request: Pdu) -> None:
        """Leave a request unanswered for good, and its place in the window free."""
        self._unanswered.pop(request.sequence, None)

    def send(self, command: Command, fields: Mapping[str, pdus.Value], tlvs: tuple[pdus.Tlv, ...] = ()) -> int:
        """Send a request of the centre's and return its sequence. Raises SmppError for what can't be written."""
        self._sequence = self._sequence % MAX_SEQUENCE + 1
        self._output += Pdu(command, self._sequence, fields=fields, tlvs=tlvs).write()
        if command not in (_C.UNBIND, _C.ENQUIRE_LINK):
            self._sent.add(self._sequence)
        return self._sequence

    def overdue(self, sequence: int) -> None:
        """What the centre sent is answered no more."""
        self._sent.discard(sequence)

    def close(self, why: str) -> list[Event]:
        """End the session from the centre's side."""
        events: list[Event] = []
        if self.state is not State.CLOSED:
            if self.state is not State.OPEN:
                self.send(_C.UNBIND, {})
            self._close(why, events)
        return events

    def _answer(self, unit: Pdu) -> None:
        self._output += unit.write()

    def _close(self, why: str, events: list[Event]) -> None:
        self.state = State.CLOSED
        events.append(Closed(why))
