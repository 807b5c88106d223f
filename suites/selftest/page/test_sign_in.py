"""Who gets in at the champions' page, and who does not; accounts and attempts in both kinds of store."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from browsers import SITE, browser_at
from fastapi import FastAPI, Request, Response
from sqlalchemy import inspect
from sqlalchemy.engine import create_engine

from harness.errors import LocalError, PageError
from harness.page.access import require
from harness.page.contract import Attempt, Marked
from harness.page.people import FAILURES, SESSION_S, TOKEN_S, NewPerson, People
from harness.page.rendering import render
from harness.page.store import Store, StoredAttempts
from harness.page.tables import Tables

PASSWORD = "correct horse battery"
SCRIPT = "<script>alert(1)</script>"


def home(app: FastAPI) -> None:
    @app.get("/")
    async def shown(request: Request) -> Response:
        person = await require(request, "champion", "trainee")
        return render(request, person, "refused.html", {"code": 200, "reason": "home"})


async def test_a_person_signs_in_with_a_password_and_out_again(store: str) -> None:
    async with browser_at(store, home) as browser:
        browser.people.add(NewPerson("Ailsa", "trainee"), PASSWORD)
        assert (await browser.http.get("/")).headers["location"] == "/sign-in"
        answer = await browser.post("/sign-in", "/sign-in", {"name": "Ailsa", "password": PASSWORD})
        assert answer.status_code == 303
        kept = answer.headers.get_list("set-cookie")[0]
        assert "HttpOnly" in kept and "SameSite=strict" in kept
        shown = await browser.http.get("/")
        assert shown.status_code == 200 and "Ailsa (trainee)" in shown.text
        session = browser.http.cookies["iccs_page"]
        assert (await browser.post("/", "/sign-out", {})).status_code == 303
        browser.http.cookies.set("iccs_page", session)
        assert (await browser.http.get("/")).status_code == 303, "what was signed out stays out"


async def test_a_token_lets_in_once_and_not_for_long(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path / "page.sqlite"))
    clock = [1e9]
    people = People(store, now=lambda: clock[0])
    people.add(NewPerson("Ailsa", "engineer"))
    token = people.token("Ailsa")
    session = await people.by_token(token)
    assert session is not None and await people.by_token(token) is None
    late = people.token("Ailsa")
    clock[0] += TOKEN_S
    assert await people.by_token(late) is None
    assert await people.of_session(session) is not None
    clock[0] += SESSION_S
    assert await people.of_session(session) is None
    store.close()


async def test_passwords_are_not_guessed_and_a_disabled_account_is_out_at_once() -> None:
    async with browser_at(None, home) as browser:
        browser.people.add(NewPerson("Ailsa", "trainee"), PASSWORD)
        for _ in range(FAILURES):
            wrong = await browser.post("/sign-in", "/sign-in", {"name": "Ailsa", "password": "wrong"})
            assert wrong.status_code == 403 and "name or the password" in wrong.text
        held = await browser.post("/sign-in", "/sign-in", {"name": "Ailsa", "password": PASSWORD})
        assert held.status_code == 429 and "minutes" in held.text
        await browser.sign_in("Ailsa")
        browser.people.disable("Ailsa")
        assert (await browser.http.get("/")).status_code == 303
        with pytest.raises(PageError, match="disabled"):
            browser.people.token("Ailsa")


async def test_a_form_from_elsewhere_and_another_host_name_are_refused() -> None:
    async with browser_at(None, home) as browser:
        browser.add("Ailsa")
        await browser.sign_in("Ailsa")
        assert (await browser.http.post("/sign-out", data={})).status_code == 403
        foreign = await browser.http.post("/sign-out", data={}, headers={"origin": "http://elsewhere.example"})
        assert foreign.status_code == 403
        assert (await browser.http.get("/", headers={"host": "elsewhere.example"})).status_code == 421
        assert (await browser.http.get("/")).status_code == 200, "still signed in"
        large = await browser.http.post("/sign-out", content=b"x" * (10 * 1024 * 1024))
        assert large.status_code == 413 and "1 MB at most" in large.text


async def test_a_role_opens_what_is_its_own_and_script_in_a_name_is_text() -> None:
    async with browser_at(None, home) as browser:
        browser.add(SCRIPT, "governance")
        await browser.sign_in(SCRIPT)
        refused = await browser.http.get(f"{SITE}/")
        assert refused.status_code == 403
        assert SCRIPT not in refused.text and "&lt;script&gt;" in refused.text
        assert "default-src 'self'" in refused.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("new", "told"),
    [
        (NewPerson("", "trainee"), "needs a name"),
        (NewPerson("A" * 81, "trainee"), "at most 80"),
        (NewPerson("A\n", "trainee"), "printable"),
        (NewPerson("A", "chief"), "allowed: champion, trainee, engineer, governance"),
    ],
)
def test_an_account_that_makes_no_sense_is_refused(new: NewPerson, told: str) -> None:
    store = Store.open(None)
    with pytest.raises(PageError, match=told):
        People(store).add(new)
    store.close()


async def test_an_attempt_is_kept_whole(store: str) -> None:
    opened = Store.open(store)
    person = People(opened).add(NewPerson("Ailsa", "trainee", "B", "Govan"))
    step = Marked("call_taker answers", "late", 3.5, 12.25, 10.0, "after its time")
    attempt = Attempt(
        "E2E-01-DOMESTIC",
        "ab" * 32,
        "0.1",
        "call_taker",
        "passed",
        1e9,
        90.5,
        87.5,
        (step,),
        {"threat": True},
        {"a": 1},
    )
    number = await StoredAttempts(opened).keep(person, attempt)
    opened.close()
    again = Store.open(store)
    assert await StoredAttempts(again).attempt(number) == (person, attempt)
    with pytest.raises(PageError, match="no attempt 77"):
        await StoredAttempts(again).attempt(77)
    again.close()


def test_the_layout_that_the_migrations_make_is_that_of_the_tables(store: str) -> None:
    Store.open(store).close()
    url = store.replace("postgresql://", "postgresql+psycopg://") if "://" in store else f"sqlite:///{store}"
    engine = create_engine(url)
    found = inspect(engine)
    for name, table in Tables.metadata.tables.items():
        columns = {each["name"]: each["nullable"] for each in found.get_columns(name)}
        assert columns == {each.name: each.nullable for each in table.columns}, name
    engine.dispose()


def test_a_store_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "page.sqlite"
    Store.open(str(path)).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'v9999'")
    connection.close()
    with pytest.raises(LocalError, match="not known to this version"):
        Store.open(str(path))
