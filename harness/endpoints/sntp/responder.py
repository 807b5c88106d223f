"""Tells a clock to whoever asks by SNTP: one answer to one question, never more bytes than came."""

from __future__ import annotations

from harness.endpoints.sntp.question import Clock
from harness.errors import SntpError, SntpLocalError
from harness.protocols import sntp
from harness.transport.context import Context
from harness.transport.tap import Address
from harness.transport.udp import UdpPort, open_udp

STRATUM = 3
"""What our clocks say of themselves: they follow the machine's, which follows some server."""
REFERENCE = b"LOCL"


class SntpResponder:
    """One clock's port."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._port: UdpPort
        self.unread = 0
        """Datagrams that were no client's question; they get no answer."""

    @classmethod
    async def open(cls, context: Context, address: Address, clock: Clock) -> SntpResponder:
        """Answer at ``address`` (port 0: any that is free). Raises TransportError."""
        responder = cls(clock)
        responder._port = await open_udp(address, responder._asked, tap=context.tap)
        return responder

    @property
    def address(self) -> Address:
        """Where it answers."""
        return self._port.local

    def _asked(self, data: bytes, source: Address) -> None:
        received = self._clock()
        try:
            asked = sntp.decode(data)
            told = sntp.answer(
                asked, received=received, sent=self._clock(), stratum=STRATUM, reference_id=REFERENCE
            ).encode()
        except (SntpError, SntpLocalError):
            self.unread += 1
            return
        self._port.send(told, source)

    def close(self) -> None:
        """Answer no more; again does nothing."""
        self._port.close()
