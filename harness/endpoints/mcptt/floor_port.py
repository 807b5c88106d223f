"""One UDP port for floor control with one peer: messages out, messages in, what is odd told and counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from harness.errors import McpttError
from harness.protocols.mcptt.messages import FloorMessage, read_datagram, write_datagram
from harness.transport.context import Context
from harness.transport.tap import Address
from harness.transport.udp import UdpPort, open_udp

MAX_TOLD: Final = 16
"""Odd datagrams and strangers that a port tells of; beyond it they are only counted."""


class FloorPort:
    """The port of one leg of one call. Use `open`."""

    def __init__(self, context: Context, name: str, receive: Callable[[FloorMessage], None]) -> None:
        self.name = name
        """The journal's source."""
        self.peer: Address | None = None
        """Where messages go, and the host that they are taken from; None: nothing is sent or taken."""
        self.malformed = 0
        self.strangers = 0
        self._journal = context.journal
        self._receive = receive
        self._udp: UdpPort

    @classmethod
    async def open(
        cls, context: Context, name: str, receive: Callable[[FloorMessage], None], *, host: str
    ) -> FloorPort:
        """Bind a free port. `receive` is given each message of the peer's. Raises TransportError."""
        port = cls(context, name, receive)
        port._udp = await open_udp((host, 0), port._received, tap=context.tap)
        return port

    @property
    def number(self) -> int:
        """The port that it is bound to."""
        return self._udp.local[1]

    def send(self, *messages: FloorMessage) -> None:
        """Send messages, each in a datagram of its own: not every peer takes several."""
        if self.peer is None:
            return
        for message in messages:
            self._tell("floor.message_sent", message)
            self._udp.send(write_datagram(message), self.peer)

    def close(self) -> None:
        """Close it; again does nothing."""
        self._udp.close()

    def _received(self, data: bytes, source: Address) -> None:
        # The port may be another one: some send floor control from a port that they did not describe.
        if self.peer is None or source[0] != self.peer[0]:
            self.strangers += 1
            if self.strangers <= MAX_TOLD:
                self._journal.warn(self.name, "floor.stranger", remote=f"{source[0]}:{source[1]}")
            return
        try:
            messages = read_datagram(data)
        except McpttError as error:
            self.malformed += 1
            if self.malformed <= MAX_TOLD:
                self._journal.warn(self.name, "floor.malformed", remote=f"{source[0]}:{source[1]}", reason=str(error))
            return
        for message in messages:
            self._tell("floor.message_received", message)
            self._receive(message)

    def _tell(self, kind: str, message: FloorMessage) -> None:
        told: dict[str, Any] = {"message": message.name, "ssrc": message.ssrc}
        for name in ("priority", "cause", "granted_party", "user", "indicator", "sequence"):
            value = getattr(message, name)
            if value is not None and value != "":
                told[name] = int(value) if isinstance(value, int) else value
        if message.queue is not None:
            told["position"] = message.queue.position
        self._journal.append(self.name, kind, told)
