"""The Diary's store: each change a whole transaction, done again where another writer was first, told once kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from harness.errors import DatabaseGoneError
from simulators.database import Database
from simulators.diary.desk import Desk, Work
from simulators.diary.settings import DiarySettings
from simulators.diary.tables import LAYOUT, Tables

T = TypeVar("T")
TRIES: Final = 10
"""How often a change is done for which another writer made a row first that both need."""
Happened = Callable[[str, dict[str, Any]], None]


class DiaryStore:
    """One store, and the time it is."""

    def __init__(self, settings: DiarySettings, now: Callable[[], float], happened: Happened, *, virtual: bool) -> None:
        """Open it; ``now`` gives seconds since 1970, ``happened`` is given what was done. Raises LocalError."""
        self.settings = settings
        self._now = now
        self._happened = happened
        store = settings.store.get_secret_value() if settings.store is not None else None
        self._database = Database.open(store, Tables.metadata, whose="diary", version=LAYOUT, virtual=virtual)

    def close(self) -> None:
        """Give it up."""
        self._database.close()

    async def do(self, work: Work[T]) -> T:
        """Do ``work`` in one transaction and tell what happened. Raises what it raises, and DatabaseError."""
        for tried in range(TRIES):
            try:
                return self._tell(*await self._database.run(self._on_a_desk(work, again=tried > 0)))
            except IntegrityError:
                continue
        raise _crowded()

    def do_here(self, work: Work[T]) -> T:
        """The same in the calling thread."""
        for tried in range(TRIES):
            try:
                return self._tell(*self._database.transact(self._on_a_desk(work, again=tried > 0)))
            except IntegrityError:
                continue
        raise _crowded()

    def _on_a_desk(self, work: Work[T], *, again: bool) -> Callable[[Session], tuple[T, Desk]]:
        def transaction(session: Session) -> tuple[T, Desk]:
            desk = Desk(session, self.settings, self._now(), again)
            return work(desk), desk

        return transaction

    def _tell(self, result: T, desk: Desk) -> T:
        for kind, data in desk.happened:
            self._happened(kind, data)
        return result


def _crowded() -> DatabaseGoneError:
    return DatabaseGoneError(f"others were first {TRIES} times: ask again")
