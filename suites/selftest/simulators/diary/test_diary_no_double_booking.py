"""No slot is booked twice: 32 writers in threads and in processes, on SQLite and PostgreSQL; and by the tables."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from fixtures.postgresql import PostgresqlServer, postgresql_server
from harness.transport.context import Context
from simulators.database import Database
from simulators.diary import booking
from simulators.diary.booking import Wanted
from simulators.diary.refusals import TakenError
from simulators.diary.settings import QUANTUM_S, DiarySettings
from simulators.diary.simulator import DiarySimulator
from simulators.diary.store import DiaryStore
from simulators.diary.tables import LAYOUT, Appointment, Tables, Taken

pytestmark = pytest.mark.real_wire
NOW = 1_772_000_000.0  # 2026-02-25
WRITERS = 32
PROCESSES = 4


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    with postgresql_server() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> DiarySettings:
    store = str(tmp_path / "store.sqlite")
    if request.param == "postgresql":
        made: PostgresqlServer = request.getfixturevalue("server")
        store = made.database(f"d{abs(hash(request.node.nodeid)) % 10**9}")
    diaries = [{"id": "a", "name": "A", "slot_minutes": 30}, {"id": "b", "name": "B", "slot_minutes": 45}]
    return DiarySettings.model_validate({"store": store, "diaries": diaries})


def opened(settings: DiarySettings) -> DiaryStore:
    return DiaryStore(settings, lambda: NOW, lambda _kind, _data: None, virtual=False)


def free(store: DiaryStore, diary: str, days: int = 1) -> list[str]:
    day = date(2026, 3, 9)
    zone = store.do_here(lambda desk: desk.zone(desk.diary(diary)))
    found = store.do_here(lambda desk: booking.free(desk, desk.diary(diary), day, day + timedelta(days=days - 1), 500))
    return [booking.iso(each, zone) for each in found]


def book(store: DiaryStore, diary: str, start: str, key: str, telephone: str = "+447700900123") -> str:
    try:
        store.do_here(lambda desk: booking.book(desk, Wanted(diary, start, telephone), key=key))
    except TakenError:
        return "taken"
    return "booked"


def held(store: DiaryStore) -> list[tuple[str, int, int]]:
    """Live appointments: diary, start, end."""

    def read(desk: Any) -> list[tuple[str, int, int]]:
        live = desk.session.scalars(select(Appointment).where(Appointment.live.is_(True)))
        return [(each.diary, each.starts, each.starts + 60 * each.minutes) for each in live]

    return sorted(store.do_here(read))


def in_threads(work: Callable[[int], object]) -> list[object]:
    together = threading.Barrier(WRITERS)

    def one(number: int) -> object:
        together.wait()
        return work(number)

    with ThreadPoolExecutor(WRITERS) as threads:
        return list(threads.map(one, range(WRITERS)))


def assert_nothing_overlaps(appointments: list[tuple[str, int, int]]) -> None:
    for earlier, later in pairwise(appointments):
        assert earlier[0] != later[0] or earlier[2] <= later[1], f"{earlier} and {later} overlap"


def test_of_32_writers_who_want_one_slot_one_has_it(settings: DiarySettings) -> None:
    stores = [opened(settings) for _ in range(4)]
    for start in free(stores[0], "a")[:3]:
        told = Counter(in_threads(lambda number, at=start: book(stores[number % 4], "a", at, f"{at}:{number}")))
        assert told == {"booked": 1, "taken": WRITERS - 1}
    assert len(held(stores[0])) == 3
    for store in stores:
        store.close()


def test_32_writers_who_want_every_slot_fill_the_day_and_no_more(settings: DiarySettings) -> None:
    store = opened(settings)
    slots = [(diary, start) for diary in ("a", "b") for start in free(store, diary)]

    def fill(number: int) -> list[str]:
        turned = slots[number % len(slots) :] + slots[: number % len(slots)]
        return [book(store, diary, start, f"{number}:{diary}:{start}") for diary, start in turned]

    told = Counter(each for each_writer in in_threads(fill) for each in each_writer)  # type: ignore[attr-defined]
    assert told["booked"] == len(slots)
    assert len(held(store)) == len(slots)
    assert_nothing_overlaps(held(store))
    store.close()


def test_writers_in_processes_of_their_own_book_no_slot_twice(settings: DiarySettings, tmp_path: Path) -> None:
    store = opened(settings)
    slots = free(store, "a")
    told = tmp_path / "settings.json"
    plain = settings.model_dump(mode="json")
    assert settings.store is not None
    told.write_text(json.dumps({**plain, "store": settings.store.get_secret_value()}))
    command = [sys.executable, str(Path(__file__).with_name("diary_writers.py")), str(told), str(WRITERS // PROCESSES)]
    children = [
        subprocess.Popen([*command, str(number), *slots], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for number in range(PROCESSES)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    booked: list[str] = []
    for child in children:
        output, _ = child.communicate(timeout=120)
        assert child.returncode == 0
        booked += json.loads(output)
    assert sorted(booked) == sorted(slots), "a slot was told as booked to two writers, or to none"
    assert len(held(store)) == len(slots)
    store.close()


def test_a_slot_that_32_writers_move_to_is_one_appointments(settings: DiarySettings) -> None:
    store = opened(settings)
    slots = free(store, "a", days=3)
    wanted, others = slots[0], slots[1 : WRITERS + 1]
    for number, start in enumerate(others):
        assert book(store, "a", start, f"k{number}") == "booked"

    def go(number: int) -> str:
        try:
            moving = booking.Moving(number + 1, wanted)
            store.do_here(lambda desk: booking.move(desk, moving, key=f"m{number}"))
        except TakenError:
            return "taken"
        return "moved"

    assert Counter(in_threads(go)) == {"moved": 1, "taken": WRITERS - 1}
    assert len(held(store)) == WRITERS
    assert_nothing_overlaps(held(store))
    store.close()


def test_one_request_sent_by_32_at_once_books_once_and_all_are_told_the_same(settings: DiarySettings) -> None:
    store = opened(settings)
    start = free(store, "a")[0]

    def submit(_number: int) -> object:
        wanted = Wanted("a", start, "+447700900123")
        return store.do_here(lambda desk: booking.book(desk, wanted, key="the same"))

    done = in_threads(submit)
    assert len({each.appointment for each in done}) == 1  # type: ignore[attr-defined]
    assert Counter(each.repeated for each in done) == {True: WRITERS - 1, False: 1}  # type: ignore[attr-defined]
    assert len(held(store)) == 1
    store.close()


def test_the_tables_themselves_refuse_a_second_appointment_in_taken_time(settings: DiarySettings) -> None:
    store = opened(settings)
    start = free(store, "a")[0]
    book(store, "a", start, "first")
    [(_, begins, _)] = held(store)
    told = settings.store.get_secret_value() if settings.store is not None else ""
    database = Database.open(told, Tables.metadata, whose="diary", version=LAYOUT)
    row = {"diary": "a", "quantum": begins // QUANTUM_S + 1, "appointment": 1}
    with pytest.raises(IntegrityError):
        database.transact(lambda session: session.execute(insert(Taken), [row]))
    database.close()
    store.close()


async def test_of_32_clients_who_want_one_slot_by_http_one_has_it(settings: DiarySettings) -> None:
    diary = await DiarySimulator.start(Context.create(seed=1), settings, virtual=False, epoch=NOW)
    try:
        async with httpx.AsyncClient(base_url=f"{diary.url}/v1", trust_env=False, timeout=60) as http:

            async def want(number: int) -> int:
                body = {"diary": "a", "start": "2026-03-09T09:00", "telephone": "07700 900123"}
                headers = {"Idempotency-Key": str(number)}
                return (await http.post("/appointments", json=body, headers=headers)).status_code

            assert Counter(await asyncio.gather(*(want(each) for each in range(WRITERS)))) == {201: 1, 409: 31}
    finally:
        await diary.stop()
