"""What officers said is taken where a radio gateway brings it to a control room, and is theirs whose key was down."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from harness.cli.places import SIMULATED_TESTBED
from harness.evidence.capture import crossings
from harness.evidence.pcap import write_pcap
from harness.evidence.transcript import origin_line, transcript
from harness.measure.correlate import correlation
from harness.scenario.load import load_scenario
from harness.scenario.player import Player
from harness.scenario.record import Act, Recorded
from harness.scenario.record_radio_speech import said_by_officers
from harness.scenario.record_speech import Phrase
from harness.scenario.record_wire import record_wire
from harness.testbed.bench import open_bench
from harness.testbed.clips import read_clip
from harness.testbed.load import load_testbed

EPOCH = 1_790_000_000.0
LEAST_LIKENESS = 0.9
OTHER_SPEECH = 0.3


def phrase(time: float, seconds: float = 1.0) -> Phrase:
    return Phrase(time, np.zeros(round(seconds * 8_000), np.int16))


def test_a_phrase_is_whose_key_is_down_and_nobodys_where_that_is_not_one() -> None:
    found = Recorded(
        acts=[
            Act(10.0, "officer", "press", None),
            Act(14.0, "officer", "release", None),
            Act(20.0, "sergeant", "emergency", None),
            Act(21.0, "officer", "press", None),
            Act(23.0, "officer", "release", None),
        ],
        actors={name: {"role": "radio_terminal"} for name in ("officer", "sergeant")} | {"caller": {"role": "console"}},
    )
    phrases = [phrase(each) for each in (9.0, 11.0, 11.5, 12.5, 14.9, 16.0, 20.5, 22.0, 30.0)]
    said = said_by_officers(phrases, found)
    # 11.5 is the same again, from another control room: it begins before 11.0 was over.
    assert [(who, each.time) for who, each in said] == [
        ("officer", 11.0),
        ("officer", 12.5),
        ("officer", 14.9),
        ("sergeant", 20.5),
        ("sergeant", 30.0),
    ]
    assert found.left_out == {
        "what a radio brings while no key is down": 2,
        "what a radio brings while several keys are down": 1,
    }


SCENARIO = """
id: ON-AIR
title: An officer speaks behind a radio gateway
media: packets
actors:
  officer: {role: radio_terminal, issi: 4001234}
  sergeant: {role: radio_terminal, issi: 4001235}
timeline:
  - {at: 0 s, officer: {select: GD-ROIP-1}}
  - {at: 2 s, officer: {press: GD-ROIP-1}}
  - {at: 3 s, officer: {begin_saying: officer-reply}}
  - {at: 8 s, officer: release}
  - {at: 9 s, sergeant: {press: GD-OPS-2}}
  - {at: 10 s, sergeant: {begin_saying: dispatch}}
  - {at: 15 s, sergeant: release}
"""


@pytest.mark.virtual_time
async def test_what_an_officer_said_on_air_is_the_officers_in_the_scenario(tmp_path: Path) -> None:
    testbed = load_testbed(SIMULATED_TESTBED)
    (tmp_path / "first.yaml").write_text(SCENARIO, encoding="utf-8")
    async with open_bench(
        testbed, today=date(2026, 1, 1), addresses=None, virtual=True, seed=1, capture_dir=tmp_path / "run"
    ) as bench:
        result = await Player(load_scenario(tmp_path / "first.yaml"), bench).play()
    assert result.outcome == "passed"
    crossed = list(crossings(sorted((tmp_path / "run").rglob("*.cap")), 0.0, 1e9))
    told = {name: (f"{name}.txt", origin_line(EPOCH) + transcript(crossed, name)) for name in ("officer", "sergeant")}
    body = write_pcap(crossed, EPOCH, limit=64 * 1024 * 1024).body
    found = record_wire(testbed, capture=("run.pcap", body), transcripts=told, speech="x-speech")
    verbs = [(act.actor, act.verb) for act in found.acts if act.verb != "select"]
    assert verbs[0] == ("officer", "press")
    assert verbs[-2:] == [("sergeant", "press"), ("sergeant", "release")], "GD-OPS-2 has no gateway by ED-137"
    assert set(verbs[1:-3]) == {("officer", "begin_saying")}
    heard = np.concatenate(list(found.clips.values()))
    assert correlation(read_clip("officer-reply"), heard) > LEAST_LIKENESS
    assert correlation(read_clip("dispatch"), heard) < OTHER_SPEECH
