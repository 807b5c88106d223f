"""Transfer: REFER asked of a peer and asked of us, with its NOTIFYs (RFC 3515, RFC 3891, RFC 3892, RFC 4488).

Theory. REFER asks the other side to call Refer-To. Taking it (202) makes a subscription without SUBSCRIBE: NOTIFYs
tell in `message/sipfrag` how that call goes, the last one with its final status. `Replaces` in the Refer-To makes the
transfer attended: the call that is placed takes the place of one that is up.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final
from urllib.parse import quote as percent_encode

from harness.endpoints.sip.call import Call, Headers
from harness.endpoints.sip.exchange import Exchange
from harness.endpoints.sip.flow import Flow, Hop
from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip.body import SIPFRAG
from harness.protocols.sip.dialog import Dialog
from harness.protocols.sip.headers import NameAddr, parse_params
from harness.protocols.sip.message import Request, Response
from harness.protocols.sip.parse import parse_start_line
from harness.protocols.sip.uri import Uri

if TYPE_CHECKING:
    from harness.endpoints.sip.agent import UserAgent

TRANSFER_LIFE: Final = 60
"""Seconds for which the side that was referred says it will go on telling."""
MAX_TRANSFERS: Final = 8
"""Transfers asked of one call's peer that are not over."""


class Transfer:
    """A REFER of ours that the peer took."""

    def __init__(self, call: Call, target: str) -> None:
        self.call = call
        self.target = target
        """The Refer-To URI."""
        self.status = 0
        """The latest status that the peer told of the call it places; 0 before any."""
        self.reason = ""
        self.is_over = False
        """Whether the peer tells no more."""
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def done(self, *, within: float) -> None:
        """Wait until the peer has told how its call went. Raises SipLocalError where it failed, or nothing came."""
        try:
            async with asyncio.timeout(within):
                await asyncio.shield(self._over)
        except TimeoutError:
            latest = f"; the latest was {self.status} {self.reason}" if self.status else ""
            raise SipLocalError(f"transfer to {self.target}: not over within {within:g} s{latest}") from None
        if not 200 <= self.status < 300:
            raise SipLocalError(f"transfer to {self.target} failed: {self.status} {self.reason}".rstrip())

    def notified(self, request: Request) -> None:
        """A NOTIFY of this transfer came. Raises SipRemoteError."""
        if request.content_type == SIPFRAG and request.body:
            first = request.body.decode("utf-8", "replace").splitlines()[0]
            told = parse_start_line(first.strip())
            if not isinstance(told, Response):
                raise SipRemoteError(f"a sipfrag that tells no status: {first[:60]!r}")
            self.status, self.reason = told.status, told.reason
            agent = self.call.agent
            agent.journal.record(
                agent.name, "call.transfer", call_id=self.call.id, status=told.status, reason=told.reason
            )
        state = (request.get("subscription-state") or "").partition(";")[0].strip().lower()
        if state == "terminated" or self.status >= 200:
            self.end()

    def end(self) -> None:
        """Nothing more is told."""
        self.is_over = True
        self.call.transfers.pop(self, None)
        if not self._over.done():
            self._over.set_result(None)


async def refer(
    call: Call,
    target: str = "",
    *,
    replaces: Call | None = None,
    headers: Headers = (),
    within: float = 5.0,
) -> Transfer:
    """Ask the peer of `call` to call `target`, a URI; `replaces`: to take that other call of ours over instead.

    With `replaces` the target is that call's peer unless one is given. Raises InterlockError before anything leaves,
    SipLocalError where the peer refuses or the call is not up.
    """
    agent = call.agent
    if replaces is not None:
        dialog = replaces.dialog
        if dialog is None or replaces.is_over:
            raise SipLocalError(f"{replaces} has no dialog that could be replaced")
        target = target or dialog.target
        replacing = f"{replaces.id};to-tag={dialog.remote_tag};from-tag={dialog.local_tag}"
        separator = "&" if "?" in target else "?"
        refer_to = f"<{target}{separator}Replaces={percent_encode(replacing, safe='')}>"
    else:
        refer_to = f"<{target}>"
    agent.ask_permit(target)
    if len(call.transfers) >= MAX_TRANSFERS:
        raise SipLocalError(f"{call}: {MAX_TRANSFERS} transfers are under way already")
    transfer = Transfer(call, target)
    call.transfers[transfer] = None
    own = [("Refer-To", refer_to), ("Referred-By", f"<{agent.uri}>"), agent.contact_of(call)]
    try:
        response = await call.send("REFER", headers=[*own, *headers], within=within)
    except SipLocalError:
        transfer.end()
        raise
    if response.status >= 300:
        transfer.end()
        raise SipLocalError(f"{call}: {response.status} {response.reason} to REFER")
    if (response.get("refer-sub") or "").strip().lower() == "false":
        transfer.status, transfer.reason = 200, "nothing is told (RFC 4488)"
        transfer.end()
    return transfer


def notified(call: Call, request: Request, exchange: Exchange) -> None:
    """A NOTIFY within a call: of a transfer, or of nothing that we asked for. Raises SipRemoteError (a 400)."""
    event, _, _ = (request.get("event") or "").partition(";")
    transfer = next(iter(call.transfers), None)
    if event.strip().lower() != "refer" or transfer is None:
        exchange.respond(request.response(481))  # RFC 6665 §4.1.3: no subscription of that name
        return
    transfer.notified(request)
    exchange.respond(request.response(200))


class Referral:
    """A REFER that came: accept or refuse it, then tell how it goes."""

    def __init__(self, agent: UserAgent, request: Request, exchange: Exchange, call: Call | None, flow: Flow) -> None:
        """Raises SipRemoteError where there is not one Refer-To that can be read (RFC 3515 §2.4.2)."""
        values = request.values("refer-to")
        if len(values) != 1:
            raise SipRemoteError(f"{len(values)} Refer-To values; there is to be one")
        self.agent = agent
        self.request = request
        self.call = call
        """The call that it came within; None where it made a dialog of its own."""
        self.target = NameAddr.parse(values[0]).uri
        """Whom to call, without the URI's headers."""
        self.replaces = self.target.header("replaces") or ""
        """A Replaces value for the new call's INVITE; empty for a blind transfer."""
        self.target.headers = ""
        self.referred_by = request.get("referred-by") or ""
        """Who referred us, as a name-addr; to be handed on in the new INVITE (RFC 3892)."""
        self._exchange = exchange
        self._hop: Flow | Hop = flow
        self._tag = call.local_tag if call is not None else agent.endpoint.new_tag()
        dialog = call.dialog if call is not None else None
        self._dialog = dialog or Dialog.of_request(request, self._tag)
        self._id = request.cseq.number
        silent = (request.get("refer-sub") or "").strip().lower() == "false"
        self._tells = not silent
        self.is_over = False
        """Whether it was refused, or its outcome told."""

    def headers(self) -> list[tuple[str, str]]:
        """What the INVITE that the REFER asks for carries of it."""
        found = [("Referred-By", self.referred_by)] if self.referred_by else []
        return [*found, ("Replaces", self.replaces)] if self.replaces else found

    def accept(self) -> None:
        """Take it: 202, and a first NOTIFY."""
        headers = [self.agent.contact_for(self._exchange.flow.transport)]
        if not self._tells:
            headers.append(("Refer-Sub", "false"))
        self._exchange.respond(self.request.response(202, to_tag=self._tag, headers=headers))
        self.notify(100, "Trying")

    def reject(self, status: int = 603) -> None:
        """Refuse it."""
        self.is_over = True
        self._exchange.respond(self.request.response(status, to_tag=self._tag))

    def notify(self, status: int, reason: str) -> None:
        """Tell the peer how the call that it asked for goes; a final status ends the telling."""
        if self.is_over or (self.call is not None and self.call.is_over and status < 200):
            return
        final = status >= 200
        self.is_over = final
        if not self._tells:
            return
        state = "terminated;reason=noresource" if final else f"active;expires={TRANSFER_LIFE}"
        headers = [
            ("Event", f"refer;id={self._id}"),
            ("Subscription-State", state),
            self.agent.contact_for(self._exchange.flow.transport),
        ]
        told = f"SIP/2.0 {status} {reason}\r\n".encode()
        dialog = self._dialog
        self.agent.requester.send(
            lambda extra: dialog.request("NOTIFY", [*headers, *extra], told, f"{SIPFRAG};version=2.0"),
            self.agent.next_hop(dialog, self._hop),
            self._notify_answered,
        )

    def follow(self, call: Call) -> None:
        """Tell of `call`, the one that was placed for it, as it goes on."""
        call.on_change(self._changed)

    def _changed(self, call: Call, what: str) -> None:
        if what in ("ringing", "progress"):
            self.notify(call.status, call.reason)
        elif what in ("answered", "ended"):
            self.notify(call.status if call.status >= 200 else 500, call.reason)

    def _notify_answered(self, response: Response | None, request: Request) -> None:
        if response is None or response.status in (481, 489):
            self.is_over = True  # RFC 6665 §4.2.2: the subscription is gone


def replaced_by(value: str) -> tuple[str, str, str, bool]:
    """A Replaces value (RFC 3891 §6.1): Call-ID, to-tag, from-tag, early-only. Raises SipRemoteError."""
    call_id, _, tail = value.partition(";")
    params = parse_params(tail)
    to_tag, from_tag = params.get("to-tag"), params.get("from-tag")
    if not call_id.strip() or to_tag is None or from_tag is None:
        raise SipRemoteError(f"not a Replaces: {value[:60]!r}")
    return call_id.strip(), to_tag, from_tag, "early-only" in params


def refer_target(uri: str) -> Uri:
    """The URI that a REFER may name. Raises SipLocalError."""
    try:
        return Uri.parse(uri)
    except SipRemoteError as error:
        raise SipLocalError(f"not a URI: {error}") from error
