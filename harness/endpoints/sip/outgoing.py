"""A call that we place: the calling side of INVITE, with forks, CANCEL and redirection (RFC 3261 §9.1, §13.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.endpoints.sip import session_timer
from harness.endpoints.sip.abilities import Reliable
from harness.endpoints.sip.call import Call, CallState, Headers
from harness.endpoints.sip.exchange import Exchange
from harness.endpoints.sip.flow import SECURE, Flow, Hop, StreamFlow
from harness.endpoints.sip.party import user_of
from harness.endpoints.sip.reliable import ProvisionalAcks
from harness.endpoints.sip.wheel import Timer
from harness.errors import InterlockError, SdpError, SipLocalError, SipRemoteError
from harness.protocols.sip import body
from harness.protocols.sip.dialog import Dialog
from harness.protocols.sip.fields import checked
from harness.protocols.sip.message import Message, Request, Response
from harness.protocols.sip.transaction import cancel_for

if TYPE_CHECKING:
    from harness.endpoints.sip.agent import UserAgent

MAX_FORKS: Final = 16
"""Dialogs that one INVITE of ours may make; answers beyond them are journalled and left."""
MAX_TARGETS: Final = 32
"""Contacts of redirections that wait to be tried for one call."""
_CREDENTIALS: Final = ("Authorization", "Proxy-Authorization")


class OutgoingCall(Call):
    """A call that we place."""

    direction = "outgoing"
    _exchange: Exchange | None = None
    _min_se = 0
    _cseq = 0
    _cancel_wanted = False
    _cancel_headers: Headers = ()
    _provisional = False
    _give_up: Timer | None = None

    def __init__(
        self,
        agent: UserAgent,
        uri: str,
        hop: Flow | Hop,
        caller: str,
        offer: bytes,
        content: tuple[bytes, str],
        headers: Headers,
    ) -> None:
        """`caller`: our From without a tag. `content`: what the INVITE carries in place of the offer alone.

        Raises SipLocalError on values that can't be sent.
        """
        tag = agent.endpoint.new_tag()
        self.agent = agent
        call_id = agent.new_call_id()
        # Both URIs were looked at by those who gave them to us.
        self._fields = [("From", f"{caller};tag={tag}"), ("To", f"<{uri}>")]
        if headers:
            self._fields += checked(headers)
        way = SECURE + hop.kind if uri[:5].lower() == "sips:" else hop.kind
        self._fields += (("Max-Forwards", "70"), ("Call-ID", call_id), *agent.card.headers(way))
        if agent.abilities.reliable is Reliable.REQUIRED:
            self._fields.append(("Require", "100rel"))
        self._content = (offer, body.SDP if offer else "")
        if content[0]:
            self._content = content
            checked([("Content-Type", content[1])])
        self._caller = caller
        super().__init__(agent, CallState.INVITING, self._build(uri), call_id, tag, hop)
        self.local_sdp = offer or (body.find(self.request, body.SDP) or b"" if content[0] else b"")
        self.offered = bool(self.local_sdp)
        """Whether the INVITE carries an offer."""
        self.early: dict[str, Dialog] = {}
        """The dialogs that the INVITE has made, by the peer's tag: several where a proxy forked it (§13.2.2.4)."""
        self._acks: dict[str, tuple[bytes, Flow]] = {}
        self._pracks = ProvisionalAcks(self)
        self._targets: list[str] = []
        self._tried = {uri}

    def start(self) -> None:
        """Send the INVITE; the agent's part."""
        uri = self.request.uri_text
        self.happen("inviting", {"uri": uri, "cli": user_of(self._caller)})
        self._invite(uri)

    def _invite(self, uri: str) -> None:
        self.agent.requester.send(lambda: self._build(uri), self.hop, self._invited, self._sent, wanted=self._is_wanted)

    def _is_wanted(self) -> bool:
        return not self._cancel_wanted

    def hang_up(self, headers: Headers = ()) -> None:
        """CANCEL before the answer, BYE after it. The CANCEL waits for a provisional response (§9.1)."""
        if self.state in (CallState.INVITING, CallState.RINGING):
            self.state = CallState.ENDING
            self._cancel_wanted, self._cancel_headers = True, headers
            if self._provisional:
                self._send_cancel()
        elif self.state is CallState.ANSWERED:
            self.send_bye(headers=headers)

    def _build(self, uri: str) -> Request:
        if self._cseq == 1 and self._exchange is None:
            return self.request  # made with the call, and not sent yet
        self._cseq += 1
        fields = [*self._fields, ("CSeq", f"{self._cseq} INVITE")]
        if self.agent.abilities.session_expires:
            fields += session_timer.asked(self.agent.abilities, self._min_se)
        body_, content_type = self._content
        if content_type:
            fields.append(("Content-Type", content_type))
        return Request("INVITE", uri, fields, body_)

    def _sent(self, request: Request, exchange: Exchange) -> None:
        self.request = request
        self._exchange = exchange
        self.flow = flow = exchange.flow
        self.is_direct = flow.reliable and isinstance(flow, StreamFlow) and not flow.ours
        self._provisional = False

    def _invited(self, response: Response | None, request: Request) -> None:
        if response is None:
            if not self._next_target():
                self.end(408, "no answer to INVITE", "remote")
        elif response.status < 200:
            self._progress(response)
        elif response.status < 300:
            self._accepted(response, request)
        else:
            self._refused(response)

    def _refused(self, response: Response) -> None:
        if not self._cancel_wanted:
            if response.status == 422 and self._longer_session(response):
                return
            if 300 <= response.status < 400:
                self._redirected(response)
            if response.status < 600 and self._next_target():
                return
        self._stop_give_up()
        by = "local" if self._cancel_wanted else "remote"
        self.end(response.status, response.reason, by, response)

    def _longer_session(self, response: Response) -> bool:
        """Try again with the interval that a 422 asks for (RFC 4028 §7.4); whether that was done."""
        least = response.number("min-se")
        if least is None or self._min_se or least >= 2**31 or not self.agent.abilities.session_expires:
            return False
        self._min_se = least
        self._invite(self.request.uri_text)
        return True

    def _redirected(self, response: Response) -> None:
        """Keep the contacts of a 3xx, best first (§8.1.3.4, §20.10)."""
        left = self.agent.abilities.redirects + 1 - len(self._tried) - len(self._targets)
        if left <= 0:
            return
        try:
            contacts = [contact for contact in response.name_addrs("contact") if contact.uri.scheme in ("sip", "sips")]
            for contact in contacts:
                # What would become a header or method of the request is not for a Request-URI, nor for others to set.
                contact.uri.headers = ""
                contact.uri.params.pop("method", None)
        except SipRemoteError as error:
            self.agent.warn("sip.bad-answer", self.hop, call_id=self.id, reason=str(error))
            return
        ordered = [str(contact.uri) for contact in sorted(contacts, key=lambda each: -each.quality)]
        fresh = [uri for uri in ordered if uri not in self._tried and uri not in self._targets]
        self._targets += fresh[: min(left, MAX_TARGETS)]

    def _next_target(self) -> bool:
        """Send the INVITE to the next contact of a redirection; whether there was one that we may call."""
        while self._targets:
            uri = self._targets.pop(0)
            self._tried.add(uri)
            try:
                self.hop = self.agent.routes.hop_for(uri)
            except (InterlockError, SipLocalError) as error:
                self.agent.warn("sip.redirection-refused", self.hop, call_id=self.id, uri=uri, reason=str(error))
                continue
            self.early.clear()
            self.state = CallState.INVITING
            self.happen("redirected", {"uri": uri})
            self._invite(uri)
            return True
        return False

    def _progress(self, response: Response) -> None:
        self._provisional = True
        if self.state is CallState.ENDING:
            if self._cancel_wanted and self._give_up is None:
                self._send_cancel()
            return
        if self.state not in (CallState.INVITING, CallState.RINGING):
            return
        if response.status == 100:
            self.status, self.reason = response.status, response.reason
            return
        tag = response.to_tag
        if tag and tag not in self.early:
            if len(self.early) >= MAX_FORKS:
                self.agent.warn("sip.too-many-forks", self.hop, call_id=self.id)
                return
            self.early[tag] = Dialog.of_response(self.request, response)
        described = tag not in self._pracks.settled
        if tag:
            if not self._pracks.take(response, self.early[tag]):
                return
            self.dialog = self.early[tag]
        self.status, self.reason = response.status, response.reason
        if described:
            self.take_sdp(response)
        if response.status != 180:
            self.happen("progress", {"status": response.status, "reason": response.reason})
        elif self.state is CallState.INVITING:
            self.state = CallState.RINGING
            self.happen("ringing", {"status": response.status})

    def _accepted(self, response: Response, request: Request) -> None:
        tag = response.to_tag
        again = self._acks.get(tag)
        if again is not None:
            data, flow = again
            self.agent.endpoint.flow_to(flow).send(data)
            return
        if len(self._acks) >= MAX_FORKS:
            self.agent.warn("sip.too-many-forks", self.hop, call_id=self.id)
            return
        first = not self._acks
        dialog = self._confirm(tag, response, request)
        answer, agreed = b"", True
        if first and tag not in self._pracks.settled:
            answer, agreed = self._late_answer(response)
        own = self._credentials(request)
        # A 2xx answers the latest INVITE only: all before it were refused.
        ack = dialog.request("ACK", own, answer, body.SDP if answer else "", self._cseq)
        self._acks[tag] = self.agent.endpoint.send_ack(ack, self.ways(dialog)[0])
        if not first:
            # A second leg of a fork answered too: one of the two has to go (§13.2.2.4).
            self.agent.warn("sip.second-answer", self.hop, call_id=self.id, tag=tag)
            self._leave(dialog)
            return
        self._stop_give_up()
        self.dialog, self.accepted = dialog, response
        if tag in self._pracks.settled:
            # RFC 3261 §13.2.1: what the 2xx describes besides is to be left.
            self.remote_sdp, self.local_sdp = self._pracks.settled[tag]
        else:
            self.take_sdp(response)
        if self.is_over:
            self._leave(dialog)
        elif self.state is CallState.ENDING:
            self.send_bye("cancelled, but answered first", self._cancel_headers)
        elif not agreed:
            self.send_bye("no session agreed")
        else:
            self.state = CallState.ANSWERED
            self.status, self.reason = response.status, response.reason
            self._settle_timer(response)
            self.happen("answered", {"status": response.status})

    def _late_answer(self, response: Response) -> tuple[bytes, bool]:
        """Our answer where we offered nothing, so that the 2xx carries the offer and the ACK the answer (§13.2.1)."""
        if self.offered:
            return b"", True
        described = body.find(response, body.SDP) or b""
        if not described:
            # RFC 3261 §13.3.1.4: the side that was called had to offer.
            self.agent.warn("sip.no-offer", self.hop, call_id=self.id)
            return b"", False
        try:
            self.local_sdp = self.answer_to(described)
        except SdpError as error:
            self.agent.warn("sip.offer-refused", self.hop, call_id=self.id, reason=str(error))
            return b"", False
        return self.local_sdp, True

    def _settle_timer(self, response: Response) -> None:
        if "session-expires" not in response.envelope.first:
            return
        try:
            session_timer.settled_by(response, self.agent, self)
        except SipRemoteError as error:
            self.agent.warn("sip.bad-answer", self.hop, call_id=self.id, reason=str(error))

    def _leave(self, dialog: Dialog) -> None:
        """End a dialog that the call does not go on in."""
        self.ask(dialog, lambda: dialog.request("BYE"), _mind_not)

    def _confirm(self, tag: str, response: Response, request: Request) -> Dialog:
        dialog = self.early.get(tag)
        try:
            if dialog is None:
                dialog = Dialog.of_response(request, response)
            dialog.confirm(response)
        except SipRemoteError as error:
            # Without tag or Contact there is still an ACK to send, or the peer repeats its 200 for half a minute.
            self.agent.warn("sip.bad-answer", self.hop, call_id=self.id, reason=str(error))
            own, theirs = request.get("from") or "", response.get("to") or ""
            dialog = Dialog(self.id, own, theirs, request.uri_text, [])
            dialog.local_cseq = request.cseq.number
        self.early[tag] = dialog
        return dialog

    def _credentials(self, request: Request) -> list[tuple[str, str]]:
        """§22.1: an ACK carries the credentials of its INVITE."""
        return [field for field in request.fields if field[0] in _CREDENTIALS]

    def _send_cancel(self) -> None:
        endpoint, exchange = self.agent.endpoint, self._exchange
        assert exchange is not None
        self._give_up = endpoint.wheel.after(endpoint.timing.patience, self._abandon)
        cancel = cancel_for(self.request)
        for name, value in self._cancel_headers:
            cancel.add(name, value)
        try:
            endpoint.send_with_via(cancel, endpoint.flow_to(exchange.flow), _nothing)
        except SipLocalError as error:
            self.agent.warn("sip.overload", self.hop, call_id=self.id, reason=str(error))

    def _abandon(self) -> None:
        """The CANCEL brought no final response in 64*T1 (§9.1)."""
        if self._exchange is not None:
            self._exchange.abandon()
        self.end(408, "CANCEL not answered", "local")

    def _stop_give_up(self) -> None:
        if self._give_up is not None:
            self._give_up.cancel()

    @property
    def open_offer(self) -> str:
        if self.state in (CallState.INVITING, CallState.RINGING):
            tag = self.dialog.remote_tag if self.dialog is not None else ""
            return "ours" if self.offered and tag not in self._pracks.settled else ""
        return super().open_offer

    def end(self, status: int, reason: str, by: str, message: Message | None = None) -> None:
        self._stop_give_up()
        super().end(status, reason, by, message)


def _mind_not(response: Response | None, request: Request) -> None:
    """The answer to a BYE of a leg that nobody waits for."""


def _nothing(response: Response | None) -> None:
    """The answer to a CANCEL says nothing of the INVITE; that gets its own."""
