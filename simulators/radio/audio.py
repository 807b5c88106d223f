"""Who hears whom: carries the floor's changes to the media service, in order, one after the other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from harness.endpoints.media import MediaPort
from harness.errors import HarnessError
from harness.journal import Journal
from simulators.radio.terminal import SimulatedTerminal

MAX_CHANGES = 10_000
"""Changes that may wait for the media service."""


@dataclass(frozen=True, slots=True)
class _Change:
    listeners: tuple[SimulatedTerminal, ...]
    talker: SimulatedTerminal | None
    then: Callable[[], None] | None


class AudioPaths:
    """The voice paths of all calls. Without media, changes are carried out in name only."""

    def __init__(self, journal: Journal, name: str, *, media: bool) -> None:
        self._journal = journal
        self._name = name
        self._loop = asyncio.get_running_loop()
        self._changes: asyncio.Queue[_Change] = asyncio.Queue(MAX_CHANGES)
        self._worker = self._loop.create_task(self._work(), name=f"{name} audio paths") if media else None
        """None without media: then there is nothing to wait for, and what follows a change follows at once."""
        self._following: deque[Callable[[], None]] = deque()
        """What follows the changes of this turn of the loop, without media."""

    def connect(
        self,
        listeners: Iterable[SimulatedTerminal],
        talker: SimulatedTerminal | None,
        then: Callable[[], None] | None = None,
    ) -> None:
        """Let `listeners` hear `talker` alone, or nobody; `then` is called when it is so."""
        if self._worker is None:
            if then is not None:
                if not self._following:
                    self._loop.call_soon(self._follow)
                self._following.append(then)
            return
        try:
            self._changes.put_nowait(_Change(tuple(listeners), talker, then))
        except asyncio.QueueFull:
            self._journal.warn(self._name, "net.audio_overrun", waiting=MAX_CHANGES)

    def _follow(self) -> None:
        try:
            while self._following:
                self._following.popleft()()
        finally:
            if self._following:  # one has failed, which is no reason for the next
                self._loop.call_soon(self._follow)

    async def _work(self) -> None:
        while True:
            change = await self._changes.get()
            source = None if change.talker is None else change.talker.jack
            listeners = [each for each in change.listeners if each.jack is not None and each is not change.talker]
            if listeners:
                await asyncio.gather(*(self._let_hear(listener, source) for listener in listeners))
            if change.then is not None:
                change.then()

    async def _let_hear(self, listener: SimulatedTerminal, source: MediaPort | None) -> None:
        assert listener.jack is not None
        try:
            await (listener.jack.hear() if source is None else listener.jack.hear(source))
        except HarnessError as error:
            self._journal.warn(self._name, "net.audio_failed", terminal=listener.name, why=str(error))

    async def stop(self) -> None:
        """Stop carrying changes out."""
        self._following.clear()
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
