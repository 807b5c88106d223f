"""The iccs command: help at once, doctor's findings, the report and the progress view."""

import io
import json
import subprocess
import sys

import pytest
from rich.console import Console

from harness.cli.doctor import examine
from harness.cli.main import COMMANDS
from harness.cli.node import find_allure, find_node, node_major
from harness.cli.progress import ProgressFile, View, told_name
from harness.cli.report import ReportError, kept_at_home, show
from harness.evidence.progress import MESSAGE_LENGTH, Progress
from harness.evidence.requirements import catalogue
from harness.evidence.results import TestOutcome, Verdict, summarise


def iccs(*arguments):
    command = [sys.executable, "-m", "harness.cli", *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return ran.returncode, ran.stdout, ran.stderr


def test_help_lists_every_command_without_importing_them():
    script = "import sys\nfrom harness.cli.main import app\ntry: app(['--help'])\nexcept SystemExit: pass\n"
    script += "heavy = ('numpy', 'scapy', 'pydantic', 'robot', 'harness.testbed')\n"
    script += "print(sorted(name for name in sys.modules if name.startswith(heavy)))"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    for name, entry in COMMANDS.items():
        assert name in ran.stdout
        assert entry.help[:30] in ran.stdout
    assert ran.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name):
    code, out, err = iccs(name, "--help")
    assert code == 0, err
    assert "Usage" in out


def test_an_unknown_command_or_testbed_is_exit_2(tmp_path):
    assert iccs("nonsense")[0] == 2
    (tmp_path / "bad.yaml").write_text("name: x\ncomponents: {iccs: {role: nonsense}}\n")
    code, _, err = iccs("accept", "--testbed", tmp_path / "bad.yaml")
    assert code == 2
    assert "bad.yaml:2" in err
    code, _, err = iccs("accept", "--suite", "absent", "--out", tmp_path / "out")
    assert code == 2
    assert "there is no suite 'absent'" in err


def test_doctor_finds_what_is_here_and_says_how_to_get_the_rest(monkeypatch, tmp_path):
    code, out, _ = iccs("doctor", "--json")
    findings = {each["name"]: each for each in json.loads(out)}
    assert code == (3 if any(each["needed"] and not each["ok"] for each in findings.values()) else 0)
    assert findings["Python 3.11 or later"]["ok"]
    assert findings["pseudo-terminals"]["ok"]
    monkeypatch.setenv("PATH", str(tmp_path))
    for each in examine():
        assert each.ok or each.get, each
    missing = {each.name for each in examine() if not each.ok}
    assert "sipp (make test)" in missing


def test_report_without_results_is_exit_2(tmp_path):
    code, _, err = iccs("report", "--results", tmp_path / "absent", "--out", tmp_path)
    assert code == 2
    assert "no results here" in err


def test_report_makes_one_page_that_opens_from_the_file_system_and_the_catalogues(tmp_path):
    find_node()
    find_allure()
    folder = tmp_path / "my results"
    folder.mkdir()
    labels = [{"name": "requirement", "value": "NICCS-TEL-006"}, {"name": "binding", "value": "simulated"}]
    data = {"uuid": "1", "historyId": "1", "name": "location is shown", "status": "passed", "start": 1, "stop": 2}
    (folder / "1-result.json").write_text(json.dumps({**data, "labels": labels, "links": [], "fullName": "a b"}))
    out = tmp_path / "my out"
    code, told, err = iccs("report", "--results", folder, "--out", out)
    assert code == 0, told + err
    page = (out / "allure-report" / "index.html").read_text()
    assert len(page) > 100_000
    assert 'ICCS acceptance, on simulators: no acceptance"' in page
    assert "googletagmanager" not in page
    assert kept_at_home(page) == page
    assert json.loads((out / "summary.json").read_text())["musts"]["passed (simulated)"] == 1
    criteria = (out / "allure-report" / "requirements.html").read_text()
    assert '<tr id="NICCS-TEL-006">' in criteria
    assert criteria.count("<tr id=") == len(catalogue())
    assert criteria.count('class="passed"') == 0
    assert criteria.count('class="simulated"') == 1


def test_a_page_that_would_load_from_elsewhere_is_refused():
    with pytest.raises(ReportError, match="from elsewhere"):
        kept_at_home('<script defer src="https://example.com/x.js"></script>')


def shown(*tests):
    out = io.StringIO()
    show(Console(file=out, width=160, force_terminal=True, color_system="standard"), summarise(tests, catalogue()))
    return out.getvalue()


GREEN = "\x1b[32m"


def test_nothing_is_green_that_was_not_won_on_real_equipment():
    told = shown(
        TestOutcome("a", Verdict.PASSED, ("NICCS-TEL-001",), "simulated"),
        TestOutcome("b", Verdict.SKIPPED, ("NICCS-TEL-002",), "real"),
        TestOutcome("c", Verdict.FAILED, ("NICCS-TEL-003",), "real"),
    )
    assert f"{GREEN}passed" not in told
    rows = {line.split("│")[1].strip(): line for line in told.splitlines() if "│ NICCS" in line}
    assert all(GREEN not in line for line in rows.values())
    assert "passed (simulated)" in rows["NICCS-TEL-001"]
    assert "not run" in rows["NICCS-TEL-002"]
    assert GREEN in shown(TestOutcome("a", Verdict.PASSED, ("NICCS-TEL-001",), "real"))


def test_progress_lines_are_read_as_they_come_and_half_a_line_waits(tmp_path):
    path = tmp_path / "progress.jsonl"
    file = ProgressFile(path)
    assert list(file.new()) == []
    writer = Progress("pytest", path)
    writer.total(2)
    writer.ended("suites/niccs/test_a.py::test_x", "failed", seconds=1.23456, message="x" * (MESSAGE_LENGTH + 1))
    first, second = file.new()
    assert (first["event"], first["tests"]) == ("total", 2)
    assert (second["seconds"], len(second["message"])) == (1.235, MESSAGE_LENGTH)
    with path.open("a") as handle:
        handle.write('not json\n[1]\n{"event": "started", "ru')
        handle.flush()
        assert list(file.new()) == []
        handle.write('nner": "robot", "test": "A.B"}\n')
        handle.flush()
    assert [event["test"] for event in file.new()] == ["A.B"]


def test_off_a_terminal_each_test_is_a_line():
    out = io.StringIO()
    with View(Console(file=out, width=120)) as view:
        view.stage("Running")
        view.take({"event": "total", "runner": "pytest", "tests": 2})
        view.take({"event": "started", "runner": "pytest", "test": "a/test_a.py::test_x"})
        view.take(
            {"event": "ended", "runner": "pytest", "test": "a/test_a.py::test_x", "outcome": "passed", "seconds": 1.5}
        )
        view.take(
            {
                "event": "ended",
                "runner": "robot",
                "test": "A.B",
                "outcome": "failed",
                "seconds": 2,
                "message": "late\nby far",
            }
        )
    told = out.getvalue()
    assert "passed      1.5 s  test_a.py::test_x" in told
    assert "failed      2.0 s  A.B\n    late\n" in told


def test_on_a_terminal_the_view_draws_without_error():
    out = io.StringIO()
    with View(Console(file=out, width=100, force_terminal=True)) as view:
        view.take({"event": "total", "runner": "robot", "tests": 1})
        view.take({"event": "started", "runner": "robot", "test": "A.B"})
        view.take({"event": "ended", "runner": "robot", "test": "A.B", "outcome": "odd", "seconds": 0})
    assert "A.B" in out.getvalue()


def test_names_lose_folders_only():
    assert told_name("suites/niccs/test_a.py::test_x[a/b]") == "test_a.py::test_x[a/b]"
    assert told_name("Niccs.Calls.Answer") == "Niccs.Calls.Answer"


@pytest.mark.parametrize(("told", "major"), [("v24.19.0", 24), ("v8.1", 8), ("", 0), (None, 0), ("node 22", 0)])
def test_node_versions(told, major):
    assert node_major(told) == major
