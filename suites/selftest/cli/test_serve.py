"""`iccs people` and `iccs serve` as whole programs: accounts, one-time sign-in, a clean stop."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

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


def test_beyond_loopback_it_asks_for_a_certificate(tmp_path: Path) -> None:
    refused = iccs("serve", "--host", "0.0.0.0", "--database", str(tmp_path / "page.sqlite"))
    assert refused.returncode == 2 and "--certificate" in refused.stderr
