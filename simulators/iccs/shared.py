"""What the rooms of one switch share: the run, the settings, positions, records, figures, and how tasks are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from harness.endpoints.media import MediaService
from harness.journal import Journal
from harness.transport.context import Context
from simulators.iccs.alarms import Alarms
from simulators.iccs.clips import Clips
from simulators.iccs.fault_alarms import FaultAlarms
from simulators.iccs.figures import Figures
from simulators.iccs.positions import Positions
from simulators.iccs.records import Bands, RecordBook
from simulators.iccs.settings import IccsSettings


@dataclass(slots=True)
class Shared:
    """One control room's."""

    context: Context
    media: MediaService
    settings: IccsSettings
    positions: Positions
    records: RecordBook
    bands: Bands
    figures: Figures
    clips: Clips
    alarms: Alarms = field(init=False)
    """The supervisors'."""
    faults: FaultAlarms = field(init=False)
    tasks: dict[asyncio.Task[None], None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.alarms = Alarms(self.positions)
        self.faults = FaultAlarms(self.alarms, self.now)

    @property
    def journal(self) -> Journal:
        """The simulator's own journal."""
        return self.context.journal

    def now(self) -> float:
        """Return the run's time in seconds."""
        return self.context.journal.now()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a task that is ended with the switch."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks[task] = None
        task.add_done_callback(lambda done: self.tasks.pop(done, None))
        return task
