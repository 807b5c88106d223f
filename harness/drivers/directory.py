"""The directory driver: whoever keeps the phone book edits it; a simulated one can be made to fail."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from harness.drivers.controlled import ControlledSimulator
from harness.transport.context import Context


class Directory(ControlledSimulator):
    """A simulated directory.

    Events, under the component's name: ``entry.put`` {entry, version}, ``entry.removed``, ``fault`` and ``well``; and
    ``directory.edit`` {entry}, as the edit is made.
    """

    @classmethod
    async def open(cls, context: Context, name: str, *, control: str, token: str | None = None) -> Directory:
        """Connect to a simulator (``http://host:port``). Raises DriverError."""
        return await cls(context, name)._connected(control, token)

    async def entries(self) -> list[dict[str, Any]]:
        """Return all entries. Raises DriverError."""
        return list((await self._link.ask("GET", "/directory"))["entries"])

    async def put(self, id_: str, *, name: str, number: str, organisation: str = "", note: str = "") -> None:
        """Make or edit an entry. Raises DriverError for one that can't be."""
        self._journal.record(self.name, "directory.edit", entry=id_)
        body = {"name": name, "number": number, "organisation": organisation, "note": note}
        await self._link.ask("PUT", f"/entries/{quote(id_, safe='')}", body)

    async def remove(self, id_: str) -> None:
        """Take an entry out. Raises DriverError where there is none."""
        self._journal.record(self.name, "directory.edit", entry=id_)
        await self._link.ask("DELETE", f"/entries/{quote(id_, safe='')}")

    async def fail(self, fault: str = "errors") -> None:
        """Make the feed fail: ``errors``, ``silent`` or ``broken``. Raises DriverError."""
        self._journal.record(self.name, "directory.failing", fault=fault)
        await self._link.ask("PUT", "/fault", {"fault": fault})

    async def recover(self) -> None:
        """End the fault. Raises DriverError."""
        self._journal.record(self.name, "directory.recovering")
        await self._link.ask("DELETE", "/fault")
