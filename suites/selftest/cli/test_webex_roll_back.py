"""``iccs webex roll-back``: who migrates is killed, and another process takes all of it back by the ledger alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from test_simulate import simulating

from harness.endpoints.webex.ids import uuid_in

EXPORT = Path("fixtures/migration/teams-wave.json")
SECONDS = 60.0
MIGRATES = """
import asyncio, sys
from pathlib import Path
from harness.endpoints.webex import WebexClient, token_from
from harness.endpoints.webex.ledger import Ledger
from harness.endpoints.webex.migration import Migration
from harness.endpoints.webex.teams_export import read_wave

async def main(url, export, ledger):
    client = WebexClient("webex", url, token_from("ICCS_WEBEX_TOKEN"), read_only=False)
    wave = read_wave(Path(export), 1_800_000_000)
    book = Ledger.begin(Path(ledger), (await client.ask("GET", "/people/me"))["orgId"], wave.name)
    await Migration(client, await client.scim(), book, lambda step: print(step.number, flush=True)).run(wave)

asyncio.run(main(*sys.argv[1:]))
"""


def environment(token: str) -> dict[str, str]:
    return {**os.environ, "ICCS_WEBEX_TOKEN": token}


def roll_back(*words: str, token: str = "t") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness.cli", "webex", "roll-back", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment(token), timeout=SECONDS, check=False)


@contextmanager
def service() -> Iterator[tuple[str, str, httpx.Client]]:
    """A simulated Webex with its switch: its address, an administrator's token, and a client."""
    with simulating("webex") as (_child, lines):
        found = {line["kind"]: line["url"] for line in lines[:-1] if line["name"] == "webex"}
        headers = {"Authorization": f"Bearer {found['token']}"}
        with httpx.Client(base_url=f"{found['http']}/v1", headers=headers, trust_env=False) as http:
            yield found["http"], found["token"], http


def held(http: httpx.Client) -> dict[str, Any]:
    """What the organisation holds that a migration could have changed."""
    people = http.get("/people", params={"max": 100}).json()["items"]
    org = str(http.base_url).removesuffix("/v1/")
    scim = f"{org}/identity/scim/{_org(http)}/v2"
    meetings = [
        each["title"]
        for person in people
        if person["type"] == "person"
        for each in http.get("/meetings", params={"hostEmail": person["emails"][0]}).json()["items"]
    ]
    return {
        "people": [{key: value for key, value in each.items() if key != "lastModified"} for each in people],
        "groups": [each["displayName"] for each in http.get(f"{scim}/Groups").json()["Resources"]],
        "contacts": http.get(f"/contacts/organizations/{_org(http)}/contacts/search").json()["result"],
        "meetings": meetings,
    }


def _org(http: httpx.Client) -> str:
    return uuid_in(http.get("/people/me").json()["orgId"])


@pytest.mark.parametrize("killed_at", [0, 3, 5, 8])
def test_who_migrates_is_killed_and_another_process_leaves_nothing(tmp_path: Path, killed_at: int) -> None:
    ledger = tmp_path / "ledger"
    with service() as (url, token, http):
        before = held(http)
        child = subprocess.Popen(
            [sys.executable, "-c", MIGRATES, url, str(EXPORT), str(ledger)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment(token),
        )
        try:
            assert child.stdout is not None
            for line in child.stdout:
                if int(line) == killed_at:
                    child.send_signal(signal.SIGKILL)
                    break
        finally:
            child.kill()
            child.wait()
            child.stdout.close()
        assert ledger.stat().st_mode & 0o777 == 0o600
        shown = roll_back(str(ledger), "--dry-run")
        assert shown.returncode == 1 and " steps stand" in shown.stdout
        done = roll_back(str(ledger), "--to", url, token=token)
        assert done.returncode == 0, done.stderr
        assert held(http) == before
        again = roll_back(str(ledger), "--dry-run")
        assert again.returncode == 0 and ": 0 of " in again.stdout
        assert token not in done.stdout + done.stderr


def test_what_can_not_be_rolled_back_is_told(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    ledger.write_text(json.dumps({"ledger": 1, "organisation": "another", "wave": "w"}) + "\n", encoding="utf-8")
    for words, code, told in (
        ((str(tmp_path / "none"),), 2, "is no ledger"),
        ((str(ledger),), 2, "either --testbed FILE or --to URL"),
        ((str(ledger), "--to", "http://127.0.0.1:9"), 3, "no answer"),
    ):
        ended = roll_back(*words)
        assert (ended.returncode, "Traceback" in ended.stderr) == (code, False), ended.stderr
        assert told in ended.stderr
    with service() as (url, token, http):
        before = held(http)
        ended = roll_back(str(ledger), "--to", url, token=token)
        assert ended.returncode == 2 and "another organisation" in ended.stderr
        assert held(http) == before
