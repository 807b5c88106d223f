"""Browsers of the page's tests: one is signed in, and posts forms as a page of this site does."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from fastapi import FastAPI

from harness.page.app import Part, create_app
from harness.page.contract import Person
from harness.page.library import Library
from harness.page.people import NewPerson, People
from harness.page.store import Store

SITE = "http://127.0.0.1:8080"


class Browser:
    """A browser at the page."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=SITE)

    @property
    def people(self) -> People:
        """The page's accounts."""
        people: People = self.app.state.people
        return people

    def add(self, name: str, role: str = "trainee", *, team: str = "", site: str = "", shift: str = "") -> Person:
        """Make an account without a password."""
        return self.people.add(NewPerson(name, role, team, site, shift))

    async def sign_in(self, name: str) -> None:
        """Sign in by a one-time token."""
        answer = await self.http.get(f"/sign-in/{self.people.token(name)}")
        assert answer.status_code == 303

    async def post(self, page: str, address: str, fields: Mapping[str, str]) -> httpx.Response:
        """Load ``page`` and send one of its forms."""
        shown = await self.http.get(page)
        token = re.search(r'name="csrf" value="([0-9a-f]+)"', shown.text)
        assert token is not None, shown.text
        return await self.http.post(address, data={**fields, "csrf": token[1]})


@asynccontextmanager
async def browser_at(store: str | None, *parts: Part, folder: Path | None = None) -> AsyncIterator[Browser]:
    """The page with ``parts``, and a browser there."""
    opened = Store.open(store)
    library = None if folder is None else Library(folder, opened)
    browser = Browser(create_app(opened, library, parts, hosts=("127.0.0.1",), secure=False))
    try:
        yield browser
    finally:
        await browser.http.aclose()
        if library is not None:
            library.close()
        opened.close()
