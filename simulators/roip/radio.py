"""One radio: its sessions with control rooms, who of them has it, and what each is told."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from harness.endpoints.ed137 import Offered, RadioStream, accept
from harness.errors import Ed137Error, HarnessError, SipLocalError
from harness.protocols.ed137.extension import Layout, Ptt, RadioState
from harness.protocols.ed137.features import SignalQuality
from harness.protocols.ed137.session import Changed, Delays, Event
from harness.protocols.ed137.terms import Direction, RadioTerms
from harness.protocols.rtp.g711 import CODECS
from harness.protocols.rtp.rtp import RtpPacket
from harness.transport.context import Context
from simulators.reclocked import Reclocked
from simulators.roip.air import A_LAW, Air
from simulators.roip.arbitration import Arbitration
from simulators.roip.faults import SILENT, Fault, altered, wrong
from simulators.roip.settings import MAX_SESSIONS, RadioSettings, RoipSettings

LAYOUTS: Final = {2009: Layout.OF_2009, 2011: Layout.OF_2011}


@dataclass(slots=True, eq=False)
class _Session:
    ptt_id: int
    stream: RadioStream
    offered: Offered
    clock: Reclocked


class Radio:
    """One radio of a gateway.

    Events, under ``<gateway>.<radio>``: ``session.opened`` {ptt_id}, ``session.ended`` {ptt_id}, ``ptt.won``
    {ptt_id, ptt}, ``ptt.on_air``, ``ptt.queued``, ``ptt.refused`` {why}, ``ptt.off``, ``squelch.opened`` {talker},
    ``squelch.closed``, ``radio.fault``, ``radio.well``; its sessions' under ``<gateway>.<radio> <ptt-id>``.
    """

    def __init__(self, context: Context, gateway: str, settings: RadioSettings, common: RoipSettings, air: Air) -> None:
        self.name = f"{gateway}.{settings.name}"
        self.settings = settings
        self.air = air
        self._common = common
        self._context = context
        self._journal = context.journal
        self._loop = asyncio.get_running_loop()
        self._layout = LAYOUTS[common.layout]
        self._sessions: dict[int, _Session] = {}
        """By PTT id; at most as many as the settings allow."""
        self._opening: set[int] = set()
        self._claims = Arbitration()
        self._winner: tuple[int, Ptt] | None = None
        self._on_air = False
        self._talker: str | None = None
        self._fault: Fault | None = None
        self._fault_ends: asyncio.TimerHandle | None = None
        self._slow_s = 0.0
        self._tells: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Begin. Raises HarnessError."""
        await self.air.start(self)

    async def stop(self) -> None:
        """End every session's packets, and the air."""
        for timer in (self._fault_ends, self._tells):
            if timer is not None:
                timer.cancel()
        for session in self._sessions.values():
            session.stream.close()
        self._sessions.clear()
        await self.air.stop()

    # Sessions

    async def invited(self, offered: Offered) -> None:
        """Take a session, or refuse it: 503 while the radio has failed, 486 with all ids given, 488 for its terms."""
        call = offered.call
        free = next(
            (
                each
                for each in range(1, self.settings.sessions + 1)
                if each not in self._sessions and each not in self._opening
            ),
            None,
        )
        if self._fault is Fault.DOWN:
            call.reject(503)
            return
        if free is None:
            call.reject(486, "All PTT ids are given")
            return
        for text in offered.findings:
            self._journal.warn(self.name, "radio.finding", text=text)
        terms = RadioTerms(
            period_ms=self._common.period_ms,
            multiplier=self._common.multiplier,
            ptt_id=free,
            direction=offered.terms.direction,
            ptt_report=offered.terms.ptt_report,
            extension=offered.terms.extension,
            frequency=offered.terms.frequency,
        )
        delays = Delays(self._common.jitter_buffer_ms / 1000, self._common.inside_ms / 1000)
        self._opening.add(free)
        try:
            stream = await accept(
                self._context,
                f"{self.name} {free}",
                offered,
                terms,
                host=self._common.host,
                layout=self._layout,
                delays=delays,
                port=self._rtp_port(free),
            )
        except SipLocalError as error:  # the caller has gone
            self._journal.warn(self.name, "session.failed", why=str(error))
            return
        except HarnessError as error:
            self._journal.warn(self.name, "session.failed", why=str(error))
            call.reject(488 if isinstance(error, Ed137Error) else 500)
            return
        finally:
            self._opening.discard(free)
        session = _Session(free, stream, offered, Reclocked())
        self._sessions[free] = session
        stream.on_event = lambda event: self._happened(session, event)
        stream.on_speech = lambda packet: self._said(session, packet)
        stream.silent = self._fault in SILENT
        stream.alter = lambda packet: altered(self._fault, packet)
        call.on_change(lambda _call, what: self._ended(session) if what == "ended" else None)
        self._journal.record(self.name, "session.opened", ptt_id=free)
        if call.is_over:
            self._ended(session)
        self._tell()

    def _rtp_port(self, ptt_id: int) -> int:
        first = self._common.rtp_first_port
        number = self._common.radios.index(self.settings) * MAX_SESSIONS + ptt_id - 1
        return first + 2 * number if first else 0

    def _ended(self, session: _Session) -> None:
        if self._sessions.pop(session.ptt_id, None) is not None:
            session.stream.close()
            self._journal.record(self.name, "session.ended", ptt_id=session.ptt_id)
            self._claims.heard(session.ptt_id, Ptt.OFF)
            self._settle()

    def hang_up(self) -> int:
        """End every session by BYE, as a radio that is taken out of service; returns how many."""
        calls = [session.offered.call for session in self._sessions.values()]
        for call in calls:
            call.hang_up()
        return len(calls)

    # PTT

    def _happened(self, session: _Session, event: Event) -> None:
        if not isinstance(event, Changed):
            return
        # A link that is lost is heard as PTT off, so that no stuck session holds the radio.
        ptt = Ptt.OFF if session.offered.terms.direction is Direction.RECEIVE else event.state.ptt
        self._claims.heard(session.ptt_id, ptt)
        self._settle()

    def _settle(self) -> None:
        """Give the radio to whom it is due, and tell everybody."""
        best = self._claims.winner
        winner = None if best is None else (best.ptt_id, best.ptt)
        if winner != self._winner:
            self._winner = winner
            if winner is None:
                self._on_air = False
                self._journal.record(self.name, "ptt.off")
            else:
                self._journal.record(self.name, "ptt.won", ptt_id=winner[0], ptt=winner[1].name.lower())
            self.air.want(Ptt.OFF if winner is None else winner[1])
        self._tell()

    def granted(self) -> None:
        """The air is keyed."""
        self._on_air = True
        self._journal.record(self.name, "ptt.on_air")
        self._tell()

    def queued(self) -> None:
        """The air waits for another to stop."""
        self._journal.record(self.name, "ptt.queued")

    def refused(self, why: str) -> None:
        """The air is not keyed, or no longer."""
        self._journal.record(self.name, "ptt.refused", why=why)
        self._on_air = False
        self._claims.refuse()
        self._settle()

    # What each session is told

    def _tell(self) -> None:
        if self._fault is not Fault.SLOW:
            self._tell_now()
        elif self._tells is None:
            self._tells = self._loop.call_later(self._slow_s, self._tell_now)

    def _tell_now(self) -> None:
        self._tells = None
        for session in self._sessions.values():
            session.stream.say(self._state_for(session))

    def _state_for(self, session: _Session) -> RadioState:
        winner = self._winner if self._on_air else None
        mine = self._winner is not None and self._winner[0] == session.ptt_id
        muted = self._claims.keys(session.ptt_id) and not mine and self._layout is Layout.OF_2011
        own = 0 if winner is None else winner[0]
        return RadioState(
            ptt=Ptt.OFF if winner is None else winner[1],
            ptt_id=wrong(own, self._layout) if own and self._fault is Fault.WRONG_ID else own,
            ptt_mute=muted,
            squelch=self._talker is not None,
            features=(SignalQuality(self.settings.quality),) if self._talker is not None else (),
        )

    # Speech

    def _said(self, session: _Session, packet: RtpPacket) -> None:
        """A session's speech goes on air where it has the radio."""
        if self._fault is Fault.DOWN or self._winner is None or self._winner[0] != session.ptt_id or not self._on_air:
            return
        codec = CODECS[session.stream.codec]
        payload = packet.payload if codec is A_LAW else A_LAW.encode(codec.decode(packet.payload))
        due, begins = session.clock.due(packet, self._loop.time())
        self.air.send(payload, due, marker=begins)

    def receiving(self, talker: str | None) -> None:
        """Somebody talks on the air, or nobody does: the squelch."""
        if talker == self._talker:
            return
        self._talker = talker
        if talker is None:
            self._journal.record(self.name, "squelch.closed")
        else:
            self._journal.record(self.name, "squelch.opened", talker=talker)
        self._tell()

    def received(self, payload: bytes, due: float, *, marker: bool) -> None:
        """A frame from the air goes to every session that may hear."""
        if self._talker is None:
            return
        for session in self._sessions.values():
            if session.offered.terms.direction is Direction.TRANSMIT:
                continue
            codec = CODECS[session.stream.codec]
            coded = payload if codec is A_LAW else codec.encode(A_LAW.decode(payload))
            session.stream.forward(coded, due, marker=marker)

    # Faults

    def set_fault(self, fault: Fault | None, *, seconds: float = 1.0, for_s: float | None = None) -> None:
        """Begin a fault in place of one that is on, or end it; `seconds`: of SLOW; `for_s`: it ends by itself then."""
        if self._fault_ends is not None:
            self._fault_ends.cancel()
            self._fault_ends = None
        self._fault, self._slow_s = fault, seconds
        if fault is None:
            self._journal.record(self.name, "radio.well")
        else:
            self._journal.record(self.name, "radio.fault", fault=fault.value)
        if fault is not Fault.SLOW and self._tells is not None:
            self._tells.cancel()
            self._tells = None
        for session in self._sessions.values():
            session.stream.silent = fault in SILENT
        if fault is Fault.DOWN:
            for ptt_id in self._sessions:
                self._claims.heard(ptt_id, Ptt.OFF)
            self._settle()
        self._tell()
        if fault is not None and for_s is not None:
            self._fault_ends = self._loop.call_later(for_s, lambda: self.set_fault(None))

    def status(self) -> dict[str, Any]:
        """What is going on."""
        return {
            "talkgroup": self.settings.talkgroup,
            "frequency": self.settings.frequency,
            "sessions": {
                str(each.ptt_id): {
                    "up": each.stream.is_up,
                    "ptt": each.stream.heard.ptt.name.lower(),
                    "muted": each.stream.said.ptt_mute,
                }
                for each in self._sessions.values()
            },
            "keyed_by": None if self._winner is None else self._winner[0],
            "on_air": self._on_air,
            "talker": self._talker,
            "fault": None if self._fault is None else self._fault.value,
        }
