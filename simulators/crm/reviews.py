"""Raises a supervisor's review for each Prompt that nobody attended in time; what was due is kept in the store."""

from __future__ import annotations

import asyncio
from typing import Final

from sqlalchemy.orm import Session

from harness.errors import DatabaseError
from simulators.crm import records, tasks
from simulators.crm.desk import Desk
from simulators.crm.ids import shown

KIND: Final = "supervisor_review"
RETRY_S: Final = 5.0
"""Seconds after which a store that did not answer is asked again."""


class Reviews:
    """One CRM's. Event: ``review.raised`` {task, record}. What fell due while nothing ran is raised at once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch."""
        self._desk.reviews_changed = self._changed.set
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Watch no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        at = self._desk.now()
        while True:
            self._changed.clear()
            try:
                due = await self._raise(at)
            except DatabaseError as error:
                self._desk.context.journal.warn(self._desk.name, "reviews.not_looked_at", reason=str(error))
                await asyncio.sleep(RETRY_S)
                at = self._desk.now()
                continue
            try:
                async with asyncio.timeout(None if due is None else max(0.0, due - self._desk.now())):
                    await self._changed.wait()
                at = self._desk.now()
            except TimeoutError:
                # The clock may show a little less than was waited for: what was due is due.
                at = max(self._desk.now(), due or 0.0)

    async def _raise(self, at: float) -> float | None:
        """Raise what is due by ``at``; return when the next one is."""
        minutes = self._desk.settings.prompt_review_min

        def work(session: Session) -> tuple[list[tuple[str, str]], float | None]:
            due, following = records.due_for_review(session, at)
            raised = []
            for record in due:
                about = shown("R", record.number)
                text = f"{about} is Prompt and was not attended within {minutes:g} min of its grading"
                task = tasks.add(session, at, kind=KIND, about=about, text=text, due=record.review_due)
                record.review_due = None
                raised.append((shown("T", task.number), about))
            return raised, following if len(due) < records.DUE_AT_ONCE else at

        raised, following = await self._desk.run(work)
        for task, record in raised:
            self._desk.events.tell("review.raised", task=task, record=record)
        return following
