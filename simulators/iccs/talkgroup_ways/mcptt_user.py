"""A user of an MCPTT server as which the ICCS works one group or several: registered once, by one terminal.

What comes to it beside speech, places, texts and statuses, is told as a radio's: under the line of the group that it is
for, or else the user's first line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from harness.endpoints.mcptt import McpttTerminal
from harness.endpoints.media import MediaService
from harness.journal import Event
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
        self._groups: dict[str, str] = {}
        """The line's name of each group that is worked, by MCPTT ID."""
        self._on_lost: list[Callable[[], None]] = []
        """What is to be called once the server is lost."""
        self._forget: Callable[[], None] = lambda: None
        self._terminal: McpttTerminal | None = None
        self._coming = asyncio.Lock()

    def works(self, line: McpttLine, lost: Callable[[], None]) -> None:
        """Take calls and messages of a line's group; ``lost`` is called when the server is."""
        self._groups[self._id(line.group)] = line.name
        self._on_lost.append(lost)

    def serves(self, mcptt_id: str) -> bool:
        """Whether a user is one of the same server."""
        return mcptt_id.endswith(f"@{self._line.domain}")

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
            self._forget = self._context.journal.subscribe(self._told)
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
            terminal.private.answers = False  # nobody is told of a call that comes to the control room
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
            for lost in self._on_lost:
                lost()

    async def close(self) -> None:
        """Leave all calls and close everything; again does nothing."""
        async with self._coming:
            await self._switch_off()

    async def _switch_off(self) -> None:
        self._forget()
        self._forget = lambda: None
        terminal, self._terminal = self._terminal, None
        if terminal is not None:
            await terminal.close()

    def _told(self, event: Event) -> None:
        """A message came to the terminal."""
        if event.source != self.name:
            return
        data = event.data
        match event.kind:
            case "location.told":
                self._report(None, "location.received", str(data["user"]), lat=data["lat"], lon=data["lon"])
            case "mcdata.received" if data["status"] is not None:
                self._report(data["group"], "status.received", str(data["user"]), value=data["status"])
            case "mcdata.received" if data["text"] is not None:
                self._report(data["group"], "sds.received", str(data["user"]), text=data["text"])

    def _report(self, group: str | None, kind: str, user: str, **data: Any) -> None:
        line = self._line.name if group is None else self._groups.get(self._id(group))
        if line is not None:  # a group that is not worked is not listened to either
            self._context.journal.record(line, kind, mcptt_id=self._id(user), **data)

    def _id(self, name: str) -> str:
        return f"sip:{name}@{self._line.domain}"


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
