"""Chromium at the champions' page: by the keyboard alone, at both sizes, held against axe, nothing asked of others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page
from test_chromium_contact_us import chromium, has_no_scroll_bar, violations

from harness.page.app import create_app
from harness.page.contract import Attempt
from harness.page.drill_pages import add_drills
from harness.page.library import Library
from harness.page.marking import Marking
from harness.page.marking_pages import add_marking
from harness.page.people import NewPerson, People
from harness.page.scenario_pages import add_scenarios
from harness.page.skill_pages import add_skills
from harness.page.store import Store, StoredAttempts
from harness.page.workshop_pages import add_workshop
from simulators.web import WebServer

pytestmark = [pytest.mark.real_wire, pytest.mark.witness("Chromium")]
SIZES = [(1366, 768), (1920, 1080)]
SCENARIOS = Path(__file__).parents[3] / "fixtures" / "scenarios"
PASSWORD = "correct horse battery"
SCRIPT = "<img src=x onerror=alert(1)>"
FACTORS = ("Threat", "Harm", "Risk")


async def to_be_marked(people: People, store: Store) -> None:
    """A trainee's attempt, that another champion has marked."""
    trainee = people.add(NewPerson("Ann Exemplar", "trainee", "B"))
    due = dict.fromkeys(FACTORS, True)
    attempt = Attempt("E2E-01", "ab" * 32, "iccs 1", "call_taker", "passed", 1.8e9, 9.0, 50.0, (), due, {})
    number = await StoredAttempts(store).keep(trainee, attempt)
    other = people.add(NewPerson("Ben Exemplar", "champion", "B"))
    await Marking(store).mark(other, number, due | {"Harm": False})


@asynccontextmanager
async def at_the_page(width: int, height: int) -> AsyncIterator[tuple[Page, str, list[str]]]:
    """A page of a champion with script in the name, its address, and what went wrong in it."""
    store = Store.open(None)
    library = Library(SCENARIOS, store)
    parts = (add_scenarios, add_skills, add_workshop, add_marking, add_drills)
    app = create_app(store, library, parts, hosts=("127.0.0.1",), secure=False)
    app.state.people.add(NewPerson(SCRIPT, "champion", "B", "Govan", "early"), PASSWORD)
    await to_be_marked(app.state.people, store)
    server = WebServer(app, "127.0.0.1", 0)
    site = f"http://127.0.0.1:{await server.start()}"
    try:
        async with chromium() as browser:
            context = await browser.new_context(viewport={"width": width, "height": height}, locale="en-GB")
            page = await context.new_page()
            wrong: list[str] = []
            page.on("request", lambda request: None if request.url.startswith(site) else wrong.append(request.url))
            page.on("dialog", lambda dialog: wrong.append(dialog.message))
            page.on("pageerror", lambda error: wrong.append(str(error)))
            yield page, site, wrong
    finally:
        await server.stop()
        library.close()
        store.close()


async def fits(page: Page) -> None:
    assert await violations(page) == [], page.url
    assert await has_no_scroll_bar(page), page.url


async def sign_in(page: Page) -> None:
    """Sign in by the keyboard, and be shown the scenarios."""
    await tab_to(page, "Name")
    await page.keyboard.type(SCRIPT)
    await tab_to(page, "Password")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="Scenarios", level=1).wait_for()


async def tab_to(page: Page, name: str) -> None:
    """Go on by the tabulator until what has the focus reads ``name``."""
    for _ in range(60):
        await page.keyboard.press("Tab")
        told = "document.activeElement.labels?.[0]?.innerText || document.activeElement.innerText"
        if await page.evaluate(told) == name:
            return
    raise AssertionError(f"the keyboard does not get to {name!r} at {page.url}")


@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_a_champion_signs_in_copies_and_mends_a_scenario_by_the_keyboard(width: int, height: int) -> None:
    async with at_the_page(width, height) as (page, site, wrong):
        await page.goto(site)
        await fits(page)
        await sign_in(page)
        await fits(page)
        await tab_to(page, "999 call, domestic in progress")
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="Take a seat").wait_for()
        await fits(page)
        await tab_to(page, "Copy this scenario and edit it")
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="Copy E2E-01-DOMESTIC").wait_for()
        await tab_to(page, "Id of the copy")
        await fits(page)
        await page.keyboard.type("GOVAN-1")
        await page.keyboard.press("Enter")
        await page.get_by_role("button", name="Check and save").wait_for()
        await fits(page)
        await tab_to(page, "The scenario (YAML)")
        await page.keyboard.press("Control+Home")
        await page.keyboard.type("nonsense: 1\n")
        await tab_to(page, "Check and save")
        await page.keyboard.press("Enter")
        await page.get_by_text("unknown key 'nonsense'").wait_for()
        await fits(page)
        await page.goto(f"{site}/skills")
        await page.get_by_role("heading", name="By scenario").wait_for()
        await fits(page)
        await page.goto(f"{site}/workshop")
        await page.get_by_role("link", name="GOVAN-1").wait_for()
        await fits(page)
        assert wrong == []


async def test_a_champion_marks_thrive_and_records_a_drill_by_the_keyboard() -> None:
    """Each factor is told of by its question; the marks of two are a table; a drill in the future is refused aloud."""
    async with at_the_page(*SIZES[0]) as (page, site, wrong):
        await page.goto(site)
        await sign_in(page)
        await tab_to(page, "THRIVE marking")
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="THRIVE marking", level=1).wait_for()
        await fits(page)
        await tab_to(page, "1")
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="Attempt 1: Ann Exemplar").wait_for()
        await fits(page)
        for factor in FACTORS:
            await tab_to(page, "Yes")
            group = page.get_by_role("group", name=f"{factor}: was it considered?")
            await page.keyboard.press("Space")
            assert await group.get_by_label("Yes").is_checked(), f"the tabulator goes on to {factor}"
        await page.keyboard.press("ArrowDown")
        assert await page.get_by_role("group", name="Risk").get_by_label("No").is_checked()
        await tab_to(page, "Keep my marks")
        await page.keyboard.press("Enter")
        # Both said yes of Threat; they differ at Harm and at Risk: 1/3 observed, 5/9 by chance.
        await page.get_by_role("region", name="Agreement").get_by_text("-0.50").wait_for()
        await fits(page)
        await page.goto(f"{site}/marking/1")
        await page.get_by_role("region", name="Marks").wait_for()
        await fits(page)

        await tab_to(page, "Fallback drills")
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="Record a drill").wait_for()
        await fits(page)
        for day, told in (
            ("05052999", page.get_by_role("alert")),
            ("05052026", page.get_by_role("region", name="Drills")),
        ):
            await tab_to(page, "Day")
            await page.keyboard.type(day)
            await tab_to(page, "Note")
            await page.keyboard.type(SCRIPT)
            await page.keyboard.press("Enter")
            await told.wait_for()
            await fits(page)
        assert wrong == []
