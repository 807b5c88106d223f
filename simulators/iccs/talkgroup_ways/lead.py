"""A lead between a media port and speech that does not come from one: RTP on this machine, A-law, 20 ms a packet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from harness.endpoints.media import MediaPort, MediaService
from harness.errors import RtpError
from harness.protocols.ed137.session import RadioSession, Side
from harness.protocols.ed137.terms import RadioTerms
from harness.protocols.rtp.g711 import CODECS
from harness.protocols.rtp.rtp import RtpPacket
from harness.transport.context import Context
from harness.transport.tap import Address
from harness.transport.udp import UdpPort, open_udp
from simulators.iccs.talkgroup_ways.way import PLAYOUT_MS
from simulators.reclocked import Reclocked

A_LAW: Final = CODECS["PCMA"]
"""What the lead carries."""
HERE: Final = "127.0.0.1"


class Lead:
    """One lead. Use `open`."""

    def __init__(self, context: Context, said: Callable[[bytes, float, bool], None]) -> None:
        self.port: MediaPort
        """The media service's end."""
        self._loop = asyncio.get_running_loop()
        self._said = said
        self._clock = Reclocked()
        self._out = RadioSession(
            Side.ROOM, RadioTerms(extension=False), self._loop.time(), ssrc=context.rng.getrandbits(32)
        )
        self._udp: UdpPort

    @classmethod
    async def open(
        cls, context: Context, media: MediaService, name: str, said: Callable[[bytes, float, bool], None]
    ) -> Lead:
        """Lay it. ``said`` is given each frame that the port sends: A-law, the loop time that it is due, and whether it
        begins a talkspurt. Raises MediaError, TransportError; nothing stays open then.
        """
        lead = cls(context, said)
        lead._udp = await open_udp((HERE, 0), lead._received, tap=context.tap)
        try:
            lead.port = await media.open_port(name, host=HERE, playout_ms=PLAYOUT_MS)
            await lead.port.connect(lead._udp.local, dtmf_payload_type=None, rests=True)
        except BaseException:
            lead._udp.close()
            raise
        return lead

    def send(self, payload: bytes, due: float, *, marker: bool) -> None:
        """Let the port hear a frame."""
        packet = self._out.speech(A_LAW.payload_type, payload, self._loop.time(), marker=marker, due=due)
        self._udp.send(packet.build(), self.port.address)

    async def close(self) -> None:
        """Take it up."""
        await self.port.close()
        self._udp.close()

    def _received(self, data: bytes, source: Address) -> None:
        if source != self.port.address:
            return
        try:
            packet = RtpPacket.parse(data)
        except RtpError:
            return  # somebody on this machine who uses the port's address
        if packet.payload_type == A_LAW.payload_type and packet.payload:
            due, begins = self._clock.due(packet, self._loop.time())
            self._said(packet.payload, due, begins)
