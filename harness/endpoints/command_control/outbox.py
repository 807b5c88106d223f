"""What waits to go to command and control: kept on disk before anything else is done with it, in order, each once.

Theory. An entry has a number that only rises and a key that says who keeps it and which number it has. It is on disk
(SQLite, write-ahead log, a flush with every commit) when `put` returns, so that a process killed at any later moment
finds it again; it leaves the queue only in the commit that notes how it was answered. Whoever is told the same entry
twice, because the answer to the first telling was lost, knows it by its key. That gives each entry once, in order,
whichever side dies when: provided the other side keeps the keys that it has seen in the commit that acts on them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.errors import CommandControlError

MAX_WAITING: Final = 100_000
"""Entries that may wait: more than a C3 day of incidents, units' states and log lines."""
MAX_REFUSED: Final = 10_000
"""Refused entries that are kept; the oldest go first."""
MAX_ONCE: Final = 200_000
"""Entries put once that are remembered; the oldest go first."""
MAX_ENTRY: Final = 48_000
"""Bytes of one entry's body as JSON."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS own (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS waiting (
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, about TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS refused (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, about TEXT NOT NULL, body TEXT NOT NULL, reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS once (
    kind TEXT NOT NULL, about TEXT NOT NULL, number INTEGER NOT NULL, UNIQUE (kind, about));
"""
_PUT_ASIDE: Final = "INSERT OR REPLACE INTO refused SELECT number, kind, about, body, ? FROM waiting WHERE number=?"
_KEEP_THE_NEWEST: Final = (
    "DELETE FROM refused WHERE number <= (SELECT number FROM refused ORDER BY number DESC LIMIT 1 OFFSET ?)"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that command and control is to know."""

    kind: str
    """``incident.opened``, ``incident.noted``, ``incident.handed_over``, ``incident.closed``,
    ``incident.transferred`` or ``unit.state``."""
    about: str
    """The incident's id, or the unit's call sign."""
    body: dict[str, Any]
    """An EIDO."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry on disk."""

    number: int
    """Rises by one from entry to entry of one outbox."""
    key: str
    """The same whenever it is told: ``origin:number``."""
    entry: Entry


class Outbox:
    """Entries of one origin on disk."""

    def __init__(self, path: Path | str, *, origin: str = "iccs", max_waiting: int = MAX_WAITING) -> None:
        """Open the file, made where it is not there. ``origin`` names a new one: a file keeps the origin it has.

        Raises CommandControlError for a file that can't be opened or is something else.
        """
        self._max = max_waiting
        try:
            self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.execute("PRAGMA synchronous=FULL")
            self._file.executescript(_SCHEMA)
            self._file.execute("INSERT OR IGNORE INTO own VALUES ('origin', ?)", (origin,))
            self.origin = self._own("origin")
            [(self._waiting,)] = self._file.execute("SELECT COUNT(*) FROM waiting")
        except sqlite3.Error as error:
            raise CommandControlError(f"{path}: no file of entries for command and control: {error}") from error

    def close(self) -> None:
        """Close the file. Again does nothing."""
        self._file.close()

    def __len__(self) -> int:
        """How many wait."""
        return int(self._waiting)

    def put(self, *entries: Entry) -> list[int]:
        """Keep entries, on disk when this returns, and give their numbers.

        Raises CommandControlError where too many wait, one is too long or the disk takes no more: none is kept then.
        """
        if self._waiting + len(entries) > self._max:
            raise CommandControlError(f"{self._waiting} entries wait for command and control, of {self._max} at most")
        rows = [(entry.kind, entry.about, _body(entry)) for entry in entries]
        try:
            with _Commit(self._file):
                numbers = [
                    int(
                        self._file.execute("INSERT INTO waiting (kind, about, body) VALUES (?,?,?)", row).lastrowid or 0
                    )
                    for row in rows
                ]
        except sqlite3.Error as error:
            raise CommandControlError(f"entries for command and control can't be kept: {error}") from error
        self._waiting += len(entries)
        return numbers

    def put_once(self, entry: Entry) -> int:
        """Keep an entry as `put` does, unless one of its kind about the same was put so before; the number of it.

        For a caller that was killed before it could note that it had put it. Raises CommandControlError.
        """
        if self._waiting >= self._max:
            raise CommandControlError(f"{self._waiting} entries wait for command and control, of {self._max} at most")
        body = _body(entry)
        try:
            with _Commit(self._file):
                row = self._file.execute(
                    "SELECT number FROM once WHERE kind=? AND about=?", (entry.kind, entry.about)
                ).fetchone()
                if row is not None:
                    return int(row[0])
                number = self._file.execute(
                    "INSERT INTO waiting (kind, about, body) VALUES (?,?,?)", (entry.kind, entry.about, body)
                ).lastrowid
                self._file.execute("INSERT INTO once VALUES (?,?,?)", (entry.kind, entry.about, number))
                self._file.execute("DELETE FROM once WHERE rowid <= last_insert_rowid() - ?", (MAX_ONCE,))
        except sqlite3.Error as error:
            raise CommandControlError(f"entries for command and control can't be kept: {error}") from error
        self._waiting += 1
        return int(number or 0)

    def first(self, count: int, *, size: int = 2**31) -> list[Kept]:
        """The entries that are due first, at most ``count`` and ``size`` bytes of bodies, but one at least."""
        found: list[Kept] = []
        for number, kind, about, body in self._file.execute(
            "SELECT number, kind, about, body FROM waiting ORDER BY number LIMIT ?", (count,)
        ):
            size -= len(body)
            if found and size < 0:
                break
            found.append(Kept(number, f"{self.origin}:{number}", Entry(kind, about, json.loads(body))))
        return found

    def settle(self, taken: Sequence[Kept], refused: Iterable[tuple[Kept, str]] = ()) -> None:
        """Let entries leave: ``taken`` by the other side, or ``refused`` for a reason and put aside.

        Raises CommandControlError where the disk takes no more: they wait on, and are told again.
        """
        refused = tuple(refused)
        try:
            with _Commit(self._file):
                for kept, reason in refused:
                    self._file.execute(_PUT_ASIDE, (reason[:500], kept.number))
                gone = [(kept.number,) for kept in (*taken, *(kept for kept, _ in refused))]
                self._file.executemany("DELETE FROM waiting WHERE number=?", gone)
                if refused:
                    self._file.execute(_KEEP_THE_NEWEST, (MAX_REFUSED,))
        except sqlite3.Error as error:
            raise CommandControlError(f"the entries' file can't be written: {error}") from error
        self._waiting -= len(gone)

    def refused(self) -> list[tuple[Kept, str]]:
        """Entries that the other side would not have, oldest first, and why."""
        rows = self._file.execute("SELECT number, kind, about, body, reason FROM refused ORDER BY number")
        return [
            (Kept(number, f"{self.origin}:{number}", Entry(kind, about, json.loads(body))), reason)
            for number, kind, about, body, reason in rows
        ]

    @property
    def cursor(self) -> str:
        """How far the other side's news has been taken in; empty at first."""
        return self._own("cursor")

    def move_to(self, cursor: str) -> None:
        """Note that news up to ``cursor`` has been taken in. Raises CommandControlError."""
        try:
            self._file.execute("INSERT OR REPLACE INTO own VALUES ('cursor', ?)", (cursor,))
        except sqlite3.Error as error:
            raise CommandControlError(f"the entries' file can't be written: {error}") from error

    def _own(self, name: str) -> str:
        row = self._file.execute("SELECT value FROM own WHERE name=?", (name,)).fetchone()
        return "" if row is None else str(row[0])


class _Commit:
    """All of a block or nothing of it."""

    def __init__(self, file: sqlite3.Connection) -> None:
        self._file = file

    def __enter__(self) -> None:
        self._file.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, _error: object, _trace: object) -> None:
        if kind is None:
            try:
                self._file.execute("COMMIT")
                return
            except sqlite3.Error:
                if self._file.in_transaction:
                    self._file.execute("ROLLBACK")
                raise
        if self._file.in_transaction:
            self._file.execute("ROLLBACK")


def _body(entry: Entry) -> str:
    text = json.dumps(entry.body, separators=(",", ":"))  # ASCII only: a character is a byte
    if len(text) > MAX_ENTRY:
        raise CommandControlError(f"{entry.kind} of {entry.about}: {len(text)} bytes, of {MAX_ENTRY} at most")
    return text
