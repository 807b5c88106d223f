"""UTC times as formats write them: compact (AML, CDR file names), ISO 8601 (PIDF-LO), to and from seconds since 1970.

Own arithmetic, as the protocol floor has no clock and no calendar library that could read one.
"""

from __future__ import annotations

import re
from typing import Final

_DAY: Final = 86_400
LATEST: Final = 253_402_300_799
"""9999-12-31 23:59:59, the last second that four digits of a year can tell."""
_COMPACT: Final = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)", re.ASCII)
_ISO: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?", re.ASCII | re.IGNORECASE
)


def _days(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to a date of the Gregorian calendar, whose year begins in March so that leap days end it."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def _date(days: int) -> tuple[int, int, int]:
    era, of_era = divmod(days + 719_468, 146_097)
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    return year + era * 400 + (month >= 10), (month + 2) % 12 + 1, day


def _seconds(parts: tuple[int, int, int, int, int, int]) -> int:
    year, month, day, hour, minute, second = parts
    days = _days(year, month, day) if 1 <= month <= 12 else -1
    if year < 1970 or _date(days) != (year, month, day) or hour > 23 or minute > 59 or second > 59:
        raise ValueError("no such time")
    return days * _DAY + hour * 3600 + minute * 60 + second


def _parts(seconds: int) -> tuple[int, int, int, int, int, int]:
    if not 0 <= seconds <= LATEST:
        raise ValueError(f"{seconds} s is not from 1970 to 9999")
    days, rest = divmod(seconds, _DAY)
    return (*_date(days), rest // 3600, rest // 60 % 60, rest % 60)


def from_compact(text: str) -> int:
    """Seconds since 1970 of ``yyyyMMddHHmmss``, UTC. Raises ValueError for what is no such time."""
    match = _COMPACT.fullmatch(text)
    if match is None:
        raise ValueError("not yyyyMMddHHmmss")
    year, month, day, hour, minute, second = map(int, match.groups())
    return _seconds((year, month, day, hour, minute, second))


def to_compact(seconds: int) -> str:
    """``yyyyMMddHHmmss`` of seconds since 1970. Raises ValueError beyond the year 9999."""
    return "{:04d}{:02d}{:02d}{:02d}{:02d}{:02d}".format(*_parts(seconds))


def from_iso(text: str) -> float:
    """Seconds since 1970 of an ISO 8601 time as XML writes it (xs:dateTime); UTC where no zone is given.

    Raises ValueError for what is no such time, or before 1970.
    """
    match = _ISO.fullmatch(text)
    if match is None:
        raise ValueError("not yyyy-MM-ddTHH:mm:ssZ")
    *digits, fraction, zone = match.groups()
    year, month, day, hour, minute, second = map(int, digits)
    ahead = 0
    if zone and zone not in "Zz":
        hours, minutes = int(zone[1:3]), int(zone[4:])
        if hours > 14 or minutes > 59:
            raise ValueError("no such zone")
        ahead = (hours * 3600 + minutes * 60) * (-1 if zone[0] == "-" else 1)
    return _seconds((year, month, day, hour, minute, second)) - ahead + float(fraction or 0)


def to_iso(seconds: float) -> str:
    """``yyyy-MM-ddTHH:mm:ssZ`` of seconds since 1970, parts of a second to the millisecond where there are any.

    Raises ValueError beyond the years 1970 to 9999.
    """
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    fraction = f".{thousandths:03d}" if thousandths else ""
    return "{:04d}-{:02d}-{:02d}T{:02d}:{:02d}:{:02d}".format(*_parts(whole)) + fraction + "Z"
