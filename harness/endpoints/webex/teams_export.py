"""Reads who leaves Microsoft Teams, in Microsoft Graph's own names: users, their contacts, their meetings.

The file's frame is ours: ``{"wave", "licences", "users": [{"user", "webex", "contacts", "events"}]}``. Within it
``user``, ``contacts`` and ``events`` are what Graph answers to ``/users/{id}``, ``/users/{id}/contacts`` and
``/users/{id}/events`` (learn.microsoft.com, v1.0). What can't be brought over whole is refused here, before anything is
sent, and is named by its place in the file: who it is about stands in no error.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from harness.errors import MigrationError

MAX_USERS: Final = 1_000
MAX_CONTACTS: Final = 500
"""Of one user: as many as Control Hub brings over (help.webex.com, Migrate Personal Contacts to Webex)."""
MAX_EVENTS: Final = 1_000
MAX_FILE: Final = 32 * 1024 * 1024
Text = Annotated[str, StringConstraints(max_length=2_000, strip_whitespace=True)]
Named = Annotated[str, StringConstraints(min_length=1, max_length=256, strip_whitespace=True)]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254, to_lower=True)]
_DAYS: Final = {
    "monday": "MO",
    "tuesday": "TU",
    "wednesday": "WE",
    "thursday": "TH",
    "friday": "FR",
    "saturday": "SA",
    "sunday": "SU",
}


class _Graph(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class _User(_Graph):
    user_principal_name: Email
    display_name: Named
    given_name: Text | None = None
    surname: Text | None = None
    business_phones: tuple[Named, ...] = ()


class _Address(_Graph):
    address: Email
    name: Text | None = None


class _Contact(_Graph):
    display_name: Named
    given_name: Text | None = None
    surname: Text | None = None
    company_name: Text | None = None
    job_title: Text | None = None
    email_addresses: tuple[_Address, ...] = ()
    business_phones: tuple[Named, ...] = ()
    home_phones: tuple[Named, ...] = ()
    mobile_phone: Named | None = None


class _Attendee(_Graph):
    email_address: _Address


class _Moment(_Graph):
    date_time: Named
    time_zone: Named


class _Pattern(_Graph):
    type: Literal["daily", "weekly", "absoluteMonthly", "absoluteYearly"]
    interval: Annotated[int, Field(ge=1, le=99)]
    days_of_week: tuple[Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], ...] = ()
    day_of_month: Annotated[int, Field(ge=0, le=31)] = 0
    month: Annotated[int, Field(ge=0, le=12)] = 0


class _Range(_Graph):
    type: Literal["endDate", "noEnd", "numbered"]
    end_date: str | None = None
    number_of_occurrences: Annotated[int, Field(ge=0, le=999)] = 0


class _Recurrence(_Graph):
    pattern: _Pattern
    range: _Range


class _Event(_Graph):
    subject: Named
    body_preview: Text = ""
    start: _Moment
    end: _Moment
    organizer: _Attendee
    attendees: tuple[_Attendee, ...] = Field(default=(), max_length=MAX_CONTACTS)
    recurrence: _Recurrence | None = None
    is_online_meeting: bool = False
    is_cancelled: bool = False


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    extension: Annotated[str, StringConstraints(pattern=r"^[0-9]{2,10}$")]
    location: Named


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    user: _User
    webex: _Line | None = None
    contacts: tuple[_Contact, ...] = Field(default=(), max_length=MAX_CONTACTS)
    events: tuple[_Event, ...] = Field(default=(), max_length=MAX_EVENTS)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    wave: Named
    licences: tuple[Named, ...] = ()
    users: tuple[_Row, ...] = Field(min_length=1, max_length=MAX_USERS)


@dataclass(frozen=True, slots=True, repr=False)
class Contact:
    """Somebody whom a user has in their contacts."""

    name: str
    first: str
    last: str
    company: str
    title: str
    emails: tuple[str, ...]
    numbers: tuple[tuple[str, str], ...]
    """Each with SCIM's word for it: ``work``, ``home``, ``mobile``."""


@dataclass(frozen=True, slots=True, repr=False)
class Meeting:
    """A Teams meeting of which a user is the organiser; of a series the first that is still to come."""

    title: str
    agenda: str
    start: int
    """Seconds since 1970."""
    end: int
    timezone: str
    recurrence: str | None
    """A rule of RFC 5545; None: it is held once."""
    invitees: tuple[tuple[str, str], ...]
    """Addresses with names, which may be empty."""


@dataclass(frozen=True, slots=True, repr=False)
class Teams:
    """A user as they are in Teams."""

    row: int
    """Their place in the file, from 1."""
    email: str
    name: str
    first: str
    last: str
    number: str | None
    extension: str | None
    location: str | None
    contacts: tuple[Contact, ...]
    meetings: tuple[Meeting, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Wave:
    """Those who are brought over together; a report that shows one shows nobody's name."""

    name: str
    licences: tuple[str, ...]
    """Names of what each is licensed with."""
    users: tuple[Teams, ...]

    def __repr__(self) -> str:
        return f"Wave({self.name!r}, {len(self.users)} users)"

    @property
    def hosts(self) -> tuple[str, ...]:
        """Whose meetings are brought over: the users' addresses."""
        return tuple(each.email for each in self.users)


def read_wave(path: Path, now: float) -> Wave:
    """Read a file; ``now``, seconds since 1970: meetings that are over are left behind. Raises MigrationError."""
    try:
        if path.stat().st_size > MAX_FILE:
            raise MigrationError(f"{path.name}: {MAX_FILE} bytes are read at most")
        file = _File.model_validate(json.loads(path.read_bytes()))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise MigrationError(f"{path.name}: {_place(first['loc'])}: {first['msg']}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise MigrationError(f"{path.name} can't be read: {type(error).__name__}") from None
    users = tuple(_user(path.name, place, each, now) for place, each in enumerate(file.users, 1))
    for what, told in (("userPrincipalName", "email"), ("extension", "extension")):
        values = [getattr(each, told) for each in users if getattr(each, told)]
        for each in users:
            if values.count(getattr(each, told)) > 1:
                raise MigrationError(f"{path.name}: user {each.row}: its {what} is another user's too")
    return Wave(file.wave, file.licences, users)


def _place(steps: tuple[int | str, ...]) -> str:
    return " ".join(str(each + 1) if isinstance(each, int) else each for each in steps)


def _user(file: str, place: int, row: _Row, now: float) -> Teams:
    user = row.user
    own = [
        (number, each)
        for number, each in enumerate(row.events, 1)
        if each.is_online_meeting
        and not each.is_cancelled
        and each.organizer.email_address.address == user.user_principal_name
    ]
    meetings = []
    for number, each in own:
        try:
            meeting = _meeting(each, now)
        except (ValueError, KeyError) as error:
            raise MigrationError(f"{file}: user {place} event {number}: {error}") from None
        meetings += [meeting] if meeting is not None else []
    contacts = []
    for number, contact in enumerate(row.contacts, 1):
        contacts.append(_contact(contact))
        if not contacts[-1].emails and not contacts[-1].numbers:
            raise MigrationError(f"{file}: user {place} contact {number}: it has no address and no number")
    line = row.webex
    return Teams(
        row=place,
        email=user.user_principal_name,
        name=user.display_name,
        first=user.given_name or "",
        last=user.surname or "",
        number=user.business_phones[0] if user.business_phones else None,
        extension=line.extension if line is not None else None,
        location=line.location if line is not None else None,
        contacts=tuple(contacts),
        meetings=tuple(meetings),
    )


def _contact(told: _Contact) -> Contact:
    numbers = [(each, "work") for each in told.business_phones] + [(each, "home") for each in told.home_phones]
    numbers += [(told.mobile_phone, "mobile")] if told.mobile_phone else []
    return Contact(
        name=told.display_name,
        first=told.given_name or "",
        last=told.surname or "",
        company=told.company_name or "",
        title=told.job_title or "",
        emails=tuple(dict.fromkeys(each.address for each in told.email_addresses)),
        numbers=tuple(dict(numbers).items()),
    )


def _meeting(told: _Event, now: float) -> Meeting | None:
    """None for one that is over. Raises ValueError."""
    start, end = _moment(told.start), _moment(told.end)
    lasts = end - start
    if lasts.total_seconds() <= 0:
        raise ValueError("it ends before it begins")
    rule = _rule(told.recurrence, start.tzinfo) if told.recurrence is not None else None
    if end.timestamp() <= now:
        following = None
        if rule is not None:
            wall = start.replace(tzinfo=None)
            today = datetime.fromtimestamp(now, start.tzinfo).replace(tzinfo=None)
            following = rrulestr(_floating(rule, start.tzinfo), dtstart=wall).after(today, inc=True)
        if following is None:
            return None
        if rule is not None and "COUNT=" in rule:
            raise ValueError("a series that is counted began already: let it end by a date")
        start = following.replace(tzinfo=start.tzinfo)
        end = start + lasts
    invited = {each.email_address.address: each.email_address.name or "" for each in told.attendees}
    invited.pop(told.organizer.email_address.address, None)
    return Meeting(
        title=told.subject,
        agenda=told.body_preview,
        start=int(start.timestamp()),
        end=int(end.timestamp()),
        timezone=told.start.time_zone,
        recurrence=rule,
        invitees=tuple(invited.items()),
    )


def _moment(told: _Moment) -> datetime:
    """Graph's local time and its zone, which is to be one of IANA's. Raises ValueError."""
    try:
        zone = ZoneInfo(told.time_zone)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{told.time_zone[:64]!r} is no time zone of IANA: ask Graph for those by Prefer") from None
    # Graph writes seven digits of a second.
    return datetime.fromisoformat(told.date_time.partition(".")[0]).replace(tzinfo=zone)


def _rule(told: _Recurrence, zone: Any) -> str:
    """A rule of RFC 5545. Raises ValueError."""
    pattern, parts = told.pattern, []
    if pattern.type.startswith("absolute") and pattern.day_of_month == 0:
        raise ValueError("a monthly or yearly series has no day")
    if pattern.type == "absoluteYearly" and pattern.month == 0:
        raise ValueError("a yearly series has no month")
    if told.range.type == "numbered" and told.range.number_of_occurrences == 0:
        raise ValueError("a series is held no time")
    match pattern.type:
        case "daily":
            parts = ["FREQ=DAILY", f"INTERVAL={pattern.interval}"]
        case "weekly":
            if not pattern.days_of_week:
                raise ValueError("a weekly series has no day")
            days = ",".join(_DAYS[each] for each in pattern.days_of_week)
            parts = ["FREQ=WEEKLY", f"INTERVAL={pattern.interval}", f"BYDAY={days}"]
        case "absoluteMonthly":
            parts = ["FREQ=MONTHLY", f"INTERVAL={pattern.interval}", f"BYMONTHDAY={pattern.day_of_month}"]
        case "absoluteYearly":
            month = f"BYMONTH={pattern.month}"
            parts = ["FREQ=YEARLY", f"INTERVAL={pattern.interval}", month, f"BYMONTHDAY={pattern.day_of_month}"]
    if told.range.type == "numbered":
        parts.append(f"COUNT={told.range.number_of_occurrences}")
    elif told.range.type == "endDate":
        last = datetime.fromisoformat(told.range.end_date or "").replace(hour=23, minute=59, second=59, tzinfo=zone)
        parts.append(f"UNTIL={last.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    rule = ";".join(parts)
    rrulestr(_floating(rule, zone), dtstart=datetime(2000, 1, 1))  # noqa: DTZ001 - the zone's own wall clock
    return rule


def _floating(rule: str, zone: Any) -> str:
    """A rule whose end is told by the zone's wall clock, as its days are counted."""
    head, until, last = rule.partition("UNTIL=")
    if not until:
        return rule
    ends = datetime.strptime(last, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).astimezone(zone)
    return f"{head}{until}{ends:%Y%m%dT%H%M%S}"
