"""Tells the CRM of advisers' tasks, in order and once each; without a CRM they stay in the Diary's own list."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from harness.errors import LocalError
from simulators.diary import tasks
from simulators.diary.store import DiaryStore

AGAIN_S: Final = 5.0
"""Seconds between attempts to reach a CRM, or a store, that is gone."""


class WontError(LocalError):
    """The CRM won't have a task, now or ever."""


class Crm(Protocol):
    """What the Diary asks of a CRM."""

    async def make_task(self, *, key: str, kind: str, about: str, text: str, due: float) -> str:
        """Make a task, once however often it is asked with one ``key``, and return its id.

        ``due``: seconds since 1970. Raises WontError, and LocalError while it can't be reached.
        """

    async def grade(self, record: str) -> str | None:
        """The grade of a record, None where it has none yet.

        Raises WontError where there is no such record, and LocalError while the CRM can't be reached.
        """

    async def close(self) -> None:
        """Give the connection up."""


class Advisers:
    """Tells tasks. Events: ``crm.lost`` {why}, ``crm.up``."""

    def __init__(self, store: DiaryStore, crm: Crm, tell: tasks.Tell) -> None:
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
            crm = await self._crm.make_task(
                key=f"diary:{task.key}", kind=task.kind, about=task.about, text=task.text, due=task.due
            )
        except WontError as error:
            refused = str(error)[:300]
        await self._store.do(lambda desk: tasks.told(desk, id_, crm=crm, refused=refused))
        return True
