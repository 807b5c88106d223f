"""How a scenario file writes times, limits and what an event is to hold."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from harness.privacy import mask

MAX_DURATION_S: Final = 24 * 3600.0
"""The longest time that a file may name: a day."""
UNITS_S: Final = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}
"""Units of time, in seconds."""
_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,9})?"
_DURATION = re.compile(rf"({_NUMBER})\s*(ms|s|min|h)\Z")
_LIMIT = re.compile(rf"(<=|<|>=|>)\s*({_NUMBER})\s*([A-Za-z%]{{0,10}})\Z")
_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Strict(BaseModel):
    """A part of the file, in which no other key is allowed."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _seconds(value: Any) -> float:
    if isinstance(value, str):
        match = _DURATION.match(value.strip())
        if match is None:
            raise ValueError("a time such as '10 s', '500 ms', '2 min' or '1 h'")
        value = float(match[1]) * UNITS_S[match[2]]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("a time such as '10 s', '500 ms', '2 min' or '1 h'")
    if not 0 <= value <= MAX_DURATION_S:
        raise ValueError("a time of 0 s to 24 h")
    return float(value)


Seconds = Annotated[
    float,
    BeforeValidator(_seconds, json_schema_input_type=Annotated[str, Field(pattern=r"^[0-9.]+ *(ms|s|min|h)$")] | float),
]
"""A time: ``10 s``, ``500 ms``, ``2 min``, ``1 h``; a bare number is seconds."""


class Limit(Strict):
    """What a measure is held against: ``<= 300 ms``."""

    compare: Literal["<", "<=", ">", ">="]
    value: float
    unit: str = ""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        if isinstance(value, cls | dict):
            return value
        match = _LIMIT.match(value.strip()) if isinstance(value, str) else None
        if match is None:
            raise ValueError("a limit such as '<= 10 s' or '< 300 ms'")
        return {"compare": match[1], "value": float(match[2]), "unit": match[3]}

    def within(self, value: float, unit: str) -> float:
        """Return the limit in ``unit``. Raises ValueError where it is in a unit of another kind."""
        if self.unit == unit:
            return self.value
        if self.unit not in UNITS_S or unit not in UNITS_S:
            raise ValueError(f"is in {unit or 'no unit'}; found a limit in {self.unit or 'no unit'}")
        return self.value * UNITS_S[self.unit] / UNITS_S[unit]

    def holds(self, value: float, unit: str) -> bool:
        """Whether a value in ``unit`` keeps it. Raises ValueError as `within`."""
        return _COMPARE[self.compare](value, self.within(value, unit))

    def __str__(self) -> str:
        """Return the limit as the file has it."""
        return f"{self.compare} {self.value:g} {self.unit}".rstrip()


Scalar = str | int | float | bool | None


class Fits(Strict):
    """A condition on one value of an event, where it need not be a certain one."""

    least: float | None = None
    most: float | None = None
    about: float | None = None
    by: float = Field(default=0.0, ge=0)
    """How far off ``about`` it may be."""
    has: str | None = None
    """It holds this text."""
    is_not: Scalar | Literal["…"] = Field(default="…", alias="not")
    """It has another value."""

    def fits(self, seen: Any, key: str) -> bool:
        """Whether a value is as told."""
        if self.has is not None and str(mask(self.has, key)) not in str(seen):
            return False
        if "is_not" in self.model_fields_set and reads(seen, mask(self.is_not, key)):
            return False
        if self.least is self.most is self.about is None:
            return True
        if isinstance(seen, bool) or not isinstance(seen, int | float):
            return False
        if self.least is not None and seen < self.least:
            return False
        if self.most is not None and seen > self.most:
            return False
        return self.about is None or abs(seen - self.about) <= self.by

    def __str__(self) -> str:
        """Return the condition as a person reads it."""
        return ", ".join(f"{key} {value}" for key, value in self.model_dump(exclude_unset=True, by_alias=True).items())


Wanted = Fits | Scalar


def reads(seen: Any, wanted: Any) -> bool:
    """Whether two values read the same: ``5`` fits ``"5"``, as YAML's quotes should not decide a test."""
    return seen is wanted or seen == wanted or (wanted is not None and str(seen) == str(wanted))


def predicate(key: str, wanted: Wanted) -> Callable[[Any], bool]:
    """Return what tells whether an event's value of ``key`` is as wanted, named for error messages."""
    if isinstance(wanted, Fits):

        def fits(seen: Any) -> bool:
            return wanted.fits(seen, key)

        fits.__name__ = f"({wanted})"
        return fits
    due = mask(wanted, key)

    def same(seen: Any) -> bool:
        return reads(seen, due)

    same.__name__ = repr(due)
    return same
