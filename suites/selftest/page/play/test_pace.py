"""The scenario's clock between steps: at another speed, turned meanwhile, held; what is real stays real."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import pytest

from harness.cli.places import SIMULATED_TESTBED
from harness.errors import PageError
from harness.page.play.pace import SPEEDS, Pace
from harness.scenario.load import load_scenario
from harness.scenario.player import Onlooker, Player
from harness.testbed.bench import open_bench
from harness.testbed.load import load_testbed

pytestmark = pytest.mark.virtual_time
NOTES = """
id: PACE
title: Notes at their times
actors:
  officer: {role: radio_terminal, issi: 4001234}
timeline:
  - {at: 0 s, note: first}
  - {at: 8 s, note: second}
  - {after: 8 s, note: third}
  - {at: 24 s, officer: {press: GD-OPS-1, for: 2 s}}
  - {at: 32 s, note: last}
"""


def pace() -> Pace:
    return Pace(lambda: None)


@pytest.mark.parametrize("speed", SPEEDS)
async def test_a_wait_is_as_long_as_the_speed_makes_it(speed: float) -> None:
    made = pace()
    made.turn(speed)
    began = asyncio.get_running_loop().time()
    await made.wait(12.0)
    assert asyncio.get_running_loop().time() - began == pytest.approx(12.0 / speed, abs=1e-6)
    assert made.speeds == [speed]


async def test_a_speed_that_is_turned_meanwhile_counts_from_then_on() -> None:
    made, loop = pace(), asyncio.get_running_loop()
    began = loop.time()
    loop.call_later(2.0, made.turn, 4)
    loop.call_later(4.0, made.turn, 0.5)
    await made.wait(12.0)  # 2 s at 1, 8 s at 4 in 2 s, 2 s at a half in 4 s
    assert loop.time() - began == pytest.approx(8.0, abs=1e-6)
    assert made.speeds == [1.0, 4.0, 0.5]


@pytest.mark.parametrize("speed", [3, 0, -1, float("nan"), "2", None, True, [1]])
async def test_other_speeds_are_refused_and_change_nothing(speed: object) -> None:
    made = pace()
    with pytest.raises(PageError, match=r"a speed is one of 0\.5, 1, 2, 4, 8"):
        made.turn(speed)
    assert made.speed == 1.0


async def steps(tmp_path: Path, made: Pace | None) -> tuple[list[float], list[float]]:
    """When the steps began: by the run's clock since the first, and by the scenario's."""
    file = tmp_path / "pace.yaml"
    file.write_text(NOTES, encoding="utf-8")
    onlooker = Onlooker() if made is None else Onlooker(gate=made.gate, wait=made.wait)
    async with open_bench(
        load_testbed(SIMULATED_TESTBED), today=date(2026, 1, 1), addresses=None, virtual=True, seed=1
    ) as bench:
        result = await Player(load_scenario(file), bench, onlooker=onlooker).play()
        times = [event.time for event in bench.journal if event.kind == "step.began"]
    assert result.outcome == "passed"
    return [time - times[0] for time in times], [each.began for each in result.steps]


async def test_what_is_between_steps_goes_four_times_as_fast_and_speech_does_not(tmp_path: Path) -> None:
    made = pace()
    made.turn(4)
    real, told = await steps(tmp_path, made)
    assert real[:4] == pytest.approx([0, 2, 4, 6], abs=0.001)
    assert told[:4] == pytest.approx([0, 8, 16, 24], abs=0.001), "by the scenario's clock all is where it was"
    assert told[4] == pytest.approx(32, abs=0.001)
    # The key is held for 2 s of anybody's clock and more: what is left to the last step goes at four times.
    held = real[4] - real[3]
    assert 2.0 < held < 8.0
    spent = 8.0 - (told[4] - told[3])
    assert spent == pytest.approx(0.0, abs=0.001)


async def test_at_its_own_speed_nothing_is_otherwise(tmp_path: Path) -> None:
    real, told = await steps(tmp_path, None)
    assert real == pytest.approx(told, abs=0.001)
    assert real == pytest.approx([0, 8, 16, 24, 32], abs=0.001)
