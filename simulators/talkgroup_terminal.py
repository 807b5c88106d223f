"""A TETRA terminal that a gateway keeps on one talkgroup: in service, its floor as wanted, who talks there told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final, Protocol

from harness.endpoints.pei import TerminalEquipment
from harness.errors import HarnessError, PeiLocalError
from harness.journal import Event
from harness.protocols.pei.codes import Grant
from harness.transport.context import Context

REOPEN_S: Final = 2.0
"""Seconds between attempts to open the terminal's line again, and between questions whether it is there."""
ANSWER_S: Final = 1.0
"""Seconds within which it answers that: one whose power fails leaves its line up."""
QUEUED_S: Final = 30.0
"""Seconds for which a request that the network has queued is let wait."""

Permit = Callable[[str, str, int], None]


class FloorUser(Protocol):
    """Whoever uses the terminal, as it calls them."""

    def granted(self) -> None:
        """What was asked for is on air."""

    def queued(self) -> None:
        """It waits for another to stop; nothing is on air meanwhile."""

    def refused(self, why: str) -> None:
        """It is not, or no longer."""

    def receiving(self, talker: str | None) -> None:
        """Somebody talks on the talkgroup, or nobody does."""


class TalkgroupTerminal:
    """One terminal on one talkgroup, by its serial line."""

    def __init__(
        self,
        context: Context,
        name: str,
        *,
        serial: str,
        baud: int,
        gssi: int,
        permit: Permit | None,
        user: FloorUser,
    ) -> None:
        self.name = name
        """The source of the terminal's events."""
        self.hears = False
        """Whether somebody else talks on the talkgroup."""
        self._context = context
        self._journal = context.journal
        self._loop = asyncio.get_running_loop()
        self._serial, self._baud, self._gssi = serial, baud, gssi
        self._permit = permit
        self._user = user
        self._terminal: TerminalEquipment | None = None
        self._in_service = False
        self._wanted: int | None = None
        """The call priority with which the floor is wanted; None: it is not."""
        self._cc: int | None = None
        """The call in which the floor is ours."""
        self._changed = asyncio.Event()
        self._forget: Callable[[], None] = lambda: None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Open the line; one that can't be had is tried again."""
        self._forget = self._journal.subscribe(self._reported)
        await self._bring_up()
        self._tasks = [
            self._loop.create_task(work, name=f"{self.name} {what}")
            for what, work in (("line", self._keep_line()), ("floor", self._floor()))
        ]

    async def stop(self) -> None:
        """Let go and close the line."""
        self._forget()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._terminal is not None:
            if self._cc is not None and self._terminal.lost is None:
                with contextlib.suppress(PeiLocalError):
                    await self._terminal.unkey(self._cc)
            self._terminal.close()

    @property
    def holds(self) -> bool:
        """Whether the floor is ours."""
        return self._cc is not None

    # The line

    async def _bring_up(self) -> None:
        try:
            if self._terminal is None:
                self._terminal = await TerminalEquipment.open(
                    self._context, self.name, self._serial, baud=self._baud, permit=self._permit
                )
            await self._terminal.into_service(self._gssi)
        except HarnessError as error:
            self._journal.warn(self.name, "terminal.out_of_service", why=str(error))
            return
        self._in_service = True
        self._journal.record(self.name, "terminal.in_service", gssi=self._gssi)

    async def _keep_line(self) -> None:
        while True:
            await asyncio.sleep(REOPEN_S)
            if self._terminal is not None and self._in_service and not await self._terminal.is_there(within=ANSWER_S):
                self._terminal.give_up("it does not answer")
            if self._terminal is None or self._terminal.lost is not None or not self._in_service:
                await self._bring_up()

    # The floor

    def want(self, priority: int | None) -> None:
        """Ask for the floor with a call priority, 0-15, or with None give it back."""
        if priority != self._wanted:
            self._wanted = priority
            self._changed.set()

    async def _floor(self) -> None:
        """Bring what is held to what is wanted, one step after the other."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._wanted is not None and self._cc is None:
                await self._take(self._wanted)
            elif self._wanted is None and self._cc is not None:
                cc, self._cc = self._cc, None
                await self._give(cc)

    async def _take(self, priority: int) -> None:
        """Ask until the floor is given, refused, not wanted, or wanted more urgently: asking is then taken back."""
        asking = self._loop.create_task(self._ask(priority))
        changed = self._loop.create_task(self._changed.wait())
        try:
            while not asking.done() and self._stands(priority):
                await asyncio.wait((asking, changed), return_when=asyncio.FIRST_COMPLETED)
                if changed.done() and self._stands(priority) and not asking.done():
                    self._changed.clear()
                    changed = self._loop.create_task(self._changed.wait())
        finally:
            changed.cancel()
            if not asking.done():
                asking.cancel()
            await asyncio.gather(asking, changed, return_exceptions=True)
        if asking.cancelled():
            if self._wanted is not None:
                self._changed.set()
            return
        error = asking.exception()
        if isinstance(error, HarnessError):
            self._user.refused(str(error))
        elif error is not None:
            raise error
        elif self._wanted is None:
            self._changed.set()  # granted just as it was let go
        else:
            self._user.granted()

    def _stands(self, priority: int) -> bool:
        """Whether what is asked for with this priority is what is wanted, or more."""
        return self._wanted is not None and self._wanted <= priority

    async def _ask(self, priority: int) -> None:
        terminal = self._terminal
        if terminal is None or not self._in_service:
            raise PeiLocalError(f"{self.name}: out of service")
        outcome = await terminal.key(self._gssi, priority=priority)
        if outcome.grant is Grant.QUEUED:
            self._user.queued()
            outcome = await terminal.granted(outcome.cc, within=QUEUED_S)
        if not outcome.granted:
            raise PeiLocalError(outcome.grant.text + (f"; {outcome.talker} talks" if outcome.talker else ""))
        self._cc = outcome.cc

    async def _give(self, cc: int) -> None:
        if self._terminal is None or self._terminal.lost is not None:
            return
        try:
            await self._terminal.unkey(cc)
        except PeiLocalError as error:
            self._journal.warn(self.name, "terminal.unkey_failed", why=str(error))

    def _lose(self, cc: object, why: str) -> None:
        if self._cc is not None and cc == self._cc:
            self._cc = None
            self._user.refused(why)

    def _reported(self, event: Event) -> None:
        if event.source != self.name:
            return
        data = event.data
        match event.kind:
            case "radio.talker":
                self._lose(data.get("cc"), f"pre-empted by {data.get('issi')}")
                self._talks(str(data.get("issi")))
            case "radio.ceased":
                self._lose(data.get("cc"), "the network ended the transmission")
                self._talks(None)
            case "radio.released":
                self._lose(data.get("cc"), f"the call was released: {data.get('cause')}")
                self._talks(None)
            case "pei.lost":
                self._in_service = False
                self._lose(self._cc, "the terminal's line is gone")
                self._talks(None)

    def _talks(self, who: str | None) -> None:
        if self.hears or who is not None:
            self.hears = who is not None
            self._user.receiving(who)
