"""What guards every HTTP interface of a simulator: a bearer token, bounded bodies, refusals that echo nothing."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, HTTPException, Request, status
from fastapi.exceptions import RequestValidationError
from fastapi.requests import HTTPConnection
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from simulators.described import describe

MAX_BODY = 64 * 1024
"""Bytes of a request's body; more is answered 413."""


def bearer(token: str | None) -> Callable[[HTTPConnection], Awaitable[None]]:
    """Return a dependency that asks for ``Authorization: Bearer``, where a token is set."""

    async def authorised(connection: HTTPConnection) -> None:
        if token is None:
            return
        sent = connection.headers.get("authorization", "")
        if not hmac.compare_digest(sent.encode(), f"Bearer {token}".encode()):
            raise HTTPException(
                status.HTTP_401_UNAUTHORIZED, "a bearer token is needed", {"WWW-Authenticate": "Bearer"}
            )

    return authorised


def guard(app: FastAPI, *, unbounded: tuple[str, ...] = (), refusals: tuple[int, ...] = ()) -> None:
    """Bound the bodies that ``app`` takes, those of the paths ``unbounded`` excepted, and tell what does not fit.

    ``refusals``: the codes with which its own rules refuse (404, 409 …), for its OpenAPI document.
    """
    describe(app, refusals)

    @app.exception_handler(RequestValidationError)
    async def unfit(_request: Request, error: RequestValidationError) -> JSONResponse:
        # What was sent is not sent back: it need not be text, and it may be long.
        told = [
            {"loc": [str(step).encode(errors="replace").decode() for step in each["loc"]], "msg": each["msg"]}
            for each in error.errors()
        ]
        return JSONResponse({"detail": told}, status.HTTP_422_UNPROCESSABLE_CONTENT)

    @app.exception_handler(status.HTTP_405_METHOD_NOT_ALLOWED)
    async def not_allowed(request: Request, _error: Exception) -> JSONResponse:
        allowed = allowed_methods(app, request.url.path)
        return JSONResponse({"detail": "Method Not Allowed"}, status.HTTP_405_METHOD_NOT_ALLOWED, {"Allow": allowed})

    app.add_middleware(_Bounded, unbounded=unbounded)


class _Bounded:
    """Refuses bodies that are too long, or whose length is not told, before they are read."""

    def __init__(self, app: ASGIApp, unbounded: tuple[str, ...]) -> None:
        self._app, self._unbounded = app, unbounded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(Headers(scope=scope)) if self._is_bounded(scope) else None
        await (refusal or self._app)(scope, receive, send)

    def _is_bounded(self, scope: Scope) -> bool:
        return scope["type"] == "http" and scope["path"] not in self._unbounded

    @staticmethod
    def _refusal(headers: Headers) -> JSONResponse | None:
        if "transfer-encoding" in headers:
            return JSONResponse({"detail": "a body needs a Content-Length"}, status.HTTP_411_LENGTH_REQUIRED)
        if int(headers.get("content-length", "0")) > MAX_BODY:  # the server takes digits only
            return JSONResponse({"detail": f"a body holds {MAX_BODY} bytes at most"}, status.HTTP_413_CONTENT_TOO_LARGE)
        return None


def allowed_methods(app: FastAPI, path: str) -> str:
    """What a 405 tells in ``Allow``: the methods of all routes of the resource at ``path`` (RFC 9110 section 10.2.1).

    Each route knows its own method only. Routes are to be the application's own (`simulators.routes.add_routes`).
    """
    # Of paths that fit, the one with the fewest parameters is meant: /people/me is nobody's id.
    here = [each for each in app.routes if isinstance(each, Route) and each.methods and each.path_regex.match(path)]
    fewest = min((len(each.param_convertors) for each in here), default=0)
    meant = [each for each in here if len(each.param_convertors) == fewest]
    return ", ".join(sorted({method for each in meant for method in each.methods or ()}))
