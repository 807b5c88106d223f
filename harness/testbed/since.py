"""What is new at a control room since a moment: it has had calls, acts and alarms before, and no test counts from zero.

Theory. A simulated ICCS that was started for a test has no history; a real one has years of it. Whatever is listed or
counted there is looked at from a moment on, by the ICCS's own clock: that of the machine that tests, and its run time,
are others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from harness.drivers.supervisor import Supervisor

COUNTED: Final = frozenset({"offered", "answered", "abandoned", "overflowed", "rerouted"})
"""Figures of a queue that only grow: a wallboard has them from the ICCS's start, or its day's, on."""
TOLD_TO_S: Final = 1e-6
"""To what the ICCS tells its time: it may be rounded up."""


class Since:
    """What came at one ICCS since a moment, as a supervisor sees it."""

    def __init__(self, supervisor: Supervisor, shown: Mapping[str, Any], reconciled: Mapping[str, Any]) -> None:
        """``shown``: the wallboard at that moment, ``reconciled`` the reconciliation."""
        self.supervisor = supervisor
        self.at = max(0.0, float(shown["time"]) - TOLD_TO_S)
        """The ICCS's time at the moment, seconds: what it takes as ``since``."""
        self._queues = shown["queues"]
        self._orphaned = {each["record"] for each in reconciled["orphaned"]}

    @classmethod
    async def now(cls, supervisor: Supervisor) -> Since:
        """From now on. Raises DriverError."""
        return cls(supervisor, await supervisor.wallboard(), await supervisor.reconciliation())

    # What is listed

    async def audit(self, **wanted: Any) -> list[dict[str, Any]]:
        """Return the new entries of the audit record, as `Supervisor.audit` does."""
        return [each for each in await self.supervisor.audit(**wanted) if each["time"] >= self.at]

    async def records(self, **wanted: Any) -> list[dict[str, Any]]:
        """Return the records of calls that came since, newest first, as `Supervisor.records` does."""
        return await self.supervisor.records(since=self.at, **wanted)

    async def ring_backs(self) -> list[dict[str, Any]]:
        """Return who gave up of those who called since, as `Supervisor.ring_backs` does."""
        return [each for each in await self.supervisor.ring_backs() if each["since"] >= self.at]

    async def patches(self) -> list[dict[str, Any]]:
        """Return the patches that were made since."""
        return [each for each in await self.supervisor.patches() if each["since"] >= self.at]

    async def alarms(self) -> list[dict[str, Any]]:
        """Return the alarms that were raised since and stand."""
        return [each for each in await self.supervisor.alarms() if each["raised"] >= self.at]

    async def orphaned(self) -> list[dict[str, Any]]:
        """Return the answered calls that nothing accounts for, without those of before."""
        report = await self.supervisor.reconciliation()
        return [each for each in report["orphaned"] if each["record"] not in self._orphaned]

    # What is counted

    def before(self, queue: str, figure: str) -> int:
        """Return what was counted of a queue before; 0 of a figure that does not only grow."""
        return int(self._queues.get(queue, {}).get(figure, 0)) if figure in COUNTED else 0

    def more(self, queue: str, shown: Mapping[str, Any], counts: str) -> dict[str, int]:
        """Return by how much each count of ``answered_by_band``, ``abandoned_by_band`` or ``callbacks`` has grown;
        ``shown`` as `Supervisor.queue` returns it.
        """
        before = self._queues.get(queue, {}).get(counts, {})
        return {name: count - before.get(name, 0) for name, count in shown[counts].items()}

    async def wait_for(self, queue: str, figure: str, count: int, *, within: float) -> dict[str, Any]:
        """Return a queue's figures once one of them has grown to so much more. Raises DriverError."""
        due = self.before(queue, figure) + count
        return await self.supervisor.wait_for(queue, figure, due, within=within)
