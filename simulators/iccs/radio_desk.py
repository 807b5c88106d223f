"""The radio desk of the ICCS simulator: drives gateways over serial lines, shows positions what they report."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass

from harness.endpoints.media import MediaPort, MediaService
from harness.endpoints.pei import KeyOutcome, TerminalEquipment
from harness.errors import HarnessError, LocalError
from harness.journal import Event
from harness.protocols.pei.codes import Grant, ReleaseCause, describe
from harness.transport.context import Context
from simulators.iccs.positions import Position, PositionError, Positions

REOPEN_S = 2.0
"""Seconds between attempts to open a gateway's line again."""
GATEWAY_PLAYOUT_MS = 20
"""Depth that the playout buffer of a gateway's jack aims at: it is in the same room, and a patch passes two of them."""
QUEUED_S = 30.0
"""Seconds for which a request that the network has queued is let wait."""

RadioPermit = Callable[[str, str, int], None]
Repatch = Callable[[Position], None]


@dataclass(frozen=True, slots=True)
class GatewayLine:
    """A TETRA terminal that the ICCS drives."""

    name: str
    talkgroup: str
    serial: str
    """As pyserial opens it."""
    baud: int
    audio: str
    """Its audio jack, ``rtp://host:port``."""
    private: bool = False
    """Whether it is kept for calls with one radio, and not for its talkgroup."""


@dataclass(slots=True, eq=False)
class Gateway:
    """One such terminal at work."""

    line: GatewayLine
    gssi: int
    terminal: TerminalEquipment | None = None
    port: MediaPort | None = None
    in_service: bool = False
    """Whether its line is there and it did what it was told when it was brought up."""
    keyed_by: Position | None = None
    granted: bool = False
    cc: int | None = None
    passes_on: str | None = None
    """The talkgroup for which a patch keys it."""
    carries: MediaPort | None = None
    """Whose speech it passes on by that patch, once it has the floor."""
    talker: int | None = None
    """The ISSI of whoever talks on the talkgroup; None where nobody does."""
    work: asyncio.Task[None] | None = None
    again: asyncio.TimerHandle | None = None
    """The next attempt to open its line."""


class RadioDesk:
    """All gateways of one ICCS: one talkgroup each."""

    def __init__(
        self,
        context: Context,
        media: MediaService,
        positions: Positions,
        lines: list[GatewayLine],
        talkgroups: Mapping[str, int],
        permit: RadioPermit,
    ) -> None:
        self._context = context
        self._journal = context.journal
        self._media = media
        self._positions = positions
        self._permit = permit
        self._gateways = {line.talkgroup: Gateway(line, talkgroups[line.talkgroup]) for line in lines}
        self._by_name = {gateway.line.name: gateway for gateway in self._gateways.values()}
        self._forget: Callable[[], None] = lambda: None
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._stopped = False
        self.repatch: Repatch = lambda _position: None
        """Called when what a position hears and is heard by has to change."""
        self.talks: Callable[[], None] = lambda: None
        """Called when somebody begins or ends to talk on a talkgroup."""
        self.serves: Callable[[Gateway, bool, str], None] = lambda _gateway, _well, _cause: None
        """Told whether a gateway serves its talkgroup; where it does not, why."""
        self.alias: Callable[[object], str] = str
        """What an ISSI is shown as."""

    async def start(self) -> None:
        """Open every gateway; one that can't be had is out of service and tried again."""
        self._forget = self._journal.subscribe(self._reported)
        for gateway in self._gateways.values():
            host, _, port = gateway.line.audio.removeprefix("rtp://").rpartition(":")
            if not host or not port.isdecimal():
                raise LocalError(
                    f"gateway {gateway.line.name}: no audio jack at {gateway.line.audio!r}; rtp://host:port"
                )
            local = "127.0.0.1" if host.startswith("127.") else "0.0.0.0"  # noqa: S104 - a real jack is elsewhere
            gateway.port = await self._media.open_port(
                f"iccs {gateway.line.name}", host=local, playout_ms=GATEWAY_PLAYOUT_MS
            )
            await gateway.port.connect((host, int(port)), dtmf_payload_type=None, rests=True)
            await self._bring_up(gateway)

    async def stop(self) -> None:
        """Unkey and close every gateway."""
        self._forget()
        self._stopped = True
        for gateway in self._gateways.values():
            if gateway.again is not None:
                gateway.again.cancel()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for gateway in self._gateways.values():
            if gateway.terminal is not None:
                gateway.terminal.close()
            if gateway.port is not None:
                await gateway.port.close()

    async def _bring_up(self, gateway: Gateway) -> None:
        line = gateway.line
        try:
            if gateway.terminal is None:
                gateway.terminal = await TerminalEquipment.open(
                    self._context, line.name, line.serial, baud=line.baud, permit=self._permit
                )
            await gateway.terminal.into_service(gateway.gssi)
        except HarnessError as error:
            self._journal.warn(line.name, "gateway.out_of_service", talkgroup=line.talkgroup, reason=str(error))
            self.serves(gateway, False, str(error))
            self._try_again(gateway)
            return
        gateway.in_service = True
        self._journal.record(line.name, "gateway.in_service", talkgroup=line.talkgroup)
        self.serves(gateway, True, "")

    def _try_again(self, gateway: Gateway) -> None:
        if gateway.again is not None:
            gateway.again.cancel()
        if not self._stopped:
            loop = asyncio.get_running_loop()
            gateway.again = loop.call_later(REOPEN_S, lambda: self._spawn(self._bring_up(gateway)))

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._tasks.pop(done, None))
        return task

    # What operators do

    def key(self, position: Position, talkgroup: str, *, also: bool = False) -> None:
        """Ask for the floor of ``talkgroup``; with ``also``, beside others that the position keys.

        The position is told ``ptt.granted``, ``ptt.queued`` or ``ptt.refused``, and ``ptt.lost`` when the network takes
        the floor away later.

        Raises PositionError when the position may not key it, or somebody else does.
        """
        if talkgroup not in position.listening.talkgroups:
            raise PositionError(f"{position.id} does not work talkgroup {talkgroup}")
        gateway = self._gateways.get(talkgroup)
        if gateway is None or gateway.terminal is None or not gateway.in_service:
            raise PositionError(f"talkgroup {talkgroup} has no gateway in service")
        if position.keyed_groups and not also:
            raise PositionError(f"{position.id} keys {position.keyed} already")
        if position.radio_call is not None:
            raise PositionError(f"{position.id} is in a call with one radio, {position.radio_call}")
        if gateway.keyed_by is not None:
            raise PositionError(f"talkgroup {talkgroup} is keyed by {gateway.keyed_by.id}")
        if gateway.passes_on is not None:
            raise PositionError(f"talkgroup {talkgroup} passes on what is said on {gateway.passes_on}, by a patch")
        gateway.keyed_by = position
        position.keyed_groups.append(talkgroup)
        self._positions.tell(position, "ptt.requested", talkgroup=talkgroup)
        gateway.work = self._spawn(self._ask_floor(gateway, gateway.terminal, position))

    async def _ask_floor(self, gateway: Gateway, terminal: TerminalEquipment, position: Position) -> None:
        try:
            outcome = await terminal.key(gateway.gssi)
            if outcome.grant is Grant.QUEUED:
                self._positions.tell(position, "ptt.queued", talkgroup=gateway.line.talkgroup)
                outcome = await terminal.granted(outcome.cc, within=QUEUED_S)
        except HarnessError as error:
            self._refused(gateway, position, str(error))
            return
        gateway.cc = outcome.cc
        if outcome.granted:
            gateway.granted = True
            self.repatch(position)
            self._positions.tell(position, "ptt.granted", talkgroup=gateway.line.talkgroup)
        else:
            self._refused(gateway, position, _why(outcome))

    def _refused(self, gateway: Gateway, position: Position, reason: str) -> None:
        """The floor was not given, or was taken away; a position that no longer keys is told nothing."""
        if gateway.keyed_by is not position:
            return
        kind = "ptt.lost" if gateway.granted else "ptt.refused"
        self._free(gateway, position)
        self._positions.tell(position, kind, talkgroup=gateway.line.talkgroup, reason=reason)

    def _floor_lost(self, gateway: Gateway, cc: object, reason: str) -> None:
        """The network took the floor of a transmission of ours."""
        if gateway.keyed_by is not None and gateway.granted and cc == gateway.cc:
            self._refused(gateway, gateway.keyed_by, reason)

    def unkey(self, position: Position) -> None:
        """Give every floor back that it has, or asks for. Raises PositionError when nothing is keyed."""
        if not position.keyed_groups:
            raise PositionError(f"{position.id} keys nothing")
        for talkgroup in tuple(position.keyed_groups):
            gateway = self._gateways[talkgroup]
            if gateway.work is not None and not gateway.work.done():
                gateway.work.cancel()
            self._free(gateway, position)
            self._spawn(self._give_back(gateway))
            self._positions.tell(position, "ptt.released", talkgroup=talkgroup)

    async def _give_back(self, gateway: Gateway) -> None:
        terminal = gateway.terminal
        if terminal is None:
            return
        cc = gateway.cc if gateway.cc is not None else terminal.call_on(gateway.gssi)
        if cc is None:
            return
        try:
            await terminal.unkey(cc)
        except HarnessError as error:
            self._journal.warn(gateway.line.name, "gateway.unkey_failed", reason=str(error))

    def _free(self, gateway: Gateway, position: Position) -> None:
        gateway.keyed_by, gateway.granted = None, False
        position.keyed_groups.remove(gateway.line.talkgroup)
        self.repatch(position)

    async def send_text(self, position: Position, issi: int, text: str) -> None:
        """Send a text to a radio through the first gateway of the position's talkgroups. Raises PositionError."""
        for talkgroup in position.listening.talkgroups:
            gateway = self._gateways.get(talkgroup)
            if gateway is not None and gateway.terminal is not None and gateway.in_service:
                try:
                    outcome = await gateway.terminal.send_text(issi, text)
                except HarnessError as error:
                    raise PositionError(f"the text to {issi} failed: {error}") from error
                self._positions.tell(position, "sds.sent", issi=issi, delivered=outcome.sent)
                return
        raise PositionError(f"{position.id} has no gateway in service")

    # What the patch panel asks

    def heard_at(self, position: Position, *, selected: bool = True) -> list[MediaPort]:
        """Return the ports whose speech ``position`` hears in the headset, or, not ``selected``, from the loudspeaker.

        These are the gateways of its talkgroups, save those that it keys; in the headset also what it alone hears.
        """
        gateways = [
            gateway.port
            for talkgroup, is_selected in position.listening.talkgroups.items()
            if is_selected is selected
            and (gateway := self._gateways.get(talkgroup)) is not None
            and gateway.port is not None
            and gateway.keyed_by is not position
        ]
        return [*gateways, *position.hears.values()] if selected else gateways

    def speakers(self) -> list[tuple[MediaPort, Position | None]]:
        """Return each gateway's port with the position that holds its floor, or None; not those that patches key."""
        return [
            (gateway.port, gateway.keyed_by if gateway.granted else None)
            for gateway in self._gateways.values()
            if gateway.port is not None and gateway.carries is None
        ]

    def spoken_into(self, gateway: Gateway) -> list[MediaPort]:
        """Return whose speech a gateway sends: that of a patch, of the position that holds its floor, or nobody's."""
        holder = gateway.keyed_by if gateway.granted else None
        jack = holder.jack if holder is not None else None
        return [port for port in (gateway.carries or jack,) if port is not None]

    # What patches between talkgroups ask

    def gateway(self, talkgroup: str) -> Gateway | None:
        """Return the gateway of a talkgroup, where it has one."""
        return self._gateways.get(talkgroup)

    def gateway_named(self, name: str) -> Gateway | None:
        """Return a gateway by its line's name."""
        return self._by_name.get(name)

    # What the radio network reports

    def _reported(self, event: Event) -> None:
        gateway = self._by_name.get(event.source)
        if gateway is None:
            return
        data, talkgroup = event.data, gateway.line.talkgroup
        match event.kind:
            case "radio.talker":
                self._floor_lost(gateway, data.get("cc"), f"pre-empted by {data.get('issi')}")
                issi = data.get("issi")
                self._talks(gateway, issi)
                self._show(gateway, "talker.shown", talkgroup=talkgroup, issi=issi, alias=self.alias(issi))
            case "radio.ceased":
                self._floor_lost(gateway, data.get("cc"), "the network ended the transmission")
                self._talks(gateway, None)
                self._show(gateway, "talker.ended", talkgroup=talkgroup)
            case "radio.released":
                self._floor_lost(gateway, data.get("cc"), f"the call was released: {data.get('cause')}")
                gateway.cc = None if gateway.cc == data.get("cc") else gateway.cc
                if not left_to_key(gateway, event):
                    self._talks(gateway, None)
                    self._show(gateway, "talkgroup.idle", talkgroup=talkgroup)
            case "status.received":
                self._show(gateway, "status.shown", issi=data.get("issi"), value=data.get("value"))
            case "sds.received" if "text" in data:
                self._show(gateway, "sds.shown", issi=data.get("issi"), text=data["text"])
            case "pei.lost":
                gateway.in_service = False
                self.serves(gateway, False, "its serial line is gone")
                if gateway.keyed_by is not None:
                    self._refused(gateway, gateway.keyed_by, "the gateway's line is gone")
                self._try_again(gateway)

    def _talks(self, gateway: Gateway, issi: int | None) -> None:
        gateway.talker = issi
        self.talks()

    def heard_now(self) -> list[tuple[str, MediaPort, int]]:
        """Return each talkgroup on which somebody talks, the port that hears it, and whose ISSI it is."""
        return [
            (talkgroup, gateway.port, gateway.talker)
            for talkgroup, gateway in self._gateways.items()
            if gateway.port is not None and gateway.talker is not None
        ]

    def _show(self, gateway: Gateway, kind: str, **data: object) -> None:
        for position in self._positions:
            if position.streams and gateway.line.talkgroup in position.listening.talkgroups:
                self._positions.tell(position, kind, **data)


def left_to_key(gateway: Gateway, event: Event) -> bool:
    """Whether a call was released because our terminal left it to ask for the floor anew: who talks in it goes on."""
    keys = gateway.keyed_by is not None or gateway.passes_on is not None
    return keys and event.data.get("cause") == describe(ReleaseCause, ReleaseCause.USER)


def _why(outcome: KeyOutcome) -> str:
    return f"{outcome.grant.name.lower().replace('_', ' ')}" + (f", {outcome.talker} talks" if outcome.talker else "")
