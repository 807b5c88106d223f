"""A call that we place: the calling side of INVITE, with forks, CANCEL and redirection (RFC 3261 §9.1, §13.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.endpoints.sip import session_timer
from harness.endpoints.sip.abilities import Reliable
from harness.endpoints.sip.call import Call, CallState, Headers, user_of
from harness.endpoints.sip.exchange import Exchange
from harness.endpoints.sip.flow import Flow, Hop
from harness.endpoints.sip.reliable import ProvisionalAcks
from harness.endpoints.sip.wheel import Timer
from harness.errors import InterlockError, SdpError, SipLocalError, SipRemoteError
from harness.protocols.sip import body
from harness.protocols.sip.dialog import Dialog
from harness.protocols.sip.headers import NameAddr
from harness.protocols.sip.message import Message, Request, Response, checked
from harness.protocols.sip.transaction import cancel_for

if TYPE_CHECKING:
    from harness.endpoints.sip.agent import UserAgent

MAX_FORKS: Final = 16
"""Dialogs that one INVITE of ours may make; answers beyond them are journalled and left."""
MAX_TARGETS: Final = 32
"""Contacts of redirections that wait to be tried for one call."""


class OutgoingCall(Call):
    """A call that we place."""

    direction = "outgoing"

    def __init__(
        self,
        agent: UserAgent,
        uri: str,
        hop: Flow | Hop,
        caller: str,
        offer: bytes,
        content: tuple[bytes, str],
        headers: Headers,
        transport: str,
    ) -> None:
        """`caller`: our From without a tag. `content`: what the INVITE carries in place of the offer alone.

        Raises SipLocalError on values that can't be sent.
        """
        tag = agent.endpoint.new_tag()
        self.agent = agent
        call_id = agent.new_call_id()
        self._fields = checked([("From", f"{caller};tag={tag}"), ("To", f"<{uri}>"), *headers])
        self._fields += (("Max-Forwards", "70"), ("Call-ID", call_id), *agent.headers_for(transport))
        if agent.abilities.reliable is Reliable.REQUIRED:
            self._fields.append(("Require", "100rel"))
        self._content = content if content[0] else (offer, body.SDP if offer else "")
        checked([("Content-Type", self._content[1])])
        self._caller = caller
        self._min_se = 0
        self._cseq = 0
        super().__init__(agent, CallState.INVITING, self._build(uri, ()), call_id, tag, hop)
        self._cseq = 0
        self.local_sdp = offer
        self.early: dict[str, Dialog] = {}
        """The dialogs that the INVITE has made, by the peer's tag: several where a proxy forked it (§13.2.2.4)."""
        self._exchange: Exchange | None = None
        self._acks: dict[str, tuple[bytes, Flow]] = {}
        self._pracks = ProvisionalAcks(self)
        self._cancel_wanted = False
        self._cancel_headers: Headers = ()
        self._provisional = False
        self._give_up: Timer | None = None
        self._targets: list[str] = []
        self._tried = {uri}

    def start(self) -> None:
        """Send the INVITE; the agent's part."""
        uri = self.request.uri_text
        self.happen("inviting", {"uri": uri, "cli": user_of(self._caller)})
        self._invite(uri)

    def _invite(self, uri: str) -> None:
        self.agent.requester.send(lambda extra: self._build(uri, extra), self.hop, self._invited, self._sent)

    def hang_up(self, headers: Headers = ()) -> None:
        """CANCEL before the answer, BYE after it. The CANCEL waits for a provisional response (§9.1)."""
        if self.state in (CallState.INVITING, CallState.RINGING):
            self.state = CallState.ENDING
            self._cancel_wanted, self._cancel_headers = True, headers
            if self._provisional:
                self._send_cancel()
        elif self.state is CallState.ANSWERED:
            self.send_bye(headers=headers)

    def _build(self, uri: str, extra: Headers) -> Request:
        self._cseq += 1
        fields = [*self._fields, ("CSeq", f"{self._cseq} INVITE")]
        if self.agent.abilities.session_expires:
            fields += session_timer.asked(self.agent.abilities, self._min_se)
        if extra:
            fields += checked(extra)
        body_, content_type = self._content
        if content_type:
            fields.append(("Content-Type", content_type))
        return Request("INVITE", uri, fields, body_)

    def _sent(self, request: Request, exchange: Exchange) -> None:
        self.request = request
        self._exchange = exchange
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
        by = "local" if self._cancel_wanted and response.status == 487 else "remote"
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
        except SipRemoteError as error:
            self.agent.warn("sip.bad-answer", self.hop, call_id=self.id, reason=str(error))
            return
        ordered = [str(contact.uri) for contact in sorted(contacts, key=_quality, reverse=True)]
        fresh = [uri for uri in ordered if uri not in self._tried and uri not in self._targets]
        self._targets += fresh[: min(left, MAX_TARGETS)]

    def _next_target(self) -> bool:
        """Send the INVITE to the next contact of a redirection; whether there was one that we may call."""
        while self._targets:
            uri = self._targets.pop(0)
            self._tried.add(uri)
            try:
                self.hop = self.agent.hop_for(uri)
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
        if tag:
            try:
                if not self._pracks.take(response, self.early[tag]):
                    return
            except SdpError as error:
                self.agent.warn("sip.offer-refused", self.hop, call_id=self.id, reason=str(error))
                self.hang_up()
                return
            self.dialog = self.early[tag]
        self.status, self.reason = response.status, response.reason
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
        if first:
            answer, agreed = self._late_answer(response)
        ack = dialog.request("ACK", self._credentials(request), answer, body.SDP if answer else "", request.cseq.number)
        self._acks[tag] = self.agent.endpoint.send_ack(ack, self.next_hop(dialog))
        if not first:
            # A second leg of a fork answered too: one of the two has to go (§13.2.2.4).
            self.agent.warn("sip.second-answer", self.hop, call_id=self.id, tag=tag)
            self._leave(dialog)
            return
        self._stop_give_up()
        self.dialog, self.accepted = dialog, response
        self.take_sdp(response)
        if self.is_over:
            self._leave(dialog)
        elif self.state is CallState.ENDING:
            self.send_bye("cancelled, but answered first")
        elif not agreed:
            self.send_bye("no session agreed")
        else:
            self.state = CallState.ANSWERED
            self.status, self.reason = response.status, response.reason
            self._settle_timer(response)
            self.happen("answered", {"status": response.status})

    def _late_answer(self, response: Response) -> tuple[bytes, bool]:
        """Our answer where we offered nothing, so that the 2xx carries the offer and the ACK the answer (§13.2.1)."""
        if self.local_sdp or not response.body:
            return b"", True
        try:
            self.local_sdp = self.answer_to(body.find(response, body.SDP) or b"")
        except SdpError as error:
            self.agent.warn("sip.offer-refused", self.hop, call_id=self.id, reason=str(error))
            return b"", False
        return self.local_sdp, True

    def _settle_timer(self, response: Response) -> None:
        try:
            agreed = session_timer.SessionExpires.of(response)
            if agreed is not None and self.agent.abilities.timers:
                updates = "UPDATE" in response.values("allow")
                ours = agreed.refresher != "uas"
                self.session_timer = session_timer.SessionTimer(
                    self.agent, self, agreed, ours=ours, peer_updates=updates
                )
        except SipRemoteError as error:
            self.agent.warn("sip.bad-answer", self.hop, call_id=self.id, reason=str(error))

    def _leave(self, dialog: Dialog) -> None:
        """End a dialog that the call does not go on in."""
        self.agent.requester.send(lambda extra: dialog.request("BYE", extra), self.next_hop(dialog), _mind_not)

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
        names = ("Authorization", "Proxy-Authorization")
        return [(name, line) for name in names for line in request.lines(name)]

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

    def end(self, status: int, reason: str, by: str, message: Message | None = None) -> None:
        self._stop_give_up()
        super().end(status, reason, by, message)


def _quality(contact: NameAddr) -> float:
    try:
        return float(contact.params.get("q") or 1.0)
    except ValueError:
        return 0.0


def _mind_not(response: Response | None, request: Request) -> None:
    """The answer to a BYE of a leg that nobody waits for."""


def _nothing(response: Response | None) -> None:
    """The answer to a CANCEL says nothing of the INVITE; that gets its own."""
