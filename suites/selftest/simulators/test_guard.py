"""What guards every interface of a simulator refuses in HTTP's own words."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request

from simulators.guard import MAX_BODY, guard
from simulators.routes import Routes, add_routes
from simulators.web import WebServer


def _app() -> FastAPI:
    app = FastAPI()
    guard(app)
    router = Routes(prefix="/v1")

    @router.get("/lines/{number}")
    async def line(number: str) -> str:
        return number

    @router.patch("/lines/{number}")
    async def change(number: str) -> str:
        return number

    @router.put("/lines/all")
    async def every() -> str:
        return "all"

    @router.post("/said")
    async def said(request: Request) -> str:
        assert "transfer-encoding" not in request.headers
        return f"{request.headers['content-length']} {(await request.body()).decode()}"

    add_routes(app, router)
    return app


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/lines/2001", "GET, HEAD, PATCH"),
        ("DELETE", "/v1/lines/all", "PUT"),
        ("POST", "/docs", "GET, HEAD"),
    ],
)
async def test_a_method_that_a_resource_has_not_is_told_with_those_that_it_has(
    method: str, path: str, allowed: str
) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(_app()), base_url="http://simulator") as http:
        answer = await http.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


async def _chunks(*chunks: bytes) -> AsyncIterator[bytes]:
    for each in chunks:
        yield each


async def test_a_body_in_chunks_is_taken_up_to_its_bound() -> None:
    # RFC 9112 section 7.1: whoever receives reads the chunked coding.
    async with httpx.AsyncClient(transport=httpx.ASGITransport(_app()), base_url="http://simulator") as http:
        answer = await http.post("/v1/said", content=_chunks(b"in ", b"", b"chunks"))
        longest = await http.post("/v1/said", content=_chunks(b"x" * MAX_BODY))
        longer = await http.post("/v1/said", content=_chunks(b"x" * MAX_BODY, b"x"))
    assert (answer.status_code, answer.json()) == (200, "9 in chunks")
    assert (longest.status_code, longer.status_code) == (200, 413)


@pytest.mark.real_wire
async def test_head_is_answered_wherever_get_is() -> None:
    # RFC 9110 section 9.3.2: what GET would tell, without its content.
    server = WebServer(_app(), "127.0.0.1", 0)
    port = await server.start()
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            got, head = await http.get("/v1/lines/2001"), await http.head("/v1/lines/2001")
            assert (head.status_code, head.content) == (200, b"")
            assert {name: head.headers[name] for name in ("content-length", "content-type")} == {
                name: got.headers[name] for name in ("content-length", "content-type")
            }
            assert (await http.head("/nothing")).status_code == 404
            assert (await http.head("/v1/lines/all")).status_code == 200, "a line of that name, as GET has it"
            assert (await http.head("/v1/said")).status_code == 405
            assert (await http.get("/v1/lines/2001")).content == got.content, "the connection goes on"
    finally:
        await server.stop()
