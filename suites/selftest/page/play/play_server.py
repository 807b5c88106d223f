"""The page with the playing on a server of its own, and people who are signed in: what its tests drive."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from harness.errors import PageError
from harness.page.access import COOKIE, form_of, person_of, require
from harness.page.app import create_app
from harness.page.contract import Attempt, Attempts, Person
from harness.page.people import NewPerson
from harness.page.play import Sessions, Site, add_play
from harness.page.rendering import render
from harness.page.store import Store
from simulators.web import WebServer

ROOT = Path(__file__).resolve().parents[4]
TESTBED = ROOT / "fixtures" / "testbeds" / "simulated.yaml"
DOMESTIC, OFFICER = "E2E-01-DOMESTIC", "E2E-03-OFFICER"
FILES = {DOMESTIC: "01-domestic-in-progress.yaml", OFFICER: "03-officer-emergency.yaml"}
PICTURES = os.environ.get("ICCS_PICTURES")
"""A folder for the pictures of the documentation; none are made where it is not set."""
ANNA = "Anna <script>alert(1)</script>" if PICTURES is None else "Anna Exemplar"
PEOPLE = {
    "anna": (ANNA, "trainee"),
    "ben": ("Ben", "trainee"),
    "cara": ("Cara", "champion"),
}


class MayBeFull:
    """The page's attempts, on a disk that a test can fill."""

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts
        self.full = False
        self.kept: list[tuple[Person, Attempt]] = []

    async def keep(self, person: Person, attempt: Attempt) -> int:
        if self.full:
            raise PageError("the disk is full")
        number = await self._attempts.keep(person, attempt)
        self.kept.append(await self.attempt(number))
        return number

    async def attempt(self, number: int) -> tuple[Person, Attempt]:
        return await self._attempts.attempt(number)


@dataclass
class Server:
    """A server that serves."""

    url: str
    sessions: Sessions
    attempts: MayBeFull
    cookies: dict[str, str]
    """Of each who is signed in."""

    def cookie(self, who: str) -> dict[str, str]:
        return {COOKIE: self.cookies.get(who, "nobody")}

    def browser(self, who: str) -> httpx.AsyncClient:
        """A browser of somebody's, without a screen."""
        return httpx.AsyncClient(base_url=self.url, cookies=self.cookie(who), trust_env=False, timeout=30)

    async def form(self, who: str, **fields: str) -> dict[str, str]:
        """A form as the page sends it."""
        async with self.browser(who) as http:
            token = re.search(r'name="csrf" value="([0-9a-f]+)"', (await http.get("/play/none")).text)
        assert token is not None
        return {**fields, "csrf": token[1]}


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    """Serve, and end what was begun."""
    store = Store.open(None)
    app = create_app(store, None, (), hosts=("127.0.0.1",), secure=False)
    attempts = app.state.attempts = MayBeFull(app.state.attempts)
    sessions = Sessions(attempts, TESTBED)
    cookies = {}
    for who, (name, role) in PEOPLE.items():
        app.state.people.add(NewPerson(name, role, "West", "Govan", ""))
        session = await app.state.people.by_token(app.state.people.token(name))
        assert session is not None
        cookies[who] = session

    async def find(id_: str) -> Path:
        if id_ not in FILES:
            raise PageError(f"there is no scenario {id_}")
        return ROOT / "fixtures" / "scenarios" / FILES[id_]

    add_play(app, sessions, Site(person_of, require, form_of, render, find))
    server = WebServer(app, "127.0.0.1", 0)
    port = await server.start()
    try:
        yield Server(f"http://127.0.0.1:{port}", sessions, attempts, cookies)
    finally:
        await sessions.close()
        await server.stop()
        store.close()
