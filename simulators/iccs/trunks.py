"""The SIP ports of the switch: trunks to the telephone network with faults on demand, and registered telephones.

Theory. A trunk's peer is watched with OPTIONS. While it is lost, calls go by the others first; it is tried last and not
left out, for the watch may be wrong and a call is worth a try.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import partial
from typing import Any

from harness.endpoints.sip.abilities import Abilities
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.exchange import Exchange
from harness.endpoints.sip.flow import TCP, UDP
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.outgoing import OutgoingCall
from harness.endpoints.sip.transports import Listen
from harness.errors import LocalError
from harness.protocols.location import ecall_control
from harness.protocols.sip import emergency_call
from harness.protocols.sip.message import Request
from harness.protocols.sip.registrar import Registrar
from harness.protocols.sip.uri import Uri
from harness.transport.context import Context
from simulators.iccs.settings import IccsSettings
from simulators.iccs.settings.trunks import TrunkSettings
from simulators.iccs.trunk_watch import Peer, TrunkWatch

ABILITIES = Abilities(
    info_packages=(emergency_call.PACKAGE, ecall_control.INFO_PACKAGE), resource_priorities=("esnet", "q735")
)
RETRY_AFTER_S = 10
"""What a trunk that refuses tells."""
MAX_SLOW = 1000
"""Calls that a slow trunk keeps waiting at once; it refuses what comes on top."""


class TrunkFault(StrEnum):
    """What can be wrong with a trunk."""

    DOWN = "down"
    """Nothing that is sent comes, nothing leaves, as if the cable were out. Calls that are up keep their speech;
    a connection by TCP that outlives it goes on where it halted."""
    REFUSING = "refusing"
    """503 to every INVITE and OPTIONS."""
    SLOW = "slow"
    """An INVITE gets 100 at once, and nothing else for some seconds."""
    ONE_WAY = "one_way"
    """Calls that begin meanwhile are answered, and nobody on them hears us."""


class UnknownTrunkError(LocalError):
    """There is no such trunk."""


class _Agent(UserAgent):
    """A user agent that can say that it does not serve."""

    refusing = False

    def answer_options(self, request: Request, exchange: Exchange) -> None:
        if self.refusing:
            headers = [("Retry-After", str(RETRY_AFTER_S))]
            exchange.respond(request.response(503, to_tag=self.endpoint.new_tag(), headers=headers))
        else:
            super().answer_options(request, exchange)


class Trunk:
    """One SIP port."""

    def __init__(self, settings: TrunkSettings) -> None:
        self.name = settings.name
        self.agent: _Agent
        self.fault: TrunkFault | None = None
        self.slow_s = 0.0
        self.calls = 0
        """Calls that came by it."""
        self.learned: Peer | None = None
        self.watch: TrunkWatch | None = None
        """The watch on its peer; None until every port is open."""
        self.named: Peer | None = None
        """Its peer by the settings."""
        if settings.peer is not None:
            host, _, port = settings.peer.rpartition(":")
            self.named = host, int(port)

    @property
    def peer(self) -> Peer | None:
        """Where the telephone network takes calls; None until the first came, where the settings do not tell."""
        return self.named or self.learned

    @property
    def in_service(self) -> bool | None:
        """Whether its peer serves, by the watch; None where it is not watched, or nothing is known yet."""
        return self.watch.in_service if self.watch is not None else None

    def invite(
        self, number: str, *, offer: bytes, caller: str, headers: list[tuple[str, str]], at: tuple[str, int]
    ) -> OutgoingCall:
        """Place a call to a number at the network. Raises InterlockError, SipLocalError."""
        host, port = at
        uri = f"sip:{number}@{host}:{port}"
        return self.agent.invite(uri, offer=offer, caller=caller, headers=headers)

    def shown(self) -> dict[str, Any]:
        """Return it as the control interface shows it."""
        host, port = self.agent.address
        peer = self.peer
        return {
            "trunk": self.name,
            "sip": f"{host}:{port}",
            "peer": f"{peer[0]}:{peer[1]}" if peer is not None else None,
            "fault": self.fault.value if self.fault is not None else None,
            "in_service": self.in_service,
            "calls": self.calls,
        }


class Trunks:
    """All trunks of one switch; telephones register at the first."""

    def __init__(self, context: Context, settings: IccsSettings) -> None:
        self._context = context
        self._settings = settings
        self.invited: Callable[[Trunk, IncomingCall], None]
        """Given each call that comes, once a fault lets it."""
        self.odd: Callable[[Trunk], None] = lambda _trunk: None
        """Called with each message at a trunk's port that is no SIP, or belongs nowhere."""
        self._trunks = {each.name: Trunk(each) for each in settings.trunks}
        self._aors: dict[str, str] = {}
        self._slow: set[asyncio.TimerHandle] = set()
        self.watched: Callable[[Trunk], None] = lambda _trunk: None
        """Called when a trunk's peer stops answering, and when it answers again."""

    def __iter__(self) -> Iterator[Trunk]:
        return iter(self._trunks.values())

    @property
    def first(self) -> Trunk:
        """The trunk at which telephones register."""
        return next(iter(self))

    def get(self, name: str) -> Trunk:
        """Return a trunk. Raises UnknownTrunkError."""
        try:
            return self._trunks[name]
        except KeyError:
            raise UnknownTrunkError(f"there is no trunk {name!r}; there is {', '.join(self._trunks)}") from None

    async def start(self, permit: Callable[[str], None] | None) -> None:
        """Open every port and begin to watch peers. Raises TransportError."""
        for settings in self._settings.trunks:
            await self._open(settings, permit)
        for settings in self._settings.trunks:
            trunk = self._trunks[settings.name]
            changed = partial(self._watched, trunk)
            trunk.watch = TrunkWatch(trunk.name, trunk.agent, settings.watch, trunk.named, changed)

    async def _open(self, settings: TrunkSettings, permit: Callable[[str], None] | None) -> None:
        trunk = self._trunks[settings.name]
        first = trunk is self.first
        telephones: dict[str, Any] = {}
        if first:
            secrets = {each.user: each.password.get_secret_value() for each in self._settings.subscribers}
            telephones = {
                "registrar": Registrar(),
                "on_register": self._registered,
                "server_credentials": secrets,
                "realm": self._settings.realm,
                "algorithms": self._settings.digest,
            }
        host, port = self._settings.host, settings.port or (self._settings.sip_port if first else 0)
        agent = await _Agent.open(
            self._context,
            "iccs" if first else f"iccs {trunk.name}",
            listen=[Listen(UDP, host, port), Listen(TCP, host, port)],  # both, by RFC 3261 §18.2.1
            user="niccs",
            abilities=ABILITIES,
            on_invite=lambda sip: self._came(trunk, sip),
            permit=permit,
            trace=False,
            **telephones,
        )
        assert isinstance(agent, _Agent)
        trunk.agent = agent
        agent.endpoint.notes.on_odd = lambda: self.odd(trunk)

    def _watched(self, trunk: Trunk) -> None:
        kind = "trunk.lost" if trunk.in_service is False else "trunk.back"
        self._context.journal.record("iccs", kind, trunk=trunk.name, peer=trunk.shown()["peer"])
        self.watched(trunk)

    async def stop(self) -> None:
        """Close every port; calls that are up are hung up."""
        for timer in self._slow:
            timer.cancel()
        await asyncio.gather(*(trunk.watch.stop() for trunk in self if trunk.watch is not None))
        await asyncio.gather(*(trunk.agent.close() for trunk in self if hasattr(trunk, "agent")))

    # Calls

    def _came(self, trunk: Trunk, sip: IncomingCall) -> None:
        trunk.calls += 1
        if trunk.fault is TrunkFault.REFUSING or len(self._slow) >= MAX_SLOW:
            sip.reject(503, headers=[("Retry-After", str(RETRY_AFTER_S))])
        elif trunk.fault is TrunkFault.SLOW:
            self._later(trunk, sip)
        else:
            self.invited(trunk, sip)

    def _later(self, trunk: Trunk, sip: IncomingCall) -> None:
        def go_on() -> None:
            self._slow.discard(timer)
            if not sip.is_over:
                self.invited(trunk, sip)

        timer = asyncio.get_running_loop().call_later(trunk.slow_s, go_on)
        self._slow.add(timer)

    # Telephones

    def _registered(self, aor: str) -> None:
        """Keep which address-of-record a subscriber registers as: its host is the subscriber's choice."""
        user = Uri.parse(aor).user_text
        if any(each.user == user for each in self._settings.subscribers):
            self._aors[user] = aor

    def contact(self, number: str) -> str | None:
        """Return where the telephone of a number can be reached; None where none is registered."""
        registry = self.first.agent.registry
        if registry is None or number not in self._aors:
            return None
        return next(iter(registry.contacts(self._aors[number])), None)

    def ways_out(self, preferred: str = "", at: tuple[str, int] | None = None) -> list[tuple[Trunk, tuple[str, int]]]:
        """Return the trunks by which the network can be called, and where, the preferred one first, lost ones last.

        `at`: where the preferred one's network takes this call, in place of its peer.
        """
        ordered = sorted(self, key=lambda trunk: (trunk.in_service is False, trunk.name != preferred))
        found = []
        for trunk in ordered:
            where = at if at is not None and trunk.name == preferred else trunk.peer
            if where is not None:
                found.append((trunk, where))
        return found

    # Faults

    def set_fault(self, name: str, fault: TrunkFault | None, *, seconds: float = 5.0) -> Trunk:
        """Begin a fault of a trunk, in place of one that is on, or end it. Raises UnknownTrunkError.

        `seconds`: how long a slow trunk lets callers wait.
        """
        trunk = self.get(name)
        trunk.fault, trunk.slow_s = fault, seconds
        trunk.agent.refusing = fault is TrunkFault.REFUSING
        trunk.agent.endpoint.transports.unplug(out=fault is TrunkFault.DOWN)
        kind = "trunk.fault" if fault is not None else "trunk.well"
        self._context.journal.record("iccs", kind, trunk=name, fault=fault.value if fault is not None else None)
        return trunk

    def learn(self, trunk: Trunk, contact: tuple[str, int] | None, caller: str | None) -> None:
        """Keep where a trunk's network takes calls, as its latest call told; telephones of ours are no network."""
        if contact is not None and all(each.user != caller for each in self._settings.subscribers):
            trunk.learned = contact
            if trunk.watch is not None:
                trunk.watch.called_from(contact)
