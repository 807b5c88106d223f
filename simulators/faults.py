"""Faults that a simulated service shows on demand, seen by those who ask it over HTTP."""

from __future__ import annotations

import asyncio
from enum import StrEnum

from fastapi import HTTPException, status

MAX_SECONDS = 600.0


class Fault(StrEnum):
    """What is wrong."""

    DOWN = "down"
    """Nothing listens: the machine is gone."""
    SILENT = "silent"
    """Requests are taken and never answered, nor acted on: the machine hangs."""
    LOSES_ANSWERS = "loses_answers"
    """Requests are acted on and the answer is lost on the way."""
    ERRORS = "errors"
    """Every request is answered 503."""
    SLOW = "slow"
    """Answers take longer."""


class Faults:
    """The fault that is on, if any, and what came."""

    def __init__(self) -> None:
        self.now: Fault | None = None
        self._changed = asyncio.Event()
        self.seconds = 0.0
        """How much longer answers take while it is SLOW."""
        self.taken = 0
        """Messages that were taken in, told again or not."""

    @property
    def shown(self) -> str | None:
        """The fault's name."""
        return None if self.now is None else self.now.value

    def set(self, fault: Fault | None, *, seconds: float) -> None:
        """Begin a fault, in place of one that is on, or end it; requests that were kept waiting get a 503."""
        self.now, self.seconds = fault, seconds
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _no_answer(self) -> None:
        await self._changed.wait()
        raise HTTPException(status.HTTP_503_SERVICE_UNAVAILABLE, "the fault has ended meanwhile")

    def took(self, count: int) -> None:
        """Count messages."""
        self.taken += count

    async def before(self) -> None:
        """What a request meets before it is acted on."""
        match self.now:
            case Fault.SILENT:
                await self._no_answer()
            case Fault.ERRORS:
                raise HTTPException(status.HTTP_503_SERVICE_UNAVAILABLE, "out of order")
            case Fault.SLOW:
                await asyncio.sleep(self.seconds)

    async def after(self) -> None:
        """What an answer meets on its way."""
        if self.now is Fault.LOSES_ANSWERS:
            await self._no_answer()
