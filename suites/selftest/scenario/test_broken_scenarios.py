"""The project's scenarios fail where what they judge is broken: by the simulators' own faults and settings."""

from __future__ import annotations

import pytest

from harness.errors import ExpectationError
from harness.pytest_plugin import PROJECT
from harness.scenario.load import load_with_lines
from harness.scenario.player import replay
from harness.testbed.bench import Bench

SCENARIOS = PROJECT / "fixtures" / "scenarios"


async def fails(bench: Bench, name: str, told: str) -> None:
    """Play a scenario of the project and see it fail with these words (a pattern)."""
    scenario, lines = load_with_lines(SCENARIOS / f"{name}.yaml")
    with pytest.raises(ExpectationError, match=told):
        await replay(scenario, bench, lines)


@pytest.mark.testbed("service-centre")
async def test_a_repeat_caller_of_whom_the_crm_tells_nothing_in_time(bench: Bench) -> None:
    await (await bench.crm()).fail("slow", seconds=3.0)
    await fails(bench, "11-repeat-caller", r"expect crm\.shown")
