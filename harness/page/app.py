"""The champions' page as an ASGI application: its guard, sign-in, and the parts that are registered on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from fastapi import FastAPI, HTTPException, Request, Response, status
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, RedirectResponse
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.staticfiles import StaticFiles

from harness.errors import PageError
from harness.page.access import (
    COOKIE,
    SignedOutError,
    form_of,
    fresh_form,
    person_of,
    prepare_form,
    sign_in,
    sign_out,
    text,
)
from harness.page.contract import Person
from harness.page.people import MAX_NAME, MAX_PASSWORD, People, TooManyError
from harness.page.rendering import HEADERS, STATIC, render
from harness.page.store import Store, StoredAttempts, StoreError

MAX_BODY: Final = 2 * 1024 * 1024
"""Bytes of what a browser sends in one request; more is answered 413."""
MAX_DRAINED: Final = 16 * 1024 * 1024
"""Bytes of a request that is too long which are read all the same: a browser shows the answer only then."""
Part = Callable[[FastAPI], None]
"""Adds routes."""


def create_app(store: Store, library: Any, parts: Sequence[Part], *, hosts: Sequence[str], secure: bool) -> FastAPI:
    """Return the page.

    ``library``: the scenarios, for the parts that show them. ``hosts``: the names under which browsers reach it; others
    are refused, so that no foreign name can be pointed at it. ``secure``: served over https.

    `app.state` has ``people``, ``attempts``, ``library``, ``store``, ``secure``.
    """
    app = FastAPI(title="Champions' page", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.store, app.state.library, app.state.secure = store, library, secure
    app.state.people, app.state.attempts = People(store), StoredAttempts(store)
    _guard(app, frozenset(hosts))
    _refusals(app)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    _add_sign_in(app)
    for part in parts:
        part(app)
    return app


def _guard(app: FastAPI, hosts: frozenset[str]) -> None:
    @app.middleware("http")
    async def guarded(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        host = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
        length = request.headers.get("content-length", "0")
        if host not in hosts:
            answer: Response = PlainTextResponse("this page is not served under that name", 421)
        elif "transfer-encoding" in request.headers:
            answer = PlainTextResponse("a body needs a Content-Length", status.HTTP_411_LENGTH_REQUIRED)
        elif not length.isdecimal() or int(length[:12]) > MAX_BODY:
            if length.isdecimal() and int(length[:12]) <= MAX_DRAINED:
                async for _ in request.stream():
                    pass
            told = f"A scenario has 1 MB at most, and what was sent has {length[:12]} bytes. Nothing was changed."
            answer = PlainTextResponse(told, status.HTTP_413_CONTENT_TOO_LARGE)
        else:
            answer = await call_next(request)
        answer.headers.update(HEADERS)
        return answer


def _refusals(app: FastAPI) -> None:
    async def told(request: Request, code: int, reason: str) -> Response:
        try:
            person: Person | None = await person_of(request)
        except PageError:
            person = None
        return render(request, person, "refused.html", {"code": code, "reason": reason}, code)

    @app.exception_handler(SignedOutError)
    async def signed_out(_request: Request, _error: Exception) -> Response:
        return RedirectResponse("/sign-in", status.HTTP_303_SEE_OTHER)

    @app.exception_handler(StarletteHTTPException)
    async def refused(request: Request, error: StarletteHTTPException) -> Response:
        return await told(request, error.status_code, str(error.detail))

    @app.exception_handler(RequestValidationError)
    async def unfit(request: Request, _error: Exception) -> Response:
        return await told(request, status.HTTP_400_BAD_REQUEST, "what was sent does not fit this page's forms")

    @app.exception_handler(StoreError)
    async def gone(request: Request, error: Exception) -> Response:
        return await told(request, status.HTTP_503_SERVICE_UNAVAILABLE, str(error))

    @app.exception_handler(PageError)
    async def impossible(request: Request, error: Exception) -> Response:
        return await told(request, status.HTTP_409_CONFLICT, str(error))


def _add_sign_in(app: FastAPI) -> None:
    people: People = app.state.people
    secure: bool = app.state.secure

    def form(request: Request, error: str, name: str, code: int) -> Response:
        kept, token = fresh_form()
        shown = {"error": error, "name": name, "csrf": token, "max_name": MAX_NAME, "max_password": MAX_PASSWORD}
        answer = render(request, None, "sign-in.html", shown, code)
        prepare_form(answer, kept, secure=secure)
        sign_out(answer, secure=secure)
        return answer

    @app.get("/sign-in")
    async def asked(request: Request) -> Response:
        if await person_of(request) is not None:
            return RedirectResponse("/", status.HTTP_303_SEE_OTHER)
        return form(request, "", "", status.HTTP_200_OK)

    @app.post("/sign-in")
    async def sent(request: Request) -> Response:
        fields = await form_of(request)
        name, password = text(fields, "name", MAX_NAME), text(fields, "password", MAX_PASSWORD)
        address = request.client.host if request.client is not None else ""
        try:
            session = await people.by_password(name, password, address)
        except TooManyError as error:
            return form(request, str(error), name, status.HTTP_429_TOO_MANY_REQUESTS)
        if session is None:
            return form(request, "The name or the password is wrong.", name, status.HTTP_403_FORBIDDEN)
        answer = RedirectResponse("/", status.HTTP_303_SEE_OTHER)
        sign_in(answer, session, secure=secure)
        return answer

    @app.get("/sign-in/{token}")
    async def by_token(token: str) -> Response:
        session = await people.by_token(token)
        if session is None:
            raise HTTPException(
                status.HTTP_403_FORBIDDEN,
                "this sign-in address was used already, or is too old: `iccs people token NAME` makes another",
            )
        answer = RedirectResponse("/", status.HTTP_303_SEE_OTHER)
        sign_in(answer, session, secure=secure)
        return answer

    @app.post("/sign-out")
    async def out(request: Request) -> Response:
        await form_of(request)
        await people.end(request.cookies.get(COOKIE, ""))
        answer = RedirectResponse("/sign-in", status.HTTP_303_SEE_OTHER)
        sign_out(answer, secure=secure)
        return answer
