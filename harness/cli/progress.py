"""Shows a run as it goes: a live table on a terminal, a line a test elsewhere; fed by the lines that suites write."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

LAST_SHOWN = 8
"""Tests that ended, shown under the bar."""
READ_BYTES = 1024 * 1024
"""Bytes read from the progress file at a time."""
LINE_BYTES = 64 * 1024
"""A line longer than this is none of ours."""
MARKS = {
    "passed": ("✓", "cyan"),
    "failed": ("✗", "bold red"),
    "broken": ("✗", "bold red"),
    "skipped": ("·", "yellow"),
    "not applicable": ("-", "dim"),
}
"""Green is kept for what was won on real equipment, which a progress line does not know."""


class ProgressFile:
    """Reads the lines that runners append; a line not yet whole waits for its end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self._held = b""

    def new(self) -> Iterator[Mapping[str, Any]]:
        """Yield the events written since the last call; what is no event is passed over."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                chunk = file.read(READ_BYTES)
        except FileNotFoundError:
            return
        self._offset += len(chunk)
        *lines, self._held = (self._held + chunk).split(b"\n")
        if len(self._held) > LINE_BYTES:
            self._held = b""
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict) and isinstance(event.get("event"), str):
                yield event


class View:
    """A run's progress on a console; use it as a context."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._totals: dict[str, int] = {}
        self._ended = 0
        self.bad = 0
        """Tests that ended failed or broken."""
        self._running: dict[str, str] = {}
        self._last: deque[Text] = deque(maxlen=LAST_SHOWN)
        self._stage = ""
        self._asked = ""
        self._live: Live | None = None

    def __enter__(self) -> View:
        self._go_on()
        return self

    def _go_on(self) -> None:
        """Show the picture; a new one each time, for rich's takes what stands above it for its own after a pause."""
        if self._console.is_terminal and self._live is None:
            self._live = Live(console=self._console, get_renderable=self._picture, refresh_per_second=8, transient=True)
            self._live.start()

    def _pause(self) -> None:
        """Leave the terminal to somebody else."""
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pause()

    @property
    def unfinished(self) -> int:
        """Tests that began and did not end."""
        return len(self._running)

    def stage(self, told: str) -> None:
        """Say what is being done."""
        self._stage = told
        if not self._console.is_terminal:
            self._console.print(told, markup=False, highlight=False, soft_wrap=True)

    def take(self, event: Mapping[str, Any]) -> None:
        """Take in one event of a runner."""
        runner, test = str(event.get("runner", "")), str(event.get("test", ""))
        match event["event"]:
            case "total":
                self._totals[runner] = int(event.get("tests", 0))
            case "started":
                self._running[test] = f"{runner}  {told_name(test)}"
            case "ended":
                self._ended += 1
                self._running.pop(test, None)
                self._answered()
                self._show(runner, test, event)
            case "told":
                if not event.get("shown"):
                    self._print(str(event.get("text", "")))
            case "asked":
                self._ask(str(event.get("text", "")), shown=bool(event.get("shown")))
            case "answered":
                self._answered()

    def _ask(self, text: str, *, shown: bool) -> None:
        """Show what a tester is asked; ``shown``: at a terminal of theirs, which is not this one."""
        if shown:
            self._asked = f"waiting for the tester: {text}"
            if not self._console.is_terminal:
                self._print(self._asked)
            return
        self._pause()
        self._console.bell()
        self._print(text)

    def _print(self, text: str) -> None:
        self._console.print(text, style="bold", markup=False, highlight=False, soft_wrap=True)

    def _answered(self) -> None:
        self._asked = ""
        self._go_on()

    def _show(self, runner: str, test: str, event: Mapping[str, Any]) -> None:
        outcome = str(event.get("outcome", "broken"))
        mark, style = MARKS.get(outcome, MARKS["broken"])
        line = Text.assemble((f"{mark} {outcome:<8}", style), f" {event.get('seconds', 0):6.1f} s  {told_name(test)}")
        bad = outcome in {"failed", "broken"}
        self.bad += bad
        if bad or outcome in {"skipped", "not applicable"}:
            told = str(event.get("message", "")).strip().splitlines()
            line.append(f"\n    {told[0]}" if told else "", style="red" if bad else style)
        self._last.append(line)
        if bad or not self._console.is_terminal:
            self._console.print(line, soft_wrap=True)

    def _picture(self) -> RenderableType:
        total = max(sum(self._totals.values()), self._ended)
        head = Table.grid(padding=(0, 1))
        head.add_row(
            self._stage, ProgressBar(total=max(1, total), completed=self._ended, width=40), f"{self._ended}/{total}"
        )
        running = [Text(f"… {name}", style="dim") for name in self._running.values()]
        return Group(head, *self._last, *running, *([Text(self._asked, style="bold")] if self._asked else []))


def told_name(test: str) -> str:
    """Return a test's name without the folders before its file."""
    path, separator, rest = test.partition("::")
    return f"{os.path.basename(path)}{separator}{rest}" if separator else test  # noqa: PTH119 - a test's id is no path
