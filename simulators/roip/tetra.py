"""A radio's TETRA terminal: keying takes the floor of its talkgroup, and who talks there opens the squelch."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from harness.endpoints.pei import TerminalEquipment
from harness.errors import HarnessError, PeiLocalError, RtpError
from harness.journal import Event
from harness.protocols.ed137.extension import Ptt
from harness.protocols.ed137.session import RadioSession, Side
from harness.protocols.ed137.terms import RadioTerms
from harness.protocols.pei.codes import EMERGENCY_CALL_PRIORITY, PRE_EMPTIVE_CALL_PRIORITY, Grant
from harness.protocols.rtp.rtp import RtpPacket
from harness.transport.context import Context
from harness.transport.tap import Address
from harness.transport.udp import UdpPort, open_udp
from simulators.roip.air import A_LAW, FRAME, Hears
from simulators.roip.clock import Reclocked

REOPEN_S: Final = 2.0
"""Seconds between attempts to open the terminal's line again."""
QUEUED_S: Final = 30.0
"""Seconds for which a request that the network has queued is let wait."""
JACK_ALIVE_S: Final = 1.0
"""How often the jack is sent a frame of silence while nothing is said: it sends to whoever sends to it."""
PRIORITIES: Final = {Ptt.PRIORITY: PRE_EMPTIVE_CALL_PRIORITY, Ptt.EMERGENCY: EMERGENCY_CALL_PRIORITY}
"""Call priority by PTT type; others ask with none (decision 0092)."""

Permit = Callable[[str, str, int], None]


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
        self._terminal: TerminalEquipment | None = None
        self._port: UdpPort
        self._out: RadioSession
        self._clock = Reclocked()
        self._in_service = False
        self._wanted = Ptt.OFF
        self._cc: int | None = None
        """The call in which the floor is ours."""
        self._talker = False
        self._changed = asyncio.Event()
        self._forget: Callable[[], None] = lambda: None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, radio: Hears) -> None:
        """Plug into the jack and open the line; one that can't be had is tried again. Raises TransportError."""
        self._radio = radio
        host = "127.0.0.1" if self._line.audio[0].startswith("127.") else "0.0.0.0"  # noqa: S104 - a real jack is elsewhere
        self._port = await open_udp((host, 0), self._heard, tap=self._context.tap)
        self._context.called(self._port.local, self.name)
        self._out = RadioSession(
            Side.ROOM, RadioTerms(extension=False), self._loop.time(), ssrc=self._context.rng.getrandbits(32)
        )
        self._forget = self._journal.subscribe(self._reported)
        await self._bring_up()
        self._tasks = [
            self._loop.create_task(work, name=f"{self.name} {what}")
            for what, work in (("line", self._keep_line()), ("floor", self._floor()), ("jack", self._keep_jack()))
        ]

    async def stop(self) -> None:
        """Let go and close the line."""
        self._forget()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._terminal is not None:
            if self._cc is not None and self._terminal.lost is None:
                with contextlib.suppress(PeiLocalError):
                    await self._terminal.unkey(self._cc)
            self._terminal.close()
        self._port.close()

    # The line

    async def _bring_up(self) -> bool:
        line = self._line
        try:
            if self._terminal is None:
                self._terminal = await TerminalEquipment.open(
                    self._context, self.name, line.serial, baud=line.baud, permit=self._permit
                )
            elif self._terminal.lost is not None:
                await self._terminal.reopen()
                # A floor that was ours when the line went may be held still.
                with contextlib.suppress(PeiLocalError):
                    await self._terminal.hang_up()
            await self._terminal.register_services()
            await self._terminal.select_group(line.gssi)
        except HarnessError as error:
            self._journal.warn(self.name, "terminal.out_of_service", why=str(error))
            return False
        self._in_service = True
        self._journal.record(self.name, "terminal.in_service", gssi=line.gssi)
        return True

    async def _keep_line(self) -> None:
        while True:
            await asyncio.sleep(REOPEN_S)
            if self._terminal is None or self._terminal.lost is not None:
                await self._bring_up()

    # The floor

    def want(self, ptt: Ptt) -> None:
        """Ask for the floor, or with OFF give it back."""
        if ptt is not self._wanted:
            self._wanted = ptt
            self._changed.set()

    @property
    def _is_wanted(self) -> bool:
        return self._wanted is not Ptt.OFF

    async def _floor(self) -> None:
        """Bring what is held to what is wanted, one step after the other."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._is_wanted and self._cc is None:
                await self._take(self._wanted)
            elif not self._is_wanted and self._cc is not None:
                cc, self._cc = self._cc, None
                await self._give(cc)

    async def _take(self, ptt: Ptt) -> None:
        """Ask for the floor until it is given, refused, or not wanted any more: asking is then taken back."""
        asking = self._loop.create_task(self._ask(ptt))
        changed = self._loop.create_task(self._changed.wait())
        try:
            while not asking.done() and self._is_wanted:
                await asyncio.wait((asking, changed), return_when=asyncio.FIRST_COMPLETED)
                if changed.done() and self._is_wanted and not asking.done():
                    self._changed.clear()  # another type of PTT: what is asked for stands
                    changed = self._loop.create_task(self._changed.wait())
        finally:
            changed.cancel()
            if not asking.done():
                asking.cancel()
            await asyncio.gather(asking, changed, return_exceptions=True)
        if asking.cancelled():
            return
        error = asking.exception()
        if isinstance(error, HarnessError):
            self._radio.refused(str(error))
        elif error is not None:
            raise error
        elif not self._is_wanted:
            self._changed.set()  # granted just as it was let go
        else:
            self._radio.granted()

    async def _ask(self, ptt: Ptt) -> None:
        terminal = self._terminal
        if terminal is None or not self._in_service:
            raise PeiLocalError(f"{self.name}: out of service")
        outcome = await terminal.key(self._line.gssi, priority=PRIORITIES.get(ptt, 0))
        if outcome.grant is Grant.QUEUED:
            self._radio.queued()
            outcome = await terminal.granted(outcome.cc, within=QUEUED_S)
        if not outcome.granted:
            raise PeiLocalError(outcome.grant.text + (f"; {outcome.talker} talks" if outcome.talker else ""))
        self._cc = outcome.cc

    async def _give(self, cc: int) -> None:
        if self._terminal is None or self._terminal.lost is not None:
            return
        try:
            await self._terminal.unkey(cc)
        except PeiLocalError as error:
            self._journal.warn(self.name, "terminal.unkey_failed", why=str(error))

    def _lose(self, cc: object, why: str) -> None:
        if self._cc is not None and cc == self._cc:
            self._cc = None
            self._radio.refused(why)

    def _reported(self, event: Event) -> None:
        if event.source != self.name:
            return
        data = event.data
        match event.kind:
            case "radio.talker":
                self._lose(data.get("cc"), f"pre-empted by {data.get('issi')}")
                self._talks(str(data.get("issi")))
            case "radio.ceased":
                self._lose(data.get("cc"), "the network ended the transmission")
                self._talks(None)
            case "radio.released":
                self._lose(data.get("cc"), f"the call was released: {data.get('cause')}")
                self._talks(None)
            case "pei.lost":
                self._in_service = False
                self._lose(self._cc, "the terminal's line is gone")
                self._talks(None)

    def _talks(self, who: str | None) -> None:
        if self._talker or who is not None:
            self._talker = who is not None
            self._radio.receiving(who)

    # The jack

    def send(self, payload: bytes, due: float, *, marker: bool) -> None:
        """Speak into the terminal."""
        if self._cc is not None:
            self._send(payload, due, marker=marker)

    def _send(self, payload: bytes, due: float, *, marker: bool) -> None:
        packet = self._out.speech(A_LAW.payload_type, payload, self._loop.time(), marker=marker, due=due)
        self._port.send(packet.build(), self._line.audio)

    async def _keep_jack(self) -> None:
        silence = bytes((A_LAW.silence,)) * FRAME
        while True:
            if self._cc is None:
                self._send(silence, self._loop.time(), marker=True)
            await asyncio.sleep(JACK_ALIVE_S)

    def _heard(self, data: bytes, source: Address) -> None:
        if source != self._line.audio or not self._talker:
            return
        try:
            packet = RtpPacket.parse(data)
        except RtpError as error:
            self._journal.warn(self.name, "jack.malformed", why=str(error))
            return
        if packet.payload_type == A_LAW.payload_type and packet.payload:
            due, begins = self._clock.due(packet, self._loop.time())
            self._radio.received(packet.payload, due, marker=begins)
