"""Transactions (RFC 3261 §17): each takes messages and timer expiries and returns what is to be done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip.grammar import BRANCH_COOKIE
from harness.protocols.sip.message import Request, Response
from harness.protocols.sip.state import REFUSED, TABLES, Cell, Do, Event, State


@dataclass(frozen=True, slots=True)
class Timing:
    """The timers' base values (§17.1.1.1), in seconds; tests shorten them."""

    t1: float = 0.5
    """Round-trip estimate."""
    t2: float = 4.0
    """Longest interval of repeating a non-INVITE request or an INVITE's answer."""
    t4: float = 5.0
    """Longest time a message stays in the network."""
    patience: float = field(init=False)
    """64*T1: how long anything is waited for."""
    programs: dict[tuple[str, bool], _Program] = field(init=False, compare=False, repr=False, default_factory=dict)
    """The tables as prepared for these values, by name and kind of transport."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "patience", 64 * self.t1)


DEFAULT_TIMING: Final = Timing()


class Action(NamedTuple):
    """One thing that the endpoint is to do for a transaction."""

    do: Do
    """SEND, SET, STOP, PASS or TIMEOUT; the other kinds of step are resolved into these."""
    data: bytes = b""
    """SEND: the datagram."""
    timer: str = ""
    """SET, STOP, TIMEOUT: the timer's letter."""
    delay: float = 0.0
    """SET: seconds from now."""
    message: Request | Response | None = None
    """PASS: what the core is given."""


Key = tuple[str | int | None, ...]
"""What a transaction is found by in its endpoint's table."""

TIMER_EVENTS: Final = {letter: Event(f"timer {letter}") for letter in "ABDEFGHIJKLM"}
ABSORBING: Final = frozenset((State.COMPLETED, State.CONFIRMED, State.ACCEPTED, State.TERMINATED))
"""States in which a transaction only absorbs what comes late."""
REPEATING: Final = frozenset("AEG")
"""Timers that repeat a message: not set over a reliable transport."""
_LINGERING: Final = frozenset("DIJK")
"""Timers that wait for late copies: zero over a reliable transport."""

# A module's own names are found quicker than an enumeration's, and this is the busiest code of the engine; so is
# making the tuple without the named tuple's keyword handling.
_SEND, _PASS = Do.SEND, Do.PASS
_SEND_1XX, _SEND_2XX, _SEND_FINAL = Event.SEND_1XX, Event.SEND_2XX, Event.SEND_FINAL
_new = tuple.__new__

_Prepared = tuple[State, tuple[tuple[Do, Action | None, str], ...]]
"""A cell whose steps are actions already, where they don't depend on the message or the moment."""
_Program = dict[State, dict[Event, _Prepared]]
"""A table for one timing and kind of transport; only the cells in which something happens."""


def _program(kind: str, timing: Timing, reliable: bool) -> _Program:
    """Prepare one of the tables, once: SET and STOP become the actions that they always are."""
    program: _Program = {}
    for state, row in TABLES[kind].items():
        prepared = program[state] = {}
        for event, cell in row.items():
            if isinstance(cell, Cell):
                steps = [step for step in cell.steps if not (reliable and step.timer in REPEATING)]
                fixed = [(do, _fixed(do, letter, timing, reliable), letter) for do, letter in steps]
                prepared[event] = cell.state, tuple(fixed)
    timing.programs[kind, reliable] = program
    return program


def _fixed(do: Do, letter: str, timing: Timing, reliable: bool) -> Action | None:
    if do is Do.STOP:
        return Action(do, timer=letter)
    if do is Do.TIMEOUT:
        return Action(do)
    if do is not Do.SET:
        return None
    if letter in REPEATING:
        return Action(do, timer=letter, delay=timing.t1)
    if reliable and letter in _LINGERING:
        return Action(do, timer=letter, delay=0.0)
    return Action(do, timer=letter, delay=timing.t4 if letter in "IK" else timing.patience)


class Transaction:
    """What the four kinds have in common: a table, a state, the message to repeat, and the repeat interval."""

    __slots__ = ("_interval", "_program", "_sent", "_timing", "key", "kind", "method", "state")

    method: str

    def _begin(self, kind: str, state: State, key: Key, timing: Timing, reliable: bool) -> None:
        self.kind = kind
        """Which of TABLES it walks."""
        self._program = timing.programs.get((kind, reliable)) or _program(kind, timing, reliable)
        self._timing = timing
        self._sent = b""
        self._interval = timing.t1
        self.state = state
        self.key = key
        """Its name in the endpoint's table."""

    @property
    def absorbing(self) -> bool:
        """Whether it only lingers to absorb what comes late."""
        return self.state in ABSORBING

    @property
    def ended(self) -> bool:
        """Whether it can be forgotten."""
        return self.state is State.TERMINATED

    def end(self) -> None:
        """Be over at once: its endpoint forgets it."""
        self.state = State.TERMINATED

    def expire(self, timer: str) -> list[Action]:
        """A timer that was set has run out."""
        return self._handle(TIMER_EVENTS[timer], None)

    def _handle(self, event: Event, message: Request | Response | None) -> list[Action]:
        prepared = self._program[self.state].get(event)
        if prepared is None:
            if TABLES[self.kind][self.state][event] is REFUSED:
                raise SipLocalError(f"{event} is not allowed for a {self.method} that is {self.state}")
            return []
        self.state, steps = prepared
        actions: list[Action] = []
        for do, fixed, timer in steps:
            if fixed is not None:
                actions.append(fixed)
            elif do is _SEND:
                assert message is not None
                self._sent = bytes(message)
                actions.append(_new(Action, (_SEND, self._sent, "", 0.0, None)))
            elif do is _PASS:
                actions.append(_new(Action, (_PASS, b"", "", 0.0, message)))
            elif do is Do.RESEND:
                if self._sent:
                    actions.append(Action(_SEND, self._sent))
            elif do is Do.AGAIN:
                actions.append(Action(Do.SET, timer=timer, delay=self._next_value(timer)))
            else:
                assert isinstance(message, Response)
                self._sent = bytes(self._ack(message))
                actions.append(Action(_SEND, self._sent))
        return actions

    def _ack(self, response: Response) -> Request:
        raise NotImplementedError

    def _next_value(self, timer: str) -> float:
        if timer == "E" and self.state is State.PROCEEDING:
            self._interval = self._timing.t2
        elif timer == "A":
            self._interval *= 2
        else:
            self._interval = min(2 * self._interval, self._timing.t2)
        return self._interval


class ClientTransaction(Transaction):
    """A request of ours: INVITE (§17.1.1) or any other but ACK (§17.1.2)."""

    __slots__ = ("request",)

    def __init__(
        self, request: Request, timing: Timing = DEFAULT_TIMING, branch: str = "", *, reliable: bool = False
    ) -> None:
        """`branch`: that of its Via, where it is known already. `reliable`: it goes over TCP or TLS."""
        self.request = request
        """The request that it sends."""
        self.method = method = request.method
        kind = "INVITE client" if method == "INVITE" else "client"
        self._begin(kind, State.INITIAL, (branch or request.via.branch, method), timing, reliable)

    def start(self) -> list[Action]:
        """Send the request."""
        return self._handle(Event.START, self.request)

    def _ack(self, response: Response) -> Request:
        return ack_for(self.request, response)

    def receive(self, response: Response) -> list[Action]:
        """A response with this transaction's branch and method has come."""
        if response.status < 200:
            return self._handle(Event.GOT_1XX, response)
        return self._handle(Event.GOT_2XX if response.status < 300 else Event.GOT_FINAL, response)

    def abandon(self) -> list[Action]:
        """Give the request up without a word (§9.1); nothing happens once a final response came."""
        return [] if self.absorbing else self._handle(Event.ABANDON, None)


class ServerTransaction(Transaction):
    """A request of the peer's: INVITE (§17.2.1) or any other but ACK (§17.2.2).

    The request itself is not kept: thousands of these linger under load, each only to repeat its answer.
    """

    __slots__ = ()

    def __init__(
        self, request: Request, timing: Timing = DEFAULT_TIMING, key: Key | None = None, *, reliable: bool = False
    ) -> None:
        """`key`: its `server_key`, where that is known already. `reliable`: it came over TCP or TLS."""
        self.method = method = request.method
        kind, state = ("INVITE server", State.PROCEEDING) if method == "INVITE" else ("server", State.TRYING)
        self._begin(kind, state, key or server_key(request), timing, reliable)

    def receive(self, request: Request) -> list[Action]:
        """The request came again, or its ACK came."""
        return self._handle(Event.GOT_ACK if request.method == "ACK" else Event.GOT_REQUEST, request)

    def respond(self, response: Response) -> list[Action]:
        """Send a response. Raises SipLocalError after a final one."""
        status = response.status
        return self._handle(_SEND_1XX if status < 200 else _SEND_2XX if status < 300 else _SEND_FINAL, response)


def client_key(response: Response) -> Key:
    """The client transaction that a response belongs to (§17.1.3). Raises SipRemoteError."""
    return response.via.branch, response.cseq[1]


def server_key(request: Request) -> Key:
    """The server transaction that a request, or an ACK, belongs to (§17.2.3). Raises SipRemoteError."""
    via = request.via
    method = "INVITE" if request.method == "ACK" else request.method
    branch = via.branch
    if branch.startswith(BRANCH_COOKIE):
        return branch, via.host, via.port, method
    # RFC 2543 peers: no unique branch, so all of these together.
    return request.uri_text, request.from_tag, request.call_id, request.cseq.number, method, str(via)


def ack_for(invite: Request, response: Response) -> Request:
    """The ACK of a non-2xx final response (§17.1.1.3): same branch, same Route, To from the response."""
    to = response.get("to")
    if to is None:
        raise SipRemoteError("no To header in a final response")
    fields = [("Via", invite.lines("via")[0]), ("Max-Forwards", "70")]
    fields += [("Route", line) for line in invite.lines("route")]
    fields += [("From", invite.get("from") or ""), ("To", to), ("Call-ID", invite.call_id)]
    fields.append(("CSeq", f"{invite.cseq.number} ACK"))
    return Request("ACK", invite.uri_text, fields)


def cancel_for(invite: Request) -> Request:
    """The CANCEL of a pending INVITE (§9.1): same branch, Request-URI, To, From, Call-ID and CSeq number."""
    fields = [("Via", invite.lines("via")[0]), ("Max-Forwards", "70")]
    fields += [("Route", line) for line in invite.lines("route")]
    fields += [("From", invite.get("from") or ""), ("To", invite.get("to") or ""), ("Call-ID", invite.call_id)]
    fields.append(("CSeq", f"{invite.cseq.number} CANCEL"))
    return Request("CANCEL", invite.uri_text, fields)
