"""``iccs webex sweep`` on a simulated Webex: what a crash left is found, shown, and taken away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from test_simulate import simulating

from harness.endpoints.webex.ids import uuid_in

SCHEMA = "urn:cisco:codev:identity:contact:core:1.0"
TESTBED = "fixtures/testbeds/webex.yaml"


def sweep(*words: str, token: str | None) -> subprocess.CompletedProcess[str]:
    return webex("sweep", *words, token=token)


def webex(*words: str, token: str | None) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "ICCS_WEBEX_TOKEN"}
    environment |= {} if token is None else {"ICCS_WEBEX_TOKEN": token}
    command = [sys.executable, "-m", "harness.cli", "webex", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)


def test_what_was_left_is_shown_and_then_taken_away_and_nothing_else() -> None:
    with simulating("webex", "--testbed", TESTBED) as (_child, lines):
        found = {line["kind"]: line["url"] for line in lines[:-1] if line["name"] == "webex"}
        token, url = found["token"], found["http"]
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=f"{url}/v1", headers=headers, trust_env=False) as http:
            for title in ("iccs-test-left [red]", "Somebody's own"):
                assert http.post("/rooms", json={"title": title}).status_code == 200
            book = f"/contacts/organizations/{uuid_in(http.get('/people/me').json()['orgId'])}/contacts"
            for name in ("iccs-test-contact", "Of iccs-test-people"):
                contact = {"schemas": SCHEMA, "displayName": name, "phoneNumbers": [{"value": "01632 960230"}]}
                assert http.post(book, json=contact).status_code == 201
            shown = sweep("--to", url, "--dry-run", "--json", token=token)
            assert (shown.returncode, len(http.get("/rooms").json()["items"])) == (1, 2)
            found = [json.loads(line) for line in shown.stdout.splitlines()]
            assert [each["name"] for each in found] == ["iccs-test-left [red]", "iccs-test-contact"]
            done = sweep("--to", url, token=token)
            assert done.returncode == 0 and "iccs-test-left [red]" in done.stdout
            left = http.get(f"{book}/search").json()["result"]
            assert [each["displayName"] for each in left] == ["Of iccs-test-people"]
            assert [each["title"] for each in http.get("/rooms").json()["items"]] == ["Somebody's own"]
        assert token not in done.stdout + done.stderr + shown.stdout + shown.stderr


REAL = """\
name: tenant
components:
  webex:
    role: webex
    binding: real
    service: {http}
    authority: {authority}
    accounts:
      administrator: {{email: admin@force.example, token_variable: TENANT_ADMIN}}
      leaver: {{email: desk@force.example, token_variable: TENANT_LEAVER, disposable: true}}
"""


def test_a_service_with_its_own_authority_is_swept_and_an_account_whose_token_ended_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, real = tmp_path / "there.yaml", tmp_path / "real.yaml"
    text = Path(TESTBED).read_text(encoding="utf-8")
    there.write_text(
        text.replace("    simulator:\n      integrations", "    simulator:\n      tls: generated\n      integrations")
    )
    with simulating("webex", "--testbed", str(there)) as (_child, lines):
        found = {line["kind"]: line["url"] for line in lines[:-1] if line["name"] == "webex"}
        assert found["http"].startswith("https://")
        real.write_text(REAL.format(http=found["http"], authority=found["authority"].removeprefix("file:")))
        monkeypatch.setenv("TENANT_ADMIN", found["token"])
        monkeypatch.setenv("TENANT_LEAVER", "ended")
        told = sweep("--testbed", str(real), "--dry-run", token=None)
        assert told.returncode == 1, told.stderr
        assert "account leaver was not asked, its token serves no more" in told.stderr
        assert "Nothing was left." in told.stdout
        monkeypatch.setenv("TENANT_LEAVER", found["token"])
        told = sweep("--testbed", str(real), "--dry-run", token=None)
        assert (told.returncode, told.stderr) == (0, "")
        told = webex("accounts", str(real), token=None)
        assert told.returncode == 1, told.stderr
        assert told.stdout.splitlines() == [
            "administrator: admin@force.example",
            "leaver: desk@force.example is due, and the token is admin@force.example's",
        ]
        body = {"email": "desk@force.example"}
        monkeypatch.setenv("TENANT_LEAVER", httpx.post(f"{found['control']}/v1/tokens", json=body).json()["token"])
        assert webex("accounts", str(real), token=None).returncode == 0
        monkeypatch.setenv("TENANT_LEAVER", "ended")
        told = webex("accounts", str(real), token=None)
        assert told.returncode == 1 and "leaver: webex leaver: GET /people/me was refused with 401" in told.stdout


def test_webex_brings_the_switch_that_it_calls_through_and_has_meetings_and_hunt_groups() -> None:
    with simulating("webex") as (_child, lines):
        assert {line["name"] for line in lines[:-1]} == {"webex", "webex-switch"}
        found = {line["kind"]: line["url"] for line in lines[:-1] if line["name"] == "webex"}
        headers = {"Authorization": f"Bearer {found['token']}"}
        with httpx.Client(base_url=f"{found['http']}/v1", headers=headers, trust_env=False) as http:
            times = {"start": "2030-01-01T10:00:00Z", "end": "2030-01-01T11:00:00Z"}
            made = http.post("/meetings", json={"title": "Briefing", **times})
            assert made.status_code == 200 and made.json()["title"] == "Briefing"
            assert http.get("/telephony/config/huntGroups").json()["huntGroups"] != []
            assert http.get("/telephony/calls").json()["items"] == []


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
