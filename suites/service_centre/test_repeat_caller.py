"""The end-to-end scenarios whose actors are the service centre's: every seat is played by the harness."""

from __future__ import annotations

import pytest

from harness.errors import ExpectationError
from harness.pytest_plugin import PROJECT, requirement
from harness.scenario.load import load_scenario, load_with_lines
from harness.scenario.player import replay
from harness.testbed.bench import Bench

REPEAT_CALLER = PROJECT / "fixtures" / "scenarios" / "11-repeat-caller.yaml"


@pytest.mark.testbed("service-centre")
@pytest.mark.waits
@requirement(*load_scenario(REPEAT_CALLER).requirements)
async def test_a_repeat_vulnerable_caller_is_known_assessed_and_referred(bench: Bench) -> None:
    scenario, lines = load_with_lines(REPEAT_CALLER)
    await replay(scenario, bench, lines)


@pytest.mark.testbed("service-centre")
@pytest.mark.waits
async def test_a_repeat_caller_of_whom_the_crm_tells_nothing_in_time_fails_the_scenario(bench: Bench) -> None:
    await (await bench.crm()).fail("slow", seconds=3.0)
    scenario, lines = load_with_lines(REPEAT_CALLER)
    with pytest.raises(ExpectationError, match=r"expect crm\.shown"):
        await replay(scenario, bench, lines)
