"""The rules of THRIVE and of grades, apart from any store.

Theory. A record is assessed by six factors, each in words, with a rationale that says what follows from them (SVC-005).
Only an assessed record is graded, and only Immediate, Prompt, Standard or Other (SVC-006). Whoever gives a graded
record another grade, or the record to somebody else, says why by THRIVE: a rationale of its own goes with it (SVC-011).
A Prompt that nobody attends is looked at by a supervisor after a while (SVC-007).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Literal

from simulators.crm.errors import RefusedError, UnfitError


class Grade(StrEnum):
    """How soon somebody comes."""

    IMMEDIATE = "Immediate"
    PROMPT = "Prompt"
    STANDARD = "Standard"
    OTHER = "Other"


@dataclass(frozen=True, slots=True)
class Thrive:
    """One assessment: none of it is blank."""

    threat: str
    harm: str
    risk: str
    investigation: str
    vulnerability: str
    engagement: str
    rationale: str


PARTS = tuple(each.name for each in fields(Thrive))
"""The six factors and the rationale, as they are named."""


def assessed(given: Mapping[str, object]) -> Thrive:
    """Read an assessment. Raises UnfitError that names every part which is missing, blank or no text."""
    missing = [part for part in PARTS if not _says_something(given.get(part))]
    if missing:
        raise UnfitError(
            f"THRIVE needs six factors and a rationale: {', '.join(missing)} {_is(missing)} missing or blank"
        )
    return Thrive(**{part: str(given[part]) for part in PARTS})


def grade_of(text: str) -> Grade:
    """Read a grade. Raises UnfitError for anything but the four."""
    try:
        return Grade(text)
    except ValueError:
        raise UnfitError(f"{text[:40]!r} is no grade: there is {', '.join(Grade)}") from None


def grading(record: str, was: Grade | None, now: Grade, *, assessed: bool, rationale: str) -> _Graded | None:
    """What giving ``record`` a grade is; None where it has that grade already.

    Raises RefusedError where it was never assessed, UnfitError where another grade comes without a rationale.
    """
    _needs_assessment(record, "graded", assessed)
    if was is now:
        return None
    if was is None:
        return "graded"
    _needs_rationale(f"{record} is {was} and is to be {now}", rationale)
    return "regraded"


def transferring(record: str, was: str | None, to: str, *, assessed: bool, rationale: str) -> None:
    """Raise RefusedError for a ``record`` never assessed or with ``to`` already, UnfitError without a rationale."""
    _needs_assessment(record, "transferred", assessed)
    _needs_rationale(f"{record} is to go to {to}", rationale)
    if was == to:
        raise RefusedError(f"{record} is with {to} already")


def reviewed_at(grade: Grade, graded_at: float, review_s: float) -> float | None:
    """When a supervisor is to look at what was graded at ``graded_at`` and nobody has attended; None: never."""
    return graded_at + review_s if grade is Grade.PROMPT else None


_Graded = Literal["graded", "regraded"]


def _needs_assessment(record: str, done: str, assessed: bool) -> None:
    if not assessed:
        raise RefusedError(f"{record} has no THRIVE assessment: it can't be {done} without")


def _needs_rationale(what: str, rationale: str) -> None:
    if not _says_something(rationale):
        raise UnfitError(f"{what}: that needs a THRIVE rationale")


def _says_something(text: object) -> bool:
    return isinstance(text, str) and bool(text.strip())


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"
