"""A call as both sides see it: its state, what a test can wait for, and what happens within its dialog."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from harness.endpoints.sip.endpoint import Exchange
from harness.endpoints.sip.wheel import Timer
from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip.dialog import Dialog
from harness.protocols.sip.headers import NameAddr
from harness.protocols.sip.message import Message, Request, Response
from harness.transport.tap import Address

if TYPE_CHECKING:
    from harness.endpoints.sip.agent import UserAgent

SDP_TYPE: Final = "application/sdp"
MAX_WAITERS: Final = 64
"""Waits on one call at once."""
MAX_LISTENERS: Final = 16
"""Callbacks of one call."""


# How most From headers look; anything else (escapes, parameters in the URI, tel) is parsed with care.
_USUAL_IDENTITY = re.compile(r'(?:"([^"\\]*)" *|([^"<:]*))<(sips?:([^@:;?<>%" ]+)@[A-Za-z0-9.:\-]+)>[^<>"]*')


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


class Identity(NamedTuple):
    """Who is at the other end."""

    user: str
    """The user part, or the number of a tel URI: the CLI."""
    display: str
    uri: str


Listener = Callable[["Call", str], None]


class Call:
    """One call. Made by UserAgent: `invite` returns one at once, `on_invite` is given one."""

    __slots__ = (
        "_agent",
        "_listeners",
        "_on_offer",
        "_reached",
        "_reoffer",
        "_repeat",
        "_waiters",
        "dialog",
        "direction",
        "id",
        "local_sdp",
        "local_tag",
        "peer",
        "reason",
        "remote_sdp",
        "request",
        "state",
        "status",
    )

    def __init__(
        self, agent: UserAgent, direction: str, state: CallState, request: Request, local_tag: str, peer: Address
    ) -> None:
        self._agent = agent
        self.direction = direction
        """`outgoing` or `incoming`."""
        self.state = state
        self.request = request
        """The INVITE."""
        self.id = request.call_id
        """The Call-ID."""
        self.local_tag = local_tag
        self.peer = peer
        """Where the INVITE went, or came from."""
        self.dialog: Dialog | None = None
        self.status = 0
        """The latest status sent or received for the INVITE; 0 before any."""
        self.reason = ""
        """The reason phrase that came with it, or why the call ended."""
        self.remote_sdp = b""
        """The peer's latest session description."""
        self.local_sdp = b""
        """Our latest session description."""
        self._reached: tuple[str, ...] = ()
        self._listeners: list[Listener] = []
        self._waiters: list[tuple[str, asyncio.Future[None]]] = []
        self._on_offer: Callable[[Call, bytes], bytes] | None = None
        self._repeat: _Repeat | None = None
        self._reoffer: asyncio.Future[bytes] | None = None

    # What a test asks

    @property
    def remote_identity(self) -> Identity:
        """The peer: the caller by P-Asserted-Identity (RFC 3325) or From, the called party by To."""
        if self.direction == "incoming" and self.request.get("p-asserted-identity") is None:
            usual = _USUAL_IDENTITY.fullmatch(self.request.get("from") or "")
            if usual is not None:
                return Identity(usual[4], (usual[1] or usual[2] or "").strip(), usual[3])
        try:
            if self.direction == "outgoing":
                found = self.request.to
            elif self.request.get("p-asserted-identity"):
                found = self.request.name_addrs("p-asserted-identity")[0]
            else:
                found = self.request.from_
        except (SipRemoteError, IndexError):
            return Identity("", "", "")
        return Identity(found.uri.user_text, found.display, str(found.uri))

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
        if len(self._listeners) >= MAX_LISTENERS:
            raise SipLocalError(f"{MAX_LISTENERS} listeners on one call already")
        self._listeners.append(listener)

    def on_offer(self, answer: Callable[[Call, bytes], bytes]) -> None:
        """Let `answer(call, offer)` return the answer to a later offer of the peer's (hold, resume).

        It may raise SdpError: the offer is then refused with 488 and the session stays as it was. Without it, what we
        sent last is sent again.
        """
        self._on_offer = answer

    def hang_up(self) -> None:
        """End the call in the way its state demands: CANCEL, BYE or a refusal. Nothing happens once it is ending."""
        raise NotImplementedError

    async def reoffer(self, sdp: bytes, *, within: float) -> bytes:
        """Offer a changed session by re-INVITE (hold, resume); returns the answer. Raises SipLocalError."""
        if self.state is not CallState.ANSWERED or self.dialog is None:
            raise SipLocalError(f"{self} can't be offered a new session while it is {self.state}")
        if self._reoffer is not None:
            raise SipLocalError(f"{self} has an offer under way already")
        dialog = self.dialog
        found: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._reoffer = found
        self._agent.send(
            lambda extra: dialog.request("INVITE", [("Contact", self._agent.contact), *extra], sdp, SDP_TYPE),
            self._next_hop(dialog),
            self._reoffered,
        )
        try:
            async with asyncio.timeout(within):
                answer = await found
        except TimeoutError:
            raise SipLocalError(f"{self}: no answer to a new offer within {within:g} s") from None
        finally:
            self._reoffer = None
        self.local_sdp = sdp
        self.remote_sdp = answer
        return answer

    def _reoffered(self, response: Response | None, request: Request) -> None:
        found = self._reoffer
        if response is not None and response.status < 200:
            return
        if response is not None and response.status < 300 and self.dialog is not None:
            try:
                self.dialog.target = (response.contact and str(response.contact.uri)) or self.dialog.target
            except SipRemoteError as error:
                self._agent.warn("sip.bad-answer", self.peer, call_id=self.id, reason=str(error))
            # A repeated 2xx comes here again and gets its ACK again.
            ack = self.dialog.request("ACK", cseq=request.cseq.number)
            self._agent.endpoint.send_ack(ack, self._next_hop(self.dialog))
            if found is not None and not found.done():
                found.set_result(response.body)
        elif found is not None and not found.done():
            told = "no answer" if response is None else f"{response.status} {response.reason}"
            found.set_exception(SipLocalError(f"{self}: {told} to a new offer"))
        if response is not None and response.status in (408, 481):
            self._end(response.status, response.reason, "remote")

    def abandon(self, reason: str) -> None:
        """End the call without another message: the port is closing, or the INVITE never left."""
        self._end(self.status or 408, reason, "local")

    # What happens

    def _happen(self, what: str, **data: Any) -> None:
        """Journal it, tell the listeners and those who wait."""
        self._agent.journal.record(self._agent.name, f"call.{what}", call_id=self.id, direction=self.direction, **data)
        self._reached = (*self._reached, what)
        for kind, waiter in self._waiters:
            if not waiter.done():
                if kind == what:
                    waiter.set_result(None)
                elif what == "ended" or (what == "answered" and kind == "ringing"):
                    waiter.set_exception(SipLocalError(self._told_instead(kind)))
        self._tell(what)

    def _tell(self, what: str) -> None:
        for listener in tuple(self._listeners):
            listener(self, what)

    async def _reach(self, what: str, within: float) -> None:
        if what in self._reached:
            return
        if self.is_over or (what == "ringing" and "answered" in self._reached):
            raise SipLocalError(self._told_instead(what))
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

    def _end(self, status: int, reason: str, by: str) -> None:
        """The call is over; `by` is `local` or `remote`."""
        if self.is_over:
            return
        self.state = CallState.ENDED
        self.status, self.reason = status, reason
        if self._repeat is not None:
            self._repeat.stop()
            self._repeat = None
        if self._reoffer is not None and not self._reoffer.done():
            self._reoffer.set_exception(SipLocalError(f"{self} ended: {reason}"))
        self._agent.forget(self)
        self._happen("ended", status=status, reason=reason, by=by)

    def _take_sdp(self, message: Message) -> None:
        if message.body and message.content_type == SDP_TYPE:
            self.remote_sdp = message.body

    # Within the dialog

    def receive(self, request: Request, exchange: Exchange) -> None:
        """A request of the peer's within the dialog, CSeq checked. Raises SipRemoteError (a 400)."""
        if request.method == "BYE":
            exchange.respond(request.response(200))
            self._peer_hung_up(request)
        elif request.method == "INVITE":
            self._receive_reoffer(request, exchange)
        else:
            self._agent.answer_options(request, exchange)

    def receive_ack(self, ack: Request) -> None:
        """The ACK of a 2xx of ours."""
        if self._repeat is None or ack.cseq.number != self._repeat.cseq:
            return
        self._repeat.stop()
        self._repeat = None
        if not self.is_over:
            self._take_sdp(ack)
            self._tell("confirmed")

    def _peer_hung_up(self, request: Request) -> None:
        self._end(200, _reason_text(request) or "BYE", "remote")

    def _receive_reoffer(self, request: Request, exchange: Exchange) -> None:
        if self.state is not CallState.ANSWERED:
            exchange.respond(request.response(481 if self.state is CallState.ENDING else 491))
            return
        if self._reoffer is not None:
            exchange.respond(request.response(491))  # §14.2: both sides offered at once
            return
        if self._repeat is not None:
            exchange.respond(request.response(500, headers=[("Retry-After", "1")]))
            return
        body = self.local_sdp
        if request.body:
            if request.content_type != SDP_TYPE:
                exchange.respond(request.response(415, headers=[("Accept", SDP_TYPE)]))
                return
            if self._on_offer is not None:
                try:
                    body = self._on_offer(self, request.body)
                except SipRemoteError:
                    raise
                except Exception as error:
                    exchange.respond(request.response(488))
                    self._agent.warn("sip.offer-refused", self.peer, call_id=self.id, reason=str(error))
                    return
            self.remote_sdp = request.body
        self.local_sdp = body
        self.answer_invite(request, exchange, body)
        self._tell("offered")

    def answer_invite(self, request: Request, exchange: Exchange, sdp: bytes) -> None:
        """Send a 200 with a session description and repeat it until its ACK comes (§13.3.1.4)."""
        response = request.response(
            200,
            to_tag=self.local_tag,
            prepared=self._agent.answer_headers,
            body=sdp,
            content_type=SDP_TYPE if sdp else "",
        )
        self._repeat = _Repeat(self._agent, exchange, response, self._no_ack)
        exchange.respond(response)

    def _no_ack(self) -> None:
        """Nobody acknowledged our 2xx in 64*T1: the session is to be ended with a BYE (§13.3.1.4)."""
        self._repeat = None
        self._agent.warn("sip.no-ack", self.peer, call_id=self.id)
        self._send_bye("no ACK")

    def _send_bye(self, reason: str = "BYE") -> None:
        if self.is_over or self.dialog is None:
            return
        dialog = self.dialog
        self.state = CallState.ENDING
        self.reason = reason
        self._agent.send(lambda extra: dialog.request("BYE", extra), self._next_hop(dialog), self._bye_answered)

    def _bye_answered(self, response: Response | None, request: Request) -> None:
        if response is None:
            self._end(408, "BYE not answered", "local")
        elif response.status >= 200:
            # Whatever the answer, the dialog is gone (§15.1.1).
            self._end(200, self.reason, "local")

    def _next_hop(self, dialog: Dialog) -> Address:
        return self._agent.hop(dialog, self.peer)


class _Repeat:
    """Sends a 2xx again, at T1 doubled up to T2, until it is stopped or 64*T1 have passed."""

    __slots__ = ("_agent", "_exchange", "_gave_up", "_interval", "_left", "_response", "_timer", "cseq")

    def __init__(self, agent: UserAgent, exchange: Exchange, response: Response, gave_up: Callable[[], None]) -> None:
        timing = agent.endpoint.timing
        self._agent = agent
        self._exchange = exchange
        self._response = response
        self._gave_up = gave_up
        self._interval = timing.t1
        self._left = timing.patience
        self.cseq = response.cseq.number
        self._timer: Timer = agent.endpoint.wheel.after(self._interval, self._again)

    def stop(self) -> None:
        self._timer.cancel()

    def _again(self) -> None:
        self._left -= self._interval
        if self._left <= 0:
            self._gave_up()
            return
        if not self._exchange.transaction.ended:
            self._exchange.respond(self._response)
        timing = self._agent.endpoint.timing
        self._interval = min(2 * self._interval, timing.t2, self._left)
        self._timer = self._agent.endpoint.wheel.after(self._interval, self._again)


def _reason_text(message: Message) -> str:
    """The text of a Reason header (RFC 3326), as `SIP ;cause=200 ;text="Call completed elsewhere"` gives it."""
    value = message.get("reason")
    if value is None:
        return ""
    try:
        return NameAddr.parse(f"<sip:reason>;{value.partition(';')[2]}").params.get("text", "") or ""
    except SipRemoteError:
        return ""
