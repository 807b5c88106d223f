"""Asks the ICCS's gateways time and again whether they are there: one whose power fails leaves its serial line up.

Theory. Nothing comes from a terminal while its gateway transmits, so that silence alone tells nothing. It is asked
something that does nothing (a terminal `AT`); one that gives no answer in time is taken for lost, as if its line had
gone. One that transmits is asked so often that whoever keys it is told within a second (NICCS-RES-004).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Final

from simulators.iccs.gateway import Gateway
from simulators.iccs.talkgroup_ways.way import SILENT

EVERY_S: Final = 10.0
"""Seconds from an answer to the next question."""
ANSWER_S: Final = 2.0
"""Seconds within which the answer is due."""
KEYED_EVERY_S: Final = 0.2
"""The same of one that transmits."""
KEYED_ANSWER_S: Final = 0.6
"""That a terminal answers as soon as this while it transmits is unconfirmed of real ones."""

Spawn = Callable[[Coroutine[None, None, None]], asyncio.Task[None]]


class GatewayWatch:
    """Watches the gateways that it is told of, each until its way is lost."""

    def __init__(self, spawn: Spawn) -> None:
        self._spawn = spawn
        self._next: dict[Gateway, asyncio.TimerHandle] = {}

    def begin(self, gateway: Gateway) -> None:
        """Watch a gateway whose way is open; one that is watched already is looked at by its present use."""
        before = self._next.pop(gateway, None)
        if before is not None:
            before.cancel()
        every = KEYED_EVERY_S if gateway.keys else EVERY_S
        self._next[gateway] = asyncio.get_running_loop().call_later(every, self._look, gateway)

    def end(self, gateway: Gateway) -> None:
        """Watch it no more."""
        timer = self._next.pop(gateway, None)
        if timer is not None:
            timer.cancel()

    def stop(self) -> None:
        """Watch none."""
        for gateway in tuple(self._next):
            self.end(gateway)

    def _look(self, gateway: Gateway) -> None:
        self._spawn(self._ask(gateway, self._next[gateway]))

    async def _ask(self, gateway: Gateway, turn: asyncio.TimerHandle) -> None:
        within = KEYED_ANSWER_S if gateway.keys else ANSWER_S
        there = await gateway.way.is_there(within=within)
        if self._next.get(gateway) is not turn:
            return  # its way was lost meanwhile, or it is asked anew since it was keyed
        if there:
            self.begin(gateway)
        else:
            gateway.way.give_up(SILENT)
