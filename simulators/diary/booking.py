"""Booking, moving and cancelling: a slot is had by one appointment, and what is told of it is queued with it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from simulators.diary import tasks, texts
from simulators.diary.desk import Desk
from simulators.diary.hours import is_slot, iso, read_start, slots
from simulators.diary.refusals import FullError, NotThereError, RefusedError, TakenError, UnfitError
from simulators.diary.settings import QUANTUM_S, DiaryOf
from simulators.diary.tables import MAX_APPOINTMENTS, Appointment, Submit, Taken

DAY_S: Final = 86_400
NEAR: Final = 3
"""Free slots that a refusal names."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who wants which slot."""

    diary: str
    start: str
    """ISO 8601."""
    telephone: str
    """E.164."""
    name: str = ""
    about: str = ""
    record: str | None = None


@dataclass(frozen=True, slots=True)
class Moving:
    """Where an appointment is to go."""

    appointment: int
    start: str
    diary: str | None = None
    """The one that it is in where left out."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a request came to."""

    appointment: int
    repeated: bool
    """Whether it was carried out before, under the same key."""


def name_of(id_: int) -> str:
    """An appointment's id as it is told."""
    return f"A-{id_:06d}"


def book(desk: Desk, wanted: Wanted, *, key: str, quiet: bool = False) -> Done:
    """Book a slot; ``quiet``: nobody is told. The same ``key`` again does nothing more.

    Raises NotThereError, UnfitError, TakenError, FullError.
    """
    try:
        diary = desk.diary(wanted.diary)
        start = _start(desk, diary, wanted.start)
    except RefusedError:
        if (before := _before(desk, key, wanted)) is None:
            raise
        return Done(before, True)
    if desk.again and (before := _before(desk, key, wanted)) is not None:
        return Done(before, True)
    appointment = Appointment(
        diary=diary.id,
        starts=start,
        minutes=diary.slot_minutes,
        telephone=wanted.telephone,
        name=wanted.name,
        about=wanted.about,
        record=wanted.record,
        live=True,
        moved=0,
        made=desk.now,
    )
    desk.session.add(appointment)
    desk.session.flush()
    if appointment.id > MAX_APPOINTMENTS:
        raise FullError(f"{MAX_APPOINTMENTS} appointments are kept, and no more")
    # The key first: of two submits of one request at once, the other finds the first's and not a slot that is taken.
    _keep(desk, key, wanted, appointment.id)
    _take(desk, diary, appointment)
    _tell(desk, "booked", appointment)
    if not quiet:
        texts.plan_of(desk, "confirmation", appointment)
        texts.plan_of(desk, texts.REMINDER, appointment)
    return Done(appointment.id, False)


def move(desk: Desk, moving: Moving, *, key: str) -> Done:
    """Move an appointment to another slot: it has the old one until it has the new one. Raises as `book`."""
    try:
        appointment = live(desk, moving.appointment)
        diary = desk.diary(moving.diary or appointment.diary)
        start = _start(desk, diary, moving.start)
    except RefusedError:
        if (before := _before(desk, key, moving)) is None:
            raise
        return Done(before, True)
    if desk.again and (before := _before(desk, key, moving)) is not None:
        return Done(before, True)
    _free(desk, appointment)
    appointment.diary, appointment.starts, appointment.minutes = diary.id, start, diary.slot_minutes
    appointment.moved += 1
    desk.session.flush()
    _keep(desk, key, moving, appointment.id)
    _take(desk, diary, appointment)
    texts.withdraw(desk, "the appointment was moved", appointment=appointment.id)
    _tell(desk, "moved", appointment)
    texts.plan_of(desk, "moved", appointment)
    texts.plan_of(desk, texts.REMINDER, appointment)
    return Done(appointment.id, False)


def cancel(desk: Desk, id_: int, *, by: str) -> Appointment:
    """Cancel an appointment and free its slot; one that is cancelled stays so. ``by``: ``adviser`` or ``text``.

    Raises NotThereError, and RefusedError once its time has come.
    """
    appointment = find(desk, id_)
    if not appointment.live:
        return appointment
    if appointment.starts <= desk.now:
        raise RefusedError(f"{name_of(id_)} can't be cancelled any more: its time has come")
    appointment.live = False
    _free(desk, appointment)
    texts.withdraw(desk, "the appointment was cancelled", appointment=id_)
    _tell(desk, "cancelled", appointment, by=by)
    texts.plan_of(desk, "cancelled", appointment)
    if by == "text":
        diary = desk.diary(appointment.diary)
        was = iso(appointment.starts, desk.zone(diary))
        tasks.make(
            desk,
            "appointment_cancelled",
            key=f"appointment:{id_}:cancelled",
            about=name_of(id_),
            text=f"{appointment.telephone} cancelled {name_of(id_)} ({diary.name}, {was}) by text. "
            "See whether what it was for still needs somebody.",
        )
    return appointment


def find(desk: Desk, id_: int) -> Appointment:
    """An appointment. Raises NotThereError."""
    found = desk.session.get(Appointment, id_)
    if found is None:
        raise NotThereError(f"there is no appointment {name_of(id_)}")
    return found


def live(desk: Desk, id_: int) -> Appointment:
    """An appointment that is still to come. Raises NotThereError, RefusedError."""
    found = find(desk, id_)
    if not found.live:
        raise RefusedError(f"{name_of(id_)} is cancelled")
    if found.starts <= desk.now:
        raise RefusedError(f"{name_of(id_)} can't be moved any more: its time has come")
    return found


def to_come(desk: Desk, telephone: str, limit: int = 100) -> list[Appointment]:
    """A number's live appointments that are still to come, the next first."""
    theirs = select(Appointment).where(Appointment.telephone == telephone, Appointment.starts > desk.now)
    ordered = theirs.where(Appointment.live.is_(True)).order_by(Appointment.starts, Appointment.id)
    return list(desk.session.scalars(ordered.limit(limit)))


def free(desk: Desk, diary: DiaryOf, first: date, last: date, limit: int) -> list[int]:
    """The moments of the diary's free slots on some days, of those that can still be booked."""
    zone = desk.zone(diary)
    length = 60 * diary.slot_minutes // QUANTUM_S
    begin = int(datetime(first.year, first.month, first.day, tzinfo=zone).timestamp()) // QUANTUM_S
    end = int(datetime(last.year, last.month, last.day, tzinfo=zone).timestamp() + 2 * DAY_S) // QUANTUM_S
    rows = select(Taken.quantum).where(Taken.diary == diary.id, Taken.quantum.between(begin, end))
    taken = set(desk.session.scalars(rows))
    horizon = desk.now + DAY_S * desk.settings.horizon_days
    found: list[int] = []
    for start in slots(diary, zone, first, last):
        quantum = start // QUANTUM_S
        if desk.now < start <= horizon and taken.isdisjoint(range(quantum, quantum + length)):
            found.append(start)
            if len(found) == limit:
                break
    return found


def _start(desk: Desk, diary: DiaryOf, told: str) -> int:
    """The slot that is wanted. Raises UnfitError."""
    zone = desk.zone(diary)
    start = read_start(told, zone)
    if start <= desk.now:
        raise UnfitError(f"'start' has passed: it is {iso(int(desk.now), zone)}")
    if start > desk.now + DAY_S * desk.settings.horizon_days:
        raise UnfitError(f"'start' is further ahead than appointments are made: {desk.settings.horizon_days} days")
    if not is_slot(diary, zone, start):
        day = datetime.fromtimestamp(start, zone).date()
        near = sorted(free(desk, diary, day, day + timedelta(days=7), 1_000), key=lambda each: abs(each - start))
        those = ", ".join(iso(each, zone) for each in sorted(near[:NEAR])) or "none within a week"
        raise UnfitError(f"no slot of {diary.id} begins at {iso(start, zone)}; free ones near it: {those}")
    return start


def _take(desk: Desk, diary: DiaryOf, appointment: Appointment) -> None:
    """Take a slot's time. The table's key refuses what is taken; nothing is looked up first. Raises TakenError."""
    first = appointment.starts // QUANTUM_S
    rows = [
        {"diary": diary.id, "quantum": first + number, "appointment": appointment.id}
        for number in range(60 * appointment.minutes // QUANTUM_S)
    ]
    try:
        desk.session.execute(insert(Taken), rows)
    except IntegrityError as error:
        raise TakenError(f"{iso(appointment.starts, desk.zone(diary))} of {diary.id} is taken") from error


def _free(desk: Desk, appointment: Appointment) -> None:
    desk.session.execute(delete(Taken).where(Taken.appointment == appointment.id))


def _tell(desk: Desk, what: str, appointment: Appointment, **more: str) -> None:
    zone = desk.zone(desk.diary(appointment.diary))
    told = {"appointment": name_of(appointment.id), "diary": appointment.diary, "start": iso(appointment.starts, zone)}
    desk.tell(f"appointment.{what}", **told, telephone=appointment.telephone, **more)


def _digest(asked: Wanted | Moving) -> str:
    return hashlib.sha256(json.dumps([type(asked).__name__, asdict(asked)]).encode()).hexdigest()


def _before(desk: Desk, key: str, asked: Wanted | Moving) -> int | None:
    """The appointment of a request that was carried out under this key. Raises UnfitError where it was another.

    Looked for only where the table refused the key, or the request is refused: on PostgreSQL a look at a key that is
    not there clashes with whoever writes one beside it.
    """
    found = desk.session.get(Submit, key)
    if found is None:
        return None
    if found.digest != _digest(asked):
        raise UnfitError("the Idempotency-Key was used for another request")
    return found.appointment


def _keep(desk: Desk, key: str, asked: Wanted | Moving, appointment: int) -> None:
    desk.session.execute(insert(Submit).values(key=key, digest=_digest(asked), appointment=appointment, made=desk.now))
