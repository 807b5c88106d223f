"""The way by a radio gateway: the ICCS is a control room of one of its radios, by ED-137.

Theory. A radio that is keyed by us says so, with our PTT id; that it has heard us and does not send is PTT mute. One
whose network has us wait for a talker says neither, and its squelch is open: that is a queue. An open squelch is
somebody who talks, whom ED-137 does not name; ours does not count while we have the radio. A radio whose packets (R2S)
stop for as long as was agreed is lost. One that stands by has its session up, and what it receives is not told twice.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final

from harness.endpoints.ed137 import ControlRoom
from harness.endpoints.media import MediaPort, MediaService
from harness.errors import Ed137LocalError, SipLocalError
from harness.protocols.ed137.description import PAYLOAD_TYPES
from harness.protocols.ed137.extension import Layout, Ptt, RadioState
from harness.protocols.ed137.session import Changed, Event, LinkLost, LinkUp
from harness.protocols.ed137.terms import RadioTerms
from harness.protocols.rtp.g711 import CODECS
from harness.protocols.rtp.rtp import RtpPacket
from harness.transport.context import Context
from simulators.iccs.leg import LastWords
from simulators.iccs.talkgroup_ways.lead import A_LAW, Lead
from simulators.iccs.talkgroup_ways.lines import RoipLine
from simulators.iccs.talkgroup_ways.way import Answer, DialPermit, Floor, RadioPermit, RadioUser, nothing_kept
from simulators.reclocked import Reclocked

CALL: Final = 1
"""How reports name the session: it is the only one."""
TOLD_S: Final = 2.0
"""Seconds within which a radio tells that we key it, or that it does not send."""
WAITS_S: Final = 0.3
"""The same where somebody talks: one that has told neither then has us wait."""
GOODBYE_S: Final = 0.5
"""Seconds for the answer to the BYE of a session that is lost."""


class RoipWay:
    """One radio."""

    def __init__(
        self,
        context: Context,
        media: MediaService,
        line: RoipLine,
        permit_radio: RadioPermit,
        permit_dial: DialPermit,
    ) -> None:
        self.port_changed: Callable[[], None] = lambda: None
        self.port_closes: LastWords = nothing_kept
        self._context = context
        self._journal = context.journal
        self._media = media
        self._line = line
        self._permit_radio = permit_radio
        self._permit_dial = permit_dial
        self._terms = RadioTerms(period_ms=line.period_ms, multiplier=line.multiplier)
        self._layout = Layout.OF_2009 if line.layout == 2009 else Layout.OF_2011
        self._lead: Lead | None = None
        self._room: ControlRoom | None = None
        self._lost: str | None = "it was never reached"
        self._works = False
        self._receives = False
        self._pressed = False
        """Whether the radio is to be keyed."""
        self._holds = False
        """Whether it is, by us."""
        self._answer: asyncio.Future[Floor] | None = None
        self._up: asyncio.Future[None] | None = None
        self._clock = Reclocked()

    @property
    def port(self) -> MediaPort | None:
        """The lead to its session."""
        return self._lead.port if self._lead is not None else None

    @property
    def lost(self) -> str | None:
        """Why the radio is taken for lost."""
        return self._lost

    async def start(self) -> None:
        """Lay the lead and bind SIP. Raises MediaError, TransportError."""
        line = self._line
        self._lead = await Lead.open(self._context, self._media, f"iccs {line.name}", self._said)
        self._room = await ControlRoom.open(
            self._context, line.name, uri=line.uri, local=(line.local, 0), permit=self._permit_dial
        )
        self._room.on_event = self._happened
        self._room.on_ended = lambda: self.give_up("the radio has ended the session")

    async def into_service(self, *, works: bool) -> None:
        """Set the session up where it is not, and wait for the radio's packets. Raises HarnessError."""
        room = self._opened()
        if self._lost is not None or not room.is_connected:
            with contextlib.suppress(SipLocalError):  # a radio that has failed need not answer the BYE
                await room.disconnect(within=GOODBYE_S)
            self._clock = Reclocked()
            self._up = asyncio.get_running_loop().create_future()
            held = await room.connect(self._terms, layout=self._layout)
            room.stream.on_speech = self._heard
            try:
                async with asyncio.timeout(held.patience):
                    await self._up
            except TimeoutError:
                raise Ed137LocalError(f"{self._line.uri} sends no packets") from None
            self._lost = None
        self._works = works
        self._settle_squelch()

    async def close(self) -> None:
        """Let the key go, end the session, take the lead up."""
        self._lost = "closed"
        if self._room is not None:
            await self._room.close()
        if self._lead is not None:
            await self._lead.close()

    # PTT

    async def key(self) -> Floor:
        """Key the radio. Raises HarnessError."""
        self._permit_radio("key", self._line.talkgroup, 0)
        room = self._opened()
        self._answer = asyncio.get_running_loop().create_future()
        self._pressed = True
        try:
            room.stream.key(Ptt.NORMAL)
            if self._receives:
                with contextlib.suppress(TimeoutError):
                    return await self._answered(WAITS_S)
                if self._receives:
                    return Floor(CALL, Answer.QUEUED)
            return await self._answered(TOLD_S)
        except TimeoutError:
            self._let_go()
            raise Ed137LocalError(f"the radio did not tell within {TOLD_S:g} s that it is keyed") from None
        except BaseException:
            self._let_go()
            raise

    async def granted(self, call: int, *, within: float) -> Floor:
        """Wait until the radio is keyed. Raises HarnessError."""
        try:
            return await self._answered(within)
        except TimeoutError:
            self._let_go()
            raise Ed137LocalError(f"the radio was not keyed within {within:g} s") from None
        except BaseException:
            self._let_go()
            raise

    async def _answered(self, within: float) -> Floor:
        answer = self._answer
        if answer is None:
            raise Ed137LocalError("the radio is not to be keyed")
        async with asyncio.timeout(within):
            return await asyncio.shield(answer)

    async def unkey(self, call: int | None) -> None:
        """Let the key go."""
        self._let_go()

    def _let_go(self) -> None:
        self._pressed = self._holds = False
        self._opened().unkey()
        self._settle_squelch()

    def texts(self, to: RadioUser) -> bool:
        """Never: ED-137 carries speech and the key alone."""
        return False

    async def send_text(self, to: RadioUser, text: str) -> bool:
        """Never asked: ED-137 carries speech and the key alone. Raises Ed137LocalError."""
        raise Ed137LocalError(f"{self._line.name}: ED-137 has no texts")

    # Whether it is there

    async def is_there(self, *, within: float) -> bool:
        """Whether the radio's packets come: they do all the time, and their loss is told by itself."""
        return self._lost is None

    def give_up(self, why: str) -> None:
        """Take the radio for lost; again does nothing."""
        if self._lost is not None:
            return
        self._lost = why
        self._pressed = self._holds = self._receives = False
        self._refuse(f"the radio is lost: {why}")
        self._journal.warn(self._line.name, "gateway.lost", why=why, uri=self._line.uri)

    def _opened(self) -> ControlRoom:
        if self._room is None:
            raise Ed137LocalError(f"{self._line.name} was not started")
        return self._room

    # What the radio tells

    def _happened(self, event: Event) -> None:
        match event:
            case LinkUp() if self._up is not None and not self._up.done():
                self._up.set_result(None)
            case LinkLost(silent_s):
                self.give_up(f"no packet came from it for {silent_s:.1f} s")
            case Changed(state):
                if self._pressed:
                    self._keyed(state)
                self._settle_squelch()

    def _keyed(self, state: RadioState) -> None:
        """What a radio that is to be keyed says of that."""
        ours = state.ptt is not Ptt.OFF and state.ptt_id == self._opened().stream.said.ptt_id
        if state.ptt_mute:
            why = f"PTT id {state.ptt_id} has the radio" if state.ptt is not Ptt.OFF else "the radio does not send"
        elif ours or not self._holds:
            if ours and self._answer is not None and not self._answer.done():
                self._holds = True
                self._answer.set_result(Floor(CALL, Answer.GRANTED))
            return
        else:
            why = (
                f"PTT id {state.ptt_id} has the radio"
                if state.ptt is not Ptt.OFF
                else "the radio is not keyed any more"
            )
        held = self._holds
        self._let_go()
        self._refuse(why)
        if held:
            self._report("radio.ceased", why=why)

    def _refuse(self, why: str) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Floor(CALL, Answer.REFUSED, why))

    def _settle_squelch(self) -> None:
        """Tell who talks, once it is somebody else and this radio is the one that works the talkgroup."""
        room = self._opened()
        opened = self._lost is None and self._works and room.is_connected and room.stream.heard.squelch
        receives = opened and not self._holds
        if receives != self._receives:
            self._receives = receives
            self._report("radio.talker" if receives else "radio.ceased")

    def _report(self, kind: str, **data: Any) -> None:
        self._journal.record(self._line.name, kind, cc=CALL, **data)

    # Speech

    def _said(self, payload: bytes, due: float, begins: bool) -> None:
        """What the ICCS says goes out while the radio is ours."""
        if not self._holds:
            return
        room = self._opened()
        if room.is_connected:
            codec = CODECS[room.stream.codec]
            coded = payload if codec is A_LAW else codec.encode(A_LAW.decode(payload))
            room.stream.forward(coded, due, marker=begins)

    def _heard(self, packet: RtpPacket) -> None:
        """What the radio receives is heard while it works the talkgroup."""
        if not self._works or self._lead is None:
            return
        codec = PAYLOAD_TYPES.get(packet.payload_type) or CODECS[self._opened().stream.codec]
        payload = packet.payload if codec is A_LAW else A_LAW.encode(codec.decode(packet.payload))
        due, begins = self._clock.due(packet, asyncio.get_running_loop().time())
        self._lead.send(payload, due, marker=begins)
