"""The switch of the ICCS simulator at its core: the calls it carries, who has them, and how each begins and ends.

Theory. A call is made (`new_call`), waits or is placed, is taken by a position (`take`), connected (`connected`) and
ended (`end`), once each; whatever else happens is somebody's part: `reception` takes calls from the wire, `placing`
puts them on it, `handling` does what operators want of a call that is up. They meet here, and here alone is it settled
what follows when a party goes: for the others, for the positions that are free then, for record and figures.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any

from harness.endpoints.sip.call import CallState as SipState
from simulators.iccs.attendant import Attendant
from simulators.iccs.calls import CallState, Step, SwitchCall
from simulators.iccs.conversations import Conversation
from simulators.iccs.distribution import Distribution
from simulators.iccs.duty import Duty
from simulators.iccs.location_desk import LocationDesk
from simulators.iccs.patch_panel import PatchPanel
from simulators.iccs.positions import Position, PositionError
from simulators.iccs.records import CallRecord
from simulators.iccs.settings import MAX_CALLS
from simulators.iccs.shared import Shared
from simulators.iccs.treatment import Treatment

CLEARED = "cleared by the position"
ALONE = "nobody is left in the call"


class Switch:
    """Calls and who has them."""

    def __init__(
        self,
        shared: Shared,
        distribution: Distribution,
        treatment: Treatment,
        attendant: Attendant,
        duty: Duty,
        locations: LocationDesk,
        patch: PatchPanel,
    ) -> None:
        self._shared = shared
        self._positions = shared.positions
        self.distribution = distribution
        self._treatment = treatment
        self._attendant = attendant
        self._duty = duty
        self._locations = locations
        self.patch = patch
        self.calls: dict[str, SwitchCall] = {}
        self._numbers = count(1)
        self._closing: set[asyncio.Task[None]] = set()
        self.set_up: Callable[[SwitchCall], None]
        """Answers a call on the wire that a position has taken."""
        self.call_back: Callable[[SwitchCall, Position], None]
        """Rings the caller for whom a callback stands, which a position has taken."""
        self.talking: Callable[[SwitchCall, Position], None] = lambda _call, _position: None
        """Called when a position and a call are connected."""
        self.ended: Callable[[SwitchCall], None] = lambda _call: None
        """Called when a call has ended."""

    # Making

    @property
    def is_full(self) -> bool:
        """Whether no more calls can be carried."""
        return len(self.calls) >= MAX_CALLS

    def new_call(self, record: CallRecord, **known: Any) -> SwitchCall:
        """Make a call. Raises PositionError where the switch is full."""
        if self.is_full:
            raise PositionError(f"the switch carries {MAX_CALLS} calls already")
        known.setdefault("since", self._shared.now())
        call = SwitchCall(f"call-{next(self._numbers)}", record, **known)
        self.calls[call.id] = call
        record.calls.append(call.id)
        record.ended = None
        return call

    # Waiting

    def queue(self, call: SwitchCall, queue: str, *, again: bool = False) -> None:
        """Let a call wait in a queue; ``again``: it is counted there already, or takes its waiting time along."""
        if not again:
            call.since = self._shared.now()
        call.queue = call.record.queue = queue
        call.emergency = call.emergency or self._shared.settings.queues[queue].is_emergency
        if call.state is not CallState.RINGING:
            call.step(Step.QUEUE)
        self._shared.journal.record("iccs", "call.queued", **call.shown())
        call.record.note(self._shared.now(), "queued", call=call.id, queue=queue)
        self.distribution.queue(call, again=again)
        self._treatment.begin(call)

    def stop_waiting(self, call: SwitchCall, kind: str, *, but: Position | None = None, **more: Any) -> None:
        """Let a call wait no more; positions at which it rang are told so (``kind``), all ``but`` one."""
        self.distribution.remove(call, kind, but=but, **more)
        self._treatment.end(call)

    # Taking

    def take(self, call: SwitchCall, position: Position) -> None:
        """Let a free position take a call that waits."""
        self.stop_waiting(call, "call.taken", but=position, by=position.id)
        self.distribution.busy(position)
        conversation = call.conversation or Conversation()
        conversation.add_call(call)
        self.seat(conversation, position)
        call.record.note(self._shared.now(), "taken", call=call.id, by=position.id)
        if call.callback is not None:
            call.step(Step.DIAL)
            self.call_back(call, position)
        elif call.caller is not None or (call.sip is not None and call.sip.state is SipState.ANSWERED):
            call.step(Step.CONNECT)
            self.connected(call)
        else:
            call.step(Step.TAKE)
            self.set_up(call)
        for other in conversation.calls:
            if other is not call and other.state is CallState.CONNECTED:
                self.show_connected(other, position)

    def seat(self, conversation: Conversation, position: Position) -> None:
        """Let a position into a conversation, as one that it is active in."""
        conversation.enter(position)
        position.last_record = conversation.calls[0].record.id if conversation.calls else position.last_record
        for call in conversation.calls:
            if position.id not in call.record.positions:
                call.record.positions.append(position.id)
        self._positions.settle(position)

    def connected(self, call: SwitchCall) -> None:
        """A call's speech can be joined with its conversation's."""
        conversation = call.conversation
        assert conversation is not None, "a call is connected into a conversation"
        self._count_answer(call)
        self.patch.conversation(conversation)
        for position in conversation.positions:
            self.show_connected(call, position)

    def show_connected(self, call: SwitchCall, position: Position) -> None:
        """Tell a position that it talks with a call now, and all that it has to know of it."""
        self._positions.tell(position, "call.connected", **call.shown())
        self._locations.answered(call, position)
        for kind, data in call.shows:
            self._positions.tell(position, kind, **data)
        self.talking(call, position)

    def _count_answer(self, call: SwitchCall) -> None:
        now, record = self._shared.now(), call.record
        if call.answered is not None:
            return
        call.answered = now
        seats = call.conversation.positions if call.conversation is not None else []
        record.note(now, "connected", call=call.id, to=[each.id for each in seats])
        if call.came and call.callback is None:
            wait = round(now - call.since, 6)
            self._shared.figures.answered(call.queue, wait)
            if record.answered is None:
                record.answered, record.wait_s, record.band = now, wait, self._shared.bands.of(wait)
                record.outcome = "answered"

    # Ending

    def clear(self, position: Position) -> SwitchCall:
        """Clear what a position talks with: it goes out of a conference, and any other call ends.

        Raises PositionError when it has none.
        """
        conversation, call = position.conversation, position.call
        if conversation is None or call is None:
            raise PositionError(f"{position.id} has no call")
        if len(conversation.everyone) > 1 and conversation.size > 2:
            self._positions.tell(position, "call.cleared", reason="left the conference", **call.shown())
            self.leave(conversation, position)
        else:
            for each in list(conversation.calls):
                self.end(each, CLEARED)
        return call

    def leave(self, conversation: Conversation, position: Position) -> None:
        """Let a position out of a conversation; the others go on, where two of them are left."""
        call = conversation.calls[0] if conversation.calls else None
        conversation.leave(position)
        self.patch.position(position)
        self._let_go(position, call)
        self.settle(conversation, call)

    def end(self, call: SwitchCall, reason: str, *, given_up: bool = False, rerouted: bool = False) -> None:
        """Take a call down on every side; one that is down already is left alone.

        ``given_up``: its caller did it; ``rerouted``: the network took it back for another route.
        """
        if call.is_over:
            return
        was = call.state
        call.step(Step.END)
        self.calls.pop(call.id, None)
        self._attendant.end(call)
        self._treatment.end(call)
        self._waits_no_more(call, was, reason, given_up=given_up, rerouted=rerouted)
        if call.sip is not None and not call.sip.is_over:
            call.sip.hang_up()
        self._locations.over(call)
        self.ended(call)
        conversation = call.conversation
        if conversation is not None:
            told = conversation.everyone
            conversation.remove_call(call)
            for position in told:
                self._positions.tell(position, "call.cleared", reason=reason, **call.shown())
        if call.leg is not None:
            self._close(call)
        self._end_record(call, reason)
        if conversation is not None:
            self.settle(conversation, call)

    def _waits_no_more(self, call: SwitchCall, was: CallState, reason: str, *, given_up: bool, rerouted: bool) -> None:
        """Count and tell what became of a call that nobody had answered."""
        waits = self.distribution.holds(call) and call.callback is None
        waited = waits and call.answered is None and call.came
        more: dict[str, Any] = {}
        kind = "call.abandoned" if was is CallState.RINGING else "call.cleared"
        if waited and rerouted:
            self._shared.figures.rerouted(call.queue)
            call.record.outcome, kind = "rerouted", "call.rerouted"
        elif waited and given_up:
            wait = round(self._shared.now() - call.since, 6)
            self._shared.figures.abandoned(call.queue, wait)
            record = call.record
            record.outcome, record.wait_s, record.band = "abandoned", wait, self._shared.bands.of(wait)
            more = {"wait_s": wait, "band": record.band, "ring_back": call.emergency and call.cli is not None}
        elif was is CallState.MENU and given_up:
            call.record.outcome = "gave up in the menu"
        self.distribution.remove(call, kind, reason=reason, **more)

    def _end_record(self, call: SwitchCall, reason: str) -> None:
        now, record = self._shared.now(), call.record
        record.note(now, "ended", call=call.id, reason=reason)
        if call.answered is not None:
            self._shared.figures.lasted(call.queue, now - call.answered)
        if not any(each.record is record for each in self.calls.values()):
            record.ended = now

    def settle(self, conversation: Conversation, last: SwitchCall | None) -> None:
        """See to what is left of a conversation when somebody has gone; ``last``: the call that was in it."""
        if not conversation.is_over:
            self.patch.conversation(conversation)
            return
        positions = conversation.everyone
        for position in positions:
            conversation.leave(position)
        for other in list(conversation.calls):
            self.end(other, ALONE)
        self.patch.over(conversation)
        for position in positions:
            self.patch.position(position)
            self._let_go(position, last)

    def _let_go(self, position: Position, call: SwitchCall | None) -> None:
        """A position is out of a call."""
        wrap_up = 0.0
        if call is not None and call.answered is not None and call.queue in self._shared.settings.queues:
            wrap_up = self._shared.settings.queues[call.queue or ""].wrap_up_s
        self._duty.wrap_up(position, wrap_up if position.free and not position.held else 0.0)
        self.distribution.poke()

    def _close(self, call: SwitchCall) -> None:
        leg = call.leg
        if leg is not None:
            task = asyncio.get_running_loop().create_task(leg.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def stop(self) -> None:
        """End every call."""
        for call in list(self.calls.values()):
            self.end(call, "switch stopped")
        await self.closed()

    async def closed(self) -> None:
        """Return when the media of every call that has ended is closed."""
        while self._closing:
            await asyncio.gather(*self._closing, return_exceptions=True)
