"""How contacts, records, tasks, merges and imports are named outside: a letter and a number, C-000123."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field

from simulators.crm.errors import UnknownError

ID: Final = r"[1-9][0-9]{6,14}|[0-9]{6}"
"""Six digits, or more where six were not enough."""


def _of(letter: str) -> Any:
    return Field(pattern=rf"^{letter}-({ID})$", max_length=17)


ContactId = Annotated[str, _of("C")]
RecordId = Annotated[str, _of("R")]
TaskId = Annotated[str, _of("T")]
MergeId = Annotated[str, _of("M")]
ImportId = Annotated[str, _of("I")]


def shown(letter: str, number: int) -> str:
    """The id of a number."""
    return f"{letter}-{number:06d}"


def number_of(id_: str) -> int:
    """The number of an id that was found to be one."""
    return int(id_.partition("-")[2])


def unknown(id_: str) -> UnknownError:
    """That there is none."""
    what = {"C": "contact", "R": "record", "T": "task", "M": "merge", "I": "import"}[id_[0]]
    return UnknownError(f"there is no {what} {id_}")
