"""The park: calls that wait in numbered slots with music, are taken up anywhere, and ring back when nobody does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError, LocalError
from harness.protocols.cdr.codes import OnBehalfOf, Redirect
from harness.protocols.sip import q850
from simulators.switch.call import SERVED, CallState, Outcome, Refusal, SwitchCall
from simulators.switch.conversation import Conversation, Pairing
from simulators.switch.ends import Who
from simulators.switch.leg import Leg
from simulators.switch.lines import Line

if TYPE_CHECKING:
    from simulators.switch.core import Core
    from simulators.switch.settings.services import ParkSettings


class Slot:
    """One slot with a call in it."""

    def __init__(self, park: Park, number: str, call: SwitchCall, by: Line | None) -> None:
        self.park = park
        self.number = number
        self.call = call
        self.leg = call.origin
        self.by = by
        """Who parked it, and is rung when nobody takes it."""
        self.since = park.core.now()
        self.recalls = 0
        self.recall: SwitchCall | None = None
        """The call that rings back, while it does."""
        self._timer: asyncio.TimerHandle | None = None

    def wait(self) -> None:
        """Let it wait for recall_s from now on."""
        core = self.park.core
        self.leg.joined, self.leg.call = self, self.call
        self.call.state = CallState.UP
        self.recall = None
        core.calls[self.call.id] = self.call
        self._timer = asyncio.get_running_loop().call_later(self.park.settings.recall_s, self.park.recall, self)
        if self.leg.speech is not None:
            core.spawn(self.leg.speech.sound(clip=core.music))

    def stop(self) -> None:
        """It waits no more."""
        if self._timer is not None:
            self._timer.cancel()

    def shown(self) -> dict[str, Any]:
        """The slot as the control interface shows it."""
        return {
            "number": self.number,
            "leg": self.leg.id,
            "party": self.leg.who.shown,
            "by": self.by.number if self.by is not None else None,
            "since": round(self.since, 3),
            "recalling": self.recall is not None,
        }

    # leg.Joined

    def partner_of(self, leg: Leg) -> Who:
        """The slot."""
        return Who(self.number, "Park")

    def changed(self, leg: Leg) -> None:
        """Somebody who is parked holds, or holds no more."""
        if leg.speech is not None:
            self.park.core.spawn(leg.speech.sound(clip=None if leg.holds else self.park.core.music))

    def left(self, leg: Leg) -> None:
        """The one who was parked gave up."""
        self.park.forget(self, q850.NORMAL_CLEARING)
        self.park.core.call_over(self.call)

    def key(self, leg: Leg, digit: str) -> None:
        """Nobody hears it."""

    def replace(self, old: Leg, new: Leg) -> None:
        """Another leg waits instead."""
        self.leg = new
        new.joined, new.call = self, self.call
        old.joined = None
        self.changed(new)

    def release(self, leg: Leg) -> None:
        """It is taken up."""
        self.park.forget(self, 0)
        leg.joined = None


class Park:
    """The slots of one node."""

    def __init__(self, core: Core, settings: ParkSettings) -> None:
        self.core = core
        self.settings = settings
        self.slots: dict[str, Slot] = {}

    async def serve(self, call: SwitchCall, number: str) -> Outcome:
        """A call to the park's number or to a slot: one that is transferred there is parked, any other takes one up."""
        by = call.transferred_by
        if by is not None:
            try:
                slot = self.park(call, number, by.line.line if by.line is not None else None)
            except LocalError as error:
                return Refusal(486, reason=str(error))
            call.told = f"Parked at {slot.number}"
            return SERVED
        slot_of = self.slots.get(number)
        if slot_of is None:
            return Refusal(404, reason="Nobody Parked Here")
        return await self._retrieve(call, slot_of)

    def park(self, call: SwitchCall, number: str, by: Line | None) -> Slot:
        """Park a call's caller, who is up. Raises LocalError where there is no free slot."""
        number = call.called = self.check(number)
        slot = self.slots[number] = Slot(self, number, call, by)
        slot.wait()
        self.core.journal.record(
            call.id, "call.parked", slot=number, leg=slot.leg.id, by=by.number if by is not None else None
        )
        self.core.tell("call.parked", call)
        return slot

    def check(self, number: str) -> str:
        """The slot that a call to a number is parked in. Raises LocalError where there is no free one."""
        free = [each for each in self.settings.slots() if each not in self.slots]
        if number == self.settings.number:
            if not free:
                raise LocalError("every slot of the park is taken")
            return free[0]
        if number not in free:
            raise LocalError(f"slot {number} is taken" if number in self.slots else f"there is no slot {number}")
        return number

    async def _retrieve(self, call: SwitchCall, slot: Slot) -> Outcome:
        core, leg = self.core, slot.leg
        origin = call.origin
        if slot.recall is not None:
            if not slot.recall.pick_up(origin):
                return Refusal(404, reason="Nobody Parked Here")
            self.forget(slot, 0)
            core.call_over(call)
            return SERVED
        await call.answer_origin()
        if slot.number not in self.slots or leg.is_over:
            return Refusal(404, reason="Nobody Parked Here")
        slot.release(leg)
        core.call_over(slot.call)
        call.called = slot.leg.who.number or slot.number
        call.joined_by = call.redirected_by = OnBehalfOf.CALL_PARK
        call.redirect_reason = Redirect.PARK_PICKUP
        core.calls[call.id] = call
        core.journal.record(call.id, "call.retrieved", slot=slot.number, leg=leg.id)
        conversation = Conversation(core, call, origin, leg)
        await conversation.patch()
        return SERVED

    def forget(self, slot: Slot, cause: int) -> None:
        """A slot is free again."""
        slot.stop()
        if self.slots.get(slot.number) is not slot:
            return
        del self.slots[slot.number]
        self.core.paired(
            Pairing(
                slot.call,
                slot.leg,
                None,
                device="PARK",
                began=slot.since,
                connected=slot.since,
                ended=self.core.now(),
                cause=cause,
                cleared_by=OnBehalfOf.DEVICE if cause else OnBehalfOf.CALL_PARK,
                joined_by=OnBehalfOf.CALL_PARK,
            )
        )

    def recall(self, slot: Slot) -> None:
        """Nobody took it for recall_s: ring the one who parked it."""
        self.core.spawn(self._recall(slot))

    async def _recall(self, slot: Slot) -> None:
        core, settings = self.core, self.settings
        slot.recalls += 1
        if slot.by is None or slot.recalls > settings.recalls:
            await self._give_up(slot)
            return
        call = SwitchCall(core, slot.call.number, slot.leg, slot.by.number, slot.leg.who)
        call.redirected_by, call.redirect_reason = OnBehalfOf.CALL_PARK, Redirect.PARK_REVERSION
        call.joined_by = OnBehalfOf.CALL_PARK
        slot.recall = core.calls[call.id] = call
        call.on_left = lambda: self.forget(slot, q850.NORMAL_CLEARING)
        core.journal.record(call.id, "call.recalls", slot=slot.number, line=slot.by.number)
        call.task = core.spawn(self._ring_back(slot, call, slot.by))

    async def _ring_back(self, slot: Slot, call: SwitchCall, line: Line) -> None:
        core = self.core
        try:
            outcome = await core.routing.ring(call, line, self.settings.recall_ring_s)
            if isinstance(outcome, Leg):
                self.forget(slot, 0)
                await core.connect(call, outcome)
                return
        except HarnessError as error:
            core.journal.warn(call.id, "call.failed", reason=str(error))
        if not slot.leg.is_over and slot.number in self.slots:
            slot.wait()

    async def _give_up(self, slot: Slot) -> None:
        core = self.core
        slot.release(slot.leg)
        if self.settings.overflow is None or slot.leg.is_over:
            core.journal.record(slot.call.id, "park.given_up", slot=slot.number)
            slot.leg.hang_up(cause=19)
            core.call_over(slot.call)
            return
        core.calls.pop(slot.call.id, None)
        core.place_from(slot.leg, self.settings.overflow)

    def stop(self) -> None:
        """No timer runs on."""
        for slot in self.slots.values():
            slot.stop()
