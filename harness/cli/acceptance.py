"""One acceptance run: simulators up, pytest and Robot over the suites, everything down again, results told.

Children get the run's clock, folder, addresses and testbed by environment variables; the drivers' and the simulators'
side capture into one folder on one clock, so that evidence can put them side by side.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from harness.cli.children import Child
from harness.cli.places import PROJECT
from harness.cli.progress import ProgressFile, View
from harness.cli.report import OUT, REPORT, RESULTS, SUMMARY, make_report, show, summarised, write_summary
from harness.errors import HarnessError
from harness.evidence.allure_adapter import RunDescription, write_environment
from harness.evidence.progress import PROGRESS_VARIABLE
from harness.evidence.requirements import catalogue
from harness.testbed.addresses import Addresses, Reached
from harness.testbed.components import Binding
from harness.testbed.model import Testbed
from harness.testbed.run import (
    ADDRESSES_VARIABLE,
    KEEP_VARIABLE,
    ORIGIN_VARIABLE,
    RUN_DIR_VARIABLE,
    TESTBED_VARIABLE,
)

READY_S = 60.0
"""Seconds the simulators may take until they are ready."""
SUITE_S = 3_600.0
"""Seconds one runner may take over its suites."""
COLLECT_S = 120.0
"""Seconds pytest may take to collect."""
LOOK_S = 0.1
"""How often the progress file is looked at."""
PASSED, FAILED, USAGE, ENVIRONMENT, INTERRUPTED = 0, 1, 2, 3, 130
MARKER = ".iccs-run"
"""Names a folder as one of ours, whose earlier run may be moved aside."""
PREVIOUS = "previous"
RUN = "run"
ADDRESSES = "addresses.json"
MAX_ADDRESSES = 10_000
"""Lines that the simulators may print before they are ready."""
LOGS = "logs"


class PlanError(HarnessError):
    """What was asked for can't be run."""


class SimulatorsError(HarnessError):
    """The simulators did not start, or ended under the run."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run, against what, and where results go."""

    suites: tuple[Path, ...]
    testbed_file: Path
    testbed: Testbed
    keep_evidence: str
    out: Path
    report: bool


class Acceptance:
    """Carries a plan out."""

    def __init__(self, plan: Plan, console: Console) -> None:
        self._plan = plan
        self._console = console
        self._out = plan.out
        bindings = {name: each.binding.value for name, each in plan.testbed.components.items()}
        self._described = RunDescription(plan.testbed.stage, bindings)
        self._pytest = [suite for suite in plan.suites if any(suite.rglob("test_*.py"))]
        self._robot = [suite for suite in plan.suites if any(suite.rglob("*.robot"))]
        self._interrupted = False
        self._main: asyncio.Task[int] | None = None

    def prepare(self) -> None:
        """Check what can be checked before anything starts, and make room. Raises PlanError."""
        for suite in self._plan.suites:
            if not suite.is_dir():
                there = ", ".join(sorted(each.name for each in suite.parent.iterdir() if each.is_dir()))
                raise PlanError(f"there is no suite {suite.name!r} in {suite.parent}; there is {there}")
            if suite not in self._pytest and suite not in self._robot:
                raise PlanError(f"{suite} holds neither test_*.py nor *.robot")
        self._check_tags()
        make_room(self._out)
        for folder in (RESULTS, RUN, LOGS):
            (self._out / folder).mkdir(parents=True)
        write_environment(
            self._out / RESULTS,
            {
                "Testbed": self._plan.testbed.name,
                "Stage": self._plan.testbed.stage,
                "Won on": self._described.binding,
                **self._described.bindings,
                "Python": sys.version.split()[0],
            },
        )

    def _check_tags(self) -> None:
        if not self._robot:
            return
        from robot.api import TestSuite  # noqa: PLC0415 - a third of a second, only where it is needed
        from robot.errors import DataError  # noqa: PLC0415

        from harness.evidence.robot_side import unknown_requirements  # noqa: PLC0415

        try:
            suites = [TestSuite.from_file_system(str(suite)) for suite in self._robot]
        except DataError as error:
            raise PlanError(str(error)) from error
        wrong = [line for suite in suites for line in unknown_requirements(suite, catalogue())]
        if wrong:
            raise PlanError("\n".join(wrong))

    async def run(self) -> int:
        """Run, report, and return the exit code. Ctrl-C, SIGTERM and SIGHUP end it in order."""
        loop = asyncio.get_running_loop()
        self._main = asyncio.create_task(self._run())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._interrupt)
        return await self._main

    def _interrupt(self) -> None:
        if self._interrupted or self._main is None:
            return  # children are being ended already, each step of it with a bound
        self._interrupted = True
        self._main.cancel()

    async def _run(self) -> int:
        began = time.time()
        try:
            with View(self._console) as view:
                code = await self._suites(view)
        except asyncio.CancelledError:
            code = INTERRUPTED
            self._console.print("Interrupted; this is what was reached.", style="yellow")
        except HarnessError as error:
            code = USAGE if isinstance(error, PlanError) else ENVIRONMENT
            self._console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return self._tell(code, began)

    async def _suites(self, view: View) -> int:
        origin, epoch = time.monotonic(), time.time()
        run_dir = self._out / RUN
        progress = ProgressFile(self._out / LOGS / "progress.jsonl")
        environment = {
            **os.environ,
            **self._described.environment(),
            ADDRESSES_VARIABLE: str(run_dir / ADDRESSES),
            RUN_DIR_VARIABLE: str(run_dir),
            ORIGIN_VARIABLE: repr(origin),
            TESTBED_VARIABLE: str(self._plan.testbed_file),
            KEEP_VARIABLE: self._plan.keep_evidence,
            PROGRESS_VARIABLE: str(progress.path),
        }
        told = json.dumps({"origin": origin, "origin_epoch": epoch})
        (run_dir / "run.json").write_text(told + "\n", encoding="utf-8")
        await self._collect(view, environment)
        simulators = await self._start_simulators(view, environment, origin)
        watching = asyncio.create_task(_watch(progress, view))
        try:
            codes = [await self._runner(view, *command, environment, simulators) for command in self._commands()]
        finally:
            watching.cancel()
            for event in progress.new():
                view.take(event)
            if simulators is not None:
                view.stage("Ending the simulators")
                await simulators.stop()
        return max(codes)

    def _commands(self) -> list[tuple[str, list[str]]]:
        results = str(self._out / RESULTS)
        commands = []
        if self._pytest:
            pytest = [sys.executable, "-m", "pytest", "-v", "--color=no", "--alluredir", results]
            commands.append(("pytest", [*pytest, *map(str, self._pytest)]))
        if self._robot:
            robot = [sys.executable, "-m", "robot", "--consolecolors", "off", "--outputdir", str(self._out / LOGS)]
            robot += ["--output", "robot.xml", "--log", "robot-log.html", "--report", "NONE"]
            robot += ["--listener", f"allure_robotframework;{results}"]
            robot += ["--listener", "harness.keywords.listener.RequirementListener"]
            commands.append(("robot", [*robot, *map(str, self._robot)]))
        return commands

    async def _collect(self, view: View, environment: Mapping[str, str]) -> None:
        """Have pytest collect its suites. Raises PlanError, with what it said, when it can't."""
        if not self._pytest:
            return
        view.stage("Collecting")
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "--color=no", *map(str, self._pytest)]
        child = await self._child("collect", command, environment)
        try:
            async with asyncio.timeout(COLLECT_S):
                code = await child.wait()
        except TimeoutError:
            raise PlanError(f"pytest did not collect its suites within {COLLECT_S:g} s\n{child.tail()}") from None
        finally:
            await child.stop()
        if code != 0:
            raise PlanError(f"pytest can't collect its suites (exit {code}):\n{child.tail()}")

    async def _child(self, name: str, command: Sequence[str], environment: Mapping[str, str], **options: bool) -> Child:
        log = self._out / LOGS / f"{name}.log"
        return await Child.start(name, command, log=log, environment=environment, cwd=PROJECT, **options)

    async def _start_simulators(self, view: View, environment: Mapping[str, str], origin: float) -> Child | None:
        path = self._out / RUN / ADDRESSES
        if all(each.binding is not Binding.SIMULATED for each in self._plan.testbed.components.values()):
            Addresses().save(path)
            return None
        view.stage("Starting the simulators")
        command = [sys.executable, "-m", "harness.cli", "simulate", "--testbed", str(self._plan.testbed_file), "--json"]
        command += ["--run-dir", str(path.parent), "--origin", repr(origin), "--until-stdin-closes"]
        child = await self._child("simulators", command, environment, lines=True)
        try:
            async with asyncio.timeout(READY_S):
                (await _addresses(child)).save(path)
        except BaseException as error:
            await child.stop()
            if isinstance(error, TimeoutError):
                raise SimulatorsError(f"the simulators were not ready after {READY_S:g} s\n{child.tail()}") from None
            raise
        return child

    async def _runner(
        self, view: View, name: str, command: Sequence[str], environment: Mapping[str, str], simulators: Child | None
    ) -> int:
        """Run one runner to its end; return our exit code for it. Raises SimulatorsError when they end under it."""
        view.stage(f"Running the {name} suites")
        child = await self._child(name, command, environment)
        ended = asyncio.create_task(child.wait())
        gone = asyncio.create_task(simulators.wait() if simulators is not None else asyncio.Event().wait())
        try:
            await asyncio.wait((ended, gone), timeout=SUITE_S, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                return self._judged(name, ended.result(), child)
            if gone.done() and simulators is not None:
                raise SimulatorsError(f"the simulators ended with {simulators.code} under the run\n{simulators.tail()}")
            raise SimulatorsError(f"{name} was not done after {SUITE_S:g} s\n{child.tail()}")
        finally:
            await child.stop()
            gone.cancel()
            await asyncio.gather(ended, gone, return_exceptions=True)

    def _judged(self, name: str, code: int, child: Child) -> int:
        """Return our exit code for a runner's; say what it printed where tests alone don't explain it."""
        closing = child.tail().rpartition("\n")[2]
        if name == "pytest" and closing:
            self._console.print(closing, markup=False, highlight=False)
        if code == 0:
            return PASSED
        usage = {"pytest": (4, 5), "robot": (251, 252, 253)}[name]
        explained = range(1, 2) if name == "pytest" else range(1, 251)
        if code not in explained:
            self._console.print(f"{name} ended with {code}:\n{child.tail()}", style="red", markup=False, soft_wrap=True)
        return USAGE if code in usage else FAILED

    def _tell(self, code: int, began: float) -> int:
        """Write the summary, print it, make the report; return the exit code."""
        summary = summarised(self._out / RESULTS, catalogue())
        if code == PASSED and not summary.passed:
            code = FAILED
        run = {
            "exit": code,
            "interrupted": self._interrupted,
            "began": round(began, 3),
            "seconds": round(time.time() - began, 3),
            "testbed": self._plan.testbed.name,
            "stage": self._plan.testbed.stage,
            "won_on": self._described.binding,
            "bindings": dict(self._described.bindings),
            "suites": [suite.name for suite in self._plan.suites],
        }
        written = write_summary(self._out, summary, run)
        show(self._console, summary)
        if self._described.binding != "real":
            self._console.print(f"Won {self._described.epic.partition(' ')[2]}: no acceptance.", style="cyan")
        if self._plan.report and summary.tests:
            try:
                page = make_report(self._out / RESULTS, self._out, summary, join_history=True)
                self._console.print(f"Report: {page}", soft_wrap=True, highlight=False)
            except HarnessError as error:
                self._console.print(str(error), style="red", markup=False, soft_wrap=True)
                code = code or ENVIRONMENT
        self._console.print(f"Summary: {written}", soft_wrap=True, highlight=False)
        return code


async def _watch(progress: ProgressFile, view: View) -> None:
    while True:
        for event in progress.new():
            view.take(event)
        await asyncio.sleep(LOOK_S)


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


def make_room(out: Path) -> None:
    """Move the run before to PREVIOUS, and mark the folder as ours. Raises PlanError for a folder that is not."""
    ours = [out / name for name in (RESULTS, REPORT, RUN, LOGS, SUMMARY)]
    there = [path for path in ours if path.exists()]
    try:
        if there and not (out / MARKER).is_file() and out != OUT:
            names = ", ".join(path.name for path in there)
            raise PlanError(f"{out} has {names}, and no run of ours was made there: name another folder with --out")
        previous = out / PREVIOUS
        if there:
            if previous.exists():
                shutil.rmtree(previous)
            previous.mkdir()
            for path in there:
                path.rename(previous / path.name)
        out.mkdir(parents=True, exist_ok=True)
        (out / MARKER).write_text(
            "Results of acceptance runs; iccs accept moves and replaces them.\n", encoding="utf-8"
        )
    except OSError as error:
        raise PlanError(f"{out} can't be used: {error}") from error
