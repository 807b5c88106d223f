"""Event subscriptions (RFC 6665): ours at a peer, and a peer's at us, for message-summary, dialog and others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.endpoints.sip.call import Headers
from harness.endpoints.sip.exchange import Exchange
from harness.endpoints.sip.flow import Flow, Hop
from harness.endpoints.sip.wheel import Timer
from harness.errors import SipLocalError, SipRemoteError
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
        self._cseq = 0
        self._timer: Timer | None = None
        self._task: asyncio.Task[None] | None = None

    async def subscribe(self, expires: int, *, within: float) -> None:
        """Subscribe, or again, for `expires` seconds; 0 ends it. Raises SipLocalError where the peer refuses."""
        agent = self.agent
        agent.ask_permit(self.uri)
        headers = [("Event", self.event), ("Expires", str(expires)), ("Accept", self._accept)]
        headers.append(agent.contact_for(self._hop.transport))

        def build(extra: Headers) -> Request:
            if self.dialog is not None:
                return self.dialog.request("SUBSCRIBE", [*headers, *extra])
            self._cseq += 1
            own = [
                ("Max-Forwards", "70"),
                ("From", f"<{agent.uri}>;tag={self.local_tag}"),
                ("To", f"<{self.uri}>"),
                ("Call-ID", self.call_id),
                ("CSeq", f"{self._cseq} SUBSCRIBE"),
            ]
            return Request.build("SUBSCRIBE", self.uri, [*own, *headers, *extra])

        target = agent.next_hop(self.dialog, self._hop) if self.dialog is not None else self._hop
        response = await agent.requester.ask(f"SUBSCRIBE of {self.event} at {self.uri}", build, target, within)
        if response.status >= 300:
            self.end()
            raise SipLocalError(f"SUBSCRIBE of {self.event} at {self.uri}: {response.status} {response.reason}")
        if self.dialog is None:
            try:
                self._take_dialog(response)
            except SipRemoteError as error:
                raise SipLocalError(f"SUBSCRIBE of {self.event} at {self.uri}: {error}") from error
        self.expires = min(response.number("expires") or expires, expires)
        if not expires:
            return  # the last NOTIFY is still to come
        self._refresh_in(self.expires * REFRESH_AT)

    def _take_dialog(self, response: Response) -> None:
        request = Request.build(
            "SUBSCRIBE",
            self.uri,
            [
                ("From", f"<{self.agent.uri}>;tag={self.local_tag}"),
                ("Call-ID", self.call_id),
                ("CSeq", f"{self._cseq} SUBSCRIBE"),
            ],
        )
        self.dialog = Dialog.of_response(request, response)
        self.dialog.confirm()

    async def unsubscribe(self, *, within: float = 5.0) -> None:
        """End the subscription. Raises as `subscribe`."""
        if not self.is_over:
            self._stop()
            await self.subscribe(0, within=within)

    def end(self) -> None:
        """It is over; nothing more comes."""
        self._stop()
        self.is_over = True
        self.agent.forget_usage(self)

    def receive(self, request: Request, exchange: Exchange) -> None:
        """A NOTIFY of it. Raises SipRemoteError (a 400)."""
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
            self.end()
        elif left.isascii() and left.isdigit() and len(left) < 8:
            self.expires = int(left)
            self._refresh_in(self.expires * REFRESH_AT)
        self.agent.journal.record(self.agent.name, "subscription.notified", event=self.event, state=state)
        self._heard(found)

    def _refresh_in(self, delay: float) -> None:
        self._stop()
        self._timer = self.agent.endpoint.wheel.after(delay, self._refresh)

    def _refresh(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._subscribe_again())

    async def _subscribe_again(self) -> None:
        try:
            await self.subscribe(max(self.expires, 60), within=32.0)
        except SipLocalError as error:
            self.agent.warn("subscription.lost", self._hop, event=self.event, reason=str(error))
            self.end()

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
        event = (request.get("event") or "").strip()
        self.event, _, params = event.partition(";")
        """The event package, such as `message-summary`; empty where none is named, which gets 489."""
        self._event = event if params else self.event
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

    def accept(self) -> None:
        """Take it for as long as the peer asked for, within our bounds; `notify` is due at once then."""
        self._grant(self.request, self._exchange)

    def reject(self, status: int = 489) -> None:
        """Refuse it; 489 means that we know no such event package."""
        self.is_over = True
        headers = [("Allow-Events", ", ".join(self.agent.events))] if status == 489 and self.agent.events else []
        self._exchange.respond(self.request.response(status, to_tag=self.local_tag, headers=headers))

    def _grant(self, request: Request, exchange: Exchange) -> bool:
        asked = request.number("expires")
        seconds = DEFAULT_EXPIRES if asked is None else min(asked, MAX_EXPIRES)
        if 0 < seconds < MIN_EXPIRES:
            headers = [("Min-Expires", str(MIN_EXPIRES))]
            exchange.respond(request.response(423, to_tag=self.local_tag, headers=headers))
            return False
        agent = self.agent
        headers = [("Expires", str(seconds)), agent.contact_for(exchange.flow.transport)]
        exchange.respond(request.response(200, to_tag=self.local_tag, headers=headers))
        self._until = agent.journal.now() + seconds
        self._stop()
        if seconds:
            agent.keep_usage(self)
            self._timer = agent.endpoint.wheel.after(seconds, self._lapse)
        else:
            self.is_over = True
        return True

    def receive(self, request: Request, exchange: Exchange) -> None:
        """The peer's next SUBSCRIBE: a refresh, or its end. Raises SipRemoteError (a 400)."""
        if request.method != "SUBSCRIBE":
            exchange.respond(request.response(405, headers=[self.agent.abilities.allow]))
            return
        if not self._grant(request, exchange):
            return
        if self.is_over:
            self.agent.forget_usage(self)
        if self.on_refresh is not None:
            self.on_refresh()

    def notify(self, content: bytes, content_type: str) -> None:
        """Tell the state. After the peer's last SUBSCRIBE (Expires: 0) this is the last NOTIFY."""
        left = max(0, round(self._until - self.agent.journal.now()))
        self._send(content, content_type, f"active;expires={left}" if not self.is_over else "terminated;reason=timeout")

    def terminate(self, reason: str = "noresource") -> None:
        """End it from our side."""
        if not self.is_over:
            self._close()
            self._send(b"", "", f"terminated;reason={reason}")

    def _send(self, content: bytes, content_type: str, state: str) -> None:
        agent = self.agent
        headers = [("Event", self._event), ("Subscription-State", state), agent.contact_for(self._hop.transport)]
        dialog = self.dialog
        agent.requester.send(
            lambda extra: dialog.request("NOTIFY", [*headers, *extra], content, content_type),
            agent.next_hop(dialog, self._hop),
            self._notify_answered,
        )

    def _notify_answered(self, response: Response | None, request: Request) -> None:
        if response is None or response.status in (404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604):
            self._close()  # RFC 5057 §5.1 and RFC 6665 §4.2.2

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
