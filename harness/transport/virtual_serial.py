"""Serial lines of a virtual loop: two ends, delivery timed by the line's speed."""

from __future__ import annotations

from collections.abc import Callable

from harness.errors import TransportError
from harness.transport.virtual_loop import VirtualLoop

BITS_A_BYTE = 10
"""8N1: a start bit, eight data bits, a stop bit."""
BYTES_IN_FLIGHT = 256 * 1024
"""Bytes that may be under way on one line in one direction."""
VIRTUAL_SCHEME = "virtual://"


class VirtualSerialEnd:
    """One end of a virtual line; bytes arrive when a line of ``baud`` would have carried the last of them."""

    def __init__(self, loop: VirtualLoop, url: str, baud: int) -> None:
        self.url = url
        self._loop = loop
        self._baud = baud
        self.peer: VirtualSerialEnd | None = None
        self._receive: Callable[[bytes], None] | None = None
        self._lost: Callable[[str], None] | None = None
        self._busy_until = 0.0
        self._in_flight = 0
        self.open = True

    def attach(self, receive: Callable[[bytes], None], lost: Callable[[str], None]) -> None:
        """Say who takes what arrives, and who is told when the other end vanishes."""
        self._receive, self._lost = receive, lost

    def write(self, data: bytes) -> None:
        """Send bytes; to an end nobody has opened they are lost, as on a real line.

        Raises TransportError when this end is closed.
        """
        if not self.open:
            raise TransportError(f"serial line {self.url} is gone")
        if self._in_flight + len(data) > BYTES_IN_FLIGHT:
            raise TransportError(f"serial line {self.url} takes nothing: {self._in_flight} bytes wait")
        size = len(data)
        self._in_flight += size
        now, free = self._loop.time(), self._busy_until
        self._busy_until = (free if free > now else now) + size * BITS_A_BYTE / self._baud
        self._loop.deliver_at(self._busy_until, self._delivered, bytes(data))

    def _delivered(self, data: bytes) -> None:
        self._in_flight -= len(data)
        peer = self.peer
        if peer is not None and peer.open and peer._receive is not None:
            peer._receive(data)

    def close(self) -> None:
        """Close this end. The equipment's end going takes the line away; the other's leaves it to be opened again."""
        if not self.open:
            return
        self.open = False
        peer, self.peer = self.peer, None
        if self._loop.serial_lines.get(self.url) is self:
            del self._loop.serial_lines[self.url]
            if peer is not None and peer.open and peer._lost is not None:
                peer.open = False
                self._loop.call_soon(peer._lost, "the line is gone")
        elif peer is not None:
            peer.peer = None


def offer_virtual(loop: VirtualLoop, name: str, baud: int) -> VirtualSerialEnd:
    """Make the equipment's end of the line ``virtual://name``. Raises TransportError when the name is taken."""
    url = VIRTUAL_SCHEME + name
    if url in loop.serial_lines:
        raise TransportError(f"serial line {url} exists already")
    end = VirtualSerialEnd(loop, url, baud)
    loop.serial_lines[url] = end
    return end


def join_virtual(loop: VirtualLoop, url: str) -> VirtualSerialEnd:
    """Open the other end of ``url``. Raises TransportError when there is no such line, or it is open already."""
    equipment = loop.serial_lines.get(url)
    if equipment is None:
        raise TransportError(f"there is no serial line {url}")
    if equipment.peer is not None:
        raise TransportError(f"serial line {url} is in use")
    end = VirtualSerialEnd(loop, url, equipment._baud)
    end.peer, equipment.peer = equipment, end
    return end
