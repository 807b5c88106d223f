"""Known faults: what they explain, that they never are a pass, and when a waiver lets a run pass."""

import json
from datetime import date

import pytest
from pydantic import ValidationError

from harness.evidence.defects import DEFECT, Defect, Register, marked
from harness.evidence.requirements import catalogue
from harness.evidence.results import Standing, TestOutcome, Verdict, as_json, read_results, summarise

TEL = "NICCS-TEL-001"
DAY = date(2026, 6, 30)
WAIVER = {"approver": "A. Chair", "expires": "2026-06-30", "reason": "paper forms", "gate": "passes"}


def defect(**changes):
    given = {"id": "DEF-1", "title": "t", "severity": 3, "requirements": [TEL], "tests": ["s.m#a"]}
    return Defect.model_validate({**given, "opened": "2026-01-01", "change_request": "CR005", **changes})


def summary(*tests, **changes):
    return summarise(tests, catalogue(), register=Register(defects=(defect(**changes),)), today=DAY)


def test_(name="s.m#a", verdict=Verdict.FAILED, message="no ringing"):
    return TestOutcome(name, verdict, (TEL,), "real", message=message)


test_.__test__ = False
GOOD = test_("s.m#good", Verdict.PASSED)


def standing(found):
    return next(each.standing for each in found.standings if each.requirement.id == TEL)


@pytest.mark.parametrize("verdict", [Verdict.FAILED, Verdict.BROKEN])
def test_a_failure_that_is_explained_is_known_with_its_change_request_and_fails_the_gate(verdict):
    found = summary(GOOD, test_(verdict=verdict))
    assert [test.verdict for test in found.tests] == [Verdict.PASSED, Verdict.KNOWN]
    assert standing(found) is Standing.KNOWN
    assert not found.passed
    (told,) = as_json(found)["known"]
    assert (told["verdict"], told["defect"], told["change_request"]) == ("known", "DEF-1", "CR005")
    assert found.musts()[Standing.PASSED] == 0


@pytest.mark.parametrize(
    ("changes", "passed"),
    [
        ({"waiver": WAIVER}, True),
        ({"waiver": {**WAIVER, "gate": "fails"}}, False),
        ({"waiver": {**WAIVER, "expires": "2026-06-29"}}, False),
        ({"waiver": {key: value for key, value in WAIVER.items() if key != "gate"}}, False),
        ({}, False),
    ],
)
def test_a_waiver_lets_a_run_pass_only_where_it_says_so_and_until_its_last_day(changes, passed):
    found = summary(GOOD, test_(), **changes)
    assert found.passed is passed
    assert standing(found) is Standing.KNOWN


def test_a_run_of_nothing_but_waived_faults_has_not_passed():
    assert not summary(test_(), waiver=WAIVER).passed


def test_another_failure_beside_a_known_one_is_a_failure():
    found = summary(GOOD, test_(), test_("s.m#other"), waiver=WAIVER)
    assert standing(found) is Standing.FAILED
    assert not found.passed


def test_an_expired_waiver_fails_the_gate_though_every_test_passes_and_says_which():
    found = summary(GOOD, waiver={**WAIVER, "expires": "2026-06-29"})
    assert not found.passed
    assert found.expired == ("DEF-1 (CR005): t: the waiver of A. Chair expired on 2026-06-29",)
    closed = summary(GOOD, waiver={**WAIVER, "expires": "2026-06-29"}, closed="2026-06-01")
    assert closed.passed


@pytest.mark.parametrize(
    ("changes", "name", "message", "explains"),
    [
        ({}, "s.m#a", "", True),
        ({}, "s.m#ab", "", False),
        ({"tests": ["File.A test"]}, "Niccs & Service Centre.File.A test", "", True),
        ({"tests": ["A test"]}, "Niccs.File.Not A test", "", False),
        ({"failure": "ringing"}, "s.m#a", "no ringing within 2 s", True),
        ({"failure": "ringing"}, "s.m#a", "no answer", False),
        ({"closed": "2026-02-01"}, "s.m#a", "", False),
        ({"tests": []}, "s.m#a", "", False),
    ],
)
def test_what_a_fault_explains(changes, name, message, explains):
    assert defect(**changes).explains(name, message) is explains


def test_the_gravest_of_several_is_told():
    grave = defect(id="DEF-2", severity=1)
    assert Register(defects=(defect(), grave)).explaining("s.m#a", "") is grave


@pytest.mark.parametrize(
    "changes",
    [
        {"severity": 1, "waiver": WAIVER},
        {"closed": "2025-12-31"},
        {"severity": 5},
        {"link": "javascript:alert(1)"},
        {"requirements": []},
        {"waiver": {**WAIVER, "approver": " "}},
    ],
)
def test_what_makes_no_sense_is_refused(changes):
    with pytest.raises(ValidationError):
        defect(**changes)


def test_an_allure_result_is_told_of_its_fault_once_and_can_be_told_otherwise():
    was = {"labels": [{"name": "requirement", "value": TEL}], "links": [], "statusDetails": {"message": "m"}}
    once = marked(was, defect(link="https://tracker.example/CR005"))
    assert marked(once, defect(link="https://tracker.example/CR005")) == once
    assert {"name": DEFECT, "value": "DEF-1 (CR005)"} in once["labels"]
    assert once["links"] == [{"type": "defect", "name": "DEF-1 (CR005): t", "url": "https://tracker.example/CR005"}]
    assert once["statusDetails"] == was["statusDetails"]
    assert marked(once, None)["labels"] == was["labels"]


def test_a_result_that_calls_itself_known_is_unreadable(tmp_path):
    (tmp_path / "1-result.json").write_text(json.dumps({"uuid": "1", "name": "n", "status": "known"}))
    tests, unreadable = read_results(tmp_path)
    assert not tests
    assert "no status of Allure's" in unreadable[0]
