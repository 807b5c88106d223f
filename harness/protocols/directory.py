"""A directory (phone book) as control rooms read it: a CSV file with a header, or a feed's JSON object.

Both are this project's own forms, as forces' directories are not public. Bad rows of a file are told with their lines,
and the good ones are taken; a feed, which a program wrote, is taken whole or not at all.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

from harness.errors import DirectoryError

MAX_ENTRIES: Final = 100_000
MAX_FILE: Final = 32 * 1024 * 1024
"""Characters of a file."""
MAX_TEXT: Final = 200
"""Characters of a name, an organisation or a note."""
COLUMNS: Final = ("id", "name", "number", "organisation", "note")
NEEDED: Final = COLUMNS[:3]
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NUMBER: Final = re.compile(r"\+?[0-9*#]{1,20}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. Raises DirectoryError for what is none."""

    id: str
    """Its own for good, whatever else of it is edited: 1 to 64 letters, digits, ``.``, ``_``, ``-``."""
    name: str
    number: str
    """As it is dialled: digits, ``*``, ``#``, a ``+`` before them; 20 at most. Blanks in a file are left out."""
    organisation: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise DirectoryError(f"the id {self.id[:80]!r} is not 1 to 64 letters, digits, '.', '_' or '-'")
        if not _NUMBER.fullmatch(self.number):
            raise DirectoryError(f"the number {self.number[:40]!r} can't be dialled")
        if not self.name.strip():
            raise DirectoryError("the name is empty")
        for column in ("name", "organisation", "note"):
            text = getattr(self, column)
            if len(text) > MAX_TEXT or not text.isprintable():
                raise DirectoryError(f"the {column} is longer than {MAX_TEXT} characters, or has some that don't print")

    def written(self) -> dict[str, str]:
        """Return it as a feed has it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Problem:
    """A row of a file that was not taken."""

    line: int
    """Of the file, 1 being the header's."""
    why: str


def read_file(text: str) -> tuple[list[Entry], list[Problem]]:
    """Return the entries of a CSV file (RFC 4180, with a header), and what is wrong with its other rows.

    Raises DirectoryError for a file that has not the columns ``id``, ``name``, ``number``, has others than COLUMNS, or
    is beyond MAX_FILE or MAX_ENTRIES.
    """
    if len(text) > MAX_FILE:
        raise DirectoryError(f"a directory's file has {MAX_FILE} characters at most, not {len(text)}")
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    entries: dict[str, Entry] = {}
    problems: list[Problem] = []
    try:
        header = [name.strip().lower() for name in next(rows, [])]
    except csv.Error as error:
        raise DirectoryError(f"the header is no CSV: {error}") from error
    _check_header(header)
    while True:
        try:
            row = next(rows)
            if not row:
                continue
            entry = _entry(header, row)
            if entry.id in entries:
                raise DirectoryError(f"the id {entry.id!r} stands further up already")
        except StopIteration:
            return list(entries.values()), problems
        except (DirectoryError, csv.Error) as error:  # the next line is read as if nothing had been
            problems.append(Problem(rows.line_num, str(error)))
            continue
        entries[entry.id] = entry
        if len(entries) > MAX_ENTRIES:
            raise DirectoryError(f"a directory has {MAX_ENTRIES} entries at most")


def _check_header(header: list[str]) -> None:
    missing = [name for name in NEEDED if name not in header]
    unknown = [name for name in header if name not in COLUMNS]
    if missing or unknown or len(set(header)) != len(header):
        found = ", ".join(header)[:200] or "nothing"
        raise DirectoryError(f"the header has {found}; due: {', '.join(COLUMNS)}, the first three at least, once each")


def _entry(header: list[str], row: list[str]) -> Entry:
    if len(row) != len(header):
        raise DirectoryError(f"{len(row)} fields, {len(header)} are due")
    fields = dict(zip(header, (field.strip() for field in row), strict=True))
    fields["number"] = "".join(fields["number"].split())
    return Entry(**fields)


def read_feed(tree: Any) -> tuple[str, list[Entry]]:
    """Return a feed's version and entries: ``{"version": text, "entries": [{"id", "name", "number", …}]}``.

    Raises DirectoryError where anything in it is not so.
    """
    if not isinstance(tree, dict) or not isinstance(tree.get("version"), str) or len(tree["version"]) > 128:
        raise DirectoryError("a feed is an object with a 'version', a text of 128 characters at most")
    rows = tree.get("entries")
    if not isinstance(rows, list) or len(rows) > MAX_ENTRIES:
        raise DirectoryError(f"a feed has 'entries', a list of {MAX_ENTRIES} at most")
    entries = {}
    for number, row in enumerate(rows):
        if (
            not isinstance(row, dict)
            or not set(NEEDED) <= set(row) <= set(COLUMNS)
            or not all(isinstance(value, str) for value in row.values())
        ):
            raise DirectoryError(f"entry {number} of the feed is not an object of texts with {', '.join(COLUMNS)}")
        try:
            entry = Entry(**row)
        except DirectoryError as error:
            raise DirectoryError(f"entry {number} of the feed: {error}") from None
        if entry.id in entries:
            raise DirectoryError(f"entry {number} of the feed: the id {entry.id!r} stands further up already")
        entries[entry.id] = entry
    return tree["version"], list(entries.values())


@dataclass(frozen=True, slots=True)
class Changes:
    """What is different between two readings, by id, in the order in which it stands."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether anything is."""
        return bool(self.added or self.changed or self.removed)


def compare(before: dict[str, Entry], after: dict[str, Entry]) -> Changes:
    """Return what changed between two readings."""
    return Changes(
        tuple(id_ for id_ in after if id_ not in before),
        tuple(id_ for id_, entry in after.items() if id_ in before and before[id_] != entry),
        tuple(id_ for id_ in before if id_ not in after),
    )


def by_id(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Entries by their ids; of two of one id the later."""
    return {entry.id: entry for entry in entries}
