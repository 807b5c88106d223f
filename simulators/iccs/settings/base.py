"""The forms that names, numbers and times of an ICCS's settings have."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from simulators.settings import Span as ShortSpan

MAX_POSITIONS = 1000
MAX_CALLS = 2000
"""Calls a switch carries at once; more are answered 503."""

PositionId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=32)]
Number = Annotated[str, Field(pattern=r"^\+?[0-9*#]{1,20}$")]
QueueName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Skill = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
Clip = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
"""An announcement: a WAV file of the folder of announcements, without its ending."""
Digit = Annotated[str, Field(pattern=r"^[0-9*#]$")]
Role = Literal["call_taker", "dispatcher", "supervisor"]
Seconds = Annotated[float, Field(ge=0, le=86_400)]


class Span(ShortSpan):
    """The same for what may last a day."""

    least: Seconds
    most: Seconds
