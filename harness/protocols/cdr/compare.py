"""Call records held against what was observed of the same calls, for a verdict on the one who wrote them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Final, NamedTuple

from harness.protocols import uk_numbers
from harness.protocols.cdr import codes
from harness.protocols.cdr.records import CallRecord, MediaRecord
from harness.protocols.sip.rtp_stat import RtpStat

SECONDS: Final = 1.0
"""How far a time may be off: records have whole seconds."""
JITTER_MS: Final = 1.0
"""How far jitter may be off at least: records have whole milliseconds."""
JITTER_PART: Final = 0.05
"""How far jitter may be off as a part of itself."""


@dataclass(frozen=True, slots=True)
class CallFigures:
    """What was observed of a call, for example in a journal; None where it was not."""

    calling: str | None = None
    original_called: str | None = None
    final_called: str | None = None
    origination: float | None = None
    """Seconds since 1970."""
    connect: float | None = None
    """0 for a call that was never answered."""
    disconnect: float | None = None
    duration: float | None = None
    """Seconds for which it was up."""
    cause: int | None = None
    """The Q.850 cause that ended it."""


class Difference(NamedTuple):
    """Something that a record tells otherwise than it was observed."""

    what: str
    found: object
    """In the record."""
    due: object

    def __str__(self) -> str:
        return f"{self.what} is {self.found!r}, {self.due!r} was observed"


def call_differences(record: CallRecord, figures: CallFigures, *, seconds: float = SECONDS) -> list[Difference]:
    """What a CDR tells otherwise, times by more than ``seconds``; numbers are compared however they are written."""
    found: list[Difference] = []
    for name in ("calling", "original_called", "final_called"):
        told, due = getattr(record, name), getattr(figures, name)
        if due is not None and not uk_numbers.same(told, due):
            found.append(Difference(name, told, due))
    for name in ("origination", "connect", "disconnect", "duration"):
        told, due = getattr(record, name), getattr(figures, name)
        # 0 is no time: a call that was never answered is not one that was answered at about that time.
        if due is not None and (abs(told - due) > seconds or (name == "connect" and (told == 0) != (due == 0))):
            found.append(Difference(name, told, due))
    told = record.orig.cause or record.dest.cause
    if figures.cause is not None and codes.q850_cause(told) != figures.cause:
        found.append(Difference("cause", told, figures.cause))
    return found


def media_differences(
    record: MediaRecord, figures: RtpStat, *, packets: int = 0, seconds: float = SECONDS
) -> list[Difference]:
    """What a CMR tells otherwise: packets and losses by more than ``packets``, jitter by more than JITTER_MS and _PART.

    Octets may differ as those of ``packets`` packets do.
    """
    size = max((figures.octets_sent or 0) // max(1, figures.packets_sent or 0), 160)
    allowed = {
        "packets_sent": packets,
        "packets_received": packets,
        "packets_lost": packets,
        "octets_sent": packets * size,
        "octets_received": packets * size,
        "duration": seconds,
    }
    found: list[Difference] = []
    for each in fields(figures):
        due: int | None = getattr(figures, each.name)
        told: int | None = getattr(record, "latency" if each.name == "round_trip" else each.name)
        if due is None:
            continue
        most = allowed.get(each.name, max(JITTER_MS, due * JITTER_PART))
        if told is None or abs(told - due) > most:
            found.append(Difference(each.name, told, due))
    return found


@dataclass(slots=True)
class Call:
    """The records of one call."""

    calls: list[CallRecord] = field(default_factory=list)
    """In the order in which they were written."""
    media: list[MediaRecord] = field(default_factory=list)


def joined(calls: Iterable[CallRecord], media: Iterable[MediaRecord]) -> dict[tuple[str, int, int], Call]:
    """Records by what joins them: cluster, call manager and call ID."""
    found: dict[tuple[str, int, int], Call] = {}
    for call in calls:
        found.setdefault((call.cluster, call.call_manager, call.call_id), Call()).calls.append(call)
    for one in media:
        found.setdefault((one.cluster, one.call_manager, one.call_id), Call()).media.append(one)
    return found
