"""HTTP clients: what of a request reaches the log, and so a report."""

from __future__ import annotations

import logging

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from harness.transport.https import http_client
from simulators.web import WebServer


async def test_the_log_tells_a_request_without_its_query(caplog: pytest.LogCaptureFixture) -> None:
    asked: list[str] = []

    async def taken(request: Request) -> PlainTextResponse:
        asked.append(request.query_params["email"])
        return PlainTextResponse("there")

    server = WebServer(Starlette(routes=[Route("/people", taken)]), "127.0.0.1", 0)
    url = f"http://127.0.0.1:{await server.start()}/people"
    http = http_client(timeout=5)
    try:
        with caplog.at_level(logging.INFO, logger="httpx"):
            await http.get(url, params={"email": "somebody@force.example"})
    finally:
        await http.aclose()
        await server.stop()
    [told] = [each for each in caplog.messages if each.startswith("HTTP Request")]
    assert told.startswith(f'HTTP Request: GET {url} "HTTP/1.1 200')
    assert "somebody" not in caplog.text and asked == ["somebody@force.example"]
