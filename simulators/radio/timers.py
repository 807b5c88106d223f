"""What is under way in a call, each thing by its name: begun after a delay that is drawn, begun anew, or dropped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

from simulators.radio.config import Delay


class Timers:
    """Of one call; at most one of each name."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._loop = asyncio.get_running_loop()
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def __contains__(self, what: str) -> bool:
        return what in self._timers

    def after(self, what: str, delay: Delay | float, act: Callable[[], None]) -> None:
        """Do it after a delay (seconds, or drawn); one of that name that is under way is dropped."""
        self.cancel(what)
        wait = delay if isinstance(delay, float | int) else delay.draw(self._rng)

        def run() -> None:
            self._timers.pop(what, None)
            act()

        self._timers[what] = self._loop.call_later(wait, run)

    def cancel(self, what: str) -> None:
        """Drop it, where it is under way."""
        timer = self._timers.pop(what, None)
        if timer is not None:
            timer.cancel()

    def stop(self) -> None:
        """Drop all."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
