"""Keys of one leg that the switch itself waits for: a PIN, a choice from a menu."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from simulators.switch.ends import Who
from simulators.switch.leg import Leg

if TYPE_CHECKING:
    from simulators.switch.core import Core

MAX_KEYS: Final = 32
"""Keys that were pressed and wait to be looked at; more are dropped."""


class Keypad:
    """The keys of a leg, for as long as it is joined to nothing else."""

    def __init__(self, leg: Leg, core: Core) -> None:
        self.leg = leg
        self.core = core
        self._keys: asyncio.Queue[str] = asyncio.Queue(MAX_KEYS)
        leg.joined = self

    async def next(self, *, within: float) -> str:
        """The next key; empty where none comes in time, or the leg is over."""
        if self.leg.is_over:
            return ""
        try:
            async with asyncio.timeout(within):
                return await self._keys.get()
        except TimeoutError:
            return ""

    async def number(self, *, within: float) -> str:
        """The digits up to the next #, or what came in time."""
        digits = ""
        loop = asyncio.get_running_loop()
        until = loop.time() + within
        while len(digits) < MAX_KEYS:
            key = await self.next(within=max(0.0, until - loop.time()))
            if key in ("", "#"):
                break
            digits += key
        return digits

    # leg.Joined

    def partner_of(self, leg: Leg) -> Who:
        """The switch."""
        return Who(leg.call.called if leg.call is not None else "", "Switch")

    def changed(self, leg: Leg) -> None:
        """Whoever is on hold hears nothing anyway."""

    def left(self, leg: Leg) -> None:
        """It hung up."""
        if self._keys.empty():
            self._keys.put_nowait("")
        if leg.call is not None:
            self.core.call_over(leg.call)

    def key(self, leg: Leg, digit: str) -> None:
        """A key was pressed."""
        if not self._keys.full():
            self._keys.put_nowait(digit)

    def replace(self, old: Leg, new: Leg) -> None:
        """Another leg presses on."""
        self.leg = new
        new.joined, new.call = self, old.call
        old.joined = None

    def release(self, leg: Leg) -> None:
        """It goes elsewhere."""
        leg.joined = None
