"""A timer wheel on the loop's clock: thousands of SIP timers behind one loop timer."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from math import ceil
from typing import Any, Final

TICK: Final = 0.01
"""Seconds between two slots; a timer fires up to one tick late, never early."""


class Timer:
    """One timer that was set; `cancel` it, or it calls back once."""

    __slots__ = ("args", "callback")

    callback: Callable[..., None] | None
    args: tuple[Any, ...]

    def cancel(self) -> None:
        """Do not call back. The empty shell stays in its slot until the slot's time."""
        self.callback = None
        self.args = ()


class TimerWheel:
    """Slots by tick in a dictionary, and a heap of the ticks that have one; the loop wakes for the first only.

    Most SIP timers are cancelled long before they fire, so setting and cancelling must cost next to nothing; firing
    need not be exact to the millisecond.
    """

    __slots__ = ("_armed", "_handle", "_loop", "_slots", "_ticks", "_time")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._time = loop.time
        self._slots: dict[int, list[Timer]] = {}
        self._ticks: list[int] = []
        self._handle: asyncio.TimerHandle | None = None
        self._armed = 0

    def after(self, delay: float, callback: Callable[..., None], *args: Any) -> Timer:
        """Call `callback(*args)` in `delay` seconds; timers of one tick fire in the order they were set."""
        timer = Timer()
        timer.callback = callback
        timer.args = args
        tick = ceil((self._time() + delay) / TICK)
        slot = self._slots.get(tick)
        if slot is not None:
            slot.append(timer)
            return timer
        self._slots[tick] = [timer]
        heapq.heappush(self._ticks, tick)
        if self._handle is None or tick < self._armed:
            self._arm(tick)
        return timer

    def close(self) -> None:
        """Forget all timers."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._slots.clear()
        self._ticks.clear()

    def _arm(self, tick: int) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._armed = tick
        self._handle = self._loop.call_at(tick * TICK, self._turn)

    def _turn(self) -> None:
        self._handle = None
        # Loops wake up to a clock step early; a thousandth of a tick is taken for on time.
        now = (self._time() + TICK / 1000) / TICK
        while self._ticks and self._ticks[0] <= now:
            for timer in self._slots.pop(heapq.heappop(self._ticks)):
                callback = timer.callback
                if callback is not None:
                    timer.callback = None
                    try:
                        callback(*timer.args)
                    except Exception as error:
                        # A fault of our own side, in one timer, must not cost the others theirs.
                        told = {"message": "a SIP timer's work was not done", "exception": error}
                        self._loop.call_exception_handler(told)
        # A callback may have closed the wheel, or armed it for a tick that is not the first.
        if self._ticks and (self._handle is None or self._armed > self._ticks[0]):
            self._arm(self._ticks[0])
