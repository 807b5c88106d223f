"""The link to a simulator's control interface: requests over HTTP, events over a WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from harness.errors import DriverError
from harness.transport.context import Context
from harness.transport.https import bearing, http_client

ANSWERS_WITHIN: Final = 5.0
"""Seconds within which the control interface answers a request."""
MAX_EVENT: Final = 64 * 1024
"""Bytes of one event from the control interface."""
EMERGENCY: Final = "999"
"""What the interlock is asked for where the network is told to call a control room."""

Told = Callable[[str, dict[str, Any]], None]
"""Given each event: its kind and data."""


class ControlClient:
    """Requests to a simulator's control interface."""

    def __init__(self, name: str, control: str, token: str | None) -> None:
        """``control``: ``http://host:port``."""
        self.name = name
        self.headers = bearing(token)
        """What every request has with it."""
        self._http = http_client(f"{control}/v1", timeout=ANSWERS_WITHIN, token=token)

    async def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Make a request and return its answer. Raises DriverError with what the simulator says against it."""
        try:
            answer = await self._http.request(method, path, json=None if body is None else dict(body), headers=headers)
        except httpx.HTTPError as error:
            raise DriverError(f"{self.name}: no answer to {method} {path}: {error or type(error).__name__}") from error
        try:
            said = answer.json()
        except ValueError:
            said = {"detail": answer.text[:200]}
        if answer.is_error:
            detail = said.get("detail") if isinstance(said, dict) else said
            raise DriverError(f"{self.name}: {method} {path} was refused with {answer.status_code}: {detail}")
        return said

    async def close(self) -> None:
        """Disconnect; again does nothing."""
        await self._http.aclose()


class ControlLink(ControlClient):
    """One connection to a simulator's control interface: requests by HTTP, events by WebSocket."""

    def __init__(self, context: Context, name: str, control: str, token: str | None, told: Told) -> None:
        super().__init__(name, control, token)
        self._journal = context.journal
        self._told = told
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, context: Context, name: str, control: str, token: str | None, told: Told) -> ControlLink:
        """Connect to ``control`` (``http://host:port``); ``told`` is given what happens. Raises DriverError."""
        link = cls(context, name, control, token, told)
        try:
            link._socket = await connect(
                f"{control.replace('http', 'ws', 1)}/v1/events",
                additional_headers=link.headers,
                max_size=MAX_EVENT,
                proxy=None,
                open_timeout=ANSWERS_WITHIN,
            )
        except (WebSocketException, OSError, TimeoutError) as error:
            await link.close()
            raise DriverError(f"{name}: no events from {control}: {error}") from error
        link._reader = asyncio.create_task(link._read(link._socket))
        return link

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for message in socket:
                event = json.loads(message)
                if (
                    isinstance(event, dict)
                    and isinstance(event.get("kind"), str)
                    and isinstance(event.get("data"), dict)
                ):
                    self._told(event["kind"], event["data"])
                else:
                    self._journal.warn(self.name, "network.unread", found=str(message)[:100])
        except (ConnectionClosed, ValueError) as error:
            self._journal.warn(self.name, "network.lost", reason=str(error))

    async def close(self) -> None:
        """Disconnect; again does nothing."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
        socket, self._socket = self._socket, None
        if socket is not None:
            with contextlib.suppress(WebSocketException, OSError):
                await socket.close()
        await super().close()
