"""Keys the gateways of patched talkgroups while somebody talks on one of them, and passes the speech on.

Theory. Who talks on a talkgroup, a radio that its gateway hears or a position that keys it, is a source. A net of
patched talkgroups carries one source at a time, the first that began; the gateways of its other talkgroups are keyed
for as long as it talks. What ought to be carried is worked out anew after each change, and what is, is brought in line.
A gateway that the network refuses, or that a position keys, stays out of it until the source changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.journal import Event
from simulators.iccs.gateway import Gateway, left_to_key
from simulators.iccs.patch_panel import PatchPanel
from simulators.iccs.radio_desk import QUEUED_S, RadioDesk
from simulators.iccs.radio_services.patch_book import PatchBook
from simulators.iccs.shared import Shared
from simulators.iccs.talkgroup_ways.way import LOST, Answer, talker_of

if TYPE_CHECKING:
    import asyncio

    from harness.endpoints.media import MediaPort


_ENDS = frozenset({"radio.ceased", "radio.released", *LOST})
"""What a gateway reports when nobody talks on its talkgroup any more."""


@dataclass(frozen=True, slots=True)
class _Source:
    """Somebody who talks on a talkgroup."""

    talkgroup: str
    port: MediaPort
    position: str | None = None
    """The position that keys it; None: a radio."""


@dataclass(slots=True, eq=False)
class _Relay:
    """A gateway that passes a source on, or that was asked to and does not."""

    gateway: Gateway
    source: _Source
    work: asyncio.Task[None] | None = None
    call: int | None = None
    """The call in which it has the floor."""
    is_over: bool = False
    """The floor was refused or lost; it is not asked for again for this source."""


class Relays:
    """What is passed on in one control room."""

    def __init__(self, shared: Shared, radio: RadioDesk, panel: PatchPanel, book: PatchBook) -> None:
        self._shared = shared
        self._radio = radio
        self._panel = panel
        self._book = book
        self._sources: dict[str, _Source] = {}
        """By talkgroup, the one that began first in front."""
        self._relays: dict[str, _Relay] = {}
        """By the talkgroup that is passed on to."""
        self._forget: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Follow who talks."""
        self._forget = self._shared.journal.subscribe(self._happened)

    def stop(self) -> None:
        """Pass nothing on any more."""
        self._forget()
        for talkgroup in tuple(self._relays):
            self._drop(talkgroup)

    def settle(self) -> None:
        """Bring what is passed on in line with who talks and what is patched."""
        wanted: dict[str, _Source] = {}
        served: dict[str, None] = {}
        for source in self._sources.values():
            if source.talkgroup in served:
                continue
            net = self._book.net(source.talkgroup)
            served |= dict.fromkeys(net)
            wanted |= dict.fromkeys(net[1:], source)
        for talkgroup, relay in tuple(self._relays.items()):
            if wanted.get(talkgroup) != relay.source:
                self._drop(talkgroup)
        for talkgroup, source in wanted.items():
            if talkgroup not in self._relays:
                self._begin(talkgroup, source)

    # One gateway

    def _begin(self, talkgroup: str, source: _Source) -> None:
        gateway = self._radio.gateway(talkgroup)
        if gateway is None or not gateway.in_service or gateway.keyed_by is not None:
            return
        relay = self._relays[talkgroup] = _Relay(gateway, source)
        gateway.passes_on = source.talkgroup
        self._radio.watch_closely(gateway)
        relay.work = self._shared.spawn(self._carry(relay))

    async def _carry(self, relay: _Relay) -> None:
        gateway = relay.gateway
        try:
            floor = await gateway.way.key()
            if floor.answer is Answer.QUEUED:
                floor = await gateway.way.granted(floor.call, within=QUEUED_S)
        except HarnessError as error:
            self._lost(relay, str(error))
            return
        if floor.answer is not Answer.GRANTED:
            self._lost(relay, floor.why)
            return
        relay.call = floor.call
        gateway.carries = relay.source.port
        self._panel.gateway(gateway)
        self._note("patch.carried", relay)

    def _lost(self, relay: _Relay, reason: str) -> None:
        """The network refused the floor, or took it away."""
        relay.is_over, relay.call = True, None
        self._silence(relay.gateway)
        self._note("patch.not_carried", relay, reason=reason)

    def _silence(self, gateway: Gateway) -> None:
        gateway.passes_on = gateway.carries = None
        self._panel.gateway(gateway)

    def _drop(self, talkgroup: str) -> None:
        relay = self._relays.pop(talkgroup)
        if relay.is_over:
            return
        if relay.work is not None and not relay.work.done():
            relay.work.cancel()  # what it asked of the network is taken back
        self._silence(relay.gateway)
        if relay.call is not None:
            self._shared.spawn(self._unkey(relay.gateway, relay.call))
            self._note("patch.carried_no_more", relay)

    async def _unkey(self, gateway: Gateway, call: int) -> None:
        try:
            await gateway.way.unkey(call)
        except HarnessError as error:
            self._shared.journal.warn(gateway.line.name, "gateway.unkey_failed", reason=str(error))

    def _note(self, kind: str, relay: _Relay, **more: Any) -> None:
        self._shared.journal.record(
            relay.gateway.line.name,
            kind,
            talkgroup=relay.gateway.line.talkgroup,
            said_on=relay.source.talkgroup,
            by=relay.source.position or "a radio",
            **more,
        )

    # Who talks

    def _happened(self, event: Event) -> None:
        gateway = self._radio.gateway_named(event.source)
        if gateway is not None:
            self._reported(gateway, event)
        elif event.kind in {"ptt.granted", "ptt.released", "ptt.lost"} and event.source in self._shared.positions:
            self._keyed(event)

    def _reported(self, gateway: Gateway, event: Event) -> None:
        talkgroup = gateway.line.talkgroup
        match event.kind:
            case "radio.talker" if gateway.port is not None:
                self._taken_away(talkgroup, event, f"pre-empted by {talker_of(event.data)}")
                self._sources.setdefault(talkgroup, _Source(talkgroup, gateway.port))
            case "gateway.in_service":
                pass  # what ought to be carried by it can be, now
            case kind if kind in _ENDS:
                self._taken_away(talkgroup, event, f"the network said {event.kind}")
                source = self._sources.get(talkgroup)
                goes_on = event.kind == "radio.released" and left_to_key(gateway, event)
                if source is not None and source.position is None and not goes_on:
                    del self._sources[talkgroup]
                if event.kind in LOST:
                    self._relays.pop(talkgroup, None)  # the network has refused nothing
            case _:
                return
        self.settle()

    def _taken_away(self, talkgroup: str, event: Event, reason: str) -> None:
        """The network ended a transmission by which we pass on."""
        relay = self._relays.get(talkgroup)
        if relay is not None and relay.call is not None and event.data.get("cc", relay.call) == relay.call:
            self._lost(relay, reason)

    def _keyed(self, event: Event) -> None:
        talkgroup = str(event.data.get("talkgroup"))
        source = self._sources.get(talkgroup)
        if event.kind == "ptt.granted":
            jack = self._shared.positions.get(event.source).jack
            if jack is not None:
                self._sources.setdefault(talkgroup, _Source(talkgroup, jack, event.source))
        elif source is not None and source.position == event.source:
            del self._sources[talkgroup]
        relay = self._relays.get(talkgroup)
        if relay is not None and relay.is_over:
            del self._relays[talkgroup]
        self.settle()
