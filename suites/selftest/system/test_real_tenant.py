"""The SAT at a tenant that is real to the run: simulators of another process, of which the testbed has addresses alone.

What a SAT engineer does on the day is that: the same tests, another testbed file. Nothing is known of the switch and of
Webex but what the file says, every number has to be allowed, and time is real.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from ports import free_port
from ruamel.yaml import YAML

from harness.cli.places import FIXTURES, PROJECT
from harness.evidence.allure_adapter import RunDescription
from harness.testbed.addresses import Addresses
from harness.testbed.child import simulators
from harness.testbed.places import TESTBED_VARIABLE

pytestmark = pytest.mark.real_wire
LAYOUT = FIXTURES / "testbeds" / "webex-calling.yaml"
LINES = [str(line) for line in (2000, 2001, 2002, 2003, 2004, 2010, 2011, 2200, 2250, 2300, 2900)]
PARK_AND_MEETINGS = [*map(str, range(2301, 2311)), *map(str, range(7001, 7011))]
OUTSIDE = ["01632960123", "01414960001", "+441414960001", "+441414960002", "+441414960900"]
PERMIT = {
    "what": "emergency_call",
    "target": "999",
    "valid_from": "2026-01-01",
    "valid_until": "2999-12-31",
    "approved_by": "A test",
}
CARRIERS = ("15080", "15082", "15084")
"""Ports that the layout's file fixes."""
TESTS = (
    "test_call_features.py::test_a_hunt_groups_calls_go_round_and_overflow_as_its_plan_says",
    "test_encryption.py::test_speech_is_srtp_and_signalling_tls_in_the_capture",
    "test_call_features.py::test_a_call_that_was_bad_is_told_as_bad_by_both",
    "test_trunks_and_emergency.py::test_a_site_that_is_cut_off_calls_within_itself_the_world_and_999_and_comes_back",
)
"""Two that pass; one that only a simulated switch can be asked for, one that needs somebody to cut a site off."""
SUITE = PROJECT / "suites" / "webex_sat"
ROBOT = {
    "Speech Is Back In Time After Hold": "PASS",
    "A Voice Message Is Notified In Time": "PASS",
    "A Full Meeting Is Stable For Its Time": "SKIP",
    "A New Call Takes The Other Trunk In Time": "SKIP",
    "A Teams User Is Migrated With Contacts And Meetings And Rolled Back": "SKIP",
}
WITHIN_S = 120


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant, and what an engineer has of it."""

    file: Path
    """Of the testbed that binds it as real."""
    tokens: dict[str, str]
    """By the environment's variable."""

    def play(self, command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        all_of_it = {**os.environ, **self.tokens, **environment}
        return subprocess.run(
            command, capture_output=True, text=True, timeout=WITHIN_S, check=False, cwd=PROJECT, env=all_of_it
        )

    def kept_secret(self, results: Path) -> None:
        told = "".join(each.read_text(errors="replace") for each in results.iterdir())
        assert not [name for name, token in self.tokens.items() if token in told], "a token is in the evidence"


def real_file(folder: Path, at: Addresses, tokens: dict[str, str]) -> Path:
    """The layout's components by their addresses, as of equipment; ``tokens``: filled with each account's."""
    components: dict[str, dict[str, Any]] = {}
    for name, told in YAML(typ="safe").load(LAYOUT.read_text(encoding="utf-8"))["components"].items():
        match told["role"]:
            case "webex":
                accounts = {}
                for alias, each in told["accounts"].items():
                    asked = httpx.post(f"{at.url(name, 'control')}/v1/tokens", json={"email": each["email"]})
                    tokens[f"REAL_{alias.upper()}"] = asked.json()["token"]
                    accounts[alias] = {**each, "token_variable": f"REAL_{alias.upper()}"}
                service = {"service": at.url(name, "http"), "read_only": False, "accounts": accounts}
                components[name] = {"role": "webex", "binding": "real", **service}
            case "enterprise_switch":
                host, port = at.host_port(name, "sip")
                components[name] = {"role": "enterprise_switch", "binding": "real", "sip": f"{host}:{port}"}
                if at.has(name, "sips"):
                    components[name]["sips"] = "{}:{}".format(*at.host_port(name, "sips"))
            case "telephone":
                components[name] = {**told, "binding": "real", "password": "test-telephone"}
                if told.get("transport") == "TLS":
                    files = {"authority": "authority", "certificate": "certificate"}
                    components[name] |= {key: str(at.file("switch", kind)) for key, kind in files.items()}
    file = folder / "tenant.yaml"
    safety = {"dial": LINES + PARK_AND_MEETINGS + OUTSIDE, "permits": [PERMIT]}
    testbed = {
        "name": "tenant",
        "stands_for": [LAYOUT.stem],
        "longest_wait_s": 60,
        "safety": safety,
        "components": components,
    }
    with file.open("w", encoding="utf-8") as written:
        YAML().dump(testbed, written)
    return file


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    """One that runs for both runners, as a real one does: what the first leaves the second meets."""
    folder, tokens = tmp_path_factory.mktemp("tenant"), dict[str, str]()
    there = folder / "there.yaml"
    layout = LAYOUT.read_text(encoding="utf-8")
    for port in CARRIERS:
        layout = layout.replace(port, str(free_port()))
    there.write_text(layout, encoding="utf-8")
    with simulators(there, origin=time.monotonic()) as at:
        yield Tenant(real_file(folder, at, tokens), tokens)


def test_robot_plays_webex_sat_at_a_tenant_that_stands_for_its_layout(tenant: Tenant, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "robot", "--output", str(tmp_path / "output.xml"), "--log", "NONE"]
    command += ["--report", "NONE", "--listener", f"allure_robotframework;{tmp_path / 'results'}"]
    command += ["--listener", "harness.keywords.listener.RequirementListener"]
    command += [part for name in ROBOT for part in ("--test", name)]
    described = RunDescription("SAT", {"webex": "real"}).environment()
    ran = tenant.play([*command, str(SUITE)], described | {TESTBED_VARIABLE: str(tenant.file)})
    tests = ElementTree.parse(tmp_path / "output.xml").getroot().iter("test")
    ended = {str(test.get("name")): test.find("status") for test in tests}
    assert {name: each.get("status") for name, each in ended.items() if each is not None} == ROBOT, ran.stdout[-6000:]
    told = {name: str(each.text) for name, each in ended.items() if each is not None and each.get("status") == "SKIP"}
    assert "'longest_wait_s' of testbed 'tenant' is 60" in told["A Full Meeting Is Stable For Its Time"]
    assert "Name a 'tester' in the testbed file" in told["A New Call Takes The Other Trunk In Time"]
    assert "'teams: {intact: …}'" in told["A Teams User Is Migrated With Contacts And Meetings And Rolled Back"]
    tenant.kept_secret(tmp_path / "results")


def test_webex_sat_is_played_at_a_tenant_that_stands_for_its_layout(tenant: Tenant, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", *(str(SUITE / each) for each in TESTS), "-q", "-n0", "-rs"]
    command += ["--testbed", str(tenant.file), "--basetemp", str(tmp_path / "run"), "-p", "no:cacheprovider"]
    command += ["--alluredir", str(tmp_path / "results"), "--time", "real"]
    ran = tenant.play(command, {})
    assert "2 passed, 2 skipped" in ran.stdout, ran.stdout[-6000:] + ran.stderr[-1000:]
    assert "switch is not simulated, and only a simulated switch makes calls bad" in ran.stdout
    assert "switch is real: it is not made to fail from here. Name a 'tester' in the testbed file" in ran.stdout
    results = [json.loads(each.read_text()) for each in (tmp_path / "results").glob("*-result.json")]
    won = Counter(
        (each["status"], label["value"]) for each in results for label in each["labels"] if label["name"] == "binding"
    )
    assert won == {("passed", "real"): 2, ("skipped", "real"): 2}
    tenant.kept_secret(tmp_path / "results")
