"""The end-to-end scenarios of fixtures/scenarios, each a test: every seat is played by the harness."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import TestbedError
from harness.pytest_plugin import PROJECT, requirement
from harness.scenario.cast import casting
from harness.scenario.load import load_scenario, load_with_lines
from harness.scenario.player import replay
from harness.testbed.bench import Bench

OF_THE_SERVICE_CENTRE = {"11-repeat-caller"}
"""Played by that suite, on its testbed."""
FILES = [
    file
    for file in sorted((PROJECT / "fixtures" / "scenarios").glob("*.yaml"))
    if file.stem not in OF_THE_SERVICE_CENTRE
]
SCENARIOS = [pytest.param(file, id=file.stem, marks=requirement(*load_scenario(file).requirements)) for file in FILES]


@pytest.mark.waits
@pytest.mark.parametrize("file", SCENARIOS)
async def test_scenario(bench: Bench, file: Path) -> None:
    """Each step and expectation in its time, each measure within its limit. Skipped where an actor is not there."""
    scenario, lines = load_with_lines(file)
    try:
        casting(scenario, bench.testbed)
    except TestbedError as error:
        pytest.skip(str(error))
    await replay(scenario, bench, lines)
