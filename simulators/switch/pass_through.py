"""Calls whose speech does not go by the switch: session descriptions are relayed untouched, later offers too.

Theory. The caller's offer goes on as it came, and the answer back. A re-INVITE or UPDATE with an offer within either
leg is put to the other leg before it is answered (RFC 7092's signalling-only B2BUA). What needs the switch's own
speech (music on hold, conference, park, transfer, recording) anchors the call first: each leg is offered the switch's
own session by re-INVITE, its streams in their places, and the call goes on as any other. The origin line of that offer
differs from the one relayed before, which RFC 3264 section 8 does not foresee; peers are known to take it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.endpoints.sip import session_timer
from harness.endpoints.sip.call import Call, CallState
from harness.endpoints.sip.exchange import Exchange
from harness.endpoints.sip.flow import told_by
from harness.endpoints.sip.incoming import UNANSWERED, IncomingCall
from harness.errors import HarnessError, SipLocalError
from harness.protocols.sip import body
from harness.protocols.sip.message import Request
from simulators.switch.conversation import Conversation
from simulators.switch.identities import connected_headers
from simulators.switch.joining import LegState
from simulators.switch.leg import Leg

if TYPE_CHECKING:
    from simulators.switch.call import SwitchCall
    from simulators.switch.core import Core

RELAYED_WITHIN_S: Final = 8.0
"""Seconds within which the other leg answers an offer that is relayed to it."""


def would_pass(origin: Leg, leg: Leg) -> bool:
    """Whether a leg that is about to be placed gets its caller's offer as it came."""
    wants = "passed_through" in (origin.end.wants.media, leg.end.wants.media)
    sip = origin.sip
    return wants and origin.speech is None and isinstance(sip, IncomingCall) and sip.offered and sip.state in UNANSWERED


def may_pass(origin: Leg, leg: Leg) -> bool:
    """Whether a leg that answered was placed so."""
    return origin.speech is None and leg.speech is None and leg.state is LegState.UP


class PassThrough(Conversation):
    """Two legs whose descriptions are relayed. Use `join`."""

    @classmethod
    async def join(cls, core: Core, call: SwitchCall, leg: Leg) -> None:
        """Answer a call's caller with what the one who answered said. Raises SipLocalError where it is too late."""
        origin = call.origin
        sip = origin.sip
        assert isinstance(sip, IncomingCall)
        origin.state = LegState.UP
        origin.answered = core.now()
        sip.answer(leg.sip.remote_sdp, connected_headers(call, leg))
        talk = cls(core, call, origin, leg)
        for each in talk.legs:
            each.passing = talk
            each.sip.taken_over = {**each.sip.taken_over, "INVITE": talk._offered, "UPDATE": talk._offered}

    async def patch(self) -> None:
        """Nothing is patched while speech does not come by; once it is anchored all is."""
        if all(leg.passing is None for leg in self.legs):
            await super().patch()

    def _offered(self, sip: Call, request: Request, exchange: Exchange) -> None:
        """A later offer of one leg's. Raises SipRemoteError (a 400)."""
        leg = next(leg for leg in self.legs if leg.sip is sip)
        other = self.other(leg)
        offer = body.find(request, body.SDP) or b""
        agent = self.core.agent
        if sip.state is not CallState.ANSWERED or sip.open_offer or other.sip.open_offer:
            exchange.respond(request.response(491))
        elif session_timer.refused(request, exchange, agent.abilities):
            pass
        elif offer and offer != sip.remote_sdp:
            if request.method == "INVITE":
                exchange.respond(request.response(100))
            self.core.spawn(self._relay(leg, other, request, exchange, offer))
        else:
            # A refresh of the session timer, or a wish that we offer: the other side's last word holds.
            self._answer(sip, request, exchange, other.sip.remote_sdp if offer or request.method == "INVITE" else b"")

    async def _relay(self, leg: Leg, other: Leg, request: Request, exchange: Exchange, offer: bytes) -> None:
        sip = leg.sip
        try:
            answer = await other.sip.session.offer(offer, within=RELAYED_WITHIN_S)
        except SipLocalError as error:
            self.core.journal.record(self.call.id, "call.offer_refused", leg=leg.id, reason=str(error))
            if not sip.is_over:
                exchange.respond(request.response(488))
            return
        if not sip.is_over:
            sip.remote_sdp = offer
            self._answer(sip, request, exchange, answer)
            self.core.journal.record(self.call.id, "call.offer_relayed", leg=leg.id)

    def _answer(self, sip: Call, request: Request, exchange: Exchange, answer: bytes) -> None:
        agent = self.core.agent
        timer = session_timer.settled_with(request, agent, sip)
        if answer:
            sip.local_sdp = answer
        if request.method == "INVITE":
            offers = not body.find(request, body.SDP)
            sip.answer_invite(request, exchange, answer, timer, offers=offers)
            return
        prepared = agent.card.answers[told_by(exchange.flow, request)]
        content_type = body.SDP if answer else ""
        exchange.respond(
            request.response(200, prepared=prepared, headers=timer, body=answer, content_type=content_type)
        )

    async def anchor(self, leg: Leg) -> None:
        """Bring a leg's speech to the switch. Raises HarnessError where its end will not have it."""
        leg.sip.taken_over = {"BYE": leg.sip.taken_over["BYE"]}
        if leg.is_over:
            return
        speech = await leg.open_speech()
        try:
            speech.answer(leg.sip.remote_sdp)  # so that our offer has a place for each of its streams
            await leg.offer_anew(within=RELAYED_WITHIN_S)
        except HarnessError:
            await leg.discard()
            leg.speech = None
            raise
        self.core.journal.record(str(leg), "leg.anchored")
