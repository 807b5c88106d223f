"""The records database driver: its audit, and what whoever runs a simulated one can do to it."""

from __future__ import annotations

from typing import Any

from harness.drivers.controlled import ControlledSimulator
from harness.transport.context import Context


class RecordsDatabase(ControlledSimulator):
    """A simulated records database as its own auditor sees it.

    Events, under the component's name: ``check.accepted`` {reference, check, by, incident}, ``check.repeated``,
    ``fault`` and ``well``. Whom or what about is in the audit alone.
    """

    @classmethod
    async def open(cls, context: Context, name: str, *, control: str, token: str | None = None) -> RecordsDatabase:
        """Connect to a simulator (``http://host:port``). Raises DriverError."""
        return await cls(context, name)._connected(control, token)

    async def audit(self, **wanted: Any) -> list[dict[str, Any]]:
        """Return the checks that have these values, oldest first.

        Each has ``reference``, ``time``, ``kind``, ``subject``, ``reason``, ``by``, ``incident``, ``element`` and how
        often it was ``asked``.
        """
        found = [dict(each) for each in await self._link.ask("GET", "/audit")]
        return [each for each in found if all(each.get(key) == value for key, value in wanted.items())]

    async def fail(self, fault: str = "errors") -> None:
        """Make it fail: ``errors``, ``silent`` or ``loses_answers``. Raises DriverError."""
        self._journal.record(self.name, "records_database.failing", fault=fault)
        await self._link.ask("PUT", "/fault", {"fault": fault})

    async def recover(self) -> None:
        """End the fault. Raises DriverError."""
        self._journal.record(self.name, "records_database.recovering")
        await self._link.ask("DELETE", "/fault")
