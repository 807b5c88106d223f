"""A folder with a run, a plan, a register and a key, of which tests make dossiers."""

import json

from typer.testing import CliRunner

from harness.cli.dossier import app
from harness.cli.main import app as main_app
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

PLAN = """plan: <u>plan</u>
stages:
  SAT:
    ends: 2026-12-31
    exit: {run: 100, passed: 100, open_faults: {3: 1}}
    signatures: [<s>chair</s>, Supplier]
"""


class Place:
    def __init__(self, folder):
        self.out = folder / "out"
        self.key = folder / "keys" / "key.pem"
        self.defects = folder / "defects.yaml"
        self.defects.write_text("defects: []\n")
        self.plan = folder / "plan.yaml"
        self.plan.write_text(PLAN)
        (self.out / "allure-results").mkdir(parents=True)
        code, self.fingerprint = self.call("key", self.key)
        assert code == 0

    def call(self, *arguments):
        found = CliRunner().invoke(app, [str(each) for each in arguments])
        return found.exit_code, found.output.strip()

    def gate(self, *arguments):
        found = CliRunner().invoke(main_app, ["gate", *(str(each) for each in arguments)])
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
        code, told = self.call(
            "--stage", "SAT", "--key", self.key, "--out", self.out, "--defects", self.defects, "--plan", self.plan
        )
        assert code == 0, told
        return told, (self.out / "dossier" / "dossier.html").read_text().replace("<wbr>", "")

    def verify(self, *more):
        return self.call("verify", "--out", self.out, *more)
