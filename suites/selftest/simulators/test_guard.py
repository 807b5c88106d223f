"""What guards every interface of a simulator refuses in HTTP's own words."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from simulators.guard import guard
from simulators.routes import Routes, add_routes


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

    add_routes(app, router)
    return app


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("DELETE", "/v1/lines/2001", "GET, PATCH"), ("DELETE", "/v1/lines/all", "PUT"), ("POST", "/docs", "GET, HEAD")],
)
async def test_a_method_that_a_resource_has_not_is_told_with_those_that_it_has(
    method: str, path: str, allowed: str
) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(_app()), base_url="http://simulator") as http:
        answer = await http.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
