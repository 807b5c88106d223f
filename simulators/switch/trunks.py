"""Trunks: which peer of each is there, watched by OPTIONS and by what calls showed, and which one is tried next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from harness.endpoints.sip.flow import UDP, Flow, Hop, shown
from harness.endpoints.sip.keepalive import KeepAlive
from harness.errors import InterlockError, LocalError
from harness.protocols.sip.message import Request
from harness.transport.tap import Address
from simulators.switch.settings.trunks import PeerSettings, TrunkSettings

if TYPE_CHECKING:
    from harness.endpoints.sip.agent import UserAgent
    from harness.journal import Journal
    from simulators.switch.leg import Leg

MAX_RETRY_AFTER_S: Final = 3_600
"""Seconds for which a peer is passed over at the most, whatever its Retry-After says."""


class UnknownTrunkError(LocalError):
    """There is no trunk of that name."""


@dataclass(eq=False)
class Peer:
    """One place that a trunk leads to."""

    settings: PeerSettings
    hop: Hop
    watch: KeepAlive | None = None
    passed_over_until: float = 0.0
    """Run time until which it is not tried, as it failed a call."""
    is_blocked: bool = False
    """Whether a test cut it off."""

    def __str__(self) -> str:
        return f"{shown(self.hop.host)}:{self.hop.port}"

    @property
    def uri(self) -> str:
        """Its URI without a user."""
        transport = "" if self.hop.transport == UDP else f";transport={self.hop.transport.lower()}"
        return f"sip:{self}{transport}"

    def uri_of(self, user: str) -> str:
        """The URI of somebody there; `user` escaped as needs be."""
        scheme, _, rest = self.uri.partition(":")
        return f"{scheme}:{user}@{rest}"

    def is_up(self, now: float) -> bool:
        """Whether it is to be tried."""
        watched = self.watch is None or self.watch.is_up is not False
        return watched and now >= self.passed_over_until

    def state(self, now: float) -> str:
        """``up``, ``down``, ``passed_over``, or ``unknown`` while it was not asked."""
        if self.watch is not None and self.watch.is_up is False:
            return "down"
        if now < self.passed_over_until:
            return "passed_over"
        return "up" if self.watch is not None and self.watch.is_up else "unknown"


class Trunk:
    """One trunk."""

    def __init__(self, settings: TrunkSettings, peers: list[Peer]) -> None:
        self.settings = settings
        self.peers = sorted(peers, key=lambda peer: peer.settings.priority)
        self.legs: list[Leg] = []
        """What is up on it, both ways."""
        self.fault = ""
        """``refusing`` or ``silent`` where a test made it fail; empty where it is well."""

    @property
    def name(self) -> str:
        """Its name."""
        return self.settings.name

    def candidates(self, now: float) -> list[Peer]:
        """The peers that are to be tried, best first."""
        if self.fault or len(self.legs) >= self.settings.max_calls:
            return []
        return [peer for peer in self.peers if peer.is_up(now)]

    def shown(self, now: float) -> dict[str, Any]:
        """The trunk as the control interface shows it."""
        peers = [
            {
                "address": str(peer),
                "transport": peer.hop.transport,
                "priority": peer.settings.priority,
                "state": peer.state(now),
                "status": peer.watch.status if peer.watch is not None else 0,
                "answered_in": peer.watch.answered_in if peer.watch is not None else None,
            }
            for peer in self.peers
        ]
        return {
            "name": self.name,
            "in_service": bool(self.candidates(now)),
            "fault": self.fault or None,
            "calls": len(self.legs),
            "peers": peers,
        }


class Trunks:
    """The trunks of one switch."""

    def __init__(
        self, settings: Iterable[TrunkSettings], components: Mapping[str, Address], journal: Journal, name: str
    ) -> None:
        """`components`: where those of the testbed are that trunks name. Raises LocalError for one not there."""
        self._journal = journal
        self._name = name
        self._trunks = {
            each.name: Trunk(each, [_peer(peer, components, each.name) for peer in each.peers]) for each in settings
        }

    def __iter__(self) -> Iterator[Trunk]:
        return iter(self._trunks.values())

    def get(self, name: str) -> Trunk:
        """The trunk of that name. Raises UnknownTrunkError."""
        trunk = self._trunks.get(name)
        if trunk is None:
            raise UnknownTrunkError(f"there is no trunk {name[:40]!r}")
        return trunk

    def watch(self, agent: UserAgent, changed: Callable[[Trunk, Peer], None]) -> None:
        """Begin to ask the peers that are to be watched; `changed` is called as one comes or goes."""
        for trunk in self:
            told = trunk.settings.options
            if told is None:
                continue
            for peer in trunk.peers:
                peer.watch = KeepAlive(
                    agent,
                    peer.uri,
                    to=peer.hop,
                    interval=told.interval_s,
                    interval_down=told.interval_down_s,
                    answer_within=told.answer_s,
                    down_after=told.down_after,
                    up_after=told.up_after,
                    on_change=lambda _watch, trunk=trunk, peer=peer: changed(trunk, peer),  # type: ignore[misc]
                )
                try:
                    peer.watch.start()
                except InterlockError as error:
                    peer.watch = None
                    self._journal.warn(self._name, "trunk.not_watched", trunk=trunk.name, reason=str(error))

    async def stop(self) -> None:
        """Ask no more."""
        for trunk in self:
            for peer in trunk.peers:
                if peer.watch is not None:
                    await peer.watch.stop()

    def failed(self, trunk: Trunk, peer: Peer, now: float, retry_after: int | None) -> None:
        """A peer failed a call: pass it over for a while."""
        seconds = trunk.settings.out_of_service_s if retry_after is None else min(retry_after, MAX_RETRY_AFTER_S)
        peer.passed_over_until = now + seconds
        self._journal.record(self._name, "trunk.passed_over", trunk=trunk.name, peer=str(peer), seconds=seconds)

    def sender_of(self, request: Request, flow: Flow) -> tuple[Trunk, Peer] | None:
        """The trunk and peer that a request comes from; None where it is nobody's.

        By its address; over loopback, where all have the same, by its port too, which over a connection is the one that
        its Via names.
        """
        host = flow.peer[0]
        port = flow.peer[1] if not flow.reliable else (request.via.port or 0)
        loopback = _is_loopback(host)
        for trunk in self:
            for peer in trunk.peers:
                if peer.hop.host == host and (not loopback or peer.hop.port == port):
                    return trunk, peer
        return None


def _peer(settings: PeerSettings, components: Mapping[str, Address], trunk: str) -> Peer:
    if settings.component is not None:
        if settings.component not in components:
            raise LocalError(f"trunk {trunk!r} leads to component {settings.component!r}, which offers no SIP address")
        host, port = components[settings.component]
    else:
        assert settings.address is not None
        host, _, digits = settings.address.rpartition(":")
        port = int(digits)
    return Peer(settings, Hop(settings.transport, "127.0.0.1" if host == "localhost" else host.strip("[]"), port))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
