"""TCP and TLS connections over the running loop, real or virtual, with bounds on every wait and buffer, and tapped."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from typing import Final, Protocol, cast

from harness.errors import TransportError
from harness.transport.tap import Address, NullTap, Tap
from harness.transport.tls import TlsPump, TlsSession

CONNECT_S: Final = 5.0
"""Seconds that a connection may take to be made."""
HANDSHAKE_S: Final = 10.0
"""Seconds that a TLS handshake may take; a half-open one is closed then."""
MAX_SHAKING: Final = 256
"""Handshakes under way at one listening port; the oldest is given up for one more."""
PEER_CLOSED: Final = "the peer closed the connection"
"""Why a connection is gone that was closed in order."""
WRITE_LIMIT: Final = 1024 * 1024
"""Bytes that wait for a peer that reads nothing; the connection is given up then."""


class StreamOwner(Protocol):
    """Whom a connection tells what happens to it."""

    def opened(self, connection: StreamConnection) -> None:
        """It can be used: connected, and with TLS the handshake is over."""

    def received(self, connection: StreamConnection, data: bytes) -> None:
        """Bytes came; of TLS the plain text."""

    def lost(self, connection: StreamConnection, why: str) -> None:
        """It is gone, or never came about; told once, unless our side closed it."""


class StreamConnection(asyncio.Protocol):
    """One TCP or TLS connection."""

    def __init__(
        self, owner: StreamOwner, tap: Tap, tls: ssl.SSLContext | None, *, server_side: bool, server_name: str = ""
    ) -> None:
        self.local: Address = ("", 0)
        """Our end."""
        self.peer: Address = ("", 0)
        """The other end."""
        self._owner = owner
        self._tap: Tap | None = None if isinstance(tap, NullTap) else tap
        self._tls = TlsPump(tls, server_side=server_side, server_name=server_name) if tls is not None else None
        self._transport: asyncio.Transport | None = None
        self._shaking: asyncio.TimerHandle | None = None
        self._closed = False
        self._settled: Callable[[StreamConnection], None] | None = None

    @property
    def session(self) -> TlsSession | None:
        """What TLS settled; None without TLS, or before the handshake is over."""
        return self._tls.session if self._tls is not None else None

    @property
    def is_open(self) -> bool:
        """Whether bytes can be sent."""
        return not self._closed and self._transport is not None and (self._tls is None or self._tls.session is not None)

    def on_settled(self, told: Callable[[StreamConnection], None]) -> None:
        """Call `told` once, when the connection is open or gone, whichever is first; for those who count handshakes."""
        self._settled = told

    def send(self, data: bytes) -> None:
        """Send bytes, once `opened`; nothing happens once the connection is gone. A peer that reads nothing loses it.

        Raises TransportError while the TLS handshake is under way.
        """
        transport = self._transport
        if self._closed or transport is None:
            return
        if self._tls is None:
            self._told(data, sent=True)
            self._write(data)
        elif self._tls.session is not None:
            self._told(data, sent=True)
            self._write(self._tls.send(data))
        else:
            raise TransportError(f"the TLS handshake with {self.peer[0]}:{self.peer[1]} is not over")
        if transport.get_write_buffer_size() > WRITE_LIMIT:
            self._gone(f"the peer leaves more than {WRITE_LIMIT} bytes unread")

    def pause(self, *, paused: bool) -> None:
        """Leave what comes with the system, whose buffers are bounded, or (not `paused`) take it again."""
        if self._transport is not None and not self._closed:
            (self._transport.pause_reading if paused else self._transport.resume_reading)()

    def close(self) -> None:
        """Send what waits, then close; the owner is not told. Calling it again does nothing."""
        if not self._closed:
            if self._tls is not None and self._tls.session is not None:
                self._write(self._tls.finish())
            self._end()

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there; with TLS the handshake begins."""
        self._transport = cast(asyncio.Transport, transport)
        self.local = transport.get_extra_info("sockname")[:2]
        self.peer = transport.get_extra_info("peername")[:2]
        if self._tls is None:
            self._open()
            return
        self._shaking = asyncio.get_running_loop().call_later(HANDSHAKE_S, self._give_up_shaking)
        self._write(self._tls.start())

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if self._closed:
            return
        if self._tls is None:
            self._told(data, sent=False)
            self._owner.received(self, data)
            return
        shaking = self._tls.session is None
        try:
            plain, reply = self._tls.receive(data)
        except TransportError as error:
            self._write(self._tls.alert())
            self._gone(str(error))
            return
        self._write(reply)
        if shaking and self._tls.session is not None:
            self._open()
        if plain and not self._closed:
            self._told(plain, sent=False)
            self._owner.received(self, plain)

    def eof_received(self) -> bool:
        """The peer sends no more; the connection is closed."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._gone(str(exc) if exc is not None else PEER_CLOSED)

    # Our side

    def _open(self) -> None:
        if self._shaking is not None:
            self._shaking.cancel()
            self._shaking = None
        self._settle()
        self._owner.opened(self)

    def _give_up_shaking(self) -> None:
        self._gone(f"no TLS handshake within {HANDSHAKE_S:g} s")

    def give_up(self, why: str) -> None:
        """Drop the connection at once and tell the owner."""
        self._gone(why)

    def _told(self, data: bytes, *, sent: bool) -> None:
        if self._tap is not None:
            self._tap.stream(self.local, self.peer, data, sent=sent, secured=self._tls is not None)

    def _write(self, data: bytes) -> None:
        if data and self._transport is not None and not self._closed:
            self._transport.write(data)

    def _gone(self, why: str) -> None:
        if not self._closed:
            self._end()
            # Never from within a call of the owner's own, such as `send`.
            asyncio.get_running_loop().call_soon(self._owner.lost, self, why)

    def _end(self) -> None:
        self._closed = True
        if self._shaking is not None:
            self._shaking.cancel()
            self._shaking = None
        if self._transport is not None:
            self._transport.close()
        self._settle()

    def _settle(self) -> None:
        told, self._settled = self._settled, None
        if told is not None:
            told(self)


async def connect_stream(
    address: Address, owner: StreamOwner, *, tap: Tap, tls: ssl.SSLContext | None = None, server_name: str = ""
) -> StreamConnection:
    """Connect to `address`, whose host may be a name; with TLS the handshake is still under way when this returns.

    `server_name`: whom the peer's certificate must name (the host by default). Raises TransportError.
    """
    host, port = address
    loop = asyncio.get_running_loop()

    def make() -> StreamConnection:
        return StreamConnection(owner, tap, tls, server_side=False, server_name=server_name or host)

    try:
        async with asyncio.timeout(CONNECT_S):
            _, connection = await loop.create_connection(make, host, port)
    except TimeoutError:
        raise TransportError(f"no connection to {host}:{port} within {CONNECT_S:g} s") from None
    except OSError as error:
        raise TransportError(f"can't connect to {host}:{port}: {error.strerror or error}") from error
    return connection


class StreamListener:
    """One listening TCP or TLS port; see `listen_stream`."""

    def __init__(self, accept: Callable[[], StreamOwner], tap: Tap, tls: ssl.SSLContext | None) -> None:
        self._accept = accept
        self._tap = tap
        self._tls = tls
        self._shaking: dict[StreamConnection, None] = {}
        self.server: asyncio.AbstractServer | None = None

    @property
    def local(self) -> Address:
        """The bound address."""
        host, port = cast(asyncio.Server, self.server).sockets[0].getsockname()[:2]
        return str(host), int(port)

    def close(self) -> None:
        """Take no more connections; those that are up go on."""
        if self.server is not None:
            self.server.close()
        for connection in tuple(self._shaking):
            connection.close()

    def take(self) -> StreamConnection:
        """A connection's protocol, for the server."""
        connection = StreamConnection(self._accept(), self._tap, self._tls, server_side=True)
        if self._tls is not None:
            self._shaking[connection] = None
            connection.on_settled(self._settled)
            if len(self._shaking) > MAX_SHAKING:
                next(iter(self._shaking)).give_up(f"{MAX_SHAKING} TLS handshakes are under way")
        return connection

    def _settled(self, connection: StreamConnection) -> None:
        with contextlib.suppress(KeyError):
            del self._shaking[connection]


async def listen_stream(
    local: Address, accept: Callable[[], StreamOwner], *, tap: Tap, tls: ssl.SSLContext | None = None
) -> StreamListener:
    """Listen on `local` (port 0: any free one); `accept` gives each new connection its owner. Raises TransportError."""
    listener = StreamListener(accept, tap, tls)
    try:
        listener.server = await asyncio.get_running_loop().create_server(listener.take, local[0], local[1])
    except OSError as error:
        raise TransportError(f"can't bind TCP {local[0]}:{local[1]}: {error.strerror or error}") from error
    return listener
