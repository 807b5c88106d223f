"""The state of one call on the PEI, as seen by either side of the line.

Theory. A call is known on the line by its instance `cc`. Every command about it and every code about it crosses the
same line, so the terminal equipment (TE), which sends the commands, and the terminal (MT), which sends the codes, can
keep the same state with the same table: each feeds in what it sent and what it received. Two rules:

1. A command (upper part of `Input`) moves the state when it crosses the line. Where the table has no cell, it is not
   allowed in this state: the TE's caller gets PeiLocalError, the MT answers `+CME ERROR: 3`.
2. A code (lower part) tells what the network did. Where the table has no cell, the peer broke the protocol: that is
   journalled, and the state stays. Commands and codes cross each other on the line, so codes that can be on their way
   when a command is sent have a cell (a grant that meets our unkey: LISTENING or ACTIVE + GRANTED).

A group call is connected without an answer, so a first grant, ours or another's, may come before or without `+CTCC`.
REQUESTING is a demand while nobody talks, CONTENDING one while another talks: they differ in where a refusal leads
back to. "Granted to another" is news about the other, which can cross our demand: the demand stays open until it is
granted, refused, queued, or taken back by unkey. Between two transmissions the call hangs in ACTIVE until the network's
hang time ends it by `+CTCR`.

A call of two is simplex, with a floor as a group's, or duplex: there both talk from `+CTCC` on (DUPLEX), nobody asks,
and grants that the network sends all the same change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from harness.protocols.pei.codes import Grant
from harness.protocols.pei.commands import Basic, Command, Dial, KeyTransmit, Unkey
from harness.protocols.pei.fields import Unsolicited
from harness.protocols.pei.unsolicited import (
    CallReleased,
    Connected,
    IncomingCall,
    OutgoingProgress,
    TransmissionCeased,
    TransmissionGrant,
    TransmissionInterrupt,
)


class CallState(Enum):
    """Where a call is."""

    __hash__ = object.__hash__  # the table is looked up with it for every code; that of Enum is written in Python

    IDLE = "idle"
    ORIGINATING = "originating"
    INCOMING = "incoming"
    ACTIVE = "active, nobody talks"
    REQUESTING = "requesting to talk"
    CONTENDING = "requesting to talk while another talks"
    QUEUED = "request to talk is queued"
    TALKING = "talking"
    LISTENING = "listening"
    DUPLEX = "connected, both talk"


class Input(Enum):
    """What moves a call: the commands first, then the codes."""

    __hash__ = object.__hash__  # the table is looked up with it for every code; that of Enum is written in Python

    DIAL = auto()
    ANSWER = auto()
    HANG_UP = auto()
    KEY = auto()
    UNKEY = auto()
    RING = auto()
    PROGRESS = auto()
    CONNECTED = auto()
    CONNECTED_DUPLEX = auto()
    GRANTED = auto()
    NOT_GRANTED = auto()
    GRANT_QUEUED = auto()
    GRANTED_TO_ANOTHER = auto()
    CEASED = auto()
    RELEASED = auto()


COMMANDS = frozenset({Input.DIAL, Input.ANSWER, Input.HANG_UP, Input.KEY, Input.UNKEY})

_S, _I = CallState, Input
TABLE: dict[CallState, dict[Input, CallState]] = {
    _S.IDLE: {
        _I.DIAL: _S.ORIGINATING,
        _I.RING: _S.INCOMING,
        _I.RELEASED: _S.IDLE,  # crossed our ATH
    },
    _S.ORIGINATING: {
        _I.HANG_UP: _S.IDLE,
        _I.PROGRESS: _S.ORIGINATING,
        _I.CONNECTED: _S.ACTIVE,
        _I.CONNECTED_DUPLEX: _S.DUPLEX,
        _I.UNKEY: _S.ORIGINATING,  # the key was let go before the grant; the network is told
        _I.GRANTED: _S.TALKING,
        _I.NOT_GRANTED: _S.ACTIVE,
        _I.GRANT_QUEUED: _S.QUEUED,
        _I.GRANTED_TO_ANOTHER: _S.CONTENDING,
        _I.RELEASED: _S.IDLE,
    },
    _S.INCOMING: {
        _I.ANSWER: _S.INCOMING,  # the network confirms by +CTCC
        _I.HANG_UP: _S.IDLE,
        _I.KEY: _S.REQUESTING,  # a group call needs no answer
        _I.RING: _S.INCOMING,
        _I.CONNECTED: _S.ACTIVE,
        _I.CONNECTED_DUPLEX: _S.DUPLEX,
        _I.GRANTED: _S.TALKING,
        _I.GRANTED_TO_ANOTHER: _S.LISTENING,
        _I.CEASED: _S.ACTIVE,
        _I.RELEASED: _S.IDLE,
    },
    _S.ACTIVE: {
        _I.HANG_UP: _S.IDLE,
        _I.KEY: _S.REQUESTING,
        _I.UNKEY: _S.ACTIVE,  # crossed the network's own end of our transmission
        _I.PROGRESS: _S.ACTIVE,
        _I.CONNECTED: _S.ACTIVE,
        _I.CONNECTED_DUPLEX: _S.DUPLEX,
        _I.GRANTED: _S.TALKING,
        _I.NOT_GRANTED: _S.ACTIVE,
        _I.GRANT_QUEUED: _S.ACTIVE,
        _I.GRANTED_TO_ANOTHER: _S.LISTENING,
        _I.CEASED: _S.ACTIVE,
        _I.RELEASED: _S.IDLE,
    },
    _S.REQUESTING: {
        _I.HANG_UP: _S.IDLE,
        _I.UNKEY: _S.ACTIVE,
        _I.PROGRESS: _S.REQUESTING,
        _I.CONNECTED: _S.REQUESTING,
        _I.GRANTED: _S.TALKING,
        _I.NOT_GRANTED: _S.ACTIVE,
        _I.GRANT_QUEUED: _S.QUEUED,
        _I.GRANTED_TO_ANOTHER: _S.CONTENDING,
        _I.CEASED: _S.REQUESTING,
        _I.RELEASED: _S.IDLE,
    },
    _S.CONTENDING: {
        _I.HANG_UP: _S.IDLE,
        _I.UNKEY: _S.LISTENING,
        _I.PROGRESS: _S.CONTENDING,
        _I.CONNECTED: _S.CONTENDING,
        _I.GRANTED: _S.TALKING,
        _I.NOT_GRANTED: _S.LISTENING,
        _I.GRANT_QUEUED: _S.QUEUED,
        _I.GRANTED_TO_ANOTHER: _S.CONTENDING,
        _I.CEASED: _S.REQUESTING,
        _I.RELEASED: _S.IDLE,
    },
    _S.QUEUED: {
        _I.HANG_UP: _S.IDLE,
        _I.UNKEY: _S.LISTENING,
        _I.PROGRESS: _S.QUEUED,
        _I.CONNECTED: _S.QUEUED,
        _I.GRANTED: _S.TALKING,
        _I.NOT_GRANTED: _S.LISTENING,
        _I.GRANT_QUEUED: _S.QUEUED,
        _I.GRANTED_TO_ANOTHER: _S.QUEUED,
        _I.CEASED: _S.QUEUED,
        _I.RELEASED: _S.IDLE,
    },
    _S.TALKING: {
        _I.HANG_UP: _S.IDLE,
        _I.UNKEY: _S.ACTIVE,
        _I.CONNECTED: _S.TALKING,
        _I.CONNECTED_DUPLEX: _S.DUPLEX,
        _I.GRANTED: _S.TALKING,
        _I.NOT_GRANTED: _S.ACTIVE,  # transmission withdrawn
        _I.GRANTED_TO_ANOTHER: _S.LISTENING,  # pre-empted
        _I.CEASED: _S.ACTIVE,  # the network ended it: talked too long
        _I.RELEASED: _S.IDLE,
    },
    _S.LISTENING: {
        _I.HANG_UP: _S.IDLE,
        _I.KEY: _S.CONTENDING,
        _I.UNKEY: _S.LISTENING,  # crossed another's pre-emptive grant
        _I.PROGRESS: _S.LISTENING,
        _I.CONNECTED: _S.LISTENING,
        _I.CONNECTED_DUPLEX: _S.DUPLEX,
        _I.GRANTED: _S.TALKING,
        _I.NOT_GRANTED: _S.LISTENING,
        _I.GRANT_QUEUED: _S.LISTENING,
        _I.GRANTED_TO_ANOTHER: _S.LISTENING,
        _I.CEASED: _S.ACTIVE,
        _I.RELEASED: _S.IDLE,
    },
    _S.DUPLEX: {
        _I.HANG_UP: _S.IDLE,
        _I.PROGRESS: _S.DUPLEX,
        _I.CONNECTED: _S.DUPLEX,
        _I.CONNECTED_DUPLEX: _S.DUPLEX,
        _I.GRANTED: _S.DUPLEX,
        _I.NOT_GRANTED: _S.DUPLEX,
        _I.GRANTED_TO_ANOTHER: _S.DUPLEX,
        _I.CEASED: _S.DUPLEX,
        _I.RELEASED: _S.IDLE,
    },
}

_GRANT_INPUTS: Mapping[int, Input] = {
    Grant.GRANTED: Input.GRANTED,
    Grant.NOT_GRANTED: Input.NOT_GRANTED,
    Grant.QUEUED: Input.GRANT_QUEUED,
    Grant.GRANTED_TO_ANOTHER: Input.GRANTED_TO_ANOTHER,
}


def following(state: CallState, given: Input) -> CallState | None:
    """The state after `given`, or None where the table has no cell."""
    return TABLE[state].get(given)


def input_of_command(command: Command) -> Input | None:
    """What a command is to the call it is about; None for one that moves no call."""
    match command:
        case Dial():
            return Input.DIAL
        case Basic("A"):
            return Input.ANSWER
        case Basic("H"):
            return Input.HANG_UP
        case KeyTransmit():
            return Input.KEY
        case Unkey():
            return Input.UNKEY
    return None


_FIXED: Mapping[type[Unsolicited], Input] = {
    IncomingCall: Input.RING,
    OutgoingProgress: Input.PROGRESS,
    TransmissionCeased: Input.CEASED,
    CallReleased: Input.RELEASED,
}
"""Codes that are the same input whatever they hold."""


def input_of_code(code: Unsolicited) -> tuple[int, Input] | None:
    """Call instance and input of a code; None for one that moves no call, or a grant value that does not exist."""
    given = _FIXED.get(type(code))
    cc: int
    if given is not None:
        cc = code.cc  # type: ignore[attr-defined]
        return cc, given
    match code:
        case TransmissionGrant(cc=cc, grant=grant):
            given = _GRANT_INPUTS.get(grant)
            return None if given is None else (cc, given)
        case Connected(cc=cc):
            return cc, Input.CONNECTED_DUPLEX if code.is_duplex else Input.CONNECTED
        case TransmissionInterrupt(cc=cc, grant=grant):
            return cc, Input.GRANTED_TO_ANOTHER if grant == Grant.GRANTED_TO_ANOTHER else Input.CEASED
    return None
