"""Champions copy and edit a scenario: what is wrong is told at its line, and nothing that was written is lost."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from browsers import Browser, browser_at
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from harness.errors import DatabaseGoneError
from harness.page.scenario_pages import add_scenarios
from harness.page.tables import CopyRow
from harness.page.workshop_pages import add_workshop
from simulators.database import Database

SCENARIOS = Path(__file__).parents[3] / "fixtures" / "scenarios"
COPY = "/workshop/GOVAN-1"


@asynccontextmanager
async def at_a_copy(store: str | None = None) -> AsyncIterator[Browser]:
    """A champion's browser, where a scenario is copied as GOVAN-1."""
    async with browser_at(store, add_scenarios, add_workshop, folder=SCENARIOS) as browser:
        browser.add("Ailsa", "champion", team="B")
        await browser.sign_in("Ailsa")
        fields = {"source": "E2E-01-DOMESTIC", "name": "GOVAN-1"}
        assert (await browser.post("/workshop/new", "/workshop", fields)).status_code == 303
        yield browser


def in_editor(page: str) -> str:
    found = re.search(r"<textarea[^>]*>\n(.*)</textarea>", page, re.DOTALL)
    assert found is not None, page
    return html.unescape(found[1])


async def save(browser: Browser, text: str, *, version: str = "1") -> str:
    return (await browser.post(COPY, COPY, {"text": text, "version": version})).text


async def test_a_copy_is_edited_played_and_assigned(store: str) -> None:
    async with at_a_copy(store) as browser:
        text = in_editor((await browser.http.get(COPY)).text)
        assert "id: GOVAN-1" in text and "parts/999-in-hand.yaml" in text
        told = await save(browser, text.replace("999 call, domestic", "A <b>row</b>").replace("\n", "\r\n"))
        assert "this is played now" in told
        assert "A &lt;b&gt;row&lt;/b&gt; in progress" in (await browser.http.get("/scenarios/GOVAN-1")).text
        assert "Assigned to B." in (await browser.post(COPY, f"{COPY}/assign", {"team": "B"})).text
        home = (await browser.http.get("/")).text
        assert "assigned to your team" in home and "Of the workshop" in home
        no_team = await browser.post(COPY, f"{COPY}/assign", {"team": "C"})
        assert no_team.status_code == 409 and "there is B" in no_team.text


async def test_an_error_is_told_at_its_line_with_what_was_meant_and_the_draft_is_kept(store: str) -> None:
    async with at_a_copy(store) as browser:
        text = in_editor((await browser.http.get(COPY)).text)
        wrong = text.replace("learning:", "lerning:")
        line = wrong[: wrong.index("lerning:")].count("\n") + 1
        told = await save(browser, wrong)
        assert f"<strong>Line {line}</strong>" in told and "learning" in told and "<code>lerning:</code>" in told
        assert in_editor((await browser.http.get(COPY)).text) == wrong, "the draft"
        assert "Ask for the children" in (await browser.http.get("/scenarios/GOVAN-1")).text, "what is played"
        other = await save(browser, text.replace("id: GOVAN-1", "id: OTHER-1"), version="2")
        assert "an id stays as it was given" in other


async def test_two_who_save_at_once_lose_nothing() -> None:
    async with at_a_copy() as browser:
        text = in_editor((await browser.http.get(COPY)).text)
        await save(browser, text + "# first\n")
        late = await save(browser, text + "# second\n")
        assert "somebody saved" in late and in_editor(late).endswith("# second\n")
        assert in_editor((await browser.http.get(COPY)).text).endswith("# first\n")
        assert "played now" in await save(browser, text + "# second\n", version="2")


async def test_bombs_and_what_is_too_long_are_refused_with_what_was_written() -> None:
    async with at_a_copy() as browser:
        bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
        assert "found the alias" in await save(browser, bomb)
        long = "# " + "x" * (1024 * 1024) + "\n"
        told = await save(browser, long, version="2")
        assert "1048576 at most are kept" in told and in_editor(told) == long
        assert in_editor((await browser.http.get(COPY)).text) == bomb, "the last that was kept"
        outside = "id: GOVAN-1\ninclude: [../../../etc/passwd]\n"
        assert "files in the scenario" in html.unescape(await save(browser, outside, version="2"))


async def test_a_copy_is_played_on_a_testbed_that_the_servers_own_scenarios_name_and_on_no_other() -> None:
    async with at_a_copy() as browser:
        text = in_editor((await browser.http.get(COPY)).text)
        other = text.replace("learning:", "testbed: ../../elsewhere.yaml\nlearning:")
        told = html.unescape(await save(browser, other))
        line = other[: other.index("testbed:")].count("\n") + 1
        assert (
            f"Line {line}<" in told and "'../../elsewhere.yaml', which no scenario of the server's folder names" in told
        )
        known = text.replace("learning:", "testbed: ../testbeds/service-centre.yaml\nlearning:")
        assert "played now" in await save(browser, known, version="2")


async def test_a_full_disk_loses_nothing_that_was_written() -> None:
    async with at_a_copy() as browser:
        text = in_editor((await browser.http.get(COPY)).text)

        def full(*_: object) -> None:
            raise OperationalError("UPDATE", {}, Exception("database or disk is full"))

        event.listen(CopyRow, "before_update", full)
        try:
            told = await save(browser, text + "# mine\n")
        finally:
            event.remove(CopyRow, "before_update", full)
        assert "disk is full" in told and in_editor(told).endswith("# mine\n")
        assert "played now" in await save(browser, text + "# mine\n")


async def test_a_store_that_is_gone_loses_nothing_that_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(*_: object) -> None:
        raise DatabaseGoneError("the store can't be reached")

    async with at_a_copy() as browser:
        shown = (await browser.http.get(COPY)).text
        token = re.search(r'name="csrf" value="([0-9a-f]+)"', shown)
        assert token is not None
        fields = {"text": in_editor(shown) + "# mine\n", "version": "1", "csrf": token[1]}
        with monkeypatch.context() as patch:
            patch.setattr(Database, "run", gone)
            told = (await browser.http.post(COPY, data=fields)).text
            assert (await browser.http.get("/")).status_code == 503
        assert "can&#39;t be reached" in told and in_editor(told) == fields["text"]
        assert "played now" in (await browser.http.post(COPY, data=fields)).text


async def test_an_id_that_is_taken_or_makes_no_sense_is_refused_and_trainees_edit_none() -> None:
    async with at_a_copy() as browser:
        for name, told in (
            ("GOVAN-1", "taken by another"),
            ("E2E-02-SILENT", "taken"),
            ("a b", "allowed: 2 to 60 capital letters"),
        ):
            fields = {"source": "E2E-01-DOMESTIC", "name": name}
            answer = await browser.post("/workshop/new", "/workshop", fields)
            assert answer.status_code == 409 and told in answer.text, name
        browser.add("Ross")
        await browser.sign_in("Ross")
        assert (await browser.http.get(COPY)).status_code == 403
