"""A call as both sides see it: its state, what a test can wait for, and requests within its dialog."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from harness.endpoints.sip.exchange import Exchange
from harness.endpoints.sip.flow import Flow, Hop, told_by
from harness.endpoints.sip.party import Identity, called_of, caller_of, reason_text
from harness.endpoints.sip.repeat import Repeat
from harness.endpoints.sip.requester import Answered, Build
from harness.errors import SipLocalError
from harness.privacy import mask_fields, mask_text
from harness.protocols.sip import body
from harness.protocols.sip.dialog import Dialog
from harness.protocols.sip.message import Message, Request, Response

if TYPE_CHECKING:
    from harness.endpoints.sip.agent import UserAgent
    from harness.endpoints.sip.refer import Transfer
    from harness.endpoints.sip.session import Session
    from harness.endpoints.sip.session_timer import SessionTimer

MAX_WAITERS: Final = 64
"""Waits on one call at once."""
MAX_LISTENERS: Final = 16
"""Callbacks of one call."""


class CallState(StrEnum):
    """How far a call is."""

    INVITING = "inviting"
    """Our INVITE is out."""
    INCOMING = "incoming"
    """The peer's INVITE is here, unanswered."""
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDING = "ending"
    """Our CANCEL or BYE is out."""
    ENDED = "ended"


Headers = Sequence[tuple[str, str]]
Listener = Callable[["Call", str], None]
InDialog = Callable[["Call", Request, Exchange], None]
"""Deals with a request within a call's dialog whose CSeq is checked, and answers it."""


class Call:
    """One call. Made by UserAgent: `invite` returns one at once, `on_invite` is given one."""

    direction: str
    """`outgoing` or `incoming`."""
    # What most calls never set stands here, so that making a call costs little.
    dialog: Dialog | None = None
    status = 0
    """The latest status sent or received for the INVITE; 0 before any."""
    reason = ""
    """The reason phrase that came with it, or why the call ended."""
    remote_sdp = b""
    """The peer's latest session description."""
    local_sdp = b""
    """Our latest session description."""
    accepted: Response | None = None
    """The 2xx that answered our INVITE; for Recv-Info, Supported and the like."""
    ended_by: Message | None = None
    """The peer's message that ended the call: BYE, CANCEL, or a refusal; for Reason, P-RTP-Stat and the like."""
    bye_headers: Callable[[], Headers] | None = None
    """What our BYE, or our answer to the peer's, carries beside its own headers (P-RTP-Stat…)."""
    on_info: Callable[[Call, Request], int] | None = None
    """Given each INFO; returns the status to answer with. Without it INFO is taken with 200."""
    taken_over: Mapping[str, InDialog] = MappingProxyType({})
    """What is done with requests within this call instead of what the agent does, by method.

    A switch puts what it carries to the other leg before it answers here: re-INVITE, UPDATE, BYE. Whoever takes BYE
    over is to answer it and to call `peer_hung_up`.
    """
    flow: Flow | None = None
    """By which the INVITE came, or went."""
    is_direct = False
    """Whether nobody is between the peer and us, and the peer made the connection that the INVITE came or went by."""
    _on_offer: Callable[[Call, bytes], bytes] | None = None
    _reached: tuple[str, ...] = ()
    _listeners: list[Listener] | None = None
    _waiters: list[tuple[str, asyncio.Future[None]]] | None = None
    _repeat: Repeat | None = None
    _offers_in_2xx = False
    _session: Session | None = None
    session_timer: SessionTimer | None = None
    """The session timer (RFC 4028), where the two sides agreed on one."""
    _transfers: dict[Transfer, None] | None = None

    def __init__(
        self, agent: UserAgent, state: CallState, request: Request, call_id: str, local_tag: str, hop: Flow | Hop
    ) -> None:
        self.agent = agent
        self.state = state
        self.request = request
        """The INVITE."""
        self.id = call_id
        """The Call-ID."""
        self._shown_id = mask_text(call_id)
        self.local_tag = local_tag
        self.hop = hop
        """Where the INVITE went, or came from: what in-dialog requests fall back on."""

    # What a test asks

    @property
    def remote_identity(self) -> Identity:
        """The peer: the caller by P-Asserted-Identity (RFC 3325) or From, the called party by To."""
        return called_of(self.request) if self.direction == "outgoing" else caller_of(self.request)

    @property
    def is_over(self) -> bool:
        """Whether the call has ended."""
        return self.state is CallState.ENDED

    async def ringing(self, *, within: float) -> None:
        """Wait `within` seconds until the call rings (180). Raises SipLocalError when it does not."""
        await self._reach("ringing", within)

    async def answered(self, *, within: float) -> None:
        """Wait `within` seconds until the call is answered. Raises SipLocalError with the status when it fails."""
        await self._reach("answered", within)

    async def ended(self, *, within: float) -> None:
        """Wait `within` seconds until the call has ended. Raises SipLocalError when it is still up then."""
        await self._reach("ended", within)

    def on_change(self, listener: Listener) -> None:
        """Call `listener(call, what)` on progress, ringing, answered, confirmed, offered and ended."""
        if self._listeners is None:
            self._listeners = []
        if len(self._listeners) >= MAX_LISTENERS:
            raise SipLocalError(f"{MAX_LISTENERS} listeners on one call already")
        self._listeners.append(listener)

    def on_offer(self, answer: Callable[[Call, bytes], bytes]) -> None:
        """Let `answer(call, offer)` return the answer to a later offer of the peer's (hold, resume).

        It may raise SdpError: the offer is then refused with 488 and the session stays as it was. Without it, what we
        sent last is sent again. An empty offer is the peer's wish that we offer: what is returned then is our offer.
        """
        self._on_offer = answer

    def hang_up(self, headers: Headers = ()) -> None:
        """End the call in the way its state demands: CANCEL, BYE or a refusal. Nothing happens once it is ending.

        `headers`: what that message carries besides (Reason).
        """
        raise NotImplementedError

    @property
    def session(self) -> Session:
        """Later offers and answers within the call: re-INVITE and UPDATE."""
        if self._session is None:
            self._session = self.agent.make_session(self)
        return self._session

    @property
    def transfers(self) -> dict[Transfer, None]:
        """Transfers that the peer was asked for (REFER) and that are not over, oldest first."""
        if self._transfers is None:
            self._transfers = {}
        return self._transfers

    async def send(
        self,
        method: str,
        *,
        headers: Headers = (),
        content: bytes = b"",
        content_type: str = "",
        within: float = 32.0,
    ) -> Response:
        """Send a request within the dialog and return its final response, whatever its status.

        Raises SipLocalError where there is no dialog, or no final response comes within `within` seconds.
        """
        dialog = self.dialog
        if dialog is None or self.is_over:
            raise SipLocalError(f"{self} has no dialog to send {method} in: it is {self.state}")

        def build() -> Request:
            return dialog.request(method, headers, content, content_type)

        def unanswered() -> None:
            self.lose(None)

        target, fallback = self.ways(dialog)
        response = await self.agent.requester.ask(
            f"{method} within {self}", build, target, within, fallback=fallback, unanswered=unanswered
        )
        if method != "PRACK":
            self.lose(response)
        return response

    def lose(self, response: Response | None) -> None:
        """Give the call up where the answer to a request within it says that the peer knows it no more (§12.2.1.2)."""
        if response is None or response.status in (408, 481):
            self.send_bye(f"{response.status} {response.reason}" if response is not None else "no answer")

    def abandon(self, reason: str) -> None:
        """End the call without another message: the port is closing, or the INVITE never left."""
        self.end(self.status or 408, reason, "local")

    # What happens

    def happen(self, what: str, data: dict[str, Any]) -> None:
        """Journal it with `data`, tell the listeners and those who wait."""
        self._reached += (what,)
        agent = self.agent
        told = {"call_id": self._shown_id, "direction": self.direction}
        if data:
            told.update(mask_fields(data))
        agent.journal.append(agent.name, "call." + what, told, masked=True)
        for kind, waiter in self._waiters or ():
            if not waiter.done():
                if kind == what:
                    waiter.set_result(None)
                elif what == "ended" or (what == "answered" and kind == "ringing"):
                    waiter.set_exception(SipLocalError(self._told_instead(kind)))
        if self._listeners is not None:
            for listener in tuple(self._listeners):
                listener(self, what)

    def tell(self, what: str) -> None:
        """Tell the listeners."""
        for listener in tuple(self._listeners or ()):
            listener(self, what)

    async def _reach(self, what: str, within: float) -> None:
        if what in self._reached:
            return
        if self.is_over or (what == "ringing" and "answered" in self._reached):
            raise SipLocalError(self._told_instead(what))
        if self._waiters is None:
            self._waiters = []
        if len(self._waiters) >= MAX_WAITERS:
            raise SipLocalError(f"{MAX_WAITERS} waits on one call already")
        waiter = (what, asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(within):
                await waiter[1]
        except TimeoutError:
            latest = f", latest status {self.status} {self.reason}" if self.status else ""
            raise SipLocalError(f"{self} not {what} within {within:g} s: it is {self.state}{latest}") from None
        finally:
            self._waiters.remove(waiter)

    def _told_instead(self, what: str) -> str:
        if not self.is_over:
            return f"{self} was answered without {what}"
        return f"{self} ended before it was {what}: {self.status} {self.reason}"

    def __str__(self) -> str:
        return f"{self.direction} call {self.id} ({self.request.uri_text})"

    def end(self, status: int, reason: str, by: str, message: Message | None = None) -> None:
        """The call is over; `by` is `local` or `remote`; `message` of the peer's ended it."""
        if self.state is CallState.ENDED:
            return
        self.state = CallState.ENDED
        self.status, self.reason = status, reason
        if message is not None:
            self.ended_by = message
        if self._repeat is not None:
            self._repeat.stop()
            self._repeat = None
        if self._session is not None:
            self._session.close(f"{self} ended: {reason}")
        for transfer in self._transfers or ():
            transfer.outlive()
        if self.session_timer is not None:
            self.session_timer.stop()
        self.agent.forget(self)
        self.happen("ended", {"status": status, "reason": reason, "by": by})

    def take_sdp(self, message: Message) -> bytes:
        """Keep the session description that a message carries, if any, and return it. Raises SipRemoteError."""
        if not message.body:
            return b""
        if message.get("content-type") == body.SDP:
            found: bytes | None = message.body
        else:
            found = body.find(message, body.SDP)
        if found:
            self.remote_sdp = found
        return found or b""

    def answer_to(self, offer: bytes) -> bytes:
        """Our answer to an offer of the peer's, or our offer where `offer` is empty. Raises SdpError to refuse it."""
        return self._on_offer(self, offer) if self._on_offer is not None else self.local_sdp

    # Within the dialog

    def receive(self, request: Request, exchange: Exchange) -> None:
        """A request of the peer's within the dialog, CSeq checked. Raises SipRemoteError (a 400)."""
        taken_over = self.taken_over.get(request.method)
        if taken_over is not None:
            taken_over(self, request, exchange)
        elif request.method == "BYE":
            headers = self.bye_headers() if self.bye_headers is not None else ()
            exchange.respond(request.response(200, headers=headers))
            self.peer_hung_up(request)
        else:
            self.agent.in_dialog[request.method](self, request, exchange)

    def receive_ack(self, ack: Request) -> None:
        """The ACK of a 2xx of ours."""
        repeat = self._repeat
        if repeat is None or ack.envelope.number != repeat.cseq:
            return
        self.settle()
        if self.state is CallState.ENDED:
            return
        if self._offers_in_2xx:
            self._offers_in_2xx = False
            if not self.take_sdp(ack):
                # RFC 3264 §4: a session without an answer is none.
                self.agent.warn("sip.no-answer", self.hop, call_id=self.id)
                self.send_bye("no answer to our offer")
                return
        if self._listeners is not None:
            self.tell("confirmed")

    def settle(self) -> None:
        """A 2xx of ours needs no repeating any more: its ACK came, or a request that follows it."""
        if self._repeat is not None:
            self._repeat.stop()
            self._repeat = None

    def peer_hung_up(self, request: Request) -> None:
        """The peer's BYE came."""
        reason = request.envelope.first.get("reason")
        self.end(200, (reason_text(reason) if reason else "") or "BYE", "remote", request)

    @property
    def open_offer(self) -> str:
        """Whose offer of the INVITE has no answer yet: `ours`, `theirs`, or empty (RFC 3264 §4)."""
        return "ours" if self._offers_in_2xx else ""

    def answer_invite(
        self,
        request: Request,
        exchange: Exchange,
        sdp: bytes,
        headers: Headers = (),
        *,
        offers: bool = False,
        beside: Sequence[body.Part] = (),
    ) -> None:
        """Send a 200 with a session description and repeat it until its ACK comes (§13.3.1.4).

        `offers`: the description is an offer, whose answer comes with the ACK. `beside`: other parts of its body.
        """
        self._offers_in_2xx = offers
        content, content_type = sdp, body.SDP if sdp else ""
        if beside:
            content, content_type = body.multipart([*([body.Part(body.SDP, sdp)] if sdp else []), *beside])
        response = request.response(
            200,
            to_tag=self.local_tag,
            prepared=self.agent.card.answers[told_by(exchange.flow, request)],
            headers=headers,
            body=content,
            content_type=content_type,
        )
        self._repeat = Repeat(self.agent.endpoint, exchange, response, self._no_ack)
        exchange.respond(response)

    def _no_ack(self) -> None:
        """Nobody acknowledged our 2xx in 64*T1: the session is to be ended with a BYE (§13.3.1.4)."""
        self._repeat = None
        self.agent.warn("sip.no-ack", self.hop, call_id=self.id)
        self.send_bye("no ACK")

    def send_bye(self, reason: str = "BYE", headers: Headers = ()) -> None:
        """End the dialog with a BYE; `reason` is what the journal tells."""
        dialog = self.dialog
        if self.is_over or dialog is None:
            return
        self.state = CallState.ENDING
        self.reason = reason
        told = [*headers, *(self.bye_headers() if self.bye_headers is not None else ())]
        self.ask(dialog, lambda: dialog.request("BYE", told), self._bye_answered)

    def _bye_answered(self, response: Response | None, request: Request) -> None:
        if response is None:
            self.end(408, "BYE not answered", "local")
        elif response.status >= 200:
            # Whatever the answer, the dialog is gone (§15.1.1).
            self.end(200, self.reason, "local", response)

    def ask(self, dialog: Dialog, build: Build, answered: Answered) -> None:
        """Send a request within a dialog and tell what comes. Raises SipLocalError where nothing can be sent."""
        target, fallback = self.ways(dialog)
        self.agent.requester.send(build, target, answered, fallback=fallback)

    @property
    def signalled_from(self) -> str | None:
        """The IP address by which the INVITE came, or went; None before it went."""
        return self.flow.peer[0] if self.flow is not None else None

    @property
    def way(self) -> str:
        """How the peer reaches us, for our Contact (see `card`)."""
        return told_by(self.flow or self.hop, self.request)

    def ways(self, dialog: Dialog) -> tuple[Hop | Flow, Hop | Flow | None]:
        """Where a dialog's next request goes, and where else when that fails."""
        flow = self.flow
        if flow is None or not flow.reliable:
            return self.agent.routes.next_hop(dialog, self.hop), None
        return self.agent.routes.ways(dialog, flow, direct=self.is_direct)
