"""Simulators in a process of their own: starts ``iccs simulate``, learns where it can be reached, and ends it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from time import monotonic

from harness.errors import TestbedError
from harness.testbed.addresses import Addresses, Reached

READY_WITHIN = 30.0
"""Seconds a child may take until it is ready."""
ENDS_WITHIN = 10.0
"""Seconds a child may take to end when it is asked to, before it is killed."""


@contextmanager
def simulators(
    testbed: Path, *, origin: float, run_dir: Path | None = None, seed: int | None = None
) -> Iterator[Addresses]:
    """Start the simulators of a testbed file and yield their addresses; they end with the block, or with this process.

    ``origin`` is the monotonic time that counts as run time 0. Raises TestbedError, with what the child said, when they
    do not come up.
    """
    command = [sys.executable, "-m", "harness.cli", "simulate", "--testbed", str(testbed), "--json"]
    command += ["--origin", repr(origin), "--until-stdin-closes"]
    command += ["--run-dir", str(run_dir)] if run_dir is not None else []
    command += ["--seed", str(seed)] if seed is not None else []
    pipe = subprocess.PIPE
    child = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)  # noqa: S603 - our own command
    said = _Said(child)
    try:
        yield said.addresses(READY_WITHIN)
    finally:
        if child.stdin is not None:
            child.stdin.close()
        try:
            child.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        said.close()


class _Said:
    """What a child prints, read by threads so that no pipe fills up and every wait has an end."""

    LINES = 10_000
    """Lines of its output that are kept until somebody asks for them."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self._child = child
        self._lines: Queue[str | None] = Queue()
        self._errors: list[str] = []
        self._threads = [Thread(target=self._read_out, daemon=True), Thread(target=self._read_err, daemon=True)]
        for thread in self._threads:
            thread.start()

    def _read_out(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            if self._lines.qsize() < self.LINES:
                self._lines.put(line)
        self._lines.put(None)

    def _read_err(self) -> None:
        assert self._child.stderr is not None
        for line in self._child.stderr:
            self._errors = [*self._errors[-99:], line]

    def addresses(self, within: float) -> Addresses:
        addresses = Addresses()
        deadline = monotonic() + within
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - monotonic()))
            except Empty:
                raise TestbedError(f"the simulators were not ready after {within:g} s\n{self._told()}") from None
            if line is None:
                self._child.wait()
                self._threads[1].join(1.0)
                raise TestbedError(f"the simulators ended with {self._child.returncode}\n{self._told()}")
            try:
                entry = json.loads(line)
                if entry.get("ready"):
                    return addresses
                addresses.add(Reached(entry["name"], entry["role"], entry["kind"], entry["url"]))
            except (ValueError, KeyError, AttributeError):
                raise TestbedError(f"the simulators said what is no address: {line[:200]!r}") from None

    def _told(self) -> str:
        return "".join(self._errors).strip()

    def close(self) -> None:
        for thread in self._threads:
            thread.join(1.0)
        for stream in (self._child.stdout, self._child.stderr):
            if stream is not None:
                stream.close()
