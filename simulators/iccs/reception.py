"""Takes calls as they come: leads each where its number says, through menus and queues, back in as a callback."""

from __future__ import annotations

from typing import Any

from harness.endpoints.sip.incoming import IncomingCall
from harness.errors import SdpError
from simulators.iccs import arrival
from simulators.iccs.arrival import Arrival
from simulators.iccs.attendant import Attendant
from simulators.iccs.callbacks import Callbacks
from simulators.iccs.calls import CallState, SwitchCall
from simulators.iccs.clips import CALLBACK_ACCEPTED
from simulators.iccs.leg import check_offer
from simulators.iccs.location_desk import LocationDesk
from simulators.iccs.settings import CRITICAL_QUEUE
from simulators.iccs.shared import Shared
from simulators.iccs.switch import Switch
from simulators.iccs.trunks import Trunk, Trunks
from simulators.iccs.wire import Wire, show_vehicle


class Reception:
    """The way in."""

    def __init__(
        self,
        shared: Shared,
        switch: Switch,
        wire: Wire,
        trunks: Trunks,
        attendant: Attendant,
        callbacks: Callbacks,
        locations: LocationDesk,
    ) -> None:
        self._shared = shared
        self._settings = shared.settings
        self._switch = switch
        self._wire = wire
        self._trunks = trunks
        self._attendant = attendant
        self._callbacks = callbacks
        self._locations = locations

    def invited(self, trunk: Trunk, sip: IncomingCall) -> None:
        """A call came by a trunk. Raises SipRemoteError where it can't be read."""
        if self._switch.is_full:
            sip.reject(503, "Service Unavailable")
            self._shared.journal.warn("iccs", "switch.full", calls=len(self._switch.calls))
            return
        came = arrival.read(sip)
        if sip.remote_sdp:
            try:
                check_offer(sip.remote_sdp, text=came.has_text)
            except SdpError as error:
                self._wire.refuse(self._admit(trunk, sip, came, None), sip, 488, error)
                return
        dialled, critical = came.dialled, self._settings.critical.numbers
        queue = self._switch.distribution.queues.of_number(dialled)
        if dialled in critical or (came.mark is not None and came.mark.critical):
            self._critical(trunk, sip, came)
        elif queue is not None:
            self._to_queue(trunk, sip, came, queue)
        elif dialled in self._settings.ivr.numbers:
            call = self._admit(trunk, sip, came, None, CallState.MENU)
            self._shared.spawn(self._greet(call, self._settings.ivr.numbers[dialled]))
        elif dialled in self._shared.positions:
            self._to_position(trunk, sip, came)
        else:
            self._shared.journal.record("iccs", "call.unknown_number", dialled=dialled)
            sip.reject(404, "Not Found")

    def _admit(
        self,
        trunk: Trunk,
        sip: IncomingCall,
        came: Arrival,
        queue: str | None,
        state: CallState = CallState.RINGING,
    ) -> SwitchCall:
        """Make a call of what came, and of the same caller's earlier attempts one record."""
        self._trunks.learn(trunk, came.contact, came.cli)
        records, reference = self._shared.records, came.notes.get("reference")
        record = records.of_reference(reference) if reference is not None else None
        if record is None:
            record = records.open(
                self._shared.now(),
                cli=came.cli,
                dialled=came.dialled,
                queue=queue,
                trunk=trunk.name,
                reference=reference,
            )
            record.network = came.network
        record.contact, record.trunk, record.mark = came.contact, trunk.name, record.mark or came.mark
        record.flags = tuple(dict.fromkeys((*record.flags, *came.flags)))
        emergency = came.mark is not None or (
            queue in self._settings.queues and self._settings.queues[queue].is_emergency
        )
        call = self._switch.new_call(
            record,
            sip=sip,
            queue=queue,
            cli=came.cli,
            state=state,
            trunk=trunk.name,
            came=True,
            text=came.has_text,
            emergency=emergency,
            flags=tuple(came.flags),
            notes=dict(came.notes),
            mark=came.mark,
        )
        self._wire.follow(call, sip)
        self._shared.journal.record("iccs", "call.arrived", **call.shown())
        record.note(self._shared.now(), "came", call=call.id, trunk=trunk.name, dialled=came.dialled)
        for finding in came.findings:
            self._shared.journal.warn("iccs", "call.unreadable", call=call.id, reason=finding)
        self._locations.came(call, came.location)
        if came.ecall is not None:
            show_vehicle(self._shared, call, came.ecall)
        return call

    # Where numbers lead

    def _critical(self, trunk: Trunk, sip: IncomingCall, came: Arrival) -> None:
        came.flags = list(dict.fromkeys((*came.flags, arrival.CRITICAL)))
        call = self._admit(trunk, sip, came, CRITICAL_QUEUE)
        sip.ring()
        self._switch.distribution.critical(call)

    def _to_queue(self, trunk: Trunk, sip: IncomingCall, came: Arrival, queue: str) -> None:
        call = self._admit(trunk, sip, came, queue)
        sip.ring()
        self.enter(call, queue)

    def _to_position(self, trunk: Trunk, sip: IncomingCall, came: Arrival) -> None:
        target = self._shared.positions.get(came.dialled)
        if not target.at_work:
            sip.reject(480, "Temporarily Unavailable")
        elif not target.free:
            sip.reject(486, "Busy Here")
        else:
            call = self._admit(trunk, sip, came, None)
            sip.ring()
            self._switch.distribution.direct(call, target)

    async def _greet(self, call: SwitchCall, menu: str) -> None:
        if await self._wire.greet(call):
            self._attendant.begin(call, menu)

    def leads_to(self, call: SwitchCall, queue: str | None, say: str | None) -> None:
        """A call has come through the menus."""
        if queue is not None:
            self.enter(call, queue)
        else:
            self.send_away(call, say)

    # Queues

    def enter(self, call: SwitchCall, queue: str) -> None:
        """Let a call into a queue, or where it overflows to when that is too long."""
        overflow = self._settings.queues[queue].overflow
        waiting = len(self._switch.distribution.queues.of(queue))
        if overflow is not None and overflow.longer_than is not None and waiting >= overflow.longer_than:
            call.queue = queue
            self._shared.figures.came(queue)
            self._overflow(call, f"{waiting} wait already")
        else:
            self._switch.queue(call, queue)

    def overflows(self, call: SwitchCall) -> None:
        """A call has waited in its queue for as long as it may."""
        if call.waits and self._switch.distribution.queues.holds(call):
            self._overflow(call, "waited too long")

    def _overflow(self, call: SwitchCall, reason: str) -> None:
        settings = self._settings.queues[call.queue or ""]
        assert settings.overflow is not None
        self._shared.figures.overflowed(call.queue)
        self._leave_queue(call, reason=reason)
        to = settings.overflow.to
        self._shared.journal.record("iccs", "call.overflowed", reason=reason, to=to, **call.shown())
        call.record.note(self._shared.now(), "overflowed", queue=call.queue, to=to, reason=reason)
        if to is None:
            self.send_away(call, settings.overflow.say)
        else:
            self._shared.figures.came(to)
            self._switch.queue(call, to, again=True)

    def _leave_queue(self, call: SwitchCall, **more: Any) -> None:
        self._switch.stop_waiting(call, "call.withdrawn", **more)

    def send_away(self, call: SwitchCall, say: str | None) -> None:
        """Let a caller hear something and clear the call."""
        call.record.outcome = "sent away"
        self._shared.spawn(self._send_away(call, say))

    async def _send_away(self, call: SwitchCall, say: str | None) -> None:
        if say is not None and await self._wire.be_heard(call, True) and call.leg is not None:
            self._shared.journal.record("iccs", "call.told", clips=[say], **call.shown())
            await call.leg.begin(self._shared.clips.said(say))
        self._switch.end(call, "sent away")

    # Callbacks

    async def call_back(self, call: SwitchCall) -> None:
        """A waiting caller has accepted to be called back: something else takes the place, the caller may go."""
        settings = self._settings.queues[call.queue or ""].callback
        assert settings is not None
        ticket = self._switch.new_call(
            call.record,
            sip=None,
            queue=call.queue,
            cli=call.cli,
            since=call.since,
            trunk=call.trunk,
            came=True,
            emergency=call.emergency,
            flags=call.flags,
        )
        self._callbacks.accept(call, ticket, settings)
        self._leave_queue(call, reason="to be called back")
        self._switch.queue(ticket, call.queue or "", again=True)
        self._shared.journal.record("iccs", "callback.accepted", ticket=ticket.id, **call.shown())
        if call.leg is not None:
            await call.leg.begin(self._shared.clips.said(CALLBACK_ACCEPTED))
        self._switch.end(call, "to be called back")
