"""Reliable provisional responses (RFC 3262): ours, repeated until their PRACK; the peer's, acknowledged by PRACK.

Theory. A provisional response that carries `Require: 100rel` and an RSeq number is repeated until a PRACK names that
number (RAck). Ours go out one at a time: the next only when the one before was acknowledged, and a 2xx only when none
that carried a session description is open. The peer's are taken in the order of their numbers, for each early dialog.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from harness.endpoints.sip.abilities import Reliable
from harness.endpoints.sip.exchange import Exchange
from harness.endpoints.sip.repeat import Repeat
from harness.errors import SdpError, SipLocalError, SipRemoteError
from harness.protocols.sip import body
from harness.protocols.sip.dialog import Dialog
from harness.protocols.sip.grammar import DIGITS
from harness.protocols.sip.message import Request, Response

if TYPE_CHECKING:
    from harness.endpoints.sip.incoming import IncomingCall
    from harness.endpoints.sip.outgoing import OutgoingCall

MAX_WAITING: Final = 16
"""Reliable provisional responses that wait for the PRACK of the one before."""
FIRST_RSEQ_BELOW: Final = 2**31
"""RFC 3262 §3: the first number is chosen below this."""


class ReliableRinging:
    """Our reliable provisional responses to one INVITE."""

    def __init__(self, call: IncomingCall, exchange: Exchange) -> None:
        self._call = call
        self._exchange = exchange
        self._rseq = call.agent.rng.randrange(1, FIRST_RSEQ_BELOW)
        self.described = b""
        """The session description that one of them carries, sent or waiting; there is one at the most (RFC 6337)."""
        self.is_acknowledged = False
        """Whether the PRACK of that one came."""
        self._overtaken: int | None = None
        """The number of the one that a 2xx overtook: its PRACK may still come (RFC 3262 §3)."""
        self._open: tuple[int, bool, Repeat] | None = None
        """The one that waits for its PRACK: number, whether it carries a session description, its repeating."""
        self._waiting: deque[Response] = deque()
        self._then: Callable[[], None] | None = None

    def send(self, response: Response) -> None:
        """Send a provisional response reliably, when its turn comes. Raises SipLocalError where too many wait."""
        if len(self._waiting) >= MAX_WAITING:
            raise SipLocalError(f"{self._call}: {MAX_WAITING} provisional responses wait for a PRACK already")
        self.described = self.described or response.body
        self._waiting.append(response)
        if self._open is None:
            self._next()

    def before_2xx(self, then: Callable[[], None]) -> None:
        """Call `then` as soon as a 2xx may be sent (RFC 3262 §3)."""
        if self._open is not None and (self._open[1] or any(response.body for response in self._waiting)):
            self._then = then
        else:
            self.stop()
            then()

    def stop(self) -> None:
        """A final response was sent: nothing is repeated any more."""
        self._waiting.clear()
        if self._open is not None:
            self._open[2].stop()
            self._overtaken = self._open[0]
            self._open = None

    def _next(self) -> None:
        response = self._waiting.popleft()
        response.add("Require", "100rel")
        response.add("RSeq", str(self._rseq))
        repeat = Repeat(self._call.agent.endpoint, self._exchange, response, self._not_acknowledged, math.inf)
        self._open = self._rseq, bool(response.body), repeat
        self._rseq += 1
        self._exchange.respond(response)

    def _not_acknowledged(self) -> None:
        """No PRACK in 64*T1: the INVITE is to be refused with a 5xx (RFC 3262 §3)."""
        self._open = None
        call = self._call
        call.agent.warn("sip.no-prack", call.hop, call_id=call.id)
        call.expire(504, "No PRACK")

    def acknowledged(self, prack: Request, exchange: Exchange) -> None:
        """The peer's PRACK. Raises SipRemoteError (a 400) where its RAck can't be read."""
        number, cseq, method = rack_of(prack)
        ours = (cseq, method) == (self._call.request.cseq.number, "INVITE")
        if ours and number == self._overtaken:
            self._overtaken = None
            exchange.respond(prack.response(200))
            return
        if self._open is None or not ours or number != self._open[0]:
            exchange.respond(prack.response(481))
            return
        _, carried, repeat = self._open
        repeat.stop()
        self._open = None
        exchange.respond(self._answered(prack, carried=carried))
        if carried and not self._call.offered and not self._call.remote_sdp:
            # RFC 3262 §5: our offer was to be answered here, and nowhere else can it be.
            self._call.agent.warn("sip.no-answer", self._call.hop, call_id=self._call.id)
            self._call.expire(488, "No Answer In PRACK")
            return
        self.is_acknowledged = self.is_acknowledged or carried
        if self._waiting:
            self._next()
        elif self._then is not None:
            then, self._then = self._then, None
            then()

    def _answered(self, prack: Request, *, carried: bool) -> Response:
        """The 200 to a PRACK, with the answer to an offer that it brought, unless it brings the answer to ours."""
        call = self._call
        described = body.find(prack, body.SDP)
        if not described:
            return prack.response(200)
        if carried and not call.offered:
            call.remote_sdp = described
            call.tell("confirmed")
            return prack.response(200)
        if call.open_offer and not carried:
            call.agent.warn("sip.offer-refused", call.hop, call_id=call.id, reason="an offer while another is open")
            return prack.response(488)
        try:
            answer = call.answer_to(described)
        except SdpError as error:
            call.agent.warn("sip.offer-refused", call.hop, call_id=call.id, reason=str(error))
            return prack.response(488)
        call.local_sdp, call.remote_sdp = answer, described
        call.tell("offered")
        return prack.response(200, body=answer, content_type=body.SDP)


class ProvisionalAcks:
    """The PRACKs of one call of ours."""

    def __init__(self, call: OutgoingCall) -> None:
        self._call = call
        self._latest: dict[str, int] = {}
        """The number taken last, by the peer's tag."""
        self.settled: dict[str, tuple[bytes, bytes]] = {}
        """What was agreed reliably before the 2xx, by the peer's tag: its session description and ours."""

    def take(self, response: Response, dialog: Dialog) -> bool:
        """Acknowledge a provisional response where it asks for it; whether it is to be dealt with at all.

        A repeated one, or one out of order, is not (RFC 3262 §4).
        """
        call = self._call
        abilities = call.agent.abilities
        if abilities.reliable is Reliable.OFF or "100rel" not in response.options("require"):
            return True
        number = response.number("rseq")
        if number is None:
            raise SipRemoteError("a reliable provisional response without RSeq")
        latest = self._latest.get(dialog.remote_tag)
        if latest is not None and number != latest + 1:
            return False
        self._latest[dialog.remote_tag] = number
        answer, agreed = b"", True
        described = body.find(response, body.SDP)
        if described and dialog.remote_tag not in self.settled:
            if not call.offered:
                try:
                    answer = call.local_sdp = call.answer_to(described)
                except SdpError as error:
                    call.agent.warn("sip.offer-refused", call.hop, call_id=call.id, reason=str(error))
                    agreed = False
            self.settled[dialog.remote_tag] = described, call.local_sdp
        rack = ("RAck", f"{number} {response.cseq.number} {response.cseq.method}")
        call.ask(
            dialog,
            lambda: dialog.request("PRACK", [rack], answer, body.SDP if answer else ""),
            self._answered,
        )
        if not agreed:
            call.hang_up([("Reason", 'SIP;cause=488;text="Not Acceptable Here"')])
        return agreed

    def _answered(self, response: Response | None, request: Request) -> None:
        call = self._call
        if response is None or response.status >= 300:
            told = "no answer" if response is None else f"{response.status} {response.reason}"
            call.agent.warn("sip.prack-refused", call.hop, call_id=call.id, reason=told)


def rack_of(prack: Request) -> tuple[int, int, str]:
    """The numbers and method of a RAck (RFC 3262 §7.2). Raises SipRemoteError."""
    parts = (prack.get("rack") or "").split()
    if len(parts) != 3 or DIGITS.fullmatch(parts[0]) is None or DIGITS.fullmatch(parts[1]) is None:
        raise SipRemoteError(f"not a RAck: {(prack.get('rack') or '')[:40]!r}")
    return int(parts[0]), int(parts[1]), parts[2]
