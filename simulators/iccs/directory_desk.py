"""The directory that every position shows: read from a feed and a file time and again, edits told to all consoles."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from harness.endpoints.directory_feed import DirectoryFeed
from harness.errors import DirectoryError
from harness.protocols.directory import MAX_FILE, Entry, Problem, by_id, compare, read_file
from simulators.iccs.positions import Position
from simulators.iccs.services_at import ServiceAt
from simulators.iccs.shared import Shared

_IMPACT: Final = "consoles have the directory as it was when it was read last"
TOLD_IDS: Final = 50
"""Ids of one event, of each kind of change; beyond it the console reads the whole."""
PROBLEMS_KEPT: Final = 100
SHOWN_AT_ONCE: Final = 500
"""Entries of one answer."""


class DirectoryDesk:
    """One control room's directory. Where both have an entry of one id, the feed's counts."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._settings = shared.settings.directory
        self._feed: DirectoryFeed | None = None
        self._of_feed: dict[str, Entry] = {}
        self._of_file: dict[str, Entry] = {}
        self._entries: dict[str, Entry] = {}
        self._file_stamp: tuple[int, int] | None = None
        self._problems: list[Problem] = []
        self._stale: dict[str, str] = {}
        """What could not be read last time, and why: ``feed``, ``file``."""
        self._read_at: float | None = None

    def start(self, at: ServiceAt | None) -> None:
        """Begin to read, at once and then every so many seconds; without feed and file there is no directory."""
        if at is not None:
            self._feed = DirectoryFeed(at.address, token=at.token)
        if self._feed is not None or self._settings.file is not None:
            self._shared.spawn(self._read_again())

    async def stop(self) -> None:
        """Read no more."""
        if self._feed is not None:
            await self._feed.close()

    # What positions and supervisors see

    def shown(self, find: str | None) -> list[dict[str, Any]]:
        """Return the entries whose name, number or organisation has a text in it; the first SHOWN_AT_ONCE."""
        wanted = (find or "").casefold()
        found = [
            entry.written()
            for entry in self._entries.values()
            if any(wanted in text.casefold() for text in (entry.name, entry.number, entry.organisation))
        ]
        return found[:SHOWN_AT_ONCE]

    def status(self) -> dict[str, Any]:
        """Return how many entries there are, how long ago they were read, what could not be, and bad rows."""
        age = None if self._read_at is None else round(self._shared.now() - self._read_at, 3)
        problems = [asdict(problem) for problem in self._problems]
        return {"entries": len(self._entries), "age_s": age, "stale": dict(self._stale), "problems": problems}

    def shown_to(self, position: Position) -> None:
        """A console begins to look on: tell it what could not be read."""
        for source, reason in self._stale.items():
            self._shared.positions.tell(position, "directory.stale", source=source, reason=reason)

    # Reading

    async def _read_again(self) -> None:
        while True:
            failed = {}
            if self._feed is not None:
                try:
                    entries = await self._feed.read()
                    self._of_feed = self._of_feed if entries is None else by_id(entries)
                except DirectoryError as error:
                    failed["feed"] = str(error)
            if self._settings.file is not None:
                try:
                    self._take_file(self._settings.file)
                except DirectoryError as error:
                    failed["file"] = str(error)
            self._taken(failed)
            await asyncio.sleep(self._settings.every_s)

    def _take_file(self, path: Path) -> None:
        try:
            told = path.stat()
            if told.st_size > MAX_FILE:
                raise DirectoryError(f"{path.name} has {told.st_size} bytes; {MAX_FILE} at most are read")
            if (told.st_mtime_ns, told.st_size) == self._file_stamp:
                return
            entries, problems = read_file(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            self._file_stamp = None
            raise DirectoryError(f"{path.name} can't be read: {error}") from error
        self._file_stamp = (told.st_mtime_ns, told.st_size)
        self._of_file, self._problems = by_id(entries), problems[:PROBLEMS_KEPT]
        if problems:
            lines = ", ".join(str(problem.line) for problem in self._problems[:TOLD_IDS])
            self._shared.journal.warn("iccs", "directory.bad_rows", file=path.name, rows=len(problems), lines=lines)

    def _taken(self, failed: dict[str, str]) -> None:
        if not failed:
            self._read_at = self._shared.now()
        for source in [source for source in self._stale if source not in failed]:
            self._tell_all("directory.fresh", source=source)
            self._shared.faults.well("directory_stale", source)
        for source in [source for source in failed if source not in self._stale]:
            self._tell_all("directory.stale", source=source, reason=failed[source])
            self._shared.faults.failed("directory_stale", source, "minor", _IMPACT, failed[source])
        self._stale = failed
        entries = {**self._of_file, **self._of_feed}
        changes = compare(self._entries, entries)
        self._entries = entries
        if changes:
            told = {kind: list(ids[:TOLD_IDS]) for kind, ids in asdict(changes).items()}
            self._tell_all("directory.changed", entries=len(entries), **told)

    def _tell_all(self, kind: str, **data: Any) -> None:
        for position in self._shared.positions:
            if position.streams:
                self._shared.positions.tell(position, kind, **data)
