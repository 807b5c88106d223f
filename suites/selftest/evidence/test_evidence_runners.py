"""pytest and Robot, each run as a program on a tiny suite: labels, links, progress, and unknown ids that stop a run."""

import json
import os
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from harness.evidence.pytest_side import in_words
from harness.evidence.requirements import catalogue
from harness.evidence.results import Verdict, as_json, read_results, summarise

CONFTEST = """
import pytest
from harness.evidence.pytest_side import RequirementsPlugin

def pytest_configure(config):
    config.addinivalue_line("markers", "requirement(id, ...): criteria")
    config.pluginmanager.register(RequirementsPlugin())
"""
PYTEST_SUITE = """
import pytest
from harness.errors import NotApplicableError

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

@pytest.mark.requirement("NICCS-RAD-022")
def test_declares():
    raise NotApplicableError("it has no texts")

@pytest.fixture
def texts():
    raise NotApplicableError("no texts here either")

def test_depends(texts):
    pass
"""
ROBOT_SUITE = """
*** Settings ***
Library    harness.keywords.ICCS    time=virtual

*** Test Cases ***
Passes
    [Tags]    req:NICCS-TEL-006    req:niccs-rad-001
    Log    hello
Fails
    [Tags]    req:NICCS-TEL-001
    Fail    one is not two
Skips
    Skip    not today
Declares
    [Tags]    req:NICCS-RAD-022
    Not Applicable    it has no texts
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
    ("runner", "suite", "passes"), [(run_pytest, PYTEST_SUITE, "Passes"), (run_robot, ROBOT_SUITE, "Passes")]
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
        ("owner", "Telephony services"),
        ("owner", "Radio services"),
    } <= labels
    assert {(link["type"], link["name"], link["url"]) for link in data["links"]} == {
        ("requirement", name, f"requirements.html#{name}") for name in ("NICCS-TEL-006", "NICCS-RAD-001")
    }


def test_a_pytest_test_has_a_title_in_words_however_it_ends_and_keeps_its_full_name(tmp_path):
    folder = tmp_path / "a suite"
    run_pytest(folder, PYTEST_SUITE)
    titles = {data["fullName"].rpartition("#")[2]: title for title, data in documents(folder).items()}
    assert titles == {
        f"test_{each}": each.capitalize() for each in ("passes", "fails", "breaks", "skips", "declares", "depends")
    }
    assert in_words("test_a_call_is_kept_2_min[999-True]") == "A call is kept 2 min [999-True]"
    assert in_words("test_") == "Test_"


def test_pytest_tells_its_progress_and_verdicts(tmp_path):
    folder = tmp_path / "a suite"
    run_pytest(folder, PYTEST_SUITE)
    verdicts = {name: test.verdict for name, test in results(folder).items()}
    assert verdicts == {
        "test_passes": Verdict.PASSED,
        "test_fails": Verdict.FAILED,
        "test_breaks": Verdict.BROKEN,
        "test_skips": Verdict.SKIPPED,
        "test_declares": Verdict.NOT_APPLICABLE,
        "test_depends": Verdict.NOT_APPLICABLE,
    }
    told = progress(folder)
    assert told[0] == {"event": "total", "runner": "pytest", "tests": 6}
    ended = {event["test"].rpartition("::")[2]: event for event in told if event["event"] == "ended"}
    assert {name: event["outcome"] for name, event in ended.items()} == {k: v.value for k, v in verdicts.items()}
    assert "one is not two" in ended["test_fails"]["message"]
    assert "not today" in ended["test_skips"]["message"]
    assert "it has no texts" in ended["test_declares"]["message"]
    assert sum(event["event"] == "started" for event in told) == 6


def test_robot_tells_its_progress_and_verdicts(tmp_path):
    folder = tmp_path / "a suite"
    run_robot(folder, ROBOT_SUITE)
    assert {name: test.verdict for name, test in results(folder).items()} == {
        "Passes": Verdict.PASSED,
        "Fails": Verdict.FAILED,
        "Skips": Verdict.SKIPPED,
        "Declares": Verdict.NOT_APPLICABLE,
    }
    told = progress(folder)
    assert told[0] == {"event": "total", "runner": "robot", "tests": 4}
    assert [(e["test"], e["outcome"]) for e in told if e["event"] == "ended"] == [
        ("Tiny.Passes", "passed"),
        ("Tiny.Fails", "failed"),
        ("Tiny.Skips", "skipped"),
        ("Tiny.Declares", "not applicable"),
    ]


def test_what_is_not_applicable_is_told_apart_from_a_skip_and_fails_no_run(tmp_path):
    folder = tmp_path / "a suite"
    suite = PYTEST_SUITE.replace("assert 1 == 2", "assert 1 == 1").replace("raise RuntimeError", "return str")
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_tiny.py").write_text(suite)
    ran = run(
        folder, "pytest", "-p", "no:cacheprovider", "--alluredir", "results", "--junitxml", "j.xml", "test_tiny.py"
    )
    assert ran.returncode == 0, ran.stdout
    assert "3 passed, 1 skipped, 2 not applicable" in ran.stdout
    assert "test_tiny.py::test_declares: it has no texts" in ran.stdout
    junit = {case.get("name"): case for case in ElementTree.parse(folder / "j.xml").getroot().iter("testcase")}
    declared = junit["test_declares"]
    assert declared.find("skipped").get("message") == "not applicable: it has no texts"
    assert declared.find("properties/property").attrib == {"name": "outcome", "value": "not applicable"}
    assert junit["test_skips"].find("properties") is None
    tests, _ = read_results(folder / "results")
    summary = summarise(tests, catalogue())
    assert summary.passed
    assert {each.requirement.id: each.standing for each in summary.standings}["NICCS-RAD-022"] == "not applicable"
    (row,) = [each for each in as_json(summary)["requirements"] if each["id"] == "NICCS-RAD-022"]
    assert row["tests"][0]["reason"] == "it has no texts"


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
    assert f"test_tiny.py:9: test_fails: {told}" in ran.stdout + ran.stderr
    assert not list((folder / "results").glob("*-result.json"))


def test_an_unknown_id_ends_robot_before_a_test_with_file_line_and_test(tmp_path):
    folder = tmp_path / "suite"
    ran = run_robot(folder, ROBOT_SUITE.replace("NICCS-TEL-001", "NICCS-TEL-099"))
    assert ran.returncode == 253
    assert "tiny.robot:9: Fails: unknown requirement 'NICCS-TEL-099'" in ran.stderr
    assert not list((folder / "results").glob("*-result.json"))
    assert not (folder / "progress.jsonl").exists()
