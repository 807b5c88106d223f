"""What an adviser does in a local officer's diary, and what a member of the public's mobile gets and sends."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from harness.errors import DriverError
from harness.scenario.actors import HandsetActor
from harness.scenario.cast import Part
from harness.scenario.values import Seconds
from harness.scenario.verbs.base import Arguments, refused, verb


class Book(Arguments):
    """Whom to book, when and about which record."""

    diary: str = Field(min_length=1, max_length=80)
    """Whose diary, by its id."""
    telephone: str = Field(pattern=r"^\+[0-9]{6,15}$")
    record: str | None = None
    """A record of the CRM's, whose grade decides whether there may be an appointment."""
    days: int = Field(default=1, ge=0, le=365)
    """The first free slot so many days from now."""
    start: str | None = None
    """A certain slot instead, as an event tells it."""


class RefusedBooking(Book):
    """A booking, and why there may be none."""

    because: str = ""
    """Words that the refusal has to hold."""


class Cancel(Arguments):
    """An appointment."""

    appointment: str = Field(min_length=1, max_length=80)


class Gets(Arguments):
    """A text that a handset is to get."""

    has: str = ""
    """Words that it has to hold."""
    within: Seconds = 60.0


class Sends(Arguments):
    """A text that a handset sends."""

    to: str = Field(min_length=1, max_length=20)
    text: str = Field(min_length=1, max_length=1_000)


async def _booked(part: Part, args: Book) -> dict[str, Any]:
    start = args.start
    if start is None:
        now = datetime.fromisoformat((await part.driver.status())["now"])
        day = (now + timedelta(days=args.days)).date().isoformat()
        slots = await part.driver.free_slots(args.diary, day)
        if not slots:
            raise DriverError(f"{part.name}: {args.diary} has no free slot on {day}")
        start = str(slots[0]["start"])
    return dict(await part.driver.book(args.diary, start, args.telephone, record=args.record))


@verb("sms_diary", arguments=Book)
async def book(part: Part, args: Book) -> str:
    """Books a slot; 'as' keeps the appointment's id."""
    return str((await _booked(part, args))["id"])


@verb("sms_diary", arguments=RefusedBooking)
async def is_refused_booking(part: Part, args: RefusedBooking) -> None:
    """Asks for a booking that has to be refused, with these words in the reason."""

    async def undo(made: dict[str, Any]) -> None:
        await part.driver.cancel(str(made["id"]))

    await refused(
        _booked(part, args), args.because, instead=f"{args.telephone} was booked with {args.diary}", undo=undo
    )


@verb("sms_diary", arguments=Cancel, short="appointment")
async def cancel(part: Part, args: Cancel) -> None:
    """Cancels an appointment as an adviser does."""
    await part.driver.cancel(args.appointment)


@verb("handset", arguments=Gets, short="has")
async def gets(part: Part, args: Gets) -> None:
    """Waits for the next text, and looks whether it holds these words."""
    text = await part.driver.await_text(_number(part), within=args.within, after=part.texts_seen)
    part.texts_seen = int(text["seq"])
    if args.has not in text["text"]:
        raise DriverError(f"{part.name} got {text['text']!r}; due: a text with {args.has!r}")


@verb("handset", arguments=Sends)
async def text(part: Part, args: Sends) -> None:
    """Sends a text."""
    await part.driver.send(_number(part), args.to, args.text)


def _number(part: Part) -> str:
    assert isinstance(part.actor, HandsetActor), "the verb is a handset's"
    return part.actor.number
