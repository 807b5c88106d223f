"""What a migration is about to do and has done, in a file that outlives whoever writes it: what a roll-back goes by.

Theory. A step is written down, and is on the disk, before the service hears of it; its outcome is written after the
answer. So of every step one of three is known after a crash: it was never begun, it was done, or it may have been done.
The last kind is looked for by what it would have made. The file has names and addresses of people in it: it is its
owner's alone (mode 600), and belongs into no report.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, Self

from harness.errors import MigrationError

MAX_STEPS: Final = 100_000
MAX_LEDGER: Final = 64 * 1024 * 1024
"""Bytes that are read."""
FORMAT: Final = 1
State = Literal["intended", "done", "undone"]
Kind = Literal["users", "licences", "group", "contacts", "meeting"]


@dataclass(slots=True)
class Step:
    """One thing that a migration does."""

    number: int
    kind: Kind
    state: State
    told: dict[str, Any] = field(repr=False)
    """What it is known by, and once it was done what was made."""


class Ledger:
    """The steps of one migration, in order."""

    def __init__(self, path: Path, organisation: str, wave: str) -> None:
        """Use `Ledger.begin` or `Ledger.read`."""
        self.path, self.organisation, self.wave = path, organisation, wave
        self.steps: list[Step] = []

    @classmethod
    def begin(cls, path: Path, organisation: str, wave: str) -> Self:
        """Begin one for an organisation's id. Raises MigrationError where there is a file already, or none can be."""
        ledger = cls(path, organisation, wave)
        try:
            path.touch(mode=0o600, exist_ok=False)
        except OSError as error:
            raise MigrationError(f"no ledger can be begun at {path}: {error.strerror}") from None
        ledger._write({"ledger": FORMAT, "organisation": organisation, "wave": wave})
        return ledger

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read one. A last line that is not whole is none: its step never began. Raises MigrationError."""
        try:
            if path.stat().st_size > MAX_LEDGER:
                raise MigrationError(f"{path}: {MAX_LEDGER} bytes are read at most")
            whole, _, torn = path.read_bytes().rpartition(b"\n")
            head, *lines = [json.loads(line) for line in whole.split(b"\n")]
            if head["ledger"] != FORMAT:
                raise MigrationError(f"{path} is a ledger of another format")
            ledger = cls(path, str(head["organisation"]), str(head["wave"]))
            for line in lines:
                ledger._take(line)
            if torn:
                os.truncate(path, len(whole) + 1)
        except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
            raise MigrationError(f"{path} is no ledger of a migration: {type(error).__name__}") from None
        return ledger

    def _take(self, line: dict[str, Any]) -> None:
        number = int(line["step"])
        if number == len(self.steps):
            self.steps.append(Step(number, line["kind"], "intended", dict(line["told"])))
            return
        step = self.steps[number]
        step.state = line["state"]
        step.told |= line.get("told", {})

    @property
    def open(self) -> bool:
        """Whether anything of it stands, or may stand."""
        return any(each.state != "undone" for each in self.steps)

    def intend(self, kind: Kind, **told: Any) -> Step:
        """Write down what comes next; it is on the disk when this returns. Raises MigrationError."""
        if len(self.steps) >= MAX_STEPS:
            raise MigrationError(f"a migration has {MAX_STEPS} steps at most")
        step = Step(len(self.steps), kind, "intended", dict(told))
        self._write({"step": step.number, "kind": kind, "told": told})
        self.steps.append(step)
        return step

    def done(self, step: Step, **told: Any) -> None:
        """Write down that a step was done, and what it made."""
        self._mark(step, "done", told)

    def undone(self, step: Step) -> None:
        """Write down that nothing of a step is left."""
        self._mark(step, "undone", {})

    def _mark(self, step: Step, state: State, told: dict[str, Any]) -> None:
        self._write({"step": step.number, "state": state, "told": told})
        step.state = state
        step.told |= told

    def _write(self, line: dict[str, Any]) -> None:
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise MigrationError(f"the ledger {self.path} can't be written: {error.strerror}") from None
