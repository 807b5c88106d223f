"""``iccs crm import`` as a user runs it: what it prints, what it writes, and its exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.testbed.child import simulators

pytestmark = pytest.mark.real_wire
CSV = "reference,name,telephone\nA1,Ann,07700900123\nA2,Bob,0770\n"


@pytest.fixture(scope="module")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("crm")
    (folder / "testbed.yaml").write_text(
        "name: t\ncomponents:\n  crm: {role: crm, simulator: {token: a-secret}}\n", encoding="utf-8"
    )
    with simulators(folder / "testbed.yaml", origin=0.0, run_dir=folder, seed=1) as addresses:
        yield addresses.url("crm", "crm")


def imported(file: Path, to: str, *words: str, token: str = "a-secret") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness.cli", "crm", "import", str(file), "--to", to, *words]
    environment = os.environ | {"ICCS_CRM_TOKEN": token, "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)


def test_good_rows_are_in_bad_ones_are_told_and_a_rerun_changes_nothing(crm: str, tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    file.write_text(CSV, encoding="utf-8")
    first = imported(file, crm)
    assert first.returncode == 1
    assert "2 rows: 1 added, 0 changed, 0 as they were, 1 bad" in first.stderr
    assert "line 3: telephone '0770' is no telephone number" in first.stderr
    again = imported(file, crm, "--json", "--bad-rows", str(tmp_path / "bad.csv"))
    told = json.loads(again.stdout)
    assert [told[key] for key in ("added", "changed", "unchanged", "bad")] == [0, 0, 1, 1]
    assert (tmp_path / "bad.csv").read_text().splitlines() == ["line,why", "3,telephone '0770' is no telephone number"]
    file.write_text(CSV.replace("0770\n", "07700900124\n"), encoding="utf-8")
    assert imported(file, crm).returncode == 0


def test_what_stops_it_is_told_by_its_exit_code(crm: str, tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    assert (told := imported(file, crm)).returncode == 2, told.stderr
    file.write_text("name\nAnn\n", encoding="utf-8")
    assert (told := imported(file, "nowhere")).returncode == 2, told.stderr
    assert (told := imported(file, crm)).returncode == 2
    assert "the first line names columns" in told.stderr
    assert (told := imported(file, crm, token="another")).returncode == 2
    assert "401" in told.stderr
    assert imported(file, "http://127.0.0.1:9").returncode == 3
