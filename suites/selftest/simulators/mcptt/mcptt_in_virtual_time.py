"""An MCPTT server and terminals for the tests beside it, on one virtual network."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from harness.endpoints.mcptt import GroupCall, McpttTerminal
from harness.endpoints.media import MediaService, open_media
from harness.journal import Event
from harness.transport.context import Context
from simulators.mcptt.server import McpttServer
from simulators.mcptt.settings import McpttSettings

GROUP = "sip:GD-OPS-1@mcptt.example"
USERS = ("officer-1", "officer-2", "officer-3", "dispatcher")


class Network:
    """A server, and terminals that it knows."""

    def __init__(self, context: Context, media: MediaService, server: McpttServer, stack: AsyncExitStack) -> None:
        self.context, self.media, self.server = context, media, server
        self._stack = stack

    async def terminal(self, user: str, *, registers: bool = False, **options: Any) -> McpttTerminal:
        """Somebody's terminal."""
        terminal = await McpttTerminal.open(
            self.context, self.media, user, user=f"sip:{user}@mcptt.example", server=self.server.sip_address, **options
        )
        self._stack.push_async_callback(terminal.close)
        if registers:
            await terminal.register()
        return terminal

    async def joined(self, user: str, **options: Any) -> GroupCall:
        """Somebody in the group's call, once the server has them in it."""
        call = await (await self.terminal(user)).call(GROUP, **options)
        await self.expect("mcptt", "group.joined", user=user)
        return call

    def told(self, source: str, kind: str) -> list[Event]:
        """What was journalled so far."""
        return [event for event in self.context.journal if (event.source, event.kind) == (source, kind)]

    async def expect(self, source: str, kind: str, *, within: float = 2.0, after: int = 0, **data: Any) -> Event:
        """Wait for an event."""
        return await self.context.journal.expect(source, kind, within=within, after=after, **data)


@asynccontextmanager
async def network(layout: dict[str, Any] | None = None) -> AsyncIterator[Network]:
    """A server with four users and two groups; `layout`: more of its settings."""
    async with AsyncExitStack() as stack:
        context = Context.create(seed=1)
        media = await open_media(context, in_process=True)
        stack.push_async_callback(media.close)
        inner = await open_media(context, in_process=True)
        stack.push_async_callback(inner.close)
        settings = McpttSettings.model_validate(
            {
                "users": [{"name": user} for user in USERS],
                "groups": [{"name": "GD-OPS-1"}, {"name": "GD-OPS-2", "members": ["officer-1"]}],
                **(layout or {}),
            }
        )
        server = await McpttServer.start(context, inner, settings)
        stack.push_async_callback(server.stop)
        yield Network(context, media, server, stack)
