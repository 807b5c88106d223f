"""What comes of a load when: every call and every press of it, within its hours, the same for one seed."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ScenarioError
from harness.scenario.load import load_scenario
from harness.scenario.load_model.file import CALLS, DAY, check_options, day_text, read_load
from harness.scenario.load_model.model import Load, RadioLoad
from harness.scenario.load_model.play import parts_of
from harness.scenario.load_model.shape import by_the_hour, exchanges

RADIO = RadioLoad(talkgroups=60, presses_a_minute=2, talk_s=6)


@given(st.integers(1, 100_000), st.lists(st.floats(0, 10), min_size=1, max_size=48).filter(lambda each: sum(each) > 0))
def test_no_call_is_lost_between_the_hours(count: int, shares: list[float]) -> None:
    found = by_the_hour(count, shares)
    assert sum(found) == count
    assert all(abs(each - count * share / sum(shares)) < 1 for each, share in zip(found, shares, strict=True))


def test_the_busy_hour_has_eight_per_cent_of_the_day() -> None:
    assert sum(DAY) == pytest.approx(100)
    assert max(by_the_hour(2_106, DAY)) in (168, 169)
    assert max(by_the_hour(3_750, DAY)) == 300


@given(st.integers(1, 3_000), st.integers(0, 100))
def test_presses_are_as_many_as_are_due_in_order_and_in_time(presses: int, seed: int) -> None:
    lasts_s = presses * 30.0
    found = list(exchanges(Random(seed), presses, lasts_s, RADIO))
    assert len(found) == presses
    assert found == sorted(found)
    assert found[0] >= 0
    assert found[-1] < lasts_s + RADIO.exchange * RADIO.talk_s


def test_a_day_has_what_the_load_model_says(tmp_path: Path) -> None:
    file = tmp_path / "day.yaml"
    file.write_text(day_text(7), encoding="utf-8")
    read = read_load(file)
    assert read is not None
    load = read.load
    assert {each.number: each.calls for each in load.calls} == CALLS == {"999": 2_106, "101": 3_750}
    assert load.presses == 172_800
    assert load.lasts_s == 86_400
    assert load.seed == 7
    assert file.stat().st_size < 2_000


def test_its_parts_do_not_hang_on_the_machine_and_have_every_talkgroup_once() -> None:
    parts = parts_of(Load(hours=(1,), radio=RadioLoad(talkgroups=13, presses_a_minute=1, talk_s=6)))
    assert [number for part in parts for number in part.groups or ()] == list(range(13))


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("talk_s: 6 ", "talk_s: 60", "2 presses a minute of 60 s"),
        ("terminals: 4", "terminls: 4", "load.radio: found a mapping"),
        ("calls: 2106", "calls: 210600", "calls to 999 in one hour; 1999 is the most"),
        ("incidents: 0.8", "incidents: 8", "load.calls.0.incidents: found 8; allowed: "),
        (
            "exchange: 4",
            "exchnage: 4",
            "load.radio.exchnage: found the unknown key 'exchnage'; did you mean 'exchange'",
        ),
        ("id: LOAD-C3-DAY", "id: day", "id: found 'day'"),
    ],
)
def test_what_is_wrong_is_told_by_file_and_line(tmp_path: Path, was: str, becomes: str, told: str) -> None:
    file = tmp_path / "day.yaml"
    text = day_text(1)
    assert was in text
    file.write_text(text.replace(was, becomes), encoding="utf-8")
    with pytest.raises(ScenarioError) as raised:
        read_load(file)
    assert str(file) in str(raised.value)
    if not told.endswith("a mapping"):
        assert told in str(raised.value)


def test_a_load_is_no_scenario_and_a_scenario_no_load(tmp_path: Path) -> None:
    file = tmp_path / "day.yaml"
    file.write_text(day_text(1), encoding="utf-8")
    with pytest.raises(ScenarioError, match="found a load, which has no timeline"):
        load_scenario(file)
    with pytest.raises(ScenarioError, match="goes with --virtual"):
        check_options(file, virtual=False, others=False)
    assert read_load(Path("fixtures/scenarios/03-officer-emergency.yaml")) is None
