"""Event subscriptions (RFC 6665): ours at a peer, and a peer's at us, for message-summary, dialog and others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.endpoints.sip.exchange import Exchange
from harness.endpoints.sip.flow import Flow, Hop, told_by
from harness.endpoints.sip.wheel import Timer
from harness.errors import InterlockError, SipLocalError, SipRemoteError
from harness.protocols.sip.dialog import Dialog
from harness.protocols.sip.headers import parse_params
from harness.protocols.sip.message import Request, Response

if TYPE_CHECKING:
    from harness.endpoints.sip.agent import UserAgent

REFRESH_AT: Final = 0.8
"""The part of its life after which a subscription of ours is made anew."""
MAX_EXPIRES: Final = 7_200
"""Seconds of life that a peer's subscription is given at the most."""
MIN_EXPIRES: Final = 5
"""Seconds below which a peer's wish gets 423; 0, a single look, is allowed."""
DEFAULT_EXPIRES: Final = 3_600
"""Seconds where SUBSCRIBE names none."""


LEAST_WAIT: Final = 1.0
"""Seconds, at least, before a subscription is made anew that the peer ended."""
ENDING: Final = frozenset((404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604))
"""Answers to SUBSCRIBE or NOTIFY that end the subscription (RFC 6665 §4.1.2.2, §4.2.2; RFC 5057 §5.1)."""


def package_of(request: Request) -> str:
    """The event package that a request names, lower case; empty where it names none."""
    return package_of_text(request.get("event") or "")


def package_of_text(event: str) -> str:
    """The event package of an Event value, lower case."""
    return event.partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Notification:
    """One NOTIFY."""

    content_type: str
    body: bytes
    state: str
    """`active`, `pending` or `terminated`."""
    reason: str = ""
    """Why it was terminated (`timeout`, `noresource`, …)."""


class Subscription:
    """Our subscription at a peer. Made by `UserAgent.subscribe`."""

    def __init__(
        self,
        agent: UserAgent,
        uri: str,
        event: str,
        hop: Flow | Hop,
        heard: Callable[[Notification], None],
        accept: str,
    ) -> None:
        self.agent = agent
        self.uri = uri
        self.event = event
        self.is_over = False
        self.expires = 0
        """Seconds that the peer granted."""
        self.latest: Notification | None = None
        self.call_id = agent.new_call_id()
        self.local_tag = agent.endpoint.new_tag()
        self.dialog: Dialog | None = None
        self._hop = hop
        self._heard = heard
        self._accept = accept
        self._asked = 0
        """Seconds that are asked for."""
        self._cseq = 0
        self._wanted = True
        self._timer: Timer | None = None
        self._task: asyncio.Task[None] | None = None

    async def subscribe(self, expires: int, *, within: float) -> None:
        """Subscribe, or again, for `expires` seconds; 0 ends it. Raises SipLocalError where the peer refuses."""
        self.agent.routes.ask_permit(self.uri)
        self._wanted = expires > 0
        response = await self._ask(expires, within)
        if response.status == 423 and expires:
            least = self._least(response)
            if expires < least < 2**31:
                expires = least
                response = await self._ask(expires, within)
        if response.status >= 300:
            if self.dialog is None or response.status in ENDING:
                self.end()
            raise SipLocalError(f"SUBSCRIBE of {self.event} at {self.uri}: {response.status} {response.reason}")
        try:
            if self.dialog is None:
                self.dialog = Dialog.of_response(Request("SUBSCRIBE", self.uri, []), response)
                self.dialog.confirm()
            granted = response.number("expires")
        except SipRemoteError as error:
            raise SipLocalError(f"SUBSCRIBE of {self.event} at {self.uri}: {error}") from error
        self._asked = expires
        self.expires = expires if granted is None else min(granted, expires)
        if self.is_over:
            return  # the last NOTIFY outran the answer
        if not self.expires or self.latest is None:
            # A NOTIFY is due in any case (RFC 6665 §4.1.2.4, timer N), the last one where it has ended.
            self._after(self.agent.endpoint.timing.patience, self._silent)
        else:
            self._after(self.expires * REFRESH_AT, self._refresh)

    async def _ask(self, expires: int, within: float) -> Response:
        agent = self.agent
        headers = [("Event", self.event), ("Expires", str(expires)), ("Accept", self._accept)]
        headers += agent.card.headers(self._hop.kind)

        def build() -> Request:
            if self.dialog is not None:
                return self.dialog.request("SUBSCRIBE", headers)
            self._cseq += 1
            own = [
                ("Max-Forwards", "70"),
                ("From", f"<{agent.card.aor}>;tag={self.local_tag}"),
                ("To", f"<{self.uri}>"),
                ("Call-ID", self.call_id),
                ("CSeq", f"{self._cseq} SUBSCRIBE"),
            ]
            return Request.build("SUBSCRIBE", self.uri, [*own, *headers])

        target = agent.routes.next_hop(self.dialog, self._hop) if self.dialog is not None else self._hop
        return await agent.requester.ask(f"SUBSCRIBE of {self.event} at {self.uri}", build, target, within)

    def _least(self, response: Response) -> int:
        try:
            return response.number("min-expires") or 0
        except SipRemoteError:
            return 0

    async def unsubscribe(self, *, within: float = 5.0) -> None:
        """End the subscription. Raises as `subscribe`."""
        if not self.is_over:
            self._stop()
            await self.subscribe(0, within=within)

    def give_up(self) -> None:
        """End it without waiting for the answer; for closing."""
        dialog = self.dialog
        if dialog is not None and not self.is_over:
            headers = [("Event", self.event), ("Expires", "0"), self.agent.card.contact(self._hop.kind)]
            try:
                self.agent.requester.send(
                    lambda: dialog.request("SUBSCRIBE", headers),
                    self.agent.routes.next_hop(dialog, self._hop),
                    _mind_not,
                )
            except SipLocalError as error:
                self.agent.warn("subscription.not-ended", self._hop, event=self.event, reason=str(error))
        self.end()

    def end(self) -> None:
        """It is over; nothing more comes."""
        self._stop()
        self.is_over = True
        self.agent.forget_usage(self)

    def begin(self, notify: Request) -> None:
        """The NOTIFY outran the answer to our SUBSCRIBE, and makes the dialog (RFC 6665 §4.4.1).

        Raises SipRemoteError without a usable Contact.
        """
        self.dialog = Dialog.of_notify(notify, self.local_tag, self._cseq)

    def receive(self, request: Request, exchange: Exchange) -> None:
        """A NOTIFY of it. Raises SipRemoteError (a 400)."""
        if request.method != "NOTIFY":
            exchange.respond(request.response(405, headers=[("Allow", "NOTIFY, OPTIONS")]))
            return
        if package_of(request) != package_of_text(self.event):
            exchange.respond(request.response(489, headers=[self.agent.allow_events]))
            return
        state, _, tail = (request.get("subscription-state") or "").partition(";")
        state = state.strip().lower()
        if not state:
            raise SipRemoteError("a NOTIFY without Subscription-State")
        params = parse_params(tail)
        exchange.respond(request.response(200))
        found = Notification(request.content_type, request.body, state, params.get("reason") or "")
        self.latest = found
        left = params.get("expires") or ""
        if state == "terminated":
            self._terminated(found.reason.lower(), params.get("retry-after") or "")
        elif left.isascii() and left.isdigit() and len(left) < 8 and self._wanted:
            self.expires = int(left)
            self._after(self.expires * REFRESH_AT, self._refresh)
        elif self.expires and self._wanted:
            self._after(self.expires * REFRESH_AT, self._refresh)
        self.agent.journal.record(self.agent.name, "subscription.notified", event=self.event, state=state)
        self._heard(found)

    def _terminated(self, reason: str, retry_after: str) -> None:
        """The peer ended it; where it says so, and we still want it, a new one is asked for (RFC 6665 §4.1.3)."""
        self.end()
        if not self._wanted or reason in ("rejected", "noresource", "invariant"):
            return
        delay = int(retry_after) if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 6 else 0
        if reason in ("deactivated", "timeout", "probation") or delay:
            self.is_over = False
            self.dialog, self.latest = None, None
            self.call_id, self.local_tag = self.agent.new_call_id(), self.agent.endpoint.new_tag()
            self._after(max(delay, LEAST_WAIT), self._refresh)

    def _after(self, delay: float, then: Callable[[], None]) -> None:
        self._stop()
        self._timer = self.agent.endpoint.wheel.after(delay, then)

    def _silent(self) -> None:
        """No NOTIFY came: the subscription came to nothing, or its end was not told (RFC 6665 §4.1.2.4)."""
        if self._wanted:
            self.agent.warn("subscription.lost", self._hop, event=self.event, reason="no NOTIFY")
        self.end()

    def _refresh(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._subscribe_again())

    async def _subscribe_again(self) -> None:
        granted = self.expires
        try:
            if self.dialog is None:
                self.agent.keep_usage(self)
            await self.subscribe(max(self._asked, 60), within=32.0)
        except (InterlockError, SipLocalError) as error:
            self.agent.warn("subscription.lost", self._hop, event=self.event, reason=str(error))
            # One that was not refreshed still holds for as long as it was granted (RFC 6665 §4.1.2.2).
            if self.is_over or self.dialog is None:
                self.end()
            else:
                self._after(granted * (1 - REFRESH_AT), self.end)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Subscriber:
    """A peer's subscription at us: accept or refuse it, then notify."""

    def __init__(self, agent: UserAgent, request: Request, exchange: Exchange, flow: Flow) -> None:
        """Raises SipRemoteError where it makes no dialog."""
        self.agent = agent
        self.request = request
        self._event = (request.get("event") or "").strip()
        self.event = package_of(request)
        """The event package, such as `message-summary`; empty where none is named, which gets 489."""
        self.local_tag = agent.endpoint.new_tag()
        self.dialog = Dialog.of_request(request, self.local_tag)
        self.call_id = request.call_id
        self.is_over = False
        self.on_refresh: Callable[[], None] | None = None
        """Called when the peer subscribed again, so that the whole state is told again (RFC 6665 §4.2.1.2)."""
        self._exchange = exchange
        self._hop = flow
        self._timer: Timer | None = None
        self._until = 0.0
        self._tells = False
        """Whether a NOTIFY may be sent: it was granted, and its end is not told yet."""

    def accept(self) -> None:
        """Take it for as long as the peer asked for, within our bounds; `notify` is due at once then.

        One that asks for less than MIN_EXPIRES is refused with 423, and `is_over` then.
        """
        if self._grant(self.request, self._exchange) and not self.is_over:
            self.agent.keep_usage(self)

    def reject(self, status: int = 489) -> None:
        """Refuse it; 489 means that we know no such event package."""
        self.is_over = True
        headers = [self.agent.allow_events] if status == 489 else []
        self._exchange.respond(self.request.response(status, to_tag=self.local_tag, headers=headers))

    def _grant(self, request: Request, exchange: Exchange) -> bool:
        asked = request.number("expires")
        seconds = DEFAULT_EXPIRES if asked is None else min(asked, MAX_EXPIRES)
        if 0 < seconds < MIN_EXPIRES:
            headers = [("Min-Expires", str(MIN_EXPIRES))]
            exchange.respond(request.response(423, to_tag=self.local_tag, headers=headers))
            self.is_over = self.is_over or request is self.request
            return False
        agent = self.agent
        headers = [("Expires", str(seconds)), agent.card.contact(told_by(exchange.flow, request))]
        exchange.respond(request.response(200, to_tag=self.local_tag, headers=headers))
        self._until = agent.journal.now() + seconds
        self._tells = True
        self._stop()
        if seconds:
            self._timer = agent.endpoint.wheel.after(seconds, self._lapse)
        else:
            self.is_over = True
        return True

    def begin(self, notify: Request) -> None:
        """The dialog is there from the beginning."""

    def receive(self, request: Request, exchange: Exchange) -> None:
        """The peer's next SUBSCRIBE: a refresh, or its end. Raises SipRemoteError (a 400)."""
        if request.method != "SUBSCRIBE":
            exchange.respond(request.response(405, headers=[self.agent.allow]))
            return
        if not self._grant(request, exchange):
            return
        if self.is_over:
            self.agent.forget_usage(self)
        if self.on_refresh is not None:
            self.on_refresh()
        else:
            self.notify(b"", "")  # one is due in any case (RFC 6665 §4.2.1.2)

    def notify(self, content: bytes, content_type: str) -> None:
        """Tell the state. After the peer's last SUBSCRIBE (Expires: 0) this is the last NOTIFY; none follows it."""
        left = max(0, round(self._until - self.agent.journal.now()))
        self._send(content, content_type, f"active;expires={left}" if not self.is_over else "terminated;reason=timeout")

    def terminate(self, reason: str = "noresource") -> None:
        """End it from our side."""
        if not self.is_over:
            self._close()
            self._send(b"", "", f"terminated;reason={reason}")

    def _send(self, content: bytes, content_type: str, state: str) -> None:
        if not self._tells:
            return
        self._tells = not state.startswith("terminated")
        agent = self.agent
        contact = agent.card.contact(told_by(self._hop, self.request))
        headers = [("Event", self._event), ("Subscription-State", state), contact]
        dialog = self.dialog
        target, fallback = agent.routes.ways(dialog, self._hop, direct=self.request.envelope.is_direct)
        agent.requester.send(
            lambda: dialog.request("NOTIFY", headers, content, content_type),
            target,
            self._notify_answered,
            fallback=fallback,
        )

    def _notify_answered(self, response: Response | None, request: Request) -> None:
        if response is None or response.status in ENDING:
            self._close()

    def _lapse(self) -> None:
        self.terminate("timeout")

    def _close(self) -> None:
        self._stop()
        self.is_over = True
        self.agent.forget_usage(self)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _mind_not(response: Response | None, request: Request) -> None:
    """The answer to a request that nobody waits for."""
