"""What the network keeps of each call: who called, every attempt to connect, every time, and how it ended."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from harness.errors import LocalError

MAX_RECORDS: Final = 10_000
"""Records kept; the oldest that is over and not preserved makes room."""
MAX_PRESERVED: Final = 1_000
"""Records that are kept beyond that (nuisance calls)."""
MAX_ATTEMPTS: Final = 200
"""Attempts that one record tells of."""


class Outcome(StrEnum):
    """How a call ended."""

    ANSWERED = "answered"
    """A control room had it; who cleared is told beside."""
    ABANDONED = "abandoned"
    """The caller gave up, or did not lift again in time, before a control room answered."""
    SILENT_NO_55 = "silent-no-55"
    """Nothing was pressed within the announcement."""
    NO_ANSWER = "no-answer"
    """No authority answered."""
    OPERATOR = "operator"
    """The operator ended it without connecting it."""
    CONTROL = "control"
    """A tester ended it."""
    FAILED = "failed"
    """The caller's telephone and the network agreed on no media."""


class RecordError(LocalError):
    """A record was asked for that is not there."""


@dataclass(slots=True)
class Attempt:
    """One try to connect a call to a control room. Times are run times, seconds."""

    authority: str
    route: str
    target: str
    """``number@host:port``."""
    begun: float
    ringing: float | None = None
    answered: float | None = None
    ended: float | None = None
    status: int = 0
    """The control room's last SIP status; 0: none came."""
    result: str = ""
    """``answered``, ``no reply``, ``no answer``, ``refused``, ``abandoned``, ``buddy`` …"""

    def shown(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class CallRecord:
    """One call. Times are run times, seconds; None where it did not come to that."""

    id: str
    """``em-1`` …"""
    uuid: UUID
    kind: str
    """``emergency``, ``agency-call`` or ``ring-back``."""
    cli: str
    """The caller's number, E.164; of a ring-back, the number that was rung. Empty where the network has none."""
    withheld: bool
    line: str
    dialled: str
    offered: float
    text: str = ""
    desk: str = ""
    """The operator who answered."""
    operator_answered: float | None = None
    attempts: list[Attempt] = field(default_factory=list)
    answered: float | None = None
    """When a control room, or the telephone that was rung back, answered."""
    operator_left: float | None = None
    held: list[tuple[float, float | None]] = field(default_factory=list)
    """Each time that the receiver was down: from, and until it was lifted (None: it was not)."""
    keys: str = ""
    """Keys that the caller pressed, the first 100."""
    ended: float | None = None
    outcome: Outcome | None = None
    abandoned: str = ""
    """Where the caller gave up."""
    cleared_by: str = ""
    """``caller``, ``control-room``, ``operator``, ``network``."""
    nuisance: str = ""
    preserved: bool = False
    """Whether the record is kept beyond the bound."""
    ring_back_of: str = ""
    """The call that a ring-back answers, by id."""
    marks: list[dict[str, Any]] = field(default_factory=list)
    """What the control room was told in marks, and when."""

    def shown(self) -> dict[str, Any]:
        """As JSON holds it."""
        data = {name: getattr(self, name) for name in self.__slots__}
        data["uuid"] = str(self.uuid)
        data["attempts"] = [each.shown() for each in self.attempts]
        data["held"] = [list(each) for each in self.held]
        data["outcome"] = None if self.outcome is None else str(self.outcome)
        return data

    def note_mark(self, time: float, data: dict[str, Any]) -> None:
        """Keep what the control room was told; the first MAX_ATTEMPTS times."""
        if len(self.marks) < MAX_ATTEMPTS:
            self.marks.append({"time": time, **data})

    def note_key(self, key: str) -> None:
        """Keep a key that the caller pressed."""
        self.keys = (self.keys + key)[:100]


class Records:
    """All records, oldest first."""

    def __init__(self, limit: int = MAX_RECORDS, preserved: int = MAX_PRESERVED) -> None:
        self._limit, self._preserved = limit, preserved
        self._records: OrderedDict[str, CallRecord] = OrderedDict()

    def __iter__(self) -> Iterator[CallRecord]:
        return iter(tuple(self._records.values()))

    def __len__(self) -> int:
        return len(self._records)

    def add(self, record: CallRecord) -> None:
        """Keep one, and let go of the oldest where there are too many."""
        self._records[record.id] = record
        kept = sum(each.preserved for each in self._records.values()) if len(self._records) > self._limit else 0
        if len(self._records) - min(kept, self._preserved) <= self._limit:
            return
        oldest = next((each for each in self._records.values() if each.ended is not None and not each.preserved), None)
        if oldest is None or kept > self._preserved:
            oldest = next((each for each in self._records.values() if each.ended is not None), None)
        if oldest is not None:
            del self._records[oldest.id]

    def get(self, id_: str) -> CallRecord:
        """One record. Raises RecordError where it is not there."""
        try:
            return self._records[id_]
        except KeyError:
            raise RecordError(f"there is no record of a call {id_!r}") from None

    def of(self, uuid: UUID) -> CallRecord | None:
        """The latest emergency record with that identity."""
        fitting = (each for each in reversed(self._records.values()) if each.uuid == uuid and each.kind != "ring-back")
        return next(fitting, None)

    def latest_of(self, cli: str) -> CallRecord | None:
        """The latest emergency call of a number."""
        fitting = (each for each in reversed(self._records.values()) if each.cli == cli and each.kind == "emergency")
        return next(fitting, None)
