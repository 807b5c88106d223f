"""Standing by requirement: not run is never green, a simulated pass is never acceptance, junk is told."""

import json

import pytest

from harness.evidence.allure_adapter import RunDescription, add_source, gathered, write_environment
from harness.evidence.collect import Attachment
from harness.evidence.requirements import catalogue
from harness.evidence.results import ResultsError, Standing, Verdict, as_json, read_results, summarise

NA = "skipped, not applicable"
TEL, RAD = "NICCS-TEL-001", "NICCS-RAD-001"


def result(folder, name, status, *requirements, binding="real", start=1, history=None):
    status, _, declared = (status or "").partition(", ")
    labels = [{"name": "requirement", "value": each} for each in requirements]
    labels += [{"name": "binding", "value": binding}] if binding else []
    labels += [{"name": "outcome", "value": declared}] if declared else []
    data = {
        "uuid": f"{name}-{start}",
        "historyId": history or name,
        "name": name,
        "status": status or None,
        "start": start,
        "stop": start + 500,
        "labels": labels,
    }
    (folder / f"{name}-{start}-result.json").write_text(json.dumps(data))


def standings(folder):
    tests, unreadable = read_results(folder)
    summary = summarise(tests, catalogue(), unreadable)
    return summary, {each.requirement.id: each.standing for each in summary.standings}


@pytest.mark.parametrize(
    ("results", "standing"),
    [
        ([], Standing.NOT_RUN),
        ([("skipped", "real")], Standing.NOT_RUN),
        ([(NA, "real")], Standing.NOT_APPLICABLE),
        ([(NA, "real"), ("skipped", "real")], Standing.NOT_RUN),
        ([(NA, "real"), ("failed", "real")], Standing.FAILED),
        ([(NA, "simulated"), ("passed", "real")], Standing.PASSED),
        ([("failed, not applicable", "real")], Standing.FAILED),
        ([("passed", "real")], Standing.PASSED),
        ([("passed", "simulated")], Standing.PASSED_SIMULATED),
        ([("passed", "mixed")], Standing.PASSED_SIMULATED),
        ([("passed", "")], Standing.PASSED_SIMULATED),
        ([("passed", "real"), ("passed", "simulated")], Standing.PASSED_SIMULATED),
        ([("passed", "real"), ("skipped", "simulated")], Standing.PASSED),
        ([("passed", "real"), ("failed", "real")], Standing.FAILED),
        ([("passed", "real"), ("broken", "real")], Standing.FAILED),
        ([("unknown", "real")], Standing.FAILED),
        ([(None, "real")], Standing.FAILED),
    ],
)
def test_standing_by_the_worst_that_is_known(tmp_path, results, standing):
    for index, (status, binding) in enumerate(results):
        result(tmp_path, f"t{index}", status, TEL, binding=binding)
    _, found = standings(tmp_path)
    assert found[TEL] is standing
    assert set(found.values()) - {standing} <= {Standing.NOT_RUN}


def test_musts_without_a_result_are_counted_not_run(tmp_path):
    result(tmp_path, "a", "passed", TEL)
    result(tmp_path, "b", "passed", "NICCS-RAD-006")
    summary, _ = standings(tmp_path)
    musts = summary.musts()
    assert musts[Standing.PASSED] == 1
    assert musts[Standing.NOT_RUN] == sum(each.priority == "M" for each in catalogue().values()) - 1
    told = as_json(summary)
    assert told["musts"]["not run"] == musts[Standing.NOT_RUN]
    assert len(told["requirements"]) == len(catalogue())


def test_of_several_runs_of_a_test_the_last_counts(tmp_path):
    result(tmp_path, "a", "failed", TEL, start=1)
    result(tmp_path, "a", "passed", TEL, start=2)
    summary, found = standings(tmp_path)
    assert found[TEL] is Standing.PASSED
    assert len(summary.tests) == 1


@pytest.mark.parametrize(
    "junk", ["", "{", "[]", "null", '{"status": "passed"}', '{"name": "a", "uuid": "1", "status": "splendid"}']
)
def test_an_unreadable_result_is_told_and_is_no_pass(tmp_path, junk):
    result(tmp_path, "good", "passed", TEL)
    (tmp_path / "bad-result.json").write_text(junk)
    summary, _ = standings(tmp_path)
    assert summary.unreadable
    assert "bad-result.json" in summary.unreadable[0]
    assert not summary.passed


def test_a_run_without_a_pass_has_not_passed(tmp_path):
    summary, _ = standings(tmp_path)
    assert not summary.passed
    result(tmp_path, "a", "skipped", TEL)
    result(tmp_path, "b", NA, RAD)
    summary, found = standings(tmp_path)
    assert not summary.passed
    assert (summary.count(Verdict.SKIPPED), summary.count(Verdict.NOT_APPLICABLE)) == (1, 1)
    assert found[RAD] is Standing.NOT_APPLICABLE


def test_a_test_without_a_requirement_is_named_untraced(tmp_path):
    result(tmp_path, "a", "passed")
    summary, _ = standings(tmp_path)
    assert as_json(summary)["untraced"] == ["a"]


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ResultsError, match="no results here"):
        read_results(tmp_path / "absent")


@pytest.mark.parametrize(
    ("bindings", "binding", "epic"),
    [
        ({}, "simulated", "SAT on simulators"),
        ({"iccs": "simulated", "officer": "simulated"}, "simulated", "SAT on simulators"),
        ({"iccs": "real", "officer": "simulated"}, "mixed", "SAT partly on simulators"),
        ({"iccs": "real", "officer": "manual"}, "real", "SAT on real equipment"),
    ],
)
def test_what_a_run_stood_on_survives_the_environment(monkeypatch, bindings, binding, epic):
    for name, value in RunDescription("SAT", bindings).environment().items():
        monkeypatch.setenv(name, value)
    run = RunDescription.from_environment()
    assert (run.binding, run.epic, dict(run.bindings)) == (binding, epic, bindings)


def test_an_environment_that_cannot_be_read_counts_as_simulated(monkeypatch):
    for junk in ("", "{", "[1]"):
        monkeypatch.setenv("ICCS_BINDINGS", junk)
        assert RunDescription.from_environment().binding == "simulated"


def test_evidence_sources_are_asked_until_they_leave():
    leave = add_source(lambda failed: [Attachment("a", "text/plain", "txt", b"x", str(failed))])
    assert [each.note for each in gathered("why")] == ["why"]
    leave()
    assert gathered(None) == []


def test_environment_properties_are_escaped_as_java_reads_them(tmp_path):
    write_environment(tmp_path, {"Component iccs": "C:\\x\ny"})
    assert (tmp_path / "environment.properties").read_text() == "Component\\ iccs=C:\\\\x\\ny\n"
