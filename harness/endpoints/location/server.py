"""The service's end of the caller-location interface: takes links and hands their questions to whoever knows."""

from __future__ import annotations

import asyncio
import ssl as ssl_module
from collections.abc import Callable
from typing import Protocol

from harness.endpoints.location.codecs import CodecFactory
from harness.endpoints.location.connection import Connection
from harness.errors import TransportError
from harness.protocols.location.caller import Hello, Message, Query, Reason, Refusal, Release, Welcome
from harness.protocols.location.link import Link, Side
from harness.protocols.location.link_wire import JsonLines
from harness.transport.context import Context

MAX_LINKS = 64
"""Control rooms linked at once; another is refused as busy."""
MAX_CONNECTIONS = 2 * MAX_LINKS
"""Connections at once, those that have not greeted yet among them; another is closed at once."""


class LinkedClient:
    """One control room that is linked."""

    def __init__(self, name: str, connection: Connection) -> None:
        self.name = name
        """As it greeted, and where from."""
        self._connection = connection
        self.up = True

    def send(self, message: Message) -> None:
        """Send it a message; one that has gone is left alone.

        Raises CallerLocationLocalError for what the codec can't write.
        """
        if self.up:
            self._connection.send(message)


class Questions(Protocol):
    """Who answers."""

    def asked(self, client: LinkedClient, query: Query) -> None:
        """A question came."""

    def released(self, client: LinkedClient, call: str) -> None:
        """A call is over."""

    def gone(self, client: LinkedClient) -> None:
        """A control room's link has ended, and with it all that it asked."""


class CallerLocationServer:
    """Listens for links."""

    def __init__(self, context: Context, name: str, greeting: Welcome, who: Questions) -> None:
        self.name = name
        self._journal = context.journal
        self._greeting = greeting
        self._token = ""
        self._make_codec: CodecFactory = JsonLines
        self._tls: ssl_module.SSLContext | None = None
        self._questions = who
        self._server: asyncio.AbstractServer | None = None
        self._links: dict[Connection, LinkedClient | None] = {}
        self.address: tuple[str, int] = ("", 0)
        """Where it listens."""

    @classmethod
    async def start(
        cls,
        context: Context,
        name: str,
        address: tuple[str, int],
        *,
        greeting: Welcome,
        questions: Questions,
        token: str = "",
        codec: CodecFactory = JsonLines,
        tls: ssl_module.SSLContext | None = None,
    ) -> CallerLocationServer:
        """Listen at ``address``. Raises TransportError when it can't be bound."""
        server = cls(context, name, greeting, questions)
        server._token, server._make_codec, server._tls = token, codec, tls
        await server.listen(address)
        return server

    async def listen(self, address: tuple[str, int] | None = None) -> None:
        """Listen, at the address of before when none is given. Raises TransportError when it can't be bound."""
        host, port = address or self.address
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(self._protocol, host, port, ssl=self._tls)
        except OSError as error:
            raise TransportError(f"can't listen on {host}:{port}: {error.strerror or error}") from error
        bound = self._server.sockets[0].getsockname()
        self.address = (bound[0], bound[1])

    async def stop(self) -> None:
        """Tell every control room that it ends, and listen no more."""
        await self._shut(lambda connection: connection.stop())

    async def fail(self) -> None:
        """Drop every link without a word and listen no more, as when the machine fails."""
        await self._shut(lambda connection: connection.abort())

    async def _shut(self, end: Callable[[Connection], None]) -> None:
        if self._server is not None:
            self._server.close()
        for connection in tuple(self._links):
            end(connection)
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None

    def _protocol(self) -> asyncio.Protocol:
        if len(self._links) >= MAX_CONNECTIONS:
            return _TurnedAway()
        link = Link(Side.SERVICE, self._make_codec(), self._greeting, token=self._token)
        connection = Connection(
            link,
            up=lambda greeting: self._up(connection, greeting),
            deliver=lambda message: self._take(connection, message),
            down=lambda cause: self._down(connection, cause),
        )
        self._links[connection] = None
        return connection

    def _up(self, connection: Connection, greeting: Hello | Welcome) -> None:
        assert isinstance(greeting, Hello), "a service's link is greeted by a control room"
        client = LinkedClient(f"{greeting.client} at {connection.peer}", connection)
        if len(self._links) > MAX_LINKS:
            connection.send(Refusal(0, Reason.BUSY))
            connection.stop()
            return
        self._links[connection] = client
        self._journal.record(self.name, "location.linked", client=client.name)

    def _take(self, connection: Connection, message: Message) -> None:
        client = self._links.get(connection)
        if client is None:
            return
        match message:
            case Query():
                self._questions.asked(client, message)
            case Release(call):
                self._questions.released(client, call)

    def _down(self, connection: Connection, cause: str) -> None:
        client = self._links.pop(connection, None)
        if client is None:
            self._journal.warn(self.name, "location.turned_away", peer=connection.peer, cause=cause)
            return
        client.up = False
        self._journal.record(self.name, "location.unlinked", client=client.name, cause=cause)
        self._questions.gone(client)


class _TurnedAway(asyncio.Protocol):
    """A connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
