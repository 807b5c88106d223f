"""Child processes of a run: each leads its own group, is ended in steps with a bound on each, and leaves nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.errors import HarnessError

STEPS: tuple[tuple[signal.Signals, float], ...] = (
    (signal.SIGINT, 15.0),
    (signal.SIGTERM, 5.0),
    (signal.SIGKILL, 5.0),
)
"""What a child that must end is sent, and how many seconds it is given after each."""
LINE_BYTES = 1024 * 1024
"""Longest line that is read from a child."""
LOOK_S = 0.05
"""How often it is seen whether a group has ended."""
TAIL_BYTES = 8_192
"""How much of a log's end is shown."""


class ChildError(HarnessError):
    """A child could not be started."""


class Child:
    """A running child; its output goes to ``log``, or its lines can be read when ``lines`` was asked for."""

    def __init__(self, process: Process, name: str, log: Path) -> None:
        self._process = process
        self.name = name
        self.log = log

    @classmethod
    async def start(
        cls,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str],
        cwd: Path,
        lines: bool = False,
    ) -> Child:
        """Start ``command``. With ``lines`` its standard output can be read; what else it prints goes to ``log``.

        Raises ChildError when it can't be started.
        """
        try:
            with log.open("ab") as file:
                process = await asyncio.create_subprocess_exec(
                    *command,
                    stdin=PIPE if lines else DEVNULL,  # a simulator ends when its standard input does
                    stdout=PIPE if lines else file,
                    stderr=file,
                    env=dict(environment),
                    cwd=cwd,
                    start_new_session=True,  # Ctrl-C comes to us alone; we end children in order
                    limit=LINE_BYTES,
                )
        except OSError as error:
            raise ChildError(f"{name} can't be started: {error}") from error
        return cls(process, name, log)

    @property
    def code(self) -> int | None:
        """Exit code, or None while it runs."""
        return self._process.returncode

    async def line(self) -> bytes:
        """Return the next line of its output; empty at its end."""
        assert self._process.stdout is not None
        try:
            return await self._process.stdout.readline()
        except ValueError as error:
            raise ChildError(f"{self.name} printed a line of more than {LINE_BYTES} bytes") from error

    async def wait(self) -> int:
        """Wait until it has ended and return its exit code; what it left in its group is ended, too."""
        code = await self._process.wait()
        await self._end_group()
        return code

    async def stop(self) -> int:
        """End it: ask, then insist, then kill, each with a bound; return its exit code."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        for number, seconds in STEPS:
            if self._process.returncode is not None:
                break
            with contextlib.suppress(ProcessLookupError):
                # The group hears only what its leader did not obey: a leader ends its own children in order.
                if number is signal.SIGINT:
                    self._process.send_signal(number)
                else:
                    os.killpg(self._process.pid, number)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._process.wait()
        return await self.wait()

    async def _end_group(self) -> None:
        """End what a leader that is gone left behind in its group."""
        for number, seconds in STEPS[1:]:
            try:
                os.killpg(self._process.pid, number)
            except (ProcessLookupError, PermissionError):
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while _group_lives(self._process.pid):  # noqa: ASYNC110 - nobody tells of orphans but the kernel
                        await asyncio.sleep(LOOK_S)

    def tail(self) -> str:
        """Return the end of its log."""
        try:
            return self.log.read_bytes()[-TAIL_BYTES:].decode("utf-8", "replace").strip()
        except OSError:
            return ""


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True
