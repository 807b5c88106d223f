"""What the interface shows: appointments, texts, tasks and diaries as JSON, and counts."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import func, select

from simulators.diary import booking, tasks, texts
from simulators.diary.desk import Desk
from simulators.diary.hours import iso
from simulators.diary.tables import Appointment, Number, Task, Text, TextState


def appointment(desk: Desk, id_: int) -> dict[str, Any]:
    """One appointment, with its texts. Raises NotThereError."""
    found = booking.find(desk, id_)
    those = desk.session.scalars(select(Text).where(Text.appointment == id_).order_by(Text.id).limit(500))
    return {**_appointment(desk, found), "texts": [text(desk, each) for each in those]}


def appointments(desk: Desk, telephone: str, limit: int) -> list[dict[str, Any]]:
    """A number's appointments, the latest first, without their texts."""
    theirs = select(Appointment).where(Appointment.telephone == telephone).order_by(Appointment.starts.desc())
    return [_appointment(desk, each) for each in desk.session.scalars(theirs.limit(limit))]


def _appointment(desk: Desk, each: Appointment) -> dict[str, Any]:
    zone = desk.zone(desk.diary(each.diary))
    return {
        "id": booking.name_of(each.id),
        "number": each.id,
        "diary": each.diary,
        "start": iso(each.starts, zone),
        "end": iso(each.starts + 60 * each.minutes, zone),
        "telephone": each.telephone,
        "name": each.name,
        "about": each.about,
        "record": each.record,
        "state": "booked" if each.live else "cancelled",
        "moved": each.moved,
    }


def text(desk: Desk, each: Text) -> dict[str, Any]:
    """One text."""
    zone = desk.zone(desk.settings.diaries[0])
    return {
        "id": texts.name_of(each.id),
        "kind": each.kind,
        "appointment": None if each.appointment is None else booking.name_of(each.appointment),
        "to": each.telephone,
        "text": each.body,
        "due": iso(int(each.due), zone),
        "state": each.state,
        "since": None if each.settled is None else iso(int(each.settled), zone),
        "late": each.late,
        "attempts": each.attempts,
        "why": each.why or None,
    }


def texts_in(desk: Desk, state: TextState | None, limit: int) -> list[dict[str, Any]]:
    """The newest texts, all or those in one state."""
    wanted = select(Text).order_by(Text.id.desc()).limit(limit)
    if state is not None:
        wanted = wanted.where(Text.state == state)
    return [text(desk, each) for each in desk.session.scalars(wanted)]


def task(desk: Desk, each: Task) -> dict[str, Any]:
    """One task."""
    zone = desk.zone(desk.settings.diaries[0])
    return {
        "id": tasks.name_of(each.id),
        "kind": each.kind,
        "about": each.about,
        "text": each.text,
        "due": iso(int(each.due), zone),
        "state": "done" if each.done else "open",
        "crm": each.crm,
        "refused": each.refused,
    }


def tasks_in(desk: Desk, done: bool | None, limit: int) -> list[dict[str, Any]]:
    """The newest tasks."""
    return [task(desk, each) for each in tasks.listed(desk, done=done, limit=limit)]


def diaries(desk: Desk) -> list[dict[str, Any]]:
    """Every diary, as the settings say."""
    return [{**each.model_dump(mode="json"), "zone": desk.settings.zone_name(each)} for each in desk.settings.diaries]


def slots(desk: Desk, diary_id: str, first: date, last: date, limit: int) -> list[dict[str, Any]]:
    """A diary's free slots. Raises NotThereError."""
    diary = desk.diary(diary_id)
    zone = desk.zone(diary)
    length = 60 * diary.slot_minutes
    return [
        {"start": iso(each, zone), "end": iso(each + length, zone)}
        for each in booking.free(desk, diary, first, last, limit)
    ]


def any_appointment(desk: Desk) -> bool:
    """Whether there is one."""
    return desk.session.scalar(select(Appointment.id).limit(1)) is not None


def figures(desk: Desk) -> dict[str, Any]:
    """Counts of appointments, of texts by state, of tasks and of numbers that want no texts."""
    session = desk.session
    by_state = _counted(desk, Text.state)
    lives, opened = _counted(desk, Appointment.live), _counted(desk, Task.done)
    return {
        "appointments": {"booked": lives.get(True, 0), "cancelled": lives.get(False, 0)},
        "texts": {str(state): by_state.get(state, 0) for state in TextState},
        "late": session.scalar(select(func.count()).where(Text.late.is_(True))) or 0,
        "tasks": {"open": opened.get(False, 0), "done": opened.get(True, 0)},
        "stopped": session.scalar(select(func.count()).where(Number.stopped.is_(True))) or 0,
    }


def _counted(desk: Desk, by: Any) -> dict[Any, int]:
    return {row[0]: row[1] for row in desk.session.execute(select(by, func.count()).group_by(by))}
