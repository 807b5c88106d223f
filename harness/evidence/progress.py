"""Writes what a running suite has reached, one line of JSON an event, for whoever watches the run.

The file's path comes from the environment (ICCS_PROGRESS); without it nothing is written. pytest and Robot append to
one file; a line is written in one piece.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

PROGRESS_VARIABLE = "ICCS_PROGRESS"
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
