"""The Robot listener: requirement tags become Allure links and labels, unknown ids stop the run, progress is told.

Use it beside Allure's own, in either order::

    robot --listener allure_robotframework:DIR --listener harness.keywords.listener.RequirementListener suites/niccs
"""

from __future__ import annotations

import sys
from typing import ClassVar

from robot import result as outcome
from robot import running

from harness.errors import NotApplicableError
from harness.evidence.allure_adapter import (
    NOT_APPLICABLE,
    RunDescription,
    attach,
    declare_not_applicable,
    describe,
    gathered,
)
from harness.evidence.collect import told_on_the_wire
from harness.evidence.progress import Outcome, Progress
from harness.evidence.requirements import catalogue
from harness.evidence.robot_side import tagged_requirements, unknown_requirements

_OUTCOMES: dict[str, Outcome] = {"PASS": "passed", "FAIL": "failed", "SKIP": "skipped", "NOT RUN": "skipped"}


class RequirementListener:
    """Robot listener, API version 3."""

    ROBOT_LISTENER_API_VERSION: ClassVar[int] = 3
    # Before Allure's own listener, which closes a test at its end and takes nothing after that.
    ROBOT_LISTENER_PRIORITY: ClassVar[int] = 100

    def __init__(self) -> None:
        self._progress = Progress("robot")
        self._run = RunDescription.from_environment()
        self._begun = False

    def start_suite(self, data: running.TestSuite, result: outcome.TestSuite) -> None:
        """Before the first suite: refuse unknown ids, tell how many tests there are.

        Robot logs what a listener raises and goes on; only SystemExit ends the run before a test has begun.
        """
        if self._begun:
            return
        self._begun = True
        wrong = unknown_requirements(data, catalogue())
        if wrong:
            sys.stderr.write("[ ERROR ] " + "\n[ ERROR ] ".join(wrong) + "\n")
            raise SystemExit(2)
        self._progress.total(data.test_count)

    def start_test(self, data: running.TestCase, result: outcome.TestCase) -> None:
        """Tell that a test has begun."""
        self._progress.started(result.full_name, tagged_requirements(result))

    def end_test(self, data: running.TestCase, result: outcome.TestCase) -> None:
        """Label the result, attach its evidence, tell how it ended."""
        requirements = [catalogue()[name] for name in tagged_requirements(result)]
        describe(requirements, self._run)
        left = gathered(result.message if result.failed else None)
        attach(left)
        where = told_on_the_wire(left)
        if where:  # Allure's own listener, which comes later, takes the message for the first screen
            result.message += f"\n{where}"
        ended = _OUTCOMES.get(result.status, "broken")
        if ended == "skipped" and NotApplicableError.tells(result.message):
            declare_not_applicable()
            ended = NOT_APPLICABLE
        self._progress.ended(
            result.full_name,
            ended,
            seconds=result.elapsed_time.total_seconds(),
            message=result.message,
        )
