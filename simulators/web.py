"""Serves an ASGI application on the running loop, real or virtual, and stops it in an orderly way."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import uvicorn
from starlette.types import Receive, Scope, Send

from harness.errors import TransportError
from harness.transport.virtual_loop import VirtualLoop

STARTS_WITHIN = 10.0
STOPS_WITHIN = 5.0
MAX_MESSAGE = 64 * 1024
"""Bytes of one WebSocket message from a client; a longer one ends the stream."""


class _InOrder(dict[Any, None]):
    """The connections, in the order in which they came: a set's is another in each run, and so would a journal be."""

    def add(self, connection: Any) -> None:
        self[connection] = None

    def remove(self, connection: Any) -> None:
        del self[connection]

    def discard(self, connection: Any) -> None:
        self.pop(connection, None)


class _Server(uvicorn.Server):
    """uvicorn without its hold on signals: the process that started the simulators has its own."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.server_state.connections = cast("set[Any]", _InOrder())
        self.ready = asyncio.Event()
        """Set when it serves."""
        self.stopping = asyncio.Event()
        """Set when it is to end."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        # uvicorn looks ten times a second whether it is to end: a day of virtual time would be a million looks.
        if isinstance(asyncio.get_running_loop(), VirtualLoop):
            await self.on_tick(0)
            await self.stopping.wait()
        else:
            await super().main_loop()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Heads:
    """Answers HEAD wherever GET is answered (RFC 9110 section 9.3.2); the server keeps the content to itself."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_head = scope["type"] == "http" and scope["method"] == "HEAD"
        await self._app({**scope, "method": "GET"} if is_head else scope, receive, send)


class WebServer:
    """One HTTP and WebSocket server."""

    def __init__(
        self, app: Any, host: str, port: int, *, certificate: Path | None = None, key: Path | None = None
    ) -> None:
        """``certificate`` and ``key`` are PEM files; with them it serves https."""
        config = uvicorn.Config(
            _Heads(app),
            host=host,
            port=port,
            log_config=None,
            log_level="error",
            access_log=False,
            lifespan="off",
            http="h11",
            ws="websockets-sansio",
            ws_max_size=MAX_MESSAGE,
            timeout_graceful_shutdown=int(STOPS_WITHIN),
            ssl_certfile=certificate,
            ssl_keyfile=key,
        )
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None
        self._host, self._port = host, port

    async def start(self) -> int:
        """Begin to serve and return the port. Raises TransportError when the address can't be bound."""
        self._task = asyncio.create_task(self._serve())
        ready = asyncio.create_task(self._server.ready.wait())
        try:
            await asyncio.wait((self._task, ready), timeout=STARTS_WITHIN, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if self._task.done():
            error = self._task.exception()
            raise TransportError(f"can't serve on {self._host}:{self._port}: {error or 'it ended at once'}")
        if not self._server.started:
            await self.stop()
            raise TransportError(f"no server on {self._host}:{self._port} after {STARTS_WITHIN:g} s")
        address = self._server.servers[0].sockets[0].getsockname()
        return int(address[1])

    async def _serve(self) -> None:
        try:
            await self._server.serve()
        except SystemExit as error:  # uvicorn's way to say that it can't bind
            raise TransportError("the address is taken or not ours") from error

    async def stop(self) -> None:
        """Stop serving; open requests and streams are ended."""
        if self._task is not None:
            self._server.should_exit = True
            self._server.stopping.set()
            self._server.force_exit = True
            await asyncio.wait((self._task,), timeout=STOPS_WITHIN)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
