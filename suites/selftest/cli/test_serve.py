"""`iccs people` and `iccs serve` as whole programs: accounts, one-time sign-in, a clean stop."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
from sqlalchemy import select
from websockets.sync.client import connect

from harness.page.store import Store
from harness.page.tables import AttemptRow

ICCS = [sys.executable, "-m", "harness.cli"]


def iccs(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([*ICCS, *arguments], input=given, capture_output=True, text=True, timeout=60, check=False)


def test_accounts_are_made_listed_and_disabled(tmp_path: Path) -> None:
    store = ["--database", str(tmp_path / "page.sqlite")]
    added = iccs("people", "add", "Ailsa", "--password-stdin", *store, given="correct horse battery\n")
    assert added.returncode == 0, added.stderr
    again = iccs("people", "add", "Ailsa", "--no-password", *store)
    assert (again.returncode, again.stderr.strip()) == (2, "there is an account 'Ailsa' already")
    short = iccs("people", "password", "Ailsa", "--password-stdin", *store, given="short\n")
    assert short.returncode == 2 and "12 to 256 characters" in short.stderr
    assert "/sign-in/" in iccs("people", "token", "Ailsa", *store).stdout
    assert iccs("people", "disable", "Ailsa", *store).returncode == 0
    assert "disabled" in iccs("people", "list", *store).stdout
    assert "horse" not in (tmp_path / "page.sqlite").read_bytes().decode("latin-1")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nonsense: [", "--testbed: "),
        (
            "name: real\nstage: SAT\ncomponents:\n  iccs: {role: iccs, binding: real, sip: '192.0.2.10:5060'}\n",
            "and a playing is on simulators",
        ),
    ],
)
def test_a_testbed_on_which_nobody_can_play_is_refused(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "bed.yaml").write_text(text, encoding="utf-8")
    command = ["serve", "--database", str(tmp_path / "page.sqlite"), "--testbed", str(tmp_path / "bed.yaml")]
    found = iccs(*command)
    assert found.returncode == 2
    assert told in found.stderr and "bed.yaml" in found.stderr


@pytest.mark.real_wire
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_signs_in_once_and_stops_cleanly(tmp_path: Path, stop: signal.Signals) -> None:
    command = [*ICCS, "serve", "--port", "0", "--database", str(tmp_path / "page.sqlite")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as served:
        try:
            assert served.stdout is not None and served.stderr is not None
            first = served.stdout.readline()
            url = re.search(r"http://127\.0\.0\.1:\d+/sign-in/\S+", first)
            assert url is not None, first + served.stderr.read()
            served.stdout.readline()
            with httpx.Client(follow_redirects=True) as browser:
                assert "Command line (engineer)" in browser.get(url[0]).text
            assert httpx.get(url[0]).status_code == 403, "a second time"
            os.kill(served.pid, stop)
            assert served.wait(20) == 0
            assert served.stderr.read() == ""
        finally:
            served.kill()


@pytest.mark.real_wire
def test_ctrl_c_while_somebody_plays_keeps_the_attempt_and_leaves_no_process(tmp_path: Path) -> None:
    store = str(tmp_path / "page.sqlite")
    command = [*ICCS, "serve", "--port", "0", "--database", store]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as served:
        try:
            assert served.stdout is not None and served.stderr is not None
            url = re.search(r"http://127\.0\.0\.1:\d+/sign-in/\S+", served.stdout.readline())
            assert url is not None
            with httpx.Client(follow_redirects=True, timeout=30) as browser:
                browser.get(url[0])
                page = browser.get(urljoin(url[0], "/scenarios/E2E-01-DOMESTIC")).text
                token = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
                assert token is not None and "Play as call_taker" in page
                form = {"csrf": token[1], "scenario": "E2E-01-DOMESTIC", "seat": "call_taker"}
                play = browser.post(urljoin(url[0], "/play"), data=form)
                assert play.status_code == 200 and "your seat: call_taker" in play.text
                cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
                console = str(play.url).replace("http", "ws", 1) + "/console"
                with connect(console, additional_headers={"Cookie": cookie}, proxy=None) as socket:
                    while json.loads(socket.recv(60)).get("phase") != "ready":
                        pass
                    socket.send('{"do": "begin"}')
                    while json.loads(socket.recv(60)).get("phase") != "playing":
                        pass
                    theirs = Path(f"/proc/{served.pid}/task/{served.pid}/children").read_text().split()
                    assert theirs, "the control room is a process of its own"
                    os.kill(served.pid, signal.SIGINT)
                    assert served.wait(60) == 0
            assert served.stderr.read() == ""
            assert not any(Path(f"/proc/{child}").exists() for child in theirs)
            opened = Store.open(store)
            kept = opened.transact(lambda session: [row.ended for row in session.scalars(select(AttemptRow))])
            opened.close()
            assert kept == ["abandoned"]
        finally:
            served.kill()


def test_beyond_loopback_it_asks_for_a_certificate(tmp_path: Path) -> None:
    refused = iccs("serve", "--host", "0.0.0.0", "--database", str(tmp_path / "page.sqlite"))
    assert refused.returncode == 2 and "--certificate" in refused.stderr
