"""`iccs dossier`: what the board is told, that nothing simulated or not run is green, that any change is found."""

import json
import re

import pytest
from typer.testing import CliRunner

from harness.cli.dossier import app
from harness.evidence.requirements import catalogue

TEL = "NICCS-TEL-001"
MUSTS = [each.id for each in catalogue().values() if each.priority == "M"]
FAULT = """defects:
  - id: DEF-1
    title: <script>alert(1)</script>
    severity: 3
    requirements: [NICCS-TEL-001]
    tests: ["s#0"]
    change_request: CR005
    opened: 2026-01-01
    waiver: {approver: A. Chair, expires: 2999-12-31, reason: borne, gate: passes}
"""


class Place:
    def __init__(self, folder):
        self.out = folder / "out"
        self.key = folder / "keys" / "key.pem"
        self.defects = folder / "defects.yaml"
        self.defects.write_text("defects: []\n")
        (self.out / "allure-results").mkdir(parents=True)
        code, self.fingerprint = self.call("key", self.key)
        assert code == 0

    def call(self, *arguments):
        found = CliRunner().invoke(app, [str(each) for each in arguments])
        return found.exit_code, found.output.strip()

    def run(self, statuses, *, binding="real", requirements=MUSTS, exit_code=0, stage="SAT"):
        for index, status in enumerate(statuses):
            labels = [{"name": "requirement", "value": name} for name in requirements]
            labels.append({"name": "binding", "value": binding})
            data = {
                "uuid": str(index),
                "name": "<b>n</b>",
                "fullName": f"s#{index}",
                "status": status,
                "labels": labels,
            }
            (self.out / "allure-results" / f"{index}-result.json").write_text(json.dumps(data))
        run = {
            "exit": exit_code,
            "interrupted": False,
            "began": 1_700_000_000.0,
            "testbed": "<i>bed</i>",
            "stage": stage,
        }
        run |= {"bindings": {"iccs": binding}, "suites": ["niccs"]}
        (self.out / "summary.json").write_text(json.dumps({"run": run}))

    def made(self):
        code, told = self.call("--stage", "SAT", "--key", self.key, "--out", self.out, "--defects", self.defects)
        assert code == 0, told
        return told, (self.out / "dossier" / "dossier.html").read_text()

    def verify(self, *more):
        return self.call("verify", "--out", self.out, *more)


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
    assert "DEF-1 (CR005)" in page
    assert "A. Chair, until 2999-12-31" in page
    place.defects.write_text(FAULT.replace("gate: passes", "gate: fails"))
    told, page = place.made()
    assert told.startswith("Dossier (red)")
    place.defects.write_text(FAULT.replace("severity: 3", "severity: 2"))
    assert "1 fault of severity 1 or 2 open" in place.made()[1]


def test_names_are_text_and_the_page_asks_nothing_of_elsewhere(place):
    place.run(["failed"])
    place.defects.write_text(FAULT)
    _, page = place.made()
    for each in ("<script", "<b>n</b>", "<i>bed</i>", "src=", "url(", "@import", "<link"):
        assert each not in page


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
    assert "make one with iccs dossier key FILE" in place.call(*arguments)[1]
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
    (place.out / "logs").mkdir()
    (place.out / "logs" / "pytest.log").write_text("Ailsa Exemplar")
    names = place.defects.with_name("names.txt")
    names.write_text("simple name\n")
    arguments = ["--key", place.key, "--out", place.out, "--defects", place.defects, "--audience", "public"]
    code, said = place.call(*arguments, "--names", names)
    assert code == 0, said
    copy = place.out / "public"
    assert said == f"Dossier (amber): {copy / 'dossier' / 'dossier.html'}"
    page = (copy / "dossier" / "dossier.html").read_text()
    assert "Masked for the public" in page
    assert "s#0[xxxxx xxxxxxxx, xxxxx xxxxxx]: known" in page
    for each in ("Ailsa", "Exemplar", "A. Chair", "123456", "told 0791112345"):
        assert all(each.encode() not in path.read_bytes() for path in copy.rglob("*") if path.is_file()), each
    assert place.call("verify", "--out", copy, "--fingerprint", place.fingerprint)[0] == 0
    names.write_bytes(b"\xff")
    code, said = place.call(*arguments, "--names", names)
    assert code == 2
    assert said == f"{names}: found no UTF-8 at byte 0; one name a line is due"
