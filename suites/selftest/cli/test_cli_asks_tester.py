"""A tester is asked at the terminal where a run is shown: what is asked stays readable, and the answer is taken."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console
from test_cli_accept import CONFTEST, DRIVER, TESTBED

from harness.cli import lane as lane_module
from harness.cli.lane import Lane, Runner, SimulatorsError
from harness.cli.progress import View
from harness.cli.terminals import controlling_terminal
from harness.evidence.progress import VIEW_VARIABLE, AtTheTerminal
from harness.testbed.load import load_testbed

WITHIN_S = 60.0
STILL_S = 1.0
"""For so long nothing is written while a tester is asked: a live picture would be drawn eight times."""
UP = "\x1b[1A"
"""What a live picture begins with that takes the place of another one."""
ASKS = """
import asyncio, pathlib
from harness.drivers.tester import Tester
from harness.evidence.progress import AtTheTerminal
from harness.testbed.places import TESTBED_VARIABLE
from harness.transport.context import Context

async def asks(terminal):
    tester = Tester(Context.create(seed=1), pathlib.Path(terminal), AtTheTerminal())
    typed = await tester.tells("switch", "which site is cut off")
    assert typed == "govan"
    await tester.close()

def test_that_asks():
    asyncio.run(asks("/dev/tty"))

def test_that_comes_next():
    pass
"""


class AtTerminal:
    """A process whose terminal this is."""

    def __init__(self, words: list[str], environment: dict[str, str]) -> None:
        child, self._master = pty.fork()
        if child == 0:
            os.execvpe(words[0], words, environment)
        self._child, self.shown = child, ""

    def until(self, text: str) -> None:
        deadline = time.monotonic() + WITHIN_S
        while text not in self.shown:
            assert time.monotonic() < deadline, self.shown[-3000:]
            self._read(0.1)

    def stays_for(self, seconds: float) -> str:
        """What is written meanwhile."""
        before, deadline = len(self.shown), time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._read(left)
        return self.shown[before:]

    def _read(self, within: float) -> None:
        if select.select([self._master], [], [], within)[0]:
            try:
                self.shown += os.read(self._master, 65_536).decode(errors="replace")
            except OSError:  # Linux says EIO once the other side is closed
                time.sleep(within)

    def type(self, line: str) -> None:
        os.write(self._master, f"{line}\n".encode())

    def ended(self) -> int:
        deadline = time.monotonic() + WITHIN_S
        while True:
            found, status = os.waitpid(self._child, os.WNOHANG)
            if found:
                os.close(self._master)
                return os.waitstatus_to_exitcode(status)
            assert time.monotonic() < deadline, self.shown[-3000:]
            self._read(0.1)


@pytest.mark.real_wire
def test_what_is_asked_at_the_terminal_of_a_run_stays_readable_and_the_answer_is_taken(tmp_path: Path) -> None:
    suite, out = tmp_path / "tiny", tmp_path / "out"
    suite.mkdir()
    for file, text in {
        suite / "conftest.py": CONFTEST,
        suite / "pytest.ini": "[pytest]\nasyncio_default_fixture_loop_scope = function\n",
        suite / "test_asks.py": ASKS,
        tmp_path / "testbed.yaml": TESTBED,
        tmp_path / "drive.py": DRIVER,
    }.items():
        file.write_text(text)
    words = [sys.executable, str(tmp_path / "drive.py"), str(tmp_path / "testbed.yaml"), str(suite), str(out), "1"]
    run = AtTerminal(words, {**os.environ, "TERM": "xterm", "COLUMNS": "120"})
    run.until("which site is cut off.  [type it; no REASON]")
    run.stays_for(0.2)  # the end of that line
    assert run.stays_for(STILL_S) == "", "something is written over what is asked"
    run.type("govan")
    assert run.ended() == 0, run.shown[-3000:]
    after = run.shown.partition("[type it; no REASON]")[2].partition("govan")[2]
    assert UP not in after.partition("Running the pytest suites")[0], "the picture takes what was asked away"
    assert json.loads((out / "summary.json").read_text())["tests"]["passed"] == 2


def test_a_picture_that_was_left_takes_nothing_away_that_was_written_meanwhile(tmp_path: Path) -> None:
    with (tmp_path / "shown").open("w+", encoding="utf-8") as file:
        view = View(Console(file=file, force_terminal=True, width=80, color_system=None))
        with view:
            view.take({"event": "started", "runner": "pytest", "test": "test_a.py::test_b"})
            time.sleep(0.3)  # the picture's own thread has drawn it
            view.take({"event": "asked", "text": "switch: cut it", "shown": False})
            asked = file.tell()
            time.sleep(0.5)
            assert file.tell() == asked, "a picture is drawn over what is asked"
            view.take({"event": "answered"})
            time.sleep(0.3)
        file.seek(0)
        shown = file.read()
    after = shown.partition("switch: cut it")[2]
    assert "test_a.py" in after and UP not in after.partition("test_a.py")[0]


def test_what_is_asked_at_another_terminal_is_told_beside(capsys: pytest.CaptureFixture[str]) -> None:
    with View(Console(force_terminal=False, width=200)) as view:
        view.take({"event": "asked", "text": "switch: cut it", "shown": True})
        view.take({"event": "told", "text": "seen on the wire", "shown": True})
    assert capsys.readouterr().out == "waiting for the tester: switch: cut it\n"


def test_a_terminal_of_its_own_is_written_on_by_the_driver_and_the_views_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    master, slave = os.openpty()
    other_master, other = os.openpty()
    try:
        monkeypatch.setenv("ICCS_PROGRESS", str(tmp_path / "progress"))
        monkeypatch.setenv(VIEW_VARIABLE, os.ttyname(slave))
        watching = AtTheTerminal()
        assert watching.told("x", Path(os.ttyname(slave)), waits=True) is True
        assert watching.told("x", Path(os.ttyname(other)), waits=True) is False
        monkeypatch.delenv("ICCS_PROGRESS")
        assert AtTheTerminal().told("x", Path(os.ttyname(slave)), waits=True) is False, "nobody would see it"
    finally:
        for each in (master, slave, other_master, other):
            os.close(each)


def test_the_terminal_of_a_process_is_known_by_its_own_name() -> None:
    words = [sys.executable, "-c", "from harness.cli.terminals import controlling_terminal as c; print('at', c())"]
    run = AtTerminal(words, {**os.environ})
    run.until("at ")
    run.until("\n")
    assert "at /dev/pts/" in run.shown
    assert run.ended() == 0
    alone = subprocess.run(words, capture_output=True, text=True, check=True, start_new_session=True)
    assert alone.stdout == "at None\n"
    assert controlling_terminal() is None or controlling_terminal().exists()  # type: ignore[union-attr]


async def test_beside_real_equipment_a_runner_may_take_as_long_as_testers_and_hours_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "testbed.yaml"
    file.write_text('name: real\ncomponents: {iccs: {role: iccs, binding: real, sip: "127.0.0.1:9"}}\n')
    told: list[str] = []

    async def nothing() -> None:
        """There is nothing to wait for."""

    async def run() -> int:
        lane = Lane(
            name="",
            testbed_file=file,
            testbed=load_testbed(file),
            run_dir=tmp_path,
            logs=tmp_path,
            environment=os.environ,
            origin=0.0,
            stage=told.append,
            say=lambda text, _style: told.append(text),
        )
        sleeps = Runner("pytest", [sys.executable, "-c", "import time; time.sleep(0.5)"])
        return await lane.run([sleeps], after=asyncio.create_task(nothing()))

    monkeypatch.setattr(lane_module, "SUITE_S", 0.1)
    assert await run() == 0
    monkeypatch.setattr(lane_module, "REAL_SUITE_S", 0.1)
    with pytest.raises(SimulatorsError, match=r"pytest was not done after 0.1 s"):
        await run()
