"""What becomes of a reply: the slot is freed, an adviser asked, texts stopped, or help given once.

A reply that is not understood is answered once with help; what comes after it, until one is understood, is an
adviser's task. So two machines that answer each other's texts stop after one. Numbers that never had an appointment get
no answer.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from simulators.diary import booking, tasks, texts, wording
from simulators.diary.desk import Desk
from simulators.diary.replies import Meaning, read
from simulators.diary.tables import Appointment, Number, Task

SHORTEST_NUMBER: Final = 9
"""Characters of the shortest telephone number; what is shorter is a short code, which nobody answers."""


def answer(desk: Desk, telephone: str, text: str) -> None:
    """Act on a text that came."""
    said = "".join(each for each in text if each.isprintable() or each == "\n").encode(errors="replace").decode()
    if not telephone.startswith("+") or len(telephone) < SHORTEST_NUMBER:
        desk.tell("reply.passed_over", sender=telephone[:21])
        return
    reading = read(said, desk.settings.words)
    number = texts.number_of(desk, telephone)
    number.replies += 1
    live = booking.to_come(desk, telephone)
    if reading.appointment is not None:
        live = [each for each in live if each.id == reading.appointment]
    desk.tell("reply.received", sender=telephone, understood=reading.meaning.value)
    match reading.meaning:
        case Meaning.STOP:
            _stop(desk, number)
        case Meaning.START:
            _start(desk, number)
        case Meaning.CANCEL if len(live) == 1:
            booking.cancel(desk, live[0].id, by="text")
            number.helped = False
        case Meaning.CHANGE if len(live) == 1:
            _change(desk, number, live[0])
        case _:
            _unclear(desk, number, said)


def _stop(desk: Desk, number: Number) -> None:
    number.helped = False
    if number.stopped:
        return
    number.stopped = True
    texts.withdraw(desk, "the number wants no texts", telephone=number.telephone)
    key = f"number:{number.telephone}:{number.replies}:stopped"
    texts.plan(desk, "stopped", key=key, telephone=number.telephone, body=wording.stopped(desk.settings), last=True)


def _start(desk: Desk, number: Number) -> None:
    number.helped = False
    if not number.stopped:
        return
    number.stopped = False
    key = f"number:{number.telephone}:{number.replies}:started"
    texts.plan(desk, "started", key=key, telephone=number.telephone, body=wording.started())
    texts.resume(desk, number.telephone)


def _change(desk: Desk, number: Number, appointment: Appointment) -> None:
    """The slot stands until an adviser has found another one with them."""
    number.helped = False
    name = booking.name_of(appointment.id)
    key = f"{appointment.id}:{appointment.moved}:change"
    if texts.has(desk, key):
        return
    texts.plan(
        desk,
        "change",
        key=key,
        telephone=number.telephone,
        body=wording.change_asked(appointment),
        appointment=appointment,
    )
    tasks.make(
        desk,
        "appointment_change",
        key=f"appointment:{key}",
        about=name,
        text=f"{number.telephone} asked by text to change {name}; its slot stands until it is moved.",
    )


def _unclear(desk: Desk, number: Number, said: str) -> None:
    telephone = number.telephone
    known = desk.session.scalar(select(Appointment.id).where(Appointment.telephone == telephone).limit(1))
    if known is not None and not number.helped and not number.stopped:
        number.helped = True
        body = wording.helping(desk.settings, booking.to_come(desk, telephone))
        key = f"number:{telephone}:{number.replies}:help"
        texts.plan(desk, "help", key=key, telephone=telephone, body=body)
        return
    waiting = desk.session.scalar(
        select(Task).where(Task.about == telephone, Task.kind == "reply_unclear", Task.done.is_(False)).limit(1)
    )
    if waiting is not None:
        return  # one open task is enough to look at what a number writes
    tasks.make(
        desk,
        "reply_unclear",
        key=f"number:{telephone}:{number.replies}:unclear",
        about=telephone,
        text=f"{telephone} wrote, and it was not understood: {said[: tasks.MAX_SAID]}",
    )
