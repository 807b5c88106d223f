"""A UDP port over the running loop, real or virtual, with its traffic tapped."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import cast

from harness.errors import TransportError
from harness.transport.tap import Address, NullTap, Tap
from harness.transport.virtual_loop import VirtualLoop

RECEIVE_BUFFER = 8 * 1024 * 1024
"""Bytes asked of the kernel for a port: bursts of thousands of calls a second fail with its default."""

MAX_OUTGOING = 1_024
"""Datagrams of one turn of the loop that wait for its end; more go out at once."""

Receiver = Callable[[bytes, Address], None]


class UdpPort(asyncio.DatagramProtocol):
    """One bound UDP port: ``send`` puts a datagram out, ``receive`` is called with each that comes in.

    What is sent in one turn of the loop goes out together at its end: under load, waking the peer for each datagram
    costs as much as making it.
    """

    def __init__(self, receive: Receiver, tap: Tap) -> None:
        self._receive = receive
        self._tap: Tap | None = None if isinstance(tap, NullTap) else tap
        self._call_soon = asyncio.get_running_loop().call_soon
        self._outgoing: list[tuple[bytes, Address]] = []
        self._transport: asyncio.DatagramTransport | None = None
        self._unplugged: tuple[asyncio.DatagramTransport, Receiver] | None = None
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
            _widen(sock)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Tap the datagram and hand it on."""
        if len(addr) > 2:
            addr = addr[:2]  # IPv6 adds flow and scope
        if self._tap is not None:
            self._tap.datagram(addr, self.local, data)
        self._receive(data, addr)

    def error_received(self, exc: Exception) -> None:
        """Count it: a peer that is gone is for the protocol's timers to notice."""
        self.errors += 1

    def send(self, data: bytes, to: Address) -> None:
        """Send one datagram; nothing happens once the port is closed."""
        if self._transport is None:
            return
        if self._tap is not None:
            self._tap.datagram(self.local, to, data)
        outgoing = self._outgoing
        if not outgoing:
            self._call_soon(self._flush)
        outgoing.append((data, to))
        if len(outgoing) >= MAX_OUTGOING:
            self._flush()

    def _flush(self) -> None:
        transport = self._transport
        outgoing, self._outgoing = self._outgoing, []
        if transport is not None and not transport.is_closing():
            sendto = transport.sendto
            for data, to in outgoing:
                sendto(data, to)

    def unplug(self, *, out: bool) -> None:
        """Pull the cable, or (not `out`) put it back: meanwhile nothing leaves, and what comes is dropped."""
        if out and self._transport is not None:
            self._flush()
            self._unplugged = self._transport, self._receive
            self._transport, self._receive = None, _drop
        elif not out and self._unplugged is not None:
            self._transport, self._receive = self._unplugged
            self._unplugged = None

    def close(self) -> None:
        """Send what this turn of the loop has sent, and close the port; calling it again does nothing."""
        self.unplug(out=False)
        if self._transport is not None:
            self._flush()
            self._transport.close()
            self._transport = None
        # Who receives has this port to send by: let go, both leave memory at once, a media port's 40 kB too.
        self._receive = _drop


def _drop(_data: bytes, _source: Address) -> None:
    """The receiver of a port whose cable is out, or that is closed."""


def _widen(sock: socket.socket) -> None:
    """Ask for RECEIVE_BUFFER: past the system's limit (net.core.rmem_max) where we are privileged, else up to it."""
    for option in (getattr(socket, "SO_RCVBUFFORCE", 33), socket.SO_RCVBUF):
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, option, RECEIVE_BUFFER)
            return


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


def outward_address(*, six: bool = False) -> str:
    """The address of this machine that others reach: what a port bound to all interfaces is to be called.

    Loopback where there is no route to anywhere, and in virtual time. Nothing is sent to find out.
    """
    loopback, somewhere = ("::1", "2001:db8::1") if six else ("127.0.0.1", "192.0.2.1")
    if isinstance(asyncio.get_running_loop(), VirtualLoop):
        return loopback
    try:
        with socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((somewhere, 9))  # UDP: this only looks up the route
            return str(probe.getsockname()[0])
    except OSError:
        return loopback
