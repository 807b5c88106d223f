"""Writes what a running suite has reached, one line of JSON an event, for whoever watches the run.

The file's path comes from the environment (ICCS_PROGRESS); without it nothing is written. pytest and Robot append to
one file; a line is written in one piece. What a tester is asked goes there too: a live view on the same terminal would
write over it, and shows it itself.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

PROGRESS_VARIABLE = "ICCS_PROGRESS"
VIEW_VARIABLE = "ICCS_VIEW"
"""Names the terminal on which a live view shows the run, and on which nobody else may write."""
TERMINAL_VARIABLE = "ICCS_TERMINAL"
"""Names the terminal from which the run was started: its children lead sessions of their own, which have none."""
MESSAGE_LENGTH = 2_000
"""Characters of a failure's message that a progress line carries."""

Outcome = Literal["passed", "failed", "broken", "skipped", "not applicable"]


class Progress:
    """Appends events of one runner (``pytest`` or ``robot``)."""

    def __init__(self, runner: str, path: Path | None = None) -> None:
        named = os.environ.get(PROGRESS_VARIABLE)
        self._path = path or (Path(named) if named else None)
        self._runner = runner

    def _write(self, event: str, **data: object) -> None:
        if self._path is None:
            return
        line = json.dumps({"event": event, "runner": self._runner, **data}, ensure_ascii=False)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def total(self, tests: int) -> None:
        """Say how many tests this runner has."""
        self._write("total", tests=tests)

    def started(self, test: str, requirements: Sequence[str]) -> None:
        """Say that a test has begun."""
        self._write("started", test=test, requirements=list(requirements))

    def ended(self, test: str, outcome: Outcome, *, seconds: float, message: str = "") -> None:
        """Say how a test ended; ``seconds`` is how long it took."""
        self._write("ended", test=test, outcome=outcome, seconds=round(seconds, 3), message=message[:MESSAGE_LENGTH])


class AtTheTerminal(Progress):
    """Tells what a tester is told and asked, and that they answered."""

    def __init__(self) -> None:
        super().__init__("bench")

    def place(self, named: Path) -> Path:
        """Where a terminal that a testbed file names is: ``/dev/tty`` is the one from which the run was started."""
        run = os.environ.get(TERMINAL_VARIABLE)
        return Path(run) if run and named == Path(os.ctermid()) else named

    def told(self, text: str, terminal: Path, *, waits: bool) -> bool:
        """Say what a tester is told at a terminal; return whether the view that is there shows it."""
        view = os.environ.get(VIEW_VARIABLE)
        shows = self._path is not None and view is not None and _is_one(Path(view), terminal)
        self._write("asked" if waits else "told", text=text, shown=not shows)
        return shows

    def answered(self) -> None:
        """Say that nothing is asked any more."""
        self._write("answered")


def _is_one(terminal: Path, other: Path) -> bool:
    try:
        return terminal.stat().st_rdev == other.stat().st_rdev
    except OSError:
        return False
