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
from harness.endpoints.sip.flow import Flow, Hop, told_by
from harness.endpoints.sip.wheel import Timer
from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip.body import SIPFRAG
from harness.protocols.sip.dialog import Dialog
from harness.protocols.sip.headers import NameAddr, parse_params
from harness.protocols.sip.message import Request, Response
from harness.protocols.sip.parse import parse_start_line
from harness.transport.tap import Address

if TYPE_CHECKING:
    from harness.endpoints.sip.agent import UserAgent

TRANSFER_LIFE: Final = 60
"""Seconds for which the side that was referred says it will go on telling."""
MAX_TRANSFERS: Final = 8
"""Transfers asked of one call's peer that are not over."""


class Transfer:
    """A REFER of ours that the peer took, and the subscription that came with it (RFC 3515 §2.4.4)."""

    def __init__(self, agent: UserAgent, target: str, call: Call | None) -> None:
        self.agent = agent
        self.call = call
        """The call whose peer was asked; None for a REFER outside any dialog."""
        self.target = target
        """The Refer-To URI."""
        self.status = 0
        """The latest status that the peer told of the call it places; 0 before any."""
        self.reason = ""
        self.is_over = False
        """Whether the peer tells no more."""
        self.cseq: int | None = None
        """The number of the REFER, which names the subscription in Event's `id`; None until it was taken."""
        self.dialog: Dialog | None = call.dialog if call is not None else None
        self.call_id = call.id if call is not None else agent.new_call_id()
        self.local_tag = call.local_tag if call is not None else agent.endpoint.new_tag()
        self._life: Timer | None = None
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

    def taken(self, response: Response) -> None:
        """The peer took the REFER."""
        self.cseq = response.cseq.number
        if self.is_over:
            return
        if (response.get("refer-sub") or "").strip().lower() == "false":
            self.status, self.reason = 200, "nothing is told (RFC 4488)"
            self.end()

    def is_meant(self, request: Request) -> bool:
        """Whether a NOTIFY is of this transfer: it names it by its `id`, or is of the first (RFC 3515 §2.4.6)."""
        event, _, params = (request.get("event") or "").partition(";")
        named = parse_params(params).get("id")
        return event.strip().lower() == "refer" and (named is None or self.cseq is None or named == str(self.cseq))

    def receive(self, request: Request, exchange: Exchange) -> None:
        """A NOTIFY of this transfer. Raises SipRemoteError (a 400)."""
        if not self.is_meant(request):
            exchange.respond(request.response(481))
            return
        if request.content_type == SIPFRAG and request.body.strip():
            first = request.body.decode("utf-8", "replace").strip().splitlines()[0]
            told = parse_start_line(first.strip())
            if not isinstance(told, Response):
                raise SipRemoteError(f"a sipfrag that tells no status: {first[:60]!r}")
            self.status, self.reason = told.status, told.reason
            self.agent.journal.record(
                self.agent.name, "call.transfer", call_id=self.call_id, status=told.status, reason=told.reason
            )
        exchange.respond(request.response(200))
        state = (request.get("subscription-state") or "").partition(";")[0].strip().lower()
        if state == "terminated" or self.status >= 200:
            self.end()

    def outlive(self) -> None:
        """The call that it was asked in has ended; the peer may tell on, for TRANSFER_LIFE (RFC 5589 §6.1)."""
        if not self.is_over and self.dialog is not None:
            try:
                self.agent.keep_usage(self)
            except SipLocalError:
                self.end()
                return
            self._life = self.agent.endpoint.wheel.after(TRANSFER_LIFE, self.end)

    def begin(self, notify: Request) -> None:
        """The NOTIFY outran the answer to our REFER, and makes the dialog (RFC 6665 §4.4.1). Raises SipRemoteError."""
        self.dialog = Dialog.of_notify(notify, self.local_tag, 1)

    def end(self) -> None:
        """Nothing more is told."""
        self.is_over = True
        if self._life is not None:
            self._life.cancel()
        if self.call is not None:
            self.call.transfers.pop(self, None)
        self.agent.forget_usage(self)
        if not self._over.done():
            self._over.set_result(None)


def _refer_to(target: str, replaces: Call | None) -> tuple[str, str]:
    """The URI to be called and the Refer-To value. Raises SipLocalError."""
    if replaces is None:
        return target, f"<{target}>"
    named = percent_encode(replacing(replaces), safe="")
    assert replaces.dialog is not None
    target = target or replaces.dialog.target
    return target, f"<{target}{'&' if '?' in target else '?'}Replaces={named}>"


def replacing(call: Call) -> str:
    """The value of Replaces that names a call's dialog to its peer (RFC 3891 section 6.1).

    `to-tag` is the tag of whoever is sent the INVITE. Raises SipLocalError where there is no dialog to replace.
    """
    dialog = call.dialog
    if dialog is None or call.is_over:
        raise SipLocalError(f"{call} has no dialog that could be replaced")
    return f"{call.id};to-tag={dialog.remote_tag};from-tag={dialog.local_tag}"


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
    target, refer_to = _refer_to(target, replaces)
    agent.routes.ask_permit(target)
    if len(call.transfers) >= MAX_TRANSFERS:
        raise SipLocalError(f"{call}: {MAX_TRANSFERS} transfers are under way already")
    transfer = Transfer(agent, target, call)
    call.transfers[transfer] = None
    own = [("Refer-To", refer_to), ("Referred-By", f"<{agent.card.aor}>"), agent.card.contact(call.way)]
    try:
        response = await call.send("REFER", headers=[*own, *headers], within=within)
        if response.status >= 300:
            raise SipLocalError(f"{call}: {response.status} {response.reason} to REFER")
    except SipLocalError:
        transfer.end()
        raise
    transfer.taken(response)
    return transfer


async def refer_outside(
    agent: UserAgent,
    uri: str,
    target: str,
    *,
    to: Address | Hop | None = None,
    headers: Headers = (),
    within: float = 5.0,
) -> Transfer:
    """Ask the user agent at `uri` to call `target`, outside any call (RFC 3515 §2.4.1: REFER makes a dialog).

    Raises as `refer`.
    """
    agent.routes.ask_permit(target)
    hop = agent.routes.hop_for(uri, to)
    transfer = Transfer(agent, target, None)
    agent.keep_usage(transfer)
    own = [("Refer-To", f"<{target}>"), ("Referred-By", f"<{agent.card.aor}>"), *agent.card.headers(hop.kind), *headers]
    try:
        response = await agent.request(
            "REFER", uri, headers=own, to=hop, within=within, dialog=(transfer.call_id, transfer.local_tag)
        )
        if response.status >= 300:
            raise SipLocalError(f"{response.status} {response.reason} to REFER at {uri}")
        if transfer.dialog is None:
            transfer.dialog = Dialog.of_response(Request("REFER", uri, []), response)
    except SipRemoteError as error:
        transfer.end()
        raise SipLocalError(f"REFER at {uri}: {error}") from error
    except SipLocalError:
        transfer.end()
        raise
    transfer.taken(response)
    return transfer


def notified(call: Call, request: Request, exchange: Exchange) -> None:
    """A NOTIFY within a call: of a transfer, or of nothing that we asked for. Raises SipRemoteError (a 400)."""
    transfer = next((each for each in call.transfers if each.is_meant(request)), None)
    if transfer is None:
        exchange.respond(request.response(481))  # RFC 6665 §4.1.3: no subscription of that name
    else:
        transfer.receive(request, exchange)


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
        self.method = (self.target.params.pop("method", None) or "INVITE").upper()
        """What is to be sent to the target; nearly always INVITE."""
        self._exchange = exchange
        self._flow = flow
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
        headers = [self.agent.card.contact(told_by(self._flow, self.request))]
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
            self.agent.card.contact(told_by(self._flow, self.request)),
        ]
        told = f"SIP/2.0 {status} {reason}\r\n".encode("utf-8", "surrogateescape")
        dialog = self._dialog
        if self.call is not None:
            target, fallback = self.call.ways(dialog)
        else:
            target, fallback = self.agent.routes.ways(dialog, self._flow, direct=self.request.envelope.is_direct)
        self.agent.requester.send(
            lambda: dialog.request("NOTIFY", headers, told, f"{SIPFRAG};version=2.0"),
            target,
            self._notify_answered,
            fallback=fallback,
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
