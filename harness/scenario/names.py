"""Names in a scenario file: `${name}` and `${name.field}`, and what was probably meant where one is not known."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Final

from pydantic import Field

NAME: Final = r"[a-z][a-z0-9_]{0,39}"
Name = Annotated[str, Field(pattern=rf"^{NAME}$")]
"""An actor, a variable or a thing kept with ``as``."""
NEAREST_SHOWN: Final = 3
LISTED: Final = 24
"""Names that an error lists."""
_REFERENCE = re.compile(rf"\$\{{\s*({NAME})(?:\.([A-Za-z_][A-Za-z0-9_]{{0,39}}))?\s*\}}")
_OPENING = re.compile(r"\$\{[^}]{0,60}\}?")


def refers(value: Any) -> bool:
    """Whether a value is a text with a reference in it."""
    return isinstance(value, str) and "${" in value


def references(value: Any) -> Iterator[tuple[tuple[str | int, ...], str, str, str]]:
    """Yield each reference in a value: where beneath it, the text as written, name and field (empty: none).

    What begins as a reference and is none is yielded with an empty name.
    """
    if isinstance(value, str):
        for match in _OPENING.finditer(value):
            read = _REFERENCE.fullmatch(match[0])
            yield (), match[0], read[1] if read else "", (read[2] or "") if read else ""
    elif isinstance(value, Mapping):
        for key, each in value.items():
            for where, *rest in references(each):
                yield ((key, *where), *rest)  # type: ignore[misc]
    elif isinstance(value, list | tuple):
        for index, each in enumerate(value):
            for where, *rest in references(each):
                yield ((index, *where), *rest)  # type: ignore[misc]


def resolved(value: Any, look_up: Callable[[str, str], Any]) -> Any:
    """Return a value with its references replaced by what ``look_up`` (name, field) returns.

    A text that is one reference becomes the value itself; in a longer text it becomes its text. ``look_up`` may raise
    KeyError to leave a reference as it is.
    """
    if isinstance(value, Mapping):
        return {key: resolved(each, look_up) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [resolved(each, look_up) for each in value]
    if not refers(value):
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole is not None:
        try:
            return look_up(whole[1], whole[2] or "")
        except KeyError:
            return value

    def text(match: re.Match[str]) -> str:
        try:
            return str(look_up(match[1], match[2] or ""))
        except KeyError:
            return match[0]

    return _REFERENCE.sub(text, value)


def meant(found: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the nearest of the known names, and else what there is."""
    names = [str(name) for name in known]
    near = get_close_matches(str(found), names, NEAREST_SHOWN, 0.6)
    if near:
        return "; did you mean " + " or ".join(repr(name) for name in near) + "?"
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"; there is {', '.join(names[:LISTED]) or 'none'}{more}"
