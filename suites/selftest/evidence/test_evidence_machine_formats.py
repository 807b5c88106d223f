"""The matrix has every requirement and no formula; JUnit's file every test, and no known fault or skip as a pass."""

import csv
import io

from defusedxml import ElementTree as Xml
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.evidence.defects import Defect, Register
from harness.evidence.machine_formats import COLUMNS, junit_xml, matrix_csv
from harness.evidence.requirements import catalogue
from harness.evidence.results import TestOutcome, Verdict, summarise

TEL = "NICCS-TEL-001"
FAULT = Defect(
    id="DEF-1",
    title="t",
    severity=3,
    requirements=(TEL,),
    tests=("s#known",),
    change_request="CR005",
    opened="2026-01-01",
    waiver={"approver": "A. Chair", "expires": "2999-12-31", "reason": "borne"},
)


def run():
    tests = [
        TestOutcome("s#good", Verdict.PASSED, (TEL,), "simulated", "pytest", seconds=1.5),
        TestOutcome("s#known", Verdict.FAILED, (TEL,), "real", "pytest", "expected 1\nfound 2"),
        TestOutcome("s#bad", Verdict.FAILED, (TEL,), "real", "pytest", "expected 3\nfound 4"),
        TestOutcome("Niccs.Calls.Broken One", Verdict.BROKEN, (), "real", "robotframework", "no link"),
        TestOutcome("s#left", Verdict.SKIPPED, ("NICCS-TEL-002",), "real", "pytest", "Skipped: no line"),
    ]
    return summarise(tests, catalogue(), register=Register(defects=(FAULT,)))


def test_the_matrix_has_every_requirement_each_test_and_what_is_untraced():
    head, *rows = csv.reader(io.StringIO(matrix_csv(run())))
    assert tuple(head) == COLUMNS
    assert {row[0] for row in rows} == {*catalogue(), ""}
    told = [row[5:] for row in rows if row[0] == TEL]
    assert told == [
        ["failed", "s#good", "passed", "simulated", "", ""],
        ["failed", "s#known", "known", "real", "DEF-1 (CR005)", "2999-12-31"],
        ["failed", "s#bad", "failed", "real", "", ""],
    ]
    assert rows[-1] == ["", "", "", "", "", "untraced", "Niccs.Calls.Broken One", "broken", "real", "", ""]
    assert [row[5:] for row in rows if row[0] == "NICCS-TEL-003"] == [["not run", "", "", "", "", ""]]


def test_junit_has_each_test_once_and_no_known_fault_or_skip_as_a_pass():
    root = Xml.fromstring(junit_xml(run(), {"stage": "SAT", "testbed": "bed"}))
    assert root.get("name") == "SAT bed"
    pytest_suite, robot_suite = root
    assert {key: pytest_suite.get(key) for key in ("tests", "failures", "errors", "skipped", "time")} == {
        "tests": "4",
        "failures": "2",
        "errors": "0",
        "skipped": "1",
        "time": "1.500",
    }
    good, known, bad, left = pytest_suite
    assert [each.tag for each in good] == ["properties"]
    assert [(each.get("name"), each.get("value")) for each in good[0]] == [
        ("won_on", "simulated"),
        ("requirement", TEL),
    ]
    assert (known[1].tag, known[1].get("type"), known[1].get("message")) == (
        "failure",
        "known",
        "known fault DEF-1 (CR005): expected 1",
    )
    assert (bad[1].get("message"), bad[1].text) == ("expected 3", "expected 3\nfound 4")
    assert (left[1].tag, left[1].get("message")) == ("skipped", "skipped: no line")
    (broken,) = robot_suite
    assert (broken.get("classname"), broken.get("name"), broken[1].tag) == ("Niccs.Calls", "Broken One", "error")


@settings(deadline=None, max_examples=100)
@given(st.text(), st.text())
def test_whatever_a_test_is_called_both_can_be_read_and_no_cell_is_a_formula(name, message):
    summary = summarise([TestOutcome(name, Verdict.FAILED, (), "real", "pytest", message)], catalogue())
    Xml.fromstring(junit_xml(summary, {}))
    rows = list(csv.reader(io.StringIO(matrix_csv(summary), newline="")))
    assert not any(each.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for each in row)
