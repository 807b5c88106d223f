"""Flows: the ways by which SIP messages go to one peer, over UDP, TCP or TLS, and what Via and Contact say of each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple

from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip.grammar import BRANCH_COOKIE
from harness.protocols.sip.headers import remember
from harness.protocols.sip.message import Request
from harness.protocols.sip.stream import PING, PONG, StreamCutter
from harness.protocols.sip.uri import Uri
from harness.transport.stream import StreamConnection
from harness.transport.tap import Address
from harness.transport.udp import UdpPort

UDP, TCP, TLS = "UDP", "TCP", "TLS"
TRANSPORTS: Final = (UDP, TCP, TLS)
"""As Via names them."""
MAX_QUEUED: Final = 64
"""Messages that wait for a connection to be made, or a name to be looked up; more are refused."""
VIA_END: Final = ";rport"
"""What ends a Via of ours: answers are to come where this came from (RFC 3581)."""
DEFAULT_PORTS: Final = {UDP: 5060, TCP: 5060, TLS: 5061}
SECURE: Final = "sips"
"""What is put before a kind of flow where the request that goes by it is for a SIPS URI."""


class Hop(NamedTuple):
    """Where a message is to go next."""

    transport: str
    """UDP, TCP or TLS."""
    host: str
    """An IP address without brackets, or a name, which is looked up (A and AAAA; no SRV or NAPTR)."""
    port: int

    @property
    def kind(self) -> str:
        """The transport, and `6` after it for an IPv6 address."""
        return kind_of(self.transport, self.host)

    def __str__(self) -> str:
        return f"{shown(self.host)}:{self.port} over {self.transport}"


def kind_of(transport: str, host: str) -> str:
    """What our own address, as Via and Contact tell it, depends on: the transport, and `6` after it over IPv6."""
    return transport + "6" if ":" in host else transport


def shown(host: str) -> str:
    """A host as URIs and Via write it: IPv6 addresses in brackets."""
    return f"[{host}]" if ":" in host else host


_known_hops: dict[str, Hop] = {}


def hop_to(text: str) -> Hop:
    """Where a URI, as text, says that a request goes. Raises SipLocalError, SipRemoteError where it can't be read."""
    hop = _known_hops.get(text)
    if hop is None:
        hop = hop_of(Uri.parse(text))
        remember(_known_hops, text, hop)
    return hop


def hop_of(uri: Uri) -> Hop:
    """Where a URI says that a request goes (RFC 3263 §4, without NAPTR and SRV). Raises SipLocalError."""
    if uri.scheme not in ("sip", "sips"):
        raise SipLocalError(f"{uri}: only an outbound proxy can tell where a {uri.scheme} URI goes")
    transport = (uri.params.get("transport") or ("tls" if uri.scheme == "sips" else "udp")).upper()
    if transport not in TRANSPORTS:
        raise SipLocalError(f"{uri}: transport {transport.lower()}; there is {', '.join(TRANSPORTS).lower()}")
    if uri.scheme == "sips":
        transport = TLS
    host = (uri.params.get("maddr") or uri.host).strip("[]")
    return Hop(transport, "127.0.0.1" if host == "localhost" else host, uri.port or DEFAULT_PORTS[transport])


class Flow:
    """One way to one peer. `send` takes whole messages."""

    transport: str
    kind: str
    """The transport, and `6` after it over IPv6 (see `kind_of`)."""
    reliable = True
    peer: Address
    """The peer's end."""
    via: str
    """A Via value up to its branch."""
    is_gone = False
    """Whether nothing can be sent any more."""
    was_up = False
    """Whether it is a connection that was up once."""
    asked = True
    """Whether a request of ours may have gone by it, so that somebody may have to be told when it is gone."""
    is_cut = False
    """Whether the wire is cut, as a test asked: nothing leaves by it, nothing that comes is heard, nobody is told."""

    def send(self, data: bytes) -> None:
        """Send one message."""
        raise NotImplementedError

    def __str__(self) -> str:
        return f"{shown(self.peer[0])}:{self.peer[1]} over {self.transport}"


class UdpFlow(Flow):
    """Datagrams from one port of ours to one address."""

    transport = UDP
    reliable = False

    def __init__(self, port: UdpPort, peer: Address, via: str) -> None:
        self._send = port.send
        self.peer = peer
        self.kind = kind_of(UDP, peer[0])
        self.via = via

    def send(self, data: bytes) -> None:
        if not self.is_cut:
            self._send(data, self.peer)


class NamedFlow(Flow):
    """Datagrams to a host that is a name: they wait until it is looked up."""

    transport = UDP
    reliable = False

    kind = UDP

    def __init__(self, hop: Hop, via: str, failed: Callable[[Flow, str], None]) -> None:
        self.peer = (hop.host, hop.port)
        self.via = via
        self._failed = failed
        self._queued: list[bytes] = []
        self._flow: Flow | None = None

    def send(self, data: bytes) -> None:
        if self._flow is not None:
            self._flow.send(data)
        elif len(self._queued) < MAX_QUEUED:
            self._queued.append(data)

    def found(self, flow: Flow) -> None:
        """The name's address is known."""
        self._flow, self.peer = flow, flow.peer
        queued, self._queued = self._queued, []
        for data in queued:
            flow.send(data)

    def failed(self, why: str) -> None:
        """The name has no address."""
        self.is_gone = True
        self._queued.clear()
        self._failed(self, why)


class FlowOwner:
    """What a stream flow tells the port that it belongs to."""

    def flow_opened(self, flow: StreamFlow) -> None:
        """It is connected."""

    def flow_received(self, flow: StreamFlow, data: bytes) -> None:
        """One whole message came."""

    def flow_garbled(self, flow: StreamFlow, data: bytes, error: SipRemoteError) -> None:
        """No message can be cut off `data` and what follows; the connection is given up next."""

    def flow_lost(self, flow: StreamFlow, why: str) -> None:
        """It is gone."""


class StreamFlow(Flow):
    """One TCP or TLS connection, or one under way: what is sent before it is up waits."""

    def __init__(self, transport: str, peer: Address, via: str, owner: FlowOwner, *, ours: bool) -> None:
        """`ours`: we make the connection."""
        self.transport = transport
        self.kind = kind_of(transport, peer[0])
        self.peer = peer
        self.via = via
        self.ours = ours
        self.asked = False
        self._time = asyncio.get_running_loop().time
        self.used = self._time()
        """When bytes last went or came, in loop time; the longest unused is given up where there are too many."""
        self.pinged: float | None = None
        """When a keep-alive was sent that nothing has come after, in loop time."""
        self.partial_since: float | None = None
        """Since when a message is half here, in loop time; slow senders are given up."""
        self.sent_by = peer[1]
        """The port that the latest request's Via named: where answers go once the connection is gone."""
        self._owner = owner
        self._connection: StreamConnection | None = None
        self._unplugged = False
        self._queued: list[bytes] = []
        self._cutter = StreamCutter()

    @property
    def connection(self) -> StreamConnection | None:
        """The connection; None while it is under way."""
        return self._connection

    def send(self, data: bytes) -> None:
        connection = self._connection
        if self.is_cut:
            return
        if connection is not None and not self._unplugged:
            self.used = self._time()
            connection.send(data)
        elif not self.is_gone and len(self._queued) < MAX_QUEUED:
            self._queued.append(data)

    def ping(self) -> None:
        """Send a keep-alive, which the other side is to answer (RFC 5626 §4.4.1)."""
        if self._connection is not None:
            self.pinged = self.used = self._time()
            self.send(PING)

    def unplug(self, *, out: bool) -> None:
        """Pull the cable, or put it back. As of TCP's, what is sent or comes meanwhile goes on its way after that."""
        self._unplugged = out
        if self._connection is not None:
            self._connection.pause(paused=out)
            self._send_queued()

    def close(self) -> None:
        """Close the connection; the owner is not told."""
        self.is_gone = True
        self._queued.clear()
        if self._connection is not None:
            self._connection.close()

    # The connection's side (transport.stream.StreamOwner)

    def opened(self, connection: StreamConnection) -> None:
        """It can be used: send what waited."""
        if self.is_gone:
            connection.close()
            return
        self._connection = connection
        self.was_up = True
        self.peer = connection.peer
        self.kind = kind_of(self.transport, self.peer[0])
        connection.pause(paused=self._unplugged)
        self._owner.flow_opened(self)
        self._send_queued()

    def _send_queued(self) -> None:
        if not self._unplugged:
            queued, self._queued = self._queued, []
            for data in queued:
                self.send(data)

    def received(self, connection: StreamConnection, data: bytes) -> None:
        """Bytes came: hand on whole messages, answer keep-alives (RFC 5626 §4.4.1)."""
        self.used = self._time()
        self.pinged = None
        cutter = self._cutter
        messages = cutter.feed(data)
        if cutter.pings:
            cutter.pings = 0
            connection.send(PONG)
        for message in messages:
            if self.is_gone:
                return
            self._owner.flow_received(self, message)
        if cutter.problem is not None:
            self._owner.flow_garbled(self, cutter.rest, cutter.problem)
            connection.give_up(str(cutter.problem))
        elif len(cutter) == 0:
            self.partial_since = None
        elif messages or self.partial_since is None:
            self.partial_since = self.used

    def lost(self, connection: StreamConnection, why: str) -> None:
        """The connection is gone, or its handshake failed."""
        self.fail(why)

    def fail(self, why: str) -> None:
        """Nothing can be sent any more."""
        if not self.is_gone:
            self.is_gone = True
            self._queued.clear()
            self._owner.flow_lost(self, why)


def told_by(flow: Flow | Hop, request: Request) -> str:
    """What our Contact depends on (see `card`): the kind of flow, and whether a SIPS URI was called."""
    if flow.transport != TLS or request.uri_text[:5].lower() != "sips:":
        return flow.kind
    return SECURE + flow.kind


def via_head(transport: str, host: str, port: int) -> str:
    """A Via value up to its branch's random part, which `;rport` follows (VIA_END)."""
    return f"SIP/2.0/{transport} {shown(host)}:{port};branch={BRANCH_COOKIE}"


def literal(host: str) -> bool:
    """Whether a host is an IP address."""
    return ":" in host or host.replace(".", "").isdigit()
