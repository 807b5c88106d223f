"""What Contact Us keeps is whole on SQLite and PostgreSQL, one however often it comes at once, and bounded."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.postgresql import PostgresqlServer, postgresql_server
from harness.errors import DatabaseError
from simulators.contact_us import store as stores
from simulators.contact_us.attachments import attached
from simulators.contact_us.store import New, Store
from simulators.contact_us.submission import Channel, Person, Submission

pytestmark = pytest.mark.real_wire
_names = itertools.count()


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    with postgresql_server() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    at = str(tmp_path / "store.sqlite")
    if request.param == "postgresql":
        made: PostgresqlServer = request.getfixturevalue("server")
        at = made.database(f"contact_{next(_names)}")
    opened = Store.open(at, virtual=False)
    yield opened
    opened.close()


def new(number: int, *, key: str = "", aside: bool = False) -> New:
    files = (attached("a.txt", b"hello"),)
    told = Submission(Channel.REST, f"text {number}", person=Person("Iona"), attachments=files, key=key)
    state = "set_aside" if aside else "taken"
    receipt = ("a@example.org", b"mail")
    return New(told, f"CU-{number}", 1.0, ["urgent"], ["knife"], state, incident=True, receipt=receipt)


async def test_one_that_comes_many_times_at_once_is_kept_once(store: Store) -> None:
    had = await asyncio.gather(*(store.take(new(number, key="one")) for number in range(16)))
    assert len({each.reference for each in had}) == 1
    assert [each.repeated for each in had].count(False) == 1
    assert len(await store.listed(limit=50)) == len(await store.receipts()) == 1


async def test_what_is_kept_is_given_back_whole_and_ticked_off(store: Store) -> None:
    await store.take(new(1))
    [due] = await store.to_tell("crm")
    assert due["text"] == "text 1" and due["person"] == {"name": "Iona"} and due["attachments"][0]["size"] == 5
    assert await store.file("CU-1", 1) == b"hello" and await store.file("CU-1", 2) is None
    await store.told("CU-1", crm=stores.DONE, record="R-1")
    assert await store.waiting("crm") == 0 and await store.waiting("incident") == 1
    assert (await store.figures())["crm"] == {"done": 1}


async def test_the_oldest_set_aside_go_and_their_files_room_is_free_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "MAX_SET_ASIDE", 2)
    for number in range(4):
        await store.take(new(number, aside=True))
    assert [each["reference"] for each in await store.listed(state="set_aside", limit=9)] == ["CU-3", "CU-2"]
    assert (await store.figures())["counts"] == {"file_bytes": 10, "spam_dropped": 2}


async def test_a_full_store_says_so_and_keeps_nothing_more(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "MAX_FILES_KEPT", 7)
    await store.take(new(1))
    with pytest.raises(DatabaseError, match="of files are kept"):
        await store.take(new(2))
    monkeypatch.setattr(stores, "MAX_SUBMISSIONS", 1)
    with pytest.raises(DatabaseError, match="submissions are kept"):
        await store.take(new(3))
    assert len(await store.listed(limit=9)) == 1
