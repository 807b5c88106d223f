"""A UDP port over the running loop, real or virtual, with its traffic tapped."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import cast

from harness.errors import TransportError
from harness.transport.tap import Address, NullTap, Tap

RECEIVE_BUFFER = 8 * 1024 * 1024
"""Bytes asked of the kernel for a port: bursts of 20,000 calls/s fail with its default."""

Receiver = Callable[[bytes, Address], None]


class UdpPort(asyncio.DatagramProtocol):
    """One bound UDP port: ``send`` puts a datagram out, ``receive`` is called with each that comes in."""

    def __init__(self, receive: Receiver, tap: Tap) -> None:
        self._receive = receive
        self._tap: Tap | None = None if isinstance(tap, NullTap) else tap
        self._transport: asyncio.DatagramTransport | None = None
        self.local: Address = ("", 0)
        """The bound address."""
        self.errors = 0
        """Errors the kernel reported, such as ICMP port unreachable."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport and learn the bound address."""
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.local = transport.get_extra_info("sockname")[:2]
        sock = transport.get_extra_info("socket")
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Tap the datagram and hand it on."""
        source = (addr[0], addr[1])
        if self._tap is not None:
            self._tap.datagram(source, self.local, data)
        self._receive(data, source)

    def error_received(self, exc: Exception) -> None:
        """Count it: a peer that is gone is for the protocol's timers to notice."""
        self.errors += 1

    def send(self, data: bytes, to: Address) -> None:
        """Send one datagram; nothing happens once the port is closed."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._tap is not None:
            self._tap.datagram(self.local, to, data)
        self._transport.sendto(data, to)

    def close(self) -> None:
        """Close the port; calling it again does nothing."""
        if self._transport is not None:
            self._transport.close()


async def open_udp(local: Address, receive: Receiver, *, tap: Tap) -> UdpPort:
    """Bind ``local`` (port 0: any free one) and return the port.

    Raises TransportError when the address can't be bound.
    """
    loop = asyncio.get_running_loop()
    try:
        _, port = await loop.create_datagram_endpoint(lambda: UdpPort(receive, tap), local_addr=local)
    except OSError as error:
        raise TransportError(f"can't bind UDP {local[0]}:{local[1]}: {error.strerror or error}") from error
    return port
