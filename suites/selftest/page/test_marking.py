"""THRIVE is marked by two who don't see each other's marks; drills are recorded by who may, for teams there are."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from browsers import Browser, browser_at

from harness.page.contract import Attempt, Person
from harness.page.drill_pages import add_drills
from harness.page.marking_pages import add_marking
from harness.page.store import StoredAttempts

FACTORS = ("Threat", "Harm", "Risk")
YES = dict.fromkeys(FACTORS, "yes")
SCRIPT = "<script>alert(1)</script>"


async def kept(browser: Browser, person: Person, *, ended: str = "passed", thrive: bool = True) -> int:
    due = dict.fromkeys(FACTORS, True) if thrive else {}
    attempt = Attempt("E2E-01", "ab" * 32, "iccs 1", "call_taker", ended, time.time(), 9.0, 50.0, (), due, {})  # type: ignore[arg-type]
    return await StoredAttempts(browser.app.state.store).keep(person, attempt)


@asynccontextmanager
async def marked(store: str | None = None) -> AsyncIterator[tuple[Browser, int]]:
    """Two markers, and an attempt of a trainee."""
    async with browser_at(store, add_marking, add_drills) as browser:
        trainee = browser.add(SCRIPT, "trainee", team="B")
        for name in ("Ada", "Ben", "Cara"):
            browser.add(name, "champion", team="B")
        browser.add("Gus", "governance")
        await browser.sign_in("Ada")
        yield browser, await kept(browser, trainee)


async def mark(browser: Browser, number: int, fields: dict[str, str]) -> tuple[int, str]:
    answer = await browser.post("/marking", f"/marking/{number}", fields)
    return answer.status_code, answer.text


async def test_two_mark_without_each_others_marks_and_their_agreement_is_told(store: str) -> None:
    async with marked(store) as (browser, number):
        page = (await browser.http.get("/marking")).text
        assert "0 of 2" in page and SCRIPT not in page and "No attempt has two markers yet" in page
        assert (await mark(browser, number, YES | {"Harm": "no"}))[0] == 303
        await browser.sign_in("Ben")
        blind = (await browser.http.get(f"/marking/{number}")).text
        assert "checked" not in blind and "The other" not in blind
        assert (await mark(browser, number, YES | {"Harm": "no", "Risk": "no"}))[0] == 303
        seen = (await browser.http.get(f"/marking/{number}")).text
        assert "The other" in seen and '<form method="post" action="/marking' not in seen
        page = (await browser.http.get("/marking")).text
        # Both said yes of Threat and no of Harm; they differ at Risk: 2/3 observed, 4/9 by chance.
        assert "Ada and Ben" in page and "<td>0.40</td><td>no</td>" in page
        await browser.sign_in("Cara")
        code, told = await mark(browser, number, YES)
        assert code == 409 and "two have marked it" in told


async def test_a_marker_may_change_their_marks_until_the_other_has_marked() -> None:
    async with marked() as (browser, number):
        await mark(browser, number, YES)
        assert (await mark(browser, number, YES | {"Risk": "no"}))[0] == 303
        page = (await browser.http.get(f"/marking/{number}")).text
        assert re.search(r'name="Risk" value="no" checked', page)
        code, told = await mark(browser, number, {"Threat": "yes"})
        assert code == 409 and "each of Threat, Harm, Risk is to be marked" in told


async def test_nobody_marks_themselves_and_what_has_no_thrive_is_not_marked() -> None:
    async with marked() as (browser, _):
        ada = (await browser.http.get("/marking")).text
        assert ada.count('href="/marking/') == 1
        mine = await kept(browser, next(person for person, _ in browser.people.all() if person.name == "Ada"))
        other = next(person for person, _ in browser.people.all() if person.name == "Ben")
        for number in (
            mine,
            await kept(browser, other, thrive=False),
            await kept(browser, other, ended="abandoned"),
            99_999,
            2**40,
        ):
            code, told = await mark(browser, number, YES)
            assert code == 409 and "of somebody else in which THRIVE was due" in told
        assert (await browser.http.get("/marking")).text.count('href="/marking/') == 1


@pytest.mark.parametrize(("name", "address"), [(SCRIPT, "/marking"), (SCRIPT, "/drills")])
async def test_a_trainee_has_neither_page(name: str, address: str) -> None:
    async with marked() as (browser, number):
        await browser.sign_in(name)
        assert (await browser.http.get(address)).status_code == 403
        assert (await browser.http.get(f"/marking/{number}")).status_code == 403


async def drill(browser: Browser, **fields: str) -> tuple[int, str]:
    there = {"team": "B", "day": "2026-01-05", "fallback": "radio", "passed": "yes", "note": ""} | fields
    answer = await browser.post("/drills", "/drills", there)
    return answer.status_code, answer.text


async def test_a_drill_is_recorded_and_its_team_is_due_again(store: str) -> None:
    async with marked(store) as (browser, _):
        page = (await browser.http.get("/drills")).text
        assert "<td>never</td>" in page and "once in 91 days" in page
        today = datetime.now(UTC).date()
        assert (await drill(browser, day=str(today - timedelta(days=100))))[0] == 303
        assert "<td>due</td>" in (await browser.http.get("/drills")).text
        assert (await drill(browser, day=str(today), passed="no"))[0] == 303
        assert "<td>due</td>" in (await browser.http.get("/drills")).text
        assert (await drill(browser, day=str(today), note=SCRIPT))[0] == 303
        page = (await browser.http.get("/drills")).text
        assert "<td>held</td>" in page and SCRIPT not in page and "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("fields", "code", "told"),
    [
        ({"team": "Nobody's"}, 409, "there is no team"),
        ({"day": "2999-01-01"}, 409, "on its day or after it"),
        ({"day": ""}, 409, "the day on which it was is needed"),
        ({"day": "yesterday"}, 409, "meant one like 2026-12-24"),
        ({"fallback": "pigeons"}, 409, "there is radio, paper, other site, recovery"),
        ({"note": "x" * 401}, 400, "at most 400 characters"),
    ],
)
async def test_a_drill_that_makes_no_sense_is_refused(fields: dict[str, str], code: int, told: str) -> None:
    async with marked() as (browser, _):
        answered, page = await drill(browser, **fields)
        assert answered == code and told in page.replace("&#39;", "'")
        assert "None was recorded" in (await browser.http.get("/drills")).text


async def test_governance_sees_drills_and_records_none() -> None:
    async with marked() as (browser, _):
        await browser.sign_in("Gus")
        page = await browser.http.get("/drills")
        assert page.status_code == 200 and "Record a drill" not in page.text
        assert (await drill(browser))[0] == 403
