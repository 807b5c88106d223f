"""A run's journal becomes a scenario that does the same again: the same acts, with the same spacing."""

from __future__ import annotations

import asyncio
import io
import json
from datetime import date
from pathlib import Path

import pytest

from harness.cli.places import SIMULATED_TESTBED
from harness.errors import ScenarioError
from harness.scenario import record as module
from harness.scenario.load import load_scenario
from harness.scenario.player import Player
from harness.scenario.record import Recorded, record, scenario_text
from harness.testbed.bench import open_bench
from harness.testbed.load import load_testbed
from harness.testbed.model import Testbed
from harness.testbed.run import Run, started_run

SPACING_S = 0.005
RINGS_LATER_S = 0.020
"""A packet of speech: by it an operator puts the call through later. Nobody answers before it rings."""
SCENARIOS = Path("fixtures/scenarios")


@pytest.fixture(scope="module")
def testbed() -> Testbed:
    return load_testbed(SIMULATED_TESTBED)


async def played(file: Path) -> tuple[str, str]:
    """The outcome and the journal of a playing on the simulated testbed."""
    testbed = load_testbed(SIMULATED_TESTBED)
    async with open_bench(testbed, today=date(2026, 1, 1), addresses=None, virtual=True, seed=1) as bench:
        result = await Player(load_scenario(file), bench).play()
        return result.outcome, bench.journal.lines()


def read(journal: str, testbed: Testbed) -> Recorded:
    return record(io.StringIO(journal), testbed, "journal.jsonl")


@pytest.mark.virtual_time
async def test_play_record_play_gives_the_same_acts_with_the_same_spacing(testbed: Testbed, tmp_path: Path) -> None:
    first = read((await played(SCENARIOS / "01-domestic-in-progress.yaml"))[1], testbed)
    file = tmp_path / "recorded.yaml"
    file.write_text(scenario_text(first, "RECORDED", "Again"), encoding="utf-8")
    outcome, journal = await played(file)
    again = read(journal, testbed)
    assert outcome == "passed"
    assert len(first.acts) > 10
    assert [each[1:] for each in again.spacing()] == [each[1:] for each in first.spacing()]
    for (time, _, verb), (due, *_) in zip(again.spacing(), first.spacing(), strict=True):
        late = RINGS_LATER_S if verb == "answer" else 0.0
        assert due - SPACING_S <= time <= due + SPACING_S + late, verb
    assert [act.told for act in again.acts] == [act.told for act in first.acts]


SHORT = """
id: SHORT
title: Seven seconds of acts
actors:
  caller: {role: emergency_caller, number: "+447700900123"}
  officer: {role: radio_terminal, issi: 4001234}
  dispatcher: {role: console, position: govan-31}
timeline:
  - {at: 0 s, caller: {dial: "999"}}
  - {at: 1.5 s, officer: {press: GD-OPS-1}}
  - {at: 2.75 s, officer: release}
  - {at: 4 s, dispatcher: {key: GD-OPS-2}}
  - {at: 5.25 s, dispatcher: unkey}
  - {at: 6.5 s, caller: hang_up}
"""


@pytest.mark.real_wire
@pytest.mark.alone
def test_what_a_journal_tells_is_played_in_real_time_within_5_ms(testbed: Testbed, tmp_path: Path) -> None:
    (tmp_path / "first.yaml").write_text(SHORT, encoding="utf-8")

    async def in_real_time(file: Path, run: Run) -> Recorded:
        async with open_bench(
            testbed, today=date(2026, 1, 1), addresses=run.addresses, virtual=False, origin=run.origin
        ) as bench:
            assert (await Player(load_scenario(file), bench).play()).outcome == "passed"
            return read(bench.journal.lines(), testbed)

    with started_run(SIMULATED_TESTBED, directory=tmp_path / "run", keep="failures", start=True) as run:
        first = asyncio.run(in_real_time(tmp_path / "first.yaml", run))
        (tmp_path / "again.yaml").write_text(scenario_text(first, "RECORDED", "Again"), encoding="utf-8")
        again = asyncio.run(in_real_time(tmp_path / "again.yaml", run))
    assert [each[1:] for each in again.spacing()] == [each[1:] for each in first.spacing()]
    assert len(first.acts) == 6
    for (time, _, verb), (due, *_) in zip(again.spacing(), first.spacing(), strict=True):
        assert time == pytest.approx(due, abs=SPACING_S), verb


def line(time: float, source: str, kind: str, **data: object) -> str:
    return json.dumps({"seq": 1, "time": time, "source": source, "kind": kind, "data": data}) + "\n"


def test_what_cannot_be_done_again_is_left_out_and_told(testbed: Testbed) -> None:
    found = read(
        line(1.0, "govan-31", "console.key", talkgroup="GD-OPS-1")
        + line(2.0, "govan-31", "console.note_incident", incident="INC-000001")
        + line(3.0, "govan-31", "console.close_incident", incident="INC-000001")
        + line(4.0, "somebody", "console.key", talkgroup="GD-OPS-1"),
        testbed,
    )
    assert [act.verb for act in found.acts] == ["key"]
    assert sum(found.left_out.values()) == 2
    assert any("not opened in this run" in why for why in found.left_out)


def test_an_act_that_comes_while_another_waits_for_a_floor_is_told(testbed: Testbed) -> None:
    found = read(
        line(1.0, "govan-31", "console.key", talkgroup="GD-OPS-1")
        + line(1.1, "officer", "ptt.pressed", talkgroup="GD-OPS-1")
        + line(9.0, "officer", "ptt.released"),
        testbed,
    )
    assert found.may_be_late == 1


def test_what_belongs_to_an_act_is_not_done_twice(testbed: Testbed) -> None:
    found = read(
        line(1.0, "officer", "emergency.pressed", talkgroup="GD-OPS-1")
        + line(1.0, "officer", "ptt.pressed", talkgroup="GD-OPS-1", priority=15)
        + line(5.0, "officer", "ptt.released")
        + line(6.0, "officer", "ptt.pressed", talkgroup="GD-OPS-1", priority=0),
        testbed,
    )
    assert [act.verb for act in found.acts] == ["emergency", "release", "press"]


@pytest.mark.parametrize("text", ["no JSON\n", "{}\n", '{"data": {}, "source": 1, "time": 0}\n', "[1]\n"])
def test_what_is_no_journal_is_told_by_its_line(text: str, testbed: Testbed) -> None:
    good = line(1.0, "govan-31", "console.unkey")
    with pytest.raises(ScenarioError, match=r"journal.jsonl:2: found .*; a journal's line is an event as JSON"):
        read(good + text, testbed)


def test_a_journal_without_an_act_or_with_a_line_without_end_is_refused(
    testbed: Testbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ScenarioError, match="found no act"):
        read("", testbed)
    monkeypatch.setattr(module, "MAX_LINE", 100)
    with pytest.raises(ScenarioError, match=r"journal.jsonl:1: found more than 100 characters"):
        read("x" * 1_000, testbed)
