"""``iccs webex sweep`` on a simulated Webex: what a crash left is found, shown, and taken away."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import httpx
import pytest
from test_simulate import simulating

TESTBED = "fixtures/testbeds/webex.yaml"


def sweep(*words: str, token: str | None) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "ICCS_WEBEX_TOKEN"}
    environment |= {} if token is None else {"ICCS_WEBEX_TOKEN": token}
    command = [sys.executable, "-m", "harness.cli", "webex", "sweep", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)


def test_what_was_left_is_shown_and_then_taken_away_and_nothing_else() -> None:
    with simulating("webex", "switch", "--testbed", TESTBED) as (_child, lines):
        found = {line["kind"]: line["url"] for line in lines[:-1] if line["name"] == "webex"}
        token, url = found["token"], found["http"]
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=f"{url}/v1", headers=headers, trust_env=False) as http:
            for title in ("iccs-test-left [red]", "Somebody's own"):
                assert http.post("/rooms", json={"title": title}).status_code == 200
            shown = sweep("--to", url, "--dry-run", "--json", token=token)
            assert (shown.returncode, len(http.get("/rooms").json()["items"])) == (1, 2)
            [one] = [json.loads(line) for line in shown.stdout.splitlines()]
            assert (one["kind"], one["name"]) == ("rooms", "iccs-test-left [red]")
            done = sweep("--to", url, token=token)
            assert done.returncode == 0 and "iccs-test-left [red]" in done.stdout
            assert [each["title"] for each in http.get("/rooms").json()["items"]] == ["Somebody's own"]
        assert token not in done.stdout + done.stderr + shown.stdout + shown.stderr


def test_webex_without_the_switch_that_it_calls_through_is_told() -> None:
    command = [sys.executable, "-m", "harness.cli", "simulate", "webex", "--testbed", TESTBED, "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode in {2, 3}
    assert "not started: iccs simulate webex switch" in ended.stderr


@pytest.mark.parametrize(
    ("words", "token", "code", "told"),
    [
        ((), "t", 2, "either --testbed FILE or --to URL"),
        (("--to", "webexapis.com"), "t", 2, "https://host is due"),
        (("--to", "http://127.0.0.1:9"), None, 2, "set ICCS_WEBEX_TOKEN"),
        (("--to", "http://127.0.0.1:9"), "t", 3, "no answer"),
        (("--to", "http://127.0.0.1:9", "--prefix", " "), "t", 2, "a prefix is needed"),
        (("--testbed", TESTBED), "t", 2, "0 real components of role webex"),
    ],
)
def test_what_can_not_be_swept_is_told(words: tuple[str, ...], token: str | None, code: int, told: str) -> None:
    ended = sweep(*words, token=token)
    assert ended.returncode == code, ended.stderr
    assert told in ended.stderr and "Traceback" not in ended.stderr
