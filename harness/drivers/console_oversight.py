"""What a supervisor does at a console: listens in at other positions, and changes the talkgroup plan."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any


class Oversight(ABC):
    """The supervisor's part of a console.

    Events: ``oversight.began`` and ``oversight.ended`` {by, of, how, reason} at both positions, ``call.barged`` {by,
    parties} at those in the call, ``plan.changed`` {by, talkgroups} at the position whose plan it is.
    """

    @abstractmethod
    async def _act(self, action: str, path: str | None = None, **body: Any) -> dict[str, Any]:
        """Note what the operator does, then do it. Raises DriverError."""

    @abstractmethod
    async def _look(self, path: str) -> dict[str, Any]:
        """Return what the control interface shows under ``/v1/{path}``. Raises DriverError."""

    position: str

    async def monitor(self, position: str) -> None:
        """Hear what is said at a position, in its calls. Raises DriverError with the ICCS's reason."""
        await self._act("oversee", position=position, how="monitor")

    async def whisper(self, position: str) -> None:
        """As `monitor`, and whoever sits there hears this position; the caller does not. Raises DriverError."""
        await self._act("oversee", position=position, how="whisper")

    async def barge(self, position: str) -> None:
        """Come into the call at a position, heard by all in it; `leave` goes out of it. Raises DriverError."""
        await self._act("oversee", position=position, how="barge")

    async def end_oversight(self) -> None:
        """Listen in no more. Raises DriverError where this position does not."""
        await self._act("end_oversight", "oversee/end")

    async def layout(self) -> dict[str, Any]:
        """Return what this console shows by its role: ``role``, ``panels`` from the most important on."""
        return await self._look(f"positions/{self.position}/layout")

    async def change_plan(self, position: str, talkgroups: Sequence[str], *, approver: str, why: str) -> dict[str, Any]:
        """Give a position other talkgroups to work; return it as it is shown then.

        ``approver``: the position of somebody else with the right to it. Raises DriverError with the ICCS's reason.
        """
        return await self._act(
            "change_plan", "plan", position=position, talkgroups=list(talkgroups), approver=approver, why=why
        )
