"""An accessibility audit finds what breaks WCAG 2.2 AA on a page, and nothing on one that breaks nothing."""

from __future__ import annotations

import pytest
from playwright.async_api import async_playwright
from witness import need

from harness.drivers.web_console.audit import barriers

pytestmark = [pytest.mark.real_wire, pytest.mark.witness("Chromium")]
HEAD = '<html lang="en"><title>Calls</title>'
LARGE = 'style="padding: 1em"'
SOUND = f"{HEAD}<main><h1>Calls</h1><button {LARGE}>Answer</button></main>"
BROKEN = f'{HEAD}<p style="color:#999;background:#fff">Held</p><input {LARGE}><button {LARGE}></button>'


@pytest.mark.parametrize(
    ("page_text", "broken"),
    [(SOUND, set()), (BROKEN, {("color-contrast", "wcag143"), ("label", "wcag412"), ("button-name", "wcag412")})],
)
async def test_what_breaks_a_rule_is_named_with_its_criterion(page_text: str, broken: set[tuple[str, str]]) -> None:
    program = need("chromium", package="chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            page = await browser.new_page()
            await page.set_content(page_text)
            found = await barriers(page)
        finally:
            await browser.close()
    assert {(each.rule, each.criteria[0]) for each in found} == broken
    assert all(each.element.startswith("<") for each in found)
