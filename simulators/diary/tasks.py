"""What an adviser is to do: kept with what called for it, in one commit, and told to the CRM where there is one."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select, update

from simulators.diary.desk import Desk
from simulators.diary.refusals import FullError, NotThereError
from simulators.diary.tables import MAX_TASKS, Task

Tell = Callable[..., None]
"""Tells an event: its kind, its data by keyword."""
MAX_SAID = 480
"""Characters of what a person wrote that a task tells."""
DUE_S = 3_600.0
"""Seconds within which an adviser is to act."""


def make(desk: Desk, kind: str, *, key: str, about: str, text: str) -> None:
    """Make a task, unless there is one with that key. Raises FullError."""
    session = desk.session
    if session.scalar(select(Task.id).where(Task.key == key)) is not None:
        return
    task = Task(key=key, kind=kind, about=about, text=text[:1_000], due=desk.now + DUE_S)
    session.add(task)
    session.flush()
    if task.id > MAX_TASKS:
        raise FullError(f"{MAX_TASKS} tasks are kept, and no more")
    desk.tell("task.made", task=name_of(task.id), task_kind=kind, about=about)


def name_of(id_: int) -> str:
    """A task's id as it is told."""
    return f"D-{id_:06d}"


def listed(desk: Desk, *, done: bool | None, limit: int) -> list[Task]:
    """The newest tasks: open, done, or both."""
    wanted = select(Task).order_by(Task.id.desc()).limit(limit)
    if done is not None:
        wanted = wanted.where(Task.done == done)
    return list(desk.session.scalars(wanted))


def finish(desk: Desk, id_: int) -> Task:
    """An adviser has done it; again does nothing. Raises NotThereError."""
    task = desk.session.get(Task, id_)
    if task is None:
        raise NotThereError(f"there is no task {name_of(id_)}")
    if not task.done:
        task.done = True
        desk.tell("task.done", task=name_of(id_))
    return task


def next_untold(desk: Desk) -> Task | None:
    """The oldest open task that the CRM does not have."""
    return desk.session.scalar(
        select(Task)
        .where(Task.done == False, Task.crm.is_(None), Task.refused.is_(None))  # noqa: E712 - SQL's own
        .order_by(Task.id)
        .limit(1)
    )


def told(desk: Desk, id_: int, *, crm: str | None, refused: str | None) -> None:
    """The CRM has a task, or won't have it."""
    desk.session.execute(update(Task).where(Task.id == id_).values(crm=crm, refused=refused))
    desk.tell("task.told" if refused is None else "task.refused", task=name_of(id_), crm=crm)
