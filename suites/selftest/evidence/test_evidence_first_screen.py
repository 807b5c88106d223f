"""A test that fails says in Allure's first screen what was due, what came instead, and where on the wire that was."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from harness.cli.report import make_report
from harness.evidence.capture_packets import read_capture
from harness.evidence.requirements import catalogue
from harness.evidence.results import read_results, summarise
from suites.selftest.witness import need

PROJECT = Path(__file__).resolve().parents[3]
PYTEST_SUITE = """
async def test_waits_in_vain(bench):
    desk, officer, network = await bench.console("govan-12"), await bench.terminal("officer"), await bench.trunk()
    await officer.select("GD-OPS-1")
    await network.dial("999", cli="+447700900123")
    await desk.expect("call.ringing", within=2.0)
    await desk.expect("call.connected", within=1.0)
"""
ROBOT_SUITE = """
*** Settings ***
Library    harness.keywords.ICCS    time=virtual

*** Test Cases ***
Waits In Vain
    Operator Sits At    govan-12
    Officer Switches On    officer
    Caller Dials    999    cli=+447700900123
    Console Shows    govan-12    call.ringing    within=2 s
    Console Shows    govan-12    call.connected    within=1 s
"""


def run(folder, *command):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "ICCS_"))}
    environment["PYTHONPATH"] = str(PROJECT)
    ran = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    return ran.stdout


def by_pytest(folder):
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    (folder / "conftest.py").write_text('pytest_plugins = ("harness.pytest_plugin", "fixtures.bench")\n')
    (folder / "test_tiny.py").write_text(PYTEST_SUITE)
    return run(
        folder, "pytest", "-p", "no:cacheprovider", "--time", "virtual", "--alluredir", "results", "test_tiny.py"
    )


def by_robot(folder):
    (folder / "tiny.robot").write_text(ROBOT_SUITE)
    listeners = ["--listener", "allure_robotframework:results"]
    listeners += ["--listener", "harness.keywords.listener.RequirementListener"]
    return run(folder, "robot", "--output", "NONE", "--log", "NONE", "--report", "NONE", *listeners, "tiny.robot")


@pytest.mark.parametrize("runner", [by_pytest, by_robot])
def test_a_failures_message_has_what_was_due_what_came_and_the_packet_of_the_capture(tmp_path, runner):
    shown = runner(tmp_path)
    (file,) = (tmp_path / "results").glob("*-result.json")
    data = json.loads(file.read_text())
    message = data["statusDetails"]["message"]
    assert "expected call.connected on govan-12 within 1 s" in message
    assert "Nearest first, this did:" in message
    told, _, places = message.partition("On the wire, before it failed:\n")
    assert told
    (capture,) = [each["source"] for each in _attachments(data, tmp_path) if each["name"].startswith("capture")]
    packets = read_capture((tmp_path / "results" / capture).read_bytes())
    numbers = re.findall(r"packet (\d+) of the capture: .*?: (\w+)", places)
    assert numbers, message
    for number, first in numbers:
        assert first.encode() in packets[int(number) - 1].payload
    assert "equipment's end" not in places, "only of lines whose transcript is attached"
    assert "of serial officer: " in places, "the terminal's line crossed something, too"
    assert "On the wire, before it failed:" in shown, "the terminal tells it as the report does"


@pytest.mark.real_wire
def test_the_report_shows_it_without_scrolling_and_a_dashboard_of_our_own(tmp_path):
    program = need("chromium", package="chromium")
    by_pytest(tmp_path)
    tests, _ = read_results(tmp_path / "results")
    page = make_report(tmp_path / "results", tmp_path, summarise(tests, catalogue()), join_history=False).page
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        screen = browser.new_page(viewport={"width": 1366, "height": 768})
        screen.goto(page.as_uri())
        screen.get_by_text("Waits in vain").first.click()
        told = screen.get_by_text("On the wire, before it failed:").first
        expect(told).to_contain_text("expected call.connected on govan-12 within 1 s")
        expect(told).to_be_in_viewport()
        screen.goto(f"{page.as_uri()}#charts")
        screen.reload()
        for title in ("This run", "Trend over runs", "How long tests took"):
            expect(screen.get_by_text(title)).to_be_visible()
        browser.close()


def _attachments(data, folder):
    """All of a result, its steps and its containers."""
    containers = [json.loads(file.read_text()) for file in (folder / "results").glob("*-container.json")]
    waiting = [data, *containers]
    while waiting:
        one = waiting.pop()
        yield from one.get("attachments", [])
        for key in ("steps", "befores", "afters"):
            waiting += one.get(key, [])
