"""Puts the rooms of one ICCS together, brings them up in order and takes them down again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from harness.endpoints.media import MediaService, Recording
from harness.transport.context import Context
from simulators.iccs.attendant import Attendant
from simulators.iccs.audit.record import Audit
from simulators.iccs.callbacks import Callbacks
from simulators.iccs.calls import SwitchCall
from simulators.iccs.clips import Clips
from simulators.iccs.command_desk import CommandControlAt, CommandDesk
from simulators.iccs.core_nodes import CoreNodes
from simulators.iccs.crm_desk import CrmDesk
from simulators.iccs.directory_desk import DirectoryDesk
from simulators.iccs.distribution import Distribution
from simulators.iccs.duty import Duty
from simulators.iccs.fault_alarms import Severity
from simulators.iccs.feeds.feeds import Feeds
from simulators.iccs.figures import Figures
from simulators.iccs.gateway import Gateway
from simulators.iccs.handling import Handling
from simulators.iccs.incidents import IncidentLog
from simulators.iccs.keys import Keys
from simulators.iccs.location_desk import LocationDesk, PermitLocate
from simulators.iccs.overseeing import Overseeing
from simulators.iccs.patch_panel import PatchPanel
from simulators.iccs.placing import Placing
from simulators.iccs.positions import Position, Positions
from simulators.iccs.queues import Queues
from simulators.iccs.radio_console.room import RadioConsole
from simulators.iccs.radio_desk import RadioDesk
from simulators.iccs.radio_services.recordings import VoiceRecording
from simulators.iccs.radio_services.services import RadioServices, RadioSurroundings
from simulators.iccs.reception import Reception
from simulators.iccs.recorder.desk import RecordingsDesk
from simulators.iccs.recorder.legs import About, Kind
from simulators.iccs.recorder.recorder import Recorder
from simulators.iccs.records import Bands, RecordBook
from simulators.iccs.records_desk import RecordsDesk
from simulators.iccs.robots import Robots
from simulators.iccs.services_at import ServicesAt
from simulators.iccs.settings import IccsSettings
from simulators.iccs.shared import Shared
from simulators.iccs.signalling_watch import SignallingWatch
from simulators.iccs.switch import Switch
from simulators.iccs.talkgroup_plan import TalkgroupPlan
from simulators.iccs.talkgroup_ways.lines import TetraLine
from simulators.iccs.talkgroup_ways.mcptt_user import McpttUsers
from simulators.iccs.talkgroup_ways.way import RadioPermit, told_of
from simulators.iccs.treatment import Treatment
from simulators.iccs.trunks import Trunk, Trunks
from simulators.iccs.wire import Wire


class Building:
    """All rooms of one ICCS."""

    def __init__(
        self,
        context: Context,
        media: MediaService,
        settings: IccsSettings,
        around: RadioSurroundings,
        permit_radio: RadioPermit,
        permit_locate: PermitLocate,
        epoch: float,
    ) -> None:
        """``epoch``: seconds since 1970 of run time 0. Raises LocalError where an announcement is missing."""
        bands = Bands(settings.wait_bands_s)
        self.shared = shared = Shared(
            context,
            media,
            settings,
            Positions(settings.each_position(), context.journal),
            RecordBook(settings.records_kept),
            bands,
            Figures(settings.queues, bands),
            Clips(settings),
        )
        self.feeds = Feeds(
            context.journal, epoch, shared.figures, settings.feeds_folder, states_kept=settings.states_kept
        )
        self.incidents = IncidentLog()
        self.command = CommandDesk(shared, self.incidents)
        self.crm = CrmDesk(shared)
        lines = [line for line in around.gateways if not (isinstance(line, TetraLine) and line.private)]
        users = McpttUsers(context, media)
        self.radio = RadioDesk(context, media, shared.positions, lines, around.talkgroups, permit_radio, users)
        self.patch = PatchPanel(shared, self.radio)
        self.audit = audit = Audit(context.journal, epoch)
        self.services = RadioServices(
            shared, self.radio, self.patch, self.incidents, around, permit_radio, audit, users
        )
        monitored = {line.name: line.talkgroup for line in lines}
        self.directory = DirectoryDesk(shared)
        self.records = RecordsDesk(shared, self.incidents, audit)
        self.radio_console = RadioConsole(shared, self.radio, self.patch, monitored, around, self.services.unit_map)
        self.distribution = Distribution(shared, Queues(settings.queues, settings.ahead))
        self.callbacks = Callbacks(shared)
        self.treatment = Treatment(shared, self.distribution, self.callbacks)
        self.attendant = Attendant(shared)
        self.duty = Duty(shared, self.distribution)
        self.locations = LocationDesk(shared, permit_locate)
        self.keys = Keys(shared, self.attendant, self.treatment)
        self.switch = switch = Switch(
            shared, self.distribution, self.treatment, self.attendant, self.duty, self.locations, self.patch
        )
        self.trunks = Trunks(context, settings)
        self._signalling = {
            each.name: SignallingWatch(f"the SIP port of {each.name}", shared.faults) for each in self.trunks
        }
        self.wire = Wire(shared, switch, self.trunks, self.keys)
        self.reception = Reception(
            shared, switch, self.wire, self.trunks, self.attendant, self.callbacks, self.locations
        )
        self.placing = Placing(shared, switch, self.wire, self.trunks, self.callbacks, self.locations)
        self.handling = Handling(shared, switch, self.placing, self.patch)
        self.overseeing = Overseeing(shared, switch, self.patch, audit)
        self.plan = TalkgroupPlan(shared, self.patch, audit, around.names)
        self.recorder = Recorder(shared, self.radio, switch.calls.values)
        self.recordings = RecordingsDesk(shared, self.recorder, self.incidents, audit)
        self.robots = Robots(shared, self.distribution, switch)
        self.core_nodes = CoreNodes(shared, self.trunks, switch, self.radio.unkey, settings.core)
        self._connect()

    def _connect(self) -> None:
        """Tell the rooms of each other, where that goes both ways."""
        self.radio.repatch = self._radio_changed
        self.services.calls.began = self.distribution.busy
        self.services.units.changed = self.command.unit
        self.command.unit_told = self.services.units.told
        self.radio.talks = self.recorder.changed
        self.patch.changed = self.recorder.changed
        self.patch.last_words = self.radio.last_words = self.recorder.last_words
        self.services.recordings.ended = self._radio_recorded
        self.recorder.assigned = self.services.units.incident_of
        self.radio.serves = self._gateway_serves
        self.trunks.watched = self._trunk_watched
        self.trunks.odd = lambda trunk: self._signalling[trunk.name].odd()
        self.radio.alias = self.shared.settings.radio.shown_as
        self.trunks.invited = self.reception.invited
        self.distribution.rang = self.robots.rang
        self.distribution.moved = self.robots.moved
        self.distribution.overflows = self.reception.overflows
        self.treatment.be_heard = self.wire.be_heard
        self.treatment.queued = self.wire.queued
        self.treatment.call_back = self.reception.call_back
        self.attendant.leads_to = self.reception.leads_to
        self.switch.set_up = self.wire.set_up
        self.switch.call_back = self.placing.call_back
        self.switch.talking = self._talking
        self.switch.ended = self._ended
        self.shared.positions.watched = self._watched
        self.shared.positions.changed = self._adviser_changed
        self.shared.figures.counted = self.feeds.counted

    def _gateway_serves(self, gateway: Gateway, well: bool, cause: str) -> None:
        if well:
            self.shared.faults.well("gateway_lost", gateway.line.name)
        else:
            talkgroup = gateway.line.talkgroup
            works = self.radio.gateway(talkgroup)
            severity: Severity = "critical"
            impact = f"nobody at a console hears {talkgroup} or talks there"
            if works is not None and works is not gateway:
                severity, impact = "major", f"nothing stands by for {works.line.name}, which works {talkgroup}"
            self.shared.faults.failed("gateway_lost", gateway.line.name, severity, impact, cause)

    def _trunk_watched(self, trunk: Trunk) -> None:
        if trunk.in_service is not False:
            self.shared.faults.well("trunk_lost", trunk.name)
            return
        others = [each.name for each in self.trunks if each is not trunk and each.in_service is not False]
        impact = f"calls by it fail; there is {', '.join(others) or 'no other trunk'}"
        severity: Severity = "major" if others else "critical"
        self.shared.faults.failed("trunk_lost", trunk.name, severity, impact, "its peer does not answer OPTIONS")

    def _watched(self, position: Position) -> None:
        self.distribution.shown_to(position)
        self.command.shown_to(position)
        self.crm.shown_to(position)
        self.radio_console.shown_to(position)
        self.directory.shown_to(position)

    def _talking(self, call: SwitchCall, position: Position) -> None:
        self.crm.answered(call, position)
        self.robots.talking(call, position)

    def _ended(self, call: SwitchCall) -> None:
        self.crm.over(call)
        self.keys.over(call)
        self.robots.over(call)

    def _radio_recorded(self, made: VoiceRecording, heard: Mapping[str, Recording]) -> None:
        kind: Kind = "ambience" if made.of == "ambience" else "radio_call"
        for who, speech in heard.items():
            speaker = told_of(made.who) if who == "radio" else {}
            self.recorder.take(About(kind, position=made.position, **speaker), speech)

    def _radio_changed(self, position: Position) -> None:
        self.patch.position(position)
        self.recorder.changed()
        if position.keyed is not None:
            self.distribution.busy(position)
        self.shared.positions.settle(position)

    def _adviser_changed(self, position: Position) -> None:
        self.feeds.settled(position)
        self.distribution.poke()

    async def start(
        self,
        permit_dial: Callable[[str], None],
        location: tuple[str, int] | None,
        command_control: CommandControlAt | None,
        services: ServicesAt,
    ) -> None:
        """Open every port and line. Raises TransportError, LocalError."""
        if (trail := self.shared.settings.audit_trail) is not None:
            self.audit.keep_in(trail)
        self.command.start(command_control)  # before the radios: a status that comes at once is told, too
        self.feeds.start()
        await self.trunks.start(permit_dial)
        await self.radio.start(permit_dial)
        await self.services.start()
        self.recorder.start()
        self.locations.start(location)
        self.crm.start(services.crm)
        self.records.start(services.records)
        self.directory.start(services.directory)

    async def stop(self) -> None:
        """Clear every call, close every port and line; no task is left."""
        self.recorder.stop()
        await self.services.stop()
        self.radio_console.stop()
        await self.radio.stop()
        await self.switch.stop()
        await self.trunks.stop()
        for watch in self._signalling.values():
            watch.stop()
        self.keys.stop()
        self.duty.stop()
        self.feeds.stop()
        await self.locations.stop()
        await self.command.stop()
        for task in tuple(self.shared.tasks):
            task.cancel()
        await asyncio.gather(*self.shared.tasks, return_exceptions=True)
        await self.crm.stop()
        await self.records.stop()
        await self.directory.stop()
        await self.switch.closed()
        await self.patch.stop()
        self.audit.close()
