"""A call that came in: what the called side can do with an INVITE (RFC 3261 §13.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from harness.endpoints.sip import session_timer
from harness.endpoints.sip.abilities import Reliable
from harness.endpoints.sip.call import Call, CallState, Headers
from harness.endpoints.sip.exchange import Exchange
from harness.endpoints.sip.flow import Flow, told_by
from harness.endpoints.sip.reliable import ReliableRinging
from harness.endpoints.sip.wheel import Timer
from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip import body
from harness.protocols.sip.dialog import Dialog
from harness.protocols.sip.message import Request, Response

if TYPE_CHECKING:
    from harness.endpoints.sip.agent import UserAgent


UNANSWERED: Final = frozenset((CallState.INCOMING, CallState.RINGING))
MAX_RINGING_S: Final = 3_600.0
"""Seconds after which a call that nobody has answered is refused with 480."""
_ASKS: Final = frozenset(("supported", "require"))
"""Headers by which a caller may ask for reliable provisional responses."""


class IncomingCall(Call):
    """A call that came in."""

    direction = "incoming"
    replaces: Call | None = None
    """The call of ours that this one takes the place of (RFC 3891): it is ended when this one is answered."""
    merged: tuple[str, str] | None = None
    """Call-ID and From tag, by which a second copy of the INVITE is known (§8.2.2.2); the agent's part."""
    sweeps = 0
    """How often it was found unanswered (see `ringing`)."""
    _hang_up_wanted = False
    _hang_up_headers: Headers = ()
    _answering = False
    _reliable: ReliableRinging | None = None
    _expiry: Timer | None = None

    def __init__(self, agent: UserAgent, request: Request, exchange: Exchange, flow: Flow) -> None:
        """Raises SipRemoteError where the INVITE makes no dialog."""
        tag = agent.endpoint.new_tag()
        super().__init__(agent, CallState.INCOMING, request, request.envelope.call_id, tag, flow)
        self.dialog = Dialog.of_request(request, tag)
        self.flow = flow
        if flow.reliable:
            self.is_direct = request.envelope.is_direct
        self._exchange = exchange
        exchange.owner = self
        exchange.tell = self._no_ack_to_refusal
        self.offered = bool(self.take_sdp(request))
        """Whether the INVITE brought an offer."""

    def announce(self) -> None:
        """Journal the call; the agent's part."""
        identity = self.remote_identity
        self.happen("incoming", {"uri": self.request.uri_text, "cli": identity.user, "display": identity.display})

    def trying(self) -> None:
        """Send 100, so that the caller stops repeating its INVITE; once anything was sent, nothing happens."""
        if self.state is CallState.INCOMING and self.status == 0:
            self.status, self.reason = 100, "Trying"
            if self.agent.ringing.due is None:
                self.agent.ringing.watch()
            self._exchange.respond(self.request.response(100))

    def ring(self, status: int = 180, *, sdp: bytes = b"", headers: Headers = (), reliable: bool | None = None) -> None:
        """Send 180, or another provisional status (181…199) with early media if `sdp` is given.

        `reliable`: until it is acknowledged by PRACK; None leaves it to the agent's abilities and what the caller asked
        for. Raises SipLocalError once the call is answered or over, and where the caller can't have it reliably.
        """
        if self._answering or self.state not in UNANSWERED:
            self._must_be_unanswered("rung")
        if not 101 <= status <= 199:
            raise SipLocalError(f"a provisional status is 101…199, not {status}")
        reliably = self._is_reliable(sdp, reliable)
        if reliably and sdp and self._reliable is not None:
            sdp = self._undescribed(sdp)
        response = self.request.response(
            status,
            to_tag=self.local_tag,
            headers=headers,
            prepared=self.agent.card.provisional[told_by(self._exchange.flow, self.request)],
            body=sdp,
            content_type=body.SDP if sdp else "",
        )
        self.status, self.reason = status, response.reason
        if sdp:
            self.local_sdp = sdp
        if reliably:
            if self._reliable is None:
                self._reliable = ReliableRinging(self, self._exchange)
            self._reliable.send(response)
        else:
            self._exchange.respond(response)
        if self.agent.ringing.due is None:
            self.agent.ringing.watch()
        if status == 180:
            first = self.state is CallState.INCOMING
            self.state = CallState.RINGING
            if first:
                self.happen("ringing", {})

    def _undescribed(self, sdp: bytes) -> bytes:
        """What of a session description the peer has not got reliably: all or nothing of it. Raises SipLocalError."""
        described = self._reliable.described if self._reliable is not None else b""
        if described and sdp not in (b"", described):
            raise SipLocalError(f"{self}: its session was described reliably already; UPDATE changes it (RFC 6337)")
        return b"" if described else sdp

    def ring_again(self) -> None:
        """Repeat what was sent last, without a session description; once a minute is due (§13.3.1.1)."""
        if self.status > 100 and not self._answering:
            self.ring(self.status)

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

    def answer(self, sdp: bytes, headers: Headers = (), *, beside: Sequence[body.Part] = ()) -> None:
        """Send 200 with our session description and repeat it until its ACK comes. Raises SipLocalError later on.

        Where the INVITE brought no offer, `sdp` is one, and its answer comes with the ACK, or came with a PRACK. While
        a reliable provisional response with a session description is not acknowledged, the 200 waits (RFC 3262 §3).
        What such a one described holds, and the 200 describes nothing (RFC 6337 §3.1): `sdp` is to be the same, or
        empty. `beside`: what else the 200 carries, such as the acknowledgement of an eCall's data (RFC 8147 §9.1).
        """
        if self._answering or self.state not in UNANSWERED:
            self._must_be_unanswered("answered")
        if self._reliable is not None:
            sdp = self._undescribed(sdp)
        if self._reliable is None:
            self._send_answer(sdp, headers, beside)
        else:
            self._answering = True
            self._reliable.before_2xx(lambda: self._send_answer(sdp, headers, beside))

    def _send_answer(self, sdp: bytes, headers: Headers, beside: Sequence[body.Part]) -> None:
        dialog = self.dialog
        if dialog is None or self.state is CallState.ENDED:
            return
        self._answering = False
        self.state = CallState.ANSWERED
        self.status, self.reason = 200, "OK"
        if sdp:
            self.local_sdp = sdp
        dialog.confirm()
        if self.agent.abilities.session_expires or "session-expires" in self.request.envelope.first:
            headers = [*session_timer.settled_with(self.request, self.agent, self), *headers]
        offers = bool(sdp) and not self.offered
        self.answer_invite(self.request, self._exchange, sdp, headers, offers=offers, beside=beside)
        self.happen("answered", {})
        if self.replaces is not None:
            self.replaces.hang_up([("Reason", 'SIP;cause=200;text="Replaced"')])

    @property
    def open_offer(self) -> str:
        if self.state in UNANSWERED:
            described = self._reliable.described if self._reliable is not None else b""
            answered = bool(described) and self._reliable is not None and self._reliable.is_acknowledged
            if self.offered:
                return "" if answered else "theirs"
            return "ours" if described and not answered else ""
        return super().open_offer

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
        if self.state in UNANSWERED:
            self._refuse(480, headers)
        elif self.state is CallState.ANSWERED:
            if self._repeat is not None:
                self._hang_up_wanted, self._hang_up_headers = True, headers
            else:
                self.send_bye(headers=headers)

    def expire_after(self, invite: Request) -> None:
        """Refuse the call with 487 where it is unanswered when the INVITE expires (§13.3.1)."""
        try:
            seconds = invite.number("expires")
        except SipRemoteError:
            return  # what can't be read does not expire
        if seconds is not None and seconds <= MAX_RINGING_S:
            self._expiry = self.agent.endpoint.wheel.after(seconds, self.expire, 487, "Expired")

    def expire(self, status: int, reason: str) -> None:
        """Refuse the call whatever is under way: nobody answered, or acknowledged, in time."""
        if self.state in UNANSWERED:
            self._refuse(status, (), reason)

    def _refuse(self, status: int, headers: Headers, reason: str = "") -> None:
        response = self.request.response(status, reason, to_tag=self.local_tag, headers=headers)
        self._exchange.respond(response)
        self.end(status, response.reason, "local")

    def end(self, status: int, reason: str, by: str, message: Request | Response | None = None) -> None:  # type: ignore[override]
        if self._reliable is not None:
            self._reliable.stop()
        if self._expiry is not None:
            self._expiry.cancel()
        super().end(status, reason, by, message)
        # The exchange lingers for half a minute; the call and its messages need not.
        self._exchange.release()

    def cancelled(self, cancel: Request) -> None:
        """The caller's CANCEL came (§9.2): 487, unless a final response went out already."""
        if self.state in UNANSWERED:
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
        if self.state in UNANSWERED:
            # A BYE on the early dialog: the INVITE still wants its final answer (§15.1.2).
            self._exchange.respond(self.request.response(487, to_tag=self.local_tag))
        super().peer_hung_up(request)

    def _no_ack_to_refusal(self, response: Response | None) -> None:
        self.agent.warn("sip.no-ack", self.hop, call_id=self.id)

    def _must_be_unanswered(self, what: str) -> None:
        if self._answering or self.state not in UNANSWERED:
            state = "being answered" if self._answering else self.state
            raise SipLocalError(f"{self} can't be {what}: it is {state}")
