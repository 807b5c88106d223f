"""What drivers of simulated systems have in common: a link to the control interface, and its events in the journal."""

from __future__ import annotations

from typing import Any, Self

from harness.endpoints.control_link import ControlLink
from harness.journal import Event
from harness.transport.context import Context


class ControlledSimulator:
    """A simulated system as whoever runs it sees it. Its events are journalled under the component's name."""

    def __init__(self, context: Context, name: str) -> None:
        self.name = name
        self._context = context
        self._journal = context.journal
        self._link: ControlLink

    async def _connected(self, control: str, token: str | None) -> Self:
        """Connect to ``control`` (``http://host:port``). Raises DriverError."""
        self._link = await ControlLink.open(self._context, self.name, control, token, self._told)
        return self

    def _told(self, kind: str, data: dict[str, Any]) -> None:
        self._journal.record(self.name, kind, **data)

    async def close(self) -> None:
        """Disconnect; again does nothing."""
        await self._link.close()

    async def expect(self, kind: str, *, within: float, after: int = 0, **with_: Any) -> Event:
        """Return the event that comes, or raise ExpectationError telling what did come."""
        return await self._journal.expect(self.name, kind, within=within, after=after, **with_)
