"""Who is signed in: the session's cookie, roles, and the token that every form carries."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final
from urllib.parse import urlsplit

from fastapi import HTTPException, Request, status
from fastapi.requests import HTTPConnection
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException
from starlette.responses import Response

from harness.page.contract import Person, Role
from harness.page.people import SESSION_S

COOKIE: Final = "iccs_page"
FORM_COOKIE: Final = "iccs_page_form"
"""What the sign-in form's token is made of, before there is a session."""
MAX_COOKIE: Final = 200


class SignedOutError(Exception):
    """Nobody is signed in: a browser is sent to the sign-in page."""


async def person_of(connection: HTTPConnection) -> Person | None:
    """Return who a request or WebSocket comes from, or None. Raises PageError where the store is gone."""
    cookie = connection.cookies.get(COOKIE, "")
    if not cookie or len(cookie) > MAX_COOKIE:
        return None
    found: Person | None = await connection.app.state.people.of_session(cookie)
    return found


async def require(connection: HTTPConnection, *roles: Role) -> Person:
    """Return who it comes from. Raises SignedOutError, and HTTPException 403 where their role is none of ``roles``.

    Without ``roles`` anybody may who is signed in.
    """
    person = await person_of(connection)
    if person is None:
        raise SignedOutError
    if roles and person.role not in roles:
        raise HTTPException(status.HTTP_403_FORBIDDEN, f"this is for {', '.join(roles)}; you are {person.role}")
    return person


def form_token(connection: HTTPConnection) -> str:
    """Return the token that forms of this browser carry; nothing where it has no cookie yet."""
    kept = connection.cookies.get(COOKIE) or connection.cookies.get(FORM_COOKIE, "")
    return _token(kept) if kept else ""


async def form_of(request: Request) -> FormData:
    """Return a form that this site's page sent. Raises HTTPException 403 for any other, 400 for what is no form."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise HTTPException(status.HTTP_403_FORBIDDEN, "this form does not come from this page")
    try:
        form = await request.form(max_files=0, max_fields=50, max_part_size=2 * 1024 * 1024)
    except (MultiPartException, UnicodeError, ValueError) as error:
        raise HTTPException(status.HTTP_400_BAD_REQUEST, "the form can't be read") from error
    due, sent = form_token(request), form.get("csrf")
    if not due or not isinstance(sent, str) or not hmac.compare_digest(due.encode(), sent.encode("utf-8", "replace")):
        raise HTTPException(
            status.HTTP_403_FORBIDDEN,
            "this form is of a session that is over: go back, load the page again and send it once more",
        )
    return form


def text(form: FormData, name: str, most: int) -> str:
    """Return a field. Raises HTTPException 400 where it is not there or longer than ``most`` characters."""
    value = form.get(name)
    if not isinstance(value, str) or len(value) > most:
        raise HTTPException(status.HTTP_400_BAD_REQUEST, f"{name}: text of at most {most} characters is needed")
    return value


def sign_in(response: Response, cookie: str, *, secure: bool) -> None:
    """Let a browser keep its session."""
    response.set_cookie(COOKIE, cookie, max_age=SESSION_S, httponly=True, samesite="strict", secure=secure, path="/")
    response.delete_cookie(FORM_COOKIE, httponly=True, samesite="strict", secure=secure, path="/")


def sign_out(response: Response, *, secure: bool) -> None:
    """Let a browser forget its session."""
    response.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=secure, path="/")


def prepare_form(response: Response, kept: str, *, secure: bool) -> None:
    """Let a browser that is not signed in keep what its form's token is made of."""
    response.set_cookie(FORM_COOKIE, kept, max_age=SESSION_S, httponly=True, samesite="strict", secure=secure, path="/")


def fresh_form() -> tuple[str, str]:
    """Return what a form's token is made of, and the token."""
    kept = secrets.token_urlsafe(32)
    return kept, _token(kept)


def _token(kept: str) -> str:
    return hmac.digest(kept.encode("utf-8", "replace"), b"form", hashlib.sha256).hex()
