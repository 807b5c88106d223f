"""Later offers and answers within a call, by re-INVITE (RFC 3261 §14) and UPDATE (RFC 3311): hold, resume, move.

Theory (RFC 3264 §4, RFC 6337). One offer at a time may be open in a dialog, whoever made it. An offer that meets
another gets 491, and its maker tries again after a random while, the one that owns the Call-ID later than the other. A
refused offer leaves the session as it was.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from harness.endpoints.sip import session_timer
from harness.endpoints.sip.call import Call, CallState, Headers
from harness.endpoints.sip.exchange import Exchange, tell_nobody
from harness.endpoints.sip.flow import told_by
from harness.errors import SdpError, SipLocalError, SipRemoteError
from harness.protocols.sip import body
from harness.protocols.sip.dialog import Dialog, contact_uri
from harness.protocols.sip.message import Request, Response
from harness.protocols.sip.transaction import cancel_for

if TYPE_CHECKING:
    from harness.endpoints.sip.agent import UserAgent

GLARE_OWNER_S: Final = (2.1, 4.0)
"""Seconds, at least and at most, after which the owner of the Call-ID offers again after a 491 (§14.1)."""
GLARE_OTHER_S: Final = (0.0, 2.0)
"""The same for the other side."""
GLARE_STEP_S: Final = 0.01
MAX_GLARES: Final = 4
"""Times that one offer of ours is tried again after a 491."""
RETRY_AFTER_MAX: Final = 10
"""Seconds, at most, that an offer is told to wait which came while another was unanswered (RFC 3311 §5.2)."""


class _Offer:
    """One offer of ours under way."""

    def __init__(self, dialog: Dialog, method: str, sdp: bytes) -> None:
        self.dialog = dialog
        self.method = method
        self.sdp = sdp
        self.answer = b""
        """The peer's answer, or its offer where ours was empty."""
        self.final: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self.exchange: Exchange | None = None
        self.is_provisional = False
        """Whether a provisional response came, so that a CANCEL may be sent."""
        self.is_unwanted = False
        """Whether nobody waits for it any more, so that one is to be sent."""


class Session:
    """The offers of one call after its first."""

    def __init__(self, agent: UserAgent, call: Call) -> None:
        self._agent = agent
        self._call = call
        self._open: _Offer | None = None
        self._acks: dict[int, tuple[bytes, Dialog]] = {}
        """ACKs of our re-INVITEs by CSeq number, for a 2xx that is repeated; at most the latest is kept."""

    async def offer(self, sdp: bytes, *, within: float, method: str = "INVITE", headers: Headers = ()) -> bytes:
        """Offer a changed session by re-INVITE or UPDATE; returns the answer.

        An empty offer by re-INVITE asks the peer to offer: `on_offer` of the call answers it, and the peer's offer is
        returned. By UPDATE it changes nothing but the session timer and where we are reached. A re-INVITE that is not
        answered in time is cancelled.
        Raises SipLocalError where it is refused, not answered in `within` seconds, or not possible now.
        """
        call = self._call
        dialog = call.dialog
        early = method == "UPDATE" and call.state is not CallState.ENDING and not call.is_over
        if dialog is None or not (call.state is CallState.ANSWERED or early):
            raise SipLocalError(f"{call} can't be offered a new session while it is {call.state}")
        if self._open is not None or (sdp and call.open_offer):
            raise SipLocalError(f"{call} has an offer under way already")
        try:
            async with asyncio.timeout(within):
                return await self._until_taken(dialog, method, sdp, headers)
        except TimeoutError:
            raise SipLocalError(f"{call}: no answer to a new offer within {within:g} s") from None

    async def _until_taken(self, dialog: Dialog, method: str, sdp: bytes, headers: Headers) -> bytes:
        for _ in range(MAX_GLARES):
            offer = _Offer(dialog, method, sdp)
            response = await self._try(offer, headers)
            if response.status < 300:
                return offer.answer
            if response.status == 422:
                headers = session_timer.longer(self._call, headers, response)
            elif response.status == 491:
                await asyncio.sleep(self._glare())
            else:
                raise SipLocalError(f"{self._call}: {response.status} {response.reason} to a new offer")
        raise SipLocalError(f"{self._call}: {response.status} to a new offer, {MAX_GLARES} times")

    def _glare(self) -> float:
        least, most = GLARE_OWNER_S if self._call.direction == "outgoing" else GLARE_OTHER_S
        steps = round((most - least) / GLARE_STEP_S)
        return least + self._agent.rng.randrange(steps + 1) * GLARE_STEP_S

    async def _try(self, offer: _Offer, headers: Headers) -> Response:
        self._open = offer
        agent, call = self._agent, self._call
        own = [*agent.card.headers(call.way), *session_timer.wishes(call, headers), *headers]
        sdp, dialog = offer.sdp, offer.dialog

        def build() -> Request:
            return dialog.request(offer.method, own, sdp, body.SDP if sdp else "")

        def answered(response: Response | None, request: Request) -> None:
            self._answered(response, request, offer)

        def sent(request: Request, exchange: Exchange) -> None:
            offer.exchange, offer.is_provisional = exchange, False

        target, fallback = call.ways(dialog)
        try:
            agent.requester.send(build, target, answered, sent, fallback=fallback)
            return await offer.final
        finally:
            self._open = None
            if not offer.final.done() or offer.final.cancelled():
                offer.is_unwanted = True
                self._cancel(offer)

    def _cancel(self, offer: _Offer) -> None:
        """Cancel a re-INVITE that nobody waits for, as soon as that may be done (§9.1)."""
        exchange = offer.exchange
        if offer.method != "INVITE" or not offer.is_provisional or exchange is None or exchange.transaction.absorbing:
            return
        endpoint = self._agent.endpoint
        try:
            cancel = cancel_for(exchange.request)
            endpoint.send_with_via(cancel, endpoint.flow_to(exchange.flow), tell_nobody)
        except SipLocalError as error:
            self._agent.warn("sip.overload", self._call.hop, call_id=self._call.id, reason=str(error))

    def _answered(self, response: Response | None, request: Request, offer: _Offer) -> None:
        call = self._call
        if response is not None and response.status < 200:
            first, offer.is_provisional = not offer.is_provisional, True
            if first and offer.is_unwanted:
                self._cancel(offer)
            return
        if response is not None and response.status < 300:
            self._taken(response, request, offer)
        if offer.final.done():
            pass
        elif response is None:
            offer.final.set_exception(SipLocalError(f"{call}: no answer to a new offer"))
        else:
            offer.final.set_result(response)
        call.lose(response)

    def _taken(self, response: Response, request: Request, offer: _Offer) -> None:
        call, agent, dialog = self._call, self._agent, offer.dialog
        number = request.cseq.number
        again = self._acks.get(number)
        if again is not None:  # a repeated 2xx gets its ACK again
            agent.endpoint.flow_to(call.ways(again[1])[0]).send(again[0])
            return
        try:
            if response.get("contact") is not None:
                dialog.target = contact_uri(response)
            session_timer.settled_by(response, agent, call)
        except SipRemoteError as error:
            agent.warn("sip.bad-answer", call.hop, call_id=call.id, reason=str(error))
        offer.answer = body.find(response, body.SDP) or b""
        if offer.sdp:
            call.local_sdp = offer.sdp
        if offer.answer:
            call.remote_sdp = offer.answer
        if request.method == "INVITE":
            self._acknowledge(request, offer)

    def _acknowledge(self, request: Request, offer: _Offer) -> None:
        """Send the ACK of a re-INVITE's 2xx, with our answer where the 2xx brought an offer."""
        call, agent = self._call, self._agent
        answer, why = b"", ""
        if not offer.sdp:
            try:
                answer = call.answer_to(offer.answer) if offer.answer else b""
                why = "" if answer else "no offer in the answer to our INVITE"
            except SdpError as error:
                # §13.2.1: an offer in a 2xx can't be refused; the dialog has to be ended.
                why = "no session agreed"
                agent.warn("sip.offer-refused", call.hop, call_id=call.id, reason=str(error))
            if answer:
                call.local_sdp = answer
        number = request.cseq.number
        credentials = [
            (name, line) for name in ("Authorization", "Proxy-Authorization") for line in request.lines(name)
        ]
        ack = offer.dialog.request("ACK", credentials, answer, body.SDP if answer else "", number)
        data, _ = agent.endpoint.send_ack(ack, call.ways(offer.dialog)[0])
        self._acks = {number: (data, offer.dialog)}
        if why:
            call.send_bye(why)

    def close(self, why: str) -> None:
        """The call has ended."""
        if self._open is not None and not self._open.final.done():
            self._open.final.set_exception(SipLocalError(why))

    # The peer's offers

    def reinvited(self, request: Request, exchange: Exchange) -> None:
        """The peer's re-INVITE. Raises SipRemoteError (a 400)."""
        call = self._call
        if call.state is CallState.ENDING:
            exchange.respond(request.response(481))
        elif call.state is not CallState.ANSWERED:
            # §14.2: the INVITE that made the dialog is unanswered, ours or the peer's.
            self._refuse_for_now(request, exchange, ours=call.direction == "outgoing")
        elif self._open is not None or call.open_offer == "ours":
            exchange.respond(request.response(491))  # §14.2: both sides offered at once
        elif not session_timer.refused(request, exchange, self._agent.abilities):
            call.settle()  # the peer has our 2xx, whose ACK was lost or is late (RFC 5407 §3.1.5)
            answer = self._answer(request, exchange, wanted=True)
            if answer is not None:
                offers = not body.find(request, body.SDP)
                timer = session_timer.settled_with(request, self._agent, call)
                call.answer_invite(request, exchange, answer, timer, offers=offers)
                call.tell("offered")

    def updated(self, request: Request, exchange: Exchange) -> None:
        """The peer's UPDATE, with or without an offer. Raises SipRemoteError (a 400)."""
        call, agent = self._call, self._agent
        if call.is_over or call.state is CallState.ENDING:
            exchange.respond(request.response(481))
            return
        if request.body and (self._open is not None or call.open_offer):
            self._refuse_for_now(request, exchange, ours=self._open is not None or call.open_offer == "ours")
            return
        if session_timer.refused(request, exchange, agent.abilities):
            return
        answer = self._answer(request, exchange, wanted=False)
        if answer is None:
            return
        timer = session_timer.settled_with(request, agent, call) if call.state is CallState.ANSWERED else ()
        exchange.respond(
            request.response(
                200,
                prepared=agent.card.answers[told_by(exchange.flow, request)],
                headers=timer,
                body=answer,
                content_type=body.SDP if answer else "",
            )
        )
        if answer:
            call.tell("offered")

    def _refuse_for_now(self, request: Request, exchange: Exchange, *, ours: bool) -> None:
        """Refuse an offer that meets one of ours with 491, one that meets an earlier of the peer's with 500."""
        wait = self._agent.rng.randrange(RETRY_AFTER_MAX + 1)
        exchange.respond(request.response(491) if ours else request.response(500, headers=[("Retry-After", str(wait))]))

    def _answer(self, request: Request, exchange: Exchange, *, wanted: bool) -> bytes | None:
        """Our answer; our offer where the request brought none and one is `wanted`; None where it was refused."""
        call, agent = self._call, self._agent
        offered = body.find(request, body.SDP) or b""
        if request.body and not offered:
            exchange.respond(request.response(415, headers=[("Accept", agent.accept)]))
            return None
        if not offered and not wanted:
            return b""
        try:
            answer = call.answer_to(offered)
        except SdpError as error:
            exchange.respond(request.response(488))
            agent.warn("sip.offer-refused", call.hop, call_id=call.id, reason=str(error))
            return None
        if offered:
            call.remote_sdp = offered
        call.local_sdp = answer
        return answer
