"""Requests a second, and how long the slowest hundredth takes, of the simulated Webex; its peer is a bare page.

Client and server are one process on one core, so what is told is of both together. The peer in the same run: a page of
Starlette that answers the same number of bytes to the same client by the same server.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from harness.transport.context import Context
from simulators.web import WebServer
from simulators.webex.settings import WebexSettings
from simulators.webex.simulator import WebexSimulator

REQUESTS, AT_ONCE = 2_000, 8
MESSAGES, A_PAGE = 10_000, 1_000
Ask = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


async def _measured(http: httpx.AsyncClient, ask: Ask, count: int) -> dict[str, float]:
    """Ask ``count`` times by AT_ONCE clients; requests a second and the 99th percentile in ms."""
    took: list[float] = []

    async def one() -> None:
        for _ in range(count // AT_ONCE):
            began = time.perf_counter()
            answer = await ask(http)
            took.append((time.perf_counter() - began) * 1000)
            if answer.status_code != 200:
                raise RuntimeError(f"a request was answered {answer.status_code}")

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(AT_ONCE)))
    seconds = time.perf_counter() - began
    return {"per_s": round(len(took) / seconds), "p99_ms": round(sorted(took)[int(len(took) * 0.99)], 2)}


async def _bare(body: bytes) -> dict[str, float]:
    async def page(_request: Request) -> Response:
        return Response(body, media_type="application/json")

    server = WebServer(Starlette(routes=[Route("/", page)]), "127.0.0.1", 0)
    url = f"http://127.0.0.1:{await server.start()}"
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            return await _measured(http, lambda http: http.get(url), REQUESTS)
    finally:
        await server.stop()


async def _webex() -> dict[str, Any]:
    heard = asyncio.Event()

    async def hook(_request: Request) -> Response:
        heard.set()
        return Response()

    receiver = WebServer(Starlette(routes=[Route("/hook", hook, methods=["POST"])]), "127.0.0.1", 0)
    target = f"http://127.0.0.1:{await receiver.start()}/hook"
    settings = WebexSettings(requests_per_s=100_000, burst=1_000_000)
    simulator = await WebexSimulator.start(Context.create(seed=1), settings, virtual=False)
    headers = {"Authorization": f"Bearer {simulator.token}"}
    try:
        async with httpx.AsyncClient(base_url=f"{simulator.url}/v1", headers=headers, trust_env=False) as http:
            body = (await http.get("/people/me")).content
            result: dict[str, Any] = {"bare": await _bare(body)}
            result["people_me"] = await _measured(http, lambda http: http.get("/people/me"), REQUESTS)
            room = (await http.post("/rooms", json={"title": "Bench"})).json()["id"]
            made = {"name": "hook", "targetUrl": target, "resource": "messages", "event": "created"}
            webhook = (await http.post("/webhooks", json=made)).json()["id"]
            said = {"roomId": room, "text": "Bench"}
            saying = await _measured(http, lambda http: http.post("/messages", json=said), REQUESTS)
            result["message_with_webhook"] = saying
            await heard.wait()
            await http.delete(f"/webhooks/{webhook}")
            for _ in range(MESSAGES - REQUESTS):
                await http.post("/messages", json=said)
            result["paging"] = await _paged(http, room)
            return result
    finally:
        await simulator.stop()
        await receiver.stop()


async def _paged(http: httpx.AsyncClient, room: str) -> dict[str, float]:
    began, seen, took = time.perf_counter(), 0, []
    url: str | None = f"/messages?roomId={room}&max={A_PAGE}"
    while url is not None:
        asked = time.perf_counter()
        answer = await http.get(url)
        took.append((time.perf_counter() - asked) * 1000)
        seen += len(answer.json()["items"])
        url = answer.links.get("next", {}).get("url")
    if seen != MESSAGES:
        raise RuntimeError(f"{seen} messages were paged, and {MESSAGES} had been said")
    return {"messages_per_s": round(seen / (time.perf_counter() - began)), "slowest_page_ms": round(max(took), 1)}


def measure() -> dict[str, Any]:
    """Measure."""
    return asyncio.run(_webex())
