"""A radio's TETRA terminal: keying takes the floor of its talkgroup, and who talks there opens the squelch."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from harness.errors import RtpError
from harness.protocols.ed137.extension import Ptt
from harness.protocols.ed137.session import RadioSession, Side
from harness.protocols.ed137.terms import RadioTerms
from harness.protocols.pei.codes import EMERGENCY_CALL_PRIORITY, PRE_EMPTIVE_CALL_PRIORITY
from harness.protocols.rtp.rtp import RtpPacket
from harness.transport.context import Context
from harness.transport.tap import Address
from harness.transport.udp import UdpPort, open_udp
from simulators.reclocked import Reclocked
from simulators.roip.air import A_LAW, FRAME, Hears
from simulators.talkgroup_terminal import Permit, TalkgroupTerminal

JACK_ALIVE_S: Final = 1.0
"""How often the jack is sent a frame of silence while nothing is said: it sends to whoever sends to it."""
PRIORITIES: Final = {Ptt.PRIORITY: PRE_EMPTIVE_CALL_PRIORITY, Ptt.EMERGENCY: EMERGENCY_CALL_PRIORITY}
"""Call priority by PTT type; others ask with none (decision 0092)."""


@dataclass(frozen=True, slots=True)
class TerminalLine:
    """A TETRA terminal that a radio drives."""

    serial: str
    """As pyserial opens it."""
    baud: int
    audio: Address
    """Its audio jack: RTP, A-law, without an extension."""
    gssi: int


class TetraAir:
    """One terminal on one talkgroup."""

    def __init__(self, context: Context, name: str, line: TerminalLine, permit: Permit | None) -> None:
        self.name = f"{name} terminal"
        """The source of the terminal's events."""
        self._context = context
        self._journal = context.journal
        self._loop = asyncio.get_running_loop()
        self._line = line
        self._permit = permit
        self._radio: Hears
        self._terminal: TalkgroupTerminal
        self._port: UdpPort
        self._out: RadioSession
        self._clock = Reclocked()
        self._jack: asyncio.Task[None]

    async def start(self, radio: Hears) -> None:
        """Plug into the jack and open the line; one that can't be had is tried again. Raises TransportError."""
        self._radio = radio
        host = "127.0.0.1" if self._line.audio[0].startswith("127.") else "0.0.0.0"  # noqa: S104 - a real jack is elsewhere
        self._port = await open_udp((host, 0), self._heard, tap=self._context.tap)
        self._context.called(self._port.local, self.name)
        self._out = RadioSession(
            Side.ROOM, RadioTerms(extension=False), self._loop.time(), ssrc=self._context.rng.getrandbits(32)
        )
        line = self._line
        self._terminal = TalkgroupTerminal(
            self._context,
            self.name,
            serial=line.serial,
            baud=line.baud,
            gssi=line.gssi,
            permit=self._permit,
            user=radio,
        )
        await self._terminal.start()
        self._jack = self._loop.create_task(self._keep_jack(), name=f"{self.name} jack")

    async def stop(self) -> None:
        """Let go and close the line."""
        self._jack.cancel()
        await asyncio.gather(self._jack, return_exceptions=True)
        await self._terminal.stop()
        self._port.close()

    def want(self, ptt: Ptt) -> None:
        """Ask for the floor, or with OFF give it back."""
        self._terminal.want(None if ptt is Ptt.OFF else PRIORITIES.get(ptt, 0))

    # The jack

    def send(self, payload: bytes, due: float, *, marker: bool) -> None:
        """Speak into the terminal."""
        if self._terminal.holds:
            self._send(payload, due, marker=marker)

    def _send(self, payload: bytes, due: float, *, marker: bool) -> None:
        packet = self._out.speech(A_LAW.payload_type, payload, self._loop.time(), marker=marker, due=due)
        self._port.send(packet.build(), self._line.audio)

    async def _keep_jack(self) -> None:
        silence = bytes((A_LAW.silence,)) * FRAME
        while True:
            if not self._terminal.holds:
                self._send(silence, self._loop.time(), marker=True)
            await asyncio.sleep(JACK_ALIVE_S)

    def _heard(self, data: bytes, source: Address) -> None:
        if source != self._line.audio or not self._terminal.hears:
            return
        try:
            packet = RtpPacket.parse(data)
        except RtpError as error:
            self._journal.warn(self.name, "jack.malformed", why=str(error))
            return
        if packet.payload_type == A_LAW.payload_type and packet.payload:
            due, begins = self._clock.due(packet, self._loop.time())
            self._radio.received(packet.payload, due, marker=begins)
