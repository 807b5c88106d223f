"""The rules of THRIVE and of grades, apart from any store.

Theory. A record is assessed by six factors, each in words, with a rationale that says what follows from them (SVC-005).
Only an assessed record is graded, and only Immediate, Prompt, Standard or Other (SVC-006). Whoever gives a graded
record another grade, or the record to somebody else, says why by THRIVE: a rationale of its own goes with it (SVC-011).
A Prompt that nobody attends is looked at by a supervisor after a while (SVC-007).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from enum import StrEnum
from typing import Literal

from harness.endpoints.crm import ThriveAssessment
from harness.errors import LocalError


class Grade(StrEnum):
    """How soon somebody comes."""

    IMMEDIATE = "Immediate"
    PROMPT = "Prompt"
    STANDARD = "Standard"
    OTHER = "Other"


class ThriveError(LocalError):
    """It can't be done before, or without, what THRIVE asks for: 409."""


class UnfitThriveError(ThriveError):
    """What was given can't be right, now or ever: 422."""


PARTS = tuple(each.name for each in fields(ThriveAssessment))
"""The six factors and the rationale, as they are named."""


def assessed(given: Mapping[str, object]) -> ThriveAssessment:
    """Read an assessment. Raises UnfitThriveError that names every part which is missing, blank or no text."""
    missing = [part for part in PARTS if not _says_something(given.get(part))]
    if missing:
        raise UnfitThriveError(
            f"THRIVE needs six factors and a rationale: {', '.join(missing)} {_is(missing)} missing or blank"
        )
    return ThriveAssessment(**{part: str(given[part]) for part in PARTS})


def grade_of(text: str) -> Grade:
    """Read a grade. Raises UnfitThriveError for anything but the four."""
    try:
        return Grade(text)
    except ValueError:
        raise UnfitThriveError(f"{text[:40]!r} is no grade: there is {', '.join(Grade)}") from None


def grading(record: str, was: Grade | None, now: Grade, *, assessed: bool, rationale: str) -> _Graded | None:
    """What giving ``record`` a grade is; None where it has that grade already.

    Raises ThriveError where it was never assessed, UnfitThriveError where another grade comes without a rationale.
    """
    _needs_assessment(record, "graded", assessed)
    if was is now:
        return None
    if was is None:
        return "graded"
    _needs_rationale(f"{record} is {was} and is to be {now}", rationale)
    return "regraded"


def transferring(record: str, was: str | None, to: str, *, assessed: bool, rationale: str) -> None:
    """Raise ThriveError for a ``record`` not assessed, or with ``to``, UnfitThriveError without a rationale."""
    _needs_assessment(record, "transferred", assessed)
    _needs_rationale(f"{record} is to go to {to}", rationale)
    if was == to:
        raise ThriveError(f"{record} is with {to} already")


def reviewed_at(grade: Grade, graded_at: float, review_s: float) -> float | None:
    """When a supervisor is to look at what was graded at ``graded_at`` and nobody has attended; None: never."""
    return graded_at + review_s if grade is Grade.PROMPT else None


_Graded = Literal["graded", "regraded"]


def _needs_assessment(record: str, done: str, assessed: bool) -> None:
    if not assessed:
        raise ThriveError(f"{record} has no THRIVE assessment: it can't be {done} without")


def _needs_rationale(what: str, rationale: str) -> None:
    if not _says_something(rationale):
        raise UnfitThriveError(f"{what}: that needs a THRIVE rationale")


def _says_something(text: object) -> bool:
    return isinstance(text, str) and bool(text.strip())


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"
