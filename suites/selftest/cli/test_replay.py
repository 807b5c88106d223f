"""`iccs replay` and `iccs scenario`: exit codes, progress, the command that plays it again, one journal a seed."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from suites.selftest.scenario.benches import HEAD, TESTBED

STEPS = """\
  - dispatcher: {key: GD-OPS-1, say: dispatch, for: 5 s}
  - expect: {on: officer, event: voice.heard, within: 2 s, measure: {mouth_to_ear: "<= 300 ms"}}
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    """A short scenario, with a testbed beside it."""
    (tmp_path / "testbed.yaml").write_text(TESTBED, encoding="utf-8")
    (tmp_path / "scenario.yaml").write_text(HEAD + STEPS, encoding="utf-8")
    return tmp_path / "scenario.yaml"


def command(name: str, *words: object) -> list[str]:
    return [sys.executable, "-m", "harness.cli", name, *map(str, words)]


def iccs(name: str, *words: object) -> tuple[int, str, str]:
    ran = subprocess.run(command(name, *words), capture_output=True, text=True, timeout=120, check=False)
    return ran.returncode, ran.stdout, ran.stderr


def replayed(file: Path, *words: object) -> tuple[int, str, str]:
    return iccs("replay", file, "--testbed", file.parent / "testbed.yaml", *words)


def test_one_seed_gives_one_journal_and_another_another(scenario: Path) -> None:
    journals = []
    for number, seed in enumerate((7, 7, 8)):
        path = scenario.parent / f"journal-{number}.jsonl"
        code, out, err = replayed(scenario, "--virtual", "--seed", seed, "--journal", path)
        assert code == 0, err
        assert "E2E-T: passed, 2 of 2 steps reached" in out
        journals.append(path.read_bytes())
    assert journals[0] == journals[1] != journals[2]
    kinds = [json.loads(line)["kind"] for line in journals[0].splitlines()]
    assert {"scenario.began", "step.began", "step.ended", "ptt.granted", "measure", "scenario.ended"} <= set(kinds)


def test_a_failure_is_exit_1_with_the_line_and_the_command_that_plays_it_again(scenario: Path) -> None:
    scenario.write_text(scenario.read_text(encoding="utf-8").replace("<= 300 ms", "<= 20 ms"), encoding="utf-8")
    code, out, err = replayed(scenario, "--virtual", "--seed", 7)
    assert code == 1
    assert "mouth_to_ear to officer is" in out and "E2E-T: failed, 2 of 2" in out
    again = f"Again: iccs replay {scenario} --testbed {scenario.parent / 'testbed.yaml'} --virtual --seed 7"
    assert err.strip() == again


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--virtual", "--speed", "2"), "one of the two"),
        (("--seed", "3"), "--seed goes with --virtual or --speed"),
        (("--virtual", "--seat", "dispatcher"), "--seat needs real time"),
        (("--seat", "officer"), "officer is a radio_terminal: a person can have a console's seat"),
        (("--seat", "dispacher"), "did you mean 'dispatcher'"),
    ],
)
def test_options_that_do_not_go_together_are_exit_2(scenario: Path, words: tuple[str, ...], told: str) -> None:
    code, _, err = replayed(scenario, *words)
    assert code == 2
    assert told in err


def test_a_scenario_or_testbed_that_is_wrong_is_exit_2_and_a_speed_that_is_none_exit_3(scenario: Path) -> None:
    assert replayed(scenario, "--speed", "0")[0] == 3
    (scenario.parent / "testbed.yaml").write_text(TESTBED.replace("issi: 4001234", "issi: 4001299"), encoding="utf-8")
    code, _, err = replayed(scenario, "--virtual")
    assert code == 2 and "actor officer" in err and "4001234" in err
    scenario.write_text(HEAD + "  - officer: {pres: }\n", encoding="utf-8")
    code, _, err = replayed(scenario, "--virtual")
    assert code == 2 and f"{scenario}:10: " in err and "did you mean 'press'" in err


def test_a_scenario_is_played_on_the_testbed_that_it_names_where_no_other_is_asked_for(scenario: Path) -> None:
    named = scenario.read_text(encoding="utf-8").replace("actors:", "testbed: testbed.yaml\nactors:", 1)
    scenario.write_text(named, encoding="utf-8")
    code, out, err = iccs("replay", scenario, "--virtual")
    assert code == 0 and "E2E-T: passed" in out, err
    assert iccs("scenario", "check", scenario)[0] == 0
    other = scenario.parent / "other.yaml"
    other.write_text(TESTBED.replace("issi: 4001234", "issi: 4001299"), encoding="utf-8")
    for code, _, err in (
        iccs("replay", scenario, "--virtual", "--testbed", other),
        iccs("scenario", "check", scenario, "--testbed", other),
    ):
        assert code == 2
        assert err.startswith(f"{scenario}:9: actor officer: testbed 'scenario-tests' has no radio_terminal with issi")
    scenario.write_text(named.replace("testbed.yaml", "testbd.yaml"), encoding="utf-8")
    for words in (("replay", scenario, "--virtual"), ("scenario", "check", scenario)):
        code, _, err = iccs(*map(str, words))
        assert code == 2
        assert f"{scenario}:4: testbed: found 'testbd.yaml', which is no file; did you mean 'testbed.yaml'" in err


def test_at_a_speed_time_goes_by_so_many_times_as_fast(scenario: Path) -> None:
    """No sooner than it should; how much later depends on the machine."""
    scenario.write_text(HEAD + "  - {at: 20 s, note: end}\n", encoding="utf-8")
    began = time.monotonic()
    code, out, err = replayed(scenario, "--speed", "10")
    assert code == 0, err
    assert time.monotonic() - began >= 2.0
    assert "   20.000 s  ✓ end" in out


def test_step_asks_before_each_step(scenario: Path) -> None:
    words = command("replay", scenario, "--testbed", scenario.parent / "testbed.yaml", "--virtual", "--step")
    ran = subprocess.run(words, input="\n\n", capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("[Enter]") == 2
    assert "next: dispatcher: key GD-OPS-1, say dispatch, for 5 s  [Enter]" in ran.stdout


@pytest.mark.real_wire
@pytest.mark.alone
def test_in_real_time_it_runs_over_loopback_and_serial_lines(scenario: Path) -> None:
    code, out, err = replayed(scenario)
    assert code == 0, out + err
    assert "E2E-T: passed" in out


@pytest.mark.real_wire
@pytest.mark.alone
def test_step_waits_on_a_terminal_in_real_time_and_ctrl_c_tells_what_was_reached(scenario: Path) -> None:
    ours, theirs = pty.openpty()
    words = command("replay", scenario, "--testbed", scenario.parent / "testbed.yaml", "--step")
    child = subprocess.Popen(words, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        until(child, "[Enter]")
        os.write(ours, b"\n")
        until(child, "✓ dispatcher")
        until(child, "[Enter]")
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=30)
        assert child.returncode == 130, out + err
        assert "E2E-T: interrupted, 1 of 2 steps reached" in out
        assert "Traceback" not in err
    finally:
        child.kill()
        child.wait()
        os.close(ours)
        os.close(theirs)


def until(child: subprocess.Popen[str], words: str) -> None:
    """Read what a child prints until these words; the test's own time limit is the limit."""
    said = ""
    assert child.stdout is not None
    while words not in said:
        letter = child.stdout.read(1)
        assert letter, f"it ended, and said {said!r}"
        said += letter


def test_check_tells_every_file_and_exits_2_where_one_is_wrong(scenario: Path) -> None:
    (scenario.parent / "wrong.yaml").write_text(HEAD + "  - officer: {pres: }\n", encoding="utf-8")
    code, out, err = iccs("scenario", "check", scenario, scenario.parent / "wrong.yaml")
    assert code == 2
    assert f"{scenario}: E2E-T: 4 actors, 2 steps" in out
    assert "wrong.yaml:10:" in err
    assert iccs("scenario", "check", scenario, "--testbed", scenario.parent / "testbed.yaml")[0] == 0


def test_schema_is_json_and_verbs_are_told_by_role() -> None:
    code, out, _ = iccs("scenario", "schema")
    assert code == 0 and json.loads(out)["title"] == "Scenario"
    code, out, _ = iccs("scenario", "verbs", "roip_gateway")
    assert code == 0 and "restore" in out and "acknowledge" not in out
    code, _, err = iccs("scenario", "verbs", "consol")
    assert code == 2 and "did you mean 'console'" in err
