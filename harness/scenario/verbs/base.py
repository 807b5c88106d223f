"""What a verb is: what it does in one line, what goes with it, how it is done, and how it is seen to be done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, ValidatorFunctionWrapHandler, field_validator

from harness.errors import DriverError, LocalError
from harness.scenario.names import refers

if TYPE_CHECKING:
    from harness.scenario.cast import Part


class Arguments(BaseModel):
    """What goes with a verb. A reference (`${name}`) stands for any value until its step is done."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    measured_in: ClassVar[Mapping[str, str]] = {}
    """Arguments that say what a measure is held against, each with the measure's unit."""

    @field_validator("*", mode="wrap")
    @classmethod
    def _later(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        return value if refers(value) else handler(value)


class Nothing(Arguments):
    """Nothing goes with the verb."""


@dataclass(frozen=True, slots=True)
class Seen:
    """By what a console shows that its operator did something: how a person's act is known."""

    kind: str
    gives: str | None = None
    """The event's value that ``as`` keeps."""
    same: tuple[str, ...] = ()
    """Arguments that the event has alike, where they are given; ``argument:field`` where it has another name there."""
    by: str | None = None
    """The event's value that names the position."""
    early: bool = False
    """Whether it counts where a person did it before it was their turn."""


Perform = Callable[["Part", Any], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing that an actor of a role can do."""

    name: str
    does: str
    arguments: type[Arguments]
    short: str | None
    """The argument that a bare value stands for."""
    perform: Perform
    seen: Seen | None

    def takes(self, value: Any) -> Any:
        """Return the mapping that a value of the file stands for; what is none is returned as it is."""
        if value is None or (value is True and self.short is None):
            return {}
        if not isinstance(value, Mapping) and self.short is not None:
            return {self.short: value}
        return value


VERBS: Final[dict[str, dict[str, Verb]]] = {}
"""Role to verbs by name."""


def verb(
    *roles: str, arguments: type[Arguments] = Nothing, short: str | None = None, seen: Seen | None = None
) -> Callable[[Perform], Perform]:
    """Put a function into the table of roles, under its own name (without a ``_`` at the end)."""

    def put(perform: Perform) -> Perform:
        name = perform.__name__.rstrip("_")
        told = (perform.__doc__ or "").strip().split("\n", maxsplit=1)[0]
        for role in roles:
            VERBS.setdefault(role, {})[name] = Verb(name, told, arguments, short, perform, seen)
        return perform

    return put


async def refused(
    act: Awaitable[Any], because: str, *, instead: str, undo: Callable[[Any], Awaitable[Any]] | None = None
) -> None:
    """Do an act that has to be refused, with these words in the reason.

    Raises DriverError where it is refused for another reason; where it is done, with ``instead``, after ``undo``.
    """
    try:
        made = await act
    except LocalError as error:
        if because not in str(error):
            raise DriverError(f"refused, but for another reason than {because!r}: {error}") from error
        return
    if undo is not None:
        await undo(made)
    raise DriverError(f"{instead}, and had to be refused")
