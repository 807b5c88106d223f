"""The 999 call from end to end in virtual time: one seed gives one journal, byte for byte, with every step in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
CALL = "suites/niccs/test_999_to_radio.py"
"""Where the 999 call is."""

RUN_WITHIN_S = 1800
"""Of one run of the suites, on a machine that does other things as well."""

HOURS = ("test_busy_hour.py", "test_vehicle_reports.py", "test_101_load.py")
"""Hours of calls and of drives, and 200 calls at once, which are too long to be played twice in each run of the tests.
So are the scenarios on testbeds of their own (``own_testbed``), of which ``cli/test_replay.py`` plays one twice."""

STEPS = [
    ("trunk-999", "call.inviting"),
    ("trunk-999", "call.ringing"),
    ("govan-12", "call.ringing"),
    ("trunk-999", "call.answered"),
    ("govan-12", "call.connected"),
    ("govan-12", "call.dtmf"),
    ("govan-12", "incident.opened"),
    ("govan-31", "incident.received"),
    ("govan-31", "ptt.granted"),
    ("officer", "talker.shown"),
    ("officer", "talker.ended"),
    ("officer", "ptt.granted"),
    ("govan-31", "talker.shown"),
    ("govan-31", "talker.ended"),
    ("govan-31", "status.shown"),
    ("govan-31", "sds.shown"),
    ("govan-12", "call.cleared"),
    ("govan-31", "incident.closed"),
]
"""What must be in the journal, in this order. What happens at one instant on two wires has none."""


ONE_OF_EACH = """
def pytest_collection_modifyitems(items):
    first = {}
    for item in items:
        first.setdefault(item.path, item)
    items[:] = first.values()
"""
"""A plugin: of each file the first test alone is run."""


def run(folder: Path, seed: int, suites: str = "suites/niccs", *options: str) -> dict[str, bytes]:
    """The journals of a run of acceptance suites in virtual time, by their files' names."""
    left_out = [*(f"--ignore=suites/niccs/{name}" for name in HOURS), "-m", "not own_testbed"]
    words = [suites, *left_out, "--time", "virtual", "--seed", str(seed), "--journal-dir", str(folder)]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, *words]
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        command,
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=RUN_WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = {path.name: path.read_bytes() for path in folder.glob("*.jsonl")}
    assert found
    return found


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, bytes]]:
    """The journals of two runs with seed 7, side by side: the whole takes minutes, and one test of each file less."""
    whole, some = (tmp_path_factory.mktemp(name) for name in ("whole", "some"))
    (some / "one_of_each.py").write_text(ONE_OF_EACH, encoding="utf-8")
    with ThreadPoolExecutor(2) as side_by_side:
        first = side_by_side.submit(run, whole, 7)
        second = side_by_side.submit(run, some, 7, "suites/niccs", "-p", "one_of_each")
        return [first.result(), second.result()]


@pytest.fixture(scope="module")
def journals(runs: list[dict[str, bytes]]) -> dict[str, bytes]:
    """The journals of seed 7."""
    return runs[0]


@pytest.fixture
def journal(journals: dict[str, bytes]) -> bytes:
    """The journal of the 999 call with seed 7."""
    return the_call(journals)


def the_call(journals: dict[str, bytes]) -> bytes:
    """The 999 call's journal among others."""
    (name,) = [name for name in journals if "999_call_reaches_the_officer" in name]
    return journals[name]


def events(journal: bytes) -> list[dict[str, Any]]:
    """A journal's events."""
    return [json.loads(line) for line in journal.splitlines()]


def missing(journal: bytes) -> list[tuple[str, str]]:
    """The steps that are not where they must be."""
    shown = [(event["time"], (event["source"], event["kind"])) for event in events(journal)]
    steps = [(time, step) for time, step in shown if step in STEPS]
    seen = iter([step for _, step in sorted(steps, key=lambda each: (each[0], STEPS.index(each[1])))])
    return [step for step in STEPS if step not in seen]  # `in` goes on where the step before was found


def test_two_runs_with_one_seed_give_the_same_journals_byte_for_byte(runs: list[dict[str, bytes]]) -> None:
    first, second = runs
    assert len(second) > len(first) / 10
    assert second == {name: first[name] for name in second}


def test_another_seed_gives_another_journal_of_the_same_steps(journal: bytes, tmp_path: Path) -> None:
    other = the_call(run(tmp_path, 8, CALL))
    assert other != journal
    for each in (journal, other):
        assert missing(each) == []


def test_every_step_is_in_the_journal_in_order(journal: bytes) -> None:
    assert missing(journal) == []


def test_sequence_numbers_are_whole_and_time_goes_forward(journal: bytes) -> None:
    rows = events(journal)
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert all(set(row) == {"seq", "time", "source", "kind", "data"} for row in rows)
    shown = [row["time"] for row in rows if (row["source"], row["kind"]) in STEPS]
    assert shown == sorted(shown)


def test_the_measures_are_within_their_limits(journal: bytes) -> None:
    measures = {row["data"]["name"]: row["data"] for row in events(journal) if row["kind"] == "measure"}
    assert {"presentation", "set_up_time", "answer_time", "ptt_grant"} <= set(measures)
    assert sum(name.startswith("mouth_to_ear") for name in measures) == 4
    assert all(each["within"] and each["value"] > 0 for each in measures.values())
