"""A call that we place: the calling side of INVITE, forks and CANCEL included (RFC 3261 §9.1, §13.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from harness.endpoints.sip.call import SDP_TYPE, Call, CallState
from harness.endpoints.sip.endpoint import Exchange
from harness.endpoints.sip.wheel import Timer
from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip.dialog import Dialog
from harness.protocols.sip.message import Request, Response
from harness.protocols.sip.transaction import cancel_for
from harness.transport.tap import Address

if TYPE_CHECKING:
    from harness.endpoints.sip.agent import UserAgent

MAX_FORKS: Final = 16
"""Dialogs that one INVITE of ours may make; answers beyond them are journalled and left."""


class OutgoingCall(Call):
    """A call that we place."""

    __slots__ = ("_acks", "_cancel_wanted", "_cseq", "_early", "_exchange", "_fields", "_give_up", "_provisional")

    def __init__(
        self,
        agent: UserAgent,
        uri: str,
        peer: Address,
        caller: str,
        offer: bytes,
        headers: Sequence[tuple[str, str]],
    ) -> None:
        """`caller`: our From without a tag. Raises SipLocalError on values that can't be sent."""
        tag = agent.endpoint.new_tag()
        self._agent = agent
        self._fields = [
            ("Max-Forwards", "70"),
            ("From", f"{caller};tag={tag}"),
            ("To", f"<{uri}>"),
            ("Call-ID", agent.new_call_id()),
            *agent.answer_headers,
            *headers,
        ]
        self._cseq = 0
        super().__init__(agent, "outgoing", CallState.INVITING, self._build_with(uri, offer, ()), tag, peer)
        self._cseq = 0
        self.local_sdp = offer
        self._exchange: Exchange | None = None
        self._early: dict[str, Dialog] = {}
        self._acks: dict[str, bytes] = {}
        self._cancel_wanted = False
        self._provisional = False
        self._give_up: Timer | None = None

    def start(self) -> None:
        """Send the INVITE; the agent's part."""
        uri, offer = self.request.uri_text, self.local_sdp
        self._happen("inviting", uri=uri, cli=self.request.from_.uri.user_text)
        self._agent.send(lambda extra: self._build_with(uri, offer, extra), self.peer, self._invited, self._sent)

    def hang_up(self) -> None:
        """CANCEL before the answer, BYE after it. The CANCEL waits for a provisional response (§9.1)."""
        if self.state in (CallState.INVITING, CallState.RINGING):
            self.state = CallState.ENDING
            self._cancel_wanted = True
            if self._provisional:
                self._send_cancel()
        elif self.state is CallState.ANSWERED:
            self._send_bye()

    def _build_with(self, uri: str, offer: bytes, extra: Sequence[tuple[str, str]]) -> Request:
        self._cseq += 1
        fields = [*self._fields, ("CSeq", f"{self._cseq} INVITE"), *extra]
        return Request.build("INVITE", uri, fields, offer, SDP_TYPE if offer else "")

    def _sent(self, request: Request, exchange: Exchange) -> None:
        self.request = request
        self._exchange = exchange
        self._provisional = False

    def _invited(self, response: Response | None, request: Request) -> None:
        if response is None:
            self._end(408, "no answer to INVITE", "remote")
        elif response.status < 200:
            self._progress(response)
        elif response.status < 300:
            self._accepted(response, request)
        else:
            self._stop_give_up()
            by = "local" if self._cancel_wanted and response.status == 487 else "remote"
            self._end(response.status, response.reason, by)

    def _progress(self, response: Response) -> None:
        self._provisional = True
        if self.state is CallState.ENDING:
            if self._cancel_wanted and self._give_up is None:
                self._send_cancel()
            return
        if self.state not in (CallState.INVITING, CallState.RINGING):
            return
        self.status, self.reason = response.status, response.reason
        if response.status == 100:
            return
        tag = response.to_tag
        if tag and tag not in self._early:
            if len(self._early) >= MAX_FORKS:
                self._agent.warn("sip.too-many-forks", self.peer, call_id=self.id)
                return
            self._early[tag] = self.dialog = Dialog.of_response(self.request, response)
        self._take_sdp(response)
        if response.status != 180:
            self._happen("progress", status=response.status, reason=response.reason)
        elif self.state is CallState.INVITING:
            self.state = CallState.RINGING
            self._happen("ringing", status=response.status)

    def _accepted(self, response: Response, request: Request) -> None:
        tag = response.to_tag
        again = self._acks.get(tag)
        if again is not None:
            self._agent.endpoint.send(again, self._next_hop(self._early[tag]))
            return
        if len(self._acks) >= MAX_FORKS:
            self._agent.warn("sip.too-many-forks", self.peer, call_id=self.id)
            return
        first = not self._acks
        dialog = self._confirm(tag, response, request)
        body = b""
        if first and not self.local_sdp and response.body and self._on_offer is not None:
            # We offered nothing, so the 200 carries the offer and the ACK the answer (§13.2.1).
            body = self.local_sdp = self._on_offer(self, response.body)
        ack = dialog.request("ACK", self._credentials(request), body, SDP_TYPE if body else "", request.cseq.number)
        self._acks[tag] = self._agent.endpoint.send_ack(ack, self._next_hop(dialog))
        if not first:
            # A second leg of a fork answered too: one of the two has to go (§13.2.2.4).
            self._agent.warn("sip.second-answer", self.peer, call_id=self.id, tag=tag)
            self._agent.send(lambda extra: dialog.request("BYE", extra), self._next_hop(dialog), _mind_not)
            return
        self._stop_give_up()
        self.dialog = dialog
        self._take_sdp(response)
        if self.is_over:
            self._agent.send(lambda extra: dialog.request("BYE", extra), self._next_hop(dialog), _mind_not)
        elif self.state is CallState.ENDING:
            self._send_bye("cancelled, but answered first")
        else:
            self.state = CallState.ANSWERED
            self.status, self.reason = response.status, response.reason
            self._happen("answered", status=response.status)

    def _confirm(self, tag: str, response: Response, request: Request) -> Dialog:
        dialog = self._early.get(tag)
        try:
            if dialog is None:
                dialog = Dialog.of_response(request, response)
            dialog.confirm(response)
        except SipRemoteError as error:
            # Without tag or Contact there is still an ACK to send, or the peer repeats its 200 for half a minute.
            self._agent.warn("sip.bad-answer", self.peer, call_id=self.id, reason=str(error))
            own, theirs = request.get("from") or "", response.get("to") or ""
            dialog = Dialog(self.id, own, theirs, request.uri_text, [])
            dialog.local_cseq = request.cseq.number
        self._early[tag] = dialog
        return dialog

    def _credentials(self, request: Request) -> list[tuple[str, str]]:
        """§22.1: an ACK carries the credentials of its INVITE."""
        names = ("Authorization", "Proxy-Authorization")
        return [(name, line) for name in names for line in request.lines(name)]

    def _send_cancel(self) -> None:
        endpoint = self._agent.endpoint
        self._give_up = endpoint.wheel.after(endpoint.timing.patience, self._abandon)
        try:
            endpoint.send_with_via(cancel_for(self.request), self.peer, _nothing)
        except SipLocalError as error:
            self._agent.warn("sip.overload", self.peer, call_id=self.id, reason=str(error))

    def _abandon(self) -> None:
        """The CANCEL brought no final response in 64*T1 (§9.1)."""
        if self._exchange is not None:
            self._exchange.abandon()
        self._end(408, "CANCEL not answered", "local")

    def _stop_give_up(self) -> None:
        if self._give_up is not None:
            self._give_up.cancel()


def _mind_not(response: Response | None, request: Request) -> None:
    """The answer to a BYE of a leg that nobody waits for."""


def _nothing(response: Response | None) -> None:
    """The answer to a CANCEL says nothing of the INVITE; that gets its own."""
