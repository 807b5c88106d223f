"""The SIP user agent: places and takes calls, registers, subscribes, and keeps a registrar where it is one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from harness.endpoints.sip import dispatch, refer
from harness.endpoints.sip.abilities import Abilities
from harness.endpoints.sip.admission import Admission
from harness.endpoints.sip.call import Call, Headers, InDialog
from harness.endpoints.sip.card import Card
from harness.endpoints.sip.dispatch import Dispatcher, Usage
from harness.endpoints.sip.endpoint import MAX_TRANSACTIONS, SipEndpoint
from harness.endpoints.sip.exchange import Exchange
from harness.endpoints.sip.flow import UDP, Flow, Hop, told_by
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.outgoing import OutgoingCall
from harness.endpoints.sip.registration import Registration
from harness.endpoints.sip.registry import Registry
from harness.endpoints.sip.requester import Credentials, Requester
from harness.endpoints.sip.ringing import Ringing
from harness.endpoints.sip.routes import Routes
from harness.endpoints.sip.session import Session
from harness.endpoints.sip.subscription import Notification, Subscriber, Subscription
from harness.endpoints.sip.transports import Listen, TlsSides
from harness.errors import SipLocalError, SipRemoteError
from harness.journal import Journal
from harness.protocols.sip import digest
from harness.protocols.sip.grammar import CONTROL, MAX_HEADER_LINE
from harness.protocols.sip.headers import NameAddr
from harness.protocols.sip.message import Request, Response
from harness.protocols.sip.registrar import Registrar
from harness.protocols.sip.transaction import DEFAULT_TIMING, Timing
from harness.transport.context import Context
from harness.transport.tap import Address

MAX_CALLS: Final = 16_384
"""Calls that one agent holds at once; an INVITE beyond them gets 503."""
MAX_USAGES: Final = 16_384
"""Subscriptions, ours and peers', that one agent holds at once."""
CLOSE_WITHIN: Final = 2.0
"""Seconds that closing waits for BYEs and the like to be answered."""
DEFAULT_ABILITIES: Final = Abilities()


class UserAgent:
    """One SIP user agent. Use `open`."""

    def __init__(self, context: Context, name: str, user: str, abilities: Abilities) -> None:
        self.name = name
        """The source of its journal events."""
        self.journal: Journal = context.journal
        self.rng = context.rng
        self.user = user
        self.abilities = abilities
        self.accept = "application/sdp, multipart/mixed"
        """What bodies of an INVITE we can read."""
        self.on_invite: Callable[[IncomingCall], None] | None = None
        """Given each call that comes in; it may answer at once or later. Without it, INVITE gets 480.

        It may raise SdpError: the offer is then refused with 488.
        """
        self.on_refer: Callable[[refer.Referral], None] | None = None
        """Given each REFER; without it they are refused with 603."""
        self.on_message: Callable[[Request], int] | None = None
        """Given each MESSAGE (RFC 3428); returns the status to answer with. Without it MESSAGE gets 405, and Allow does
        not name it: it is set before anybody is told."""
        self.on_subscribe: Callable[[Subscriber], None] | None = None
        """Given each SUBSCRIBE of a package in `events`."""
        self.on_notify: Callable[[Request], int] | None = None
        """Given each NOTIFY of no subscription of ours; returns the status to answer with."""
        self.events: tuple[str, ...] = ()
        """Event packages that peers may subscribe to."""
        self.routes: Routes
        self.endpoint: SipEndpoint
        self.requester: Requester
        self.card: Card
        """What our messages tell of us."""
        self.registry: Registry | None = None
        self.in_dialog: dict[str, InDialog] = {}
        """What is done with requests within a call, by method."""
        self.max_calls = MAX_CALLS
        """Calls that are held at once."""
        self.calls_by_dialog: dict[tuple[str, str], Call] = {}
        """The calls that are up by Call-ID and our tag; for those who deliver messages to them."""
        self._usages: dict[tuple[str, str], Usage] = {}
        self._registrations: list[Registration] = []
        self._closed: asyncio.Future[None] | None = None
        self.ringing: Ringing
        """Looks after calls that ring for long."""
        self._dispatcher: Dispatcher

    @classmethod
    async def open(
        cls,
        context: Context,
        name: str,
        *,
        local: Address = ("127.0.0.1", 0),
        listen: Sequence[Listen] = (),
        tls: TlsSides | None = None,
        user: str = "",
        display: str = "",
        credentials: Credentials | None = None,
        abilities: Abilities = DEFAULT_ABILITIES,
        on_invite: Callable[[IncomingCall], None] | None = None,
        registrar: Registrar | None = None,
        on_register: Callable[[str], None] | None = None,
        server_credentials: Mapping[str, str] | None = None,
        authenticate: Collection[str] = ("REGISTER",),
        realm: str = "",
        algorithms: Sequence[str] = tuple(digest.ALGORITHMS),
        permit: Callable[[str], None] | None = None,
        outbound: Address | Hop | None = None,
        timing: Timing = DEFAULT_TIMING,
        trace: bool = True,
        max_calls: int = MAX_CALLS,
        max_transactions: int = MAX_TRANSACTIONS,
        keep_alive: float = 0.0,
    ) -> UserAgent:
        """Bind and be ready.

        `local`: the UDP port, unless `listen` names all ports. `user`: the user part of our URI (the name by default).
        `credentials`: (user, password) that answer 401 and 407. `registrar`: makes us a registrar; `on_register` is
        then called with each address-of-record that changed. `server_credentials`: passwords by user; requests of the
        methods in `authenticate` are then challenged for `realm` (our address by default) with the digest `algorithms`,
        best first. `outbound`: where all requests outside dialogs are sent. `trace`: journal each message (off under
        load). `keep_alive`: seconds of silence after which a connection that we made is kept alive by a double CR LF
        that the peer is to answer (RFC 5626 §3.5.1); 0: never.
        Raises TransportError where an address can't be bound, or a certificate can't be used.
        """
        agent = cls(context, name, user or name, abilities)
        agent.on_invite = on_invite
        agent.routes = Routes(
            permit, outbound if outbound is None or isinstance(outbound, Hop) else Hop(UDP, *outbound)
        )
        agent.max_calls = max_calls
        dispatcher = Dispatcher(agent)
        agent.endpoint = await SipEndpoint.open(
            context,
            name,
            listen or [Listen(UDP, *local)],
            dispatcher.received,
            tls=tls,
            timing=timing,
            trace=trace,
            max_transactions=max_transactions,
            keep_alive=keep_alive,
        )
        agent.card = Card(agent.user, display, abilities, agent.endpoint.transports, lambda: agent.allow)
        agent.ringing = Ringing(agent)
        agent._dispatcher = dispatcher
        agent.requester = Requester(agent.endpoint, context.rng, credentials)
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
        agent.routes.registry = agent.registry
        agent._prepare(dispatcher)
        return agent

    def _prepare(self, dispatcher: Dispatcher) -> None:
        every: dict[str, InDialog] = {
            "BYE": _never,
            "INVITE": dispatch.reinvited,
            "UPDATE": dispatch.updated,
            "PRACK": dispatch.pracked,
            "INFO": dispatch.informed,
            "OPTIONS": dispatcher.options,
            "REFER": dispatcher.referred,
            "MESSAGE": dispatcher.message,
            "NOTIFY": refer.notified,
            "SUBSCRIBE": dispatch.subscribed,
        }
        self.in_dialog = {method: do for method, do in every.items() if method in self.abilities.methods}
        dispatcher.admission = Admission(self)

    @property
    def allow(self) -> tuple[str, str]:
        """The Allow header: what is served, and REGISTER by a registrar (RFC 3261 §20.5)."""
        methods = [each for each in self.abilities.methods if each != "MESSAGE" or self.on_message is not None]
        if self.registry is not None and self.registry.registrar is not None:
            methods.append("REGISTER")
        return "Allow", ", ".join(methods)

    @property
    def allow_events(self) -> tuple[str, str]:
        """The Allow-Events header of a 489 (RFC 6665 §8.3.2); those who may subscribe to nothing are told of refer."""
        return "Allow-Events", ", ".join(self.events or ("refer",))

    @property
    def address(self) -> Address:
        """The bound address: UDP's where there is one."""
        return self.endpoint.local

    @property
    def uri(self) -> str:
        """Our own SIP URI as our Contact has it: `sip:user@host:port` over UDP."""
        return self.card.uri()

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls that are up."""
        return tuple(self.calls_by_dialog.values())

    async def close(self) -> None:
        """Hang up what is up, take back registrations, wait up to CLOSE_WITHIN for the answers, and close the port."""
        for registration in tuple(self._registrations):
            registration.give_up()
        self._registrations.clear()
        for usage in tuple(self._usages.values()):
            if isinstance(usage, Subscription):
                usage.give_up()
            elif isinstance(usage, Subscriber):
                usage.terminate()
        for call in self.calls:
            call.hang_up()
        if self.calls_by_dialog:
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
        self,
        uri: str,
        *,
        offer: bytes = b"",
        caller: str = "",
        headers: Headers = (),
        to: Address | Hop | Flow | None = None,
        content: tuple[bytes, str] = (b"", ""),
    ) -> OutgoingCall:
        """Place a call and return it at once.

        `offer`: our session description. `caller`: the From as `"Display" <sip:user@host>` (our own by default). `to`:
        where to send it, if not where the URI says. `content`: a body and its type that hold the offer and more, such
        as a multipart with a location. A contact that was registered with us by a connection is called over it.
        Raises InterlockError before anything leaves, and SipLocalError on values that
        can't be sent or when MAX_CALLS are up.
        """
        hop = self.routes.way_to(uri, to)
        if len(self.calls_by_dialog) >= self.max_calls:
            raise SipLocalError(f"{self.max_calls} calls are up already")
        call = OutgoingCall(self, uri, hop, self._checked_from(caller), offer, content, headers)
        self.calls_by_dialog[call.id, call.local_tag] = call
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
        to: Address | Hop | Flow | None = None,
        aor: str = "",
        credentials: Credentials | None = None,
        within: float = 32.0,
        dialog: tuple[str, str] | None = None,
    ) -> Response:
        """Send a request outside any dialog and return its final response, whatever its status.

        `aor`: the URI of From and To where they are not us and the target (REGISTER). `dialog`: the Call-ID and From
        tag to be used, where the answer is to make a dialog. Raises InterlockError before anything leaves, and
        SipLocalError when no final response comes within `within` seconds.
        """
        hop = self.routes.way_to(uri, to)
        sender = f"<{aor}>" if aor else self._checked_from("")
        call_id, tag = dialog or (self.new_call_id(), self.endpoint.new_tag())
        own = [] if any(name.lower() in ("contact", "m") for name, _ in headers) else [self.card.contact(hop.kind)]
        cseq = 0

        def build() -> Request:
            nonlocal cseq
            cseq += 1
            fields = [
                ("Max-Forwards", "70"),
                ("From", f"{sender};tag={tag}"),
                ("To", f"<{aor or uri}>"),
                ("Call-ID", call_id),
                ("CSeq", f"{cseq} {method}"),
            ]
            return Request.build(method, uri, [*fields, *own, *headers], body, content_type)

        return await self.requester.ask(f"{method} to {uri}", build, hop, within, credentials)

    async def options(self, uri: str, *, to: Address | Hop | None = None, within: float = 5.0) -> Response:
        """Ask a peer what it can do; returns its final response. Raises as `request`."""
        return await self.request("OPTIONS", uri, headers=[("Accept", "application/sdp")], to=to, within=within)

    async def register(
        self,
        registrar: str,
        user: str,
        password: str,
        *,
        expires: int = 3600,
        to: Address | Hop | None = None,
        within: float = 5.0,
    ) -> Registration:
        """Register `sip:user@host-of-registrar` at a registrar's URI, and keep it so until closed or unregistered.

        `expires`: seconds asked for. Raises SipLocalError with the status when it is refused.
        """
        registration = Registration(self, registrar, user, password, expires, self.routes.hop_for(registrar, to))
        await registration.register(within=within)
        self._registrations.append(registration)
        return registration

    async def subscribe(
        self,
        uri: str,
        event: str,
        heard: Callable[[Notification], None],
        *,
        accept: str,
        expires: int = 3600,
        to: Address | Hop | None = None,
        within: float = 5.0,
    ) -> Subscription:
        """Subscribe to an event package at `uri`, and keep it so; `heard` is given each NOTIFY.

        `accept`: media types of its state. Raises InterlockError before anything leaves, SipLocalError when refused.
        """
        subscription = Subscription(self, uri, event, self.routes.hop_for(uri, to), heard, accept)
        self.keep_usage(subscription)
        try:
            await subscription.subscribe(expires, within=within)
        except SipLocalError:
            subscription.end()
            raise
        return subscription

    def _checked_from(self, caller: str) -> str:
        if not caller:
            return self.card.sender
        try:
            given = NameAddr.parse(caller)
        except SipRemoteError as error:
            raise SipLocalError(f"not a caller: {error}") from error
        if given.tag or CONTROL.search(caller):
            raise SipLocalError(f"a caller with a tag or a control character: {caller!r}")
        if len(caller) > MAX_HEADER_LINE:
            raise SipLocalError(f"a caller longer than {MAX_HEADER_LINE} characters: {caller[:80]!r}...")
        return caller if "<" in caller else f"<{caller}>"

    # For calls, subscriptions and registrations

    def new_call_id(self) -> str:
        """A fresh Call-ID."""
        return f"{self.rng.getrandbits(96):024x}@{self.endpoint.local[0]}"

    def make_session(self, call: Call) -> Session:
        """A call's later offers."""
        return Session(self, call)

    def forget(self, call: Call) -> None:
        """A call has ended."""
        self.calls_by_dialog.pop((call.id, call.local_tag), None)
        if isinstance(call, IncomingCall):
            self._dispatcher.forget(call)
        if not self.calls_by_dialog and self._closed is not None and not self._closed.done():
            self._closed.set_result(None)

    def find_usage(self, call_id: str, local_tag: str) -> Usage | None:
        """The subscription with a Call-ID and a tag of ours."""
        return self._usages.get((call_id, local_tag))

    @property
    def has_room_for_usage(self) -> bool:
        """Whether a subscription may begin."""
        return len(self._usages) < MAX_USAGES

    def keep_usage(self, usage: Usage) -> None:
        """A subscription has begun. Raises SipLocalError when MAX_USAGES are up."""
        if not self.has_room_for_usage and (usage.call_id, usage.local_tag) not in self._usages:
            raise SipLocalError(f"{MAX_USAGES} subscriptions are up already")
        self._usages[usage.call_id, usage.local_tag] = usage

    def forget_usage(self, usage: Usage) -> None:
        """A subscription has ended."""
        key = usage.call_id, usage.local_tag
        if self._usages.get(key) is usage:
            del self._usages[key]

    def warn(self, kind: str, towards: Flow | Hop, **data: Any) -> None:
        """Journal something odd that a peer did; bounded in number."""
        if isinstance(towards, Hop):
            self.endpoint.notes.warn(kind, None, peer=f"{towards.host}:{towards.port}", **data)
        else:
            self.endpoint.notes.warn(kind, towards, **data)

    def answer_options(self, request: Request, exchange: Exchange) -> None:
        """Answer OPTIONS with what we can do (§11.2)."""
        headers = [("Accept", self.accept), ("Accept-Encoding", "identity"), ("Accept-Language", "en")]
        if self.events:
            headers.append(("Allow-Events", ", ".join(self.events)))
        prepared = self.card.answers[told_by(exchange.flow, request)]
        exchange.respond(request.response(200, to_tag=self.endpoint.new_tag(), prepared=prepared, headers=headers))


def _never(call: Call, request: Request, exchange: Exchange) -> None:
    """BYE is a call's own affair."""
    raise AssertionError("a BYE is dealt with by the call itself")
