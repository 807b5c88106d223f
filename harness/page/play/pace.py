"""How fast a playing goes on: it plays, is held before the next step, or goes one step at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal

Pacing = Literal["play", "pause", "step"]


class Pace:
    """The gate before each step: the scenario's clock stands while it is shut; calls and speech go on."""

    def __init__(self, changed: Callable[[], None]) -> None:
        """``changed`` is called when a step begins to wait."""
        self._changed = changed
        self.pacing: Pacing = "play"
        self.held_before: str | None = None
        """The step that waits, as a person reads it."""
        self._open = asyncio.Event()
        self._open.set()

    def set(self, pacing: Pacing) -> None:
        """Play on, hold before the next step, or let one step pass and hold then."""
        self.pacing = pacing
        if pacing == "pause":
            self._open.clear()
        else:
            self._open.set()

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
