"""The certificate data of a SAT run: what accept writes, what the dossier shows of it, and what nobody can sign."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from test_cli_accept import CONFTEST, DRIVER, TESTBED, WITHIN
from typer.testing import CliRunner

from harness.cli.certifying import certify
from harness.cli.dossier import app
from harness.cli.report import summarised
from harness.evidence.certificate import NO_TEST, Certificate
from harness.evidence.defects import EMPTY
from harness.evidence.requirements import catalogue

WBX = [each for each in catalogue().values() if each.id.startswith("WBX-")]
REAL = {
    "testbed": "tenant",
    "component": "webex",
    "binding": "real",
    "service": "https://webexapis.com",
    "organisation": "Force",
    "organisation_id": "org-1",
    "components": {"webex": "real", "callers": "simulated"},
}
MEASURES = [
    {"name": "blocked", "value": value, "unit": "s", "limit": 900, "requirement": "WBX-002"} for value in (30, 40, 35.5)
]
PLAN = "plan: p\nstages:\n  SAT:\n    exit: {run: 0, open_faults: {}}\n    signatures: [Operational chair, Supplier]\n"
PLAYED = f"""
import json
import allure, pytest

MEASURES = json.loads({json.dumps(json.dumps(MEASURES))})

@pytest.mark.requirement("WBX-002")
def test_leaver():
    allure.attach(json.dumps(MEASURES), name="measures", attachment_type="application/json", extension="json")

@pytest.mark.requirement("WBX-003")
def test_ringback():
    raise AssertionError("it never rang")

@pytest.mark.requirement("WBX-004")
def test_cli():
    pytest.skip("the carrier is not there yet")
"""


def test_a_sat_run_ends_with_its_certificate_data(tmp_path: Path) -> None:
    suite = tmp_path / "webex_sat"
    suite.mkdir()
    (suite / "conftest.py").write_text(CONFTEST)
    (suite / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    (suite / "test_played.py").write_text(PLAYED)
    (tmp_path / "testbed.yaml").write_text(TESTBED)
    (tmp_path / "drive.py").write_text(DRIVER)
    out = tmp_path / "out"
    words = [sys.executable, tmp_path / "drive.py", tmp_path / "testbed.yaml", suite, out, "1"]
    ran = subprocess.run(words, env=os.environ, capture_output=True, text=True, timeout=WITHIN, check=False)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    file = out / "certificate" / "certificate.json"
    assert f"Certificate data: {file}" in ran.stdout
    assert "Not to be signed as acceptance" in ran.stdout
    told = json.loads(file.read_text())
    Certificate.model_validate(told)
    assert (told["stage"], told["group"], told["testbed"], told["won_on"]) == (
        "SAT",
        "WBX",
        "nothing simulated",
        "real",
    )
    assert (told["components"], told["suites"], told["tested"]) == ({"iccs": "real"}, ["webex_sat"], [])
    assert told["began"] < told["ended"]
    assert told["software"]["python"] == sys.version.split()[0]
    assert told["software"]["packages"]["pytest"] == pytest.__version__
    rows = {each["id"]: each for each in told["requirements"]}
    assert list(rows) == [each.id for each in WBX]
    assert [rows[f"WBX-00{each}"]["standing"] for each in (1, 2, 3, 4)] == ["not run", "passed", "failed", "not run"]
    [blocked] = rows["WBX-002"]["measures"]
    assert blocked == {
        "name": "blocked",
        "unit": "s",
        "count": 3,
        "least": 30,
        "median": 35.5,
        "most": 40,
        "limit": 900,
    }
    assert len(rows["WBX-002"]["evidence"]) == 2, "the result and its measures"
    for each in rows["WBX-002"]["evidence"]:
        body = (out / each["path"]).read_bytes()
        assert (each["sha256"], each["size"]) == (hashlib.sha256(body).hexdigest(), len(body))
    missing = {each["what"]: each["why"] for each in told["not_run"]}
    assert missing["WBX-001"] == NO_TEST
    assert [why for what, why in missing.items() if what.endswith("test_cli")] == ["the carrier is not there yet"]
    assert "WBX-002" not in missing
    assert told["signable"] is False
    assert any("WBX-001" in each for each in told["why_not"])


class Place:
    """A run's folder, as accept leaves it."""

    def __init__(self, folder: Path) -> None:
        self.out = folder / "out"
        self.key = folder / "keys" / "key.pem"
        self.defects = folder / "defects.yaml"
        self.defects.write_text("defects: []\n")
        self.plan = folder / "plan.yaml"
        self.plan.write_text(PLAN)
        (self.out / "allure-results").mkdir(parents=True)
        assert self.call("key", self.key)[0] == 0

    def call(self, *arguments: object) -> tuple[int, str]:
        found = CliRunner().invoke(app, [str(each) for each in arguments])
        return found.exit_code, found.output.strip()

    def run(
        self,
        *,
        binding: str = "real",
        services: tuple[dict[str, Any], ...] = (REAL,),
        certified: bool = True,
        without: str = "",
        **run: Any,
    ) -> None:
        """One test that gives evidence for all Musts of the catalogue ``without`` one, passed."""
        results = self.out / "allure-results"
        labels = [
            {"name": "requirement", "value": each.id}
            for each in catalogue().values()
            if each.priority == "M" and each.id != without
        ]
        labels.append({"name": "binding", "value": binding})
        attached = [("measures", MEASURES), ("service", list(services))]
        for name, rows in attached:
            (results / f"{name}-attachment.json").write_text(json.dumps(rows))
        data = {
            "uuid": "0",
            "name": "n",
            "fullName": "s#0",
            "status": "passed",
            "labels": labels,
            "attachments": [
                {"name": name, "source": f"{name}-attachment.json", "type": "application/json"} for name, _ in attached
            ],
        }
        (results / "0-result.json").write_text(json.dumps(data))
        told = {"exit": 0, "interrupted": False, "began": 1_700_000_000.0, "seconds": 60.0, "testbed": "tenant"}
        told |= {"stage": "SAT", "won_on": binding, "bindings": {"webex": binding}, "suites": ["webex_sat"], **run}
        (self.out / "summary.json").write_text(json.dumps({"run": told}))
        if certified:
            certify(self.out, summarised(results, catalogue(), EMPTY), told)

    @property
    def file(self) -> Path:
        return self.out / "certificate" / "certificate.json"

    def made(self, *more: object, out: Path | None = None) -> tuple[str, dict[str, Any]]:
        """The dossier's certificate page, and what is signed of it."""
        arguments = ["--key", self.key, "--out", self.out, "--defects", self.defects, "--plan", self.plan, *more]
        code, said = self.call(*arguments)
        assert code == 0, said
        folder = (out or self.out) / "dossier"
        page = (folder / "dossier.html").read_text()
        found = re.search(r"<h2[^>]*>Certificate.*?(?=<h2)", page, re.DOTALL)
        assert found is not None
        return found[0], json.loads((folder / "manifest.json").read_text())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_what_passed_on_a_real_tenant_can_be_signed_and_the_page_tells_whose_it_is(place: Place) -> None:
    place.run()
    page, manifest = place.made()
    assert "Force" in page
    assert "https://webexapis.com" in page
    assert "tenant: <strong>real</strong> webex; <strong>simulated</strong> callers" in page
    assert "blocked 30 to 40 s (900)" in page
    assert '<th scope="col">Signature</th>' in page
    assert "<td>Operational chair</td>" in page
    assert "Not for signature" not in page
    assert manifest["facts"]["acceptance_can_be_signed"] is True
    [signed] = [each for each in manifest["files"] if each["path"] == "certificate/certificate.json"]
    assert signed["sha256"] == hashlib.sha256(place.file.read_bytes()).hexdigest()
    assert place.call("verify", "--out", place.out)[0] == 0
    place.file.write_text(place.file.read_text().replace("Force", "Farce"))
    code, said = place.call("verify", "--out", place.out)
    assert (code, "certificate/certificate.json: was changed" in said) == (1, True)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"binding": "simulated"}, "nothing simulated is acceptance"),
        ({"binding": "mixed"}, "nothing simulated is acceptance"),
        ({"services": ({**REAL, "binding": "simulated"},)}, "service that was tested is simulated"),
        ({"services": ()}, "no real service told which organisation it is"),
        ({"services": ({"organisation": "Force"},)}, "no real service told which organisation it is"),
        ({"without": "WBX-005"}, "Musts that did not pass on real equipment: WBX-005"),
        ({"interrupted": True, "exit": 130}, "the run did not come to its end"),
        ({"certified": False}, "the data written as the run ended are lost: "),
    ],
)
def test_what_can_not_be_acceptance_is_told_so_and_has_no_place_for_a_signature(
    place: Place, given: dict[str, Any], reason: str
) -> None:
    place.run(**given)
    page, manifest = place.made()
    assert "Not for signature: this can't be signed as acceptance." in page
    assert "supports acceptance" not in page
    assert reason in page
    assert "Signature</th>" not in page
    assert manifest["facts"]["acceptance_can_be_signed"] is False
    assert any(reason in each for each in manifest["facts"]["why_not"])


def test_a_simulated_run_of_other_suites_has_no_place_for_a_signature_either(place: Place) -> None:
    place.run(binding="simulated", suites=["niccs"])
    assert not place.file.exists()
    page, manifest = place.made()
    assert "Signature</th>" not in page
    assert "the run was won on: simulated." in page
    assert manifest["facts"]["acceptance_can_be_signed"] is False


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ('"standing": "not run"', '"standing": "passed"', "WBX-0"),
        ('"organisation": "Force"', '"organisation": "Farce"', "tested"),
        ('"most": 40.0', '"most": 20.0', "WBX-002"),
    ],
)
def test_certificate_data_that_were_changed_are_told_and_can_not_be_signed(
    place: Place, was: str, now: str, told: str
) -> None:
    place.run()
    text = place.file.read_text()
    assert was in text
    place.file.write_text(text.replace(was, now, 1))
    page, manifest = place.made()
    assert "are not what the results and the register say now: " in page
    assert any(told in each for each in manifest["facts"]["why_not"])
    assert "Farce" not in page, "what the page shows is what the results say"
    assert manifest["facts"]["acceptance_can_be_signed"] is False


def test_a_result_that_was_changed_after_the_run_is_told_by_its_criterion(place: Place) -> None:
    place.run()
    (place.out / "allure-results" / "measures-attachment.json").write_text(json.dumps(MEASURES[:1]))
    page, _ = place.made()
    assert "are not what the results and the register say now: " in page
    assert "WBX-002" in page.partition("say now: ")[2]


@pytest.mark.parametrize("junk", ["", "[]", "{}", "\x00", '{"layout": 2}', '{"requirements": [1]}'])
def test_what_is_no_certificate_is_lost_and_the_dossier_still_comes(place: Place, junk: str) -> None:
    place.run()
    place.file.write_text(junk)
    page, _ = place.made()
    assert "the data written as the run ended are lost: certificate/certificate.json: " in page
    assert "Signature</th>" not in page


def test_a_masked_dossier_has_certificate_data_of_its_own_and_names_nobody(place: Place) -> None:
    place.run()
    result = place.out / "allure-results" / "0-result.json"
    told = json.loads(result.read_text())
    told["parameters"] = [{"name": "caller", "value": "'Ailsa Exemplar'"}]
    told["fullName"] = "s#0[Ailsa Exemplar, 07911 123456]"
    result.write_text(json.dumps(told))
    run = json.loads((place.out / "summary.json").read_text())["run"]
    certify(place.out, summarised(place.out / "allure-results", catalogue(), EMPTY), run)
    assert "Exemplar" in place.file.read_text()
    copy = place.out / "public"
    page, _ = place.made("--audience", "public", out=copy)
    assert '<th scope="row">Software</th>' in page
    for path in copy.rglob("*"):
        if path.is_file():
            assert b"Exemplar" not in path.read_bytes(), path
            assert b"123456" not in path.read_bytes(), path
    kept = Certificate.model_validate_json((copy / "certificate" / "certificate.json").read_text())
    [played] = {each.name for row in kept.requirements for each in row.tests}
    assert played.startswith("s#0[")
    for each in (proof for row in kept.requirements for proof in row.evidence):
        assert hashlib.sha256((copy / each.path).read_bytes()).hexdigest() == each.sha256
    assert place.call("verify", "--out", copy)[0] == 0
