"""The list of scenarios, a scenario's page, and the skill record's pages."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from browsers import Browser, browser_at

from harness.errors import PageError
from harness.page.contract import Attempt, Ended, Person
from harness.page.library import Library
from harness.page.scenario_pages import add_scenarios
from harness.page.skill_pages import add_skills
from harness.page.store import Store

SCENARIOS = Path(__file__).parents[3] / "fixtures" / "scenarios"
DOMESTIC = "E2E-01-DOMESTIC"


@asynccontextmanager
async def page(store: str | None = None, *, folder: Path = SCENARIOS) -> AsyncIterator[Browser]:
    async with browser_at(store, add_scenarios, add_skills, folder=folder) as browser:
        yield browser


async def played(browser: Browser, person: Person, *, weeks_ago: float, ended: Ended = "passed") -> int:
    began = time.time() - weeks_ago * 7 * 24 * 3600
    attempt = Attempt(DOMESTIC, "ab" * 32, "iccs 0.1", "call_taker", ended, began, 90.0, 80.0, (), {}, {})
    number: int = await browser.app.state.attempts.keep(person, attempt)
    return number


async def test_a_trainee_reads_the_brief_and_what_each_seat_has_to_do() -> None:
    async with page() as browser:
        browser.add("Ailsa")
        await browser.sign_in("Ailsa")
        assert "999 call, domestic in progress" in (await browser.http.get("/")).text
        shown = (await browser.http.get(f"/scenarios/{DOMESTIC}")).text
        for told in ("locked herself in the kitchen", "Open the incident while the caller talks", "Play as dispatcher"):
            assert told in shown
        assert "Copy this scenario" not in shown, "a trainee edits none"
        missing = await browser.http.get("/scenarios/NO-SUCH")
        assert missing.status_code == 409 and "no scenario" in missing.text


async def test_a_lapsed_skill_is_told_at_sign_in_and_counted_by_site() -> None:
    async with page() as browser:
        ailsa, ross = browser.add("Ailsa", site="Govan"), browser.add("Ross", site="Govan")
        browser.add("=Gov", "governance")
        await played(browser, ailsa, weeks_ago=8.1)
        await played(browser, ross, weeks_ago=7)
        await browser.sign_in("Ailsa")
        assert "lapsed: play it to be reassessed" in (await browser.http.get("/")).text
        own = (await browser.http.get("/skills")).text
        assert "Ross" not in own and "By site" not in own
        await browser.sign_in("=Gov")
        everybody = (await browser.http.get("/skills")).text
        assert "<td>2</td><td>2</td><td>1</td><td>1</td><td>1</td>" in everybody, (
            "people, trained, current, due, lapsed"
        )
        early, late = time.time() - 7 * 24 * 3600, time.time() + 14 * 24 * 3600
        for at, told in ((early, "0 operators"), (late, "2 operators")):
            day = time.strftime("%Y-%m-%d", time.gmtime(at))
            assert told in (await browser.http.get(f"/skills?go_live={day}")).text
        assert "meant one like" in (await browser.http.get("/skills?go_live=soon")).text
        table = (await browser.http.get("/skills.csv")).text.splitlines()
        assert [line.split(",")[:5] for line in table[1:]] == [
            ["Ailsa", "", "Govan", DOMESTIC, "lapsed"],
            ["Ross", "", "Govan", DOMESTIC, "due"],
        ]


async def test_a_cell_that_a_spreadsheet_would_reckon_is_text() -> None:
    async with page() as browser:
        await played(browser, browser.add("=1+1"), weeks_ago=1)
        await browser.sign_in("=1+1")
        assert (await browser.http.get("/skills.csv")).text.splitlines()[1].startswith("'=1+1,")


async def test_files_that_can_not_be_played_are_told_of(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("id: lower\n")
    async with page(folder=tmp_path) as browser:
        browser.add("Ailsa", "champion")
        await browser.sign_in("Ailsa")
        assert "wrong.yaml:1" in (await browser.http.get("/")).text
    with pytest.raises(PageError, match="found no scenario"):
        Library(tmp_path / "none", Store.open(None))


async def test_a_signed_out_browser_sees_nothing() -> None:
    async with page() as browser:
        for path in ("/", f"/scenarios/{DOMESTIC}", "/skills", "/skills.csv"):
            answer = await browser.http.get(path)
            assert (answer.status_code, answer.text) == (303, ""), path
