"""The command-and-control driver: its operator's terminal, and what whoever runs a simulated one can do to it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from harness.drivers.controlled import ControlledSimulator
from harness.transport.context import Context


class CommandControl(ControlledSimulator):
    """A simulated command-and-control system, as its own operator sees it.

    Events, under the component's name: ``incident.opened`` {about, reference}, ``incident.noted``,
    ``incident.handed_over``, ``incident.closed``, ``incident.transferred``, ``unit.state`` {about, state},
    ``entry.repeated`` and ``entry.rejected`` {entry, about, reason}, ``fault`` and ``well``. ``about`` is the name
    under which the control room told of an incident: its ``shared_as``.
    """

    @classmethod
    async def open(cls, context: Context, name: str, *, control: str, token: str | None = None) -> CommandControl:
        """Connect to a simulator's control interface (``http://host:port``). Raises DriverError."""
        return await cls(context, name)._connected(control, token)

    # What it knows

    async def status(self) -> dict[str, Any]:
        """Its shape, the fault, incidents; for each origin how many entries, the last number, how many are missing."""
        return dict(await self._link.ask("GET", "/status"))

    async def incidents(self) -> list[dict[str, Any]]:
        """The newest incidents, without their logs."""
        return list(await self._link.ask("GET", "/incidents"))

    async def incident(self, shared_as: str) -> dict[str, Any]:
        """One incident with its log. Raises DriverError where there is none."""
        return dict(await self._link.ask("GET", f"/incidents/{quote(shared_as, safe='')}"))

    async def unit(self, call_sign: str) -> dict[str, Any]:
        """One unit: its radio, state and who said so. Raises DriverError where there is none."""
        return dict(await self._link.ask("GET", f"/units/{quote(call_sign, safe='')}"))

    # What its operator does

    async def set_unit_state(self, call_sign: str, state: str) -> None:
        """Set a unit's state; control rooms are told. Raises DriverError."""
        self._journal.record(self.name, "command_control.set_unit", call_sign=call_sign, state=state)
        await self._link.ask("PUT", f"/units/{quote(call_sign, safe='')}/state", {"state": state})

    async def write(self, shared_as: str, text: str) -> None:
        """Write a line into an incident's log; control rooms are told. Raises DriverError."""
        self._journal.record(self.name, "command_control.write", about=shared_as)
        await self._link.ask("POST", f"/incidents/{quote(shared_as, safe='')}/log", {"text": text})

    # As whoever makes it fail

    async def fail(self, fault: str = "down", *, seconds: float = 1.0) -> None:
        """Make it fail: ``down``, ``silent``, ``loses_answers``, ``errors`` or ``slow``. Raises DriverError."""
        self._journal.record(self.name, "command_control.failing", fault=fault)
        await self._link.ask("PUT", "/fault", {"fault": fault, "seconds": seconds})

    async def recover(self) -> None:
        """End the fault. Raises DriverError."""
        self._journal.record(self.name, "command_control.recovering")
        await self._link.ask("DELETE", "/fault")
