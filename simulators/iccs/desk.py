"""What operators and supervisors can do and see: the one side of the control interface, the rooms being the other."""

from __future__ import annotations

import asyncio
from typing import Any

from harness.protocols import times
from harness.protocols.sip.emergency_call import Ask
from simulators.iccs.building import Building
from simulators.iccs.calls import CallState, SwitchCall
from simulators.iccs.conversations import Conversation
from simulators.iccs.feeds.feeds import FeedError, GoneError
from simulators.iccs.positions import AdviserState, Position, PositionError
from simulators.iccs.reconciliation import account_for, reconciliation
from simulators.iccs.records import CallRecord
from simulators.iccs.talkgroup_ways.way import RadioUser
from simulators.iccs.trunks import TrunkFault


class OperatorDesk:
    """A control room as its people use it."""

    def __init__(self, building: Building) -> None:
        self._rooms = building
        self._shared = building.shared
        self.positions = building.shared.positions
        self.audit = building.audit
        self.overseeing = building.overseeing
        self.plan = building.plan
        self.plan.loudspeaker = self._loudspeaker
        self.incidents = building.incidents
        self.feeds = building.feeds
        self.services = building.services
        self.radio_console = building.radio_console
        self.records_desk = building.records
        self.directory = building.directory
        self.recorder = building.recorder
        self.recordings = building.recordings
        self.core_nodes = building.core_nodes
        self._seating = asyncio.Lock()

    def now(self) -> float:
        """Return the run's time in seconds."""
        return self._shared.now()

    # At a position

    async def login(self, position: Position) -> None:
        """Open the headset's jack, or have the one that is open: the console had lost its core node.

        Raises PositionError when somebody sits there already.
        """
        async with self._seating:
            if position.logged_in:
                raise PositionError(f"somebody is logged in at {position.id}")
            settings = self._shared.settings
            if position.jack is None:
                jack = await self._shared.media.open_port(f"iccs {position.id} jack", host=settings.host)
                await jack.connect(None, dtmf_payload_type=None, rests=True)
                position.jack = jack
            position.console_lost = False
            await self._loudspeaker(position)
        self._rooms.patch.position(position)
        self.positions.tell(position, "position.logged_in", layout=self.layout(position))
        self.positions.settle(position)

    def layout(self, position: Position) -> dict[str, Any]:
        """Return what the console there shows by its role: ``role``, ``panels`` from the most important on."""
        role = position.settings.role
        return {"role": role, "panels": list(self._shared.settings.layout_of(role).panels)}

    async def _loudspeaker(self, position: Position) -> None:
        """Open the loudspeaker of a position at which somebody is logged in and monitors talkgroups."""
        listening = position.listening
        if position.jack is None or listening.loudspeaker is not None or not listening.talkgroups:
            return
        speaker = await self._shared.media.open_port(f"iccs {position.id} loudspeaker", host=self._shared.settings.host)
        await speaker.connect(None, dtmf_payload_type=None, rests=True)
        listening.loudspeaker = speaker

    async def logout(self, position: Position) -> None:
        """Clear what the position holds and close its jack; nobody being there is no error."""
        if position.keyed is not None:
            self._rooms.radio.unkey(position)
        self.overseeing.gone(position)
        await self.services.gone(position)
        while position.conversation is not None or position.held:
            self._clear_one(position)
        jack, position.jack = position.jack, None
        position.console_lost = False
        self._rooms.duty.gone(position)
        speaker, position.listening.loudspeaker = position.listening.loudspeaker, None
        if speaker is not None:
            await self._rooms.patch.unplug(speaker)
        if jack is not None:
            await self._rooms.patch.unplug(jack)
            self.positions.tell(position, "position.logged_out")

    def _clear_one(self, position: Position) -> None:
        conversation: Conversation | None = position.conversation or position.held[0]
        assert conversation is not None
        if len(conversation.everyone) > 1 and conversation.size > 2:
            self._rooms.switch.leave(conversation, position)
        for call in list(conversation.calls) if position in conversation.everyone else []:
            self._rooms.switch.end(call, f"{position.id} logged out")
        conversation.leave(position)

    def set_state(self, position: Position, state: str) -> None:
        """Go available, or on break."""
        position.seated()
        self._rooms.duty.set(position, state)

    def answer(self, position: Position, queue: str | None, call: str | None) -> SwitchCall:
        """Take a call: the one named, else the first of the queue, else whichever is next."""
        position.seated()
        if not position.free:
            raise PositionError(f"{position.id} is not free: it has a call or keys a talkgroup")
        named = self._rooms.switch.calls.get(call) if call is not None else None
        if call is not None and named is None:
            raise PositionError(f"no call rings at {position.id}")
        chosen = self._rooms.distribution.choose(position, queue=queue, call=named)
        self._rooms.switch.take(chosen, position)
        return chosen

    def dial(self, position: Position, number: str) -> SwitchCall:
        """Call a position, a telephone, or somebody in the network."""
        position.seated()
        return self._rooms.placing.dial(position, number)

    def redial(self, position: Position, record: str | None) -> SwitchCall:
        """Call back the caller of the latest call, or of a record."""
        position.seated()
        return self._rooms.placing.redial(position, record)

    def clear(self, position: Position) -> SwitchCall:
        """Clear the call, or go out of the conference."""
        return self._rooms.switch.clear(position)

    def hold(self, position: Position) -> SwitchCall:
        """Put the call on hold."""
        return self._rooms.handling.hold(position)

    def resume(self, position: Position, call: str | None) -> SwitchCall:
        """Take a call off hold."""
        return self._rooms.handling.resume(position, call)

    def consult(self, position: Position, to: str) -> SwitchCall:
        """Put the call on hold and ring somebody about it."""
        return self._rooms.handling.consult(position, to)

    def transfer(self, position: Position, to: str | None) -> SwitchCall:
        """Pass the call on."""
        return self._rooms.handling.transfer(position, to)

    def conference(self, position: Position, to: str | None) -> SwitchCall:
        """Join the enquiry with the call on hold, or ring somebody into the call."""
        handling = self._rooms.handling
        return handling.conference(position) if to is None else handling.add(position, to)

    def leave(self, position: Position) -> SwitchCall:
        """Go out of the conference; the others go on."""
        return self._rooms.handling.leave(position)

    def drop(self, position: Position, call: str) -> SwitchCall:
        """Clear one party of the conference."""
        return self._rooms.handling.drop(position, call)

    async def write(self, position: Position, text: str) -> SwitchCall:
        """Type to the other side."""
        return await self._rooms.handling.write(position, text)

    async def send_dtmf(self, position: Position, digits: str) -> None:
        """Send digits to the other side of the call."""
        await self._rooms.handling.send_dtmf(position, digits)

    async def ask_network(self, position: Position, ask: Ask) -> SwitchCall:
        """Ask the 999 network for something in the call."""
        return await self._rooms.handling.ask(position, ask)

    def enter_location(self, position: Position, location: dict[str, Any]) -> None:
        """Keep what a caller says of where it is."""
        if position.call is None:
            raise PositionError(f"{position.id} has no call")
        self._rooms.locations.entered(position.call, position, location)

    async def tag_nuisance(self, position: Position, record: str | None, note: str) -> CallRecord:
        """Preserve a record as a nuisance call's: the call in hand's, the latest one's, or the one named."""
        position.seated()
        named = record or position.last_record
        if named is None:
            raise PositionError(f"{position.id} has had no call yet")
        found = self._shared.records.get(named)
        self._shared.records.preserve(found, by=position.id, note=note, time=self.now())
        self.positions.tell(position, "call.nuisance_tagged", record=found.id, cli=found.cli, note=note)
        call = position.call
        if call is not None and call.record is found and call.mark is not None:
            await self._rooms.handling.ask(position, Ask.NUISANCE)
        return found

    def account_for(self, position: Position, record: str | None, reason: str) -> dict[str, Any]:
        """Say why a call needs no incident."""
        return account_for(self._shared, position, record, reason)

    def key(self, position: Position, talkgroup: str) -> None:
        """Press to talk."""
        position.seated()
        self._rooms.radio.key(position, talkgroup)

    def unkey(self, position: Position) -> None:
        """Let go."""
        self._rooms.radio.unkey(position)

    async def send_text(self, position: Position, to: RadioUser, text: str) -> None:
        """Send a text to a radio."""
        position.seated()
        await self._rooms.radio.send_text(position, to, text)

    # What a supervisor sees and does

    def status(self) -> dict[str, Any]:
        """Return calls by state, calls waiting by queue, positions logged in."""
        states = [call.state.value for call in self._rooms.switch.calls.values()]
        return {
            "calls": {state.value: states.count(state.value) for state in CallState},
            "waiting": self._rooms.distribution.queues.waiting(),
            "logged_in": [position.id for position in self.positions if position.logged_in],
        }

    def wallboard(self) -> dict[str, Any]:
        """Return what a wallboard shows: each queue's calls and figures, advisers by state and site."""
        distribution = self._rooms.distribution
        waiting = distribution.queues.waiting()
        queues = self._shared.figures.shown()
        for name, figures in queues.items():
            figures["waiting"] = waiting.get(name, distribution.critical_waiting)
            figures["longest_wait_s"] = distribution.longest_wait_s(name) if name in waiting else None
        states = {state.value: 0 for state in AdviserState}
        sites: dict[str, dict[str, int]] = {}
        for position in self.positions:
            states[position.state.value] += 1
            site = sites.setdefault(position.site, {state.value: 0 for state in AdviserState})
            site[position.state.value] += 1
        return {
            "time": round(self.now(), 6),
            "queues": queues,
            "advisers": states,
            "sites": sites,
            "trunks": {trunk.name: trunk.in_service for trunk in self._rooms.trunks},
            "location_service": self._rooms.locations.is_up,
        }

    def reconciliation(self) -> dict[str, Any]:
        """Return which answered calls nothing accounts for, and what command and control has not."""
        return reconciliation(self._shared, self.incidents, self._rooms.command)

    def records(self, **wanted: Any) -> list[dict[str, Any]]:
        """Return the newest call records that fit."""
        return [record.summary() for record in self._shared.records.find(**wanted)]

    def record(self, id_: str) -> dict[str, Any]:
        """Return all of one call record."""
        return self._shared.records.get(id_).shown()

    def ring_backs(self) -> list[dict[str, Any]]:
        """Return the emergency callers who gave up, left a number, and were not rung back; the newest first."""
        queues = self._shared.settings.queues
        found = self._shared.records.find(outcome="abandoned", limit=1000)
        return [
            record.summary()
            for record in found
            if not record.rung_back
            and record.cli is not None
            and record.queue in queues
            and queues[record.queue].is_emergency
        ]

    def write_feeds(self, interval_start: str) -> list[str]:
        """Write both files of a closed interval again and return their names. Raises FeedError."""
        try:
            return self.feeds.write(int(times.from_iso(interval_start)))
        except ValueError as error:
            raise GoneError(f"interval_start: {error}") from None
        except OSError as error:
            raise FeedError(f"the files can't be written: {error.strerror or error}") from error

    def callbacks(self) -> list[dict[str, Any]]:
        """Return the callers who are due to be called back."""
        return self._rooms.callbacks.shown()

    def trunks(self) -> list[dict[str, Any]]:
        """Return every trunk, and what is wrong with it."""
        return [trunk.shown() for trunk in self._rooms.trunks]

    def set_trunk_fault(self, name: str, fault: str | None, seconds: float) -> dict[str, Any]:
        """Begin or end a trunk's fault."""
        return self._rooms.trunks.set_fault(name, TrunkFault(fault) if fault else None, seconds=seconds).shown()
