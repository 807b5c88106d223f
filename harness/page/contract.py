"""What the page's parts know of one another: who is signed in, and what is kept of a playing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Role = Literal["champion", "trainee", "engineer", "governance"]
"""What a person may do on the page."""
Ended = Literal["passed", "failed", "abandoned"]
"""How a playing by a person ended: with its outcome as due, without it, or before its end."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in."""

    id: int
    """Unique among the people of one database."""
    name: str
    """As shown, at most 80 characters; any characters, so that pages have to escape it."""
    role: Role
    team: str
    """Its name, or nothing."""
    site: str
    """Its name, or nothing."""


@dataclass(frozen=True, slots=True)
class Marked:
    """What one step of an attempt came to, for the debrief."""

    told: str
    """The step as a person reads it."""
    done: str
    """``done``, ``late``, ``missed``, ``failed`` or ``unscored``."""
    began_s: float
    """Seconds since the scenario began."""
    took_s: float
    due_s: float | None
    """The person's time for it; None for a step that was not a person's."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One playing of a scenario by one person in one seat."""

    scenario: str
    """The scenario's id."""
    digest: str
    """SHA-256 of the file as played, in hexadecimal."""
    build: str
    """What it was played on: version of the harness and of the layout (NICCS-TRN-004)."""
    seat: str
    """The actor whose seat the person had."""
    ended: Ended
    began_at: float
    """Seconds since the epoch, UTC."""
    took_s: float
    percent: float
    """0 to 100: steps in time, of all that were scored."""
    steps: Sequence[Marked]
    thrive: Mapping[str, bool]
    """The THRIVE factors that were due, by name, and whether the person recorded each."""
    detail: Mapping[str, Any]
    """What the debrief shows besides; plain JSON."""


class Attempts(Protocol):
    """Where attempts are kept."""

    async def keep(self, person: Person, attempt: Attempt) -> int:
        """Keep an attempt and return its number.

        Raises PageError where it can't be stored: the caller shows why, and holds the attempt until it can be.
        """
        ...

    async def attempt(self, number: int) -> tuple[Person, Attempt]:
        """Return an attempt and whose it is. Raises PageError where there is none of that number."""
        ...
