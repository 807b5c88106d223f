"""A call that came in: what the called side can do with an INVITE (RFC 3261 §13.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.endpoints.sip import session_timer
from harness.endpoints.sip.abilities import Reliable
from harness.endpoints.sip.call import Call, CallState, Headers
from harness.endpoints.sip.exchange import Exchange
from harness.endpoints.sip.flow import Flow
from harness.endpoints.sip.reliable import ReliableRinging
from harness.errors import SipLocalError
from harness.protocols.sip import body
from harness.protocols.sip.dialog import Dialog
from harness.protocols.sip.message import Request, Response

if TYPE_CHECKING:
    from harness.endpoints.sip.agent import UserAgent


_UNANSWERED: Final = frozenset((CallState.INCOMING, CallState.RINGING))
_ASKS: Final = frozenset(("supported", "require"))


class IncomingCall(Call):
    """A call that came in."""

    direction = "incoming"
    replaces: Call | None = None
    """The call of ours that this one takes the place of (RFC 3891): it is ended when this one is answered."""
    _hang_up_wanted = False
    _hang_up_headers: Headers = ()
    _answering = False
    _reliable: ReliableRinging | None = None

    def __init__(self, agent: UserAgent, request: Request, exchange: Exchange, flow: Flow) -> None:
        """Raises SipRemoteError where the INVITE makes no dialog."""
        tag = agent.endpoint.new_tag()
        super().__init__(agent, CallState.INCOMING, request, request.envelope.call_id, tag, flow)
        self.dialog = Dialog.of_request(request, tag)
        self._exchange = exchange
        exchange.owner = self
        exchange.tell = self._no_ack_to_refusal
        self.take_sdp(request)

    def announce(self) -> None:
        """Journal the call; the agent's part."""
        identity = self.remote_identity
        self.happen("incoming", {"uri": self.request.uri_text, "cli": identity.user, "display": identity.display})

    def trying(self) -> None:
        """Send 100, so that the caller stops repeating its INVITE; once anything was sent, nothing happens."""
        if self.state is CallState.INCOMING and self.status == 0:
            self.status, self.reason = 100, "Trying"
            self._exchange.respond(self.request.response(100))

    def ring(self, status: int = 180, *, sdp: bytes = b"", headers: Headers = (), reliable: bool | None = None) -> None:
        """Send 180, or another provisional status (181…199) with early media if `sdp` is given.

        `reliable`: until it is acknowledged by PRACK; None leaves it to the agent's abilities and what the caller asked
        for. Raises SipLocalError once the call is answered or over, and where the caller can't have it reliably.
        """
        if self._answering or self.state not in _UNANSWERED:
            self._must_be_unanswered("rung")
        if not 101 <= status <= 199:
            raise SipLocalError(f"a provisional status is 101…199, not {status}")
        response = self.request.response(
            status,
            to_tag=self.local_tag,
            headers=headers,
            prepared=self.agent.ringing_text(self._exchange.flow.transport),
            body=sdp,
            content_type=body.SDP if sdp else "",
        )
        self.status, self.reason = status, response.reason
        if sdp:
            self.local_sdp = sdp
        if self._is_reliable(sdp, reliable):
            if self._reliable is None:
                self._reliable = ReliableRinging(self, self._exchange)
            self._reliable.send(response)
        else:
            self._exchange.respond(response)
        if status == 180:
            first = self.state is CallState.INCOMING
            self.state = CallState.RINGING
            if first:
                self.happen("ringing", {})

    def _is_reliable(self, sdp: bytes, wanted: bool | None) -> bool:
        request = self.request
        if wanted is None and _ASKS.isdisjoint(request.envelope.first):
            return False  # most callers
        required = "100rel" in request.options("require")
        possible = required or "100rel" in request.options("supported")
        if wanted is None:
            ability = self.agent.abilities.reliable
            return required or (
                possible and (ability is Reliable.REQUIRED or (ability is Reliable.SUPPORTED and bool(sdp)))
            )
        if wanted and not possible:
            raise SipLocalError(f"{self}: the caller does not support reliable provisional responses")
        return wanted

    def answer(self, sdp: bytes, headers: Headers = ()) -> None:
        """Send 200 with our session description and repeat it until its ACK comes. Raises SipLocalError later on.

        Where the INVITE brought no offer, `sdp` is one, and its answer comes with the ACK, or came with a PRACK. While
        a reliable provisional response with a session description is not acknowledged, the 200 waits (RFC 3262 §3).
        """
        if self._answering or self.state not in _UNANSWERED:
            self._must_be_unanswered("answered")
        if self._reliable is None:
            self._send_answer(sdp, headers)
        else:
            self._answering = True
            self._reliable.before_2xx(lambda: self._send_answer(sdp, headers))

    def _send_answer(self, sdp: bytes, headers: Headers) -> None:
        dialog = self.dialog
        if dialog is None or self.state is CallState.ENDED:
            return
        self._answering = False
        self.state = CallState.ANSWERED
        self.status, self.reason = 200, "OK"
        self.local_sdp = sdp
        dialog.confirm()
        if self.agent.abilities.session_expires or "session-expires" in self.request.envelope.first:
            headers = [*self._settle_timer(), *headers]
        self.answer_invite(self.request, self._exchange, sdp, headers)
        self.happen("answered", {})
        if self.replaces is not None:
            self.replaces.hang_up([("Reason", 'SIP;cause=200;text="Replaced"')])

    def _settle_timer(self) -> Headers:
        agreed = session_timer.agree(self.request, self.agent.abilities)
        if agreed is None:
            return ()
        updates = "UPDATE" in self.request.values("allow")
        ours = agreed.refresher == "uas"
        self.session_timer = session_timer.SessionTimer(self.agent, self, agreed, ours=ours, peer_updates=updates)
        return session_timer.told(agreed)

    def reject(self, status: int = 486, reason: str = "", headers: Headers = ()) -> None:
        """Refuse the call with a status of 300…699. Raises SipLocalError once it is answered or over."""
        self._must_be_unanswered("refused")
        if not 300 <= status <= 699:
            raise SipLocalError(f"a call is refused with 300…699, not {status}")
        response = self.request.response(status, reason, to_tag=self.local_tag, headers=headers)
        self._exchange.respond(response)
        self.end(status, response.reason, "local")

    def hang_up(self, headers: Headers = ()) -> None:
        """Refuse with 480 while unanswered, else BYE; a BYE waits for the ACK of our 200 (§15)."""
        if self.state in (CallState.INCOMING, CallState.RINGING):
            self._refuse(480, headers)
        elif self.state is CallState.ANSWERED:
            if self._repeat is not None:
                self._hang_up_wanted, self._hang_up_headers = True, headers
            else:
                self.send_bye(headers=headers)

    def _refuse(self, status: int, headers: Headers) -> None:
        response = self.request.response(status, to_tag=self.local_tag, headers=headers)
        self._exchange.respond(response)
        self.end(status, response.reason, "local")

    def end(self, status: int, reason: str, by: str, message: Request | Response | None = None) -> None:  # type: ignore[override]
        if self._reliable is not None:
            self._reliable.stop()
        super().end(status, reason, by, message)
        # The exchange lingers for half a minute; the call and its messages need not.
        self._exchange.release()

    def cancelled(self, cancel: Request) -> None:
        """The caller's CANCEL came (§9.2): 487, unless a final response went out already."""
        if self.state in (CallState.INCOMING, CallState.RINGING):
            self._exchange.respond(self.request.response(487, to_tag=self.local_tag))
            self.end(487, "cancelled", "remote", cancel)

    def prack(self, request: Request, exchange: Exchange) -> None:
        """The caller's PRACK. Raises SipRemoteError (a 400)."""
        if self._reliable is None:
            exchange.respond(request.response(481))
        else:
            self._reliable.acknowledged(request, exchange)

    def receive_ack(self, ack: Request) -> None:
        super().receive_ack(ack)
        if self._hang_up_wanted and self._repeat is None:
            self.send_bye(headers=self._hang_up_headers)

    def peer_hung_up(self, request: Request) -> None:
        if self.state in (CallState.INCOMING, CallState.RINGING):
            # A BYE on the early dialog: the INVITE still wants its final answer (§15.1.2).
            self._exchange.respond(self.request.response(487, to_tag=self.local_tag))
        super().peer_hung_up(request)

    def _no_ack_to_refusal(self, response: Response | None) -> None:
        self.agent.warn("sip.no-ack", self.hop, call_id=self.id)

    def _must_be_unanswered(self, what: str) -> None:
        if self._answering or self.state not in (CallState.INCOMING, CallState.RINGING):
            state = "being answered" if self._answering else self.state
            raise SipLocalError(f"{self} can't be {what}: it is {state}")
