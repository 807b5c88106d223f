"""Routes of the CRM: what advisers and supervisors are to do."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Header, Query, Response, status
from sqlalchemy.orm import Session

from simulators.crm import tasks
from simulators.crm.api.asking import After, Key, Limit
from simulators.crm.bodies import ByBody, TaskBody
from simulators.crm.codes import Code
from simulators.crm.desk import Desk
from simulators.crm.ids import TaskId, shown
from simulators.faults import Faults
from simulators.routes import Routes

Shown = dict[str, Any]
IdempotencyKey = Annotated[Key, Header()]


def task_routes(desk: Desk, faults: Faults) -> Routes:
    """Return the routes."""
    router = Routes(prefix="/tasks", tags=["tasks"])

    @router.post(
        "", status_code=status.HTTP_201_CREATED, responses={200: {"description": "Had before", "model": Shown}}
    )
    async def make(body: TaskBody, idempotency_key: IdempotencyKey, response: Response) -> Shown:
        """Make a task. Told again with the same key, it is answered as it was."""

        def work(session: Session) -> tuple[str, bool]:
            task, created = tasks.make(session, desk.now(), body, idempotency_key)
            return shown("T", task.number), created

        id_, created = await desk.run(work)
        desk.events.tell("task.made" if created else "task.repeated", task=id_, what=body.kind, about=body.about)
        await faults.after()
        response.status_code = status.HTTP_201_CREATED if created else status.HTTP_200_OK
        return {"id": id_, "created": created}

    @router.get("")
    async def listed(
        state: tasks.State | None = None,
        kind: Annotated[Code | None, Query()] = None,
        about: Annotated[str | None, Query(max_length=128, pattern=r"^[^\x00]*$")] = None,
        after: After = 0,
        limit: Limit = 100,
    ) -> Shown:
        """Tasks, oldest first."""
        found = await desk.run(
            lambda session: tasks.listed(session, state=state, kind=kind, about=about, after=after, limit=limit)
        )
        return {"tasks": found}

    @router.post("/{task_id}/done")
    async def finish(task_id: TaskId, body: ByBody) -> Shown:
        """Mark a task as done; done again, it stays as it was."""

        def work(session: Session) -> tuple[Shown, bool]:
            task, done = tasks.finish(session, desk.now(), task_id, body.by)
            return tasks.shown_task(task), done

        task, done = await desk.run(work)
        if done:
            desk.events.tell("task.done", task=task_id, what=task["kind"], user=body.by)
        return task

    return router
