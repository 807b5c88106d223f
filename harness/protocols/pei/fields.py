"""Fields of the codes a terminal sends: numbers, identities and names read from text, and the base of all codes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, ClassVar, Final, NamedTuple, Self

from harness.errors import PeiRemoteError

MAX_FIELDS = 24
"""Most comma-separated fields looked at in one line."""
_MAX_DIGITS = 10
"""Most digits of a number that is no identity; guards int() against a line of a thousand digits."""


def number(text: str, where: str) -> int:
    """The number a field holds. Raises PeiRemoteError."""
    digits = text[1:] if text[:1] == "-" else text
    if not (digits.isascii() and digits.isdigit()) or len(digits) > _MAX_DIGITS:
        raise PeiRemoteError(f"{where} is not a number: {text[:40]!r}")
    return int(text)


def identity(text: str, where: str) -> str:
    """The digits of an identity, quotation marks taken off. Raises PeiRemoteError."""
    bare = text.strip('"')
    if not bare.isascii() or any(c not in "0123456789*#+" for c in bare):
        raise PeiRemoteError(f"{where} is not an identity: {text[:40]!r}")
    return bare


def label(text: str, where: str) -> str:
    """A name, quotation marks taken off."""
    return text.strip('"')


def int_field(default: Any = MISSING) -> Any:
    """A dataclass field that holds a number; without a default it may not be missing."""
    return field(default=default, metadata={"read": number})


def id_field(default: Any = MISSING) -> Any:
    """A dataclass field that holds an identity's digits."""
    return field(default=default, metadata={"read": identity})


def label_field() -> Any:
    """A dataclass field that holds a name, or None."""
    return field(default=None, metadata={"read": label})


def split_fields(text: str) -> list[str]:
    """The fields after the colon, blanks around each taken off; a comma inside quotes does not part."""
    if '"' not in text:
        return [part.strip() for part in text.split(",")]
    parts, start, quoted = [], 0, False
    for at, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            parts.append(text[start:at].strip())
            start = at + 1
    return [*parts, text[start:].strip()]


class _Column(NamedTuple):
    """One field of a code."""

    name: str
    read: Callable[[str, str], Any]
    where: str
    """What an error calls it."""
    needed: bool


_COLUMNS: Final[dict[type[Unsolicited], tuple[_Column, ...]]] = {}
"""The fields of each code in their order: looked up once, for codes are read and written all the time."""


def _columns(code: type[Unsolicited]) -> tuple[_Column, ...]:
    found = _COLUMNS.get(code)
    if found is None:
        found = _COLUMNS[code] = tuple(
            _Column(item.name, item.metadata["read"], f"{code.PREFIX}: {item.name}", item.default is MISSING)
            for item in fields(code)
        )
    return found


class _Kept:
    """What is worked out of a code once: it does not change, and a network tells all of a talkgroup the same one."""

    __slots__ = ("_written",)
    _written: str


@dataclass(frozen=True, slots=True)
class Unsolicited(_Kept):
    """Base of all codes: the prefix on the line, and reading and writing by the order of the fields."""

    PREFIX: ClassVar[str] = ""

    @classmethod
    def from_fields(cls, texts: list[str], odd: list[PeiRemoteError] | None = None) -> Self:
        """Reads the fields in order; missing trailing ones and empty ones take their default.

        With `odd`, a field that may be missing and can't be read is left out, and told there: real terminals put in
        what they like, and a call must not be missed for it.

        Raises:
            PeiRemoteError: a field without a default is missing, or one is not what it must be.
        """
        if len(texts) > MAX_FIELDS:
            raise PeiRemoteError(f"{cls.PREFIX}: {len(texts)} fields; {MAX_FIELDS} is the most")
        values: dict[str, Any] = {}
        columns = _columns(cls)
        for column, text in zip(columns, texts, strict=False):
            if text:
                try:
                    values[column.name] = column.read(text, column.where)
                except PeiRemoteError as error:
                    if odd is None or column.needed:
                        raise
                    odd.append(error)
        for column in columns:
            if column.needed and column.name not in values:
                raise PeiRemoteError(f"{column.where} is missing")
        return cls(**values)

    def line(self) -> str:
        """The line without its CR LF; trailing fields that are None are left off, those between are left empty."""
        try:
            return self._written
        except AttributeError:
            values = [getattr(self, column.name) for column in _columns(type(self))]
            while values and values[-1] is None:
                values.pop()
            line = f"{self.PREFIX}: " + ",".join(["" if value is None else str(value) for value in values])
            object.__setattr__(self, "_written", line)  # it is frozen for all else
            return line
