"""Webhooks of calls: what happened on the wire is told in its order, signed, and nothing is believed twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from harness.drivers.webex import Webex
from harness.errors import WebhookRefusedError
from harness.testbed.bench import Bench
from simulators.web import WebServer

pytestmark = pytest.mark.testbed("webex-calling")

SECRET = "of this test only"
MAX_TAKEN = 1_000
Delivery = tuple[dict[str, str], bytes]


@asynccontextmanager
async def receiver(webex: Webex) -> AsyncIterator[tuple[str, asyncio.Queue[Delivery]]]:
    """Where webhooks come to: its URL, and what came."""
    place = webex.hooks_come_to()
    came: asyncio.Queue[Delivery] = asyncio.Queue(MAX_TAKEN)

    async def take(request: Request) -> Response:
        came.put_nowait((dict(request.headers), await request.body()))
        return Response()

    host, port = place.listen
    server = WebServer(Starlette(routes=[Route("/{path:path}", take, methods=["POST"])]), host, port)
    listens = f"http://{host}:{await server.start()}/calls"
    try:
        yield place.url or listens, came
    finally:
        await server.stop()


async def test_a_call_is_told_in_its_order_and_a_replay_of_it_is_not_believed(bench: Bench) -> None:
    webex = await bench.webex()
    verifier = webex.verifier(SECRET)
    caller, called = await bench.telephone("operator-phone"), await bench.telephone("colleague-phone")
    async with receiver(webex) as (url, came):
        await webex.hook_calls(url, SECRET, by="operator")
        call = await caller.dial("2002")
        rung = await called.rings()
        seen = await webex.expect_call("connecting", by="operator", within=2)
        await rung.answer()
        await call.answered(within=5)
        await call.hang_up()
        told: list[dict[str, Any]] = []
        deliveries: list[Delivery] = []
        while not told or told[-1]["event"] != "deleted":
            async with asyncio.timeout(5):
                deliveries.append(await came.get())
            told.append(verifier.take(*deliveries[-1]))
        assert {each["data"]["callSessionId"] for each in told} == {seen["callSessionId"]}, "only one's own calls"
        assert [each["event"] for each in told] == ["created", *["updated"] * (len(told) - 2), "deleted"]
        states = [each["data"]["state"] for each in told]
        assert list(dict.fromkeys(states)) == ["connecting", "connected", "disconnected"]
        for delivery in deliveries:
            with pytest.raises(WebhookRefusedError, match="taken already"):
                verifier.take(*delivery)
        # One that was recorded is old, also for who never saw it.
        await asyncio.sleep(301)
        with pytest.raises(WebhookRefusedError, match="s old"):
            webex.verifier(SECRET).take(*deliveries[0])


async def test_nobody_is_told_of_calls_who_may_not_read_them(bench: Bench) -> None:
    webex = await bench.webex()
    caller, called = await bench.telephone("operator-phone"), await bench.telephone("colleague-phone")
    async with receiver(webex) as (url, came):
        await webex.hook_calls(url, SECRET, by="partner")
        await webex.hook_calls(url, SECRET, by="desk")
        call = await caller.dial("2002")
        await (await called.rings()).answer()
        await call.answered(within=5)
        await call.hang_up()
        await asyncio.sleep(5)
        assert came.empty()
