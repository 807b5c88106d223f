"""`iccs defects`, and known faults in `iccs report` and in how a run ends."""

import base64
import json
import re
from collections import Counter
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from harness.cli.defects import REGISTER, RegisterError, app, load_register
from harness.cli.node import find_allure, find_node
from harness.cli.report import make_report, summarised
from harness.evidence.defects import Register, this_day
from harness.evidence.requirements import catalogue
from harness.evidence.results import Verdict

ENTRY = """defects:
  - id: DEF-1
    title: The ring is late
    severity: 3
    requirements: [NICCS-TEL-001]
    tests: ["s.m#a"]
    change_request: CR005
    opened: 2026-01-01
"""


def written(tmp_path, text):
    path = tmp_path / "defects.yaml"
    path.write_text(text)
    return path


def iccs(*arguments):
    found = CliRunner().invoke(app, [str(each) for each in arguments], env={"COLUMNS": "200"})
    return found.exit_code, found.output


def test_the_register_of_this_repository_is_right_and_invents_nothing():
    assert load_register(REGISTER) == Register(defects=())


def test_the_commented_template_is_right(tmp_path):
    lines = REGISTER.read_text().splitlines()
    first = next(index for index, line in enumerate(lines) if line.startswith("#   - id"))
    entry = [line.removeprefix("#") for line in lines[first:-1]]
    (found,) = load_register(written(tmp_path, "\n".join(["defects:", *entry]))).defects
    assert found.change_request == "CR005"
    assert found.waiver is not None


@pytest.mark.parametrize(
    ("was", "becomes", "line", "told"),
    [
        ("severity: 3", "severity: 9", 4, "defects.0.severity: found 9; allowed: less than or equal to 4"),
        ("title:", "titel:", 3, "defects.0: found the unknown key 'titel'; did you mean 'title'?"),
        ("    opened: 2026-01-01\n", "", 2, "defects.0.opened: found nothing; allowed: this key, which is needed"),
        ("NICCS-TEL-001", "NICCS-TEL-999", 5, "unknown requirement 'NICCS-TEL-999'; did you mean NICCS-TEL-"),
        ("opened: 2026-01-01", "opened: soon", 8, "defects.0.opened: found 'soon'; allowed: "),
        (ENTRY, "[]", 1, "found a list; a register is a mapping with 'defects'"),
        ('["s.m#a"]', "[", 8, "not YAML"),
        ("title: The", "title: &a The\n    workaround: *a\n    x: The", 4, "found the alias '*a'; a register has none"),
        ("CR005", "CR 5", 7, "defects.0.change_request: found 'CR 5'; allowed: "),
    ],
)
def test_errors_name_file_line_key_found_and_allowed(tmp_path, was, becomes, line, told):
    path = written(tmp_path, ENTRY.replace(was, becomes, 1))
    code, output = iccs("check", "--register", path)
    assert code == 2
    place = f"{path}:{line}: "
    assert any(place in row and told in row for row in output.splitlines()), output


def test_an_id_twice_and_a_file_that_is_not_there_are_told(tmp_path):
    again = ENTRY + ENTRY.removeprefix("defects:\n")
    with pytest.raises(RegisterError, match=r"defects\.yaml:9: defects\.1\.id: found 'DEF-1' again; first in line 2"):
        load_register(written(tmp_path, again))
    with pytest.raises(RegisterError, match="can't be read"):
        load_register(tmp_path / "none.yaml")


@pytest.mark.parametrize(("days", "code"), [(0, 0), (-1, 1)])
def test_check_fails_by_an_expired_waiver_and_list_shows_it(tmp_path, days, code):
    day = this_day() + timedelta(days)
    waiver = f"    waiver: {{approver: '[b]Chair', expires: {day}, reason: r, gate: passes}}\n"
    path = written(tmp_path, ENTRY + waiver)
    ended, told = iccs("check", "--register", path)
    assert ended == code
    assert (f"expired on {day}" in told) is bool(code)
    ended, told = iccs("list", "--register", path)
    assert ended == 0
    assert "[b]Chair" in told
    assert ("EXPIRED" in told) is bool(code)


def test_allure_has_the_fault_its_change_request_and_a_category_of_known_faults(tmp_path):
    find_node()
    find_allure()
    results = tmp_path / "results"
    results.mkdir()
    for name, status in (
        ("a", "failed"),
        ("b", "failed"),
        ("c", "passed"),
        ("harness.errors.TestbedError: no line", "failed"),
        ("TypeError: no such thing", "broken"),
    ):
        data = {"uuid": name, "historyId": name, "name": name, "fullName": f"s.m#{name}", "status": status}
        data |= {
            "start": 1,
            "stop": 2,
            "labels": [],
            "links": [],
            "statusDetails": {"message": name if ":" in name else f"m {name}"},
        }
        (results / f"{name[:1]}-result.json").write_text(json.dumps(data))
    entry = ENTRY + "    link: https://tracker.example/CR005\n"
    entry += "    waiver: {approver: A. Chair, expires: 2026-12-31, reason: borne}\n"
    summary = summarised(results, catalogue(), load_register(written(tmp_path, entry)))
    assert Counter(test.verdict for test in summary.tests) == {
        Verdict.KNOWN: 1,
        Verdict.FAILED: 2,
        Verdict.BROKEN: 1,
        Verdict.PASSED: 1,
    }
    page = make_report(results, tmp_path, summary, join_history=False).page
    packed = re.search(r'"widgets/categories.json","([^"]+)"', page.read_text())
    names = {node["name"] for node in json.loads(base64.b64decode(packed[1]))["nodes"].values()}
    assert {"Known faults", "defect: DEF-1 (CR005)", "Product defects", "Test environment", "Test defects"} <= names
    told = json.loads((results / "a-result.json").read_text())
    assert told["status"] == "failed"
    assert told["links"][0]["url"] == "https://tracker.example/CR005"
    assert {"name": "waiver", "value": "A. Chair, until 2026-12-31"} in told["labels"]
    assert "labels" in json.loads((results / "b-result.json").read_text())
    summarised(results, catalogue(), Register(defects=()))
    assert json.loads((results / "a-result.json").read_text())["links"] == []
