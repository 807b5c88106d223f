"""Which call rings at which position, and which an adviser takes next: the automatic call distributor.

Theory. Queues have an order, and calls in a queue have one (`queues`): whoever frees up gets the first call of that
order that the adviser serves, so 999 goes before 101 whatever came first. A broadcast queue rings at all who serve it.
A longest-idle queue offers a call to the adviser who has been available for longest; where nobody is, a call of an
earlier queue takes the adviser to whom one of a later queue is being offered. A queue with a site of its own keeps a
call there for a time, then it is the first available adviser's anywhere. Critical calls are in no queue: they ring at
once at those who are named for them and at every position that is free.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

from simulators.iccs.calls import SwitchCall
from simulators.iccs.positions import AdviserState, Position, PositionError, UnknownPositionError
from simulators.iccs.queues import Queues
from simulators.iccs.settings import CRITICAL_QUEUE, QueueSettings
from simulators.iccs.shared import Shared


class Distribution:
    """The calls that wait for an adviser."""

    def __init__(self, shared: Shared, queues: Queues) -> None:
        self._shared = shared
        self._positions = shared.positions
        self.queues = queues
        self._critical: list[SwitchCall] = []
        self._direct: list[SwitchCall] = []
        self._timers: dict[SwitchCall, list[asyncio.TimerHandle]] = {}
        self._running = False
        self.rang: Callable[[SwitchCall, Position], None] = lambda _call, _position: None
        """Called for each position at which a call begins to ring."""
        self.overflows: Callable[[SwitchCall], None] = lambda _call: None
        """Called when a call has waited in its queue for as long as it may."""
        self.moved: Callable[[], None] = lambda: None
        """Called when who waits, or who is free, has changed."""

    # Calls that begin to wait

    def queue(self, call: SwitchCall, *, again: bool = False) -> None:
        """Let a call wait in its queue (``call.queue``); ``again``: it is counted there already."""
        settings = self.queues.settings(call)
        if not again:
            self._shared.figures.came(call.queue)
        self.queues.add(call)
        overflow = settings.overflow
        if overflow is not None and overflow.after_s is not None:
            self._at(call, call.since + overflow.after_s, self.overflows)
        if settings.local_s:
            self._at(call, call.since + settings.local_s, lambda _call: self.poke())
        if call.callback is not None:
            self._at(call, call.callback.not_before, lambda _call: self.poke())
        self._spread()
        self.poke()

    def critical(self, call: SwitchCall) -> None:
        """Let a call ring past all queues."""
        self._shared.figures.came(call.queue)
        self._critical.append(call)
        self._spread()

    def direct(
        self,
        call: SwitchCall,
        position: Position,
        *,
        within: float | None = None,
        then: Callable[[SwitchCall], None] = lambda _call: None,
    ) -> None:
        """Let a call ring at one position; ``then`` is called if it rings still after ``within`` seconds."""
        self._direct.append(call)
        self._ring(call, position)
        if within is not None:
            self._at(call, self._shared.now() + within, then)

    def _at(self, call: SwitchCall, time: float, do: Callable[[SwitchCall], None]) -> None:
        delay = max(0.0, time - self._shared.now())
        timer = asyncio.get_running_loop().call_later(delay, do, call)
        self._timers.setdefault(call, []).append(timer)

    # Ringing

    def _ring(self, call: SwitchCall, position: Position) -> None:
        call.presented.append(position)
        if position.streams:
            self._positions.tell(position, "call.ringing", **call.shown())
        self.rang(call, position)

    def shown_to(self, position: Position) -> None:
        """A console begins to look on: show it what rings there."""
        for call in self.all():
            if position in call.presented:
                self._positions.tell(position, "call.ringing", **call.shown())

    def all(self) -> Iterator[SwitchCall]:
        """Every call that waits, the one to serve first first: critical ones, queues, those to one position."""
        yield from tuple(self._critical)
        yield from self.queues
        yield from tuple(self._direct)

    def poke(self) -> None:
        """Distribute anew at the end of this turn of the loop: calls or advisers have changed."""
        if not self._running:
            self._running = True
            asyncio.get_running_loop().call_soon(self._run)

    def _run(self) -> None:
        self._running = False
        self._spread()
        exhausted: set[str | None] = set()
        for call in self.queues:
            if call.queue in exhausted or call.offered_to is not None:
                continue
            if self._is_offered(call) and self._is_due(call):
                adviser = self._adviser_for(call)
                if adviser is not None:
                    self._offer(call, adviser)
                elif self.queues.settings(call).site is None:
                    # Nobody comes free within this turn: who is behind in the same queue need not be looked at.
                    exhausted.add(call.queue)
        self.moved()

    def _spread(self) -> None:
        """Let calls that ring at many ring at those who have come to it."""
        for call in tuple(self._critical):
            for position in self._positions:
                wanted = position.settings.role in self._shared.settings.critical.roles
                if (wanted or (position.free and position.at_work)) and position not in call.presented:
                    self._ring(call, position)
        for call in self.queues:
            if not self._is_offered(call) and self._is_due(call):
                for position in self._serving(call):
                    if position not in call.presented and not position.on_break:
                        self._ring(call, position)

    def _is_offered(self, call: SwitchCall) -> bool:
        return self.queues.settings(call).presentation == "longest_idle"

    def _is_due(self, call: SwitchCall) -> bool:
        """Whether an adviser may have it: a callback waits for its next attempt."""
        return call.callback is None or call.callback.not_before <= self._shared.now()

    def _serving(self, call: SwitchCall) -> list[Position]:
        settings = self.queues.settings(call)
        found = [position for position in self._positions if serves(position, settings)]
        if settings.site is not None and self._shared.now() - call.since < settings.local_s:
            return [position for position in found if position.site == settings.site]
        return found

    # Offering to one adviser

    def _adviser_for(self, call: SwitchCall) -> Position | None:
        """The adviser to whom a call is offered: available for longest, at the queue's own site where there is one."""
        serving = self._serving(call)
        available = [each for each in serving if each.state is AdviserState.AVAILABLE]
        home = self.queues.settings(call).site
        if available:
            return min(available, key=lambda each: (home is not None and each.site != home, each.idle_since))
        rank = self.queues.rank(call)
        for position in serving:
            other = position.offered
            if position.state is AdviserState.OFFERED and other is not None and self.queues.rank(other) > rank:
                self._take_back(other, "a call of an earlier queue")
                return position
        return None

    def _offer(self, call: SwitchCall, position: Position) -> None:
        call.offered_to, position.offered = position, call
        self._positions.settle(position)
        self._ring(call, position)
        self._at(call, self._shared.now() + self.queues.settings(call).offer_s, lambda each: self._pass(each, position))

    def _pass(self, call: SwitchCall, position: Position) -> None:
        """An adviser let an offer pass."""
        if call.offered_to is not position:
            return
        position.on_break = self.queues.settings(call).unanswered == "break"
        self._take_back(call, "not answered")
        position.idle_since = self._shared.now()
        self.poke()

    def _take_back(self, call: SwitchCall, reason: str) -> None:
        position, call.offered_to = call.offered_to, None
        if position is not None:
            position.offered = None
            if position in call.presented:
                call.presented.remove(position)
                self._positions.tell(position, "call.withdrawn", reason=reason, **call.shown())
            self._positions.settle(position)

    def busy(self, position: Position) -> None:
        """A position has something else to do: what was offered to it alone goes to the next."""
        if position.offered is not None:
            self._take_back(position.offered, "the position is busy")
            self.poke()

    # Taking

    def choose(self, position: Position, *, queue: str | None, call: SwitchCall | None) -> SwitchCall:
        """Return the call that a position takes: the one given, else the first of ``queue``, else whichever is next.

        CRITICAL_QUEUE stands for calls to critical numbers. Raises PositionError when there is none.
        """
        if queue is not None and queue != CRITICAL_QUEUE and queue not in self.queues:
            raise UnknownPositionError(f"there is no queue {queue!r}")
        found: Iterator[SwitchCall] = iter([call] if call is not None else [])
        if call is None:
            waiting = (
                tuple(self._critical) if queue == CRITICAL_QUEUE else self.queues.of(queue) if queue else self.all()
            )
            found = iter(waiting)
        chosen = next((each for each in found if each.waits and position in each.presented), None)
        if chosen is None:
            raise PositionError(f"no call rings at {position.id}" + (f" on queue {queue}" if queue else ""))
        return chosen

    def remove(self, call: SwitchCall, kind: str, *, but: Position | None = None, **more: Any) -> None:
        """Let a call wait no more; positions at which it rang are told so (``kind``), all ``but`` one."""
        for timer in self._timers.pop(call, ()):
            timer.cancel()
        self.queues.remove(call)
        for calls in (self._critical, self._direct):
            if call in calls:
                calls.remove(call)
        offered, call.offered_to = call.offered_to, None
        told, call.presented = call.presented, []
        for position in told:
            if position is not but and position.streams:
                self._positions.tell(position, kind, **more, **call.shown())
        if offered is not None:
            offered.offered = None
            self._positions.settle(offered)
        self.poke()

    # What callers and wallboards ask

    def holds(self, call: SwitchCall) -> bool:
        """Whether a call waits here."""
        return call in self._critical or call in self._direct or self.queues.holds(call)

    @property
    def critical_waiting(self) -> int:
        """How many critical calls nobody has taken."""
        return len(self._critical)

    def is_served(self, call: SwitchCall) -> bool:
        """Whether an adviser is available for a call, those before it counted off."""
        free = sum(each.state in (AdviserState.AVAILABLE, AdviserState.OFFERED) for each in self._serving(call))
        return free >= self.queues.place(call)

    def expected_wait_s(self, call: SwitchCall) -> float:
        """Return how long a call is likely to wait still: its place in the queue, by how fast advisers free up."""
        settings = self.queues.settings(call)
        at_work = sum(each.at_work and not each.on_break for each in self._serving(call))
        lasts = self._shared.figures.handling_s(call.queue or "", settings.waiting.handling_s)
        return self.queues.place(call) * lasts / max(1, at_work)

    def longest_wait_s(self, queue: str) -> float | None:
        """Return how long the call has waited that waits longest in a queue; None where none waits."""
        calls = self.queues.of(queue)
        return round(self._shared.now() - min(call.since for call in calls), 3) if calls else None


def serves(position: Position, queue: QueueSettings) -> bool:
    """Whether a position's adviser takes calls of a queue."""
    return position.settings.role in queue.roles and set(queue.skills) <= set(position.settings.skills)
