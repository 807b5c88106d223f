"""What passes between the link and a dialect: requests, what became of entries, news."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harness.errors import CommandControlError


@dataclass(frozen=True, slots=True)
class Telling:
    """A request to command and control."""

    method: str
    path: str
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an entry."""

    taken: bool
    """False: it will never be had, and is put aside."""
    reference: str = ""
    """The other side's own name for the incident, once it has one."""
    reason: str = ""
    repeated: bool = False
    """Whether the other side had it before: our last telling had got through."""


@dataclass(frozen=True, slots=True)
class News:
    """Something that command and control tells."""

    kind: str
    """``unit.state`` {state, issi}, ``incident.updated`` {state, reference} or ``incident.noted`` {text}."""
    about: str
    """The unit's call sign, or the incident's id."""
    data: dict[str, Any]


def mapping(value: Any, what: str) -> dict[str, Any]:
    """``value`` where it is a JSON object. Raises CommandControlError."""
    if not isinstance(value, dict):
        raise CommandControlError(f"{what}: a JSON object is due, found {type(value).__name__}")
    return value


def listing(value: Any, what: str, most: int) -> list[dict[str, Any]]:
    """``value`` where it is a list of at most ``most`` JSON objects. Raises CommandControlError."""
    if not isinstance(value, list) or len(value) > most:
        raise CommandControlError(f"{what}: a list of at most {most} is due, found {str(value)[:80]}")
    return [mapping(each, what) for each in value]


def text(value: Any, what: str) -> str:
    """``value`` where it is text. Raises CommandControlError."""
    if not isinstance(value, str):
        raise CommandControlError(f"{what}: text is due, found {type(value).__name__}")
    return value
