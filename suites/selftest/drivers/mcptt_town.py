"""An MCPTT server and handsets as drivers have them, with an interlock that tests make refuse."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from harness.drivers.mcptt import McpttRadio
from harness.endpoints.media import open_media
from harness.errors import InterlockError
from harness.transport.context import Context
from simulators.mcptt.server import McpttServer
from simulators.mcptt.settings import McpttSettings

DOMAIN = "mcptt.example"


class Town:
    def __init__(self, context: Context, server: McpttServer) -> None:
        self.context, self.server = context, server
        self.radios: list[McpttRadio] = []
        self.refused: set[str] = set()
        """What the interlock refuses."""
        self.asked: list[tuple[str, str]] = []

    def permit(self, what: str, target: str, _priority: int) -> None:
        self.asked.append((what, target))
        if what in self.refused:
            raise InterlockError(f"{what} {target} is not allowed")


@asynccontextmanager
async def mcptt_town(
    layout: dict[str, Any], names: Sequence[str], *, registers: bool = True, **options: Any
) -> AsyncIterator[Town]:
    """A server of that layout and handsets of those users; ``options``: of `McpttRadio.open`."""
    async with AsyncExitStack() as stack:
        context = Context.create(seed=1)
        media = await open_media(context, in_process=True)
        stack.push_async_callback(media.close)
        inner = await open_media(context, in_process=True)
        stack.push_async_callback(inner.close)
        server = await McpttServer.start(context, inner, McpttSettings.model_validate(layout))
        stack.push_async_callback(server.stop)
        town = Town(context, server)
        for name in names:
            radio = await McpttRadio.open(
                context,
                media,
                name,
                user=name,
                domain=DOMAIN,
                server=server.sip_address,
                permit=town.permit,
                **options,
            )
            stack.push_async_callback(radio.close)
            if registers:
                await radio.register()
            town.radios.append(radio)
        yield town
