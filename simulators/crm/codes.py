"""How the CRM's texts and codes are written: bounds, and no character that a store can't keep."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

MAX_LINE: Final = 200
MAX_PROSE: Final = 20_000
CODE: Final = r"^[a-z][a-z0-9_]{0,39}$"
LINE: Final = r"^[^\x00-\x1f\x7f]*$"
SAID_LINE: Final = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
PROSE: Final = r"^[^\x00]*$"
SAID: Final = r"^[^\x00]*[^\s\x00][^\x00]*$"
"""As PROSE, and not blank."""

Code = Annotated[str, Field(pattern=CODE)]
"""A word of a list: lower-case letters, digits, underscores."""
Line = Annotated[str, Field(min_length=1, max_length=MAX_LINE, pattern=SAID_LINE)]
"""One line of text that says something."""
Prose = Annotated[str, Field(max_length=MAX_PROSE, pattern=PROSE)]
"""Text of any lines; PostgreSQL keeps no NUL."""
