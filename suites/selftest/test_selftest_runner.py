"""`python -m suites.selftest`: each part is run, the one behind yields to the others, and a stopped run leaves none."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
WITHIN_S = 120
QUICKLY = ("-n", "0", "-W", "ignore", *("-p", "no:schemathesis", "-p", "no:allure_pytest"))
"""No workers and few plugins, which take seconds to start."""
pytestmark = pytest.mark.real_wire
"""What runs them is one of the parts in front itself: what is started by one that yields would yield as well."""

TESTS = """
import os, time
from pathlib import Path

import pytest

@pytest.mark.real_wire
@pytest.mark.alone
def test_alone():
    assert os.sched_getscheduler(0) == os.SCHED_OTHER

@pytest.mark.real_wire
def test_in_front():
    assert os.sched_getscheduler(0) == os.SCHED_OTHER

def test_behind():
    assert os.sched_getscheduler(0) == os.SCHED_IDLE
"""
FAILS = """
import pytest

@pytest.mark.real_wire
def test_in_front():
    pass

def test_behind():
    raise ValueError("behind")
"""
HANGS = """
import os, time
from pathlib import Path

import pytest

def hangs(name):
    Path(os.environ["PLACE"], name).write_text(str(os.getpid()))
    time.sleep(300)

@pytest.mark.real_wire
def test_in_front():
    hangs("front.pid")

def test_behind():
    hangs("behind.pid")
"""


def runner(folder: Path, tests: str) -> subprocess.Popen[str]:
    (folder / "test_parts.py").write_text(tests, encoding="utf-8")
    words = ["-m", "suites.selftest", "--tests", str(folder), "--told", str(folder / "told.txt"), *QUICKLY]
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=PROJECT,
        env={**os.environ, "PLACE": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.skipif(not hasattr(os, "SCHED_IDLE"), reason="this system knows no idle scheduling")
def test_each_part_is_run_and_that_behind_yields(tmp_path: Path) -> None:
    run = runner(tmp_path, TESTS)
    told, _ = run.communicate(timeout=WITHIN_S)
    assert run.returncode == 0, told
    assert told.count("1 passed") == 3, told


def test_a_failure_behind_is_the_runs_and_is_shown(tmp_path: Path) -> None:
    run = runner(tmp_path, FAILS)
    told, _ = run.communicate(timeout=WITHIN_S)
    assert run.returncode == 1, told
    assert "ValueError: behind" in told


async def test_a_run_that_is_stopped_leaves_no_process(tmp_path: Path) -> None:
    run = runner(tmp_path, HANGS)
    pids = [tmp_path / f"{part}.pid" for part in ("front", "behind")]
    try:
        async with asyncio.timeout(WITHIN_S):
            while not all(path.exists() and path.read_text(encoding="utf-8") for path in pids):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    finally:
        run.terminate()
    told, _ = run.communicate(timeout=WITHIN_S)
    assert run.returncode == 130, told
    left = [path.stem for path in pids if os.path.exists(f"/proc/{path.read_text(encoding='utf-8')}")]  # noqa: ASYNC240, PTH110
    assert left == []
