"""Finds who takes a call: lines with their forwards, hunt groups, trunks with fail-over, and the switch's services."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final

from harness.errors import DialPlanError, HarnessError, SdpError, SipLocalError
from harness.protocols.cdr.codes import sip_cause
from harness.protocols.sip import q850
from harness.protocols.sip.diversion import Why
from simulators.switch.call import MAX_DIVERSIONS, Diverted, Failed, Outcome, Refusal, SwitchCall
from simulators.switch.ends import GuestEnd, LineEnd, TrunkEnd
from simulators.switch.hunting import Hunting
from simulators.switch.leg import Leg
from simulators.switch.lines import Device, Line, When
from simulators.switch.numbering import Destination
from simulators.switch.queueing import Queueing
from simulators.switch.ringing import Place, Ringing
from simulators.switch.trunks import Peer, Trunk

if TYPE_CHECKING:
    from simulators.switch.core import Core

TRIES_NEXT: Final = frozenset((408, 500, 502, 503, 504, 580))
"""Answers after which the next peer is tried: this one can't serve the call, another may."""
FORWARDS: Final[dict[Failed, When]] = {
    Failed.BUSY: "busy",
    Failed.NO_ANSWER: "no_answer",
    Failed.UNREGISTERED: "unregistered",
}
WHY: Final = {
    Failed.BUSY: Why.USER_BUSY,
    Failed.NO_ANSWER: Why.NO_ANSWER,
    Failed.UNREGISTERED: Why.UNAVAILABLE,
}


class Routing:
    """One node's."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.hunting = Hunting(core)
        self.queueing = Queueing(core)

    async def reach(self, call: SwitchCall, number: str) -> Outcome:
        """Find who takes a call to a number. Raises HarnessError where our side fails."""
        core = self._core
        try:
            found = core.numbering.find(number)
        except DialPlanError as error:
            core.journal.warn(call.id, "call.loops", number=number, reason=str(error))
            return Refusal(482)
        if core.emergency.calls_back(call, number):
            # Before the plan: a pattern of all numbers would send the operator's call back out of the switch again.
            found = core.emergency.destination(number)
        if found is None and number in self.queueing.queues:  # one that was made while the switch was up
            found = Destination("queue", number)
        if found is None:
            return Refusal(484 if core.numbering.may_go_on(number) else 404)
        if found.refuse:
            return Refusal(found.refuse)
        if not call.original:
            call.original = found.number
        call.called, call.pattern = found.number, found.pattern
        barred = self._barred(call, found, number)
        if barred:
            core.journal.record(call.id, "call.barred", number=number, reason=barred)
            return Refusal(403, reason="Forbidden")
        match found.kind:
            case "line":
                return await self.line(call, core.lines.get(found.number))
            case "hunt":
                return await self.hunting.hunt(call, found.number)
            case "queue":
                return await self.queueing.serve(call, found.number)
            case "trunk":
                return await self.trunks(call, found.number, [core.trunks.get(name) for name in found.names])
            case "emergency":
                return await core.emergency.reach(call, number if number.isdigit() else found.number)
        return await core.services.serve(call, found)

    def _barred(self, call: SwitchCall, found: Destination, number: str) -> str:
        """Why a call may not be made; empty where it may."""
        end = call.origin.end
        if found.kind == "emergency":
            return "" if isinstance(end, LineEnd) or call.is_click_to_dial else "only lines make emergency calls"
        if isinstance(end, GuestEnd) and not found.is_inside:
            return "guests don't get out"
        if isinstance(end, TrunkEnd) and not found.is_inside:
            diverter = self._core.lines.find(call.diversions[-1].by) if call.diversions else None
            if diverter is None and not end.trunk.settings.tandem:
                return f"what comes by trunk {end.trunk.name} does not leave again"
        if isinstance(end, LineEnd) and end.line.bars(number):
            return f"line {end.number} may not call it"
        return ""

    # Lines

    async def line(self, call: SwitchCall, line: Line, *, forwards: bool = True) -> Outcome:
        """Ring a line's telephones; with `forwards` also go where its calls are forwarded."""
        core = self._core
        call.called = line.number
        everything = line.forwards["all"]
        if everything is not None and forwards and call.emergency is None:
            return await self.divert(call, line.number, everything, Why.UNCONDITIONAL)
        outcome = await self.ring(call, line, line.settings.no_answer_s)
        if not isinstance(outcome, Refusal) or not forwards:
            return outcome
        if outcome.moved_to:
            return await self.divert(call, line.number, outcome.moved_to, Why.DEFLECTION)
        when = FORWARDS.get(outcome.why)
        target = line.forwards[when] if when is not None else None
        mailbox = core.settings.voicemail
        if target is None and when is not None and mailbox is not None and line.settings.voicemail:
            target = mailbox.number
        if target is None:
            return outcome
        return await self.divert(call, line.number, target, WHY[outcome.why])

    async def ring(self, call: SwitchCall, line: Line, within: float) -> Outcome:
        """Ring a line's telephones and nothing else."""
        core = self._core
        devices = list(line.devices.values())
        if not devices:
            return Refusal(480, Failed.UNREGISTERED, "Not Registered")
        if line.is_busy and call.emergency is None:
            return Refusal(486, Failed.BUSY)
        waiting = bool(line.calls)
        placing = core.placing

        def place(device: Device) -> Place:
            return lambda: placing.to_device(call, line, device, answers_itself=call.is_intercom, waiting=waiting)

        outcome = await Ringing(core, call).first([place(device) for device in devices], within)
        core.journal.record(call.id, "call.rang", line=line.number, outcome=str(outcome))
        return outcome

    async def divert(self, call: SwitchCall, by: str, to: str, why: Why) -> Outcome:
        """Send a call on from one number to another."""
        core = self._core
        if len(call.diversions) >= MAX_DIVERSIONS or any(each.by == by for each in call.diversions):
            core.journal.warn(call.id, "call.loops", number=by, reason=f"diverted {len(call.diversions)} times")
            return Refusal(482)
        call.diversions.append(Diverted(by, to, why))
        core.journal.record(call.id, "call.diverted", by=by, to=to, why=str(why))
        core.tell("call.diverted", call)
        return await self.reach(call, to)

    # Trunks

    async def trunks(self, call: SwitchCall, number: str, trunks: list[Trunk]) -> Outcome:
        """Try trunks, and the peers of each, until one takes the call or says that nobody does."""
        core = self._core
        outcome: Refusal = Refusal(503, reason="No Trunk In Service")
        for trunk in trunks:
            for peer in trunk.candidates(core.now()):
                found = await self._peer(call, trunk, peer, number)
                if not isinstance(found, Refusal) or found.status not in TRIES_NEXT or found.why is Failed.NO_ANSWER:
                    return found
                core.journal.record(
                    call.id, "trunk.failed", trunk=trunk.name, peer=str(peer), status=found.status, reason=found.reason
                )
                core.trunks.failed(trunk, peer, core.now(), found.retry_after)
                outcome = Refusal(found.status, found.why, found.reason)
        return outcome

    async def _peer(self, call: SwitchCall, trunk: Trunk, peer: Peer, number: str) -> Outcome:
        core, settings = self._core, trunk.settings

        def place() -> Coroutine[Any, Any, Leg]:
            return core.placing.to_peer(call, trunk, peer, number)

        return await Ringing(core, call).first([place], settings.no_answer_s, first_answer=settings.first_answer_s)

    # What is said of a failure

    def refusal_of(self, error: HarnessError) -> Refusal:
        """How a caller is told of a failure of ours."""
        if isinstance(error, SdpError):
            return Refusal(488)
        return Refusal(500 if not isinstance(error, SipLocalError) else 480)

    def cause_of(self, refusal: Refusal) -> int:
        """How call records tell a refusal."""
        if refusal.why is Failed.NO_ANSWER:
            return 19
        if refusal.why is Failed.BUSY:
            return 17
        return sip_cause(refusal.status) if 300 <= refusal.status <= 699 else q850.NORMAL_UNSPECIFIED
