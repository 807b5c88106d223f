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
from pathlib import Path
from typing import Any

import httpx
import pytest
from ports import free_port
from ruamel.yaml import YAML

from harness.cli.places import FIXTURES, PROJECT
from harness.testbed.addresses import Addresses
from harness.testbed.child import simulators

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
WITHIN_S = 120


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
    testbed = {"name": "tenant", "stands_for": [LAYOUT.stem], "safety": safety, "components": components}
    with file.open("w", encoding="utf-8") as written:
        YAML().dump(testbed, written)
    return file


def test_webex_sat_is_played_at_a_tenant_that_stands_for_its_layout(tmp_path: Path) -> None:
    tokens: dict[str, str] = {}
    suite, there = PROJECT / "suites" / "webex_sat", tmp_path / "there.yaml"
    layout = LAYOUT.read_text(encoding="utf-8")
    for port in CARRIERS:
        layout = layout.replace(port, str(free_port()))
    there.write_text(layout, encoding="utf-8")
    with simulators(there, origin=time.monotonic()) as at:
        file = real_file(tmp_path, at, tokens)
        command = [sys.executable, "-m", "pytest", *(str(suite / each) for each in TESTS), "-q", "-n0", "-rs"]
        command += ["--testbed", str(file), "--basetemp", str(tmp_path / "run"), "-p", "no:cacheprovider"]
        command += ["--alluredir", str(tmp_path / "results"), "--time", "real"]
        ran = subprocess.run(
            command, capture_output=True, text=True, timeout=WITHIN_S, check=False, env={**os.environ, **tokens}
        )
    assert "2 passed, 2 skipped" in ran.stdout, ran.stdout[-6000:] + ran.stderr[-1000:]
    assert "switch is not simulated, and only a simulated switch makes calls bad" in ran.stdout
    assert "switch is real: it is not made to fail from here. Name a 'tester' in the testbed file" in ran.stdout
    results = [json.loads(each.read_text()) for each in (tmp_path / "results").glob("*-result.json")]
    won = Counter(
        (each["status"], label["value"]) for each in results for label in each["labels"] if label["name"] == "binding"
    )
    assert won == {("passed", "real"): 2, ("skipped", "real"): 2}
    told = "".join(each.read_text(errors="replace") for each in (tmp_path / "results").iterdir())
    assert not [name for name, token in tokens.items() if token in told], "a token is in the evidence"
