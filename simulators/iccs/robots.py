"""Positions that answer by themselves: all of them after a fixed time, or advisers with seeded ways, for load.

Theory. A call that has rung for the reaction time is due; whenever calls or advisers change, the first due call of the
order in which calls are served goes to the automatic adviser, of those at whom it rings, who has been idle for longest.
An adviser with a handling time clears the call after it, and writes up for as long as the queue says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from simulators.iccs.calls import CallState, SwitchCall
from simulators.iccs.distribution import Distribution
from simulators.iccs.positions import AdviserState, Position
from simulators.iccs.settings.advisers import AutoAdviserSettings
from simulators.iccs.shared import Shared
from simulators.iccs.switch import Switch

_MAY_TAKE = (AdviserState.AVAILABLE, AdviserState.OFFERED)


class Robots:
    """The automatic positions of one switch."""

    def __init__(self, shared: Shared, distribution: Distribution, switch: Switch) -> None:
        self._shared = shared
        self._distribution = distribution
        self._switch = switch
        self._after: float | None = None
        self._advisers: AutoAdviserSettings | None = None
        self._timers: dict[SwitchCall, list[asyncio.TimerHandle]] = {}

    def answer_after(self, seconds: float) -> None:
        """Let every position answer by itself after so long; calls go on until the other side clears."""
        self._after = seconds
        self._employ(("*",))

    def employ(self, advisers: AutoAdviserSettings) -> None:
        """Let advisers answer by themselves, in ways of their own."""
        self._advisers = advisers
        self._employ(advisers.positions)

    def _employ(self, patterns: tuple[str, ...]) -> None:
        now = self._shared.now()
        for position in self._shared.positions:
            if any(_fits(position.id, pattern) for pattern in patterns):
                position.automatic, position.idle_since = True, now
                self._shared.positions.settle(position)
        self._distribution.poke()

    # What happens

    def rang(self, call: SwitchCall, position: Position) -> None:
        """A call rings at a position."""
        if position.automatic and not call.due and call not in self._timers:
            self._later(call, self._reaction(), self._due)

    def moved(self) -> None:
        """Calls or advisers have changed: let advisers take what is due."""
        while (found := self._next()) is not None:
            self._switch.take(*found)

    def talking(self, call: SwitchCall, position: Position) -> None:
        """A position is connected with a call."""
        if position.automatic and self._advisers is not None and position.call is call:
            mean = self._advisers.handling_s.get(call.queue or "", self._advisers.other_s)
            self._later(call, self._drawn(mean), self._done)

    def over(self, call: SwitchCall) -> None:
        """A call has ended."""
        for timer in self._timers.pop(call, ()):
            timer.cancel()

    def _due(self, call: SwitchCall) -> None:
        call.due = True
        self.moved()

    def _done(self, call: SwitchCall) -> None:
        conversation = call.conversation
        if call.state is CallState.CONNECTED and conversation is not None:
            for position in tuple(conversation.positions):
                if position.automatic:
                    self._switch.clear(position)

    def _next(self) -> tuple[SwitchCall, Position] | None:
        for call in self._distribution.all():
            if call.due and call.waits:
                free = [each for each in call.presented if each.automatic and each.state in _MAY_TAKE]
                if free:
                    return call, min(free, key=lambda each: each.idle_since)
        return None

    # Times

    def _later(self, call: SwitchCall, seconds: float, do: Callable[[SwitchCall], None]) -> None:
        timer = asyncio.get_running_loop().call_later(seconds, do, call)
        self._timers.setdefault(call, []).append(timer)

    def _reaction(self) -> float:
        if self._advisers is None:
            return self._after or 0.0
        span = self._advisers.reaction_s
        return self._shared.context.rng.uniform(span.least, span.most)

    def _drawn(self, mean: float) -> float:
        assert self._advisers is not None
        return mean if self._advisers.spread == "fixed" else self._shared.context.rng.expovariate(1 / mean)


def _fits(id_: str, pattern: str) -> bool:
    return id_.startswith(pattern[:-1]) if pattern.endswith("*") else id_ == pattern
