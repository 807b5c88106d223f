"""Records into files, one after another: a new file every interval (Cisco Unified CM's CDR File Time Interval).

No clock is in here: whoever adds a record says when, and asks at `due` whether a file is to be closed. An interval in
which no call ended leaves no file.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

from harness.errors import CdrError
from harness.protocols.cdr.columns import COLUMNS
from harness.protocols.cdr.flat_file import FileName, Row, write

DEFAULT_INTERVAL: Final = 60.0
"""Seconds; one minute is the parameter's default."""
ROWS_IN_FILE: Final = 10_000
"""Records after which a file is closed before its time."""


class WrittenFile(NamedTuple):
    """One file."""

    name: str
    data: bytes


class FileSeries:
    """The files of one node and one tag."""

    def __init__(
        self, tag: str, cluster: str, node: int, *, interval: float = DEFAULT_INTERVAL, sequence: int = 1
    ) -> None:
        """``sequence``: the first file's number. Raises CdrError on what no file's name can hold."""
        if tag not in COLUMNS or interval <= 0:
            raise CdrError(f"files are of cdr or cmr with an interval above 0 s, not of {tag!r} with {interval:g} s")
        self._name = FileName(tag, cluster, node, 0, sequence)
        str(self._name)
        self._interval = interval
        self._rows: list[Row] = []
        self._begun = 0.0

    @property
    def due(self) -> float | None:
        """When the open file is to be closed, seconds since 1970; None where none is open."""
        return self._begun + self._interval if self._rows else None

    def add(self, row: Row, now: float) -> list[WrittenFile]:
        """Put a record into the open file, or a new one; returns the files that were closed. ``now``: s since 1970.

        Raises CdrError on a record that can't be written, which is then left out.
        """
        write(self._name.tag, [row])
        closed = self.roll(now)
        if not self._rows:
            self._begun = now
        self._rows.append(row)
        return closed + (self.finish() if len(self._rows) >= ROWS_IN_FILE else [])

    def roll(self, now: float) -> list[WrittenFile]:
        """Close the open file where it is due."""
        due = self.due
        return self.finish() if due is not None and now >= due else []

    def finish(self) -> list[WrittenFile]:
        """Close the open file, due or not."""
        if not self._rows:
            return []
        # Whether Cisco's file is named by its begin or its end is not documented; it is the begin here.
        name = replace(self._name, minute=int(self._begun) // 60 * 60)
        written = WrittenFile(str(name), write(name.tag, self._rows))
        self._rows = []
        self._name = replace(name, sequence=name.sequence + 1)
        return [written]
