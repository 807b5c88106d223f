"""Call records: one for each caller's matter, through hold, transfer, redial and callback, and how they are found.

Theory. A record begins with the call that came, or that a position placed, and takes in every later call about the same
caller: the leg that a transfer dials, the ring back, the callback. It keeps what the network told of the call, what was
done when, and, where the call was a nuisance, stays when others go (NICCS-TEL-020).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from harness.errors import LocalError
from harness.protocols import uk_numbers
from harness.protocols.sip.emergency_call import Mark

MAX_ENTRIES = 500
"""Lines of one record; what comes after is not kept."""
MAX_PRESERVED = 10_000
"""Records that may be preserved at once."""
MAX_FOUND = 1000
"""Records that one search returns."""


class RecordError(LocalError):
    """A record was asked for what it can't be."""


class UnknownRecordError(RecordError):
    """There is no such record."""


@dataclass(slots=True, eq=False)
class CallRecord:
    """What is kept of one matter."""

    id: str
    """``R-000001`` …"""
    since: float
    """Run time at which it began, seconds."""
    cli: str | None
    dialled: str
    queue: str | None
    flags: tuple[str, ...] = ()
    trunk: str = ""
    """The trunk by which it came; calls back go by the same where they can."""
    calls: list[str] = field(default_factory=list)
    """Ids of the calls about it."""
    positions: list[str] = field(default_factory=list)
    """Who had it, in that order."""
    outcome: str = "open"
    """``open``, ``answered``, ``abandoned``, ``callback due``, ``called back``, ``not reached``, ``refused`` …"""
    answered: float | None = None
    """Run time at which an adviser first had it."""
    wait_s: float | None = None
    """From coming to the answer, or to being given up."""
    band: str | None = None
    """The band of waiting times that this is in."""
    ended: float | None = None
    """Run time at which its last call ended; None while one is up, or due."""
    reference: str | None = None
    """The 999 network's name for the call, the same in every attempt."""
    mark: Mark | None = None
    """What the 999 network first said of it."""
    contact: tuple[str, int] | None = None
    """Where the network takes calls back to this caller."""
    network: dict[str, Any] = field(default_factory=dict)
    """What the network told: SIP Call-ID, From, P-Asserted-Identity, where from."""
    locations: list[dict[str, Any]] = field(default_factory=list)
    """Every location that was known, oldest first, as shown to the adviser."""
    nuisance: dict[str, Any] | None = None
    """Who tagged it as a nuisance call, when, and why."""
    incidents: list[str] = field(default_factory=list)
    """Ids of the incidents that were opened from it."""
    no_incident: dict[str, Any] | None = None
    """Who said that it needs none, when, and why."""
    rung_back: bool = False
    """Of a caller who gave up: whether a position has rung back."""
    entries: list[dict[str, Any]] = field(default_factory=list)
    """What happened: ``time``, ``what``, and more."""

    def note(self, time: float, what: str, **more: Any) -> None:
        """Add a line."""
        if len(self.entries) < MAX_ENTRIES:
            self.entries.append({"time": round(time, 6), "what": what, **more})

    @property
    def is_open(self) -> bool:
        """Whether a call about it is up or due."""
        return self.ended is None

    def summary(self) -> dict[str, Any]:
        """Return it as lists show it."""
        return {
            "record": self.id,
            "since": round(self.since, 6),
            "cli": self.cli,
            "dialled": self.dialled,
            "queue": self.queue,
            "flags": list(self.flags),
            "calls": list(self.calls),
            "positions": list(self.positions),
            "outcome": self.outcome,
            "answered": self.answered,
            "wait_s": self.wait_s,
            "band": self.band,
            "ended": self.ended,
            "rung_back": self.rung_back,
            "nuisance": self.nuisance,
        }

    def shown(self) -> dict[str, Any]:
        """Return all of it."""
        return {
            **self.summary(),
            "trunk": self.trunk,
            "reference": self.reference,
            "network": self.network,
            "locations": self.locations,
            "entries": self.entries,
        }


class RecordBook:
    """All records, within a bound."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._count = 0
        self._records: dict[str, CallRecord] = {}
        self._references: dict[str, CallRecord] = {}

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[CallRecord]:
        return iter(self._records.values())

    def open(self, time: float, *, cli: str | None, dialled: str, queue: str | None, **known: Any) -> CallRecord:
        """Begin a record."""
        self._make_room()
        self._count += 1
        record = CallRecord(f"R-{self._count:06d}", time, cli, dialled, queue, **known)
        self._records[record.id] = record
        if record.reference is not None:
            self._references[record.reference] = record
        return record

    def of_reference(self, reference: str) -> CallRecord | None:
        """Return the record of a call that the 999 network names so."""
        return self._references.get(reference)

    def _make_room(self) -> None:
        """Let the oldest go that is over and not preserved.

        Where there is none the book grows: calls that are up, and records that are preserved, have bounds of their own.
        """
        if len(self._records) < self._keep:
            return
        oldest = next((each for each in self._records.values() if not each.is_open and each.nuisance is None), None)
        if oldest is not None:
            del self._records[oldest.id]
            self._references.pop(oldest.reference or "", None)

    def get(self, id_: str) -> CallRecord:
        """Return a record. Raises UnknownRecordError."""
        try:
            return self._records[id_]
        except KeyError:
            raise UnknownRecordError(f"there is no call record {id_!r}") from None

    def preserve(self, record: CallRecord, *, by: str, note: str, time: float) -> None:
        """Tag a record as a nuisance call's: it stays. Tagging it again changes who, when and why.

        Raises RecordError when MAX_PRESERVED are.
        """
        if record.nuisance is None and sum(each.nuisance is not None for each in self) >= MAX_PRESERVED:
            raise RecordError(f"{MAX_PRESERVED} call records are preserved already")
        record.nuisance = {"by": by, "note": note, "time": round(time, 6)}
        record.note(time, "tagged as nuisance", by=by, note=note)

    def find(
        self,
        *,
        cli: str | None = None,
        queue: str | None = None,
        outcome: str | None = None,
        flag: str | None = None,
        since: float | None = None,
        until: float | None = None,
        nuisance: bool | None = None,
        limit: int = 100,
    ) -> list[CallRecord]:
        """Return the newest records that fit all that is given, newest first; ``since`` and ``until`` bound when each
        began. Numbers are the same however they are written."""
        found = []
        for record in reversed(self._records.values()):
            if cli is not None and (record.cli is None or not uk_numbers.same(record.cli, cli)):
                continue
            if (queue is not None and record.queue != queue) or (outcome is not None and record.outcome != outcome):
                continue
            if flag is not None and flag not in record.flags:
                continue
            if (since is not None and record.since < since) or (until is not None and record.since > until):
                continue
            if nuisance is not None and nuisance is (record.nuisance is None):
                continue
            found.append(record)
            if len(found) >= min(limit, MAX_FOUND):
                break
        return found


class Bands:
    """Bands of waiting times: ``under 10 s``, ``10 to 59 s``, ``60 s and more``."""

    def __init__(self, begins: tuple[float, ...]) -> None:
        self._begins = begins
        names = [f"under {begins[0]:g} s"]
        names += [f"{low:g} to {high - 1:g} s" for low, high in pairwise(begins)]
        self.names = (*names, f"{begins[-1]:g} s and more")
        """Shortest wait first."""

    def of(self, wait_s: float) -> str:
        """Return the band that a wait is in; a wait of 59.9 s is under 60 s."""
        return self.names[sum(wait_s >= begin for begin in self._begins)]
