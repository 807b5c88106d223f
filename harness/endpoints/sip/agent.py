"""The SIP user agent: places and takes calls, registers, answers OPTIONS, keeps a registrar where it is one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from harness.endpoints.sip.call import SDP_TYPE, Call
from harness.endpoints.sip.endpoint import MAX_TRANSACTIONS, RETRY_AFTER, Exchange, SipEndpoint, next_hop
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.outgoing import OutgoingCall
from harness.endpoints.sip.registration import Registration
from harness.endpoints.sip.registry import Registry
from harness.errors import SdpError, SipLocalError, SipRemoteError
from harness.journal import Journal
from harness.protocols.sip import digest
from harness.protocols.sip.dialog import Dialog
from harness.protocols.sip.grammar import CONTROL, METHODS, URI_FORBIDDEN, quote
from harness.protocols.sip.headers import NameAddr
from harness.protocols.sip.message import Request, Response, checked
from harness.protocols.sip.registrar import Registrar
from harness.protocols.sip.transaction import DEFAULT_TIMING, Timing
from harness.protocols.sip.uri import Uri
from harness.transport.context import Context
from harness.transport.tap import Address

MAX_CALLS: Final = 16_384
"""Calls that one agent holds at once; an INVITE beyond them gets 503."""
MAX_CHALLENGES: Final = 2
"""401 or 407 answered for one request: the first, and one for a nonce gone stale."""
CLOSE_WITHIN: Final = 2.0
"""Seconds that closing waits for BYEs and the like to be answered."""

SUPPORTED: Final = frozenset[str]()
"""Extensions (option tags) that a Require may name; a call needs none so far."""
_ABILITIES: Final = [("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS"), ("Supported", "")]

Credentials = tuple[str, str]
"""User and password."""
Headers = Sequence[tuple[str, str]]
Answered = Callable[[Response | None, Request], None]
"""Given each response, and the request as it was sent last; None where nobody answered."""


class UserAgent:
    """One SIP user agent on one UDP port. Use `open`."""

    def __init__(self, context: Context, name: str, user: str, display: str) -> None:
        self.name = name
        """The source of its journal events."""
        self.journal: Journal = context.journal
        self.user = user
        self.display = display
        self.credentials: Credentials | None = None
        self.on_invite: Callable[[IncomingCall], None] | None = None
        """Given each call that comes in; it may answer at once or later. Without it, INVITE gets 480.

        It may raise SdpError: the offer is then refused with 488.
        """
        self.outbound: Address | None = None
        self.permit: Callable[[str], None] | None = None
        """Asked with the target URI before any request outside a dialog leaves; raises InterlockError to refuse."""
        self.endpoint: SipEndpoint
        self.contact = ""
        """Our Contact."""
        self.answer_headers: list[tuple[str, str]] = []
        """What a 200 to INVITE carries besides its body."""
        self.contact_header: list[tuple[str, str]] = []
        """What a provisional response carries."""
        self.registry: Registry | None = None
        self._max_calls = MAX_CALLS
        self._calls: dict[tuple[str, str], Call] = {}
        self._registrations: list[Registration] = []
        self._closed: asyncio.Future[None] | None = None
        self._rng = context.rng

    @classmethod
    async def open(
        cls,
        context: Context,
        name: str,
        *,
        local: Address = ("127.0.0.1", 0),
        user: str = "",
        display: str = "",
        credentials: Credentials | None = None,
        on_invite: Callable[[IncomingCall], None] | None = None,
        registrar: Registrar | None = None,
        on_register: Callable[[str], None] | None = None,
        server_credentials: Mapping[str, str] | None = None,
        authenticate: Collection[str] = ("REGISTER",),
        realm: str = "",
        algorithms: Sequence[str] = tuple(digest.ALGORITHMS),
        permit: Callable[[str], None] | None = None,
        outbound: Address | None = None,
        timing: Timing = DEFAULT_TIMING,
        trace: bool = True,
        max_calls: int = MAX_CALLS,
        max_transactions: int = MAX_TRANSACTIONS,
    ) -> UserAgent:
        """Bind `local` and be ready.

        `user`: the user part of our URI (the name by default). `credentials`: (user, password) that answer 401 and 407.
        `registrar`: makes us a registrar; `on_register` is then called with each address-of-record that changed.
        `server_credentials`: passwords by user; requests of the methods in `authenticate` are then challenged for
        `realm` (our address by default) with the digest `algorithms`, best first.
        `outbound`: where all requests outside dialogs are sent. `trace`: journal each message (off under load).
        Raises TransportError where the address can't be bound.
        """
        agent = cls(context, name, user or name, display)
        agent.credentials, agent.on_invite, agent.outbound, agent.permit = credentials, on_invite, outbound, permit
        agent._max_calls = max_calls
        agent.endpoint = await SipEndpoint.open(
            context,
            name,
            local,
            agent._received,
            timing=timing,
            trace=trace,
            max_transactions=max_transactions,
        )
        agent.contact = f"<{agent.uri}>"
        agent.contact_header = checked([("Contact", agent.contact)])
        agent.answer_headers = checked([("Contact", agent.contact), *_ABILITIES])
        if registrar is not None or server_credentials is not None:
            agent.registry = Registry(
                agent.endpoint,
                registrar,
                on_register,
                server_credentials,
                frozenset(authenticate),
                context.rng.randbytes(32),
                realm,
                algorithms,
            )
        return agent

    @property
    def address(self) -> Address:
        """The bound address."""
        return self.endpoint.local

    @property
    def uri(self) -> str:
        """Our own SIP URI: `sip:user@host:port`."""
        host, port = self.endpoint.local
        return f"sip:{self.user}@{f'[{host}]' if ':' in host else host}:{port}"

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls that are up."""
        return tuple(self._calls.values())

    async def close(self) -> None:
        """Hang up what is up, take back registrations, wait up to CLOSE_WITHIN for the answers, and close the port."""
        for registration in tuple(self._registrations):
            registration.give_up()
        self._registrations.clear()
        for call in self.calls:
            call.hang_up()
        if self._calls:
            self._closed = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(CLOSE_WITHIN):
                    await self._closed
            except TimeoutError:
                for call in self.calls:
                    call.abandon("closed")
        if self.registry is not None:
            self.registry.close()
        self.endpoint.close()

    # Placing

    def invite(
        self, uri: str, *, offer: bytes = b"", caller: str = "", headers: Headers = (), to: Address | None = None
    ) -> OutgoingCall:
        """Place a call and return it at once.

        `offer`: our session description. `caller`: the From as `"Display" <sip:user@host>` (our own by default). `to`:
        where to send it, if not where the URI says. Raises InterlockError before anything leaves, and SipLocalError
        on values that can't be sent or when MAX_CALLS are up.
        """
        self._ask_permit(uri)
        if len(self._calls) >= self._max_calls:
            raise SipLocalError(f"{self._max_calls} calls are up already")
        call = OutgoingCall(self, uri, to or self._target(uri), self._checked_from(caller), offer, headers)
        self._calls[call.id, call.local_tag] = call
        try:
            call.start()
        except SipLocalError as error:
            call.abandon(str(error))
            raise
        return call

    async def request(
        self,
        method: str,
        uri: str,
        *,
        headers: Headers = (),
        body: bytes = b"",
        content_type: str = "",
        to: Address | None = None,
        aor: str = "",
        credentials: Credentials | None = None,
        within: float = 32.0,
    ) -> Response:
        """Send a request outside any dialog and return its final response, whatever its status.

        `aor`: the URI of From and To where they are not us and the target (REGISTER). Raises InterlockError before
        anything leaves, and SipLocalError when no final response comes within `within` seconds.
        """
        self._ask_permit(uri)
        sender = f"<{aor}>" if aor else self._checked_from("")
        call_id, tag = self.new_call_id(), self.endpoint.new_tag()
        found: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        cseq = 0

        def build(extra: Headers) -> Request:
            nonlocal cseq
            cseq += 1
            fields = [
                ("Max-Forwards", "70"),
                ("From", f"{sender};tag={tag}"),
                ("To", f"<{aor or uri}>"),
                ("Call-ID", call_id),
                ("CSeq", f"{cseq} {method}"),
                ("Contact", self.contact),
            ]
            if any(name.lower() in ("contact", "m") for name, _ in headers):
                fields.pop()
            return Request.build(method, uri, [*fields, *headers, *extra], body, content_type)

        def answered(response: Response | None, request: Request) -> None:
            if found.done():
                return
            if response is None:
                found.set_exception(
                    SipLocalError(f"{method} to {uri}: no answer in {self.endpoint.timing.patience:g} s")
                )
            elif response.status >= 200:
                found.set_result(response)

        self.send(build, to or self._target(uri), answered, credentials=credentials)
        try:
            async with asyncio.timeout(within):
                return await found
        except TimeoutError:
            raise SipLocalError(f"{method} to {uri}: no final response within {within:g} s") from None

    async def options(self, uri: str, *, to: Address | None = None, within: float = 5.0) -> Response:
        """Ask a peer what it can do; returns its final response. Raises as `request`."""
        return await self.request("OPTIONS", uri, headers=[("Accept", "application/sdp")], to=to, within=within)

    async def register(
        self,
        registrar: str,
        user: str,
        password: str,
        *,
        expires: int = 3600,
        to: Address | None = None,
        within: float = 5.0,
    ) -> Registration:
        """Register `sip:user@host-of-registrar` at a registrar's URI, and keep it so until closed or unregistered.

        `expires`: seconds asked for. Raises SipLocalError with the status when it is refused.
        """
        registration = Registration(self, registrar, user, password, expires, to)
        await registration.register(within=within)
        self._registrations.append(registration)
        return registration

    def _ask_permit(self, uri: str) -> None:
        if URI_FORBIDDEN.search(uri) or ":" not in uri:
            raise SipLocalError(f"not a URI: {uri!r}")
        if self.permit is not None:
            self.permit(uri)

    def _target(self, uri: str) -> Address:
        if self.outbound is not None:
            return self.outbound
        try:
            return next_hop(Uri.parse(uri))
        except SipRemoteError as error:
            raise SipLocalError(str(error)) from error

    def _checked_from(self, caller: str) -> str:
        if not caller:
            return f"{quote(self.display)} <{self.uri}>" if self.display else f"<{self.uri}>"
        try:
            given = NameAddr.parse(caller)
        except SipRemoteError as error:
            raise SipLocalError(f"not a caller: {error}") from error
        if given.tag or CONTROL.search(caller):
            raise SipLocalError(f"a caller with a tag or a control character: {caller!r}")
        return caller if "<" in caller else f"<{caller}>"

    # For calls and registrations

    def new_call_id(self) -> str:
        """A fresh Call-ID."""
        return f"{self._rng.getrandbits(96):024x}@{self.endpoint.local[0]}"

    def hop(self, dialog: Dialog, fallback: Address) -> Address:
        """Where a dialog's next request goes; `fallback` where the peer's Contact is a name, not an address."""
        try:
            return next_hop(dialog.next_hop())
        except (SipLocalError, SipRemoteError):
            return fallback

    def send(
        self,
        build: Callable[[Headers], Request],
        peer: Address,
        answered: Answered,
        sent: Callable[[Request, Exchange], None] | None = None,
        credentials: Credentials | None = None,
    ) -> None:
        """Send the request that `build(extra headers)` makes; build it again, with credentials, when challenged."""
        self._attempt(build, peer, answered, sent, credentials or self.credentials, (), 0)

    def _attempt(
        self,
        build: Callable[[Headers], Request],
        peer: Address,
        answered: Answered,
        sent: Callable[[Request, Exchange], None] | None,
        credentials: Credentials | None,
        extra: Headers,
        challenges: int,
    ) -> None:
        request = build(extra)

        def tell(response: Response | None) -> None:
            if response is not None and response.status in (401, 407) and credentials and challenges < MAX_CHALLENGES:
                try:
                    again = self._credentials(request, response, credentials, challenged=bool(extra))
                except SipRemoteError as error:
                    self.warn("sip.challenge-unanswered", peer, call_id=request.call_id, reason=str(error))
                else:
                    self._attempt(build, peer, answered, sent, credentials, again, challenges + 1)
                    return
            answered(response, request)

        exchange = self.endpoint.send_request(request, peer, tell)
        if sent is not None:
            sent(request, exchange)

    def _credentials(
        self, request: Request, response: Response, credentials: Credentials, *, challenged: bool
    ) -> Headers:
        proxy = response.status == 407
        challenge = digest.choose(response.lines("Proxy-Authenticate" if proxy else "WWW-Authenticate"))
        if challenged and not challenge.stale:
            raise SipRemoteError(f"the credentials of {credentials[0]} were refused")
        value = digest.authorization(
            challenge, request.method, request.uri_text, *credentials, cnonce=f"{self._rng.getrandbits(64):016x}"
        )
        return [("Proxy-Authorization" if proxy else "Authorization", value)]

    def forget(self, call: Call) -> None:
        """A call has ended."""
        self._calls.pop((call.id, call.local_tag), None)
        if not self._calls and self._closed is not None and not self._closed.done():
            self._closed.set_result(None)

    def warn(self, kind: str, peer: Address, **data: Any) -> None:
        """Journal something odd that a peer did; bounded in number."""
        self.endpoint.warn(kind, peer, **data)

    # Taking

    def _received(self, request: Request, exchange: Exchange | None, source: Address) -> None:
        method = request.method
        if exchange is None:  # an ACK
            call = self._calls.get((request.call_id, request.to_tag))
            if call is not None:
                call.receive_ack(request)
            return
        if method == "CANCEL":
            self._cancelled(request, exchange)
        elif request.to_tag:
            self._within_dialog(request, exchange)
        elif method not in METHODS:
            exchange.respond(request.response(501, to_tag=self.endpoint.new_tag()))
        elif not self._refused(request, exchange, source):
            if method == "INVITE":
                self._invited(request, exchange, source)
            elif method == "OPTIONS":
                self.answer_options(request, exchange)
            else:
                assert self.registry is not None
                self.registry.register(request, exchange)

    def _invited(self, request: Request, exchange: Exchange, source: Address) -> None:
        if self.on_invite is None:
            exchange.respond(request.response(480, to_tag=self.endpoint.new_tag()))
            return
        if len(self._calls) >= self._max_calls:
            self.warn("sip.overload", source, call_id=request.call_id, calls=self._max_calls)
            retry = [("Retry-After", str(RETRY_AFTER))]
            exchange.respond(request.response(503, to_tag=self.endpoint.new_tag(), headers=retry))
            return
        call = IncomingCall(self, request, exchange, source)
        self._calls[call.id, call.local_tag] = call
        call.announce()
        try:
            self.on_invite(call)
        except SdpError as error:
            self.warn("sip.offer-refused", source, call_id=call.id, reason=str(error))
            if not call.is_over and not exchange.transaction.absorbing:
                call.reject(488)
            return
        except Exception as error:
            # A fault of our own side must not leave the caller ringing for ever; the loop's handler tells the tester.
            self.journal.warn(self.name, "sip.handler-failed", call_id=call.id, reason=repr(error))
            if not call.is_over and not exchange.transaction.absorbing:
                call.reject(500)
            raise
        call.trying()

    def _within_dialog(self, request: Request, exchange: Exchange) -> None:
        call = self._calls.get((request.call_id, request.to_tag))
        dialog = call.dialog if call is not None else None
        if call is None or dialog is None or dialog.remote_tag != request.from_tag:
            exchange.respond(request.response(481))
            return
        if request.method not in ("BYE", "INVITE", "OPTIONS"):
            status = 405 if request.method in METHODS else 501
            exchange.respond(request.response(status, headers=_ABILITIES[:1]))
            return
        if self._extension_refused(request, exchange):
            return
        try:
            dialog.receive(request)
        except SipRemoteError as error:
            # §12.2.2: a number that is not higher is answered with 500.
            self.warn("sip.out-of-order", call.peer, call_id=call.id, reason=str(error))
            exchange.respond(request.response(500))
            return
        call.receive(request, exchange)

    def _cancelled(self, cancel: Request, exchange: Exchange) -> None:
        invite = self.endpoint.find_invite(cancel)
        if invite is None:
            exchange.respond(cancel.response(481, to_tag=self.endpoint.new_tag()))
            return
        call = invite.owner
        tag = call.local_tag if isinstance(call, IncomingCall) else self.endpoint.new_tag()
        exchange.respond(cancel.response(200, to_tag=tag))
        if isinstance(call, IncomingCall):
            call.cancelled(cancel)

    def _refused(self, request: Request, exchange: Exchange, source: Address) -> bool:
        """Answer what can't be served, in the order of §8.2; whether that was done."""
        method = request.method
        if method == "INVITE" and self.registry is None and request.get("require") is None:
            scheme = request.uri_text[:4].lower()
            if scheme == "sip:" and (not request.body or request.content_type == SDP_TYPE):
                return False  # nearly all of them
        tag = self.endpoint.new_tag()
        if method == "BYE":
            exchange.respond(request.response(481, to_tag=tag))
        elif method not in ("INVITE", "OPTIONS") and not (method == "REGISTER" and self._registers):
            exchange.respond(request.response(405, to_tag=tag, headers=_ABILITIES[:1]))
        elif self.registry is not None and self.registry.challenged(request, exchange, source):
            pass
        elif request.uri_text.partition(":")[0].lower() not in ("sip", "sips", "tel", "urn"):
            exchange.respond(request.response(416, to_tag=tag))
        elif self._extension_refused(request, exchange):
            pass
        elif method == "INVITE" and request.body and request.content_type != SDP_TYPE:
            exchange.respond(request.response(415, to_tag=tag, headers=[("Accept", "application/sdp")]))
        else:
            return False
        return True

    @property
    def _registers(self) -> bool:
        return self.registry is not None and self.registry.registrar is not None

    def _extension_refused(self, request: Request, exchange: Exchange) -> bool:
        if request.get("require") is None:
            return False
        unknown = [option for option in request.values("require") if option.lower() not in SUPPORTED]
        if not unknown:
            return False
        headers = [("Unsupported", ", ".join(unknown))]
        exchange.respond(request.response(420, to_tag=self.endpoint.new_tag(), headers=headers))
        return True

    def answer_options(self, request: Request, exchange: Exchange) -> None:
        """Answer OPTIONS with what we can do (§11.2)."""
        headers = [("Contact", self.contact), *_ABILITIES, ("Accept", "application/sdp"), ("Accept-Language", "en")]
        exchange.respond(request.response(200, to_tag=self.endpoint.new_tag(), headers=headers))
