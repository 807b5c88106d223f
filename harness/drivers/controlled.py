"""What drivers of simulated systems have in common: a link to the control interface, and its events in the journal."""

from __future__ import annotations

from typing import Any, Self

from harness.endpoints.control_link import ControlLink
from harness.errors import DriverError
from harness.journal import Event
from harness.transport.context import Context


class _Told:
    """A system whose events are journalled under the component's name."""

    def __init__(self, context: Context, name: str) -> None:
        self.name = name
        self._context = context
        self._journal = context.journal

    def _told(self, kind: str, data: dict[str, Any]) -> None:
        self._journal.record(self.name, kind, **data)

    async def expect(self, kind: str, *, within: float, after: int = 0, **with_: Any) -> Event:
        """Return the event that comes, or raise ExpectationError telling what did come."""
        return await self._journal.expect(self.name, kind, within=within, after=after, **with_)


class ControlledSimulator(_Told):
    """A simulated system as whoever runs it sees it."""

    def __init__(self, context: Context, name: str) -> None:
        super().__init__(context, name)
        self._link: ControlLink

    async def _connected(self, control: str, token: str | None) -> Self:
        """Connect to ``control`` (``http://host:port``). Raises DriverError."""
        self._link = await ControlLink.open(self._context, self.name, control, token, self._told)
        return self

    async def close(self) -> None:
        """Disconnect; again does nothing."""
        await self._link.close()


class SimulatedOrReal(_Told):
    """A system that may be a real one; a simulated one has a control interface, where it is made to fail."""

    def __init__(self, context: Context, name: str, *, kind: str) -> None:
        """``kind``: what its own entries in the journal begin with."""
        super().__init__(context, name)
        self._kind = kind
        self._link: ControlLink | None = None

    async def fail(self, fault: str = "down", *, seconds: float = 1.0) -> None:
        """Make it fail: ``down``, ``silent``, ``loses_answers``, ``errors`` or ``slow``. Raises DriverError."""
        self._journal.record(self.name, f"{self._kind}.failing", fault=fault)
        await self._simulated().ask("PUT", "/fault", {"fault": fault, "seconds": seconds})

    async def recover(self) -> None:
        """End the fault. Raises DriverError."""
        self._journal.record(self.name, f"{self._kind}.recovering")
        await self._simulated().ask("DELETE", "/fault")

    def _simulated(self) -> ControlLink:
        if self._link is None:
            raise DriverError(f"{self.name} is real: it is not made to fail from here")
        return self._link
