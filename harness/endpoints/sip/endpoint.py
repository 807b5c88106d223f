"""The SIP transaction layer: finds each message's transaction, does what it asks, tells the core."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, cast

from harness.endpoints.sip.exchange import Exchange, Tell, tell_nobody
from harness.endpoints.sip.flow import DEFAULT_PORTS, TCP, UDP, VIA_END, Flow, Hop, StreamFlow
from harness.endpoints.sip.notes import Notes
from harness.endpoints.sip.stateless import Stateless
from harness.endpoints.sip.transports import Listen, SipTransports, TlsSides
from harness.endpoints.sip.wheel import TimerWheel
from harness.errors import SipLocalError, SipRemoteError, TransportError
from harness.protocols.sip.grammar import BRANCH_COOKIE
from harness.protocols.sip.headers import Via
from harness.protocols.sip.message import Request, Response
from harness.protocols.sip.parse import parse
from harness.protocols.sip.state import Do, State
from harness.protocols.sip.transaction import (
    ABSORBING,
    DEFAULT_TIMING,
    REPEATING,
    Action,
    ClientTransaction,
    Key,
    ServerTransaction,
    Timing,
    client_key,
    server_key,
)
from harness.transport.context import Context
from harness.transport.stream import PEER_CLOSED
from harness.transport.tap import Address

MAX_TRANSACTIONS: Final = 32_768
"""Transactions in an endpoint's table; the oldest that only lingers makes room, and where none does, 503 is sent."""
RETRY_AFTER: Final = 10
"""Seconds that a 503 asks the peer to wait."""
MAX_ARRIVED: Final = 1_024
"""Messages that wait for the end of the loop's turn; with more they are dealt with at once."""
UDP_LIMIT: Final = 1_300
"""Bytes of a request over UDP: a longer one goes over TCP where our endpoint has it (§18.1.1)."""

_SEND, _SET, _PASS, _STOP = Do.SEND, Do.SET, Do.PASS, Do.STOP
_LAST: Final = frozenset("DIJKLM")
"""Timers that end a transaction and that nothing stops."""


class RequestHandler(Protocol):
    """What the core is given: a new request and its exchange, or an ACK (exchange None unless it has a transaction)."""

    def __call__(self, request: Request, exchange: Exchange | None, flow: Flow, /) -> None:
        """Deal with a request."""


class SipEndpoint:
    """One place that speaks SIP: its ports, connections and transactions."""

    def __init__(
        self,
        context: Context,
        name: str,
        on_request: RequestHandler,
        timing: Timing,
        trace: bool,
        max_transactions: int,
    ) -> None:
        """Use `open`."""
        self.notes = Notes(context.journal, name)
        self.timing = timing
        self.trace = trace
        self.repeated = 0
        """Messages that were sent again because nothing came: requests, refusals and 2xx of ours."""
        self.wheel = TimerWheel(asyncio.get_running_loop())
        self.transports: SipTransports
        self.ignores: Callable[[Request, Flow], bool] | None = None
        """Asked of each request before anything is done with it; one that it returns true for was never heard."""
        self.local: Address = ("", 0)
        """The address that we are told by: UDP's where there is one, else the first."""
        self._call_soon = asyncio.get_running_loop().call_soon
        self._arrived: list[tuple[bytes, Flow]] = []
        self._rng = context.rng
        self._on_request = on_request
        self._limit = max_transactions
        self.stateless = Stateless(self)
        self._has_tcp = False
        self._table: dict[Key, Exchange] = {}
        self._lingering: deque[Exchange] = deque()
        """Those that only absorb what comes late, oldest first, and some that are forgotten already."""

    @classmethod
    async def open(
        cls,
        context: Context,
        name: str,
        listen: Sequence[Listen],
        on_request: RequestHandler,
        *,
        tls: TlsSides | None = None,
        timing: Timing = DEFAULT_TIMING,
        trace: bool = True,
        max_transactions: int = MAX_TRANSACTIONS,
        keep_alive: float = 0.0,
    ) -> SipEndpoint:
        """Bind and begin to listen. `trace`: journal each message; off under load. `keep_alive`: see SipTransports.

        Raises TransportError where a port can't be bound, or a certificate can't be used.
        """
        endpoint = cls(context, name, on_request, timing, trace, max_transactions)
        endpoint.transports = await SipTransports.open(context, listen, endpoint, tls or TlsSides(), keep_alive)
        endpoint.local = endpoint.transports.local_for(UDP)
        endpoint._has_tcp = any(kind.startswith(TCP) for kind in endpoint.transports.locals)
        return endpoint

    def close(self) -> None:
        """Stop all timers, forget all transactions and close ports and connections."""
        self.wheel.close()
        self._table.clear()
        self._lingering.clear()
        self._arrived.clear()
        self.transports.close()

    def __len__(self) -> int:
        """Transactions in the table."""
        return len(self._table)

    # Sending

    def flow_to(self, target: Hop | Flow) -> Flow:
        """The flow to a hop, or the flow itself while it lasts. Raises SipLocalError where our side has none."""
        if isinstance(target, Flow):
            if not target.is_gone:
                return target
            target = Hop(target.transport, *target.peer)
        try:
            return self.transports.flow_to(target)
        except TransportError as error:
            raise SipLocalError(str(error)) from error

    def send_request(self, request: Request, target: Hop | Flow, tell: Tell, *, large_by_udp: bool = False) -> Exchange:
        """Give a request a Via with a fresh branch, send it in a transaction and `tell` what comes.

        One that is too large for UDP goes over TCP where our endpoint has it, unless it is sent `large_by_udp`, as is
        due where TCP was refused (§18.1.1). A flow that fails is told as a 503 (§8.1.3.1). Raises SipLocalError when
        the table is full, or nothing leads there.
        """
        flow = self.flow_to(target)
        branch = f"{self._rng.getrandbits(64):016x}"
        request.fields.insert(0, ("Via", flow.via + branch + VIA_END))
        if not (flow.reliable or large_by_udp) and self._has_tcp and len(bytes(request)) > UDP_LIMIT:
            flow = self.flow_to(Hop(TCP, *flow.peer))
            request.fields[0] = ("Via", flow.via + branch + VIA_END)
        return self.send_with_via(request, flow, tell, BRANCH_COOKIE + branch)

    def send_with_via(self, request: Request, flow: Flow, tell: Tell, branch: str = "") -> Exchange:
        """Send a request that has its Via already: a CANCEL, whose branch is its INVITE's."""
        request.refresh()
        if len(self._table) >= self._limit and not self._room():
            raise SipLocalError(f"{self._limit} SIP transactions are under way already")
        flow.asked = True
        transaction = ClientTransaction(request, self.timing, branch, reliable=flow.reliable)
        exchange = Exchange(self, transaction, flow, tell)
        self._table[transaction.key] = exchange
        if self.trace:
            self.notes.request("sip.sent", request, flow)
        self.perform(exchange, transaction.start())
        return exchange

    def send_ack(self, ack: Request, target: Hop | Flow) -> tuple[bytes, Flow]:
        """Send the ACK of a 2xx, which has no transaction; returns the message and its flow, for repeated 2xx."""
        flow = self.flow_to(target)
        ack.fields.insert(0, ("Via", f"{flow.via}{self._rng.getrandbits(64):016x}{VIA_END}"))
        ack.refresh()
        data = bytes(ack)
        if self.trace:
            self.notes.request("sip.sent", ack, flow)
        flow.send(data)
        return data, flow

    def find_invite(self, cancel: Request) -> Exchange | None:
        """The exchange of the INVITE that a CANCEL is about (§9.2)."""
        *rest, _ = server_key(cancel)
        return self._table.get((*rest, "INVITE"))

    # Transactions

    def perform(self, exchange: Exchange, actions: list[Action]) -> None:
        """Do what a transaction asked for, then keep, park or forget it."""
        passed: Any = None
        told = False
        timers = exchange.timers
        for do, data, letter, delay, message in actions:
            if do is _SEND:
                exchange.flow.send(data)
            elif do is _SET:
                timer = self.wheel.after(delay, self._expire, exchange, letter)
                if letter not in _LAST:
                    timers[letter] = timer
            elif do is _STOP:
                running = timers.pop(letter, None)
                if running is not None:
                    running.cancel()
            else:
                told = True
                passed = message if do is _PASS else None
        transaction = exchange.transaction
        if transaction.state in ABSORBING:
            if transaction.state is State.TERMINATED:
                self._forget(exchange)
            elif not exchange.lingers:
                exchange.lingers = True
                self._lingering.append(exchange)
        tell = exchange.tell
        if transaction.state is State.TERMINATED:
            # Whoever is told knows the exchange mostly: let go, both leave memory at once, not by the collector.
            exchange.tell = tell_nobody
        if told:
            tell(passed)

    def _expire(self, exchange: Exchange, letter: str) -> None:
        transaction = exchange.transaction
        if transaction.ended:
            return  # it was forgotten early, to make room
        exchange.timers.pop(letter, None)
        self.repeated += letter in REPEATING
        self.perform(exchange, transaction.expire(letter))

    def _forget(self, exchange: Exchange) -> None:
        transaction = exchange.transaction
        transaction.end()
        self._table.pop(transaction.key, None)
        if exchange.timers:
            for timer in exchange.timers.values():
                timer.cancel()
            exchange.timers.clear()
        lingering = self._lingering
        while lingering and lingering[0].transaction.ended:
            lingering.popleft()

    def _room(self) -> bool:
        """Make room in a full table, at the cost of the oldest that only lingers; whether that was possible."""
        if not self._lingering:
            return False
        self._forget(self._lingering[0])
        return True

    def lost(self, flow: Flow, why: str) -> None:
        """A connection broke, or a name has no address: requests that wait for an answer by it fail with 503."""
        waiting = [each for each in self._table.values() if each.flow is flow and _waits(each)] if flow.asked else []
        if waiting or why != PEER_CLOSED:
            self.notes.warn("sip.flow-lost", flow, transport=flow.transport, reason=why, transactions=len(waiting))
        for exchange in waiting:
            transaction = cast(ClientTransaction, exchange.transaction)
            tell = exchange.tell
            self.perform(exchange, transaction.abandon())
            reason = "".join(char if char.isprintable() else "?" for char in why)[:200]
            failure = transaction.request.response(503, reason)
            failure.check()
            tell(failure)

    # Receiving

    def garbled(self, data: bytes, flow: Flow, error: SipRemoteError) -> None:
        """Something came by a stream that no message can be cut off: say so, as far as that can be done."""
        if self._arrived:
            self._work()  # what came before it is answered while the connection is there
        self.stateless.refuse(data, flow, error)

    def receive(self, data: bytes, flow: Flow) -> None:
        """Keep what came for the end of this turn of the loop: reading many messages in a row costs much less."""
        if flow.is_cut:
            return
        arrived = self._arrived
        if not arrived:
            self._call_soon(self._work)
        arrived.append((data, flow))
        if len(arrived) >= MAX_ARRIVED:
            self._work()

    def _work(self) -> None:
        arrived, self._arrived = self._arrived, []
        messages: list[tuple[Request | Response, Flow]] = []
        for data, flow in arrived:
            try:
                message = parse(data)
                message.check()
            except SipRemoteError as error:
                if len(data) > 4 or data.strip(b"\r\n\0"):  # else it is a NAT's keep-alive
                    self.stateless.refuse(data, flow, error)
            else:
                messages.append((message, flow))
        for message, flow in messages:
            try:
                if isinstance(message, Request):
                    self._receive_request(message, message.envelope.via, flow)
                else:
                    self._receive_response(message, flow)
            except SipRemoteError as error:
                self.notes.warn("sip.refused", flow, reason=str(error), call_id=message.envelope.call_id)
            except Exception as error:
                # A fault of our own side, in one message's handler, must not cost the others theirs.
                self._report(error)

    def _report(self, error: Exception) -> None:
        loop = asyncio.get_running_loop()
        loop.call_exception_handler({"message": "a SIP message was not dealt with", "exception": error})

    def _receive_request(self, request: Request, via: Via, flow: Flow) -> None:
        if self.ignores is not None and self.ignores(request, flow):
            return
        if self.trace:
            self.notes.request("sip.received", request, flow)
        if via.wants_rport or flow.peer != (via.host, via.port):
            flow = self._back(request, via, flow)
        if request.cseq.method != request.method:
            why = f"CSeq names {request.cseq.method}, the request is {request.method}"
            self.stateless.reply(request, flow, 400, why)
            raise SipRemoteError(why)
        key = server_key(request)
        known = self._table.get(key)
        if known is not None:
            self._receive_again(known, request, flow)
            return
        if request.method == "ACK":
            self._on_request(request, None, flow)
            return
        if len(self._table) >= self._limit and not self._room():
            self.notes.warn("sip.overload", flow, call_id=request.call_id, transactions=self._limit)
            self.stateless.reply(request, flow, 503, headers=[("Retry-After", str(RETRY_AFTER))])
            return
        transaction = ServerTransaction(request, self.timing, key, reliable=flow.reliable)
        exchange = Exchange(self, transaction, flow, tell_nobody)
        self._table[key] = exchange
        try:
            self._on_request(request, exchange, flow)
        except SipRemoteError as error:
            self.notes.warn("sip.bad-request", flow, reason=str(error), method=request.method, call_id=request.call_id)
            if not transaction.absorbing:
                exchange.respond(self.stateless.bad_request(request, str(error)))
        except Exception:
            # A fault of our own side must not leave the peer waiting; `_work` tells the tester.
            if not transaction.absorbing:
                exchange.respond(request.response(500, to_tag=self.new_tag()))
            raise

    def _receive_again(self, known: Exchange, request: Request, flow: Flow) -> None:
        """A request came again, or its ACK."""
        transaction = known.transaction
        assert isinstance(transaction, ServerTransaction)
        actions = transaction.receive(request)
        if request.method == "ACK" and any(action.do is _PASS for action in actions):
            # Some peers reuse the INVITE's branch for the ACK of a 2xx.
            self._on_request(request, None, flow)
        else:
            self.perform(known, actions)

    def _receive_response(self, response: Response, flow: Flow) -> None:
        if self.trace:
            self.notes.response("sip.received", response, flow)
        exchange = self._table.get(client_key(response))
        if (
            exchange is None
            or not isinstance(exchange.transaction, ClientTransaction)
            or not response.envelope.is_direct
        ):
            self.notes.warn("sip.stray-response", flow, status=response.status, call_id=response.call_id)
            return
        self.perform(exchange, exchange.transaction.receive(response))

    def _back(self, request: Request, via: Via, flow: Flow) -> Flow:
        """Write into the topmost Via where a request came from; returns where its answer goes (§18.2, RFC 3581 §4)."""
        host, port = flow.peer
        if via.wants_rport:
            via.params["rport"] = str(port)
        if via.wants_rport or via.host.strip("[]") != host:
            via.params["received"] = host
            request.set_top_via(via)
        sent_by = via.port or DEFAULT_PORTS[flow.transport]
        if isinstance(flow, StreamFlow):
            flow.sent_by = sent_by
        if flow.reliable or via.wants_rport or sent_by == port:
            return flow
        return self.flow_to(Hop(UDP, host, sent_by))

    def flow_again(self, flow: Flow) -> Flow:
        """Where an answer goes whose connection is gone: to the address it came from, at the port of its Via (§18.2.2).

        Raises SipLocalError where our side has nothing to send by.
        """
        port = flow.sent_by if isinstance(flow, StreamFlow) else flow.peer[1]
        return self.flow_to(Hop(flow.transport, flow.peer[0], port))

    def new_tag(self) -> str:
        """A fresh tag."""
        return f"{self._rng.getrandbits(48):012x}"


def _waits(exchange: Exchange) -> bool:
    """Whether a request of ours waits for its final answer."""
    return isinstance(exchange.transaction, ClientTransaction) and not exchange.transaction.absorbing
