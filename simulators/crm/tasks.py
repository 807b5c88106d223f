"""Tasks in the store: what advisers and supervisors are to do."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from harness.protocols.times import to_iso
from simulators.crm import told
from simulators.crm.bodies import TaskBody
from simulators.crm.ids import number_of, shown, unknown
from simulators.crm.tables import Task

State = Literal["open", "done"]


def make(session: Session, at: float, body: TaskBody, key: str) -> tuple[Task, bool]:
    """Make a task; False where it was told before. Raises RefusedError."""
    number = told.before(session, "task", key, body)
    if number is not None:
        return session.get_one(Task, number), False
    due = None if body.due is None else body.due.timestamp()
    task = add(session, at, kind=body.kind, about=body.about, text=body.text, due=due)
    told.keep(session, "task", key, body, task.number)
    return task, True


def add(session: Session, at: float, *, kind: str, about: str, text: str, due: float | None) -> Task:
    """Add a task."""
    task = Task(kind=kind, about=about, text=text, due=due, made_at=at)
    session.add(task)
    session.flush()
    return task


def finish(session: Session, at: float, id_: str, by: str) -> tuple[Task, bool]:
    """Mark a task as done; False where it was. Raises UnknownError."""
    task = session.get(Task, number_of(id_))
    if task is None:
        raise unknown(id_)
    if task.done_at is not None:
        return task, False
    task.done_at, task.done_by = at, by
    return task, True


def listed(
    session: Session, *, state: State | None, kind: str | None, about: str | None, after: int, limit: int
) -> list[dict[str, Any]]:
    """Tasks after a number, oldest first."""
    query = select(Task).where(Task.number > after).order_by(Task.number).limit(limit)
    if state is not None:
        query = query.where(Task.done_at.is_(None) if state == "open" else Task.done_at.is_not(None))
    if kind is not None:
        query = query.where(Task.kind == kind)
    if about is not None:
        query = query.where(Task.about == about)
    return [shown_task(task) for task in session.scalars(query)]


def shown_task(task: Task) -> dict[str, Any]:
    """A task as it is shown."""
    return {
        "id": shown("T", task.number),
        "kind": task.kind,
        "about": task.about,
        "text": task.text,
        "due": None if task.due is None else to_iso(task.due),
        "state": "open" if task.done_at is None else "done",
        "made_at": to_iso(task.made_at),
        "done_at": None if task.done_at is None else to_iso(task.done_at),
        "done_by": task.done_by,
    }
