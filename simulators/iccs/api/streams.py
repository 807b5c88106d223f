"""The event streams of the control interface: a position's, and a wallboard's, over WebSockets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import WebSocket, WebSocketDisconnect, status

from simulators.iccs.desk import OperatorDesk
from simulators.iccs.positions import PositionError
from simulators.routes import Routes

TAKES_WITHIN = 10.0
"""Seconds within which a console takes an event, or is cut off."""
WALLBOARDS = 32
"""Wallboards that may look on at once."""


def stream_routes(desk: OperatorDesk, wallboard_every_s: float) -> Routes:
    """Return the routes; a wallboard is told of changes every so many seconds at most."""
    router = Routes(prefix="/v1")
    watching = set[WebSocket]()

    @router.websocket("/positions/{id_}/events")
    async def events(socket: WebSocket, id_: str) -> None:
        try:
            at = desk.positions.get(id_)
            stream = desk.positions.open_stream(at)
        except PositionError as error:
            await socket.close(status.WS_1008_POLICY_VIOLATION, str(error))
            return

        async def send() -> bool:
            event = await stream.get()
            if event is None:
                await _close(socket, "too many events were left unread")
                return False
            return await _sent(socket, event)

        try:
            await socket.accept()
            await _serve(socket, send)
        finally:
            desk.positions.close_stream(at, stream)

    @router.websocket("/wallboard/events")
    async def wallboard(socket: WebSocket) -> None:
        if len(watching) >= WALLBOARDS:
            await socket.close(status.WS_1008_POLICY_VIOLATION, f"{WALLBOARDS} wallboards look on already")
            return
        shown: dict[str, Any] = {}

        async def send() -> bool:
            nonlocal shown
            figures = desk.wallboard()
            if _changed(figures, shown):
                shown = figures
                if not await _sent(socket, {"time": figures["time"], "kind": "wallboard.changed", "data": figures}):
                    return False
            await asyncio.sleep(wallboard_every_s)
            return True

        watching.add(socket)
        try:
            await socket.accept()
            await _serve(socket, send)
        finally:
            watching.discard(socket)

    return router


def _changed(figures: dict[str, Any], shown: dict[str, Any]) -> bool:
    """Whether anything but the time differs."""
    return {**figures, "time": 0} != {**shown, "time": 0}


async def _serve(socket: WebSocket, send: Callable[[], Awaitable[bool]]) -> None:
    """Send until the console goes, or can't be sent to."""
    reader = asyncio.create_task(_until_gone(socket))
    sender: asyncio.Task[bool] | None = None
    try:
        while not reader.done():
            sender = asyncio.ensure_future(send())
            await asyncio.wait((sender, reader), return_when=asyncio.FIRST_COMPLETED)
            if not sender.done() or not sender.result():
                return
    except asyncio.CancelledError:
        return  # the server is stopping, and this console with it
    finally:
        reader.cancel()
        if sender is not None:
            sender.cancel()
        await asyncio.gather(reader, *([sender] if sender is not None else []), return_exceptions=True)


async def _sent(socket: WebSocket, event: dict[str, Any]) -> bool:
    """Send an event; whether the console took it in time."""
    try:
        async with asyncio.timeout(TAKES_WITHIN):
            await socket.send_json(event)
    except (WebSocketDisconnect, RuntimeError):  # it went between the event and the sending
        return False
    except TimeoutError:
        return False
    return True


async def _close(socket: WebSocket, reason: str) -> None:
    try:
        async with asyncio.timeout(TAKES_WITHIN):
            await socket.close(status.WS_1013_TRY_AGAIN_LATER, reason)
    except (WebSocketDisconnect, RuntimeError, TimeoutError):
        return


async def _until_gone(socket: WebSocket) -> None:
    """Read until the console goes; what it says is not looked at."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
