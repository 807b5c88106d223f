"""The console driver against an ICCS that misbehaves: what it can't read is journalled, what it can't have is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI, Response, WebSocket

from harness.drivers.console import MAX_EVENT, Console
from harness.endpoints.media import open_media
from harness.errors import DriverError
from harness.transport.context import Context
from simulators.web import WebServer

pytestmark = pytest.mark.virtual_time
Stream = Callable[[WebSocket], Any]


@asynccontextmanager
async def iccs(stream: Stream | None, *, jack: str = "rtp://127.0.0.1:40000") -> AsyncIterator[tuple[Any, list[str]]]:
    """An ICCS whose event stream the test writes; gives what opens a console, and the requests that came."""
    app, asked = FastAPI(), list[str]()

    @app.post("/v1/positions/{id_}/{action}")
    async def act(id_: str, action: str) -> Any:
        asked.append(action)
        match action:
            case "clear":
                return Response("<h1>Bad Gateway</h1>", 502, media_type="text/html")
            case "unkey":
                return [1]
            case "dtmf":
                await asyncio.sleep(60)
        return {"id": id_, "jack": jack, "call": "1"}

    if stream is not None:

        @app.websocket("/v1/positions/{id_}/events")
        async def events(socket: WebSocket, id_: str) -> None:
            await socket.accept()
            await stream(socket)

    context = Context.create(seed=1)
    media = await open_media(context, in_process=True)
    web = WebServer(app, "127.0.0.1", 0)
    control = f"http://127.0.0.1:{await web.start()}"

    async def open_(**options: Any) -> tuple[Console, Context]:
        console = await Console.open(
            context,
            media,
            "desk",
            **{
                "control": control,
                "position": "desk-1",
                "permit_dial": lambda _n: None,
                "permit_radio": lambda *_a: None,
                **options,
            },
        )
        return console, context

    try:
        yield open_, asked
    finally:
        await web.stop()
        await media.close()


async def quiet(socket: WebSocket) -> None:
    """A stream on which nothing comes."""
    await socket.receive()


async def test_what_can_not_be_read_is_journalled_and_the_next_event_is_shown() -> None:
    async def stream(socket: WebSocket) -> None:
        for text in ("noise", "[]", "{}", '{"kind": 1}', '{"kind": "x", "data": 5}', "[" * 60_000, "\x00"):
            await socket.send_text(text)
        await socket.send_text('{"kind": "call.ringing", "data": {"call": "1", "at": 9, "severity": "x"}}')
        await socket.receive()

    async with iccs(stream) as (open_, _asked):
        console, context = await open_()
        shown = await console.expect("call.ringing", within=1.0)
        assert dict(shown.data) == {"call": "1", "severity": "x"}
        unreadable = [event for event in context.journal if event.kind == "console.unreadable"]
        assert [event.data["length"] for event in unreadable] == [5, 2, 2, 11, 24, 60_000, 1]
        await console.close()
        assert [event for event in context.journal if event.kind == "console.lost"] == []


async def test_an_event_that_is_too_long_or_a_stream_that_breaks_is_journalled() -> None:
    async def stream(socket: WebSocket) -> None:
        await socket.send_text("x" * (MAX_EVENT + 1))
        await socket.receive()

    async with iccs(stream) as (open_, _asked):
        console, context = await open_()
        lost = await console.expect("console.lost", within=1.0)
        assert lost.data["severity"] == "warning"
        await console.close()
        assert context.journal.find("desk jack", "media.closed") is not None


async def test_refusals_are_told_with_their_status_however_they_are_written() -> None:
    async with iccs(quiet) as (open_, asked):
        console, _context = await open_()
        with pytest.raises(DriverError, match="desk: clear was refused with 502: <h1>Bad Gateway</h1>"):
            await console.clear()
        with pytest.raises(DriverError, match=r"desk: unkey was refused with 200: \[1\]"):
            await console.unkey()
        with pytest.raises(DriverError, match="desk: dtmf got no answer: ReadTimeout"):
            await console.send_dtmf("1")
        await console.close()
        await console.close()
        assert asked == ["login", "clear", "unkey", "dtmf", "logout"]


@pytest.mark.parametrize(
    ("stream", "jack", "told"),
    [
        (None, "rtp://127.0.0.1:40000", "desk: no events from http://127"),
        (quiet, "nonsense", "desk: no audio jack at 'nonsense'"),
    ],
)
async def test_a_console_that_does_not_open_leaves_nobody_logged_in(
    stream: Stream | None, jack: str, told: str
) -> None:
    async with iccs(stream, jack=jack) as (open_, asked):
        with pytest.raises(DriverError, match=told):
            await open_()
        assert asked == ["login", "logout"]


async def test_nobody_there_is_told() -> None:
    async with iccs(quiet) as (open_, _asked):
        with pytest.raises(DriverError, match="desk: login got no answer: ConnectError"):
            await open_(control="http://127.0.0.1:9")
