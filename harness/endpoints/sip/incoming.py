"""A call that came in: what the called side can do with an INVITE (RFC 3261 §13.3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from harness.endpoints.sip.call import SDP_TYPE, Call, CallState
from harness.endpoints.sip.endpoint import Exchange
from harness.errors import SipLocalError
from harness.protocols.sip.dialog import Dialog
from harness.protocols.sip.message import Request, Response
from harness.transport.tap import Address

if TYPE_CHECKING:
    from harness.endpoints.sip.agent import UserAgent


class IncomingCall(Call):
    """A call that came in."""

    __slots__ = ("_exchange", "_hang_up_wanted")

    def __init__(self, agent: UserAgent, request: Request, exchange: Exchange, source: Address) -> None:
        """Raises SipRemoteError where the INVITE makes no dialog."""
        super().__init__(agent, "incoming", CallState.INCOMING, request, agent.endpoint.new_tag(), source)
        self.dialog = Dialog.of_request(request, self.local_tag)
        self._exchange = exchange
        self._hang_up_wanted = False
        exchange.owner = self
        exchange.tell = self._no_ack_to_refusal
        self._take_sdp(request)

    def announce(self) -> None:
        """Journal the call; the agent's part."""
        called = self.request.uri_text
        identity = self.remote_identity
        self._happen("incoming", uri=called, cli=identity.user, display=identity.display)

    def trying(self) -> None:
        """Send 100, so that the caller stops repeating its INVITE; once anything was sent, nothing happens."""
        if self.state is CallState.INCOMING and self.status == 0:
            self.status, self.reason = 100, "Trying"
            self._exchange.respond(self.request.response(100))

    def ring(self, status: int = 180, *, sdp: bytes = b"", headers: Iterable[tuple[str, str]] = ()) -> None:
        """Send 180, or another provisional status (181…189) with early media if `sdp` is given.

        Raises SipLocalError once the call is answered or over.
        """
        self._must_be_unanswered("rung")
        if not 101 <= status <= 199:
            raise SipLocalError(f"a provisional status is 101…199, not {status}")
        response = self.request.response(
            status,
            to_tag=self.local_tag,
            headers=headers,
            prepared=self._agent.contact_header,
            body=sdp,
            content_type=SDP_TYPE if sdp else "",
        )
        self.status, self.reason = status, response.reason
        if sdp:
            self.local_sdp = sdp
        self._exchange.respond(response)
        if status == 180:
            first = self.state is CallState.INCOMING
            self.state = CallState.RINGING
            if first:
                self._happen("ringing")

    def answer(self, sdp: bytes) -> None:
        """Send 200 with our session description and repeat it until its ACK comes. Raises SipLocalError later on."""
        self._must_be_unanswered("answered")
        assert self.dialog is not None
        self.state = CallState.ANSWERED
        self.status, self.reason = 200, "OK"
        self.local_sdp = sdp
        self.dialog.confirm()
        self.answer_invite(self.request, self._exchange, sdp)
        self._happen("answered")

    def reject(self, status: int = 486, reason: str = "", headers: Iterable[tuple[str, str]] = ()) -> None:
        """Refuse the call with a status of 300…699. Raises SipLocalError once it is answered or over."""
        self._must_be_unanswered("refused")
        if not 300 <= status <= 699:
            raise SipLocalError(f"a call is refused with 300…699, not {status}")
        response = self.request.response(status, reason, to_tag=self.local_tag, headers=headers)
        self._exchange.respond(response)
        self._end(status, response.reason, "local")

    def hang_up(self) -> None:
        """Refuse with 480 while unanswered, else BYE; a BYE waits for the ACK of our 200 (§15)."""
        if self.state in (CallState.INCOMING, CallState.RINGING):
            self.reject(480)
        elif self.state is CallState.ANSWERED:
            if self._repeat is not None:
                self._hang_up_wanted = True
            else:
                self._send_bye()

    def _end(self, status: int, reason: str, by: str) -> None:
        super()._end(status, reason, by)
        # The exchange lingers for half a minute; the call and its messages need not.
        self._exchange.release()

    def cancelled(self, cancel: Request) -> None:
        """The caller's CANCEL came (§9.2): 487, unless a final response went out already."""
        if self.state in (CallState.INCOMING, CallState.RINGING):
            self._exchange.respond(self.request.response(487, to_tag=self.local_tag))
            self._end(487, "cancelled", "remote")

    def receive_ack(self, ack: Request) -> None:
        super().receive_ack(ack)
        if self._hang_up_wanted and self._repeat is None:
            self._send_bye()

    def _peer_hung_up(self, request: Request) -> None:
        if self.state in (CallState.INCOMING, CallState.RINGING):
            # A BYE on the early dialog: the INVITE still wants its final answer (§15.1.2).
            self._exchange.respond(self.request.response(487, to_tag=self.local_tag))
        super()._peer_hung_up(request)

    def _no_ack_to_refusal(self, response: Response | None) -> None:
        self._agent.warn("sip.no-ack", self.peer, call_id=self.id)

    def _must_be_unanswered(self, what: str) -> None:
        if self.state not in (CallState.INCOMING, CallState.RINGING):
            raise SipLocalError(f"{self} can't be {what}: it is {self.state}")
