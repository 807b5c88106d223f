"""Tells the CRM of advisers' tasks, in order and once each; without a CRM they stay in the Diary's own list."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Final

from harness.endpoints.crm import CrmAdapter, TaskTold
from harness.errors import CrmError, CrmGoneError, LocalError
from simulators.diary import tasks
from simulators.diary.store import DiaryStore

AGAIN_S: Final = 5.0
"""Seconds between attempts to reach a CRM, or a store, that is gone."""


class Advisers:
    """Tells tasks. Events: ``crm.lost`` {why}, ``crm.up``."""

    def __init__(self, store: DiaryStore, crm: CrmAdapter, tell: tasks.Tell) -> None:
        self._store, self._crm, self._tell = store, crm, tell
        self._awake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._work(), name="advisers' tasks")

    def wake(self) -> None:
        """There may be a task."""
        self._awake.set()

    async def stop(self) -> None:
        """Tell no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        lost = False
        while True:
            self._awake.clear()
            try:
                told = await self._tell_next()
            except LocalError as error:
                if not lost:
                    self._tell("crm.lost", why=str(error))
                lost = True
                await asyncio.sleep(AGAIN_S)
                continue
            if told and lost:
                self._tell("crm.up")
                lost = False
            if not told:
                await self._awake.wait()

    async def _tell_next(self) -> bool:
        """Tell the oldest task that the CRM has not; False where there is none."""
        task = await self._store.do(tasks.next_untold)
        if task is None:
            return False
        id_, crm, refused = task.id, None, None
        try:
            due = datetime.fromtimestamp(int(task.due), UTC).isoformat()
            crm = await self._crm.add_task(TaskTold(task.kind, task.about, task.text, due), key=f"diary:{task.key}")
        except CrmGoneError:
            raise
        except CrmError as error:
            refused = str(error)[:300]
        await self._store.do(lambda desk: tasks.told(desk, id_, crm=crm, refused=refused))
        return True
