"""Opens the page's store, its layout brought up to date by Alembic, and keeps the attempts there."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar, cast

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from harness.errors import DatabaseError, DatabaseGoneError, LocalError, PageError
from harness.page.contract import Attempt, Ended, Marked, Person, Role
from harness.page.tables import AttemptRow, PersonRow
from simulators.database import Database

T = TypeVar("T")
MIGRATIONS = Path(__file__).with_name("migrations")


class StoreError(PageError):
    """The store keeps or gives nothing now."""


class Store:
    """The page's store."""

    def __init__(self, database: Database) -> None:
        """Use `Store.open`."""
        self._database = database

    @classmethod
    def open(cls, store: str | None) -> Store:
        """Open ``store``: a file's path, ``postgresql://user:password@host/name``, or None for one in memory.

        Raises LocalError for what can't be opened, or has a layout that this version does not know.
        """
        return cls(Database.migrated(store, _migrate))

    async def run(self, work: Callable[[Session], T]) -> T:
        """Do ``work`` in one transaction; see `Database.run`. Raises StoreError where the store fails."""
        try:
            return await self._database.run(work)
        except DatabaseError as error:
            raise _told(error) from error

    def transact(self, work: Callable[[Session], T]) -> T:
        """As `run`, in the calling thread."""
        try:
            return self._database.transact(work)
        except DatabaseError as error:
            raise _told(error) from error

    def close(self) -> None:
        """Give the connections up."""
        self._database.close()


class StoredAttempts:
    """Attempts in the store (`harness.page.contract.Attempts`)."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def keep(self, person: Person, attempt: Attempt) -> int:
        """Keep an attempt and return its number. Raises PageError."""
        plain = {**asdict(attempt), "person_id": person.id}
        plain |= {"steps": json.dumps(plain["steps"]), "thrive": json.dumps(dict(attempt.thrive))}
        plain["detail"] = json.dumps(dict(attempt.detail))

        def kept(session: Session) -> int:
            row = AttemptRow(**plain)
            session.add(row)
            session.flush()
            return row.id

        return await self._store.run(kept)

    async def attempt(self, number: int) -> tuple[Person, Attempt]:
        """Return an attempt and whose it is. Raises PageError."""

        def read(session: Session) -> tuple[Person, Attempt] | None:
            row = session.get(AttemptRow, number) if 0 < number < 2**31 else None
            whose = session.get(PersonRow, row.person_id) if row is not None else None
            return None if row is None or whose is None else (person_in(whose), attempt_in(row))

        found = await self._store.run(read)
        if found is None:
            raise PageError(f"there is no attempt {number}")
        return found


def person_in(row: PersonRow) -> Person:
    """Return who a row is of."""
    return Person(row.id, row.name, cast(Role, row.role), row.team, row.site)


def attempt_in(row: AttemptRow) -> Attempt:
    """Return what a row keeps."""
    steps: list[dict[str, Any]] = json.loads(row.steps)
    return Attempt(
        scenario=row.scenario,
        digest=row.digest,
        build=row.build,
        seat=row.seat,
        ended=cast(Ended, row.ended),
        began_at=row.began_at,
        took_s=row.took_s,
        percent=row.percent,
        steps=tuple(Marked(**each) for each in steps),
        thrive=json.loads(row.thrive),
        detail=json.loads(row.detail),
    )


def _migrate(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise LocalError(f"the store's layout is not known to this version of iccs: {error}") from error


def _told(error: DatabaseError) -> StoreError:
    if isinstance(error, DatabaseGoneError):
        return StoreError(f"{error}. Nothing was changed; try again when it is back.")
    return StoreError(f"{error}. Nothing was changed; make room on the store's disk, then try again.")
