"""The audit record: who wanted what done to whom, why, and whether it was, refusals with their reason.

Passwords are never part of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final

from harness.errors import LocalError
from harness.journal import Journal
from simulators.iccs.positions import Position, PositionError
from simulators.iccs.settings.positions import Right

ENTRIES_KEPT: Final = 10_000
"""Entries in memory; beyond it the oldest goes."""


class NotAuthorisedError(PositionError):
    """A position asked for what it has no right to."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act that somebody wanted done."""

    time: float
    """Run time, seconds."""
    position: str
    act: str
    target: str
    outcome: str
    """``done`` or ``refused``."""
    reason: str = ""
    """Why it was refused."""
    why: str = ""
    """Why it was wanted, where that has to be said."""

    def shown(self) -> dict[str, Any]:
        """Return it as the control interface shows it."""
        return asdict(self)


class Audit:
    """The record of one control room, oldest first."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._entries: deque[AuditEntry] = deque(maxlen=ENTRIES_KEPT)

    def __iter__(self) -> Iterator[AuditEntry]:
        return iter(self._entries)

    @contextmanager
    def of(
        self, position: Position, act: str, target: object, *, needs: Right | None = None, why: str = ""
    ) -> Iterator[None]:
        """Enter what is done inside, done or refused with the reason of the LocalError that it raises.

        ``why`` it is wanted stands in the record and not in the journal. Raises NotAuthorisedError where the
        position lacks the right that the act ``needs``.
        """
        try:
            position.seated()
            if needs is not None and needs not in position.settings.may:
                raise NotAuthorisedError(f"{position.id} has no right to {needs}")
            yield
        except LocalError as error:
            self._enter(position, act, target, "refused", str(error), why)
            raise
        self._enter(position, act, target, "done", "", why)

    def _enter(self, position: Position, act: str, target: object, outcome: str, reason: str, why: str) -> None:
        entry = AuditEntry(self._journal.now(), position.id, act, str(target), outcome, reason, why)
        self._entries.append(entry)
        more: dict[str, Any] = {"reason": reason} if reason else {}
        self._journal.record(
            "iccs", "audit.entered", position=position.id, act=act, target=entry.target, outcome=outcome, **more
        )
