"""Slots of working hours in local time, summer time included, and how a time is read and told.

Theory. A slot is a moment, in seconds since 1970, for so many minutes: a local time alone is none, as the hour at which
the clocks go back is there twice and the one at which they go forward is not there. Working hours are local: their
beginning and end are turned into moments, and slots laid between those; so a night's hours have two slots more in
October and two fewer in March, of half an hour each.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from simulators.diary.refusals import UnfitError
from simulators.diary.settings import DAYS, DiaryOf, minutes_of

MAX_TIME = 40
"""Characters of a time that are read."""


def moment_of(day: date, minutes: int, zone: ZoneInfo, *, last: bool = False) -> int:
    """The moment of a local time: of one that is there twice the first, or the ``last``.

    One that is not there is as far after the clocks' change as it was to be after it: 01:30 is 02:30, with ``last``
    half an hour before it: 00:30.
    """
    wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)  # noqa: DTZ001 - the zone comes next
    return int(wall.replace(tzinfo=zone, fold=int(last)).timestamp())


def slots(diary: DiaryOf, zone: ZoneInfo, first: date, last: date) -> Iterator[int]:
    """The moments at which slots begin on the days ``first`` to ``last``, in order."""
    length = 60 * diary.slot_minutes
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if day in diary.closed:
            continue
        name = DAYS[day.weekday()]
        spans = sorted((minutes_of(each.begin), minutes_of(each.end)) for each in diary.hours if name in each.days)
        for begin, end in spans:
            start, over = moment_of(day, begin, zone), moment_of(day, end, zone, last=True)
            while start + length <= over:
                yield start
                start += length


def is_slot(diary: DiaryOf, zone: ZoneInfo, start: int) -> bool:
    """Whether one of the diary's slots begins at ``start``."""
    day = datetime.fromtimestamp(start, zone).date()
    # A stretch that begins at a time that is not there begins later: on the same day all the same.
    return start in slots(diary, zone, day, day)


def read_start(text: str, zone: ZoneInfo) -> int:
    """The moment that an ISO 8601 time tells; without an offset it is local.

    Raises UnfitError for what is no time, for a local time that is not there, and for one that is there twice.
    """
    try:
        told = datetime.fromisoformat(text[: MAX_TIME + 1])
        if told.tzinfo is not None:
            return int(told.timestamp())
        first, second = (told.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
        if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != told:
            raise UnfitError(f"there is no {told:%H:%M} on {told:%Y-%m-%d} in {zone.key}: the clocks go forward")
    except (ValueError, OverflowError):
        raise UnfitError("'start' can't be read: ISO 8601 was meant, 2026-03-29T10:00 or …T10:00+01:00") from None
    if first.utcoffset() != second.utcoffset():
        either = " or ".join(each.isoformat(timespec="minutes") for each in (first, second))
        raise UnfitError(f"{told:%H:%M} on {told:%Y-%m-%d} is there twice in {zone.key}: {either}")
    return int(first.timestamp())


def told(start: int, zone: ZoneInfo) -> str:
    """A moment as texts tell it, in local time: ``Sunday 29 March 2026 at 10:00``.

    Of a time that is there twice the zone is told too: ``01:30 BST``.
    """
    local = datetime.fromtimestamp(start, zone)
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{local:%A} {local.day} {local:%B %Y at %H:%M}" + (f" {local:%Z}" if twice else "")


def iso(start: int, zone: ZoneInfo) -> str:
    """A moment in local time with its offset: ``2026-03-29T10:00:00+01:00``."""
    return datetime.fromtimestamp(start, zone).isoformat()
