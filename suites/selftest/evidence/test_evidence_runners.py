"""pytest and Robot, each run as a program on a tiny suite: labels, links, progress, and unknown ids that stop a run."""

import json
import os
import subprocess
import sys

import pytest

from harness.evidence.results import Verdict, read_results

CONFTEST = """
import pytest
from harness.evidence.pytest_side import RequirementsPlugin

def pytest_configure(config):
    config.addinivalue_line("markers", "requirement(id, ...): criteria")
    config.pluginmanager.register(RequirementsPlugin())
"""
PYTEST_SUITE = """
import pytest

@pytest.mark.requirement("NICCS-TEL-006", "NICCS-RAD-001")
def test_passes():
    pass

@pytest.mark.requirement("NICCS-TEL-001")
def test_fails():
    assert 1 == 2, "one is not two"

@pytest.fixture
def broken():
    raise RuntimeError("no bench")

@pytest.mark.requirement("NICCS-TEL-002")
def test_breaks(broken):
    pass

def test_skips():
    pytest.skip("not today")
"""
ROBOT_SUITE = """
*** Test Cases ***
Passes
    [Tags]    req:NICCS-TEL-006    req:niccs-rad-001
    Log    hello
Fails
    [Tags]    req:NICCS-TEL-001
    Fail    one is not two
Skips
    Skip    not today
"""
BINDINGS = {"iccs": "real", "officer": "simulated"}


def run(folder, *command):
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        "ICCS_PROGRESS": str(folder / "progress.jsonl"),
        "ICCS_BINDINGS": json.dumps(BINDINGS),
        "ICCS_STAGE": "FAT",
    }
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def run_pytest(folder, text):
    folder.mkdir(parents=True)
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_tiny.py").write_text(text)
    return run(folder, "pytest", "-p", "no:cacheprovider", "--alluredir", "results", "test_tiny.py")


def run_robot(folder, text):
    folder.mkdir(parents=True)
    (folder / "tiny.robot").write_text(text)
    listeners = ["--listener", "allure_robotframework:results"]
    listeners += ["--listener", "harness.keywords.listener.RequirementListener"]
    return run(folder, "robot", "--output", "NONE", "--log", "NONE", "--report", "NONE", *listeners, "tiny.robot")


def progress(folder):
    return [json.loads(line) for line in (folder / "progress.jsonl").read_text().splitlines()]


def results(folder):
    tests, unreadable = read_results(folder / "results")
    assert not unreadable
    return {test.name.rpartition(".")[2].rpartition("#")[2]: test for test in tests}


def documents(folder):
    return {
        data["name"]: data
        for data in map(json.loads, (p.read_text() for p in (folder / "results").glob("*-result.json")))
    }


@pytest.mark.parametrize(
    ("runner", "suite", "passes"), [(run_pytest, PYTEST_SUITE, "test_passes"), (run_robot, ROBOT_SUITE, "Passes")]
)
def test_results_carry_requirement_stage_and_what_was_simulated(tmp_path, runner, suite, passes):
    folder = tmp_path / "a suite"
    ran = runner(folder, suite)
    assert ran.returncode in {1, 2}, ran.stdout + ran.stderr
    data = documents(folder)[passes]
    labels = {(label["name"], label["value"]) for label in data["labels"]}
    assert {
        ("requirement", "NICCS-TEL-006"),
        ("requirement", "NICCS-RAD-001"),
        ("binding", "mixed"),
        ("epic", "FAT partly on simulators"),
        ("feature", "Telephony"),
        ("feature", "Radio"),
        ("severity", "critical"),
    } <= labels
    assert {(link["type"], link["name"], link["url"]) for link in data["links"]} == {
        ("requirement", name, f"requirements.html#{name}") for name in ("NICCS-TEL-006", "NICCS-RAD-001")
    }


def test_pytest_tells_its_progress_and_verdicts(tmp_path):
    folder = tmp_path / "a suite"
    run_pytest(folder, PYTEST_SUITE)
    verdicts = {name: test.verdict for name, test in results(folder).items()}
    assert verdicts == {
        "test_passes": Verdict.PASSED,
        "test_fails": Verdict.FAILED,
        "test_breaks": Verdict.BROKEN,
        "test_skips": Verdict.SKIPPED,
    }
    told = progress(folder)
    assert told[0] == {"event": "total", "runner": "pytest", "tests": 4}
    ended = {event["test"].rpartition("::")[2]: event for event in told if event["event"] == "ended"}
    assert {name: event["outcome"] for name, event in ended.items()} == {k: v.value for k, v in verdicts.items()}
    assert "one is not two" in ended["test_fails"]["message"]
    assert "not today" in ended["test_skips"]["message"]
    assert sum(event["event"] == "started" for event in told) == 4


def test_robot_tells_its_progress_and_verdicts(tmp_path):
    folder = tmp_path / "a suite"
    run_robot(folder, ROBOT_SUITE)
    assert {name: test.verdict for name, test in results(folder).items()} == {
        "Passes": Verdict.PASSED,
        "Fails": Verdict.FAILED,
        "Skips": Verdict.SKIPPED,
    }
    told = progress(folder)
    assert told[0] == {"event": "total", "runner": "robot", "tests": 3}
    assert [(e["test"], e["outcome"]) for e in told if e["event"] == "ended"] == [
        ("Tiny.Passes", "passed"),
        ("Tiny.Fails", "failed"),
        ("Tiny.Skips", "skipped"),
    ]


@pytest.mark.parametrize(
    ("marker", "told"),
    [
        ('"NICCS-TEL-099"', "unknown requirement 'NICCS-TEL-099'; did you mean NICCS-TEL-0"),
        ("", "@requirement names no requirement"),
    ],
)
def test_an_unknown_id_ends_pytest_at_collection_with_file_and_test(tmp_path, marker, told):
    folder = tmp_path / "suite"
    ran = run_pytest(folder, PYTEST_SUITE.replace('"NICCS-TEL-001"', marker))
    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"test_tiny.py:8: test_fails: {told}" in ran.stdout + ran.stderr
    assert not list((folder / "results").glob("*-result.json"))


def test_an_unknown_id_ends_robot_before_a_test_with_file_line_and_test(tmp_path):
    folder = tmp_path / "suite"
    ran = run_robot(folder, ROBOT_SUITE.replace("NICCS-TEL-001", "NICCS-TEL-099"))
    assert ran.returncode == 253
    assert "tiny.robot:6: Fails: unknown requirement 'NICCS-TEL-099'" in ran.stderr
    assert not list((folder / "results").glob("*-result.json"))
    assert not (folder / "progress.jsonl").exists()
