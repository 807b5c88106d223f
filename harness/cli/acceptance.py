"""One acceptance run: lanes of simulators, pytest and Robot over the suites, everything down again, results told.

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
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from harness.cli.certifying import certify
from harness.cli.children import Child
from harness.cli.deck import DECK_VARIABLE, HAND_VARIABLE, Deck, Hand
from harness.cli.disk_room import check_room, with_room
from harness.cli.keeping import BusyError, FolderLock, Keeping
from harness.cli.lane import ENVIRONMENT, FAILED, INTERRUPTED, LANE, PASSED, USAGE, Lane, PlanError, Runner
from harness.cli.node import MissingToolError
from harness.cli.places import PROJECT
from harness.cli.progress import ProgressFile, View
from harness.cli.report import (
    JUNIT,
    MATRIX,
    NO_REPORT,
    OUT,
    REPORT,
    RESULTS,
    SUMMARY,
    WITHOUT_ALLURE,
    make_report,
    show,
    summarised,
    tell_report,
    write_summary,
)
from harness.cli.terminals import terminals
from harness.errors import HarnessError
from harness.evidence.allure_adapter import RunDescription, write_environment
from harness.evidence.certificate import FOLDER as CERTIFICATE
from harness.evidence.defects import EMPTY, Register
from harness.evidence.progress import PROGRESS_VARIABLE
from harness.evidence.requirements import catalogue
from harness.evidence.results import Verdict
from harness.testbed.model import Testbed
from harness.testbed.places import KEEP_VARIABLE, ORIGIN_VARIABLE, SEED, TESTBED_VARIABLE

COLLECT_S = 120.0
"""Seconds pytest may take to collect."""
LOOK_S = 0.1
"""How often the progress file is looked at."""
ROBOT_TOO = "robot_too"
"""Marks a test that a Robot suite is the same as: a run of both plays it once, there."""
MARKER = ".iccs-run"
"""Names a folder as one of ours, whose earlier run may be moved aside."""
PREVIOUS = "previous"
RUN = "run"
DECK = "deck"
LOGS = "logs"
PYTEST: Final = (sys.executable, "-m", "pytest", "--color=no", "-p", "no:schemathesis")
"""Without a plugin that acceptance suites have no use for and that takes half a second to import."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run, against what, and where results go."""

    suites: tuple[Path, ...]
    testbed_file: Path
    testbed: Testbed
    keep_evidence: str
    out: Path
    report: bool
    lanes: int = 1
    """How many sets of simulators play tests side by side."""
    register: Register = EMPTY
    """The known faults."""
    store: str | None = None
    """The run store: a file or a PostgreSQL URL; None keeps nothing."""


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
        self._lanes = [f"-{number}" for number in range(1, plan.lanes + 1)] if plan.lanes > 1 else [""]
        self._interrupted = False
        self._keeping = None if plan.store is None else Keeping(plan.store, plan.out, plan.register)
        self._lock: FolderLock | None = None
        self._main: asyncio.Task[int] | None = None

    def prepare(self) -> None:
        """Check what can be checked before anything starts, and make room. Raises PlanError, DiskFullError."""
        for suite in self._plan.suites:
            if not suite.is_dir():
                there = ", ".join(sorted(each.name for each in suite.parent.iterdir() if each.is_dir()))
                raise PlanError(f"there is no suite {suite.name!r} in {suite.parent}; there is {there}")
            if suite not in self._pytest and suite not in self._robot:
                raise PlanError(f"{suite} holds neither test_*.py nor *.robot")
        self._check_tags()
        check_room(self._out)
        self._take_folder()
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

        if self._keeping is not None:
            self._keeping.begin(
                testbed=self._plan.testbed.name,
                stage=self._plan.testbed.stage,
                bindings=self._described.bindings,
                suites=[suite.name for suite in self._plan.suites],
                seed=SEED,
            )

    def _take_folder(self) -> None:
        """Have the folder alone; keep what a run before that was killed had reached. Raises PlanError, LocalError."""
        try:
            self._lock = FolderLock(self._out)
        except (OSError, BusyError) as error:
            told = str(error) if isinstance(error, BusyError) else f"{self._out} can't be used: {error}"
            raise PlanError(told) from error
        if self._keeping is not None and (killed := self._keeping.keep_killed()):
            self._console.print(f"The run {killed} was killed; what it had reached is kept.", style="yellow")

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
        try:
            return await self._main
        finally:
            if self._lock is not None:
                self._lock.release()

    def _interrupt(self) -> None:
        if self._interrupted or self._main is None:
            return  # children are being ended already, each step of it with a bound
        self._interrupted = True
        self._main.cancel()

    async def _run(self) -> int:
        began = time.time()
        view = View(self._console)
        try:
            with view:
                async with with_room(self._out):
                    code = await self._suites(view)
        except asyncio.CancelledError:
            code = INTERRUPTED
            self._console.print("Interrupted; this is what was reached.", style="yellow")
        except HarnessError as error:
            code = USAGE if isinstance(error, PlanError) else ENVIRONMENT
            self._console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return self._tell(code, began, view)

    async def _suites(self, view: View) -> int:
        origin, epoch = time.monotonic(), time.time()
        progress = ProgressFile(self._out / LOGS / "progress.jsonl")
        environment = {
            **os.environ,
            **self._described.environment(),
            ORIGIN_VARIABLE: repr(origin),
            TESTBED_VARIABLE: str(self._plan.testbed_file),
            KEEP_VARIABLE: self._plan.keep_evidence,
            PROGRESS_VARIABLE: str(progress.path),
            **terminals(self._console),
            DECK_VARIABLE: str(self._out / RUN / DECK),
            HAND_VARIABLE: Hand.SHARED if self._plan.lanes > 1 else Hand.ALL,
        }
        (self._out / RUN / DECK).mkdir()
        told = json.dumps({"origin": origin, "origin_epoch": epoch})
        (self._out / RUN / "run.json").write_text(told + "\n", encoding="utf-8")
        watching = asyncio.create_task(_watch(progress, view))
        collected = asyncio.create_task(self._collect(view, environment))
        lanes = [
            asyncio.create_task(self._lane(name, view, environment, origin).run(self._runners(), after=collected))
            for name in self._lanes
        ]
        try:
            code = max(await asyncio.gather(*lanes))
            if Deck(self._out / RUN / DECK).left:
                environment[HAND_VARIABLE] = Hand.ALONE
                last = self._lane(f"-{Hand.ALONE}", view, environment, origin)
                pytest = [each for each in self._runners() if each.name == "pytest"]
                code = max(code, await last.run(pytest, after=collected))
            return code
        finally:
            for lane in lanes:
                # One that is ending its children is not disturbed: a second word would leave them behind.
                if not lane.cancelling():
                    lane.cancel()
            collected.cancel()
            await asyncio.gather(*lanes, collected, return_exceptions=True)
            watching.cancel()
            shutil.rmtree(self._out / RUN / DECK, ignore_errors=True)  # whose turn it was: no evidence
            for event in progress.new():
                view.take(event)
            if self._robot and len(lanes) > 1:
                await self._one_robot_log(environment)

    def _lane(self, name: str, view: View, environment: Mapping[str, str], origin: float) -> Lane:
        run_dir = self._out / RUN / f"lane{name}" if name else self._out / RUN
        run_dir.mkdir(exist_ok=True)
        return Lane(
            name=name,
            testbed_file=self._plan.testbed_file,
            testbed=self._plan.testbed,
            run_dir=run_dir,
            logs=self._out / LOGS,
            environment=environment,
            origin=origin,
            stage=lambda told: view.stage(f"{told} (lane {name[1:]})" if name else told),
            say=lambda told, style: self._console.print(
                told, style=style, markup=False, highlight=False, soft_wrap=True
            ),
        )

    @property
    def _chosen(self) -> list[str]:
        """What pytest is to play: its suites, without what Robot plays just so."""
        return [*(["-m", f"not {ROBOT_TOO}"] if self._robot else []), *map(str, self._pytest)]

    def _runners(self) -> list[Runner]:
        results = str(self._out / RESULTS)
        runners = []
        if self._pytest:
            pytest = [*PYTEST, "-v", "-p", "harness.cli.deck"]
            runners.append(Runner("pytest", [*pytest, "--alluredir", results, *self._chosen]))
        if self._robot:
            robot = [sys.executable, "-m", "robot", "--consolecolors", "off", "--outputdir", str(self._out / LOGS)]
            robot += ["--output", f"robot{LANE}.xml", "--log", f"robot-log{LANE}.html", "--report", "NONE"]
            robot += ["--listener", f"allure_robotframework;{results}"]
            robot += ["--listener", "harness.keywords.listener.RequirementListener"]
            robot += ["--listener", "harness.cli.deck.DeckListener"]
            if len(self._lanes) > 1:
                robot.append("--runemptysuite")  # other lanes may have taken every file
            # In this order long files do not come last, when other lanes have nothing left to do.
            runners.append(Runner("robot", [*robot, *map(str, reversed(self._robot))]))
        return runners

    async def _one_robot_log(self, environment: Mapping[str, str]) -> None:
        """Put the lanes' Robot logs together: each has the files that it took, and the others empty."""
        logs = self._out / LOGS
        parts = [str(path) for path in sorted(logs.glob("robot-*.xml"))]
        if not parts:
            return
        rebot = [
            sys.executable,
            "-m",
            "robot.rebot",
            "--merge",
            "--processemptysuite",
            "--consolecolors",
            "off",
            "--outputdir",
            str(logs),
        ]
        rebot += ["--output", "robot.xml", "--log", "robot-log.html", "--report", "NONE", *parts]
        child = await Child.start("rebot", rebot, log=logs / "rebot.log", environment=environment, cwd=PROJECT)
        try:
            async with asyncio.timeout(COLLECT_S):
                await child.wait()
        except TimeoutError:
            self._console.print(f"the lanes' Robot logs were not put together within {COLLECT_S:g} s", style="yellow")
        finally:
            await child.stop()

    async def _collect(self, view: View, environment: Mapping[str, str]) -> None:
        """Have pytest collect its suites. Raises PlanError, with what it said, when it can't."""
        if not self._pytest:
            return
        view.stage("Collecting")
        command = [*PYTEST, "--collect-only", "-q", *self._chosen]
        log = self._out / LOGS / "collect.log"
        child = await Child.start("collect", command, log=log, environment=environment, cwd=PROJECT)
        try:
            async with asyncio.timeout(COLLECT_S):
                code = await child.wait()
        except TimeoutError:
            raise PlanError(f"pytest did not collect its suites within {COLLECT_S:g} s\n{child.tail()}") from None
        finally:
            await child.stop()
        if code != 0:
            raise PlanError(f"pytest can't collect its suites (exit {code}):\n{child.tail()}")

    def _tell(self, code: int, began: float, view: View) -> int:
        """Write the summary, print it, make the report; return the exit code."""
        summary = summarised(self._out / RESULTS, catalogue(), self._plan.register)
        if code == PASSED and not summary.passed:
            code = FAILED
        elif code == FAILED and summary.passed and not view.unfinished and view.bad == summary.count(Verdict.KNOWN):
            code = (
                PASSED  # by waived faults alone; a failure that left no result, or a test cut short, is none of these
            )
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
        show(self._console, summary)
        try:
            written = write_summary(self._out, summary, run)
            self._console.print(f"Summary: {written}", soft_wrap=True, highlight=False)
            for line in certify(self._out, summary, run):
                self._console.print(line, style="cyan", markup=False, highlight=False, soft_wrap=True)
        except HarnessError as error:
            self._console.print(str(error), style="red", markup=False, soft_wrap=True)
            code = code or ENVIRONMENT
        if self._described.binding != "real":
            self._console.print(f"Won {self._described.epic.partition(' ')[2]}: no acceptance.", style="cyan")
        if self._plan.report and summary.tests:
            try:
                tell_report(self._console, make_report(self._out / RESULTS, self._out, summary, join_history=True))
            except HarnessError as error:
                self._console.print(str(error), style="red", markup=False, soft_wrap=True)
                if isinstance(error, MissingToolError):
                    self._console.print(WITHOUT_ALLURE, soft_wrap=True, highlight=False)
                code = code or NO_REPORT
        if self._keeping is not None:
            try:
                self._keeping.end(summary, interrupted=self._interrupted, code=code)
                self._console.print(f"Kept as run {self._keeping.run}", soft_wrap=True, highlight=False)
            except HarnessError as error:
                told = f"The run is not kept: {error}. Its results are in {self._out}."
                self._console.print(told, style="red", markup=False, soft_wrap=True)
                code = code or ENVIRONMENT
        return code


async def _watch(progress: ProgressFile, view: View) -> None:
    while True:
        for event in progress.new():
            view.take(event)
        await asyncio.sleep(LOOK_S)


def make_room(out: Path) -> None:
    """Move the run before to PREVIOUS, and mark the folder as ours. Raises PlanError for a folder that is not."""
    ours = [out / name for name in (RESULTS, REPORT, RUN, LOGS, CERTIFICATE, SUMMARY, MATRIX, JUNIT)]
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
