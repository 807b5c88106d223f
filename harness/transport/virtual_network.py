"""The virtual network: UDP and TCP between endpoints of one process, with seeded delay, jitter, loss and duplication.

Datagrams are delayed by ``delay_s`` plus up to ``jitter_s``, and lost or doubled with the given probabilities. Streams
are delayed, never lost or reordered. Every buffer has a bound: a stream that is not read pauses its writer as a full
TCP window would.
"""

from __future__ import annotations

import asyncio
import errno
import random
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.transport.virtual_loop import VirtualLoop

Address = tuple[str, int]

FIRST_PORT, LAST_PORT = 20_000, 65_000
"""Ports handed out for port 0."""
STREAM_BUFFER = 256 * 1024
"""Bytes a stream holds for a reader that has paused before its writer is asked to pause."""
DATAGRAMS_IN_FLIGHT = 100_000
"""Datagrams under way at once; more are dropped, as a full router queue would."""


@dataclass(slots=True)
class Impairment:
    """What the network does to datagrams; times in seconds, probabilities from 0 to 1."""

    delay_s: float = 0.0005
    jitter_s: float = 0.0
    loss: float = 0.0
    duplicate: float = 0.0


class VirtualNetwork:
    """Ports of one virtual loop, and what lies between them."""

    def __init__(self, loop: VirtualLoop, rng: random.Random) -> None:
        self._loop = loop
        self._rng = rng
        self.impairment = Impairment()
        """Applies to every datagram sent from now on."""
        self.dropped = 0
        """Datagrams that never arrived: lost, or sent to a port that nobody holds."""
        self._udp: dict[Address, _Datagrams] = {}
        self._tcp: dict[Address, _Server] = {}
        self._next_port = FIRST_PORT
        self._in_flight = 0

    def _bind(self, wanted: Address, taken: dict[Address, Any]) -> Address:
        host, port = wanted
        if port:
            if (host, port) in taken:
                raise OSError(errno.EADDRINUSE, "Address already in use")
            return host, port
        for _ in range(LAST_PORT - FIRST_PORT):
            port = self._next_port
            self._next_port = port + 1 if port < LAST_PORT else FIRST_PORT
            if (host, port) not in taken:
                return host, port
        raise OSError(errno.EADDRINUSE, "no virtual port is free")

    def datagram(self, protocol: asyncio.DatagramProtocol, local: Address, remote: Address | None) -> _Datagrams:
        """Bind a UDP port for ``protocol``."""
        address = self._bind(local, self._udp)
        transport = _Datagrams(self, protocol, address, remote)
        self._udp[address] = transport
        return transport

    def send(self, data: bytes, source: Address, target: Address) -> None:
        """Carry one datagram as the impairment says."""
        now = self.impairment
        if now.loss and self._rng.random() < now.loss:
            self.dropped += 1
            return
        copies = 2 if now.duplicate and self._rng.random() < now.duplicate else 1
        for _ in range(copies):
            if self._in_flight >= DATAGRAMS_IN_FLIGHT:
                self.dropped += 1
                return
            self._in_flight += 1
            delay = now.delay_s + (self._rng.random() * now.jitter_s if now.jitter_s else 0.0)
            self._loop.deliver_at(self._loop.time() + delay, self._arrive, data, source, target)

    def _arrive(self, data: bytes, source: Address, target: Address) -> None:
        self._in_flight -= 1
        port = self._udp.get(target)
        if port is None or port.is_closing():
            self.dropped += 1
            return
        port.protocol.datagram_received(data, source)

    def release(self, address: Address) -> None:
        """Give a UDP port back."""
        self._udp.pop(address, None)

    def listen(self, factory: Callable[[], asyncio.BaseProtocol], host: str, port: int) -> _Server:
        """Listen on a TCP port."""
        address = self._bind((host, port), self._tcp)
        server = _Server(self._tcp, factory, address)
        self._tcp[address] = server
        return server

    async def connect(
        self, factory: Callable[[], asyncio.BaseProtocol], host: str, port: int
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """Connect to a listening TCP port; one delay later both ends are told."""
        await asyncio.sleep(self.impairment.delay_s)
        server = self._tcp.get((host, port))
        if server is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"Connect call failed ('{host}', {port})")
        here = self._bind((host, 0), {})
        near_protocol, far_protocol = factory(), server.factory()
        near = _Stream(self._loop, near_protocol, here, (host, port), self.impairment.delay_s)
        far = _Stream(self._loop, far_protocol, (host, port), here, self.impairment.delay_s)
        near.peer, far.peer = far, near
        far_protocol.connection_made(far)
        near_protocol.connection_made(near)
        return near, near_protocol


class _Datagrams(asyncio.DatagramTransport):
    def __init__(
        self, network: VirtualNetwork, protocol: asyncio.DatagramProtocol, local: Address, remote: Address | None
    ) -> None:
        super().__init__({"sockname": local, "peername": remote, "socket": None})
        self._network = network
        self.protocol = protocol
        self._local = local
        self._remote = remote
        self._closing = False
        protocol.connection_made(self)

    def sendto(self, data: Any, addr: Any = None) -> None:
        target = addr or self._remote
        if not self._closing and target is not None:
            self._network.send(bytes(data), self._local, (target[0], target[1]))

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._network.release(self._local)
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    def abort(self) -> None:
        self.close()


class _Server(asyncio.AbstractServer):
    """Enough of asyncio's server for those who listen through a loop."""

    def __init__(
        self, table: dict[Address, _Server], factory: Callable[[], asyncio.BaseProtocol], address: Address
    ) -> None:
        self._table = table
        self.factory = factory
        self.address = address
        self.sockets = (_NamedSocket(address, None),)
        """Stands for the listening sockets, for those who ask which port was bound."""

    def close(self) -> None:
        self._table.pop(self.address, None)

    def is_serving(self) -> bool:
        return self.address in self._table

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    async def start_serving(self) -> None:
        self._table[self.address] = self

    async def serve_forever(self) -> None:
        await asyncio.get_running_loop().create_future()

    async def wait_closed(self) -> None:
        return


@dataclass(frozen=True, slots=True)
class _NamedSocket:
    """What libraries ask of a connection's socket: who is at each end."""

    local: Address
    remote: Address | None
    family: int = socket.AF_INET
    type: int = socket.SOCK_STREAM

    def getsockname(self) -> Address:
        return self.local

    def getpeername(self) -> Address:
        if self.remote is None:
            raise OSError(errno.ENOTCONN, "not connected")
        return self.remote

    def fileno(self) -> int:
        """Tell that there is none; connection pools then open a new connection for each request."""
        return -1

    def setsockopt(self, level: int, option: int, value: int) -> None:
        """Options of a kernel's socket mean nothing here."""


class _End(Enum):
    """What a stream's end can tell the other."""

    WRITING = 1
    """No more will be written; reading goes on."""
    CONNECTION = 2


class _Stream(asyncio.Transport):
    """One end of a virtual TCP connection."""

    def __init__(
        self,
        loop: VirtualLoop,
        protocol: asyncio.BaseProtocol,
        local: Address,
        remote: Address,
        delay: float,
    ) -> None:
        super().__init__({"sockname": local, "peername": remote, "socket": _NamedSocket(local, remote)})
        self._loop = loop
        self._protocol = protocol
        self._delay = delay
        self.peer: _Stream
        self._closing = False
        self._lost = False
        self._ended = False
        self._reading = True
        self._inbox: deque[bytes | _End] = deque()
        self._unread = 0
        self._writer_paused = False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def write(self, data: Any) -> None:
        if self._closing or self._ended or not data:
            return
        chunk = bytes(data)
        peer = self.peer
        peer._unread += len(chunk)
        if peer._unread > STREAM_BUFFER and not self._writer_paused:
            self._writer_paused = True
            cast(asyncio.Protocol, self._protocol).pause_writing()
        self._loop.deliver_at(self._loop.time() + self._delay, peer._arrive, chunk)

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        self.write(b"".join(list_of_data))

    def _arrive(self, item: bytes | _End) -> None:
        if not self._lost:
            self._inbox.append(item)
            self._drain()

    def _drain(self) -> None:
        """Hand over what has come, in order, for as long as the reader reads."""
        while self._inbox and self._reading and not self._lost:
            item = self._inbox.popleft()
            if item is _End.WRITING:
                if not cast(asyncio.Protocol, self._protocol).eof_received():
                    self.close()
            elif item is _End.CONNECTION:
                if not self._closing:
                    self._closing = True
                    cast(asyncio.Protocol, self._protocol).eof_received()
                    self._loop.call_soon(self._lose)
            else:
                self._hand_over(item)

    def _hand_over(self, chunk: bytes) -> None:
        self._unread -= len(chunk)
        peer = self.peer
        if peer._writer_paused and self._unread <= STREAM_BUFFER // 2:
            peer._writer_paused = False
            cast(asyncio.Protocol, peer._protocol).resume_writing()
        protocol = self._protocol
        if isinstance(protocol, asyncio.BufferedProtocol):
            view = memoryview(chunk)
            while view:
                target = memoryview(protocol.get_buffer(len(view)))
                count = min(len(view), len(target))
                target[:count] = view[:count]
                protocol.buffer_updated(count)
                view = view[count:]
        else:
            cast(asyncio.Protocol, protocol).data_received(chunk)

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        if not self._reading:
            self._reading = True
            self._loop.call_soon(self._drain)

    def is_reading(self) -> bool:
        return self._reading

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        if not self._ended:
            self._ended = True
            self._loop.deliver_at(self._loop.time() + self._delay, self.peer._arrive, _End.WRITING)

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._loop.deliver_at(self._loop.time() + self._delay, self.peer._arrive, _End.CONNECTION)
            self._loop.call_soon(self._lose)

    def _lose(self) -> None:
        if not self._lost:
            self._lost = True
            self._inbox.clear()
            self._protocol.connection_lost(None)

    def abort(self) -> None:
        self.close()

    def get_write_buffer_size(self) -> int:
        return self.peer._unread

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return STREAM_BUFFER // 2, STREAM_BUFFER

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """The bound is the network's own, STREAM_BUFFER."""
