"""Routes that are looked into late: the same application as FastAPI's own, made when it is used."""

from __future__ import annotations

from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, WebSocket
from fastapi.requests import HTTPConnection

from simulators.routes import LateRoute, Routes, add_routes


async def _known(connection: HTTPConnection) -> None:
    if connection.headers.get("x-known") != "yes":
        raise HTTPException(401, "who are you?")


async def _own(request: Request) -> None:
    if "x-barred" in request.headers:
        raise HTTPException(403, "not you")


def _app(*, late: bool) -> FastAPI:
    app = FastAPI(title="two ways", version="1")
    router: Routes | APIRouter = (Routes if late else APIRouter)(prefix="/things", tags=["things"])

    @router.get("/{id_}", dependencies=[Depends(_own)])
    async def read(id_: int, find: Annotated[str, Query(max_length=3)] = "") -> dict[str, int]:
        """One thing."""
        return {find or "id": id_}

    @router.put("/{id_}", status_code=202)
    async def write(id_: int) -> dict[str, int]:
        """Change one."""
        return {"changed": id_}

    @router.websocket("/{id_}/events")
    async def events(socket: WebSocket, id_: int) -> None:
        await socket.accept()
        await socket.send_json(id_)
        await socket.close()

    if isinstance(router, Routes):
        add_routes(app, router, prefix="/v1", dependencies=[Depends(_known)])
    else:
        app.include_router(router, prefix="/v1", dependencies=[Depends(_known)])
    return app


def test_the_document_is_the_same() -> None:
    assert _app(late=True).openapi() == _app(late=False).openapi()


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/v1/things/4?find=abc", {"x-known": "yes"}),
        ("GET", "/v1/things/4?find=abcd", {"x-known": "yes"}),
        ("GET", "/v1/things/four", {"x-known": "yes"}),
        ("GET", "/v1/things/4", {}),
        ("GET", "/v1/things/4", {"x-known": "yes", "x-barred": "1"}),
        ("PUT", "/v1/things/4", {"x-known": "yes"}),
        ("PUT", "/v1/things/4", {}),
        ("DELETE", "/v1/things/4", {"x-known": "yes"}),
        ("GET", "/things/4", {"x-known": "yes"}),
    ],
)
async def test_what_is_answered_is_the_same(method: str, path: str, headers: dict[str, str]) -> None:
    late = await _asked(_app(late=True), method, path, headers)
    soon = await _asked(_app(late=False), method, path, headers)
    assert (late.status_code, late.json()) == (soon.status_code, soon.json())


async def _asked(app: FastAPI, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://things") as client:
        return await client.request(method, path, headers=headers)


@pytest.mark.parametrize(
    ("known", "told"), [("yes", ["accept", "send", "close"]), ("no", ["http.response.start", "http.response.body"])]
)
async def test_a_stream_has_the_dependencies_too(known: str, told: list[str]) -> None:
    sent: list[str] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message["type"].removeprefix("websocket."))

    scope = {"type": "websocket", "path": "/v1/things/4/events", "headers": [(b"x-known", known.encode())]}
    await _app(late=True)({**scope, "query_string": b"", "subprotocols": []}, receive, send)
    assert sent == told


async def test_a_route_is_looked_into_when_it_is_used() -> None:
    app = _app(late=True)
    routes = {next(iter(each.methods)): each for each in app.router.routes if isinstance(each, LateRoute)}
    assert (await _asked(app, "PUT", "/v1/things/4", {"x-known": "yes"})).status_code == 202
    assert "dependant" in vars(routes["PUT"])
    assert "dependant" not in vars(routes["GET"])


def test_what_a_route_has_not_is_not_made_up() -> None:
    route = next(each for each in _app(late=True).router.routes if isinstance(each, LateRoute))
    with pytest.raises(AttributeError, match="no attribute 'colour'"):
        _ = route.colour


def test_another_kind_of_route_is_refused() -> None:
    router = Routes()
    router.add_route("/plain", lambda _request: None)  # type: ignore[arg-type,return-value]
    with pytest.raises(TypeError, match="make it with Routes"):
        add_routes(FastAPI(), router)
