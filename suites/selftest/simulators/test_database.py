"""A simulator's store: whole transactions, no lost update, one layout, and a server that goes away and comes back."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from fixtures.postgresql import PostgresqlServer
from harness.errors import DatabaseError, DatabaseGoneError, LocalError
from simulators.database import Database
from simulators.store_refusals import tell_of_the_store


class Tables(DeclarativeBase):
    """Counters."""


class Counter(Tables):
    """One counter."""

    __tablename__ = "counters"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int]


def opened(store: str | None, *, version: int = 1) -> Database:
    return Database.open(store, Tables.metadata, whose="counters", version=version)


def put(session: Session) -> None:
    session.add(Counter(name="a", value=1))


def read(session: Session) -> int | None:
    return session.scalar(select(Counter.value).where(Counter.name == "a"))


def test_what_is_committed_is_there_when_the_store_is_opened_again(store: str) -> None:
    first = opened(store)
    first.transact(put)
    first.close()
    again = opened(store)
    assert again.transact(read) == 1
    again.close()


def test_a_transaction_that_raises_has_done_nothing(store: str) -> None:
    database = opened(store)

    def half(session: Session) -> None:
        put(session)
        session.flush()
        raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        database.transact(half)
    assert database.transact(read) is None
    database.transact(put)
    with pytest.raises(IntegrityError):
        database.transact(put)
    assert database.transact(read) == 1
    database.close()


def test_no_update_of_many_writers_is_lost(store: str) -> None:
    first = opened(store)
    first.transact(put)
    databases = [first, opened(store)]  # as two processes have it
    together = threading.Barrier(8)

    def one_more(session: Session) -> None:
        counter = session.get_one(Counter, "a")
        counter.value = counter.value + 1

    def writer(number: int) -> None:
        together.wait()
        for _ in range(10):
            databases[number % 2].transact(one_more)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(writer, range(8)))
    assert first.transact(read) == 81
    for database in databases:
        database.close()


def test_a_store_of_another_layout_is_refused_by_name(store: str) -> None:
    opened(store).close()
    with pytest.raises(LocalError, match="has layout 1 of counters, and this is for layout 2"):
        opened(store, version=2)


async def test_a_server_that_goes_away_is_told_of_and_found_again(server: PostgresqlServer) -> None:
    database = opened(server.database("gone"))
    await database.run(put)
    server.stop()
    try:
        with pytest.raises(DatabaseGoneError, match="the store can't be reached"):
            await database.run(read)
        app = FastAPI()
        tell_of_the_store(app)

        @app.get("/")
        async def asked() -> int | None:
            return await database.run(read)

        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://store") as client:
            answer = await client.get("/")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
            server.start()
            assert (await client.get("/")).json() == 1
    finally:
        if server_is_down(server):
            server.start()
        database.close()


def server_is_down(server: PostgresqlServer) -> bool:
    try:
        opened(server.url).close()
    except LocalError:
        return True
    return False


async def test_a_store_in_memory_is_one_for_all(tmp_path: Path) -> None:
    database = opened(None)
    await database.run(put)
    assert await database.run(read) == 1
    database.close()
    database.close()


def test_what_can_t_be_opened_is_refused_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="can't be opened") as refusal:
        opened("postgresql://diary:hunter2@127.0.0.1:1/diary")
    assert "hunter2" not in str(refusal.value)
    for store in ("mysql://diary:hunter2@host/diary", "postgresql://[::bad"):
        with pytest.raises(LocalError) as refusal:
            opened(store)
        assert "hunter2" not in str(refusal.value)
    with pytest.raises(LocalError, match="can't be opened"):
        opened(str(tmp_path))
    (tmp_path / "text").write_text("not a store " * 1_000)
    with pytest.raises(LocalError, match="can't be opened"):
        opened(str(tmp_path / "text"))
    with pytest.raises(LocalError, match="virtual time"):
        Database.open("postgresql://host/name", Tables.metadata, whose="counters", virtual=True)


def test_what_a_store_refuses_is_told_as_such(tmp_path: Path) -> None:
    database = opened(str(tmp_path / "store.sqlite"))
    database.transact(lambda session: session.connection().exec_driver_sql("PRAGMA max_page_count=1") and None)

    def fill(session: Session) -> None:
        session.add_all(Counter(name=f"{number}" * 50, value=number) for number in range(5_000))

    with pytest.raises(DatabaseError, match="the store refused: database or disk is full"):
        database.transact(fill)
    database.close()
