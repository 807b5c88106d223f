"""Runs the bench for Robot keywords, which are plain calls: in a thread in real time, in line in virtual time."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack, ExitStack
from datetime import date
from functools import cached_property
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any, Literal, TypeVar

from robot.api import SkipExecution

from harness.errors import TestbedError
from harness.evidence.collect import Attachment, Keep
from harness.evidence.on_the_wire import Failure
from harness.testbed.bench import Bench, open_bench
from harness.testbed.layouts import tells_nothing_of
from harness.testbed.load import load_testbed
from harness.testbed.run import Run, started_run
from harness.transport.virtual_loop import VirtualLoop

PROJECT = Path(__file__).resolve().parents[2]
DEFAULT_TESTBED = PROJECT / "fixtures" / "testbeds" / "simulated.yaml"

_benches = count(1)
"""Of all suites of a process: they share the run's folder, and each bench's captures are to be alone in theirs."""
T = TypeVar("T")
TimeBase = Literal["real", "virtual"]


class Session:
    """One library's run: its simulators for as long as the suite, a bench for as long as a test."""

    def __init__(self, testbed: Path, time: TimeBase, seed: int, keep: Keep, *, instead_of: Path | None = None) -> None:
        """``instead_of``: the run's testbed file, where the suite names another one."""
        self._testbed, self.time, self._seed, self._keep = testbed, time, seed, keep
        self._instead_of = instead_of
        self._suite: ExitStack | None = None
        self._run: Run
        self._loop: asyncio.AbstractEventLoop
        self._open: AsyncExitStack | None = None
        self._bench: Bench | None = None

    @property
    def is_simulated(self) -> bool:
        """Whether nothing on the testbed is real. A file that can't be read is for the bench to tell of."""
        try:
            return not load_testbed(self._testbed).real()
        except TestbedError:
            return False

    @cached_property
    def _why_skipped(self) -> str:
        """Why nothing of the suite is played beside the run's testbed; empty where it is. Read once a suite."""
        return "" if self._instead_of is None else tells_nothing_of(load_testbed(self._instead_of), self._testbed.stem)

    @property
    def bench(self) -> Bench:
        """The bench of the running test; opened when first asked for.

        Raises SkipExecution where the suite's own testbed is simulated and the run's is not: it would tell nothing.
        """
        if self._bench is None:
            if self._why_skipped:
                raise SkipExecution(self._why_skipped)
            self._start_suite()
            self._bench = self._do(self._open_bench())
        return self._bench

    def _start_suite(self) -> None:
        if self._suite is not None:
            return
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="iccs-run-")))
            virtual = self.time == "virtual"
            self._run = stack.enter_context(
                started_run(self._testbed, directory=folder, keep=self._keep, start=not virtual, seed=self._seed)
            )
            self._loop = VirtualLoop(self._seed) if virtual else asyncio.new_event_loop()
            stack.callback(self._loop.close)
            if not virtual:
                thread = Thread(target=self._loop.run_forever, name="bench", daemon=True)
                thread.start()
                stack.callback(thread.join)
                stack.callback(self._loop.call_soon_threadsafe, self._loop.stop)
            self._suite = stack.pop_all()

    async def _open_bench(self) -> Bench:
        self._open = AsyncExitStack()
        virtual = self.time == "virtual"
        return await self._open.enter_async_context(
            open_bench(
                self._run.testbed,
                today=date.today(),  # noqa: DTZ011 - a permit is dated by the tester's calendar
                addresses=self._run.addresses,
                virtual=virtual,
                seed=self._seed if virtual else None,
                origin=None if virtual else self._run.origin,
                capture_dir=self._run.directory / f"robot-{next(_benches):04d}",
            )
        )

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine of the bench to its end and return what it returns; opens the bench if need be."""
        try:
            _ = self.bench
        except BaseException:
            work.close()
            raise
        return self._do(work)

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        if self.time == "real":  # the loop runs, or is about to, in the thread that was started for it
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()
        return self._loop.run_until_complete(work)

    def end_test(self, title: str, *, failed: str | None) -> list[Attachment]:
        """Close the bench and return the test's evidence; ``failed``: the message of one that failed."""
        if self._bench is None or self._open is None:
            return []
        bench, self._bench = self._bench, None
        opened, self._open = self._open, None
        failure = None if failed is None else Failure(bench.journal.now(), failed)
        try:
            self._do(bench.close())
            return self._run.evidence(bench, title, failed=failure)
        finally:
            self._do(opened.aclose())

    def end_suite(self) -> None:
        """Stop what the suite started."""
        stack, self._suite = self._suite, None
        if stack is not None:
            stack.close()
