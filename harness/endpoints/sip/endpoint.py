"""The SIP transaction layer over one UDP port: finds each message's transaction, does what it asks, tells the core."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol, cast

from harness.endpoints.sip.wheel import Timer, TimerWheel
from harness.errors import SipLocalError, SipRemoteError
from harness.journal import Journal
from harness.protocols.sip.grammar import BRANCH_COOKIE
from harness.protocols.sip.message import Message, Request, Response, parse, salvage
from harness.protocols.sip.state import Do
from harness.protocols.sip.transaction import (
    DEFAULT_TIMING,
    Action,
    ClientTransaction,
    Key,
    ServerTransaction,
    Timing,
    client_key,
    server_key,
)
from harness.protocols.sip.uri import Uri
from harness.transport.context import Context
from harness.transport.tap import Address
from harness.transport.udp import UdpPort, open_udp

MAX_TRANSACTIONS: Final = 32_768
"""Transactions in an endpoint's table; the oldest that only lingers makes room, and where none does, 503 is sent."""
RETRY_AFTER: Final = 10
"""Seconds that a 503 asks the peer to wait."""
MAX_WARNINGS: Final = 20
"""Warnings about garbage that an endpoint journals in WARNING_PERIOD; the others are counted."""
WARNING_PERIOD: Final = 10.0
SHOWN_BYTES: Final = 60
"""Bytes of a garbage datagram that a warning shows."""

Tell = Callable[[Response | None], None]
"""Given each response of a client transaction; None where nobody answered in time."""


class RequestHandler(Protocol):
    """What the core is given: a new request and its exchange, or an ACK (exchange None unless it has a transaction)."""

    def __call__(self, request: Request, exchange: Exchange | None, source: Address, /) -> None:
        """Deal with a request."""


class Exchange:
    """One transaction with its peer's address, its timers and whom to tell."""

    __slots__ = ("_endpoint", "_lingers", "_timers", "owner", "peer", "tell", "transaction")

    def __init__(
        self, endpoint: SipEndpoint, transaction: ClientTransaction | ServerTransaction, peer: Address, tell: Tell
    ) -> None:
        self._endpoint = endpoint
        self._timers: dict[str, Timer] | None = None
        self._lingers = False
        self.transaction = transaction
        self.peer = peer
        """Where its messages go."""
        self.tell = tell
        """For a server transaction: called with None when no ACK came."""
        self.owner: object = None
        """The call that it began, for the CANCEL that may follow."""

    def respond(self, response: Response) -> None:
        """Answer the peer's request. Raises SipLocalError after a final response."""
        assert isinstance(self.transaction, ServerTransaction)
        endpoint = self._endpoint
        if endpoint.trace:
            endpoint.note_response("sip.sent", response, self.peer)
        endpoint.perform(self, self.transaction.respond(response))

    def release(self) -> None:
        """Let go of the core: nobody is told any more."""
        self.owner = None
        self.tell = _tell_nobody

    def abandon(self) -> None:
        """Give up a request of ours that got no final response (§9.1)."""
        assert isinstance(self.transaction, ClientTransaction)
        self._endpoint.perform(self, self.transaction.abandon())


_SEND, _SET = Do.SEND, Do.SET


def _tell_nobody(response: Response | None) -> None:
    """For an exchange whose core does not mind."""


class SipEndpoint:
    """One UDP port that speaks SIP."""

    def __init__(
        self,
        context: Context,
        name: str,
        on_request: RequestHandler,
        *,
        timing: Timing = DEFAULT_TIMING,
        trace: bool = True,
        max_transactions: int = MAX_TRANSACTIONS,
    ) -> None:
        """`trace`: journal each message; off under load. Use `open`."""
        self.journal: Journal = context.journal
        self.name = name
        self.timing = timing
        self.trace = trace
        self.wheel = TimerWheel(asyncio.get_running_loop())
        self.local: Address = ("", 0)
        """The bound address."""
        self.refused = 0
        """Datagrams that were no SIP message, or one that belongs nowhere."""
        self._rng = context.rng
        self._on_request = on_request
        self._limit = max_transactions
        self._port: UdpPort | None = None
        self._table: dict[Key, Exchange] = {}
        self._lingering: dict[Key, None] = {}
        self._warned = 0
        self._period_ends = 0.0
        self._via = ""

    @classmethod
    async def open(
        cls,
        context: Context,
        name: str,
        local: Address,
        on_request: RequestHandler,
        *,
        timing: Timing = DEFAULT_TIMING,
        trace: bool = True,
        max_transactions: int = MAX_TRANSACTIONS,
    ) -> SipEndpoint:
        """Bind `local` and begin to listen. Raises TransportError where it can't be bound."""
        endpoint = cls(context, name, on_request, timing=timing, trace=trace, max_transactions=max_transactions)
        endpoint._port = await open_udp(local, endpoint._receive, tap=context.tap)
        endpoint.local = endpoint._port.local
        host = endpoint.local[0]
        shown = f"[{host}]" if ":" in host else host
        endpoint._via = f"SIP/2.0/UDP {shown}:{endpoint.local[1]};rport;branch={BRANCH_COOKIE}"
        return endpoint

    def close(self) -> None:
        """Stop all timers, forget all transactions and close the port."""
        self.wheel.close()
        self._table.clear()
        self._lingering.clear()
        if self._port is not None:
            self._port.close()
            self._port = None

    def __len__(self) -> int:
        """Transactions in the table."""
        return len(self._table)

    # Sending

    def send_request(self, request: Request, peer: Address, tell: Tell) -> Exchange:
        """Give a request a Via with a fresh branch, send it to `peer` in a transaction and `tell` what comes.

        Raises SipLocalError when the table is full.
        """
        request.fields.insert(0, ("Via", f"{self._via}{self._rng.getrandbits(64):016x}"))
        return self.send_with_via(request, peer, tell)

    def send_with_via(self, request: Request, peer: Address, tell: Tell) -> Exchange:
        """Send a request that has its Via already: a CANCEL, whose branch is its INVITE's."""
        request.refresh()
        if not self._room():
            raise SipLocalError(f"{self._limit} SIP transactions are under way already")
        transaction = ClientTransaction(request, self.timing)
        exchange = Exchange(self, transaction, peer, tell)
        self._table[transaction.key] = exchange
        if self.trace:
            self._note_request("sip.sent", request, peer)
        self.perform(exchange, transaction.start())
        return exchange

    def send_ack(self, ack: Request, peer: Address) -> bytes:
        """Send the ACK of a 2xx, which has no transaction; returns the datagram, for repeated 2xx."""
        ack.fields.insert(0, ("Via", f"{self._via}{self._rng.getrandbits(64):016x}"))
        ack.refresh()
        data = bytes(ack)
        if self.trace:
            self._note_request("sip.sent", ack, peer)
        self.send(data, peer)
        return data

    def send(self, data: bytes, peer: Address) -> None:
        """Send bytes as they are; nothing happens once closed."""
        if self._port is not None:
            self._port.send(data, peer)

    def find_invite(self, cancel: Request) -> Exchange | None:
        """The exchange of the INVITE that a CANCEL is about (§9.2)."""
        branch, *rest, _ = server_key(cancel)
        return self._table.get((branch, *rest, "INVITE"))

    # Transactions

    def perform(self, exchange: Exchange, actions: list[Action]) -> None:
        """Do what a transaction asked for, then keep, park or forget it."""
        passed: Response | None = None
        told = False
        for do, data, letter, delay, message in actions:
            if do is _SEND:
                self.send(data, exchange.peer)
            elif do is _SET:
                timers = exchange._timers
                if timers is None:
                    timers = exchange._timers = {}
                timers[letter] = self.wheel.after(delay, self._expire, exchange, letter)
            elif do is Do.STOP:
                timer = exchange._timers.pop(letter, None) if exchange._timers else None
                if timer is not None:
                    timer.cancel()
            elif do is Do.PASS:
                told = True
                passed = cast(Response, message)
            else:
                told = True
        transaction = exchange.transaction
        if transaction.ended:
            self._forget(exchange)
        elif not exchange._lingers and transaction.absorbing:
            exchange._lingers = True
            self._lingering[transaction.key] = None
        if told:
            exchange.tell(passed)

    def _expire(self, exchange: Exchange, timer: str) -> None:
        if exchange._timers is not None:
            exchange._timers.pop(timer, None)
        self.perform(exchange, exchange.transaction.expire(timer))

    def _forget(self, exchange: Exchange) -> None:
        key = exchange.transaction.key
        self._table.pop(key, None)
        self._lingering.pop(key, None)
        if exchange._timers:
            for timer in exchange._timers.values():
                timer.cancel()
        exchange._timers = None

    def _room(self) -> bool:
        """Whether one more transaction fits; the oldest that only lingers makes room."""
        if len(self._table) < self._limit:
            return True
        oldest = next(iter(self._lingering), None)
        if oldest is None:
            return False
        self._forget(self._table[oldest])
        return True

    # Receiving

    def _receive(self, data: bytes, source: Address) -> None:
        if len(data) <= 4 and not data.strip(b"\r\n\0"):
            return  # a NAT keep-alive
        try:
            message = parse(data)
            message.check()
        except SipRemoteError as error:
            self._refuse(data, source, error)
            return
        try:
            if isinstance(message, Request):
                self._receive_request(message, source)
            else:
                self._receive_response(message, source)
        except SipRemoteError as error:
            self.warn("sip.refused", source, reason=str(error), call_id=message.call_id)

    def _receive_request(self, request: Request, source: Address) -> None:
        if self.trace:
            self._note_request("sip.received", request, source)
        peer = _note_source(request, source)
        if request.cseq.method != request.method:
            raise_to = f"CSeq names {request.cseq.method}, the request is {request.method}"
            self._reply(request, peer, 400, raise_to)
            raise SipRemoteError(raise_to)
        key = server_key(request)
        known = self._table.get(key)
        if known is not None:
            transaction = known.transaction
            assert isinstance(transaction, ServerTransaction)
            actions = transaction.receive(request)
            if request.method == "ACK" and any(action.do is Do.PASS for action in actions):
                # Some peers reuse the INVITE's branch for the ACK of a 2xx.
                self._on_request(request, None, source)
                return
            self.perform(known, actions)
            return
        if request.method == "ACK":
            self._on_request(request, None, source)
            return
        if not self._room():
            self.warn("sip.overload", source, call_id=request.call_id, transactions=self._limit)
            self._reply(request, peer, 503, headers=[("Retry-After", str(RETRY_AFTER))])
            return
        exchange = Exchange(self, ServerTransaction(request, self.timing, key), peer, _tell_nobody)
        self._table[key] = exchange
        try:
            self._on_request(request, exchange, source)
        except SipRemoteError as error:
            self.warn("sip.bad-request", source, reason=str(error), method=request.method, call_id=request.call_id)
            if not exchange.transaction.absorbing:
                exchange.respond(self._bad_request(request, str(error)))

    def _receive_response(self, response: Response, source: Address) -> None:
        if self.trace:
            self.note_response("sip.received", response, source)
        exchange = self._table.get(client_key(response))
        if exchange is None or not isinstance(exchange.transaction, ClientTransaction):
            self.warn("sip.stray-response", source, status=response.status, call_id=response.call_id)
            return
        self.perform(exchange, exchange.transaction.receive(response))

    def _refuse(self, data: bytes, source: Address, error: SipRemoteError) -> None:
        self.warn("sip.garbage", source, reason=str(error), bytes=len(data), begins=repr(data[:SHOWN_BYTES]))
        salvaged = salvage(data)
        if salvaged is not None:
            status, request = salvaged
            self._reply(request, _note_source(request, source), status, str(error))

    def _bad_request(self, request: Request, reason: str) -> Response:
        # 399 is the miscellaneous warning (§20.43); its text is for a person.
        text = "".join(char if char.isprintable() and char.isascii() and char not in '"\\' else "?" for char in reason)
        warning = f'399 {self.local[0]}:{self.local[1]} "{text[:120]}"'
        return request.response(400, to_tag=self.new_tag(), headers=[("Warning", warning)])

    def _reply(
        self,
        request: Request,
        peer: Address,
        status: int,
        reason: str = "",
        headers: list[tuple[str, str]] | None = None,
    ) -> None:
        """Answer without a transaction, as §8.2.7 allows."""
        if request.method == "ACK":
            return
        if status == 400:
            response = self._bad_request(request, reason)
        else:
            response = request.response(status, to_tag=self.new_tag(), headers=headers or ())
        if self.trace:
            self.note_response("sip.sent", response, peer)
        self.send(bytes(response), peer)

    def new_tag(self) -> str:
        """A fresh tag."""
        return f"{self._rng.getrandbits(48):012x}"

    # The journal

    def warn(self, kind: str, source: Address, **data: object) -> None:
        """Journal something odd, at most MAX_WARNINGS in WARNING_PERIOD, so that garbage can't grow the journal."""
        self.refused += 1
        now = self.journal.now()
        if now >= self._period_ends:
            self._period_ends = now + WARNING_PERIOD
            self._warned = 0
        self._warned += 1
        if self._warned > MAX_WARNINGS:
            return
        if self._warned == MAX_WARNINGS:
            data["more"] = f"further warnings of the next {WARNING_PERIOD:g} s are only counted"
        self.journal.warn(self.name, kind, peer=f"{source[0]}:{source[1]}", **data)

    def _note_request(self, kind: str, request: Request, peer: Address) -> None:
        self.journal.record(
            self.name,
            kind,
            method=request.method,
            uri=request.uri_text,
            call_id=request.call_id,
            cseq=str(request.cseq),
            peer=f"{peer[0]}:{peer[1]}",
        )

    def note_response(self, kind: str, response: Response, peer: Address) -> None:
        """Journal a response that was sent or received."""
        self.journal.record(
            self.name,
            kind,
            status=response.status,
            reason=response.reason,
            call_id=response.call_id,
            cseq=str(response.cseq),
            peer=f"{peer[0]}:{peer[1]}",
        )


def next_hop(uri: Uri) -> Address:
    """The address that a URI's host and port name (RFC 3263 for literal addresses). Raises SipLocalError for names."""
    host = uri.host.strip("[]")
    if host == "localhost":
        host = "127.0.0.1"
    if not host or not (":" in host or host.replace(".", "").isdigit()):
        raise SipLocalError(f"{uri}: give an IP address as host, or an outbound proxy; names are not looked up")
    return host, uri.port or 5060


def _note_source(request: Message, source: Address) -> Address:
    """Write into the topmost Via where the request came from (§18.2.1, RFC 3581 §4); returns where the answer goes."""
    via = request.via
    host, port = source
    if via.params and "rport" in via.params:
        via.params["rport"] = str(port)
        via.params["received"] = host
        request.set_top_via(via)
        return source
    if via.host != host:
        via.params["received"] = host
        request.set_top_via(via)
    return host, via.port or 5060
