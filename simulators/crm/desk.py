"""The CRM at work: its store, its calendar, its events; whatever touches personal data goes one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from sqlalchemy.orm import Session

from harness.errors import DatabaseGoneError
from harness.transport.context import Context
from simulators.crm import audit
from simulators.crm.settings import CrmSettings
from simulators.database import Database
from simulators.events import Events

T = TypeVar("T")
MAX_WAITING: Final = 1_000
"""Requests that wait for their turn; more are refused."""


class Desk:
    """What all parts of one CRM share."""

    def __init__(self, context: Context, name: str, settings: CrmSettings, database: Database, epoch: float) -> None:
        """``epoch``: seconds since 1970 of run time 0."""
        self.name = name
        self.settings = settings
        self.context = context
        self.events = Events(context.journal, name)
        self.reviews_changed: Callable[[], None] = lambda: None
        """Called when a supervisor may have to look at something sooner, or no more."""
        self._database = database
        self._epoch = epoch
        self._turn = asyncio.Lock()
        self._waiting = 0

    def now(self) -> float:
        """Seconds since 1970 by the run's calendar."""
        return self._epoch + self.context.journal.now()

    async def run(self, work: Callable[[Session], T]) -> T:
        """Do ``work`` in one transaction, once all before it are done: an audit that is a chain has one end.

        Raises what ``work`` raises, DatabaseError, and DatabaseGoneError where MAX_WAITING wait already.
        """
        if self._waiting >= MAX_WAITING:
            raise DatabaseGoneError(f"{MAX_WAITING} requests wait for the store, and no more")
        self._waiting += 1
        try:
            async with self._turn:
                return await self._database.run(work)
        finally:
            self._waiting -= 1

    def audit(self, session: Session, who: audit.Who, action: str, about: str, contacts: Iterable[int]) -> int:
        """Write down in ``session`` who looked at or changed whose data; return the entry's number."""
        return audit.note(session, self.now(), who, action, about, contacts)
