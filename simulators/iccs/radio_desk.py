"""The radio desk of the ICCS simulator: works talkgroups by gateways, shows positions what these report."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from functools import partial

from harness.endpoints.media import MediaPort, MediaService
from harness.errors import HarnessError
from harness.journal import Event
from harness.transport.context import Context
from simulators.iccs.gateway import Gateway, left_to_key
from simulators.iccs.gateway_watch import GatewayWatch
from simulators.iccs.leg import LastWords
from simulators.iccs.positions import Position, PositionError, Positions
from simulators.iccs.talkgroup_ways.lines import GatewayLine
from simulators.iccs.talkgroup_ways.mcptt_user import McpttUsers
from simulators.iccs.talkgroup_ways.opening import Ways
from simulators.iccs.talkgroup_ways.way import (
    LOST,
    Answer,
    DialPermit,
    RadioPermit,
    RadioUser,
    nothing_kept,
    talker_of,
    told_of,
)

REOPEN_S = 2.0
"""Seconds between attempts to bring a gateway into service again."""
QUEUED_S = 30.0
"""Seconds for which a request that the network has queued is let wait."""

Repatch = Callable[[Position], None]


class RadioDesk:
    """All gateways of one ICCS: one talkgroup each, worked by one of those that it has, the others standing by."""

    def __init__(
        self,
        context: Context,
        media: MediaService,
        positions: Positions,
        lines: list[GatewayLine],
        talkgroups: Mapping[str, int],
        permit: RadioPermit,
        users: McpttUsers,
    ) -> None:
        """``users``: those as which MCPTT groups are worked."""
        self._context = context
        self._journal = context.journal
        self._media = media
        self._positions = positions
        self._permit = permit
        self._users = users
        self._lines = lines
        self._talkgroups = talkgroups
        self._by_name: dict[str, Gateway] = {}
        self._gateways: dict[str, Gateway] = {}
        """By talkgroup, the one that works it."""
        self._forget: Callable[[], None] = lambda: None
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._stopped = False
        self._watch = GatewayWatch(self._spawn)
        self.repatch: Repatch = lambda _position: None
        """Called when what a position hears and is heard by has to change."""
        self.talks: Callable[[], None] = lambda: None
        """Called when somebody begins or ends to talk on a talkgroup."""
        self.last_words: LastWords = nothing_kept
        """Awaited with a gateway's port that is about to close; set before the start."""
        self.serves: Callable[[Gateway, bool, str], None] = lambda _gateway, _well, _cause: None
        """Told whether a gateway serves its talkgroup; where it does not, why."""
        self.alias: Callable[[object], str] = str
        """What a radio's user is shown as."""

    async def start(self, permit_dial: DialPermit) -> None:
        """Open every gateway; one that can't be had is out of service and tried again. Raises LocalError, MediaError.

        ``permit_dial``: asked before a SIP call of a gateway's leaves.
        """
        self._forget = self._journal.subscribe(self._reported)
        ways = Ways(self._context, self._media, self._permit, permit_dial, self._users)
        for line in self._lines:
            way = ways.make(line, self._talkgroups.get(line.talkgroup))
            gateway = self._by_name[line.name] = Gateway(line, way)
            way.port_changed, way.port_closes = partial(self._rewired, gateway), self.last_words
            if not line.stands_by:
                self._gateways[line.talkgroup] = gateway
        for gateway in self._by_name.values():
            await gateway.way.start()
            await self._bring_up(gateway)

    async def stop(self) -> None:
        """Unkey and close every gateway."""
        self._forget()
        self._stopped = True
        self._watch.stop()
        for gateway in self._by_name.values():
            if gateway.again is not None:
                gateway.again.cancel()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for gateway in self._by_name.values():
            await gateway.way.close()

    async def _bring_up(self, gateway: Gateway) -> None:
        gateway.coming = True
        try:
            await self._into_service(gateway)
        finally:
            gateway.coming = False

    async def _into_service(self, gateway: Gateway) -> None:
        line = gateway.line
        try:
            works = None
            while works is not self._works(gateway):  # another may be lost meanwhile
                works = self._works(gateway)
                await gateway.way.into_service(works=works)
        except HarnessError as error:
            self._journal.warn(line.name, "gateway.out_of_service", talkgroup=line.talkgroup, reason=str(error))
            if self._works(gateway):
                self._take_over(gateway)
            self.serves(gateway, False, str(error))
            self._try_again(gateway)
            return
        gateway.in_service = True
        self._watch.begin(gateway)
        kind = "gateway.in_service" if self._works(gateway) else "gateway.stands_by"
        self._journal.record(line.name, kind, talkgroup=line.talkgroup)
        self.serves(gateway, True, "")
        working = self._gateways.get(line.talkgroup)
        if working not in (None, gateway) and not working.in_service and not working.coming:
            self._take_over(working)

    def _works(self, gateway: Gateway) -> bool:
        return self._gateways.get(gateway.line.talkgroup) is gateway

    def _lose(self, gateway: Gateway) -> None:
        """A gateway's way is gone: whoever keys it is told, and one that stands by takes its talkgroup over."""
        talkgroup = gateway.line.talkgroup
        gateway.in_service = False
        self._watch.end(gateway)
        why = gateway.way.lost or "it has ended"
        if self._works(gateway):
            self._take_over(gateway)
        self.serves(gateway, False, why)
        if gateway.keyed_by is not None:
            self._refused(gateway, gateway.keyed_by, f"the gateway is lost: {why}")
        gateway.call = None
        if gateway.receives:
            self._nobody_talks(gateway)
            self._show(gateway, "talkgroup.idle", talkgroup=talkgroup)
        self._try_again(gateway)

    def _take_over(self, lost: Gateway) -> None:
        talkgroup = lost.line.talkgroup
        others = (each for each in self._by_name.values() if each.line.talkgroup == talkgroup and each.in_service)
        standby = next(others, None)
        if standby is None:
            return
        self._gateways[talkgroup] = standby
        standby.in_service = False
        self._journal.record(standby.line.name, "gateway.takes_over", talkgroup=talkgroup, instead_of=lost.line.name)
        self._spawn(self._bring_up(standby))
        self._rewired(standby)

    def _rewired(self, gateway: Gateway) -> None:
        """What works a talkgroup has another port."""
        for position in self._positions:
            if gateway.line.talkgroup in position.listening.talkgroups:
                self.repatch(position)

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
        if gateway is None or not gateway.in_service:
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
        self._watch.begin(gateway)
        position.keyed_groups.append(talkgroup)
        self._positions.tell(position, "ptt.requested", talkgroup=talkgroup)
        gateway.work = self._spawn(self._ask_floor(gateway, position))

    async def _ask_floor(self, gateway: Gateway, position: Position) -> None:
        try:
            floor = await gateway.way.key()
            if floor.answer is Answer.QUEUED:
                self._positions.tell(position, "ptt.queued", talkgroup=gateway.line.talkgroup)
                floor = await gateway.way.granted(floor.call, within=QUEUED_S)
        except HarnessError as error:
            self._refused(gateway, position, str(error))
            return
        gateway.call = floor.call
        if floor.answer is Answer.GRANTED:
            gateway.granted = True
            self.repatch(position)
            self._positions.tell(position, "ptt.granted", talkgroup=gateway.line.talkgroup)
        else:
            self._refused(gateway, position, floor.why)

    def _refused(self, gateway: Gateway, position: Position, reason: str) -> None:
        """The floor was not given, or was taken away; a position that no longer keys is told nothing."""
        if gateway.keyed_by is not position:
            return
        kind = "ptt.lost" if gateway.granted else "ptt.refused"
        self._free(gateway, position)
        self._positions.tell(position, kind, talkgroup=gateway.line.talkgroup, reason=reason)

    def _floor_lost(self, gateway: Gateway, call: object, reason: str) -> None:
        """The network took the floor of a transmission of ours."""
        if gateway.keyed_by is not None and gateway.granted and call == gateway.call:
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
        try:
            await gateway.way.unkey(gateway.call)
        except HarnessError as error:
            self._journal.warn(gateway.line.name, "gateway.unkey_failed", reason=str(error))

    def _free(self, gateway: Gateway, position: Position) -> None:
        gateway.keyed_by, gateway.granted = None, False
        position.keyed_groups.remove(gateway.line.talkgroup)
        self.repatch(position)

    async def send_text(self, position: Position, to: RadioUser, text: str) -> None:
        """Send a text to a radio by the first gateway of a position's talkgroups that can. Raises PositionError."""
        for talkgroup in position.listening.talkgroups:
            gateway = self._gateways.get(talkgroup)
            if gateway is not None and gateway.in_service and gateway.way.texts(to):
                try:
                    delivered = await gateway.way.send_text(to, text)
                except HarnessError as error:
                    raise PositionError(f"the text to {to} failed: {error}") from error
                self._positions.tell(position, "sds.sent", **told_of(to), delivered=delivered)
                return
        raise PositionError(f"{position.id} has no gateway in service that sends texts to {to}")

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

    def watch_closely(self, gateway: Gateway) -> None:
        """A patch has keyed a gateway."""
        self._watch.begin(gateway)

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
                who = talker_of(data)
                self._floor_lost(gateway, data.get("cc"), f"pre-empted by {who}")
                gateway.receives, gateway.talker = True, who
                self.talks()
                self._show(gateway, "talker.shown", talkgroup=talkgroup, **told_of(who), alias=self.alias(who))
            case "radio.ceased":
                self._floor_lost(gateway, data.get("cc"), str(data.get("why") or "the network ended the transmission"))
                self._nobody_talks(gateway)
                self._show(gateway, "talker.ended", talkgroup=talkgroup)
            case "radio.released":
                self._floor_lost(gateway, data.get("cc"), f"the call was released: {data.get('cause')}")
                gateway.call = None if gateway.call == data.get("cc") else gateway.call
                if not left_to_key(gateway, event):
                    self._nobody_talks(gateway)
                    self._show(gateway, "talkgroup.idle", talkgroup=talkgroup)
            case "status.received":
                self._show(gateway, "status.shown", **told_of(talker_of(data)), value=data.get("value"))
            case "sds.received" if "text" in data:
                self._show(gateway, "sds.shown", **told_of(talker_of(data)), text=data["text"])
            case kind if kind in LOST:
                self._lose(gateway)

    def _nobody_talks(self, gateway: Gateway) -> None:
        gateway.receives, gateway.talker = False, None
        self.talks()

    def heard_now(self) -> list[tuple[str, MediaPort, int | str | None]]:
        """Return each talkgroup on which somebody talks, the port that hears it, and who it is, where that is told."""
        return [
            (talkgroup, gateway.port, gateway.talker)
            for talkgroup, gateway in self._gateways.items()
            if gateway.port is not None and gateway.receives
        ]

    def _show(self, gateway: Gateway, kind: str, **data: object) -> None:
        for position in self._positions:
            if position.streams and gateway.line.talkgroup in position.listening.talkgroups:
                self._positions.tell(position, kind, **data)
