"""Renders the page's templates: everything escaped, nothing from elsewhere, no script in the page itself."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined

from harness.errors import PageError
from harness.page.access import form_token
from harness.page.contract import Person

TEMPLATES: Final = Path(__file__).with_name("templates")
PLAY_TEMPLATES: Final = Path(__file__).parent / "play" / "templates"
STATIC: Final = Path(__file__).with_name("static")
LOCAL: Final = ZoneInfo("Europe/London")
"""Whose time people read."""
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers send "Origin: null" with a form
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
}
NAVIGATION: Final = (
    ("/", "Scenarios", ()),
    ("/skills", "Skill record", ()),
    ("/marking", "THRIVE marking", ("champion", "governance")),
    ("/drills", "Fallback drills", ("champion", "engineer", "governance")),
    ("/workshop", "Workshop", ("champion", "engineer")),
)
"""Address, name, and the roles that see it: all where none is named."""


def _local(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone(LOCAL).strftime("%d %b %Y %H:%M")


_ENVIRONMENT: Final = Environment(
    loader=ChoiceLoader([FileSystemLoader(TEMPLATES), FileSystemLoader(PLAY_TEMPLATES)]),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters["local"] = _local


def day_of(text: str) -> float | None:
    """Return when a day begins, or None where none is named. Raises PageError."""
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), datetime.min.time(), LOCAL).timestamp()
    except (ValueError, OverflowError) as error:
        raise PageError(f"found the day {text[:20]!r}; meant one like 2026-12-24") from error


def render(
    request: Request, person: Person | None, template: str, context: dict[str, Any], status: int = 200
) -> HTMLResponse:
    """Return a page for a person, or for nobody who is signed in.

    A template knows besides ``context``: ``person``, ``csrf`` (every form's token), ``navigation``, ``path``.
    """
    known = {
        "person": person,
        "csrf": form_token(request),
        "path": request.url.path,
        "navigation": [
            (address, name)
            for address, name, roles in NAVIGATION
            if person is not None and (not roles or person.role in roles)
        ],
    }
    body = _ENVIRONMENT.get_template(template).render(known | context)
    return HTMLResponse(body, status, {"Cache-Control": "no-store"})
