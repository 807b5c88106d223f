"""How fast a playing goes on: it plays, is held before the next step, goes one step at a time, or at another speed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Literal

from harness.errors import PageError

Pacing = Literal["play", "pause", "step"]
SPEEDS: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
"""How many times as fast as a wall clock the scenario's clock may go."""


class Pace:
    """The gate before each step, and the scenario's clock between them; calls, speech and windows are a wall clock's.

    The clock stands while the gate is shut.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        """``changed`` is called when a step begins to wait."""
        self._changed = changed
        self.pacing: Pacing = "play"
        self.held_before: str | None = None
        """The step that waits, as a person reads it."""
        self.speed = 1.0
        """One of SPEEDS."""
        self.speeds: list[float] = []
        """Those at which a step was waited for, each once."""
        self._open = asyncio.Event()
        self._open.set()
        self._turned = asyncio.Event()

    def set(self, pacing: Pacing) -> None:
        """Play on, hold before the next step, or let one step pass and hold then."""
        self.pacing = pacing
        if pacing == "pause":
            self._open.clear()
        else:
            self._open.set()

    def turn(self, speed: object) -> None:
        """Let the scenario's clock go so many times as fast, from now on. Raises PageError for none of SPEEDS."""
        if isinstance(speed, bool) or not isinstance(speed, int | float) or speed not in SPEEDS:
            raise PageError(f"a speed is one of {', '.join(f'{each:g}' for each in SPEEDS)}")
        self.speed = float(speed)
        self._turned.set()

    async def gate(self, told: str) -> None:
        """Wait until the step may be played."""
        if not self._open.is_set():
            self.held_before = told
            self._changed()
            try:
                await self._open.wait()
            finally:
                self.held_before = None
        if self.pacing == "step":
            self._open.clear()

    async def wait(self, seconds: float) -> None:
        """Wait so many seconds of the scenario's clock, at whatever speeds it goes meanwhile."""
        loop = asyncio.get_running_loop()
        while seconds > 0:
            speed, began = self.speed, loop.time()
            if speed not in self.speeds:
                self.speeds.append(speed)
            self._turned.clear()
            try:
                async with asyncio.timeout(seconds / speed):
                    await self._turned.wait()
            except TimeoutError:
                return
            seconds -= (loop.time() - began) * speed
