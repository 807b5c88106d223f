"""A call at a SIP telephone: what its user does with it, and what is said and heard."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from harness.endpoints.media import MediaPort, PortStats, Recording
from harness.endpoints.rtp_figures import stat_of
from harness.endpoints.sip.call import Call
from harness.endpoints.sip.exchange import Exchange
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.refer import Transfer, refer
from harness.endpoints.speech import DISCARD, join_speech
from harness.errors import DriverError, HarnessError, SdpError
from harness.protocols import sdp
from harness.protocols.rtp.g711 import Samples
from harness.protocols.sip import dtmf_info
from harness.protocols.sip.message import Request
from harness.protocols.sip.rtp_stat import HEADER as RTP_STAT

if TYPE_CHECKING:
    from harness.drivers.telephone import Telephone

RINGS_FOR: Final = 60.0
"""Seconds for which a call is let ring before it is given up."""
TRANSFER_WITHIN_S: Final = 30.0
"""Seconds within which the switch tells how a transfer went."""
Headers = Sequence[tuple[str, str]]


class TelephoneCall:
    """One call. Made by `Telephone`."""

    def __init__(self, telephone: Telephone, name: str) -> None:
        self.name = name
        """Its media port's name in the journal."""
        self.sip: Call
        self._telephone = telephone
        self._port: MediaPort | None = None
        self._session: sdp.MediaSession
        self._answered_at: float | None = None
        self._stats: PortStats | None = None
        self._closing: asyncio.Future[PortStats] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._offer_in_answer = False
        self._is_settled = False
        """Whether the answer to the offer that stands in our INVITE, or in our answer, was taken."""
        self._recording = False
        self.heard: Recording | None = None
        """What was heard until the call ended, where it ended during a recording."""

    def attach(self, sip: Call) -> None:
        """Take its dialog; the telephone's part."""
        self.sip = sip
        sip.on_offer(self._offered)
        sip.bye_headers = self._figures
        sip.taken_over = {"BYE": self._bye, "NOTIFY": self._told}
        sip.on_change(self._changed)

    @property
    def id(self) -> str:
        """The Call-ID."""
        return self.sip.id

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.sip.is_over

    @property
    def number(self) -> str:
        """Who is at the other end, as the telephone shows it; empty where that is withheld."""
        identity = self.sip.remote_identity
        return "" if identity.user.lower() == "anonymous" else identity.user

    @property
    def display(self) -> str:
        """The other end's name, as the telephone shows it."""
        return self.sip.remote_identity.display

    @property
    def port(self) -> MediaPort:
        """Its audio jack. Raises DriverError before there is one."""
        if self._port is None:
            raise DriverError(f"{self.name} is not answered: nothing is heard there yet")
        return self._port

    @property
    def is_secured(self) -> bool:
        """Whether its speech is SRTP."""
        agreed = self._agreed
        return agreed is not None and agreed.security is not None

    @property
    def codec(self) -> str:
        """The codec that it speaks in; empty before that is agreed."""
        return self._agreed.codec if self._agreed is not None else ""

    @property
    def _agreed(self) -> sdp.Negotiated | None:
        found = self._session.agreed[0] if self._port is not None and self._session.agreed else None
        return found if isinstance(found, sdp.Negotiated) else None

    # Speech

    async def open(self) -> bytes:
        """Open its jack and write an offer; the telephone's part. Raises MediaError."""
        await self._plug_in()
        return self._session.offer()

    async def _plug_in(self) -> None:
        telephone = self._telephone
        self._port = await telephone.media.open_port(self.name, host=telephone.host)
        telephone.context.called(self._port.address, telephone.name)
        plan = sdp.StreamPlan(self._port.address[1], codecs=telephone.codecs, secure=telephone.secure)
        rng = telephone.context.rng
        self._session = sdp.MediaSession(telephone.host, [plan], session_id=rng.getrandbits(48), keys=rng.randbytes)

    async def say(self, samples: Samples) -> float:
        """Speak 8 kHz samples into the handset; return the run time at which the first one goes out."""
        return await self.port.play(samples)

    async def said(self) -> None:
        """Return when all that was to be said is out."""
        await self.port.played()

    async def hush(self) -> None:
        """Say no more of what was to be said."""
        await self.port.stop_playing()

    async def record(self) -> None:
        """Begin to keep what is heard."""
        await self.port.record()
        self._recording = True

    async def recorded(self) -> Recording:
        """Return what was heard since ``record``, until the call ended where it has."""
        self._recording = False
        if self.heard is not None:
            return self.heard
        return await self.port.recorded()

    async def stats(self) -> PortStats:
        """What crossed so far, or until the call ended."""
        return self._stats if self._stats is not None else await self.port.stats()

    # What the user does

    async def ringing(self, *, within: float = RINGS_FOR) -> None:
        """Return when the other end rings. Raises SipLocalError with the status when it refuses."""
        await self.sip.ringing(within=within)

    async def answered(self, *, within: float = RINGS_FOR) -> None:
        """Return when it is answered and speech flows. Raises SipLocalError with the status when it is refused."""
        await self.sip.answered(within=within)
        await self._settled()

    async def ended(self, *, within: float) -> None:
        """Return when the call is over, and its figures are known."""
        await self.sip.ended(within=within)
        await self.close()

    async def answer(self) -> None:
        """Lift the receiver. Raises DriverError for a call that was placed here, SdpError where nothing is agreed."""
        sip = self.sip
        if not isinstance(sip, IncomingCall):
            raise DriverError(f"{self.name} was placed here: there is nothing to answer")
        await self._plug_in()
        if sip.offered:
            self._session.take_offer(sip.remote_sdp)
            body = self._session.answer()
            await self._join()
        else:
            body, self._offer_in_answer = self._session.offer(), True
        sip.answer(body)

    def reject(self, status: int = 486) -> None:
        """Refuse it: 486 busy, 603 declined, 480 not here, or any other status of 300…699."""
        if not isinstance(self.sip, IncomingCall):
            raise DriverError(f"{self.name} was placed here: there is nothing to refuse")
        self.sip.reject(status)

    def deflect(self, number: str) -> None:
        """Send it elsewhere (302)."""
        if not isinstance(self.sip, IncomingCall):
            raise DriverError(f"{self.name} was placed here: there is nothing to send elsewhere")
        self.sip.reject(302, headers=[("Contact", f"<{self._telephone.uri_of(number)}>")])

    async def hold(self) -> None:
        """Press Hold: the other end is told that nothing is to be sent (re-INVITE, sendonly)."""
        self._note("telephone.hold")
        self._session.hold()
        await self._offer_anew()

    async def resume(self) -> None:
        """Press Resume."""
        self._note("telephone.resume")
        self._session.resume()
        await self._offer_anew()

    async def leave_audio(self) -> None:
        """Stay in the call with no media either way, as an application whose audio is disconnected (re-INVITE)."""
        self._note("telephone.audio", on=False)
        self._session.change(self._session.plans[0]._replace(port=DISCARD, direction="inactive"))
        await self._offer_anew()

    async def join_audio(self) -> None:
        """Send and take speech again."""
        self._note("telephone.audio", on=True)
        self._session.change(self._session.plans[0]._replace(port=self.port.address[1], direction="sendrecv"))
        await self._offer_anew()

    async def transfer(self, number: str) -> None:
        """Send the other end to a number (REFER); return once it got through there.

        Raises SipLocalError where it did not, InterlockError when the testbed does not allow it.
        """
        await (await self.refer(number)).done(within=TRANSFER_WITHIN_S)

    async def refer(self, number: str) -> Transfer:
        """Send the other end to a number, and return at once with what tells how that goes. Raises as `transfer`."""
        self._note("telephone.transfer", to=number)
        return await refer(self.sip, self._telephone.uri_of(number))

    async def transfer_to(self, other: TelephoneCall) -> None:
        """Put the other end of this call and that of another together (REFER with Replaces). Raises as `transfer`."""
        self._note("telephone.transfer", to=other.name)
        await (await refer(self.sip, replaces=other.sip)).done(within=TRANSFER_WITHIN_S)

    async def park(self, number: str) -> str:
        """Park the other end at the park's number or a slot's; return the slot. Raises as `transfer`."""
        self._note("telephone.park", to=number)
        transfer = await refer(self.sip, self._telephone.uri_of(number))
        await transfer.done(within=TRANSFER_WITHIN_S)
        return transfer.reason.rpartition(" ")[2]

    async def send_dtmf(self, digits: str, *, by_info: bool = False) -> None:
        """Press keys: as telephone events (RFC 4733), or in INFO requests."""
        self._note("telephone.dtmf", digits=digits)
        if not by_info:
            await self.port.send_dtmf(digits)
            return
        for digit in digits:
            response = await self.sip.send(
                "INFO", content=dtmf_info.build(digit), content_type=dtmf_info.DTMF_RELAY, within=5.0
            )
            if response.status >= 300:
                raise DriverError(f"{self.name}: {response.status} {response.reason} to a key in INFO")

    async def hang_up(self) -> None:
        """Put the receiver down. A call that is over is left alone."""
        if not self.is_over:
            self._note("telephone.hang_up")
        await self.close()
        self.sip.hang_up()

    async def close(self) -> None:
        """Close its jack; its figures go into the journal as ``media.closed``."""
        if self._port is None or self._stats is not None:
            return
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._closed(self._port))
        self._stats = await asyncio.shield(self._closing)

    async def _closed(self, port: MediaPort) -> PortStats:
        if self._recording:
            self.heard = await port.recorded()
        return await port.close()

    # What happens

    def _changed(self, sip: Call, what: str) -> None:
        now = self._telephone.context.journal.now()
        if what == "answered":
            self._answered_at = now
            if sip.direction == "outgoing":
                self._spawn_settling()
        elif what == "confirmed" and self._offer_in_answer:
            self._offer_in_answer = False
            self._spawn_settling()
        elif what == "ended":
            self._telephone.forget(self)

    def _spawn_settling(self) -> None:
        task = asyncio.get_running_loop().create_task(self._settled())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _settled(self) -> None:
        """Take the answer to our offer, once, and let speech flow."""
        if self._is_settled or self._session.state is not sdp.State.OURS_OPEN:
            return
        self._is_settled = True
        try:
            self._session.take_answer(self.sip.remote_sdp)
            if self._agreed is None:
                raise SdpError("the audio stream was refused")
        except SdpError as error:
            self._note("call.not_agreed", reason=str(error))
            self.sip.hang_up()
            return
        await self._join()

    async def _join(self) -> None:
        agreed = self._agreed
        if agreed is None or self._port is None or self._stats is not None:
            return
        self._telephone.context.called((agreed.host, agreed.port), self._telephone.of)
        await join_speech(self._port, agreed, own_port=self._session.plans[0].port)
        self._note("call.speech", codec=agreed.codec, direction=agreed.direction, secured=self.is_secured)

    async def _offer_anew(self) -> None:
        offer = self._session.offer()
        try:
            self._session.take_answer(await self.sip.session.offer(offer, within=RINGS_FOR))
        except HarnessError:
            self._session.withdraw()
            raise
        await self._join()

    def _offered(self, _sip: Call, offer: bytes) -> bytes:
        """A later offer of the other end's. Raises SdpError."""
        if not offer:
            self._offer_in_answer, self._is_settled = True, False
            return self._session.offer()
        self._session.take_offer(offer)
        try:
            body = self._session.answer()
        except SdpError:
            self._session.withdraw()
            raise
        task = asyncio.get_running_loop().create_task(self._join())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return body

    def _figures(self) -> Headers:
        if self._stats is None or self._answered_at is None or not self._telephone.tells_figures:
            return ()
        duration = self._telephone.context.journal.now() - self._answered_at
        return [(RTP_STAT, stat_of(self._stats, duration).value())]

    def _bye(self, sip: Call, request: Request, exchange: Exchange) -> None:
        """The other end hung up: what there was goes into the answer."""
        task = asyncio.get_running_loop().create_task(self._answer_bye(request, exchange))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer_bye(self, request: Request, exchange: Exchange) -> None:
        await self.close()
        exchange.respond(request.response(200, headers=self._figures()))
        self.sip.peer_hung_up(request)

    def _told(self, sip: Call, request: Request, exchange: Exchange) -> None:
        """A NOTIFY within the call: of a transfer, or an order to answer or to hold. Raises SipRemoteError."""
        event = (request.get("event") or "").strip().lower()
        if event not in ("talk", "hold"):
            sip.agent.in_dialog["NOTIFY"](sip, request, exchange)
            return
        exchange.respond(request.response(200))
        self._note("telephone.ordered", order=event)
        rings = isinstance(sip, IncomingCall) and self._port is None
        work = self.answer() if event == "talk" and rings else self.resume() if event == "talk" else self.hold()
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _note(self, kind: str, **data: Any) -> None:
        self._telephone.context.journal.record(self._telephone.name, kind, call_id=self.sip.id, **data)
