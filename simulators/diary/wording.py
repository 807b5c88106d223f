"""What texts say. Nobody's name and no reason stands in them: whoever lives with somebody may read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

from simulators.diary.hours import told
from simulators.diary.settings import DiaryOf, DiarySettings
from simulators.diary.tables import Appointment

MAX_NAMED: Final = 3
"""Appointments that a text asks between."""


def _words(settings: DiarySettings) -> tuple[str, str, str, str]:
    words = settings.words
    return words.cancel[0].upper(), words.change[0].upper(), words.stop[0].upper(), words.start[0].upper()


def _what(settings: DiarySettings, diary: DiaryOf, zone: ZoneInfo, appointment: Appointment) -> str:
    return f"{settings.texts.whose} appointment {appointment.id}: {told(appointment.starts, zone)}, {diary.name}"


def of_appointment(kind: str, settings: DiarySettings, diary: DiaryOf, zone: ZoneInfo, appointment: Appointment) -> str:
    """A ``confirmation``, a ``reminder``, that it was ``moved``, or that it was ``cancelled``."""
    cancel, change, stop, _ = _words(settings)
    what = _what(settings, diary, zone, appointment)
    match kind:
        case "cancelled":
            return f"Cancelled: {what}."
        case "reminder":
            return f"Reminder of your {what}. Reply {cancel} or {change}."
        case "moved":
            return f"Moved. Your {what}. Reply {cancel} or {change}."
    return f"Your {what}. Reply {cancel} or {change}, or {stop} for no more texts."


def change_asked(appointment: Appointment) -> str:
    """Somebody asked for another time."""
    return f"Thank you. An adviser will be in touch to change appointment {appointment.id}. Until then it stands."


def stopped(settings: DiarySettings) -> str:
    """The last text to a number that wants none."""
    return f"You will get no more texts from us. Appointments stand. Reply {_words(settings)[3]} to get texts again."


def started() -> str:
    """To a number that wants texts again."""
    return "You will get our texts again."


def helping(settings: DiarySettings, live: Sequence[Appointment]) -> str:
    """A reply was not understood, or does not say which appointment it is about."""
    cancel, change, stop, _ = _words(settings)
    if len(live) > 1:
        first = live[0].id
        numbers = ", ".join(str(each.id) for each in live[:MAX_NAMED])
        return (
            f"You have appointments {numbers}. To cancel or change one reply with its number, "
            f"as {cancel} {first} or {change} {first}."
        )
    if live:
        return f"Sorry, that was not understood. Reply {cancel} or {change}, or {stop} for no more texts."
    return "Sorry, that was not understood. You have no appointment with us that is still to come."
