"""What guards every HTTP interface of a simulator: a bearer token, bounded bodies, refusals that echo nothing."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping

from fastapi import FastAPI, HTTPException, Request, status
from fastapi.exceptions import RequestValidationError
from fastapi.requests import HTTPConnection
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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


def guard(
    app: FastAPI,
    *,
    unbounded: tuple[str, ...] = (),
    larger: Mapping[str, int] | None = None,
    refusals: tuple[int, ...] = (),
) -> None:
    """Bound the bodies that ``app`` takes, those of the paths ``unbounded`` excepted, and tell what does not fit.

    ``larger``: paths that take bodies of more than MAX_BODY, with their bytes. ``refusals``: the codes with which its
    own rules refuse (404, 409 …), for its OpenAPI document.
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

    app.add_middleware(_Bounded, unbounded=unbounded, larger=larger or {})


class _Bounded:
    """Refuses bodies that are too long, before they are read where their length is told (RFC 9112 section 6).

    One that comes in chunks, as some HTTP libraries send all that they make on the way, is read up to its bound and
    handed on with its length.
    """

    def __init__(self, app: ASGIApp, unbounded: tuple[str, ...], larger: Mapping[str, int]) -> None:
        self._app, self._unbounded, self._larger = app, unbounded, larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._unbounded:
            await self._app(scope, receive, send)
            return
        most, headers = self._larger.get(scope["path"], MAX_BODY), Headers(scope=scope)
        if "transfer-encoding" in headers:
            body = await _whole(receive, most)
            fits = body is not None
            if body is not None:
                scope, receive = _with_length(scope, len(body)), _again(body, receive)
        else:
            fits = int(headers.get("content-length", "0")) <= most  # the server takes digits only
        told = {"detail": f"a body holds {most} bytes at most"}
        await (self._app if fits else JSONResponse(told, status.HTTP_413_CONTENT_TOO_LARGE))(scope, receive, send)


async def _whole(receive: Receive, most: int) -> bytes | None:
    """A body of ``most`` bytes at most; None where it is longer, or its sender left before its end."""
    body = bytearray()
    while len(body) <= most:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body) if len(body) <= most else None
    return None


def _with_length(scope: Scope, length: int) -> Scope:
    kept = [each for each in scope["headers"] if each[0] not in (b"transfer-encoding", b"content-length")]
    return {**scope, "headers": [*kept, (b"content-length", str(length).encode())]}


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives a body that was read already, then what comes after it."""
    bodies = [body]

    async def receive_again() -> Message:
        if bodies:
            return {"type": "http.request", "body": bodies.pop(), "more_body": False}
        return await receive()

    return receive_again


def allowed_methods(app: FastAPI, path: str) -> str:
    """What a 405 tells in ``Allow``: the methods of all routes of the resource at ``path`` (RFC 9110 section 10.2.1).

    Each route knows its own method only. Routes are to be the application's own (`simulators.routes.add_routes`).
    """
    # Of paths that fit, the one with the fewest parameters is meant: /people/me is nobody's id.
    here = [each for each in app.routes if isinstance(each, Route) and each.methods and each.path_regex.match(path)]
    fewest = min((len(each.param_convertors) for each in here), default=0)
    meant = [each for each in here if len(each.param_convertors) == fewest]
    methods = {method for each in meant for method in each.methods or ()}
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))
