"""Chromium at the Contact Us form: with and without scripts, by the keyboard alone, at any width, held against axe."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright
from witness import need

from harness.transport.context import Context
from simulators.contact_us.settings import ContactUsSettings
from simulators.contact_us.simulator import ContactUsSimulator

pytestmark = [pytest.mark.real_wire, pytest.mark.witness("Chromium")]
WCAG_22_AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = [(1366, 768), (320, 640)]


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    path = need("chromium", package="chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def at_the_form(width: int, height: int, *, scripts: bool = False) -> AsyncIterator[tuple[Page, list[str]]]:
    """A page at the form, and the addresses that it asks for."""
    simulator = await ContactUsSimulator.start(Context.create(seed=1), ContactUsSettings(), virtual=False)
    try:
        async with chromium() as browser:
            context = await browser.new_context(
                viewport={"width": width, "height": height}, java_script_enabled=scripts, locale="en-GB"
            )
            page = await context.new_page()
            asked: list[str] = []
            page.on("request", lambda request: asked.append(request.url))
            await page.goto(f"{simulator.http_url}/contact")
            yield page, [url for url in asked if not url.startswith(simulator.http_url)]
    finally:
        await simulator.stop()


async def violations(page: Page) -> list[str]:
    # The page's own policy lets no script in: axe is let in by the debugger, past the policy.
    found = await Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG_22_AA}})
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found.response["violations"]]


async def has_no_scroll_bar(page: Page) -> bool:
    return bool(await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


@pytest.mark.parametrize(("width", "height"), WIDTHS)
async def test_every_page_has_no_violation_and_nothing_to_scroll_sideways(width: int, height: int) -> None:
    async with at_the_form(width, height, scripts=True) as (page, elsewhere):
        assert await violations(page) == []
        assert await has_no_scroll_bar(page)
        await page.get_by_role("button", name="Send").click()
        await page.get_by_role("alert").wait_for()
        assert (await page.title()).startswith("Error: ")
        assert await page.evaluate("document.activeElement.className") == "summary", "the errors have the focus"
        assert await violations(page) == []
        assert await has_no_scroll_bar(page)
        await page.get_by_label("Report a crime").check()
        await page.get_by_label("What happened?").fill("A bicycle was stolen\nfrom the station")
        await page.get_by_role("button", name="Send").click()
        await page.get_by_role("heading", name="We have your message").wait_for()
        assert await violations(page) == []
        assert await has_no_scroll_bar(page)
        assert elsewhere == [], "the page asks others for something"


@pytest.mark.parametrize("scripts", [True, False])
async def test_the_form_works_with_files_with_scripts_and_without(tmp_path: Path, scripts: bool) -> None:
    picture = tmp_path / "bicycle.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 100)
    async with at_the_form(*WIDTHS[0], scripts=scripts) as (page, _):
        await page.get_by_label("Give us information").check()
        await page.get_by_label("What happened?").fill("A light is out in the close")
        await page.get_by_label("Add files (optional)").set_input_files(picture)
        await page.get_by_label("Email address (optional)").fill("wrong")
        await page.get_by_role("button", name="Send").click()
        link = page.get_by_role("link", name="Enter an email address in the correct format")
        await link.click()
        assert page.url.endswith("#email")
        assert await page.get_by_label("What happened?").input_value() == "A light is out in the close"
        assert await page.get_by_label("Give us information").is_checked()
        await page.get_by_label("Email address (optional)").fill("a@example.org")
        await page.get_by_label("Add files (optional)").set_input_files(picture)
        await page.get_by_role("button", name="Send").click()
        reference = await page.locator("#reference").inner_text()
        assert reference.startswith("CU-") and "1 file" in await page.locator("main").inner_text()
        received = page.url
        await page.reload()  # PRG: nothing is sent again, and no question is asked
        assert page.url == received and await page.locator("#reference").inner_text() == reference


async def test_the_keyboard_alone_is_enough_and_focus_is_always_seen() -> None:
    async with at_the_form(*WIDTHS[0], scripts=True) as (page, _):

        async def focused() -> str:
            seen = await page.evaluate(
                """() => { const e = document.activeElement, s = getComputedStyle(e);
                const b = e.getBoundingClientRect();
                const shown = s.outlineStyle !== 'none' && b.width > 0 && b.bottom > 0 && b.top < innerHeight;
                return [e.id || e.className || e.tagName, shown] }"""
            )
            assert seen[1] or seen[0] == "files", f"{seen[0]} shows no focus"
            return str(seen[0])

        order = []
        for _ in range(10):
            await page.keyboard.press("Tab")
            order.append(await focused())
        fields = ["kind-crime", "text", "place", "files", "name", "email", "telephone", "BUTTON"]
        assert order == ["skip", "brand", *fields]
        await page.get_by_label("Report a crime").focus()
        await page.keyboard.press("ArrowDown")
        assert await page.get_by_label("Give us information").is_checked()
        await page.keyboard.press("Tab")
        await page.keyboard.type("A dog barks all night")
        for _ in range(6):
            await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="We have your message").wait_for()


async def test_a_double_press_of_the_button_is_one_message() -> None:
    taken: list[str] = []
    async with at_the_form(*WIDTHS[0]) as (page, _):
        page.on("response", lambda answer: taken.append(answer.headers["location"]) if answer.status == 303 else None)
        await page.get_by_label("Something else").check()
        await page.get_by_label("What happened?").fill("Pressed twice")
        await page.get_by_role("button", name="Send").dblclick()
        await page.locator("#reference").wait_for()
        # Either press alone has the page that tells; the other is answered by the same reference.
        assert len(set(taken)) == 1, taken
