"""Places calls: from a position to another, to a telephone, to the network; callers back; the parties of a transfer.

Theory. A number is looked for in this order: a position's id, a telephone that is registered, the network. The network
is called by the trunk that the matter came by, where it did, else by each trunk whose network is known, in their order:
one that refuses to serve (503), or says nothing at all for a while, makes way for the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from harness.endpoints.sip.outgoing import OutgoingCall
from harness.errors import HarnessError, NumberError, SipLocalError
from harness.protocols import uk_numbers
from harness.protocols.sip import identity, text_relay
from harness.protocols.sip.emergency_call import Mark, What
from harness.protocols.sip.priority import Priority
from simulators.iccs.arrival import RELAY
from simulators.iccs.callbacks import Callbacks
from simulators.iccs.calls import CallState, Step, SwitchCall
from simulators.iccs.conversations import Conversation
from simulators.iccs.leg import Leg
from simulators.iccs.location_desk import LocationDesk
from simulators.iccs.positions import Position, PositionError
from simulators.iccs.records import CallRecord
from simulators.iccs.shared import Shared
from simulators.iccs.switch import Switch
from simulators.iccs.trunks import Trunk, Trunks
from simulators.iccs.wire import Wire

NOT_ANSWERED = "not answered"
_NEXT_WAY = (503, 408)
"""Statuses of a trunk that does not serve."""

Failed = Callable[[SwitchCall, str], None]
Place = Callable[[bytes], OutgoingCall]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to reach somebody."""

    trunk: str
    """The trunk; empty for a telephone."""
    place: Place
    """Sends the INVITE with an offer."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Who is meant by a number: a position, or somebody outside."""

    number: str
    position: Position | None = None
    ways: tuple[Way, ...] = ()


class Placing:
    """The way out."""

    def __init__(
        self, shared: Shared, switch: Switch, wire: Wire, trunks: Trunks, callbacks: Callbacks, locations: LocationDesk
    ) -> None:
        self._shared = shared
        self._settings = shared.settings
        self._switch = switch
        self._wire = wire
        self._trunks = trunks
        self._callbacks = callbacks
        self._locations = locations

    # Whom a number means

    def find(self, number: str, caller: Position, record: CallRecord | None = None) -> Destination:
        """Return who is meant by a number that a position dials about a record. Raises PositionError."""
        if number in self._shared.positions:
            position = self._shared.positions.get(number)
            if not position.at_work:
                raise PositionError(f"nobody is logged in at {number}")
            if not position.free or position is caller:
                raise PositionError(f"{number} is not free")
            return Destination(number, position)
        contact = self._trunks.contact(number)
        if contact is not None:
            told = f"<sip:{caller.id}@{self._settings.host}>"
            agent = self._trunks.first.agent
            return Destination(number, ways=(Way("", lambda offer: agent.invite(contact, offer=offer, caller=told)),))
        ways = self._network(number, record)
        if not ways:
            raise PositionError(f"no telephone is registered as {number!r}")
        return Destination(number, ways=tuple(ways))

    def _network(self, number: str, record: CallRecord | None) -> list[Way]:
        try:
            parsed = uk_numbers.parse(number)
        except NumberError:
            return []
        if parsed.kind is uk_numbers.Kind.EXTENSION:
            return []
        digits = parsed.digits
        if record is not None and RELAY in record.flags and number == record.cli:
            digits = text_relay.call_back(number)
        preferred, at = (record.trunk, record.contact) if record is not None else ("", None)
        found = []
        for trunk, where in self._trunks.ways_out(preferred, at):
            found.append(Way(trunk.name, self._by(trunk, digits, where, record)))
        return found

    def _by(self, trunk: Trunk, digits: str, where: tuple[str, int], record: CallRecord | None) -> Place:
        own = identity.Caller(self._settings.own_number, self._settings.host)
        headers = own.headers()
        if record is not None and digits.endswith((record.cli or "-")[-9:]):
            headers.append(("Priority", Priority.PSAP_CALLBACK.value))
        if record is not None and record.mark is not None:
            headers.append(Mark(record.mark.call, event=What.RING_BACK).header())

        def place(offer: bytes) -> OutgoingCall:
            return trunk.invite(digits, offer=offer, caller=own.from_value, headers=headers, at=where)

        return place

    # What positions ask for

    def dial(self, position: Position, number: str) -> SwitchCall:
        """Call somebody. Raises PositionError when that can't be done."""
        _is_free(position)
        to = self.find(number, position)
        record = self._shared.records.open(self._shared.now(), cli=number, dialled=number, queue=None)
        conversation = Conversation()
        call = self.into(conversation, to, position, record, self.failed)
        self._switch.seat(conversation, position)
        return call

    def redial(self, position: Position, record_id: str | None) -> SwitchCall:
        """Call a record's caller back: that of the position's latest call unless one is named. The record goes on.

        Raises PositionError when that can't be done, UnknownRecordError for a record that is not there.
        """
        _is_free(position)
        named = record_id or position.last_record
        if named is None:
            raise PositionError(f"{position.id} has had no call yet")
        record = self._shared.records.get(named)
        if record.cli is None:
            raise PositionError(f"the number of {record.id} is not known")
        to = self.find(record.cli, position, record)
        conversation = Conversation()
        call = self.into(conversation, to, position, record, self.failed)
        call.notes["ring_back"] = True
        record.rung_back = True
        record.note(self._shared.now(), "rung back", call=call.id, by=position.id)
        self._switch.seat(conversation, position)
        self._locations.came(call, None)
        return call

    def into(
        self, conversation: Conversation, to: Destination, caller: Position, record: CallRecord, failed: Failed
    ) -> SwitchCall:
        """Ring somebody into a conversation; ``failed`` is called with the call and a reason when that fails."""
        if to.position is not None:
            return self._ring(conversation, to.position, caller, record, failed)
        queue = self._settings.queues.get(record.queue or "")
        call = self._switch.new_call(
            record,
            sip=None,
            queue=None,
            cli=to.number,
            state=CallState.DIALLING,
            text=RELAY in record.flags and to.number == record.cli,
            emergency=queue is not None and queue.is_emergency and to.number == record.cli,
            flags=record.flags if to.number == record.cli else (),
            mark=record.mark if to.number == record.cli else None,
        )
        conversation.add_call(call)
        self._shared.spawn(self._place(call, to.ways, self._settings.ring_s, failed))
        return call

    def _ring(
        self, conversation: Conversation, target: Position, caller: Position, record: CallRecord, failed: Failed
    ) -> SwitchCall:
        call = self._switch.new_call(record, sip=None, queue=None, cli=caller.id, caller=caller)
        call.notes |= {"from": caller.id, "towards": target.id}
        conversation.add_call(call)
        seconds = self._settings.transfer_ring_s
        self._switch.distribution.direct(call, target, within=seconds, then=lambda each: failed(each, NOT_ANSWERED))
        return call

    # On the wire

    async def _place(self, call: SwitchCall, ways: tuple[Way, ...], ring_s: float, failed: Failed) -> None:
        try:
            leg = await self._wire.open_leg(call, text=call.text)
        except HarnessError as error:
            self._not_placed(call, str(error), failed)
            return
        try:
            offer = leg.session.offer()
            sip = await self._try(call, ways, offer, ring_s)
            leg.session.take_answer(sip.remote_sdp)
            await leg.join()
        except HarnessError as error:
            await leg.close()
            self._not_placed(call, str(error), failed)
            return
        await self._reached(call, leg)

    def _not_placed(self, call: SwitchCall, reason: str, failed: Failed) -> None:
        if call.state is CallState.DIALLING:
            if call.sip is not None and not call.sip.is_over:
                call.sip.hang_up()
            failed(call, reason)

    async def _reached(self, call: SwitchCall, leg: Leg) -> None:
        try:
            await self._wire.use(call, leg)
        except HarnessError:  # cleared as it was answered
            return
        call.step(Step.CONNECT)
        if call.callback is not None:
            self._callbacks.reached(call)
        self._switch.connected(call)

    async def _try(self, call: SwitchCall, ways: tuple[Way, ...], offer: bytes, ring_s: float) -> OutgoingCall:
        """Place a call by one way after the other; return the one that was answered. Raises SipLocalError and more."""
        last = SipLocalError("there is no way to the network")
        for way in ways:
            if call.is_over:
                raise SipLocalError("cleared meanwhile")
            sip = way.place(offer)
            call.trunk = way.trunk
            self._wire.follow(call, sip)
            try:
                await self._answered(sip, ring_s, patient=len(ways) == 1)
            except SipLocalError as error:
                last = error
                sip.hang_up()
                if sip.status not in _NEXT_WAY and sip.status != 0:
                    raise
                self._shared.journal.record("iccs", "trunk.passed_by", trunk=way.trunk, call=call.id, reason=str(error))
            else:
                return sip
        raise last

    async def _answered(self, sip: OutgoingCall, ring_s: float, *, patient: bool) -> None:
        """Wait for the answer; not for a trunk that says nothing at all, where there is another one."""
        answer = asyncio.ensure_future(sip.answered(within=ring_s))
        try:
            if not patient:
                await asyncio.wait((answer,), timeout=self._settings.route_s)
                if not answer.done() and sip.status == 0:
                    raise SipLocalError(f"{sip} got no answer at all within {self._settings.route_s:g} s")
            await answer
        finally:
            answer.cancel()

    def failed(self, call: SwitchCall, reason: str) -> None:
        """Somebody was not reached: whoever rang is told, and the call ends."""
        for position in call.conversation.everyone if call.conversation is not None else []:
            self._shared.positions.tell(position, "call.failed", reason=reason, **call.shown())
        self._switch.end(call, NOT_ANSWERED)

    # Callbacks

    def call_back(self, call: SwitchCall, position: Position) -> None:
        """Ring the caller for whom a callback stands; the position that took it waits for the answer."""
        callback = call.callback
        assert callback is not None
        self._callbacks.rung(call)
        call.notes["attempt"] = callback.attempts
        try:
            to = self.find(callback.number, position, call.record)
        except PositionError as error:
            self._missed(call, str(error))
            return
        self._shared.spawn(self._place(call, to.ways, callback.settings.ring_s, self._missed))

    def _missed(self, call: SwitchCall, reason: str) -> None:
        conversation = call.conversation
        again = self._callbacks.missed(call, reason)
        for position in conversation.everyone if conversation is not None else []:
            self._shared.positions.tell(position, "call.failed", reason=reason, again=again, **call.shown())
        if not again or conversation is None:
            self._callbacks.give_up(call)
            self._switch.end(call, "not reached")
            return
        call.step(Step.RETURN)
        call.sip = None
        conversation.remove_call(call)
        self._switch.queue(call, call.queue or "", again=True)
        self._switch.settle(conversation, call)


def _is_free(position: Position) -> None:
    if not position.free:
        raise PositionError(f"{position.id} is not free: it has a call or keys a talkgroup")
