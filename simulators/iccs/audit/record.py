"""The audit record: who wanted what done to whom, why, and whether it was, refusals with their reason.

Passwords are never part of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from harness.errors import LocalError
from harness.journal import Journal
from harness.protocols.times import to_iso
from simulators.iccs.audit.trail import FileTrail, Trail
from simulators.iccs.positions import Position, PositionError
from simulators.iccs.settings.positions import Right

ENTRIES_KEPT: Final = 10_000
"""Entries in memory; beyond it the oldest goes. A trail in a file has them all."""

FIELD_KEPT: Final = 1_000
"""Characters of what an entry says of one thing."""


class NotAuthorisedError(PositionError):
    """A position asked for what it has no right to."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act that somebody wanted done."""

    time: float
    """Run time, seconds."""
    position: str
    """Empty where it was done at none: a supervisor's system, a caller of the control interface."""
    act: str
    target: str
    outcome: str
    """``done`` or ``refused``."""
    reason: str = ""
    """Why it was refused."""
    why: str = ""
    """Why it was wanted, where that has to be said."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """What else is kept of such an act: of a change of what is configured ``before``, ``after`` and ``approver``."""

    def shown(self) -> dict[str, Any]:
        """Return it as the control interface shows it."""
        told = ("time", "position", "act", "target", "outcome", "reason", "why")
        return {**{key: getattr(self, key) for key in told}, **self.more}


@dataclass(slots=True)
class Asked:
    """One request at the control interface; what is done in it may enter itself, with more than the request tells."""

    entered: bool = False


ASKED: ContextVar[Asked | None] = ContextVar("ASKED", default=None)
"""The request that is being answered."""


class Audit:
    """The record of one control room, oldest first."""

    def __init__(self, journal: Journal, epoch: float) -> None:
        """``epoch``: seconds since 1970 of run time 0."""
        self._journal = journal
        self._epoch = epoch
        self._trail = Trail()
        self._entries: deque[AuditEntry] = deque(maxlen=ENTRIES_KEPT)

    def __iter__(self) -> Iterator[AuditEntry]:
        return iter(self._entries)

    def keep_in(self, path: Path) -> None:
        """Write every entry from now on to a file as well. Raises LocalError as `FileTrail` does."""
        self._trail = FileTrail(path, self._journal)

    def close(self) -> None:
        """Let the file go."""
        self._trail.close()

    def exported(self) -> list[str]:
        """The newest lines of the trail, oldest first, each sealed with the one before, without their ends of line."""
        return [line[:-1].decode() for line in self._trail.lines]

    @property
    def takes(self) -> bool:
        """Whether an entry can be kept: not where the trail can't be written and too many wait for it already."""
        return self._trail.takes

    @contextmanager
    def of(
        self,
        position: Position,
        act: str,
        target: object,
        *,
        needs: Right | None = None,
        why: str = "",
        more: Mapping[str, Any] = MappingProxyType({}),
    ) -> Iterator[None]:
        """Enter what is done inside, done or refused with the reason of the LocalError that it raises.

        ``why`` it is wanted, and ``more`` of it, stand in the record and not in the journal. Raises
        NotAuthorisedError where the position lacks the right that the act ``needs``.
        """
        try:
            position.seated()
            if needs is not None and needs not in position.settings.may:
                raise NotAuthorisedError(f"{position.id} has no right to {needs}")
            yield
        except LocalError as error:
            self._journalled(position, act, target, "refused", str(error), why, more)
            raise
        self._journalled(position, act, target, "done", "", why, more)

    def enter(
        self,
        position: str,
        act: str,
        target: str,
        outcome: str,
        reason: str = "",
        why: str = "",
        more: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """Enter one act."""
        position, act, target, reason, why = (each[:FIELD_KEPT] for each in (position, act, target, reason, why))
        entry = AuditEntry(self._journal.now(), position, act, target, outcome, reason, why, more)
        self._entries.append(entry)
        self._trail.write({**entry.shown(), "time": to_iso(self._epoch + entry.time), "run": round(entry.time, 6)})

    def _journalled(
        self,
        position: Position,
        act: str,
        target: object,
        outcome: str,
        reason: str,
        why: str,
        more: Mapping[str, Any],
    ) -> None:
        self.enter(position.id, act, str(target), outcome, reason, why, more)
        if (asked := ASKED.get()) is not None:
            asked.entered = True
        told: dict[str, Any] = {"reason": reason} if reason else {}
        self._journal.record(
            "iccs", "audit.entered", position=position.id, act=act, target=str(target), outcome=outcome, **told
        )
