"""NICCS tests at consoles in Chromium: the tests that pass through the control interface pass through the page, too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from witness import need

from harness.cli.places import SIMULATED_TESTBED

pytestmark = [pytest.mark.real_wire, pytest.mark.alone, pytest.mark.witness("Chromium")]
BY_WEB = ("govan-12", "govan-31", "govan-32")
SUITE = Path(__file__).parents[2] / "niccs"
TESTS = (
    "test_999_to_radio.py",
    "test_queue_priority.py::test_a_999_call_goes_before_a_101_call_that_came_first",
    "test_talkgroup_patches.py::test_two_consoles_at_once_cannot_close_a_loop_together",
)
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
    assert f"{len(TESTS)} passed" in ran.stdout
