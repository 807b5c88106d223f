"""Appointments booked a second in the SMS Diary by 32 writers, on SQLite and on PostgreSQL.

Each booking is a whole transaction with its texts queued, flushed to disk; every writer wants slots of its own, as
advisers who talk to different people do. The peer in the same run, on the same database: 32 writers who insert one row
a transaction by the database's own driver, without SQLAlchemy.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg

from fixtures.postgresql import PROGRAMS, postgresql_server
from simulators.diary import booking
from simulators.diary.booking import Wanted
from simulators.diary.hours import iso
from simulators.diary.settings import DiarySettings
from simulators.diary.store import DiaryStore

WRITERS, EACH, ROUNDS = 32, 8, 3
STORES = 4
"""Each with a connection to PostgreSQL for every eighth writer."""
NOW = 1_772_000_000.0
FIRST = date(2026, 3, 2)
ABSENT = f"PostgreSQL's server is not under {PROGRAMS}; get it with: apt-get install postgresql"


def _in_threads(work: Callable[[int], None]) -> float:
    """Seconds that 32 writers take."""
    together = threading.Barrier(WRITERS + 1)

    def one(number: int) -> None:
        together.wait()
        work(number)

    with ThreadPoolExecutor(WRITERS) as threads:
        running = [threads.submit(one, number) for number in range(WRITERS)]
        together.wait()
        began = time.perf_counter()
        for each in running:
            each.result()
        return time.perf_counter() - began


def _bookings(store: str) -> float:
    """Bookings a second into an empty store."""
    diaries = [{"id": f"officer-{number}", "name": "Govan police station"} for number in range(WRITERS)]
    settings = DiarySettings.model_validate({"store": store, "diaries": diaries})
    stores = [DiaryStore(settings, lambda: NOW, lambda _kind, _data: None, virtual=False) for _ in range(STORES)]
    diary = stores[0]
    try:
        free = [
            diary.do_here(
                lambda desk, of=each.id: [
                    iso(start, desk.zone(desk.diary(of)))
                    for start in booking.free(desk, desk.diary(of), FIRST, FIRST + timedelta(days=3), EACH)
                ]
            )
            for each in settings.diaries
        ]

        def book(number: int) -> None:
            for start in free[number]:
                wanted = Wanted(f"officer-{number}", start, f"+447700900{number:03d}")
                stores[number % STORES].do_here(lambda desk, w=wanted: booking.book(desk, w, key=f"{number}:{w.start}"))

        return WRITERS * EACH / _in_threads(book)
    finally:
        for each in stores:
            each.close()


def _sqlite_rows(path: str) -> float:
    with sqlite3.connect(path) as made:
        made.execute("PRAGMA journal_mode=WAL")
        made.execute("CREATE TABLE rows (key TEXT PRIMARY KEY)")
    made.close()

    def insert(number: int) -> None:
        connection = sqlite3.connect(path, timeout=30, isolation_level=None)
        connection.execute("PRAGMA synchronous=FULL")
        for each in range(EACH):
            connection.execute("INSERT INTO rows VALUES (?)", (f"{number}:{each}",))
        connection.close()

    return WRITERS * EACH / _in_threads(insert)


def _postgresql_rows(url: str) -> float:
    with psycopg.connect(url, autocommit=True) as made:
        made.execute("CREATE TABLE rows (key TEXT PRIMARY KEY)")

    def insert(number: int) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            for each in range(EACH):
                connection.execute("INSERT INTO rows VALUES (%s)", (f"{number}:{each}",))

    return WRITERS * EACH / _in_threads(insert)


def measure() -> dict[str, Any]:
    """Measure each database and its peer in turns; give the best of each. What is missing is said by name."""
    result: dict[str, Any] = {"name": "bookings", "writers": WRITERS, "bookings": WRITERS * EACH, "databases": {}}
    with tempfile.TemporaryDirectory(prefix="iccs-bench-") as folder:
        paths = [str(Path(folder) / f"{number}.sqlite") for number in range(2 * ROUNDS)]
        ours, rows = [], []
        for turn in range(ROUNDS):
            ours.append(_bookings(paths[2 * turn]))
            rows.append(_sqlite_rows(paths[2 * turn + 1]))
        result["databases"]["SQLite"] = _figures(ours, rows)
    if not sorted(PROGRAMS.glob("*/bin/initdb")):
        result["databases"]["PostgreSQL"] = {"missing": ABSENT}
        return result
    with postgresql_server() as server:
        ours, rows = [], []
        for turn in range(ROUNDS):
            ours.append(_bookings(server.database(f"bookings_{turn}")))
            rows.append(_postgresql_rows(server.database(f"rows_{turn}")))
        result["databases"]["PostgreSQL"] = _figures(ours, rows)
    return result


def _figures(ours: list[float], rows: list[float]) -> dict[str, Any]:
    best, peer = max(ours), max(rows)
    return {"bookings_per_s": round(best), "rows_per_s": round(peer), "ratio": round(best / peer, 3)}


if __name__ == "__main__":
    sys.stdout.write(f"{measure()}\n")
