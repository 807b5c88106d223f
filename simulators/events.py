"""What a simulated network tells those who look on: streams of events with a bound, and the journal."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from fastapi import WebSocket, WebSocketDisconnect, status

from harness.errors import LocalError
from harness.journal import Journal

EVENTS_A_STREAM: Final = 2_000
"""Events that wait for a client that does not read; it is cut off at the next one."""
MAX_STREAMS: Final = 64
TAKES_WITHIN: Final = 10.0
"""Seconds within which a client takes an event, or is cut off."""

Told = dict[str, Any]


class StreamError(LocalError):
    """Too many look on already."""


class Events:
    """The network's events."""

    def __init__(self, journal: Journal, name: str) -> None:
        self._journal = journal
        self._name = name
        self._streams: list[asyncio.Queue[Told | None]] = []

    def tell(self, kind: str, **data: Any) -> None:
        """Note an event and send it to all who look on."""
        event = self._journal.record(self._name, kind, **data)
        self.send({"time": event.time, "kind": kind, "data": data})

    def send(self, told: Told) -> None:
        """Send all who look on something that the journal has already, or need not have."""
        for stream in tuple(self._streams):
            if stream.qsize() < EVENTS_A_STREAM:
                stream.put_nowait(told)
                continue
            self._streams.remove(stream)
            while not stream.empty():
                stream.get_nowait()
            stream.put_nowait(None)
            self._journal.warn(self._name, "events.cut_off", reason=f"{EVENTS_A_STREAM} events were left unread")

    def open(self) -> asyncio.Queue[Told | None]:
        """A new stream; None in it: it was cut off. Raises StreamError."""
        if len(self._streams) >= MAX_STREAMS:
            raise StreamError(f"{MAX_STREAMS} streams of events are open already")
        stream: asyncio.Queue[Told | None] = asyncio.Queue(EVENTS_A_STREAM + 1)
        self._streams.append(stream)
        return stream

    def close(self, stream: asyncio.Queue[Told | None]) -> None:
        """End a stream; again does nothing."""
        if stream in self._streams:
            self._streams.remove(stream)


async def serve(events: Events, socket: WebSocket) -> None:
    """Send a client of the control interface what happens, until it goes or can't be sent to."""
    try:
        stream = events.open()
    except StreamError as error:
        await socket.close(status.WS_1008_POLICY_VIOLATION, str(error))
        return
    await socket.accept()
    reader = asyncio.create_task(_until_gone(socket))
    try:
        await _send(socket, stream, reader)
    except asyncio.CancelledError:
        return  # the server is stopping
    finally:
        events.close(stream)
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)


async def _send(socket: WebSocket, stream: asyncio.Queue[Told | None], reader: asyncio.Task[None]) -> None:
    while True:
        getter = asyncio.create_task(stream.get())
        await asyncio.wait((getter, reader), return_when=asyncio.FIRST_COMPLETED)
        if reader.done():
            getter.cancel()
            return
        event = getter.result()
        try:
            async with asyncio.timeout(TAKES_WITHIN):
                if event is None:
                    await socket.close(status.WS_1013_TRY_AGAIN_LATER, "too many events were left unread")
                    return
                await socket.send_json(event)
        except (WebSocketDisconnect, RuntimeError):  # it went between the event and the sending
            return
        except TimeoutError:
            return


async def _until_gone(socket: WebSocket) -> None:
    """Read until the client goes; what it says is not looked at."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
