"""The pytest plugin: which loop a test runs on, a bench that ends with its test, journals by test."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from harness.pytest_plugin import journal_name
from harness.transport.virtual_loop import VirtualLoop

PROJECT = Path(__file__).resolve().parents[2]

TESTS = """
import asyncio
import pytest
from harness.transport.virtual_loop import VirtualLoop

async def test_bench_{x}(bench):
    assert isinstance(asyncio.get_running_loop(), VirtualLoop)
    console = await bench.console("govan-12")
    await console.open_incident("x")
    await console.expect("incident.opened", within=1.0)

async def test_fails_{x}(bench):
    console = await bench.console("govan-12")
    await console.expect("call.ringing", within=1.0)

def test_plain_{x}():
    assert True
"""


@pytest.mark.virtual_time
async def test_a_test_marked_so_runs_in_virtual_time() -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    before = loop.time()
    await asyncio.sleep(86_400)
    assert loop.time() - before == pytest.approx(86_400)


async def test_another_does_not() -> None:
    assert not isinstance(asyncio.get_running_loop(), VirtualLoop)


def test_journals_of_tests_with_one_name_go_to_files_of_their_own() -> None:
    names = {journal_name(f"suites/{each}.py::test_x[virtual-a/b]") for each in ("a", "b")}
    assert names == {"suites-a.py-test_x-virtual-a-b.jsonl", "suites-b.py-test_x-virtual-a-b.jsonl"}


def pytest_run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A run of pytest on a folder's tests with the project's configuration."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(PROJECT)]
    command += ["-c", str(PROJECT / "pyproject.toml"), "-p", "harness.pytest_plugin", "-p", "fixtures.bench"]
    return subprocess.run(
        [*command, *words, str(folder)], cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_bench_ends_with_its_test_and_leaves_its_journal(tmp_path: Path) -> None:
    tests, journals = tmp_path / "tests", tmp_path / "journals"
    tests.mkdir()
    for each in "ab":
        (tests / f"test_{each}.py").write_text(TESTS.format(x="same").replace("{x}", "same"))
    (tests / "test_a.py").rename(tests / "test_one.py")
    done = pytest_run(tests, "--time", "virtual", "--journal-dir", str(journals), "--import-mode=importlib")
    assert "2 failed, 4 passed" in done.stdout, done.stdout + done.stderr
    assert "expected call.ringing on govan-12 within 1 s; it did not come. Nearest first, this did:" in done.stdout
    found = sorted(journals.iterdir())
    assert len(found) == 4
    for path in found:
        assert '"media.closed"' in path.read_text(), "what closing shows belongs to the test"


def test_a_testbed_that_is_wrong_is_told_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text("async def test_one(bench):\n    pass\n")
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: x\n")
    done = pytest_run(tmp_path, "--time", "virtual", "--testbed", str(bad))
    assert done.returncode == 1
    assert f"{bad}:1: components: found nothing; allowed: this key, which is needed" in done.stdout


OWN_TESTBED = """
import asyncio
import pytest
from harness.transport.virtual_loop import VirtualLoop

@pytest.mark.testbed("queues")
async def test_waits(bench):
    assert isinstance(asyncio.get_running_loop(), VirtualLoop)
    assert bench.testbed.name == "queues-simulated"
    console, trunk = await bench.console("govan-01"), await bench.trunk()
    await trunk.dial("999")
    await console.expect("call.ringing", within=1.0)
    await asyncio.sleep(60)
"""
REAL = """
name: with-a-real-terminal
components:
  iccs: {role: iccs}
  officer: {role: radio_terminal, binding: real, issi: 4001234, talkgroup: A, serial: {url: /dev/null}, audio: "rtp://127.0.0.1:4000"}
talkgroups: {A: 1001}
"""


def test_a_test_on_a_testbed_of_its_own_runs_in_virtual_time_and_not_beside_real_equipment(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(OWN_TESTBED)
    done = pytest_run(tmp_path)
    assert "1 passed" in done.stdout, done.stdout
    (tmp_path / "real.yaml").write_text(REAL)
    done = pytest_run(tmp_path, "--testbed", str(tmp_path / "real.yaml"), "--time", "virtual", "-rs")
    assert "1 skipped" in done.stdout, done.stdout
    assert "played on simulators alone (queues), which tells nothing of officer" in done.stdout
    assert "stands_for: [queues]" in done.stdout


ON_ITS_LAYOUT = """
import asyncio
import pytest
from harness.transport.virtual_loop import VirtualLoop

@pytest.mark.testbed("queues")
async def test_there(bench):
    assert not isinstance(asyncio.get_running_loop(), VirtualLoop)
    assert bench.testbed.name == "with-a-real-terminal"
    await bench.console("govan-01")

@pytest.mark.testbed("queues")
async def test_lacking(bench):
    await bench.trunk()

@pytest.mark.testbed("queues", auto_advisers=True)
async def test_advisers(bench):
    await bench.console("govan-01")

@pytest.mark.testbed("routes")
async def test_elsewhere(bench):
    await bench.console("govan-01")
"""
STANDS_FOR = """
stands_for: [queues]
components:
  iccs: {role: iccs, simulator: {positions: [{site: govan, first: 1, last: 2}]}}
  govan-01: {role: console, position: govan-01}
"""


@pytest.mark.parametrize("time", ["real", "virtual"])
def test_tests_of_a_layout_that_a_real_bench_stands_for_are_played_on_it_in_real_time(
    tmp_path: Path, time: str
) -> None:
    (tmp_path / "test_own.py").write_text(ON_ITS_LAYOUT)
    (tmp_path / "real.yaml").write_text(REAL.replace("components:\n  iccs: {role: iccs}\n", STANDS_FOR))
    done = pytest_run(tmp_path, "--testbed", str(tmp_path / "real.yaml"), "--time", time, "-rs")
    assert "1 passed, 3 skipped" in done.stdout, done.stdout
    assert "has no component with role emergency_trunk; it has none" in done.stdout
    assert "queues has advisers who answer by themselves" in done.stdout
    assert "played on simulators alone (routes)" in done.stdout


WAITS = """
import asyncio
import pytest
from harness.transport.virtual_loop import VirtualLoop

@pytest.mark.waits
async def test_waits(bench):
    assert isinstance(asyncio.get_running_loop(), VirtualLoop) is {virtual}
"""


@pytest.mark.parametrize("virtual", [True, False])
def test_a_test_that_waits_does_so_in_virtual_time_only_where_all_is_simulated(tmp_path: Path, virtual: bool) -> None:
    (tmp_path / "test_waits.py").write_text(WAITS.format(virtual=virtual))
    (tmp_path / "real.yaml").write_text(REAL)
    done = pytest_run(tmp_path, *(() if virtual else ("--testbed", str(tmp_path / "real.yaml"))))
    assert "1 passed" in done.stdout, done.stdout


LETS_TIME_PASS = """
async def test_long(bench):
    await bench.time_passes(3)

async def test_short(bench):
    await bench.time_passes(0.1)
"""


@pytest.mark.parametrize(("time", "ends"), [("real", "1 passed, 1 skipped"), ("virtual", "2 passed")])
def test_more_real_time_than_the_testbed_allows_is_not_let_pass(tmp_path: Path, time: str, ends: str) -> None:
    (tmp_path / "test_time.py").write_text(LETS_TIME_PASS)
    (tmp_path / "brisk.yaml").write_text("name: brisk\nlongest_wait_s: 1\ncomponents: {iccs: {role: iccs}}\n")
    done = pytest_run(tmp_path, "--testbed", str(tmp_path / "brisk.yaml"), "--time", time, "-rs")
    assert ends in done.stdout, done.stdout
    assert ("it takes 3 s of real time, and 'longest_wait_s' of testbed 'brisk' is 1" in done.stdout) == (
        time == "real"
    )
