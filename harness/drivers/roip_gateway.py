"""A simulated radio gateway, as whoever runs it sees it: its radios are made to fail, and come back."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from harness.endpoints.control_link import ControlClient
from harness.transport.context import Context


class RoipGatewayControl:
    """The gateway's control interface (docs/roip.md). What was made to fail is put right by ``close``.

    Events: ``radio.failed`` {radio}, ``radio.restored`` {radio}.
    """

    def __init__(self, context: Context, name: str, control: str, token: str | None = None) -> None:
        """`control`: ``http://host:port``."""
        self.name = name
        self._journal = context.journal
        self._control = ControlClient(name, control, token)
        self._failed: list[str] = []

    async def status(self) -> dict[str, Any]:
        """Radios, sessions, who keys, who talks. Raises DriverError."""
        return dict(await self._control.ask("GET", "/status"))

    async def fail(self, radio: str) -> None:
        """Let a radio fail as if its power were gone: its sessions fall silent, it takes none. Raises DriverError."""
        self._journal.record(self.name, "radio.failed", radio=radio)
        self._failed.append(radio)
        await self._control.ask("PUT", f"/radios/{quote(radio, safe='')}/fault", {"fault": "down"})

    async def restore(self, radio: str) -> None:
        """Let a radio be well again. Raises DriverError."""
        await self._control.ask("DELETE", f"/radios/{quote(radio, safe='')}/fault")
        self._journal.record(self.name, "radio.restored", radio=radio)
        self._failed = [each for each in self._failed if each != radio]

    async def close(self) -> None:
        """Restore what failed, and disconnect; again does nothing."""
        try:
            for radio in tuple(self._failed):
                await self.restore(radio)
        finally:
            await self._control.close()
