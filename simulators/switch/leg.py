"""A leg: one SIP dialog between the switch and a telephone or trunk peer, with the speech that belongs to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final

from harness.endpoints.media import PortStats
from harness.endpoints.rtp_figures import stat_of
from harness.endpoints.sip.call import Call
from harness.endpoints.sip.exchange import Exchange
from harness.endpoints.sip.incoming import UNANSWERED, IncomingCall
from harness.errors import HarnessError, MediaError, SdpError, SipLocalError, SipRemoteError
from harness.protocols.sip import dtmf_info, q850
from harness.protocols.sip.message import Request
from harness.protocols.sip.reason import HEADER as REASON
from harness.protocols.sip.reason import Reason
from harness.protocols.sip.rtp_stat import HEADER as RTP_STAT
from simulators.switch.ends import End, LineEnd, TrunkEnd, Who
from simulators.switch.joining import Joined, LegState, PassedThrough
from simulators.switch.speech import Speech

if TYPE_CHECKING:
    from simulators.switch.call import SwitchCall
    from simulators.switch.core import Core

MAX_KEYS: Final = 64
"""Keys that wait to be sent on one leg; more are dropped."""
KEY_WITHIN_S: Final = 5.0
"""Seconds within which an INFO with a key is answered."""
Headers = Sequence[tuple[str, str]]


class Leg:
    """One leg."""

    sip: Call
    """Its dialog; there once it was attached."""

    def __init__(self, core: Core, number: int, end: End, who: Who) -> None:
        """`who`: the one at its far end."""
        self.core = core
        self.number = number
        """Its number in call records."""
        self.id = f"leg-{number}"
        self.end = end
        self.who = who
        self.speech: Speech | None = None
        """None until it is opened, and where it is passed through."""
        self.call: SwitchCall | None = None
        self.joined: Joined | None = None
        self.passing: PassedThrough | None = None
        """What relays its session descriptions, where its speech does not go by the switch."""
        self.state = LegState.PLACED
        self.ordered_hold = False
        """Whether it was told by the control interface to hold."""
        self.began = core.now()
        self.answered: float | None = None
        self.ended: float | None = None
        self.cause = 0
        """Why this end cleared the call, as call records tell it; 0 where it did not."""
        self.on_progress: Callable[[Leg, str], None] | None = None
        """Told of ringing, progress, answered and ended while it is being called."""
        self.content: Callable[[bytes], tuple[bytes, str]] | None = None
        """What its INVITE carries for an offer: a body and its type, with a location beside it."""
        self.before_close: Callable[[], Awaitable[None]] | None = None
        """Done before its port is closed: what was recorded is taken out of it."""
        self._keys = asyncio.Lock()
        self._waiting_keys = 0
        self._our_offer_open = False
        self._body = b""
        self._finishing = False

    def __str__(self) -> str:
        return f"{self.core.name} {self.id}"

    async def discard(self) -> None:
        """Let go of a leg that never came to be."""
        if self.speech is not None:
            await self.speech.close()
            self.core.by_port.pop(str(self), None)

    def attach(self, sip: Call) -> None:
        """Take a dialog."""
        self.sip = sip
        if isinstance(sip, IncomingCall):
            self.state = LegState.OFFERED
        sip.on_offer(self._offered)
        sip.on_info = self._informed
        sip.bye_headers = self._bye_headers
        sip.taken_over = {"BYE": self._bye}
        sip.on_change(self._changed)

    # What it is

    @property
    def is_incoming(self) -> bool:
        """Whether they called us."""
        return isinstance(self.sip, IncomingCall)

    @property
    def is_up(self) -> bool:
        """Whether it was answered and is not over."""
        return self.state is LegState.UP

    @property
    def is_over(self) -> bool:
        """Whether it is over."""
        return self.state is LegState.OVER

    @property
    def holds(self) -> bool:
        """Whether its end has put whom it speaks to on hold."""
        return self.ordered_hold or (self.speech is not None and self.speech.is_held)

    # Speech

    async def open_speech(self) -> Speech:
        """Open its port. Raises MediaError, SdpLocalError."""
        if self.speech is None:
            core = self.core
            self.speech = await Speech.open(core.context, core.media, str(self), core.settings.host, self.end.wants)
            self.speech.signalled_from = lambda: self.sip.signalled_from if self.sip is not None else None
            core.by_port[str(self)] = self
        return self.speech

    async def accept(self, headers: Headers = ()) -> None:
        """Answer them. Raises SdpError where nothing is agreed, MediaError, SipLocalError where it is too late."""
        if self.state is not LegState.OFFERED:
            return
        sip = self.sip
        assert isinstance(sip, IncomingCall)
        body = await self._described()
        self.state = LegState.UP
        self.answered = self.core.now()
        sip.answer(body, headers)

    async def ring_with_speech(self, status: int, headers: Headers) -> None:
        """Ring with early media, where they offered. Raises as `accept`."""
        sip = self.sip
        assert isinstance(sip, IncomingCall)
        if not sip.offered:
            sip.ring(headers=headers)
            return
        body = await self._described()
        if sip.state in UNANSWERED:
            sip.ring(status, sdp=body, headers=headers, reliable=self._rings_reliably)

    @property
    def _rings_reliably(self) -> bool | None:
        if not isinstance(self.end, TrunkEnd) or self.end.trunk.settings.reliable is None:
            return None
        wanted = self.end.trunk.settings.reliable
        return wanted and "100rel" in (self.sip.request.options("supported") | self.sip.request.options("require"))

    async def _described(self) -> bytes:
        """Our description, answer or offer, with the port connected as far as it can be."""
        speech = await self.open_speech()
        if not self._body:
            if self.sip.remote_sdp:
                self._body = speech.answer(self.sip.remote_sdp)
                await speech.apply()
            else:
                self._body = speech.session.offer()
                self._our_offer_open = True
        return self._body

    def _offered(self, _sip: Call, offer: bytes) -> bytes:
        """A later offer of theirs, or their wish that we make one. Raises SdpError."""
        speech = self.speech
        if speech is None:
            return self._body or self.sip.local_sdp
        if not offer:
            self._our_offer_open = True
            return speech.session.offer()
        body = speech.answer(offer)
        self.core.spawn(self._agreed_anew())
        return body

    async def _agreed_anew(self) -> None:
        speech = self.speech
        if speech is None or self.is_over:
            return
        await speech.apply()
        agreed = speech.agreed
        self.core.journal.record(
            str(self),
            "leg.agreed",
            codec=agreed.codec if agreed else None,
            held=speech.is_held,
            secured=speech.is_secured,
        )
        if self.joined is not None:
            self.joined.changed(self)

    async def offer_anew(self, *, within: float = 8.0) -> None:
        """Offer them our speech as it is to be now (re-INVITE). Raises SipLocalError, SdpError, MediaError."""
        speech = await self.open_speech()
        offer = speech.session.offer()
        try:
            answer = await self.sip.session.offer(offer, within=within)
            speech.take_answer(answer)
        except (SipLocalError, SdpError):
            speech.session.withdraw()
            raise
        await self._agreed_anew()

    # What happens

    def _changed(self, sip: Call, what: str) -> None:
        if what == "ringing" and self.state is LegState.PLACED:
            self.state = LegState.RINGING
        elif what == "answered" and self.state in (LegState.PLACED, LegState.RINGING):
            self.state = LegState.UP
            self.answered = self.core.now()
        elif what == "confirmed" and self._our_offer_open:
            self._our_offer_open = False
            self.core.spawn(self._answered_late())
        if self.on_progress is not None:
            self.on_progress(self, what)
        if what == "ended":
            self._is_over()

    async def _answered_late(self) -> None:
        speech = self.speech
        if speech is None:
            return
        try:
            speech.take_answer(self.sip.remote_sdp)
        except SdpError as error:
            self.core.journal.warn(str(self), "leg.not_agreed", reason=str(error))
            self.hang_up(status=488)
            return
        await self._agreed_anew()

    def _informed(self, _sip: Call, request: Request) -> int:
        if request.content_type not in (dtmf_info.DTMF_RELAY, dtmf_info.DTMF):
            return 415 if request.body else 200
        try:
            key = dtmf_info.parse(request.content_type, request.body)
        except SipRemoteError:
            return 400
        self.key_heard(key.key)
        return 200

    def key_heard(self, digit: str) -> None:
        """A key was pressed at its far end."""
        self.core.journal.record(str(self), "leg.key", digit=digit)
        if self.joined is not None and digit != dtmf_info.FLASH:
            self.joined.key(self, digit)

    def send_key(self, digit: str) -> None:
        """Have their far end hear a key, after those that wait."""
        if self._waiting_keys >= MAX_KEYS:
            self.core.journal.warn(str(self), "leg.too_many_keys", most=MAX_KEYS)
            return
        self._waiting_keys += 1
        self.core.spawn(self._send_key(digit))

    async def _send_key(self, digit: str) -> None:
        try:
            async with self._keys:
                speech, wanted = self.speech, self.end.wants.dtmf
                agreed = speech.agreed if speech is not None else None
                events = agreed is not None and agreed.dtmf_payload_type is not None and agreed.sends
                if speech is not None and events and wanted != "info":
                    await speech.port.send_dtmf(digit)
                elif not self.is_over:
                    await self.sip.send(
                        "INFO",
                        content=dtmf_info.build(digit),
                        content_type=dtmf_info.DTMF_RELAY,
                        within=KEY_WITHIN_S,
                    )
        except (MediaError, SipLocalError) as error:
            self.core.journal.warn(str(self), "leg.key_not_sent", digit=digit, reason=str(error))
        finally:
            self._waiting_keys -= 1

    # Ending

    def hang_up(self, *, status: int = 480, cause: int = q850.NORMAL_CLEARING, text: str = "") -> None:
        """End it: `status` refuses an unanswered caller, `cause` (Q.850) says why otherwise. Over already: nothing."""
        if self.is_over or self._finishing:
            return
        headers = [(REASON, str(Reason("SIP", 200, text) if text else Reason.of_q850(cause)))]
        if self.is_up and self.speech is not None:
            self._finishing = True
            self.core.spawn(self._hang_up(headers))
        elif self.state is LegState.OFFERED:
            assert isinstance(self.sip, IncomingCall)
            if self.sip.state in UNANSWERED:
                self.sip.reject(status, headers=headers)
        else:
            self.sip.hang_up(headers)

    async def _hang_up(self, headers: Headers) -> None:
        await self._close_speech()  # so that the BYE can tell what there was
        self.sip.hang_up(headers)

    def _bye(self, sip: Call, request: Request, exchange: Exchange) -> None:
        """Their BYE: its answer tells what there was."""
        self.core.spawn(self._bye_answered(request, exchange))

    async def _bye_answered(self, request: Request, exchange: Exchange) -> None:
        self.cause = self.cause or q850.NORMAL_CLEARING
        await self._close_speech()
        exchange.respond(request.response(200, headers=self._bye_headers()))
        self.sip.peer_hung_up(request)

    async def _close_speech(self) -> PortStats | None:
        if self.speech is None:
            return None
        before, self.before_close = self.before_close, None
        if before is not None:
            await before()
        return await self.speech.close()

    def _bye_headers(self) -> Headers:
        if not (isinstance(self.end, TrunkEnd) and self.end.trunk.settings.rtp_stat):
            return ()
        stats = self.speech.stats if self.speech is not None else None
        if stats is None:
            return ()
        return [(RTP_STAT, stat_of(stats, self.duration).value())]

    @property
    def duration(self) -> float:
        """Seconds for which it was up."""
        if self.answered is None:
            return 0.0
        return (self.core.now() if self.ended is None else self.ended) - self.answered

    def _is_over(self) -> None:
        if self.is_over:
            return
        was_up = self.is_up
        self.state = LegState.OVER
        self.ended = self.core.now()
        self.core.leg_over(self)
        self.core.spawn(self._finish(was_up=was_up))

    async def _finish(self, *, was_up: bool) -> None:
        """Let go of its port and write down what there was."""
        stats = await self._close_speech()
        self.core.by_port.pop(str(self), None)
        if was_up:
            self.core.media_ended(self, stats)

    @property
    def line(self) -> LineEnd | None:
        """Its far end, where that is a line."""
        return self.end if isinstance(self.end, LineEnd) else None


async def anchored(leg: Leg) -> Leg:
    """See to it that a leg's speech goes by the switch. Raises HarnessError where its end will not have it."""
    if leg.passing is not None:
        passing, leg.passing = leg.passing, None
        try:
            await passing.anchor(leg)
        except HarnessError as error:
            leg.core.journal.warn(str(leg), "leg.not_anchored", reason=str(error))
            raise
    return leg
