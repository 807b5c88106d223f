"""How the CRM's texts, codes and numbers are written: bounds, and no character that a store can't keep."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AfterValidator, Field

MAX_LINE: Final = 200
MAX_PROSE: Final = 20_000
CODE: Final = r"^[a-z][a-z0-9_]{0,39}$"
LINE: Final = r"^[^\x00-\x1f\x7f]*$"
PROSE: Final = r"^[^\x00]*$"


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("it is blank")
    return text


Code = Annotated[str, Field(pattern=CODE)]
"""A word of a list: lower-case letters, digits, underscores."""
Line = Annotated[str, Field(min_length=1, max_length=MAX_LINE, pattern=LINE), AfterValidator(_said)]
"""One line of text that says something."""
Prose = Annotated[str, Field(max_length=MAX_PROSE, pattern=PROSE)]
"""Text of any lines; PostgreSQL keeps no NUL."""
