"""When advisers are available: breaks, which they take, and wrap-up, which follows a call by itself."""

from __future__ import annotations

import asyncio

from simulators.iccs.distribution import Distribution
from simulators.iccs.positions import AdviserState, Position, PositionError
from simulators.iccs.shared import Shared


class Duty:
    """All advisers' duty."""

    def __init__(self, shared: Shared, distribution: Distribution) -> None:
        self._positions = shared.positions
        self._distribution = distribution
        self._wrap_ups: dict[Position, asyncio.TimerHandle] = {}

    def wrap_up(self, position: Position, seconds: float) -> None:
        """An adviser writes up a call; then, and at once where that takes no time, the next may come."""
        if seconds and position.at_work:
            self._end_wrap_up(position)
            position.wraps_up = True
            self._wrap_ups[position] = asyncio.get_running_loop().call_later(seconds, self.ready, position)
        self._positions.settle(position)

    def ready(self, position: Position) -> None:
        """An adviser is available, whatever was before."""
        self._end_wrap_up(position)
        was, position.on_break = position.on_break, False
        self._positions.settle(position)
        if was:
            self._distribution.poke()

    def rest(self, position: Position) -> None:
        """An adviser goes on break, now or after the call in hand; what is offered to it goes to the next."""
        self._end_wrap_up(position)
        position.on_break = True
        self._distribution.busy(position)
        self._positions.settle(position)

    def set(self, position: Position, state: str) -> None:
        """Go ``available`` or on ``break``. Raises PositionError for what an adviser can't choose."""
        if state == AdviserState.AVAILABLE:
            self.ready(position)
        elif state == AdviserState.BREAK:
            self.rest(position)
        else:
            raise PositionError(f"an adviser goes available or on break, not {state!r}")

    def gone(self, position: Position) -> None:
        """Nobody is at work there any more."""
        self._end_wrap_up(position)
        position.on_break = False
        self._distribution.busy(position)
        self._positions.settle(position)

    def stop(self) -> None:
        """End every wrap-up."""
        for position in tuple(self._wrap_ups):
            self._end_wrap_up(position)

    def _end_wrap_up(self, position: Position) -> None:
        timer = self._wrap_ups.pop(position, None)
        if timer is not None:
            timer.cancel()
        position.wraps_up = False
