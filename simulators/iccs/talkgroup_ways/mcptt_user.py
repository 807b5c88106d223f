"""A user of an MCPTT server as which the ICCS works one group or several: registered once, by one terminal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from harness.endpoints.mcptt import McpttTerminal
from harness.endpoints.media import MediaService
from harness.transport.context import Context
from harness.transport.tap import Address
from simulators.iccs.talkgroup_ways.lines import McpttLine
from simulators.iccs.talkgroup_ways.way import PLAYOUT_MS

REGISTERED_S = 300
"""Seconds for which a registration is asked for; it is renewed before."""


class McpttUser:
    """One user: what the floor tells is journalled under its name, with the group."""

    def __init__(self, context: Context, media: MediaService, line: McpttLine) -> None:
        self.name = line.terminal
        self.id = f"sip:{line.user}@{line.domain}"
        self.lost: str | None = None
        """Why the server is taken for lost."""
        self._context = context
        self._media = media
        self._line = line
        self._groups: dict[str, Callable[[], None]] = {}
        """What is to be called for each group that is worked once the server is lost."""
        self._terminal: McpttTerminal | None = None
        self._coming = asyncio.Lock()

    def works(self, group: str, lost: Callable[[], None]) -> None:
        """Take calls of a group, by its MCPTT ID; ``lost`` is called when the server is."""
        self._groups[group] = lost

    @property
    def terminal(self) -> McpttTerminal | None:
        """Its terminal, once it was registered; None before, and while the server is lost."""
        return self._terminal if self.lost is None else None

    async def register(self) -> McpttTerminal:
        """Be registered: nothing is done where that is so. Raises HarnessError."""
        async with self._coming:
            if self._terminal is not None and self.lost is None:
                return self._terminal
            await self._switch_off()
            line = self._line
            terminal = await McpttTerminal.open(
                self._context,
                self._media,
                self.name,
                user=self.id,
                server=line.server,
                host=line.local,
                priority=line.priority,
            )
            terminal.groups, terminal.playout_ms = frozenset(self._groups), PLAYOUT_MS
            try:
                await terminal.register(line.password, expires=REGISTERED_S)
            except BaseException:
                await terminal.close()
                raise
            self._terminal, self.lost = terminal, None
            return terminal

    def give_up(self, why: str) -> None:
        """Take the server for lost; again does nothing."""
        if self.lost is None and self._terminal is not None:
            self.lost = f"its MCPTT server: {why}"
            for lost in self._groups.values():
                lost()

    async def close(self) -> None:
        """Leave all calls and close everything; again does nothing."""
        async with self._coming:
            await self._switch_off()

    async def _switch_off(self) -> None:
        terminal, self._terminal = self._terminal, None
        if terminal is not None:
            await terminal.close()


class McpttUsers:
    """Those of one ICCS, each made once."""

    def __init__(self, context: Context, media: MediaService) -> None:
        self._context = context
        self._media = media
        self._users: dict[tuple[Address, str], McpttUser] = {}

    def of(self, line: McpttLine) -> McpttUser:
        """The user of a line."""
        whose = line.server, line.user
        if whose not in self._users:
            self._users[whose] = McpttUser(self._context, self._media, line)
        return self._users[whose]
