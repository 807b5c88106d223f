"""Transactions (RFC 3261 §17): each takes messages and timer expiries and returns what is to be done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple, cast

from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip.grammar import BRANCH_COOKIE
from harness.protocols.sip.message import Request, Response
from harness.protocols.sip.state import (
    CLIENT,
    IGNORED,
    INVITE_CLIENT,
    INVITE_SERVER,
    REFUSED,
    SERVER,
    Cell,
    Do,
    Event,
    State,
    Table,
)


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


# A module's own names are found quicker than an enumeration's, and this is the busiest loop of the engine; so is
# making the tuple without the named tuple's keyword handling.
_SEND, _SET, _PASS, _STOP = Do.SEND, Do.SET, Do.PASS, Do.STOP
_new = tuple.__new__

Key = tuple[str, ...]
"""What a transaction is found by in its endpoint's table."""

TIMER_EVENTS: Final = {letter: Event(f"timer {letter}") for letter in "ABDEFGHIJKLM"}
_ABSORBING: Final = frozenset((State.COMPLETED, State.CONFIRMED, State.ACCEPTED, State.TERMINATED))


class Transaction:
    """What the four kinds have in common: a table, a state, the datagram to repeat, and the repeat interval."""

    __slots__ = ("_interval", "_sent", "_table", "_timing", "key", "method", "state")

    def __init__(self, table: Table, state: State, key: Key, method: str, timing: Timing) -> None:
        self._table = table
        self._timing = timing
        self._sent = b""
        self._interval = timing.t1
        self.state = state
        self.key = key
        """Its name in the endpoint's table."""
        self.method = method

    @property
    def absorbing(self) -> bool:
        """Whether it only lingers to absorb what comes late."""
        return self.state in _ABSORBING

    @property
    def ended(self) -> bool:
        """Whether it can be forgotten."""
        return self.state is State.TERMINATED

    def expire(self, timer: str) -> list[Action]:
        """A timer that was set has run out."""
        return self._handle(TIMER_EVENTS[timer], None)

    def _handle(self, event: Event, message: Request | Response | None) -> list[Action]:
        cell = self._table[self.state][event]
        if cell is IGNORED:
            return []
        if cell is REFUSED:
            raise SipLocalError(f"{event} is not allowed for a {self.method} that is {self.state}")
        assert isinstance(cell, Cell)
        state, steps = cell
        self.state = state
        actions: list[Action] = []
        for do, timer in steps:
            if do is _SEND:
                assert message is not None
                self._sent = bytes(message)
                actions.append(_new(Action, (_SEND, self._sent, "", 0.0, None)))
            elif do is _SET:
                actions.append(_new(Action, (_SET, b"", timer, self._first_value(timer), None)))
            elif do is _PASS:
                actions.append(_new(Action, (_PASS, b"", "", 0.0, message)))
            elif do is _STOP:
                actions.append(_new(Action, (_STOP, b"", timer, 0.0, None)))
            elif do is Do.RESEND:
                if self._sent:
                    actions.append(Action(_SEND, self._sent))
            elif do is Do.AGAIN:
                actions.append(Action(_SET, b"", timer, self._next_value(timer)))
            elif do is Do.ACK:
                self._sent = bytes(self._ack(cast(Response, message)))
                actions.append(Action(_SEND, self._sent))
            else:
                actions.append(Action(Do.TIMEOUT, b"", event[-1]))
        return actions

    def _ack(self, response: Response) -> Request:
        raise NotImplementedError

    def _first_value(self, timer: str) -> float:
        if timer in "JL":
            return self._timing.patience
        if timer in "AEG":
            self._interval = self._timing.t1
            return self._interval
        return self._timing.t4 if timer in "IK" else self._timing.patience

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

    def __init__(self, request: Request, timing: Timing = DEFAULT_TIMING) -> None:
        self.request = request
        """The request that it sends."""
        table = INVITE_CLIENT if request.method == "INVITE" else CLIENT
        super().__init__(table, State.INITIAL, (request.via.branch, request.method), request.method, timing)

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

    def __init__(self, request: Request, timing: Timing = DEFAULT_TIMING, key: Key | None = None) -> None:
        invite = request.method == "INVITE"
        table, state = (INVITE_SERVER, State.PROCEEDING) if invite else (SERVER, State.TRYING)
        super().__init__(table, state, key or server_key(request), request.method, timing)

    def receive(self, request: Request) -> list[Action]:
        """The request came again, or its ACK came."""
        return self._handle(Event.GOT_ACK if request.method == "ACK" else Event.GOT_REQUEST, request)

    def respond(self, response: Response) -> list[Action]:
        """Send a response. Raises SipLocalError after a final one."""
        if response.status < 200:
            return self._handle(Event.SEND_1XX, response)
        return self._handle(Event.SEND_2XX if response.status < 300 else Event.SEND_FINAL, response)


def client_key(response: Response) -> Key:
    """The client transaction that a response belongs to (§17.1.3). Raises SipRemoteError."""
    return response.via.branch, response.cseq.method


def server_key(request: Request) -> Key:
    """The server transaction that a request, or an ACK, belongs to (§17.2.3). Raises SipRemoteError."""
    via = request.via
    method = "INVITE" if request.method == "ACK" else request.method
    branch = via.branch
    if branch.startswith(BRANCH_COOKIE):
        return branch, via.host, str(via.port), method
    # RFC 2543 peers: no unique branch, so all of these together.
    number = request.cseq.number
    return request.uri_text, request.from_tag, request.call_id, str(number), method, str(via)


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
