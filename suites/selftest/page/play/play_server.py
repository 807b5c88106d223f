"""The playing on a server of its own, with people and attempts in memory: what its tests drive."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.requests import HTTPConnection
from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, DictLoader, Environment, PackageLoader
from starlette.datastructures import FormData

from harness.errors import PageError
from harness.page.contract import Attempt, Person
from harness.page.play import Sessions, Site, add_play
from simulators.web import WebServer

ROOT = Path(__file__).resolve().parents[4]
SCENARIOS = ROOT / "fixtures" / "scenarios"
TESTBED = ROOT / "fixtures" / "testbeds" / "simulated.yaml"
DOMESTIC, OFFICER = "E2E-01-DOMESTIC", "E2E-03-OFFICER"
BASE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{% block title %}{% endblock %}</title>
<link rel="icon" href="data:,">{% block head %}{% endblock %}</head>
<body><header>{{ person.name }}</header><main>{% block main %}{% endblock %}</main></body></html>"""
POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'"
ANNA = Person(1, "Anna <script>alert(1)</script>", "trainee", "West", "Govan")
BEN = Person(2, "Ben", "trainee", "West", "Govan")
CARA = Person(3, "Cara", "champion", "West", "Govan")
PEOPLE = {"anna": ANNA, "ben": BEN, "cara": CARA}


@dataclass
class KeptInMemory:
    """Attempts, and whether the disk is full."""

    kept: list[tuple[Person, Attempt]] = field(default_factory=list)
    full: bool = False

    async def keep(self, person: Person, attempt: Attempt) -> int:
        if self.full:
            raise PageError("the disk is full")
        self.kept.append((person, attempt))
        return len(self.kept)

    async def attempt(self, number: int) -> tuple[Person, Attempt]:
        if not 0 < number <= len(self.kept):
            raise PageError("none of that number")
        return self.kept[number - 1]


@dataclass
class Server:
    """A server that serves."""

    url: str
    sessions: Sessions
    attempts: KeptInMemory
    scenarios: dict[str, Path]


async def _person_of(connection: HTTPConnection) -> Person | None:
    return PEOPLE.get(connection.cookies.get("person", ""))


async def _require(connection: HTTPConnection) -> Person:
    person = await _person_of(connection)
    if person is None:
        raise HTTPException(401, "sign in first")
    return person


async def _form_of(request: Request) -> FormData:
    if request.headers.get("origin") not in (None, f"http://{request.headers.get('host')}"):
        raise HTTPException(403, "not from this page")
    return await request.form()


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    """Serve, and end what was begun."""
    attempts = KeptInMemory()
    sessions = Sessions(attempts, TESTBED)
    app = FastAPI()
    app.state.attempts = attempts
    files = {
        DOMESTIC: SCENARIOS / "01-domestic-in-progress.yaml",
        OFFICER: SCENARIOS / "03-officer-emergency.yaml",
    }
    pages = Environment(
        loader=ChoiceLoader([DictLoader({"base.html": BASE}), PackageLoader("harness.page.play")]), autoescape=True
    )

    async def find(id_: str) -> Path:
        if id_ not in files:
            raise PageError(f"there is no scenario {id_[:60]}")
        return files[id_]

    def render(_request: Request, person: Person, name: str, shown: dict[str, Any]) -> HTMLResponse:
        text = pages.get_template(name).render(person=person, csrf="x", **shown)
        return HTMLResponse(text, headers={"Content-Security-Policy": POLICY})

    add_play(app, sessions, Site(_person_of, _require, _form_of, render, find))
    server = WebServer(app, "127.0.0.1", 0)
    port = await server.start()
    try:
        yield Server(f"http://127.0.0.1:{port}", sessions, attempts, files)
    finally:
        await sessions.close()
        await server.stop()
