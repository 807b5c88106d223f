"""The end-to-end scenarios of fixtures/scenarios, each a test: every seat is played by the harness."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import TestbedError
from harness.evidence.allure_adapter import plays
from harness.pytest_plugin import PROJECT, requirement
from harness.scenario.cast import casting
from harness.scenario.load import load_scenario, load_with_lines
from harness.scenario.player import replay
from harness.testbed.bench import Bench


def _collected(file: Path) -> Any:
    """One test: a scenario that names its testbed is played there, and else on the run's."""
    scenario = load_scenario(file)
    marks = [requirement(*scenario.requirements), pytest.mark.robot_too]
    if scenario.testbed is not None:
        marks += [pytest.mark.testbed(Path(scenario.testbed).stem), pytest.mark.own_testbed]
    return pytest.param(file, id=file.stem, marks=marks)


@pytest.mark.waits
@pytest.mark.parametrize(
    "file", [_collected(each) for each in sorted((PROJECT / "fixtures" / "scenarios").glob("*.yaml"))]
)
async def test_scenario(bench: Bench, file: Path) -> None:
    """Each step and expectation in its time, each measure within its limit. Skipped where an actor is not there."""
    scenario, lines = load_with_lines(file)
    plays(scenario.id)
    try:
        casting(scenario, bench.testbed, lines)
    except TestbedError as error:
        pytest.skip(str(error))
    await replay(scenario, bench, lines)
