"""What a records database simulator is told at its start. Whoever and whatever is in it is invented."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr

from simulators.settings import Span, Strict

Line = Annotated[str, Field(min_length=1, max_length=200)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
MAX_RECORDS = 100_000


class PersonRecord(Strict):
    """One invented person."""

    name: Name
    born: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    markers: tuple[Line, ...] = Field(default=(), max_length=50)
    """What an officer has to know."""


class VehicleRecord(Strict):
    """One invented vehicle."""

    registration: Annotated[str, Field(pattern=r"^[A-Z0-9 ]{2,10}$")]
    """None that is ever given out: ``QI00 …`` (no mark has a Q or an I there, nor 00)."""
    description: Line
    markers: tuple[Line, ...] = Field(default=(), max_length=50)


class RecordsSettings(Strict):
    """How the simulator is laid out."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 0
    """Where control rooms ask, and its audit and faults are; 0: any that is free."""
    token: SecretStr | None = None
    """What whoever asks must bring; needed beyond loopback."""
    answer_s: Span = Span(least=0.5, most=2.0)
    """How long a check takes. [p]"""
    people: tuple[PersonRecord, ...] = Field(default=(), max_length=MAX_RECORDS)
    vehicles: tuple[VehicleRecord, ...] = Field(default=(), max_length=MAX_RECORDS)
