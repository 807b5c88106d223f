"""Writes an audit trail to a file that only grows, each line sealed with the one before."""

from __future__ import annotations

import fcntl
import os
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from os import write as os_write
from pathlib import Path
from typing import Any, Final

from harness.errors import AuditChainError, LocalError
from harness.journal import Journal
from harness.protocols.audit_chain import MAX_LINE, Head, sealed, verified

LINES_KEPT: Final = 10_000
"""Newest lines that are kept in memory for whoever asks."""
ENTRIES_WAITING: Final = 10_000
"""Lines that wait while the file can't be written (a full disk); at the next one nothing more is done at a console."""


class Trail:
    """The chain in memory: where entries go until a file is opened."""

    def __init__(self) -> None:
        self.lines = deque[bytes](maxlen=LINES_KEPT)
        """The newest, each with its end of line."""
        self.head = Head()
        """How far the chain goes, lines that still wait included."""

    @property
    def takes(self) -> bool:
        """Whether one more entry can be kept."""
        return True

    def write(self, entry: Mapping[str, Any]) -> None:
        """Seal and keep an entry."""
        line, self.head = sealed(self.head, entry)
        self.lines.append(line + b"\n")

    def close(self) -> None:
        """Write what waits, and let the file go."""


class FileTrail(Trail):
    """The trail of one control room in a file.

    A line is handed to the operating system before the act is answered: a killed simulator loses none. It is on the
    disk when the file is closed; a machine that loses its power may lose what its kernel had not yet written.
    """

    def __init__(self, path: Path, journal: Journal) -> None:
        """Open ``path`` and follow what is in it, made where there is none.

        A last line that was cut off is taken away and told, since it was answered to nobody. Raises LocalError where
        the file can't be had, is written by another, or does not hold together.
        """
        super().__init__()
        self._journal = journal
        self._path = path
        self._waiting = deque[bytes]()
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LocalError(f"the audit trail {path} can't be opened: {error.strerror}") from error
        try:
            self._begin()
        except BaseException:
            os.close(self._file)
            raise

    def _begin(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise LocalError(f"the audit trail {self._path} is written by another ICCS") from error
        torn = self._cut_off()
        if torn:
            os.ftruncate(self._file, os.fstat(self._file).st_size - torn)
        try:
            with self._path.open("rb") as file:
                self.head = verified(iter(lambda: file.readline(MAX_LINE + 2), b""))
        except AuditChainError as error:
            raise LocalError(f"the audit trail {self._path} does not hold together: {error}") from error
        self._size = os.fstat(self._file).st_size
        self._journal.record("iccs", "audit.opened", number=self.head.number, head=self.head.hash)
        if torn:
            self.write(
                {"act": "audit_resumed", "outcome": "done", "reason": f"left out: {torn} bytes of a line cut off"}
            )

    def _cut_off(self) -> int:
        """How many bytes of a last line there are that was cut off; 0 where it is whole, or too long for one."""
        size = os.fstat(self._file).st_size
        end = os.pread(self._file, MAX_LINE + 1, max(0, size - MAX_LINE - 1))
        torn = len(end) - (end.rfind(b"\n") + 1)
        return torn if torn <= MAX_LINE else 0

    @property
    def takes(self) -> bool:
        return len(self._waiting) < ENTRIES_WAITING or self._written()

    def write(self, entry: Mapping[str, Any]) -> None:
        super().write(entry)
        self._waiting.append(self.lines[-1])
        self._written()

    def _written(self) -> bool:
        """Write what waits, as far as that goes; whether nothing waits any more."""
        while self._waiting:
            line = self._waiting[0]
            try:
                count = os_write(self._file, line)
                if count < len(line):  # the disk was full in the middle of it
                    raise OSError(28, "only a part of a line could be written")
            except OSError as error:
                with suppress(OSError):
                    os.ftruncate(self._file, self._size)
                waiting = len(self._waiting)
                self._journal.record("iccs", "audit.not_written", waiting=waiting, reason=str(error.strerror))
                return False
            self._size += count
            self._waiting.popleft()
        return True

    def close(self) -> None:
        self._written()
        self._journal.record(
            "iccs", "audit.closed", number=self.head.number, head=self.head.hash, lost=len(self._waiting)
        )
        with suppress(OSError):
            os.fsync(self._file)
        os.close(self._file)
