"""iccs accept: exit codes, results kept and told, children that end with it, folders it does not touch."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.cli.acceptance import PlanError, make_room

WITHIN = 60.0
TESTBED = """\
name: nothing simulated
components:
  iccs: {role: iccs, binding: real, sip: "127.0.0.1:9"}
"""
DRIVER = """
import asyncio, sys
from pathlib import Path
from rich.console import Console
from harness.cli.acceptance import Acceptance, Plan, PlanError
from harness.testbed.load import load_testbed

file = Path(sys.argv[1])
plan = Plan((Path(sys.argv[2]),), file, load_testbed(file), "failures", Path(sys.argv[3]), False)
acceptance = Acceptance(plan, Console())
try:
    acceptance.prepare()
except PlanError as error:
    print(error)
    sys.exit(2)
sys.exit(asyncio.run(acceptance.run()))
"""
CONFTEST = """
from harness.evidence.pytest_side import RequirementsPlugin

def pytest_configure(config):
    config.addinivalue_line("markers", "requirement(id, ...): criteria")
    config.pluginmanager.register(RequirementsPlugin())
"""
GOOD = """
import pytest

@pytest.mark.requirement("NICCS-TEL-001")
def test_good():
    pass
"""
ROBOT = """
*** Test Cases ***
Good
    [Tags]    req:NICCS-RAD-001
    Log    hello
"""
HANGS = """
import subprocess, sys, pytest

@pytest.mark.requirement("NICCS-TEL-001")
def test_good():
    pass

def test_hangs():
    deaf = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(600)"
    subprocess.run([sys.executable, "-c", deaf])
"""


@pytest.fixture
def place(tmp_path):
    suite = tmp_path / "my suites" / "tiny"
    suite.mkdir(parents=True)
    (suite / "conftest.py").write_text(CONFTEST)
    (suite / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    (tmp_path / "testbed.yaml").write_text(TESTBED)
    (tmp_path / "drive.py").write_text(DRIVER)
    return tmp_path


def command(place):
    return [sys.executable, place / "drive.py", place / "testbed.yaml", place / "my suites" / "tiny", place / "my out"]


def environment(place):
    return {**os.environ, "ICCS_TEST_MARK": str(place)}


def accept(place, **files):
    for name, text in files.items():
        (place / "my suites" / "tiny" / name.replace("__", ".")).write_text(text)
    ran = subprocess.run(
        command(place), env=environment(place), capture_output=True, text=True, timeout=WITHIN, check=False
    )
    return ran.returncode, ran.stdout + ran.stderr


def summary(place):
    return json.loads((place / "my out" / "summary.json").read_text())


def left_behind(place):
    """Return the command lines of living processes that carry this test's mark."""
    mark, found = f"ICCS_TEST_MARK={place}".encode(), []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0") and (entry / "cmdline").read_bytes():
                found.append((entry / "cmdline").read_bytes())
        except OSError:
            continue
    return found


def test_a_run_of_both_runners_that_passes(place):
    code, told = accept(place, test_tiny__py=GOOD, tiny__robot=ROBOT)
    assert code == 0, told
    assert "Won on real equipment" not in told
    assert "2 tests: 2 passed" in told
    document = summary(place)
    standing = {each["id"]: each["standing"] for each in document["requirements"]}
    assert standing["NICCS-TEL-001"] == standing["NICCS-RAD-001"] == "passed"
    assert standing["NICCS-TEL-002"] == "not run"
    assert (document["passed"], document["run"]["exit"], document["run"]["interrupted"]) == (True, 0, False)
    assert document["run"]["bindings"] == {"iccs": "real"}
    assert json.loads((place / "my out" / "run" / "addresses.json").read_text()) == []
    assert left_behind(place) == []


def test_a_failure_is_exit_1_and_the_run_before_is_kept_aside(place):
    accept(place, test_tiny__py=GOOD)
    code, told = accept(place, test_tiny__py=GOOD.replace("pass\n", "assert 1 == 2\n"))
    assert code == 1
    assert "assert 1 == 2" in told
    assert not summary(place)["passed"]
    assert json.loads((place / "my out" / "previous" / "summary.json").read_text())["passed"]
    assert len(list((place / "my out" / "allure-results").glob("*-result.json"))) == 1


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "holds neither test_*.py nor *.robot"),
        ({"test_tiny__py": GOOD.replace("TEL-001", "TEL-099")}, "unknown requirement 'NICCS-TEL-099'"),
        ({"tiny__robot": ROBOT.replace("RAD-001", "RAD-099")}, "unknown requirement 'NICCS-RAD-099'"),
        ({"test_tiny__py": "def test_x(:\n"}, "SyntaxError"),
    ],
)
def test_what_cannot_be_run_is_exit_2_before_anything_starts(place, files, told):
    code, printed = accept(place, **files)
    assert code == 2, printed
    assert told in printed
    assert not list((place / "my out").rglob("*-result.json"))


def test_simulators_that_do_not_start_are_exit_3_with_what_they_said(place):
    sitecustomize = place / "site"
    sitecustomize.mkdir()
    (sitecustomize / "sitecustomize.py").write_text(
        "import sys\nif 'simulate' in sys.orig_argv:\n    sys.exit('the serial card is on fire')\n"
    )
    (place / "testbed.yaml").write_text("name: simulated\ncomponents:\n  iccs: {role: iccs, binding: simulated}\n")
    (place / "my suites" / "tiny" / "test_tiny.py").write_text(GOOD)
    ran = subprocess.run(
        command(place),
        env={**environment(place), "PYTHONPATH": str(sitecustomize)},
        capture_output=True,
        text=True,
        timeout=WITHIN,
        check=False,
    )
    assert ran.returncode == 3, ran.stdout + ran.stderr
    assert "the serial card is on fire" in ran.stdout
    assert left_behind(place) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_reports_what_it_reached_and_leaves_no_process(place, number):
    (place / "my suites" / "tiny" / "test_tiny.py").write_text(HANGS)
    with (place / "printed").open("w+") as printed:
        running = subprocess.Popen(command(place), env=environment(place), stdout=printed, stderr=printed)
        try:
            deadline = time.monotonic() + WITHIN
            while not any(b"600" in line for line in left_behind(place)):
                assert running.poll() is None
                assert time.monotonic() < deadline
                asyncio.run(asyncio.sleep(0.1))
            running.send_signal(number)
            assert running.wait(WITHIN) == 130
        finally:
            running.kill()
            running.wait()
    assert left_behind(place) == []
    document = summary(place)
    assert document["run"]["interrupted"]
    assert "Interrupted; this is what was reached." in (place / "printed").read_text()
    standing = {each["id"]: each["standing"] for each in document["requirements"]}
    assert standing["NICCS-TEL-001"] == "passed"


def test_a_folder_with_someone_elses_results_is_left_alone(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "precious").write_text("x")
    with pytest.raises(PlanError, match="no run of ours"):
        make_room(tmp_path)
    assert (tmp_path / "logs" / "precious").read_text() == "x"


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(PlanError, match="can't be used"):
        make_room(tmp_path / "file" / "out")
