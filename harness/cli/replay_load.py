"""Plays a load for ``iccs replay``: tells how far it is, what came of it, and the hash of its journal."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from harness.scenario.load_model.model import LoadFile
from harness.scenario.load_model.play import Result, merged, play

TOLD_EVERY_S = 10.0
"""Where nobody looks at a terminal: seconds between two lines of progress."""


def replay_load(file: LoadFile, testbed: Path, *, seed: int, journal: Path | None) -> bool:
    """Play it on all cores; whether all that was due came about. Raises what playing raises, and OSError."""
    console = Console(highlight=False)
    console.print(f"{file.id}: {file.title}", markup=False)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="iccs-load-") if journal is not None else nullcontext() as folder:
        with _Told(console) as told:
            result = play(
                file,
                testbed,
                seed=seed,
                workers=os.cpu_count() or 1,
                folder=None if folder is None else Path(folder),
                progress=told.share,
            )
        took_s = time.monotonic() - began
        if journal is not None and folder is not None:
            with journal.open("w", encoding="utf-8") as out:
                out.writelines(merged(Path(folder), file.load))
    problems = _tell(console, file, result, took_s)
    return not problems


def _tell(console: Console, file: LoadFile, result: Result, took_s: float) -> list[str]:
    for what, count in sorted(result.came.items()):
        console.print(f"  {what:<16} {count:>10,}")
    faster = file.load.lasts_s / took_s
    console.print(f"  {len(file.load.hours)} h in {took_s:.1f} s, {faster:,.0f} times as fast as real time")
    console.print(f"  memory grew by {result.grown_mib:.1f} MiB from a quarter of the time on, the most of any process")
    console.print(f"  journal: {result.events:,} events, sha256 {result.sha256}", soft_wrap=True)
    problems = result.problems(file.load)
    for problem in problems:
        console.print(f"  failed: {problem}", markup=False)
    console.print("failed" if problems else "passed")
    return problems


class _Told:
    """Progress: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._next = time.monotonic() + TOLD_EVERY_S
        self._bar = Progress(
            TextColumn("playing"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), console=console
        )
        self._task = self._bar.add_task("", total=1.0)

    def __enter__(self) -> _Told:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._bar.stop()

    def share(self, done: float) -> None:
        """So much is done, 0 to 1."""
        self._bar.update(self._task, completed=done)
        now = time.monotonic()
        if not self._console.is_terminal and now >= self._next:
            self._next = now + TOLD_EVERY_S
            self._console.print(f"  {done:.0%}")
