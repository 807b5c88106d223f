"""A SIP endpoint's ports and connections: listens on UDP, TCP and TLS, finds or makes the flow to a peer."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from harness.endpoints.sip.flow import (
    TCP,
    TLS,
    TRANSPORTS,
    UDP,
    Flow,
    FlowOwner,
    Hop,
    NamedFlow,
    StreamFlow,
    UdpFlow,
    kind_of,
    literal,
    via_head,
)
from harness.errors import SipRemoteError, TransportError
from harness.transport.context import Context
from harness.transport.stream import StreamListener, connect_stream, listen_stream
from harness.transport.tap import Address
from harness.transport.tls import TlsFiles, client_context, server_context
from harness.transport.udp import UdpPort, open_udp, outward_address

MAX_UDP_FLOWS: Final = 8_192
"""Peers over UDP whose flow is kept; the oldest is made anew when it is needed again."""
MAX_CONNECTIONS: Final = 1_024
"""TCP and TLS connections at once, in and out; the one longest unused is closed for one more."""
MESSAGE_S: Final = 30.0
"""Seconds within which a message that has begun must be here whole; its connection is closed then."""
PORT_ATTEMPTS: Final = 8
"""Free ports that are tried, as one that UDP gets may be taken for TCP."""
SWEEP_S: Final = 5.0
"""Seconds between two looks for slow senders, and for connections that a keep-alive is due on."""
PONG_S: Final = 10.0
"""Seconds within which something must come after a keep-alive (RFC 5626 §4.4.1); the connection is given up then."""
MAX_LOOKUPS: Final = 64
"""Names looked up, and connections made, at once; a request beyond them fails."""


class Listen(NamedTuple):
    """One port to listen on."""

    transport: str
    """UDP, TCP or TLS."""
    host: str = "127.0.0.1"
    """The address to bind, IPv4 or IPv6; 0.0.0.0 or :: for all interfaces."""
    port: int = 0
    """0: any free one, which TCP shares with UDP where that is listened for before it (RFC 3261 §18.2.1)."""
    advertised: str = ""
    """The address that Via and Contact tell; empty: the one bound, or where that is all, the one others reach."""


@dataclass(frozen=True, slots=True)
class TlsSides:
    """Certificates of a SIP endpoint, which mostly is server and client at once."""

    server: TlsFiles | None = None
    """For connections that come in; needed to listen on TLS."""
    client: TlsFiles | None = None
    """For connections that we make; needed to use TLS towards others."""


class Listener(Protocol):
    """Whom the transports tell what comes."""

    def receive(self, data: bytes, flow: Flow, /) -> None:
        """One message came."""

    def garbled(self, data: bytes, flow: Flow, error: SipRemoteError, /) -> None:
        """Something came by a stream that no message can be cut off."""

    def lost(self, flow: Flow, why: str, /) -> None:
        """A connection is gone, or a name has no address."""


class SipTransports(FlowOwner):
    """All that one endpoint sends and receives by. Use `open`."""

    def __init__(self, context: Context, listener: Listener, tls: TlsSides, keep_alive: float) -> None:
        self._tap = context.tap
        self._receive = listener.receive
        self._garbled = listener.garbled
        self._lost = listener.lost
        self._keep_alive = keep_alive
        self._loop = asyncio.get_running_loop()
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._tls = tls
        self._udp: dict[bool, UdpPort] = {}
        """By whether it is IPv6."""
        self._listeners: dict[tuple[str, bool], StreamListener] = {}
        self._udp_flows: dict[Address, UdpFlow] = {}
        self._streams: dict[StreamFlow, None] = {}
        self._by_hop: dict[Hop, StreamFlow] = {}
        """Connections by what they were made for, and by where they really lead."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False
        self._unplugged = False
        self._new_flow: Callable[[Flow], None] = _as_it_is
        self.locals: dict[str, Address] = {}
        """The address that each kind of flow (see `kind_of`) is reached at; only the kinds that are listened for."""

    @classmethod
    async def open(
        cls, context: Context, listen: Sequence[Listen], listener: Listener, tls: TlsSides, keep_alive: float = 0.0
    ) -> SipTransports:
        """Listen on each of `listen` and tell `listener` what comes.

        `keep_alive`: seconds of silence after which a connection that we made gets a keep-alive; 0: never.
        Raises TransportError where one can't be bound, or a certificate can't be used.
        """
        free = any(each.port == 0 for each in listen)
        for left in reversed(range(PORT_ATTEMPTS if free else 1)):
            transports = cls(context, listener, tls, keep_alive)
            try:
                for each in listen:
                    await transports._listen(each)
            except TransportError:
                transports.close()
                if not left:
                    raise
            else:
                return transports
        raise AssertionError("the last attempt returns or raises")

    async def _listen(self, wanted: Listen) -> None:
        transport, host, port, advertised = wanted
        if transport not in TRANSPORTS:
            raise TransportError(f"{transport!r} is no transport of SIP's; there is {', '.join(TRANSPORTS)}")
        six = ":" in host
        if kind_of(transport, host) in self.locals:
            raise TransportError(f"two {transport} ports over {'IPv6' if six else 'IPv4'}; an endpoint has one of each")
        if not advertised and host in ("0.0.0.0", "::"):  # noqa: S104
            advertised = outward_address(six=six)
        if transport == TCP and not port and six in self._udp:
            port = self._udp[six].local[1]
        if transport == UDP:
            self._udp[six] = found = await open_udp((host, port), self._datagram, tap=self._tap)
            local = found.local
        else:
            context = None
            if transport == TLS:
                context = server_context(self._tls.server or TlsFiles())

            def accept() -> StreamFlow:
                return self._stream(transport, ("", 0), kind_of(transport, host), ours=False)

            listener = await listen_stream((host, port), accept, tap=self._tap, tls=context)
            self._listeners[transport, six] = listener
            local = listener.local
        self.locals[kind_of(transport, host)] = (advertised or local[0], local[1])

    def reached_by(self, kind: str) -> str:
        """The kind that a peer is told to reach us by whom we reach by `kind`: that one, or the likeliest we have."""
        transport = kind.removesuffix("6")
        likely = (kind, transport, transport + "6", UDP, UDP + "6")
        return next((each for each in likely if each in self.locals), next(iter(self.locals)))

    def local_for(self, kind: str) -> Address:
        """Our address as a peer is told it whom we reach by a kind of flow."""
        return self.locals[self.reached_by(kind)]

    def on_new_flow(self, told: Callable[[Flow], None]) -> None:
        """Call `told` with each flow before it is used, and with those that are there: for tests that tamper."""
        self._new_flow = told
        for flow in (*self._udp_flows.values(), *self._streams):
            told(flow)

    def unplug(self, *, out: bool) -> None:
        """Pull the cable, or put it back: meanwhile datagrams are lost, and connections come to a halt."""
        self._unplugged = out
        for port in self._udp.values():
            port.unplug(out=out)
        for flow in tuple(self._streams):
            flow.unplug(out=out)

    def close(self) -> None:
        """Close all ports and connections."""
        self._closed = True
        if self._sweep is not None:
            self._sweep.cancel()
        for listener in self._listeners.values():
            listener.close()
        for flow in tuple(self._streams):
            flow.close()
        for task in self._tasks:
            task.cancel()
        for port in self._udp.values():
            port.close()
        self._streams.clear()
        self._by_hop.clear()
        self._udp_flows.clear()

    # Flows

    def flow_to(self, hop: Hop) -> Flow:
        """The flow by which a request goes to `hop`; a connection that is up is used again.

        Raises TransportError where our side has nothing to send by.
        """
        if self._closed:
            raise TransportError("the SIP endpoint is closed")
        if hop.transport == UDP:
            peer = (hop.host, hop.port)
            known = self._udp_flows.get(peer)
            if known is not None:
                return known
            return self._udp_flow(peer) if literal(hop.host) else self._named_flow(hop)
        return self._by_hop.get(hop) or self._connect(hop)

    def _udp_flow(self, peer: Address) -> UdpFlow:
        flow = self._udp_flows.get(peer)
        if flow is None:
            six = ":" in peer[0]
            port = self._udp.get(six)
            if port is None:
                raise TransportError(f"{peer[0]}: no UDP port over {'IPv6' if six else 'IPv4'} is open")
            if len(self._udp_flows) >= MAX_UDP_FLOWS:
                del self._udp_flows[next(iter(self._udp_flows))]
            flow = self._udp_flows[peer] = UdpFlow(port, peer, via_head(UDP, *self.local_for(kind_of(UDP, peer[0]))))
            self._new_flow(flow)
        return flow

    def _named_flow(self, hop: Hop) -> Flow:
        if not self._udp:
            raise TransportError(f"{hop.host}: no UDP port is open")
        flow = NamedFlow(hop, via_head(UDP, *self.local_for(UDP)), self._lost)
        self._spawn(self._look_up(flow, hop))
        return flow

    async def _look_up(self, flow: NamedFlow, hop: Hop) -> None:
        try:
            found = await self._loop.getaddrinfo(hop.host, hop.port, type=socket.SOCK_DGRAM)
        except OSError as error:
            flow.failed(f"{hop.host} has no address: {error.strerror or error}")
            return
        for _, _, _, _, address in found:
            if (":" in str(address[0])) in self._udp:
                flow.found(self._udp_flow((str(address[0]), int(address[1]))))
                return
        flow.failed(f"{hop.host} has no address of a kind that a UDP port of ours is open for")

    def _connect(self, hop: Hop) -> StreamFlow:
        context: ssl.SSLContext | None = None
        if hop.transport == TLS:
            context = self._contexts.get("client")
            if context is None:
                context = self._contexts["client"] = client_context(self._tls.client or TlsFiles())
        flow = self._stream(hop.transport, (hop.host, hop.port), hop.kind, ours=True)
        try:
            self._spawn(self._make(flow, hop, context))
        except TransportError:
            del self._streams[flow]
            raise
        self._by_hop[hop] = flow
        return flow

    async def _make(self, flow: StreamFlow, hop: Hop, context: ssl.SSLContext | None) -> None:
        try:
            await connect_stream((hop.host, hop.port), flow, tap=self._tap, tls=context)
        except TransportError as error:
            flow.fail(str(error))

    def _stream(self, transport: str, peer: Address, kind: str, *, ours: bool) -> StreamFlow:
        if len(self._streams) >= MAX_CONNECTIONS:
            longest = min(self._streams, key=lambda flow: flow.used)
            longest.close()
            self.flow_lost(longest, f"{MAX_CONNECTIONS} connections are up, and this one was unused for longest")
        flow = StreamFlow(transport, peer, via_head(transport, *self.local_for(kind)), self, ours=ours)
        self._streams[flow] = None
        flow.unplug(out=self._unplugged)
        self._new_flow(flow)
        if self._sweep is None:
            self._sweep = self._loop.call_later(SWEEP_S, self._look_after)
        return flow

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        if len(self._tasks) >= MAX_LOOKUPS:
            work.close()
            raise TransportError(f"{MAX_LOOKUPS} connections and names are being waited for already")
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _look_after(self) -> None:
        """Give up connections whose other end is slow or gone; send keep-alives where they are due."""
        self._sweep = self._loop.call_later(SWEEP_S, self._look_after) if self._streams else None
        now = self._loop.time()
        for flow in tuple(self._streams):
            connection = flow.connection
            if connection is None:
                continue
            if flow.partial_since is not None and now - flow.partial_since >= MESSAGE_S:
                connection.give_up(f"no whole message within {MESSAGE_S:g} s")
            elif flow.pinged is not None and now - flow.pinged >= PONG_S:
                connection.give_up(f"nothing came within {PONG_S:g} s of a keep-alive")
            elif self._keep_alive and flow.ours and flow.pinged is None and now - flow.used >= self._keep_alive:
                flow.ping()

    # What comes in

    def _datagram(self, data: bytes, source: Address) -> None:
        self._receive(data, self._udp_flows.get(source) or self._udp_flow(source))

    def flow_opened(self, flow: StreamFlow) -> None:
        """A connection is up: requests to its other end may use it, whoever made it."""
        self._by_hop.setdefault(Hop(flow.transport, *flow.peer), flow)

    def flow_received(self, flow: StreamFlow, data: bytes) -> None:
        """One whole message came over a connection."""
        self._receive(data, flow)

    def flow_garbled(self, flow: StreamFlow, data: bytes, error: SipRemoteError) -> None:
        """No message can be cut off what a connection brings."""
        self._garbled(data, flow, error)

    def flow_lost(self, flow: StreamFlow, why: str) -> None:
        """A connection is gone."""
        if self._streams.pop(flow, 0) is None and not self._closed:
            for hop in [hop for hop, kept in self._by_hop.items() if kept is flow]:
                del self._by_hop[hop]
            self._lost(flow, why)


def _as_it_is(flow: Flow) -> None:
    """Nobody minds a new flow."""
