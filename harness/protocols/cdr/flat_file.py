"""A flat file of call records: its name, its two head lines, its rows; bytes to rows and back.

    cdr_StandAloneCluster_01_202607011230_6125
    "cdrRecordType","globalCallID_callManagerId","globalCallID_callId",…
    INTEGER,INTEGER,INTEGER,…
    1,1,388289,17586046,1782909000,…

Theory. Line 1 has the columns' names, line 2 their types, then each line is a record (Cisco's Call Reporting and
Billing Administration Guide, Flat File Format; the line ends, the quotes round texts and the bare numbers by public
files). A number that is not told is left empty. What a reader is given may be of any release: it goes by the file's own
head. Files that CAR exports have no line 2 and another order of columns; they are read, too.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from harness.errors import CdrError
from harness.protocols.cdr.columns import BY_NAME, CDR, CMR, COLUMNS, Column
from harness.protocols.times import from_compact, to_compact

MAX_FILE: Final = 64 * 1024 * 1024
"""Octets of one file."""
MAX_ROWS: Final = 200_000
MAX_COLUMNS: Final = 512
MAX_NUMBER: Final = 2**32 - 1
MIN_NUMBER: Final = -(2**31)
"""Counts are 32 bits without a sign, addresses 32 bits with one."""
QUOTE_IN_TEXT: Final = '""'
"""A quote within a text, as CSV doubles it. Not confirmed by a public file."""
_NAME: Final = re.compile(r"(cdr|cmr)_(.{1,50})_(\d{1,3})_(\d{12})_(\d{1,10})", re.ASCII)
_TYPE: Final = re.compile(r"INTEGER|UNIQUEIDENTIFIER|VARCHAR\(\d{1,5}\)", re.ASCII)
_INTEGER: Final = re.compile(r"-?\d{1,10}", re.ASCII)
_NO_LINE: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")

Value = int | str | None
"""A number that is not told is None; a text that is not told is empty."""
Row = Mapping[str, Value]
"""Values by column name, as the file spells it."""


@dataclass(frozen=True, slots=True)
class FileName:
    """What a file's name tells."""

    tag: str
    """`cdr` or `cmr`."""
    cluster: str
    node: int
    """Of the cluster, 1…999; written with two digits at least."""
    minute: int
    """When the file was begun: seconds since 1970 of a whole minute, UTC."""
    sequence: int

    @classmethod
    def parse(cls, text: str) -> FileName:
        """Parse `tag_cluster_node_yyyymmddhhmm_sequence`; raises CdrError."""
        match = _NAME.fullmatch(text)
        if match is None:
            raise CdrError(f"file name {text[:80]!r} is not tag_cluster_node_yyyymmddhhmm_sequence, tag cdr or cmr")
        tag, cluster, node, minute, sequence = match.groups()
        try:
            return cls(tag, cluster, int(node), from_compact(f"{minute}00"), int(sequence))
        except ValueError as error:
            raise CdrError(f"file name {text[:80]!r}: {minute} is {error}") from error

    def __str__(self) -> str:
        """The name. Raises CdrError on what can't be one."""
        if self.tag not in COLUMNS or not 1 <= self.node <= 999 or self.sequence < 0:
            raise CdrError(f"no file is of {self.tag!r}, node {self.node}, sequence {self.sequence}")
        if re.fullmatch(r"[A-Za-z0-9_-]{1,50}", self.cluster) is None:
            raise CdrError(f"cluster {self.cluster!r}; letters, digits, hyphens and underscores, 50 at most, are due")
        try:
            return f"{self.tag}_{self.cluster}_{self.node:02d}_{to_compact(self.minute)[:12]}_{self.sequence}"
        except ValueError as error:
            raise CdrError(str(error)) from error


@dataclass(frozen=True, slots=True)
class FlatFile:
    """What was read of one file."""

    tag: str
    """`cdr` or `cmr`, by its columns."""
    columns: tuple[Column, ...]
    """As the file has them."""
    rows: tuple[Row, ...]
    has_types: bool
    """Whether line 2 gives types; CAR's exports have no such line."""

    @property
    def missing(self) -> list[str]:
        """Columns of the newest release that the file does not have."""
        there = {column.name.lower() for column in self.columns}
        return [column.name for column in COLUMNS[self.tag] if column.name.lower() not in there]


def read(data: bytes, name: str = "") -> FlatFile:
    """Read a file; ``name`` is told in errors, and need not be as FileName has it.

    Raises:
        CdrError: with file, line and column: too long, not UTF-8, no head, a row of another length, a value of another
            type.
    """
    where = name or "call records"
    if len(data) > MAX_FILE:
        raise CdrError(f"{where}: {len(data)} octets; {MAX_FILE} are read at most")
    try:
        text = data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise CdrError(f"{where}, line {line}: not UTF-8 at octet {error.start}") from error
    lines = _lines(text, where)
    head = next(lines, None)
    if head is None:
        raise CdrError(f"{where}: empty; a line of column names is due")
    names, tag = _names(head[1], where)
    columns = tuple(_known(tag, each) for each in names)
    rows: list[Row] = []
    has_types = False
    for number, cells in lines:
        if number == head[0] + 1 and cells and _TYPE.fullmatch(cells[0].strip()):
            columns, has_types = _typed(names, cells, f"{where}, line {number}"), True
            continue
        if len(rows) >= MAX_ROWS:
            raise CdrError(f"{where}, line {number}: more than {MAX_ROWS} records")
        rows.append(_row(columns, cells, f"{where}, line {number}"))
    return FlatFile(tag, columns, tuple(rows), has_types)


def _lines(text: str, where: str) -> Iterator[tuple[int, list[str]]]:
    """Each line's number and cells; empty lines are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            if cells:
                yield reader.line_num, cells
    except csv.Error as error:
        raise CdrError(f"{where}, line {reader.line_num}: {error}") from error


def _names(cells: list[str], where: str) -> tuple[list[str], str]:
    names = [cell.strip() for cell in cells]
    known = {name.lower() for name in names}
    tag = CDR if "origlegcallidentifier" in known else CMR if "numberpacketssent" in known else ""
    if not tag or len(names) > MAX_COLUMNS:
        raise CdrError(f"{where}, line 1: {names[0][:40]!r} … are no columns of call records (cdrRecordType, …)")
    for place, name in enumerate(names, 1):
        if not name or names.index(name) != place - 1:
            raise CdrError(f"{where}, line 1, column {place}: {name[:40]!r} is empty or twice there")
    return names, tag


def _known(tag: str, name: str) -> Column:
    found = BY_NAME[tag].get(name.lower())
    return Column(name, found.type if found else "VARCHAR(0)")


def _typed(names: list[str], cells: list[str], where: str) -> tuple[Column, ...]:
    if len(cells) != len(names):
        raise CdrError(f"{where}: {len(cells)} types for {len(names)} columns")
    for name, cell in zip(names, cells, strict=True):
        if _TYPE.fullmatch(cell.strip()) is None:
            due = "INTEGER, VARCHAR(n) or UNIQUEIDENTIFIER is due"
            raise CdrError(f"{where}, column {name}: type {cell[:30]!r}; {due}")
    return tuple(Column(name, cell.strip()) for name, cell in zip(names, cells, strict=True))


def _row(columns: tuple[Column, ...], cells: list[str], where: str) -> Row:
    if len(cells) != len(columns):
        raise CdrError(f"{where}: {len(cells)} values for {len(columns)} columns")
    found: dict[str, Value] = {}
    for column, cell in zip(columns, cells, strict=True):
        if not column.is_number:
            found[column.name] = cell
            continue
        digits = cell.strip()
        value = int(digits) if _INTEGER.fullmatch(digits) else None
        if digits and (value is None or not MIN_NUMBER <= value <= MAX_NUMBER):
            raise CdrError(f"{where}, column {column.name}: {cell[:40]!r}; a whole number of 32 bits is due")
        found[column.name] = value
    return found


def write(tag: str, rows: Iterable[Row]) -> bytes:
    """Return a file with all columns of the newest release.

    Columns that a row leaves out are left empty.

    Raises:
        CdrError: with record and column: one that is not known, a value of another type, too long, or with a line
            break.
    """
    columns = COLUMNS[tag]
    lines = [",".join(f'"{column.name}"' for column in columns), ",".join(column.type for column in columns)]
    for number, row in enumerate(rows, 1):
        where = f"{tag} record {number}"
        if number > MAX_ROWS:
            raise CdrError(f"{where}: a file has {MAX_ROWS} records at most")
        if unknown := [name for name in row if name.lower() not in BY_NAME[tag]]:
            raise CdrError(f"{where}: there is no column {unknown[0]!r}")
        told = {name.lower(): value for name, value in row.items()}
        lines.append(",".join(_cell(column, told.get(column.name.lower()), where) for column in columns))
    return "".join(f"{line}\n" for line in lines).encode()


def _cell(column: Column, value: Value, where: str) -> str:
    if column.is_number:
        if value is None:
            return ""
        if not isinstance(value, int) or not MIN_NUMBER <= value <= MAX_NUMBER:
            raise CdrError(f"{where}, column {column.name}: {value!r}; a whole number of 32 bits is due")
        return str(int(value))
    text = "" if value is None else value
    if not isinstance(text, str) or len(text) > column.length:
        raise CdrError(f"{where}, column {column.name}: {value!r}; a text of up to {column.length} characters is due")
    if _NO_LINE.search(text):
        raise CdrError(f"{where}, column {column.name}: a line break or control character in {text[:40]!r}")
    return '"' + text.replace('"', QUOTE_IN_TEXT) + '"'
