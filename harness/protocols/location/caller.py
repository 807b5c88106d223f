"""What passes over the caller-location interface: who asks where a caller is, and what is known of it.

The interface is this project's own (docs/interfaces/caller-location.md). The operator's service in the United Kingdom
is reached through EISEC, whose wire format is not public: nothing here claims to be it. What a control room shows is
the same, so a supplier's codec turns its own format into these messages and back (`codec`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from harness.protocols.location.shapes import Shape

MAX_LINES: Final = 8
"""Lines of one postal address."""
MAX_LINE: Final = 100
"""Characters of one line, of a name, of a description."""
MAX_REFERENCE: Final = 128
"""Characters of a call's reference, a CLI, a name of a client."""


class Source(StrEnum):
    """Where a location comes from; a position shows it beside the map."""

    SUBSCRIBER = "subscriber"
    """The address at which a landline is installed."""
    CELL = "cell"
    """The cell, or sector of it, that carries a mobile's call."""
    AML = "AML"
    """The handset's own position."""


class Status(StrEnum):
    """What an answer says of a number."""

    FOUND = "found"
    UNKNOWN = "unknown"
    """The number is not one that the service has anything on."""
    WITHHELD = "withheld"
    """There is no number to look for: the caller withheld it, or the network did not pass it on."""


class Reason(StrEnum):
    """Why a question is refused, or a link closed."""

    UNAUTHORISED = "unauthorised"
    BUSY = "busy"
    """Too many questions, or links, at once."""
    MALFORMED = "malformed"
    """What came can't be read, or not now."""
    STOPPING = "stopping"
    """An orderly end."""


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Who a landline belongs to."""

    name: str
    lines: tuple[str, ...]
    """The address, from house to town; at most MAX_LINES."""
    postcode: str


@dataclass(frozen=True, slots=True)
class Cell:
    """What carries a mobile's call."""

    id: str
    """The network's name of the cell, ``234-30-4411-2``."""
    site: str = ""
    """Where the mast is, in words."""
    azimuth: int | None = None
    """Where the sector looks, degrees clockwise from north; None for a cell without sectors."""


@dataclass(frozen=True, slots=True)
class CallerLocation:
    """One thing known of where a caller is."""

    source: Source
    area: Shape | None = None
    """Where on the map; None where only an address is known."""
    subscriber: Subscriber | None = None
    cell: Cell | None = None
    confidence: int | None = None
    """How likely the caller is within ``area``, per cent."""
    method: str = ""
    """Of AML: ``G``, ``W`` or ``C``."""
    time: int | None = None
    """When it was found, seconds since 1970 UTC."""


@dataclass(frozen=True, slots=True)
class Hello:
    """The control room's first message on a link."""

    client: str
    """Which control room system it is."""
    token: str = field(default="", repr=False)
    """What lets it in, where the service asks for that."""


@dataclass(frozen=True, slots=True)
class Welcome:
    """The service's answer to it."""

    service: str
    keep_alive_s: float
    """How often either side speaks at least; three times as long a silence is a link that is down."""


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """Nothing to say, but there."""


@dataclass(frozen=True, slots=True)
class Query:
    """Where is this caller? Asked once a call; updates follow until it is released."""

    query: int
    """Which question this is, from 1; the answer names it."""
    call: str
    """The control room's reference of the call."""
    cli: str
    """The caller's number, E.164; empty where none was passed on."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known now."""

    query: int
    call: str
    status: Status
    locations: tuple[CallerLocation, ...] = ()
    """All that is known of this call, oldest first."""


@dataclass(frozen=True, slots=True)
class Update:
    """Something new about a call that was asked about; what was known before still holds."""

    call: str
    location: CallerLocation


@dataclass(frozen=True, slots=True)
class Release:
    """The call is over: no more updates."""

    call: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A question that is not answered."""

    query: int
    """0 where it is no question that is refused."""
    reason: Reason


@dataclass(frozen=True, slots=True)
class Bye:
    """The sender ends the link after this."""

    reason: Reason = Reason.STOPPING


Message = Hello | Welcome | KeepAlive | Query | Answer | Update | Release | Refusal | Bye
