"""Call queues: callers wait with music, the longest first, until an agent is free, or until it was too long."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from harness.errors import LocalError
from harness.protocols.sip.diversion import Why
from simulators.switch.call import Failed, Outcome, Refusal, SwitchCall
from simulators.switch.leg import Leg, anchored
from simulators.switch.settings.groups import MAX_GROUPS, CallQueueSettings

if TYPE_CHECKING:
    from simulators.switch.core import Core

LOOKS_EVERY_S: Final = 0.25
"""Seconds after which whoever is first looks again for a free agent."""


class UnknownQueueError(LocalError):
    """There is no such call queue, or no such agent in it."""


@dataclass(slots=True)
class CallQueue:
    """One queue."""

    settings: CallQueueSettings
    away: set[str] = field(default_factory=set)
    """Agents who have left it for now."""
    waiting: list[SwitchCall] = field(default_factory=list)
    """Who waits, the longest first."""
    joined: int = 0
    """Calls that ever waited."""
    answered: int = 0
    overflowed: int = 0

    def shown(self) -> dict[str, Any]:
        """As the control interface tells it."""
        return self.settings.model_dump(mode="json") | {
            "away": sorted(self.away),
            "waiting": len(self.waiting),
            "joined": self.joined,
            "answered": self.answered,
            "overflowed": self.overflowed,
        }


class Queueing:
    """The call queues of one node."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.queues = {each.number: CallQueue(each) for each in core.settings.call_queues}

    def get(self, number: str) -> CallQueue:
        """A queue. Raises UnknownQueueError."""
        if number not in self.queues:
            raise UnknownQueueError(f"there is no call queue {number}")
        return self.queues[number]

    def put(self, settings: CallQueueSettings) -> CallQueue:
        """Make a queue, or lay out one anew; who waits goes on waiting.

        Raises LocalError for a number that is something else, for lines that are not there, and for one too many.
        """
        core, number = self._core, settings.number
        queue = self.queues.get(number)
        led = core.numbering.find(number)
        if queue is None and led is not None and led.kind != "queue":
            raise LocalError(f"{number} is a {led.kind} already")
        unknown = [each for each in settings.members if core.lines.find(each) is None]
        if unknown:
            raise LocalError(f"there is no line {unknown[0]}")
        if queue is None:
            if len(self.queues) >= MAX_GROUPS:
                raise LocalError(f"there are {MAX_GROUPS} call queues, and no more")
            queue = self.queues[number] = CallQueue(settings)
        queue.settings = settings
        queue.away &= set(settings.members)
        core.journal.record(core.name, "queue.set", queue=number, members=list(settings.members))
        return queue

    def remove(self, number: str) -> None:
        """Take a queue away; who waits in it overflows, or is let go. Raises UnknownQueueError."""
        self.get(number)
        del self.queues[number]
        self._core.journal.record(self._core.name, "queue.removed", queue=number)

    def join(self, number: str, line: str, *, joined: bool) -> None:
        """Let an agent take calls of a queue, or not for now. Raises UnknownQueueError."""
        queue = self.get(number)
        if line not in queue.settings.members:
            raise UnknownQueueError(f"line {line} is no agent of call queue {number}")
        (queue.away.discard if joined else queue.away.add)(line)
        self._core.journal.record(self._core.name, "queue.agent", queue=number, line=line, joined=joined)

    async def serve(self, call: SwitchCall, number: str) -> Outcome:
        """Let a caller wait for an agent. Raises HarnessError where our side fails."""
        core, queue = self._core, self.queues.get(number)
        if queue is None:
            return Refusal(404)
        call.hunt = call.queue = number
        if len(queue.waiting) >= queue.settings.size:
            return await self._overflow(call, queue, Why.USER_BUSY, Refusal(486, Failed.BUSY))
        began = core.now()
        queue.waiting.append(call)
        queue.joined += 1
        core.journal.record(call.id, "queue.joined", queue=number, place=len(queue.waiting))
        outcome: Outcome = Refusal(480, Failed.NO_ANSWER, "Nobody Took It")
        try:
            await call.answer_origin()
            await anchored(call.origin)
            await self._music(call)
            async with asyncio.timeout(queue.settings.max_s):
                outcome = await self._first_free(call, queue)
        except TimeoutError:
            pass
        finally:
            queue.waiting.remove(call)
            waited = round(core.now() - began, 3)
            core.journal.record(call.id, "queue.left", queue=number, seconds=waited, outcome=str(outcome))
        if isinstance(outcome, Leg):
            queue.answered += 1
            return outcome
        return await self._overflow(call, queue, Why.NO_ANSWER, outcome)

    async def _overflow(self, call: SwitchCall, queue: CallQueue, why: Why, refusal: Outcome) -> Outcome:
        queue.overflowed += 1
        if queue.settings.overflow is None:
            return refusal
        return await self._core.routing.divert(call, queue.settings.number, queue.settings.overflow, why)

    async def _music(self, call: SwitchCall) -> None:
        speech = call.origin.speech
        if speech is not None and not call.origin.is_over:
            await speech.sound(clip=self._core.music)

    async def _first_free(self, call: SwitchCall, queue: CallQueue) -> Outcome:
        """Wait until it is the caller's turn, and ring agents until one answers or the queue is taken away."""
        core, hunting = self._core, self._core.routing.hunting
        while self.queues.get(queue.settings.number) is queue:
            settings = queue.settings
            members = [core.lines.get(each) for each in settings.members if each not in queue.away]
            free = [each for each in hunting.order(settings, members) if hunting.can_take(each)]
            # As many are at their turn as there are free agents, so that one who does not answer holds up nobody else.
            place = queue.waiting.index(call)
            if place >= len(free):
                await asyncio.sleep(LOOKS_EVERY_S)
                continue
            line = free[place]
            core.journal.record(call.id, "queue.rings", queue=settings.number, line=line.number)
            call.called = line.number
            outcome = await core.routing.ring(call, line, settings.ring_s)
            if isinstance(outcome, Leg):
                hunting.took(settings.number, settings.members.index(line.number))
                return outcome
            await self._music(call)
            await asyncio.sleep(LOOKS_EVERY_S)
        return Refusal(480, Failed.NO_ANSWER, "Nobody Took It")
