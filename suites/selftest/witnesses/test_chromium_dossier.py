"""Chromium at the dossier and the catalogue's page: nothing to scroll sideways, nothing cut on A4, held against axe."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from playwright.async_api import Page
from test_chromium_contact_us import chromium, has_no_scroll_bar, violations

from harness.cli.report import catalogue_page
from harness.evidence.requirements import catalogue
from harness.evidence.results import read_results, summarise
from suites.selftest.cli.test_cli_dossier import MUSTS, Place

pytestmark = [pytest.mark.real_wire, pytest.mark.witness("Chromium")]
LONG = "niccs.test_file#test_" + "a_name_that_says_what_it_finds_" * 6 + "[" + "x" * 200 + "]"
A4_BETWEEN_MARGINS = (680, 960)
"""In the pixels of a page that is printed: 180 mm wide."""


async def nothing_is_cut(page: Page) -> None:
    assert await has_no_scroll_bar(page), page.url
    cut = "() => [...document.querySelectorAll('td, th, li, p')].filter(e => e.scrollWidth > e.clientWidth + 1 &&"
    cut += " getComputedStyle(e).display !== 'inline').map(e => e.outerHTML.slice(0, 200))"
    assert await page.evaluate(cut) == [], page.url


@pytest.mark.parametrize("binding", ["real", "simulated"])
async def test_long_names_are_whole_on_the_screen_and_on_a4(tmp_path: Path, binding: str) -> None:
    place = Place(tmp_path)
    place.run(["passed", "failed", "skipped", "broken"], binding=binding, requirements=MUSTS[:40])
    result = place.out / "allure-results" / "1-result.json"
    result.write_text(result.read_text().replace("s#1", LONG))
    (place.out / "run" / LONG[:250]).mkdir(parents=True)
    (place.out / "run" / LONG[:250] / "endpoints.cap").touch()
    place.made()
    tests, _ = read_results(place.out / "allure-results")
    told = place.out / "requirements.html"
    told.write_text(catalogue_page(summarise(tests, catalogue(), today=date(2026, 1, 1)), catalogue()))
    async with chromium() as browser:
        page = await browser.new_page()
        for address in (place.out / "dossier" / "dossier.html", told):
            await page.emulate_media(media="screen")
            for width, height in ((1366, 768), (1920, 1080)):
                await page.set_viewport_size({"width": width, "height": height})
                await page.goto(address.as_uri())
                await nothing_is_cut(page)
            assert await violations(page) == [], address
            await page.emulate_media(media="print")
            width, height = A4_BETWEEN_MARGINS
            await page.set_viewport_size({"width": width, "height": height})
            await nothing_is_cut(page)
