"""Reads contacts from CSV as it comes, in bounded memory: each row, or its line number and what is wrong with it.

Theory. A record ends with a line at which its quotes are even (RFC 4180). One whose quotes stay odd for MAX_LINES, or
that can't be read over its lines, is bad at its first line alone, and reading goes on at the next one: a quote that
somebody forgot to close costs its own row and no other.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from simulators.crm.codes import CODE, MAX_LINE
from simulators.crm.contacts import email_key, telephone_key
from simulators.crm.errors import UnfitError

COLUMNS: Final = ("reference", "name", "telephone", "email", "address", "markers")
"""``markers``: ``kind: text; kind: text``."""
MAX_LINE_BYTES: Final = 16 * 1024
MAX_LINES: Final = 20
"""Lines over which one record may go."""
MAX_MARKERS: Final = 32
MAX_SHOWN: Final = 40
_REFERENCE: Final = re.compile(r"[A-Za-z0-9:._/-]{1,64}", re.ASCII)
_CODE: Final = re.compile(CODE, re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Row:
    """One contact."""

    line: int
    reference: str
    name: str
    telephone: str | None
    email: str | None
    address: str
    markers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Bad:
    """What is wrong with a row."""

    line: int
    why: str


class Rows:
    """Contacts of one file."""

    def __init__(self) -> None:
        self._rest = b""
        self._too_long = False
        self._count = 0
        self._lines: list[tuple[int, str | Bad]] = []
        self._columns: list[str] | None = None

    def feed(self, data: bytes) -> Iterator[Row | Bad]:
        """Take what comes next. Raises UnfitError for a first line that does not name columns of ours."""
        *lines, rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take(line)
            yield from self._read(over=False)
        if len(rest) > MAX_LINE_BYTES:
            # What is not over yet is not kept: that it is too long is all that is to be known of it.
            rest, self._too_long = b"", True
        self._rest = rest

    def end(self) -> Iterator[Row | Bad]:
        """The file is over. Raises UnfitError where it has no line that names columns."""
        if self._rest or self._too_long:
            self._take(self._rest)
        yield from self._read(over=True)
        if self._columns is None:
            raise UnfitError(f"the file is empty: its first line names columns ({', '.join(COLUMNS)})")

    def _take(self, line: bytes) -> None:
        self._count += 1
        self._lines.append((self._count, self._decoded(line)))

    def _decoded(self, line: bytes) -> str | Bad:
        if self._too_long or len(line) > MAX_LINE_BYTES:
            self._too_long = False
            return Bad(self._count, f"it is longer than {MAX_LINE_BYTES} bytes")
        if self._count == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        try:
            return line.removesuffix(b"\r").decode()
        except UnicodeDecodeError as error:
            return Bad(self._count, f"byte {error.start + 1} is not UTF-8")

    def _read(self, *, over: bool) -> Iterator[Row | Bad]:
        while self._lines:
            number, first = self._lines[0]
            if isinstance(first, Bad):
                self._needs_columns(first.why)
                del self._lines[0]
                yield first
                continue
            taken = self._whole()
            if taken == 0 and not over and len(self._lines) < MAX_LINES:
                return
            found = self._parsed(number, taken) if taken else Bad(number, "a quote is opened and not closed")
            del self._lines[: taken if not isinstance(found, Bad) else 1]
            if found is None:
                continue
            if isinstance(found, Bad):
                self._needs_columns(found.why)
                yield found
            elif self._columns is None:
                self._columns = _columns(found)
            else:
                yield _row(number, dict(zip(self._columns, found, strict=True)))

    def _needs_columns(self, why: str) -> None:
        if self._columns is None:
            raise UnfitError(f"the first line names columns ({', '.join(COLUMNS)}), and can't be read: {why}")

    def _whole(self) -> int:
        """How many lines the first record has; 0: its end has not come."""
        quotes = 0
        for taken, (_number, line) in enumerate(self._lines[:MAX_LINES], start=1):
            if isinstance(line, Bad):
                return 0
            quotes += line.count('"')
            if quotes % 2 == 0:
                return taken
        return 0

    def _parsed(self, number: int, taken: int) -> list[str] | Bad | None:
        text = "\n".join(str(line) for _number, line in self._lines[:taken])
        if not text.strip():
            return None
        try:
            [cells] = csv.reader([text], strict=True)
        except (csv.Error, ValueError) as error:
            return Bad(number, f"it is no CSV: {error}")
        if self._columns is not None and len(cells) != len(self._columns):
            return Bad(number, f"it has {len(cells)} cells, and the first line names {len(self._columns)} columns")
        return cells


def _columns(cells: list[str]) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    unknown = [name for name in names if name not in COLUMNS]
    if unknown or len(set(names)) != len(names) or "reference" not in names:
        told = f"it names {', '.join(name[:MAX_SHOWN] or '(blank)' for name in names[:20])}"
        raise UnfitError(
            f"the first line names columns, each once, 'reference' among them: {', '.join(COLUMNS)}; {told}"
        )
    return names


def _row(line: int, cells: dict[str, str]) -> Row | Bad:
    """Read one row's cells; all that is wrong is told."""
    wrong: list[str] = []
    given = {name: " ".join(cell.split()) for name, cell in cells.items()}
    for name, cell in given.items():
        if _CONTROL.search(cell):
            wrong.append(f"{name} has a control character")
        elif name not in ("markers", "reference") and len(cell) > MAX_LINE:
            wrong.append(f"{name} has {len(cell)} characters, {MAX_LINE} at most are kept")
    reference, telephone, email = given["reference"], given.get("telephone", ""), given.get("email", "")
    if _REFERENCE.fullmatch(reference) is None:
        wrong.append(f"reference {_shown(reference)} is not 1 to 64 letters, digits and : . _ / -")
    if telephone and telephone_key(telephone) is None:
        wrong.append(f"telephone {_shown(telephone)} is no telephone number")
    if email and email_key(email) is None:
        wrong.append(f"email {_shown(email)} is no mail address")
    if not (given.get("name") or telephone or email):
        wrong.append("it has no name, telephone or email")
    markers = _markers(given.get("markers", ""), wrong)
    if wrong:
        return Bad(line, "; ".join(wrong)[:300])
    return Row(
        line,
        reference,
        given.get("name", ""),
        telephone_key(telephone) if telephone else None,
        email_key(email) if email else None,
        given.get("address", ""),
        markers,
    )


def _markers(cell: str, wrong: list[str]) -> tuple[tuple[str, str], ...]:
    found: dict[tuple[str, str], None] = {}
    for part in filter(None, (each.strip() for each in cell.split(";"))):
        kind, _, text = part.partition(":")
        if _CODE.fullmatch(kind.strip()) is None:
            wrong.append(f"marker {_shown(kind.strip())} is no kind: a lower-case letter, then letters, digits and _")
        found[kind.strip(), text.strip()] = None
    if len(found) > MAX_MARKERS:
        wrong.append(f"it has {len(found)} markers, {MAX_MARKERS} at most are kept")
    return tuple(found)


def _shown(cell: str) -> str:
    return repr(cell[:MAX_SHOWN])
