"""One caller-location link as either side sees it: when to greet, when to speak, when the other is gone.

Theory. The control room connects and keeps the link for as long as it lives, so that both sides know at any moment
whether the other is there, not only when a caller needs it. It greets first, the service answers; from then on each
speaks at least every keep-alive interval, which the service sets, and takes SILENT_INTERVALS of silence for the end.
A link that is broken in any way is closed and made anew: nothing is repaired on it, so neither side can be half right.
What was asked and not released is asked again on the new one.

A table's row is a state, its column an event, its cell the next state and what to do on the way. Each side's machine
uses the rows that it can be in. IGNORED means nothing there; REFUSED is what our own caller must not do there. A test
walks every cell.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from harness.errors import CallerLocationError, CallerLocationLocalError
from harness.protocols.location.caller import (
    Answer,
    Bye,
    Hello,
    KeepAlive,
    Message,
    Query,
    Reason,
    Refusal,
    Release,
    Update,
    Welcome,
)
from harness.protocols.location.codec import Codec

KEEP_ALIVE_S: Final = 2.0
"""The keep-alive interval that our own service sets."""
SILENT_INTERVALS: Final = 3
"""Intervals of silence that end a link."""
DETECTED_WITHIN_S: Final = KEEP_ALIVE_S * SILENT_INTERVALS
"""Seconds within which a control room knows that the service is gone, however it went."""
KEEP_ALIVE_RANGE: Final = (0.1, 30.0)
"""Intervals that a control room accepts: a longer one would keep it from knowing."""
GREETED_WITHIN_S: Final = 5.0
"""Seconds within which the other side's greeting is due."""


class Side(StrEnum):
    """Whose machine it is."""

    CONTROL_ROOM = "control room"
    SERVICE = "service"


class State(StrEnum):
    """Where a link is."""

    IDLE = "idle"
    """Not connected yet."""
    GREETING = "greeting"
    """The control room has greeted and waits for the answer."""
    AWAITING = "awaiting"
    """The service waits to be greeted."""
    UP = "up"
    CLOSED = "closed"


class Event(StrEnum):
    """What happens to a link: from our own caller (SEND, STOP), the network, the wire, or a timer."""

    SEND = "send"
    STOP = "stop"
    CONNECTED = "connected"
    LOST = "lost"
    GREETED = "greeting received"
    STRANGER = "greeting without the right token"
    GOT_MESSAGE = "message received"
    GOT_KEEP_ALIVE = "keep-alive received"
    GOT_BYE = "bye or refusal of the link received"
    BROKEN = "rules broken by the peer"
    SILENCE = "silence timer"
    BEAT = "beat timer"


class Do(StrEnum):
    """What a cell asks for."""

    GREET = "send the greeting"
    SEND = "send what the caller asked for"
    BEAT = "send a keep-alive"
    REFUSE = "send a refusal"
    BYE = "send a bye"
    AWAIT_GREETING = "set the silence timer for the greeting"
    AWAIT_WORD = "set the silence timer"
    REST = "set the beat timer"
    STILL = "stop both timers"
    PASS = "hand the message on"  # noqa: S105
    TELL_UP = "tell that it is up"
    TELL_DOWN = "tell that it is down"
    CLOSE = "close the connection"


class Timer(StrEnum):
    """The two timers of a link."""

    SILENCE = "silence"
    BEAT = "beat"


class Cell(NamedTuple):
    """The next state, and what to do on the way."""

    state: State
    steps: tuple[Do, ...] = ()


class _Mark(NamedTuple):
    name: str


IGNORED: Final = _Mark("ignored")
REFUSED: Final = _Mark("refused")
_S, _E = State, Event
_END: Final = (Do.STILL, Do.TELL_DOWN, Do.CLOSE)
_GONE: Final = (Do.STILL, Do.TELL_DOWN)
_ROWS: Final[dict[State, dict[Event, Cell]]] = {
    _S.IDLE: {
        _E.STOP: Cell(_S.CLOSED),
        _E.LOST: Cell(_S.CLOSED, _GONE),
    },
    _S.GREETING: {
        _E.STOP: Cell(_S.CLOSED, _END),
        _E.LOST: Cell(_S.CLOSED, _GONE),
        _E.GREETED: Cell(_S.UP, (Do.AWAIT_WORD, Do.REST, Do.TELL_UP)),
        _E.GOT_KEEP_ALIVE: Cell(_S.GREETING),
        _E.GOT_MESSAGE: Cell(_S.CLOSED, _END),
        _E.GOT_BYE: Cell(_S.CLOSED, _END),
        _E.BROKEN: Cell(_S.CLOSED, _END),
        _E.SILENCE: Cell(_S.CLOSED, _END),
    },
    _S.AWAITING: {
        _E.STOP: Cell(_S.CLOSED, (Do.BYE, *_END)),
        _E.LOST: Cell(_S.CLOSED, _GONE),
        _E.GREETED: Cell(_S.UP, (Do.GREET, Do.AWAIT_WORD, Do.REST, Do.TELL_UP)),
        _E.STRANGER: Cell(_S.CLOSED, (Do.REFUSE, *_END)),
        _E.GOT_KEEP_ALIVE: Cell(_S.AWAITING),
        _E.GOT_MESSAGE: Cell(_S.CLOSED, _END),
        _E.GOT_BYE: Cell(_S.CLOSED, _END),
        _E.BROKEN: Cell(_S.CLOSED, _END),
        _E.SILENCE: Cell(_S.CLOSED, _END),
    },
    _S.UP: {
        _E.SEND: Cell(_S.UP, (Do.SEND, Do.REST)),
        _E.STOP: Cell(_S.CLOSED, (Do.BYE, *_END)),
        _E.LOST: Cell(_S.CLOSED, _GONE),
        _E.GREETED: Cell(_S.CLOSED, _END),
        _E.STRANGER: Cell(_S.CLOSED, _END),
        _E.GOT_MESSAGE: Cell(_S.UP, (Do.AWAIT_WORD, Do.PASS)),
        _E.GOT_KEEP_ALIVE: Cell(_S.UP, (Do.AWAIT_WORD,)),
        _E.GOT_BYE: Cell(_S.CLOSED, _END),
        _E.BROKEN: Cell(_S.CLOSED, _END),
        _E.SILENCE: Cell(_S.CLOSED, _END),
        _E.BEAT: Cell(_S.UP, (Do.BEAT, Do.REST)),
    },
    _S.CLOSED: {
        _E.STOP: Cell(_S.CLOSED),
    },
}


def _table(side: Side) -> dict[State, dict[Event, Cell | _Mark]]:
    begun = Cell(_S.GREETING, (Do.GREET, Do.AWAIT_GREETING))
    if side is Side.SERVICE:
        begun = Cell(_S.AWAITING, (Do.AWAIT_GREETING,))
    unused = _S.AWAITING if side is Side.CONTROL_ROOM else _S.GREETING
    rows = {state: row for state, row in _ROWS.items() if state is not unused}
    rows[_S.IDLE] = {**rows[_S.IDLE], _E.CONNECTED: begun}
    return {
        state: {event: row.get(event, REFUSED if event is _E.SEND else IGNORED) for event in Event}
        for state, row in rows.items()
    }


TABLES: Final = {side: _table(side) for side in Side}


@dataclass(frozen=True, slots=True)
class Transmit:
    """Octets to send."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class SetTimer:
    """A timer to set, in place of one that runs."""

    timer: Timer
    seconds: float


@dataclass(frozen=True, slots=True)
class StopTimers:
    """Both timers are to stop."""


@dataclass(frozen=True, slots=True)
class Deliver:
    """A message for the one who has the link."""

    message: Message


@dataclass(frozen=True, slots=True)
class Up:
    """The link is up; the other side's greeting."""

    greeting: Hello | Welcome


@dataclass(frozen=True, slots=True)
class Down:
    """The link is down for good, and why."""

    cause: str


@dataclass(frozen=True, slots=True)
class Close:
    """The connection is to be closed once what was to be sent is out."""


Output = Transmit | SetTimer | StopTimers | Deliver | Up | Down | Close
_FROM_SERVICE: Final = (Answer, Update)
_FROM_CONTROL_ROOM: Final = (Query, Release)


class Link:
    """One link; each call returns what is to be done, in order."""

    def __init__(self, side: Side, codec: Codec, greeting: Hello | Welcome, *, token: str = "") -> None:
        """``greeting`` is ours: a Hello for the control room, a Welcome, with the interval, for the service.

        ``token`` is what a service asks for in a Hello; empty lets anyone in.
        """
        self.side = side
        self.state = State.IDLE
        self._codec = codec
        self._greeting = greeting
        self._token = token
        self._interval = greeting.keep_alive_s if isinstance(greeting, Welcome) else KEEP_ALIVE_S
        self._table = TABLES[side]

    @property
    def keep_alive_s(self) -> float:
        """The keep-alive interval: the service's, once it has told it."""
        return self._interval

    def connected(self) -> list[Output]:
        """The connection is there."""
        return self._step(Event.CONNECTED)

    def lost(self, cause: str) -> list[Output]:
        """The connection is gone."""
        return self._step(Event.LOST, cause=cause)

    def expired(self, timer: Timer) -> list[Output]:
        """A timer that was set has run out."""
        if timer is Timer.BEAT:
            return self._step(Event.BEAT)
        due = GREETED_WITHIN_S if self.state is not State.UP else self._interval * SILENT_INTERVALS
        return self._step(Event.SILENCE, cause=f"nothing came for {due:g} s")

    def stop(self) -> list[Output]:
        """End the link in an orderly way; one that has ended is left alone."""
        return self._step(Event.STOP, cause="ended by us")

    def send(self, message: Message) -> list[Output]:
        """Send a message.

        Raises:
            CallerLocationLocalError: the link is not up.
            CallerLocationError: the codec can't write it.
        """
        return self._step(Event.SEND, message)

    def receive(self, octets: bytes) -> list[Output]:
        """Take what came. What breaks the rules ends the link, with the cause."""
        if self.state is State.CLOSED:
            return []
        try:
            messages = self._codec.feed(octets)
        except CallerLocationError as error:
            return self._step(Event.BROKEN, cause=str(error))
        except Exception as error:  # a plug-in's own fault must not take the control room down with it
            return self._step(Event.BROKEN, cause=f"the codec failed: {type(error).__name__}: {error}")
        outputs: list[Output] = []
        for message in messages:
            outputs += self._take(message)
        return outputs

    def _take(self, message: Message) -> list[Output]:
        peer = Side.SERVICE if self.side is Side.CONTROL_ROOM else Side.CONTROL_ROOM
        due = _FROM_SERVICE if peer is Side.SERVICE else _FROM_CONTROL_ROOM
        match message:
            case KeepAlive():
                return self._step(Event.GOT_KEEP_ALIVE)
            case Bye(reason):
                return self._step(Event.GOT_BYE, cause=f"the {peer} ended it: {reason}")
            case Refusal(0, reason) if peer is Side.SERVICE:
                return self._step(Event.GOT_BYE, cause=f"the service refuses the link: {reason}")
            case Refusal() if peer is Side.SERVICE:
                return self._step(Event.GOT_MESSAGE, message, cause="a refusal before the greeting")
            case Welcome(_, interval) if peer is Side.SERVICE:
                if not KEEP_ALIVE_RANGE[0] <= interval <= KEEP_ALIVE_RANGE[1]:
                    allowed = f"{KEEP_ALIVE_RANGE[0]:g} to {KEEP_ALIVE_RANGE[1]:g} s"
                    return self._step(Event.BROKEN, cause=f"keep-alive every {interval:g} s; {allowed} are accepted")
                return self._step(Event.GREETED, message, cause="a second greeting")
            case Hello(_, token) if peer is Side.CONTROL_ROOM:
                known = not self._token or hmac.compare_digest(token.encode(), self._token.encode())
                cause = "a second greeting" if self.state is State.UP else "not the right token"
                return self._step(Event.GREETED if known else Event.STRANGER, message, cause=cause)
        if not isinstance(message, due):
            return self._step(Event.BROKEN, cause=f"{type(message).__name__} is not the {peer}'s to send")
        return self._step(Event.GOT_MESSAGE, message, cause=f"{type(message).__name__} before the greeting")

    def _step(self, event: Event, message: Message | None = None, *, cause: str = "") -> list[Output]:
        cell = self._table[self.state][event]
        if cell is REFUSED:
            raise CallerLocationLocalError(f"the link is {self.state} and not up")
        if not isinstance(cell, Cell):
            return []
        if event is Event.SEND:
            assert message is not None
            octets = self._encoded(message)  # what can't be written leaves the link as it is
            return [Transmit(octets), SetTimer(Timer.BEAT, self._interval)] if octets else []
        if isinstance(message, Welcome):
            self._interval = message.keep_alive_s
        self.state = cell.state
        try:
            return [output for do in cell.steps for output in self._do(do, message, cause)]
        except CallerLocationError as error:  # a greeting or a keep-alive that the codec can't write
            self.state = State.CLOSED
            return [StopTimers(), Down(str(error)), Close()]

    def _do(self, do: Do, message: Message | None, cause: str) -> list[Output]:
        match do:
            case Do.GREET:
                return self._transmit(self._greeting)
            case Do.BEAT:
                return self._transmit(KeepAlive())
            case Do.REFUSE:
                return self._transmit(Refusal(0, Reason.UNAUTHORISED))
            case Do.BYE:
                return self._transmit(Bye())
            case Do.AWAIT_GREETING:
                return [SetTimer(Timer.SILENCE, GREETED_WITHIN_S)]
            case Do.AWAIT_WORD:
                return [SetTimer(Timer.SILENCE, self._interval * SILENT_INTERVALS)]
            case Do.REST:
                return [SetTimer(Timer.BEAT, self._interval)]
            case Do.STILL:
                return [StopTimers()]
            case Do.PASS:
                assert message is not None
                return [Deliver(message)]
            case Do.TELL_UP:
                assert isinstance(message, Hello | Welcome)
                return [Up(message)]
            case Do.TELL_DOWN:
                return [Down(cause)]
            case Do.CLOSE:
                return [Close()]
        raise AssertionError(f"{do} is done by _step")

    def _transmit(self, message: Message) -> list[Output]:
        octets = self._encoded(message)
        return [Transmit(octets)] if octets else []

    def _encoded(self, message: Message) -> bytes:
        try:
            return self._codec.encode(message)
        except CallerLocationError:
            raise
        except Exception as error:  # as in `receive`
            raise CallerLocationError(f"the codec failed: {type(error).__name__}: {error}") from error
