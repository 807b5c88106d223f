"""Later offers and answers within a call, by re-INVITE (RFC 3261 §14) and UPDATE (RFC 3311): hold, resume, move.

Theory (RFC 3264 §4, RFC 6337). One offer at a time may be open in a dialog, whoever made it. An offer that meets
another gets 491, and its maker tries again after a random while, the one that owns the Call-ID later than the other. A
refused offer leaves the session as it was.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from harness.endpoints.sip.call import Call, CallState, Headers
from harness.endpoints.sip.exchange import Exchange
from harness.errors import SdpError, SipLocalError, SipRemoteError
from harness.protocols.sip import body
from harness.protocols.sip.dialog import Dialog, contact_uri
from harness.protocols.sip.message import Request, Response

if TYPE_CHECKING:
    from harness.endpoints.sip.agent import UserAgent

GLARE_OWNER_S: Final = (2.1, 4.0)
"""Seconds, at least and at most, after which the owner of the Call-ID offers again after a 491 (§14.1)."""
GLARE_OTHER_S: Final = (0.0, 2.0)
"""The same for the other side."""
GLARE_STEP_S: Final = 0.01
MAX_GLARES: Final = 4
"""Times that one offer of ours is tried again after a 491."""


class Session:
    """The offers of one call after its first."""

    def __init__(self, agent: UserAgent, call: Call) -> None:
        self._agent = agent
        self._call = call
        self._open: asyncio.Future[Response] | None = None
        """The answer to our offer that is under way."""
        self._acks: dict[int, tuple[bytes, Dialog]] = {}
        """ACKs of our re-INVITEs by CSeq number, for a 2xx that is repeated; at most the latest is kept."""

    async def offer(self, sdp: bytes, *, within: float, method: str = "INVITE", headers: Headers = ()) -> bytes:
        """Offer a changed session by re-INVITE or UPDATE; returns the answer.

        An empty offer by re-INVITE asks the peer to offer: `on_offer` of the call answers it, and the peer's offer is
        returned. Raises SipLocalError where it is refused, not answered in `within` seconds, or not possible now.
        """
        call = self._call
        dialog = call.dialog
        early = method == "UPDATE" and call.state is not CallState.ENDING and not call.is_over
        if dialog is None or not (call.state is CallState.ANSWERED or early):
            raise SipLocalError(f"{call} can't be offered a new session while it is {call.state}")
        if self._open is not None:
            raise SipLocalError(f"{call} has an offer under way already")
        try:
            async with asyncio.timeout(within):
                answer = await self._until_taken(dialog, method, sdp, headers)
        except TimeoutError:
            raise SipLocalError(f"{call}: no answer to a new offer within {within:g} s") from None
        if sdp:
            call.local_sdp = sdp
        if answer:
            call.remote_sdp = answer
        return answer

    async def _until_taken(self, dialog: Dialog, method: str, sdp: bytes, headers: Headers) -> bytes:
        for _ in range(MAX_GLARES):
            response = await self._try(dialog, method, sdp, headers)
            if response.status < 300:
                return body.find(response, body.SDP) or b""
            if response.status != 491:
                raise SipLocalError(f"{self._call}: {response.status} {response.reason} to a new offer")
            await asyncio.sleep(self._glare())
        raise SipLocalError(f"{self._call}: 491 to a new offer, {MAX_GLARES} times")

    def _glare(self) -> float:
        least, most = GLARE_OWNER_S if self._call.direction == "outgoing" else GLARE_OTHER_S
        steps = round((most - least) / GLARE_STEP_S)
        return least + self._agent.rng.randrange(steps + 1) * GLARE_STEP_S

    async def _try(self, dialog: Dialog, method: str, sdp: bytes, headers: Headers) -> Response:
        found: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._open = found
        agent, call = self._agent, self._call
        own = [*agent.headers_for(call.hop.transport), *headers]

        def build(extra: Headers) -> Request:
            return dialog.request(method, [*own, *extra], sdp, body.SDP if sdp else "")

        def answered(response: Response | None, request: Request) -> None:
            self._answered(response, request, found, dialog)

        try:
            agent.requester.send(build, call.next_hop(dialog), answered)
            return await found
        finally:
            self._open = None

    def _answered(
        self, response: Response | None, request: Request, found: asyncio.Future[Response], dialog: Dialog
    ) -> None:
        call = self._call
        if response is not None and response.status < 200:
            return
        if response is not None and response.status < 300:
            self._taken(response, request, dialog)
        if response is None:
            if not found.done():
                found.set_exception(SipLocalError(f"{call}: no answer to a new offer"))
        elif not found.done():
            found.set_result(response)
        if response is None or response.status in (408, 481):
            # RFC 3261 §12.2.1.2: the peer knows the dialog no more, or is gone.
            call.send_bye(f"{response.status} {response.reason}" if response is not None else "no answer")

    def _taken(self, response: Response, request: Request, dialog: Dialog) -> None:
        call, agent = self._call, self._agent
        try:
            if response.get("contact") is not None:
                dialog.target = contact_uri(response)
        except SipRemoteError as error:
            agent.warn("sip.bad-answer", call.hop, call_id=call.id, reason=str(error))
        if call.session_timer is not None:
            call.session_timer.refreshed(response)
        if request.method != "INVITE":
            return
        number = request.cseq.number
        again = self._acks.get(number)
        if again is not None:  # a repeated 2xx gets its ACK again
            agent.endpoint.flow_to(call.next_hop(again[1])).send(again[0])
            return
        answer = b""
        if not request.body and response.body:
            offered = body.find(response, body.SDP) or b""
            try:
                answer = call.local_sdp = call.answer_to(offered)
            except SdpError as error:
                # §13.2.1: an offer in a 2xx can't be refused; the dialog has to be ended.
                agent.warn("sip.offer-refused", call.hop, call_id=call.id, reason=str(error))
                call.send_bye("no session agreed")
        ack = dialog.request("ACK", (), answer, body.SDP if answer else "", number)
        self._acks = {number: (agent.endpoint.send_ack(ack, call.next_hop(dialog))[0], dialog)}

    def close(self, why: str) -> None:
        """The call has ended."""
        if self._open is not None and not self._open.done():
            self._open.set_exception(SipLocalError(why))

    # The peer's offers

    def reinvited(self, request: Request, exchange: Exchange) -> None:
        """The peer's re-INVITE. Raises SipRemoteError (a 400)."""
        call = self._call
        if call.state is not CallState.ANSWERED:
            exchange.respond(request.response(481 if call.state is CallState.ENDING else 491))
        elif self._open is not None:
            exchange.respond(request.response(491))  # §14.2: both sides offered at once
        elif call.awaits_ack:
            exchange.respond(request.response(500, headers=[("Retry-After", "1")]))
        else:
            answer = self._answer(request, exchange, wanted=True)
            if answer is not None:
                call.answer_invite(request, exchange, answer, self._timer_headers(request))
                call.tell("offered")

    def updated(self, request: Request, exchange: Exchange) -> None:
        """The peer's UPDATE, with or without an offer. Raises SipRemoteError (a 400)."""
        call, agent = self._call, self._agent
        if call.is_over or call.state is CallState.ENDING:
            exchange.respond(request.response(481))
            return
        if request.body and self._open is not None:
            exchange.respond(request.response(491))  # RFC 3311 §5.2
            return
        answer = self._answer(request, exchange, wanted=False)
        if answer is None:
            return
        exchange.respond(
            request.response(
                200,
                prepared=agent.answer_text(exchange.flow.transport),
                headers=self._timer_headers(request),
                body=answer,
                content_type=body.SDP if answer else "",
            )
        )
        if answer:
            call.tell("offered")

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

    def _timer_headers(self, request: Request) -> Headers:
        timer = self._call.session_timer
        return timer.refreshed_by_peer(request) if timer is not None else ()
