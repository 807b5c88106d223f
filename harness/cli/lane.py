"""One lane of an acceptance run: simulators of its own, and the runners that play suites against them in turn."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.cli.children import Child
from harness.cli.places import PROJECT
from harness.errors import HarnessError
from harness.testbed.addresses import Addresses, Reached
from harness.testbed.components import Binding
from harness.testbed.model import Testbed
from harness.testbed.places import ADDRESSES_VARIABLE, RUN_DIR_VARIABLE

READY_S = 60.0
"""Seconds the simulators may take until they are ready."""
SUITE_S = 3_600.0
"""Seconds one runner may take over its suites where all is simulated."""
REAL_SUITE_S = 24 * 3_600.0
"""And beside real equipment, where an hour takes an hour and testers are waited for."""
PASSED, FAILED, USAGE, ENVIRONMENT, INTERRUPTED = 0, 1, 2, 3, 130
LANE = "{lane}"
"""Stands in a runner's command for the lane's name."""
ADDRESSES = "addresses.json"
MAX_ADDRESSES = 10_000
"""Lines that the simulators may print before they are ready."""


class PlanError(HarnessError):
    """What was asked for can't be run."""


class SimulatorsError(HarnessError):
    """The simulators did not start, or ended under the run."""


@dataclass(frozen=True, slots=True)
class Runner:
    """A test runner and what it is given."""

    name: str
    """``pytest`` or ``robot``."""
    command: Sequence[str]
    """With LANE where a file is the lane's own."""


@dataclass(slots=True)
class Lane:
    """Its simulators, runners, captures and logs; what is told of it goes to ``say``."""

    name: str
    """Put after the names of its logs; empty where it is the only one."""
    testbed_file: Path
    testbed: Testbed
    run_dir: Path
    """For addresses and captures; is there."""
    logs: Path
    environment: Mapping[str, str]
    origin: float
    """Monotonic time that counts as run time 0."""
    stage: Callable[[str], None]
    """Told what is being done."""
    say: Callable[[str, str], None]
    """Told what is to be seen after the run, and in which style."""
    _simulators: Child | None = field(default=None, init=False)

    async def run(self, runners: Sequence[Runner], *, after: asyncio.Task[None]) -> int:
        """Start simulators and, when ``after`` is done, run each runner to its end; return the worst exit code.

        The simulators are ended in any case. Raises PlanError and SimulatorsError, and what ``after`` raises.
        """
        await self._start_simulators()
        try:
            await asyncio.shield(after)
            return max([await self._runner(runner) for runner in runners])
        finally:
            if self._simulators is not None:
                self.stage("Ending the simulators")
                await self._simulators.stop()

    async def _child(self, name: str, command: Sequence[str], **options: bool) -> Child:
        environment = {
            **self.environment,
            ADDRESSES_VARIABLE: str(self.run_dir / ADDRESSES),
            RUN_DIR_VARIABLE: str(self.run_dir),
        }
        log = self.logs / f"{name}{self.name}.log"
        return await Child.start(name, command, log=log, environment=environment, cwd=PROJECT, **options)

    async def _start_simulators(self) -> None:
        path = self.run_dir / ADDRESSES
        if all(each.binding is not Binding.SIMULATED for each in self.testbed.components.values()):
            Addresses().save(path)
            return
        self.stage("Starting the simulators")
        command = [sys.executable, "-m", "harness.cli", "simulate", "--testbed", str(self.testbed_file), "--json"]
        command += ["--run-dir", str(self.run_dir), "--origin", repr(self.origin), "--until-stdin-closes"]
        child = await self._child("simulators", command, lines=True)
        try:
            async with asyncio.timeout(READY_S):
                (await _addresses(child)).save(path)
        except BaseException as error:
            await child.stop()
            if isinstance(error, TimeoutError):
                raise SimulatorsError(f"the simulators were not ready after {READY_S:g} s\n{child.tail()}") from None
            raise
        self._simulators = child

    async def _runner(self, runner: Runner) -> int:
        """Run one runner to its end; return our exit code for it. Raises SimulatorsError when they end under it."""
        self.stage(f"Running the {runner.name} suites")
        simulators, most = self._simulators, REAL_SUITE_S if self.testbed.real() else SUITE_S
        child = await self._child(runner.name, [each.replace(LANE, self.name) for each in runner.command])
        ended = asyncio.create_task(child.wait())
        gone = asyncio.create_task(simulators.wait() if simulators is not None else asyncio.Event().wait())
        try:
            await asyncio.wait((ended, gone), timeout=most, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                return self._judged(runner.name, ended.result(), child)
            if gone.done() and simulators is not None:
                raise SimulatorsError(f"the simulators ended with {simulators.code} under the run\n{simulators.tail()}")
            raise SimulatorsError(f"{runner.name} was not done after {most:g} s\n{child.tail()}")
        finally:
            await child.stop()
            gone.cancel()
            await asyncio.gather(ended, gone, return_exceptions=True)

    def _judged(self, name: str, code: int, child: Child) -> int:
        """Return our exit code for a runner's; say what it printed where tests alone don't explain it."""
        closing = child.tail().rpartition("\n")[2]
        if name == "pytest" and closing:
            self.say(closing, "")
        if code == 0:
            return PASSED
        usage = {"pytest": (4, 5), "robot": (251, 252, 253)}[name]
        explained = range(1, 2) if name == "pytest" else range(1, 251)
        if code not in explained:
            self.say(f"{name} ended with {code}:\n{child.tail()}", "red")
            return USAGE if code in usage else ENVIRONMENT
        return FAILED


async def _addresses(child: Child) -> Addresses:
    """Read what ``iccs simulate --json`` prints. Raises PlanError for a bad testbed, SimulatorsError for the rest."""
    addresses = Addresses()
    while line := await child.line():
        try:
            entry = json.loads(line)
            if entry.get("ready"):
                return addresses
            addresses.add(Reached(entry["name"], entry["role"], entry["kind"], entry["url"]))
        except (ValueError, KeyError, AttributeError) as error:
            raise SimulatorsError(f"the simulators printed what is no address: {line[:200]!r}") from error
        if len(list(addresses)) > MAX_ADDRESSES:
            raise SimulatorsError(f"the simulators printed more than {MAX_ADDRESSES} addresses")
    code = await child.wait()
    raise (PlanError if code == USAGE else SimulatorsError)(f"the simulators ended with {code}\n{child.tail()}")
