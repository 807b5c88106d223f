"""What requests are made of: bodies by Webex's names, common parameters, and what a request needs to be let in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query, Request
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from simulators.bodies import Body
from simulators.webex.errors import unfit
from simulators.webex.front import Caller
from simulators.webex.ids import MAX_ID, plain
from simulators.webex.paging import MAX_CURSOR
from simulators.webex.shapes import Part
from simulators.webex.store import stamp

T = TypeVar("T")


class Sent(Body):
    """A body: JSON's own types; a key that Webex does not know is left aside, as the service does."""

    model_config = ConfigDict(
        extra="ignore", strict=True, alias_generator=to_camel, validate_by_name=False, validate_by_alias=True
    )


class Items(BaseModel, Generic[T]):
    """A list."""

    items: list[T]


Id = Annotated[str, Field(min_length=1, max_length=MAX_ID), AfterValidator(plain)]
Line = Annotated[str, Field(min_length=1, max_length=256, pattern=r"\S")]
Prose = Annotated[str, Field(max_length=2_000)]
Email = Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]
Cursor = Annotated[str | None, Query(max_length=MAX_CURSOR)]
Most = Annotated[int, Query(ge=1, le=1_000)]


def _iso(value: object) -> object:
    if not isinstance(value, str) or "T" not in value:
        raise ValueError("a time is written 2026-01-01T00:00:00.000Z")
    return value


Moment = Annotated[datetime, Field(strict=False), BeforeValidator(_iso)]


def stamped(moment: datetime) -> str:
    """A moment as it is stamped. Raises WebexError."""
    if moment.tzinfo is None:
        raise unfit("A time needs its zone: 2026-01-01T00:00:00.000Z.")
    try:
        return stamp(moment.timestamp())
    except (ValueError, OverflowError) as error:
        raise unfit("A time lies between the years 1970 and 9999.") from error


def wants(name: str) -> Any:
    """A query parameter of this name that holds an id, or nothing."""
    return Query(alias=name, min_length=1, max_length=MAX_ID)


def needs(*scopes: str) -> Any:
    """What lets in whose token has one of ``scopes``."""

    async def admitted(request: Request) -> Caller:
        caller: Caller = request.state.caller
        caller.needs(*scopes)
        return caller

    return Depends(admitted)


def answer(shape: Part) -> JSONResponse:
    """A resource as the answer."""
    return JSONResponse(shape.told())


def after_number(items: Sequence[Any], place: list[Any] | None, *, newest_first: bool = False) -> list[Any]:
    """The items that come after a place in the order in which they were made, or the other way round."""
    ordered = list(reversed(items)) if newest_first else list(items)
    if place is None:
        return ordered
    last = place[0]
    return [each for each in ordered if (each.number < last if newest_first else each.number > last)]


def by_number(item: Any) -> list[Any]:
    """An item's place in the order in which items were made."""
    return [item.number]
