"""Hunt groups: who of a group rings next, and where a call goes that nobody took."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from harness.protocols.sip.diversion import Why
from simulators.switch.call import Failed, Outcome, Refusal, SwitchCall
from simulators.switch.leg import Leg
from simulators.switch.lines import Line
from simulators.switch.ringing import Place, Ringing
from simulators.switch.settings.groups import HuntGroupSettings, Strategy

if TYPE_CHECKING:
    from simulators.switch.core import Core


class Hunting:
    """The hunt groups of one node."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._groups = {each.number: each for each in core.settings.hunt_groups}
        self._next: dict[str, int] = {}
        """Where a circular group goes on."""

    async def hunt(self, call: SwitchCall, number: str) -> Outcome:
        """Ring the members of a group, until one answers or the hunt is over."""
        core, group = self._core, self._groups[number]
        call.hunt = number
        began = core.now()
        outcome: Outcome = Refusal(480, Failed.NO_ANSWER, "Nobody Took It")
        try:
            async with asyncio.timeout(group.max_s):
                outcome = await self._ring(call, group)
        except TimeoutError:
            pass
        core.journal.record(
            call.id, "hunt.over", group=number, seconds=round(core.now() - began, 3), outcome=str(outcome)
        )
        if isinstance(outcome, Refusal) and group.overflow is not None:
            why = Why.USER_BUSY if outcome.why is Failed.BUSY else Why.NO_ANSWER
            return await core.routing.divert(call, number, group.overflow, why)
        return outcome

    async def _ring(self, call: SwitchCall, group: HuntGroupSettings) -> Outcome:
        core = self._core
        members = [core.lines.get(each) for each in group.members]
        if group.strategy is Strategy.BROADCAST:
            free = [line for line in members if self.can_take(line)]
            if not free:
                return _none_free(members)
            places = [self._place(call, line, index) for line in free for index in range(len(line.devices))]
            return await Ringing(core, call).first(places, group.ring_s)
        rang = False
        for line in self.order(group, members):
            if not self.can_take(line):
                continue
            rang = True
            call.called = line.number
            core.journal.record(call.id, "hunt.rings", group=group.number, line=line.number)
            outcome = await core.routing.ring(call, line, group.ring_s)
            if isinstance(outcome, Leg):
                self.took(group.number, members.index(line))
                return outcome
        return Refusal(480, Failed.NO_ANSWER, "Nobody Took It") if rang else _none_free(members)

    def _place(self, call: SwitchCall, line: Line, index: int) -> Place:
        device = list(line.devices.values())[index]
        return lambda: self._core.placing.to_device(call, line, device, waiting=False)

    def took(self, number: str, index: int) -> None:
        """Remember which member of a group had the last call."""
        self._next[number] = index + 1

    @staticmethod
    def can_take(line: Line) -> bool:
        """Whether a group may ring a member: it is free, registered, and did not take itself out."""
        return line.is_free and line.in_groups and bool(line.devices) and line.forwards["all"] is None

    def order(self, group: HuntGroupSettings, members: list[Line]) -> list[Line]:
        """The members as they are to ring."""
        match group.strategy:
            case Strategy.CIRCULAR:
                start = self._next.get(group.number, 0) % max(1, len(members))
                return members[start:] + members[:start]
            case Strategy.LONGEST_IDLE:
                return sorted(members, key=lambda line: line.idle_since)
        return members


def _none_free(members: list[Line]) -> Refusal:
    """Why nobody rings: all are busy, or nobody is there."""
    there = [line for line in members if line.devices and line.in_groups]
    return Refusal(486, Failed.BUSY) if there else Refusal(480, Failed.UNREGISTERED, "Nobody There")
