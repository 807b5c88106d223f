"""What an operator does with a call that is up: hold, enquiry, transfer, conference, text, asking the 999 network.

Theory. A transfer is attended where the operator has spoken to the third party first: the enquiry's conversation is
merged into the one on hold, in one step, so that the caller is with the third party at once. It is blind where a target
is named: the caller hears ringing until somebody answers, and comes back to the sender otherwise. A conference is the
same merging, with the operator staying on.
"""

from __future__ import annotations

from harness.errors import HarnessError, MediaError
from harness.protocols.sip.emergency_call import PACKAGE, Ask, Mark
from simulators.iccs.calls import CallState, Step, SwitchCall
from simulators.iccs.clips import RINGING_TONE
from simulators.iccs.conversations import MAX_PARTIES, Conversation, ConversationError
from simulators.iccs.patch_panel import PatchPanel
from simulators.iccs.placing import Destination, Placing
from simulators.iccs.positions import Position, PositionError, UnknownPositionError
from simulators.iccs.shared import Shared
from simulators.iccs.switch import Switch

ASKED_WITHIN_S = 5.0
"""For which the network's answer to a wish is waited."""


class Handling:
    """Operators' hands on calls."""

    def __init__(self, shared: Shared, switch: Switch, placing: Placing, patch: PatchPanel) -> None:
        self._shared = shared
        self._positions = shared.positions
        self._switch = switch
        self._placing = placing
        self._patch = patch

    # Hold

    def hold(self, position: Position) -> SwitchCall:
        """Put what the position talks with on hold. Raises PositionError when that is nothing."""
        conversation, call = _active(position)
        conversation.hold(position)
        self._patch.conversation(conversation)
        self._positions.settle(position)
        call.record.note(self._shared.now(), "held", call=call.id, by=position.id)
        self._tell(conversation, "call.held", call, by=position.id)
        return call

    def resume(self, position: Position, call_id: str | None) -> SwitchCall:
        """Take a call off hold, the latest unless one is named; what the position talks with is held in its place.

        Raises PositionError when there is none.
        """
        conversation = _held(position, call_id)
        if position.keyed is not None:
            raise PositionError(f"{position.id} keys {position.keyed}")
        if position.conversation is not None:
            self.hold(position)
        conversation.enter(position)
        call = conversation.calls[0]
        self._patch.conversation(conversation)
        self._positions.settle(position)
        call.record.note(self._shared.now(), "resumed", call=call.id, by=position.id)
        self._tell(conversation, "call.resumed", call, by=position.id)
        return call

    # Enquiry, transfer, conference

    def consult(self, position: Position, number: str) -> SwitchCall:
        """Put the call on hold and ring somebody about it. Raises PositionError, and then nothing has changed."""
        _, call = _active(position)
        to = self._placing.find(number, position, call.record)
        self.hold(position)
        conversation = Conversation()
        enquiry = self._placing.into(conversation, to, position, call.record, self._not_reached)
        self._switch.seat(conversation, position)
        self._positions.tell(position, "call.consulting", to=number, about=call.id, **enquiry.shown())
        return enquiry

    def add(self, position: Position, number: str) -> SwitchCall:
        """Ring somebody into the call, which goes on meanwhile. Raises PositionError, ConversationError."""
        conversation, call = _active(position)
        conversation.has_room()
        to = self._placing.find(number, position, call.record)
        return self._placing.into(conversation, to, position, call.record, self._not_reached)

    def conference(self, position: Position) -> SwitchCall:
        """Join the enquiry with the call on hold; the operator stays on. Raises PositionError, ConversationError."""
        enquiry, _ = _active(position)
        conversation = _held(position, None)
        if any(call.state is not CallState.CONNECTED for call in enquiry.calls):
            raise PositionError("the other side has not answered yet")
        self._merge(enquiry, conversation, position)
        call = conversation.calls[0]
        self._tell(conversation, "call.conferenced", call, parties=conversation.parties())
        return call

    def transfer(self, position: Position, number: str | None) -> SwitchCall:
        """Pass the call on: to whoever is meant by ``number`` or to a queue of that name, else to the enquiry's party.

        Raises PositionError, and then nothing has changed.
        """
        return self._attended(position) if number is None else self._blind(position, number)

    def _attended(self, position: Position) -> SwitchCall:
        enquiry, asked = _active(position)
        conversation = _held(position, None)
        call = conversation.calls[0]
        target = asked.presented[0] if asked.caller is not None and asked.waits and asked.presented else None
        if target is not None:  # still ringing at another position: it may ring on, for the caller
            self._switch.end(asked, "passed on before it was answered")
            conversation.enter(position)
            self._pass_on(call, conversation, position, Destination(target.id, target))
            return call
        self._merge(enquiry, conversation, position)
        call.sender = position
        self._told_passed_on(call, position, [each for each in conversation.parties() if each != position.id])
        self._switch.leave(conversation, position)
        return call

    def _merge(self, enquiry: Conversation, into: Conversation, position: Position) -> None:
        """Let everybody of an enquiry, the operator too, into the conversation it was about."""
        if enquiry.size + into.size - 1 > MAX_PARTIES:
            raise ConversationError(f"{MAX_PARTIES} parties are the most that can be in a conversation")
        others = [each for each in enquiry.positions if each is not position]
        for party in enquiry.everyone:
            enquiry.leave(party)
        for call in list(enquiry.calls):
            if call.caller is not None:
                self._retire(call, into.calls[0], others)
            else:
                into.add_call(call)
        into.enter(position)
        for other in others:
            self._switch.seat(into, other)
        self._patch.over(enquiry)
        self._patch.conversation(into)
        for other in others:
            for call in into.legs:
                if call.state is CallState.CONNECTED:
                    self._switch.show_connected(call, other)
        self._positions.settle(position)

    def _retire(self, call: SwitchCall, into: SwitchCall, others: list[Position]) -> None:
        """The thread between two positions is not needed: they are in a call with somebody outside."""
        for other in others:
            self._positions.tell(other, "call.replaced", by=into.id, **call.shown())
        self._switch.end(call, f"joined {into.id}")

    def _blind(self, position: Position, number: str) -> SwitchCall:
        conversation, call = _active(position)
        if conversation.size > 2 or call.caller is not None or call.state is not CallState.CONNECTED:
            raise PositionError("only a call with one party, that is up, can be passed on without asking first")
        if number in self._switch.distribution.queues:
            self._leave(call, conversation, position, [number])
            self._switch.queue(call, number)
            return call
        to = self._placing.find(number, position, call.record)
        if to.position is not None:
            self._pass_on(call, conversation, position, to)
        else:
            call.sender = position
            self._told_passed_on(call, position, [number])
            self._placing.into(conversation, to, position, call.record, self._not_reached)
            self._switch.leave(conversation, position)
        return call

    def _pass_on(self, call: SwitchCall, conversation: Conversation, position: Position, to: Destination) -> None:
        assert to.position is not None
        self._leave(call, conversation, position, [to.number])
        self._ring_at(call, to.position)

    def _leave(self, call: SwitchCall, conversation: Conversation, position: Position, to: list[str]) -> None:
        """Take a call out of its conversation, so that it waits for somebody else."""
        call.step(Step.HAND_ON)
        call.sender = position
        call.notes["passed_on_by"] = position.id
        call.notes.pop("returned", None)
        conversation.remove_call(call)
        self._told_passed_on(call, position, to)
        self._switch.settle(conversation, call)
        self._patch.alone(call)
        if call.leg is not None:
            call.leg.background(RINGING_TONE, self._shared.clips[RINGING_TONE])

    def _ring_at(self, call: SwitchCall, position: Position) -> None:
        seconds = self._shared.settings.transfer_ring_s
        self._switch.distribution.direct(call, position, within=seconds, then=self._comes_back)

    def _told_passed_on(self, call: SwitchCall, position: Position, to: list[str]) -> None:
        call.record.note(self._shared.now(), "passed on", call=call.id, by=position.id, to=to)
        self._positions.tell(position, "call.transferred", to=to, **call.shown())

    def _comes_back(self, call: SwitchCall) -> None:
        """A call that was passed on was not answered: it rings at its sender, then waits in its queue."""
        if not call.waits:
            return
        self._switch.distribution.remove(call, "call.withdrawn", reason="not answered")
        sender, returned = call.sender, "returned" in call.notes
        call.notes["returned"] = True
        call.record.note(self._shared.now(), "came back", call=call.id)
        if sender is not None and sender.at_work and (sender.free or call.queue is None) and not returned:
            self._ring_at(call, sender)
        elif call.queue in self._switch.distribution.queues:
            self._switch.queue(call, call.queue or "", again=True)
        else:
            self._switch.end(call, "nobody answered")

    def _not_reached(self, call: SwitchCall, reason: str) -> None:
        """Whoever was rung about a call was not reached; a caller who was passed on meanwhile comes back."""
        conversation = call.conversation
        left = conversation.legs if conversation is not None and not conversation.everyone else []
        waiting = next((each for each in left if each is not call and each.state is CallState.CONNECTED), None)
        if conversation is not None and waiting is not None and waiting.sender is not None:
            sender = waiting.sender
            self._positions.tell(sender, "call.transfer_failed", reason=reason, **waiting.shown())
            conversation.remove_call(waiting)
            waiting.step(Step.HAND_ON)
            self._comes_back(waiting)
        self._placing.failed(call, reason)

    # Going, and letting go

    def leave(self, position: Position) -> SwitchCall:
        """Go out of the call; the others go on. Raises PositionError where fewer than two would be left."""
        conversation, call = _active(position)
        if conversation.size < 3:
            raise PositionError("nobody would be left to talk with the other side; clear the call, or pass it on")
        self._positions.tell(position, "call.left", **call.shown())
        self._switch.leave(conversation, position)
        self._tell(conversation, "call.party_left", call, party=position.id)
        return call

    def drop(self, position: Position, call_id: str) -> SwitchCall:
        """Clear one party of the call. Raises PositionError where it is not in it."""
        conversation, _ = _active(position)
        call = next((each for each in conversation.calls if each.id == call_id), None)
        if call is None:
            raise UnknownPositionError(f"{position.id} talks with no call {call_id!r}")
        self._switch.end(call, f"dropped by {position.id}")
        return call

    # What else can be done on it

    async def write(self, position: Position, text: str) -> SwitchCall:
        """Type to the other side. Raises PositionError where the call has no text."""
        conversation, _ = _active(position)
        for call in conversation.calls:
            if call.leg is not None and call.leg.writing is not None:
                try:
                    await call.leg.write(text)
                except MediaError as error:
                    raise PositionError(str(error)) from error
                call.record.note(self._shared.now(), "text to the caller", by=position.id, text=text)
                return call
        raise PositionError(f"no party that {position.id} talks with has a text stream")

    async def send_dtmf(self, position: Position, digits: str) -> None:
        """Send keys to the other sides. Raises PositionError where there is none."""
        conversation = position.conversation
        ports = [call.leg.port for call in conversation.up if call.leg is not None] if conversation is not None else []
        if not any(ports):
            raise PositionError(f"{position.id} has no call that is up")
        for port in ports:
            try:
                if port is not None:
                    await port.send_dtmf(digits)
            except MediaError as error:
                raise PositionError(str(error)) from error

    async def ask(self, position: Position, ask: Ask) -> SwitchCall:
        """Ask the 999 network for something in the call. Raises PositionError where it can't be asked, or refuses."""
        _, call = _active(position)
        if call.mark is None or call.sip is None:
            raise PositionError(f"{call.id} did not come marked by the 999 network: it can't be asked")
        headers = [("Info-Package", PACKAGE), Mark(call.mark.call, ask=ask).header()]
        call.record.note(self._shared.now(), "network asked", ask=ask.value, by=position.id)
        try:
            response = await call.sip.send("INFO", headers=headers, within=ASKED_WITHIN_S)
        except HarnessError as error:
            raise PositionError(f"the 999 network did not answer: {error}") from error
        if response.status >= 300:
            raise PositionError(f"the 999 network refused {ask.value}: {response.status} {response.reason}")
        return call

    def _tell(self, conversation: Conversation, kind: str, call: SwitchCall, **more: object) -> None:
        for each in conversation.everyone:
            self._positions.tell(each, kind, **more, **call.shown())


def _active(position: Position) -> tuple[Conversation, SwitchCall]:
    conversation, call = position.conversation, position.call
    if conversation is None or call is None:
        raise PositionError(f"{position.id} has no call")
    return conversation, call


def _held(position: Position, call_id: str | None) -> Conversation:
    """The conversation on hold that a call is in, else the latest. Raises PositionError."""
    for conversation in reversed(position.held):
        if call_id is None or any(call.id == call_id for call in conversation.calls):
            return conversation
    raise PositionError(f"{position.id} holds no call" + (f" {call_id}" if call_id is not None else ""))
