"""What the network tells those who look on: streams of events with a bound, and the journal."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from harness.errors import LocalError
from harness.journal import Journal

EVENTS_A_STREAM: Final = 2_000
"""Events that wait for a client that does not read; it is cut off at the next one."""
MAX_STREAMS: Final = 64

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
        told = {"time": event.time, "kind": kind, "data": data}
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
