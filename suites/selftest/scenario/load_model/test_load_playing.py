"""A load is played whole, the same for one seed however many processes there are, and what fails is told."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from harness.cli.places import LOAD_TESTBED
from harness.scenario.load_model.model import CallsLoad, Load, LoadFile, RadioLoad
from harness.scenario.load_model.play import Result, merged, play

SMALL = LoadFile(
    id="LOAD-SMALL",
    title="An hour, small",
    load=Load(
        hours=(1,),
        calls=(
            CallsLoad(number="999", calls=6, talk_s=60, incidents=1),
            CallsLoad(number="101", calls=4, talk_s=60),
        ),
        radio=RadioLoad(talkgroups=7, terminals=3, presses_a_minute=1, talk_s=6),
    ),
)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    """It, in two processes, with its journals."""
    folder = tmp_path_factory.mktemp("load")
    return play(SMALL, LOAD_TESTBED, seed=1, workers=2, folder=folder), folder


def test_all_of_it_comes_about_and_every_press_is_heard_by_all_others(played: tuple[Result, Path]) -> None:
    result, _ = played
    assert result.problems(SMALL.load) == []
    came = result.came
    assert came["presses"] == came["granted"] == 7 * 60
    assert came["heard"] == 7 * 60 * 3, "the gateway and two of three terminals"
    assert came["calls 999"] == came["answered 999"] == came["incidents"] == 6
    assert came["calls 101"] == came["answered 101"] == 4


def test_one_seed_gives_one_journal_however_many_processes_there_are(played: tuple[Result, Path]) -> None:
    alone = play(SMALL, LOAD_TESTBED, seed=1, workers=1)
    assert alone.sha256 == played[0].sha256
    assert alone.came == played[0].came


def test_another_seed_gives_another_journal(played: tuple[Result, Path]) -> None:
    assert play(SMALL, LOAD_TESTBED, seed=2, workers=2).sha256 != played[0].sha256


def test_its_journal_is_the_parts_by_time(played: tuple[Result, Path]) -> None:
    result, folder = played
    rows = [json.loads(line) for line in merged(folder, SMALL.load)]
    assert len(rows) == result.events
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert all(earlier["time"] <= later["time"] for earlier, later in pairwise(rows))
    assert {"radio.talker", "incident.opened", "load.over"} <= {row["kind"] for row in rows}


def test_what_did_not_come_about_is_told(played: tuple[Result, Path]) -> None:
    result, _ = played
    part = replace(result.parts[-1], came={**result.parts[-1].came, "presses": 1, "failed": 2, "unheard": 3})
    told = replace(result, parts=(*result.parts[:-1], part)).problems(SMALL.load)
    assert any("presses were due" in each for each in told)
    assert any("2 presses were not granted" in each for each in told)
    assert any("3 times somebody on the talkgroup was not told who talks" in each for each in told)


def test_progress_goes_to_the_end() -> None:
    shares: list[float] = []
    small = SMALL.model_copy(update={"load": SMALL.load.model_copy(update={"calls": ()})})
    play(small, LOAD_TESTBED, seed=1, workers=2, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
