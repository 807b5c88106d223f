"""A simulator's persistent store: SQLAlchemy on SQLite, or on PostgreSQL by URL, one transaction at a time and whole.

Theory. What a simulator keeps is changed in one function that gets a session and either returns, and is committed, or
raises, and has done nothing. On SQLite a transaction takes the file's one write lock at its start; on PostgreSQL it is
serialisable, and is done again where the server says that it clashed with another. So two writers never both see a slot
free. SQLite answers in a millisecond and is asked on the loop; PostgreSQL is asked from threads, and therefore not in
virtual time.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from sqlalchemy import (
    URL,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    insert,
    make_url,
    select,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from harness.errors import DatabaseError, DatabaseGoneError, LocalError

T = TypeVar("T")

MAX_CONNECTIONS: Final = 8
"""Connections to PostgreSQL, and threads that ask it."""
MAX_WAITING: Final = 1_000
"""Transactions that wait for a thread; more are refused."""
ANSWERS_WITHIN: Final = 5
"""Seconds within which a connection to PostgreSQL is made, and a lock on SQLite's file is had."""
MAX_TRIES: Final = 50
"""How often a transaction is done that clashed with others, before it is given up."""
CLASHES: Final = frozenset({"40001", "40P01"})
"""PostgreSQL's codes of a serialisation failure and a deadlock."""
_SQLITE_GONE: Final = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR", "SQLITE_CANTOPEN")
RETRY_AFTER_S: Final = 2
"""What a client is told to wait while the store is gone."""


_versions = MetaData()
_layouts = Table(
    "iccs_layout",
    _versions,
    Column("whose", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
)
"""Which layout a store has."""


class Database:
    """One simulator's store."""

    def __init__(self, engine: Engine, *, threads: bool) -> None:
        """Use `Database.open`."""
        self._engine = engine
        self._threads = ThreadPoolExecutor(MAX_CONNECTIONS, thread_name_prefix="store") if threads else None
        self._waiting = 0

    @classmethod
    def open(
        cls, store: str | None, tables: MetaData, *, whose: str, version: int = 1, virtual: bool = False
    ) -> Database:
        """Open ``store``: a file's path, ``postgresql://user:password@host/name``, or None for one in memory.

        ``tables`` are made where they are not there; ``whose`` and ``version`` name their layout. Raises LocalError for
        what can't be opened, has another layout, or can't be had in virtual time.
        """
        return cls._opened(_url(store, virtual=virtual), lambda connection: _make(connection, tables, whose, version))

    @classmethod
    def migrated(cls, store: str | None, migrate: Callable[[Connection], None]) -> Database:
        """Open ``store`` as `open` does, where ``migrate`` brings its layout up to date in one transaction."""
        return cls._opened(_url(store, virtual=False), migrate)

    @classmethod
    def _opened(cls, url: URL, lay_out: Callable[[Connection], None]) -> Database:
        engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)
        try:
            with engine.begin() as connection:
                _alone(connection)
                lay_out(connection)
        except SQLAlchemyError as error:
            engine.dispose()
            raise LocalError(f"the store {_shown(url)} can't be opened: {_why(error)}") from error
        except LocalError:
            engine.dispose()
            raise
        return cls(engine, threads=url.get_backend_name() != "sqlite")

    def close(self) -> None:
        """Give the connections up."""
        if self._threads is not None:
            self._threads.shutdown(wait=True, cancel_futures=True)
        self._engine.dispose()

    async def run(self, work: Callable[[Session], T]) -> T:
        """Do ``work`` in one transaction and return what it returns; on PostgreSQL it may be done more than once.

        Whatever ``work`` raises undoes it and is raised. Raises DatabaseGoneError while the store can't be reached, and
        DatabaseError for what it refuses.
        """
        if self._threads is None:
            return self.transact(work)
        if self._waiting >= MAX_WAITING:
            raise DatabaseGoneError(f"{MAX_WAITING} transactions wait for the store, and no more")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self.transact, work)
        finally:
            self._waiting -= 1

    def transact(self, work: Callable[[Session], T]) -> T:
        """Do ``work`` in one transaction in the calling thread, as `run` does."""
        for tried in range(MAX_TRIES):
            try:
                with Session(self._engine, expire_on_commit=False) as session, session.begin():
                    return work(session)
            except IntegrityError:
                raise  # the simulator's own rules, told by its tables
            except DBAPIError as error:
                if _clashed(error) and tried + 1 < MAX_TRIES:
                    continue
                if _gone(error):
                    raise DatabaseGoneError(f"the store can't be reached: {_why(error)}") from error
                raise DatabaseError(f"the store refused: {_why(error)}") from error
            except PoolTimeoutError as error:
                raise DatabaseGoneError(f"no connection to the store is free after {ANSWERS_WITHIN} s") from error
            except SQLAlchemyError as error:
                raise DatabaseError(f"the store refused: {_why(error)}") from error
        raise AssertionError("a transaction is done or raises")


def _url(store: str | None, *, virtual: bool) -> URL:
    if store is None:
        return URL.create("sqlite", database=":memory:")
    if "://" not in store:
        return URL.create("sqlite", database=store)
    try:
        url = make_url(store)
    except (ArgumentError, ValueError):
        raise LocalError(
            "the store's URL can't be read: postgresql://user:password@host/name, or a file's path"
        ) from None
    if url.get_backend_name() != "postgresql":
        raise LocalError(f"the store {_shown(url)} is neither a file's path nor postgresql://…")
    if virtual:
        raise LocalError("PostgreSQL answers in its own time: in virtual time the store is a file, or left out")
    return url.set(drivername="postgresql+psycopg")


def _sqlite(url: URL) -> Engine:
    # One connection where all is in memory: each would have a store of its own.
    kept: dict[str, Any] = {"poolclass": StaticPool} if url.database == ":memory:" else {}
    engine = create_engine(url, connect_args={"timeout": ANSWERS_WITHIN, "check_same_thread": False}, **kept)

    @event.listens_for(engine, "connect")
    def prepared(connection: DBAPIConnection, _record: object) -> None:
        # sqlite3 begins no transaction of its own: a reader that becomes a writer half-way could not have the lock.
        setattr(connection, "isolation_level", None)  # noqa: B010 - DBAPIConnection does not know sqlite3's own
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _postgresql(url: URL) -> Engine:
    return create_engine(
        url,
        isolation_level="SERIALIZABLE",
        pool_size=MAX_CONNECTIONS,
        max_overflow=0,
        pool_timeout=ANSWERS_WITHIN,
        pool_pre_ping=True,
        connect_args={"connect_timeout": ANSWERS_WITHIN},
    )


def _make(connection: Connection, tables: MetaData, whose: str, version: int) -> None:
    _versions.create_all(connection)
    there = connection.scalar(select(_layouts.c.version).where(_layouts.c.whose == whose))
    if there is None:
        connection.execute(insert(_layouts).values(whose=whose, version=version))
    elif there != version:
        raise LocalError(f"the store has layout {there} of {whose}, and this is for layout {version}")
    tables.create_all(connection)


def _alone(connection: Connection) -> None:
    """Wait for others who make tables: two that make the same at once would find each other's half there."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(20490)")


def _clashed(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in CLASHES


def _gone(error: DBAPIError) -> bool:
    if isinstance(error.orig, sqlite3.Error):
        return getattr(error.orig, "sqlite_errorname", "").startswith(
            ("SQLITE_BUSY", "SQLITE_IOERR", "SQLITE_CANTOPEN")
        )
    state = getattr(error.orig, "sqlstate", None)
    # Without a code nobody answered; 08: the connection; 57P: the server stops or starts; 53: it is full of clients.
    return error.connection_invalidated or state is None or state.startswith(("08", "57P", "53"))


def _why(error: SQLAlchemyError) -> str:
    told = str(error.orig if isinstance(error, DBAPIError) and error.orig is not None else error)
    return told.splitlines()[0] if told.strip() else type(error).__name__


def _shown(url: URL) -> str:
    return url.render_as_string(hide_password=True)
