"""Chromium at the champions' page: by the keyboard alone, at both sizes, held against axe, nothing asked of others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page
from test_chromium_contact_us import chromium, has_no_scroll_bar, violations

from harness.page.app import create_app
from harness.page.library import Library
from harness.page.people import NewPerson
from harness.page.scenario_pages import add_scenarios
from harness.page.skill_pages import add_skills
from harness.page.store import Store
from harness.page.workshop_pages import add_workshop
from simulators.web import WebServer

pytestmark = [pytest.mark.real_wire, pytest.mark.witness("Chromium")]
SIZES = [(1366, 768), (1920, 1080)]
SCENARIOS = Path(__file__).parents[3] / "fixtures" / "scenarios"
PASSWORD = "correct horse battery"
SCRIPT = "<img src=x onerror=alert(1)>"


@asynccontextmanager
async def at_the_page(width: int, height: int) -> AsyncIterator[tuple[Page, str, list[str]]]:
    """A page of a champion with script in the name, its address, and what went wrong in it."""
    store = Store.open(None)
    library = Library(SCENARIOS, store)
    parts = (add_scenarios, add_skills, add_workshop)
    app = create_app(store, library, parts, hosts=("127.0.0.1",), secure=False)
    app.state.people.add(NewPerson(SCRIPT, "champion", "B", "Govan", "early"), PASSWORD)
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
        await tab_to(page, "Name")
        await page.keyboard.type(SCRIPT)
        await tab_to(page, "Password")
        await page.keyboard.type(PASSWORD)
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="Scenarios", level=1).wait_for()
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
