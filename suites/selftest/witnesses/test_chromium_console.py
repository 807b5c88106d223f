"""NICCS tests at consoles in Chromium: the tests that pass through the control interface pass through the page, too."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from witness import need

from harness.cli.places import SIMULATED_TESTBED
from harness.drivers.web_console.driver import WebConsole
from harness.pytest_plugin import requirement
from harness.testbed.bench import open_bench
from harness.testbed.clips import read_clip
from harness.testbed.run import Run, started_run

pytestmark = [pytest.mark.real_wire, pytest.mark.alone, pytest.mark.witness("Chromium")]
BY_WEB = ("govan-12", "govan-31", "govan-32")
SUITE = Path(__file__).parents[2] / "niccs"
TESTS = (
    "test_999_to_radio.py",
    "test_queue_priority.py::test_a_999_call_goes_before_a_101_call_that_came_first",
    "test_talkgroup_patches.py::test_two_consoles_at_once_cannot_close_a_loop_together",
    "test_accessibility.py",
)
PLAYED = """() => new Promise((played) => {
  const heard = document.getElementById("heard");
  const look = () => { if (heard.currentTime > 0.1) played(); };
  heard.addEventListener("timeupdate", look);
  look();
})"""
"""Waits in the page until a tenth of a second was played."""
WITHIN_S = 120
"""For so long the run may take on a machine that has other work."""


def by_web(folder: Path) -> Path:
    """The simulated testbed, with consoles in a browser."""
    text = SIMULATED_TESTBED.read_text(encoding="utf-8")
    for name in BY_WEB:
        told = f"  {name}: {{role: console, binding: simulated, "
        assert told in text, f"the simulated testbed has no {name} as this test knows it"
        text = text.replace(told, f"{told}driver: web, ")
    file = folder / "web.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_dispatcher_talks_by_the_keyboard_alone(tmp_path: Path) -> None:
    """The key of a talkgroup is held and let go with Enter as with the mouse."""
    need("chromium", package="chromium")

    async def talk(run: Run) -> None:
        async with open_bench(
            run.testbed, today=date(2026, 1, 1), addresses=run.addresses, virtual=False, origin=run.origin
        ) as bench:
            console = await bench.console("govan-31")
            assert isinstance(console, WebConsole)
            await console._page.focus('#talkgroups li[data-talkgroup="GD-OPS-1"] button.ptt')
            await console._page.keyboard.down("Enter")
            await console.expect("ptt.granted", within=5.0, talkgroup="GD-OPS-1")
            await console._page.keyboard.up("Enter")
            await console.expect("ptt.released", within=5.0, talkgroup="GD-OPS-1")

    with started_run(by_web(tmp_path), directory=tmp_path / "run", keep="failures", start=True) as run:
        asyncio.run(talk(run))


@requirement("NICCS-REC-002")
def test_a_call_taker_replays_what_the_caller_said_on_the_page(tmp_path: Path) -> None:
    """Instant replay lists the call while it goes on, and the browser plays it, within the figure."""
    need("chromium", package="chromium")

    async def replay(run: Run) -> None:
        async with open_bench(
            run.testbed, today=date(2026, 1, 1), addresses=run.addresses, virtual=False, origin=run.origin
        ) as bench:
            console, trunk = await bench.console("govan-12"), await bench.trunk()
            assert isinstance(console, WebConsole)
            page = console._page
            await page.click("#replay")
            call = await trunk.dial("999", cli="+447700900123")
            await console.expect("call.ringing", within=5.0)
            await console.answer()
            await call.answered(within=5.0)
            await call.say(read_clip("caller-999"))
            await call.said()
            asked = bench.journal.now()
            await page.click("#replay")
            await page.click("#replays li[data-kind=telephone_in] button")
            async with asyncio.timeout(20):
                await page.evaluate(PLAYED)
            took = bench.journal.now() - asked
            bench.measured("instant replay", took, "s", requirement="NICCS-REC-002", figure="replay_s")
            seconds = await page.evaluate("() => document.getElementById('heard').duration")
            assert seconds >= len(read_clip("caller-999")) / 8_000 - 0.1
            assert await page.text_content("#refused") == ""

    with started_run(by_web(tmp_path), directory=tmp_path / "run", keep="failures", start=True) as run:
        asyncio.run(replay(run))


def test_niccs_tests_pass_at_consoles_in_a_browser(tmp_path: Path) -> None:
    """A whole 999 call with speech both ways and the radio; a queue's order; patches, and why one is refused."""
    need("chromium", package="chromium")
    tests = [str(SUITE / each) for each in TESTS]
    command = [sys.executable, "-m", "pytest", *tests, "-q", "-n0", "--time", "real", "-p", "no:cacheprovider"]
    ran = subprocess.run(
        [*command, "--testbed", str(by_web(tmp_path)), "--basetemp", str(tmp_path / "run")],
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-1000:]
    ended = re.search(r"(\d+) passed in ", ran.stdout)
    assert ended is not None, "some were skipped"
    assert int(ended[1]) >= len(TESTS)
