"""The interworking gateway as a whole: its joins, each with a TETRA terminal and an MCPTT user of its own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack

from harness.endpoints.media import MediaService
from harness.transport.context import Context
from harness.transport.tap import Address
from simulators.interworking.join import Join, TetraEnd
from simulators.interworking.settings import InterworkingSettings
from simulators.talkgroup_terminal import Permit


class InterworkingGateway:
    """One gateway; made by `start`, ended by `stop`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._stack = AsyncExitStack()

    @classmethod
    async def start(
        cls,
        context: Context,
        media: MediaService,
        settings: InterworkingSettings,
        *,
        name: str = "interworking",
        terminals: Mapping[str, TetraEnd],
        domain: str,
        server: Address,
        passwords: Mapping[str, str] | None = None,
        permit: Permit | None = None,
    ) -> InterworkingGateway:
        """Start it.

        Args:
            terminals: the TETRA terminals of its joins, by talkgroup; all of them.
            domain: of MCPTT IDs.
            server: where the MCPTT server takes SIP over UDP.
            passwords: of the server's users, for joins that name none.
            permit: asked before a terminal is keyed.

        Raises MediaError and TransportError; nothing stays up then.
        """
        gateway = cls(name)
        try:
            for each in settings.joins:
                own = each.password.get_secret_value() if each.password is not None else None
                join = Join(
                    context,
                    media,
                    f"{name}.{each.talkgroup}",
                    each,
                    terminals[each.talkgroup],
                    domain=domain,
                    server=server,
                    password=own if own is not None else (passwords or {}).get(each.user, ""),
                    permit=permit,
                )
                await join.start()
                gateway._stack.push_async_callback(join.stop)
        except BaseException:
            await gateway._stack.aclose()
            raise
        context.journal.record(name, "interworking.up", joins=len(settings.joins))
        return gateway

    async def stop(self) -> None:
        """Leave every talkgroup and every group."""
        await self._stack.aclose()
