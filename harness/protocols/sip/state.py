"""The four transaction machines of RFC 3261 §17, as RFC 6026 corrects them, as tables.

Theory. A transaction is one request and its responses between two neighbours. The client side repeats the request
over UDP until someone answers; the server side repeats its last answer to each repeated request; both linger
after the end so that what is still under way meets someone who remembers it (timers D, I, J, K, L, M: the
absorbing states).

INVITE is different in two ways, as a person has to pick up. A final answer other than 2xx is repeated by the
server until an ACK of the same transaction comes (timer G, given up at H). A 2xx is not the transaction's
business: the core above repeats it end to end until its own ACK comes, and the transaction only stays (Accepted,
RFC 6026) so that a repeated INVITE is not taken for a new call, and so that a second 2xx from a fork still
reaches the core.

    timer  default      set when                         fires
    A      T1, doubled  INVITE sent                      send it again
    B      64*T1        INVITE sent                      give up: 408 to the core
    D      64*T1        non-2xx final to INVITE          end
    E      T1, doubled up to T2, T2 once provisional     send the request again
    F      64*T1        request sent                     give up: 408 to the core
    G      T1, doubled up to T2  non-2xx final sent      send it again
    H      64*T1        non-2xx final sent               no ACK came: tell the core
    I      T4           ACK came                         end
    J      64*T1        final sent to non-INVITE         end
    K      T4           final received                   end
    L      64*T1        2xx sent to INVITE               end
    M      64*T1        2xx received to INVITE           end

(D is "at least 32 s" in the RFC, which is 64*T1 at T1's default.) Over TCP and TLS nothing is repeated by a
transaction, so that A, E and G are not set there, and D, I, J and K are zero: no late copy can come (§17.1.1.2,
§17.2.1, §17.2.2).

A table's row is a state, its column an event, its cell the next state and what to do on the way. Every cell is there:
IGNORED is an event from the wire or a timer that means nothing in that state, REFUSED is one that our own core must not
cause. The diagrams in docs are drawn from these tables, and a test walks every cell.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class State(StrEnum):
    """Where a transaction is."""

    INITIAL = "initial"
    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    ACCEPTED = "accepted"
    TERMINATED = "terminated"


class Event(StrEnum):
    """What happens to a transaction: from the core (START, SEND_…, ABANDON), the wire, or a timer."""

    START = "start"
    ABANDON = "abandon"
    """§9.1: a cancelled INVITE that got no final response in 64*T1 is given up by the core."""
    GOT_1XX = "1xx received"
    GOT_2XX = "2xx received"
    GOT_FINAL = "3xx-6xx received"
    GOT_REQUEST = "request received again"
    GOT_ACK = "ACK received"
    SEND_1XX = "send 1xx"
    SEND_2XX = "send 2xx"
    SEND_FINAL = "send 3xx-6xx"
    TIMER_A = "timer A"
    TIMER_B = "timer B"
    TIMER_D = "timer D"
    TIMER_E = "timer E"
    TIMER_F = "timer F"
    TIMER_G = "timer G"
    TIMER_H = "timer H"
    TIMER_I = "timer I"
    TIMER_J = "timer J"
    TIMER_K = "timer K"
    TIMER_L = "timer L"
    TIMER_M = "timer M"


class Do(StrEnum):
    """What a cell asks for."""

    SEND = "send"
    """Send the message that the event brought, and keep it for repeating."""
    RESEND = "send again"
    """Send again what was sent last, if anything was."""
    ACK = "send ACK"
    """Make the ACK for this non-2xx final, send it and keep it for repeating."""
    PASS = "to the core"  # noqa: S105
    """Hand the message to the core."""
    TIMEOUT = "timeout"
    """Tell the core that nobody answered, or that no ACK came."""
    SET = "set"
    """Set a timer to its first value."""
    AGAIN = "set again"
    """Set a timer to its next value: doubled, or T2."""
    STOP = "stop"
    """Stop a timer that may be running."""


class Step(NamedTuple):
    """One thing to do, and with which timer where it is about one."""

    do: Do
    timer: str = ""


class Cell(NamedTuple):
    """The next state, and the steps on the way there."""

    state: State
    steps: tuple[Step, ...] = ()


class _Mark(NamedTuple):
    name: str


IGNORED: Final = _Mark("ignored")
"""A stray event from the wire, or a timer that was already on its way: nothing happens."""
REFUSED: Final = _Mark("refused")
"""Our own core asked for what this state does not allow: SipLocalError."""

Row = dict[Event, Cell | _Mark]
Table = dict[State, Row]

_SEND, _RESEND, _ACK, _PASS, _TIMEOUT = (Step(do) for do in (Do.SEND, Do.RESEND, Do.ACK, Do.PASS, Do.TIMEOUT))
_CORE = frozenset((Event.START, Event.ABANDON, Event.SEND_1XX, Event.SEND_2XX, Event.SEND_FINAL))


def _set(*timers: str) -> tuple[Step, ...]:
    return tuple(Step(Do.SET, timer) for timer in timers)


def _stop(*timers: str) -> tuple[Step, ...]:
    return tuple(Step(Do.STOP, timer) for timer in timers)


def _again(timer: str) -> tuple[Step, ...]:
    return (Step(Do.AGAIN, timer),)


def _table(events: tuple[Event, ...], rows: dict[State, Row]) -> Table:
    """Fill the cells that are not spelled out: the core's events are refused there, all others ignored."""
    return {
        state: {event: row.get(event, REFUSED if event in _CORE else IGNORED) for event in events}
        for state, row in rows.items()
    }


_S, _E = State, Event

INVITE_CLIENT: Final = _table(
    (
        *(_E.START, _E.ABANDON, _E.GOT_1XX, _E.GOT_2XX, _E.GOT_FINAL),
        *(_E.TIMER_A, _E.TIMER_B, _E.TIMER_D, _E.TIMER_M),
    ),
    {
        _S.INITIAL: {
            _E.START: Cell(_S.CALLING, (_SEND, *_set("A", "B"))),
        },
        _S.CALLING: {
            _E.GOT_1XX: Cell(_S.PROCEEDING, (*_stop("A", "B"), _PASS)),
            _E.GOT_2XX: Cell(_S.ACCEPTED, (*_stop("A", "B"), *_set("M"), _PASS)),
            _E.GOT_FINAL: Cell(_S.COMPLETED, (*_stop("A", "B"), _ACK, *_set("D"), _PASS)),
            _E.TIMER_A: Cell(_S.CALLING, (_RESEND, *_again("A"))),
            _E.TIMER_B: Cell(_S.TERMINATED, (*_stop("A"), _TIMEOUT)),
            _E.ABANDON: Cell(_S.TERMINATED, _stop("A", "B")),
        },
        _S.PROCEEDING: {
            _E.GOT_1XX: Cell(_S.PROCEEDING, (_PASS,)),
            _E.GOT_2XX: Cell(_S.ACCEPTED, (*_set("M"), _PASS)),
            _E.GOT_FINAL: Cell(_S.COMPLETED, (_ACK, *_set("D"), _PASS)),
            _E.ABANDON: Cell(_S.TERMINATED),
        },
        _S.COMPLETED: {
            _E.GOT_FINAL: Cell(_S.COMPLETED, (_RESEND,)),
            _E.TIMER_D: Cell(_S.TERMINATED),
        },
        _S.ACCEPTED: {
            _E.GOT_2XX: Cell(_S.ACCEPTED, (_PASS,)),
            _E.TIMER_M: Cell(_S.TERMINATED),
        },
        _S.TERMINATED: {},
    },
)

CLIENT: Final = _table(
    (_E.START, _E.ABANDON, _E.GOT_1XX, _E.GOT_2XX, _E.GOT_FINAL, _E.TIMER_E, _E.TIMER_F, _E.TIMER_K),
    {
        _S.INITIAL: {
            _E.START: Cell(_S.TRYING, (_SEND, *_set("E", "F"))),
        },
        _S.TRYING: {
            _E.GOT_1XX: Cell(_S.PROCEEDING, (_PASS,)),
            _E.GOT_2XX: Cell(_S.COMPLETED, (*_stop("E", "F"), *_set("K"), _PASS)),
            _E.GOT_FINAL: Cell(_S.COMPLETED, (*_stop("E", "F"), *_set("K"), _PASS)),
            _E.TIMER_E: Cell(_S.TRYING, (_RESEND, *_again("E"))),
            _E.TIMER_F: Cell(_S.TERMINATED, (*_stop("E"), _TIMEOUT)),
            _E.ABANDON: Cell(_S.TERMINATED, _stop("E", "F")),
        },
        _S.PROCEEDING: {
            _E.GOT_1XX: Cell(_S.PROCEEDING, (_PASS,)),
            _E.GOT_2XX: Cell(_S.COMPLETED, (*_stop("E", "F"), *_set("K"), _PASS)),
            _E.GOT_FINAL: Cell(_S.COMPLETED, (*_stop("E", "F"), *_set("K"), _PASS)),
            _E.TIMER_E: Cell(_S.PROCEEDING, (_RESEND, *_again("E"))),
            _E.TIMER_F: Cell(_S.TERMINATED, (*_stop("E"), _TIMEOUT)),
            _E.ABANDON: Cell(_S.TERMINATED, _stop("E", "F")),
        },
        _S.COMPLETED: {
            _E.TIMER_K: Cell(_S.TERMINATED),
        },
        _S.TERMINATED: {},
    },
)

INVITE_SERVER: Final = _table(
    (
        *(_E.GOT_REQUEST, _E.GOT_ACK, _E.SEND_1XX, _E.SEND_2XX, _E.SEND_FINAL),
        *(_E.TIMER_G, _E.TIMER_H, _E.TIMER_I, _E.TIMER_L),
    ),
    {
        _S.PROCEEDING: {
            _E.GOT_REQUEST: Cell(_S.PROCEEDING, (_RESEND,)),
            _E.SEND_1XX: Cell(_S.PROCEEDING, (_SEND,)),
            _E.SEND_2XX: Cell(_S.ACCEPTED, (_SEND, *_set("L"))),
            _E.SEND_FINAL: Cell(_S.COMPLETED, (_SEND, *_set("G", "H"))),
        },
        _S.COMPLETED: {
            _E.GOT_REQUEST: Cell(_S.COMPLETED, (_RESEND,)),
            _E.GOT_ACK: Cell(_S.CONFIRMED, (*_stop("G", "H"), *_set("I"))),
            _E.TIMER_G: Cell(_S.COMPLETED, (_RESEND, *_again("G"))),
            _E.TIMER_H: Cell(_S.TERMINATED, (*_stop("G"), _TIMEOUT)),
        },
        _S.CONFIRMED: {
            _E.TIMER_I: Cell(_S.TERMINATED),
        },
        _S.ACCEPTED: {
            _E.GOT_ACK: Cell(_S.ACCEPTED, (_PASS,)),
            _E.SEND_2XX: Cell(_S.ACCEPTED, (_SEND,)),
            _E.TIMER_L: Cell(_S.TERMINATED),
        },
        _S.TERMINATED: {},
    },
)

SERVER: Final = _table(
    (_E.GOT_REQUEST, _E.SEND_1XX, _E.SEND_2XX, _E.SEND_FINAL, _E.TIMER_J),
    {
        _S.TRYING: {
            _E.SEND_1XX: Cell(_S.PROCEEDING, (_SEND,)),
            _E.SEND_2XX: Cell(_S.COMPLETED, (_SEND, *_set("J"))),
            _E.SEND_FINAL: Cell(_S.COMPLETED, (_SEND, *_set("J"))),
        },
        _S.PROCEEDING: {
            _E.GOT_REQUEST: Cell(_S.PROCEEDING, (_RESEND,)),
            _E.SEND_1XX: Cell(_S.PROCEEDING, (_SEND,)),
            _E.SEND_2XX: Cell(_S.COMPLETED, (_SEND, *_set("J"))),
            _E.SEND_FINAL: Cell(_S.COMPLETED, (_SEND, *_set("J"))),
        },
        _S.COMPLETED: {
            _E.GOT_REQUEST: Cell(_S.COMPLETED, (_RESEND,)),
            _E.TIMER_J: Cell(_S.TERMINATED),
        },
        _S.TERMINATED: {},
    },
)

TABLES: Final = {"INVITE client": INVITE_CLIENT, "client": CLIENT, "INVITE server": INVITE_SERVER, "server": SERVER}
"""The four by name."""
