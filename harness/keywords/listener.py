"""The Robot listener: requirement tags become Allure links and labels, unknown ids stop the run, progress is told.

Use it beside Allure's own, in either order::

    robot --listener allure_robotframework:DIR --listener harness.keywords.listener.RequirementListener suites/niccs
"""

from __future__ import annotations

import sys
from typing import ClassVar

from robot import result as outcome
from robot import running

from harness.evidence.allure_adapter import RunDescription, attach, describe, gathered
from harness.evidence.progress import Outcome, Progress
from harness.evidence.requirements import Catalogue, catalogue

TAG = "req:"
"""A tag that begins so names a requirement: ``req:NICCS-TEL-006``."""
_OUTCOMES: dict[str, Outcome] = {"PASS": "passed", "FAIL": "failed", "SKIP": "skipped", "NOT RUN": "skipped"}


def tagged_requirements(test: running.TestCase | outcome.TestCase) -> list[str]:
    """Return the ids that a test's tags name, each once; tags know no case, ids are upper-case."""
    named = (str(tag)[len(TAG) :].strip().upper() for tag in test.tags if str(tag).lower().startswith(TAG))
    return list(dict.fromkeys(named))


def unknown_requirements(suite: running.TestSuite, known: Catalogue) -> list[str]:
    """Return a line for each tag that names no requirement of the catalogue: file, line, test, and what is near."""
    return [
        f"{test.source}:{test.lineno}: {test.name}: {known.unknown(name)}"
        for test in suite.all_tests
        for name in tagged_requirements(test)
        if name not in known
    ]


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
        attach(gathered(result.failed))
        self._progress.ended(
            result.full_name,
            _OUTCOMES.get(result.status, "broken"),
            seconds=result.elapsed_time.total_seconds(),
            message=result.message,
        )
