"""The NICCS suites at a control room that has a history: played twice at one, real to the run, they tell the same.

Tests of each kind that once counted from zero, or left behind what was in the way of the next: the audit, call
records, recordings, patches, emergencies, the talkgroup plan, the operators of the 999 network, what only a simulator
lets be done.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from real_bench import real_file

from harness.cli.places import FIXTURES, PROJECT
from harness.testbed.child import simulators

pytestmark = pytest.mark.real_wire
LAYOUT = FIXTURES / "testbeds" / "simulated.yaml"
SUITE = PROJECT / "suites" / "niccs"
TESTS = (
    "test_abandoned_calls.py::test_a_999_caller_who_gives_up_is_kept_by_wait_band_and_offered_to_be_rung_back",
    "test_administration.py::test_what_is_out_of_a_roles_scope_is_denied_and_audited[patch]",
    "test_ambience.py::test_who_may_not_listen_is_refused_with_the_reason_and_logged[tetra]",
    "test_radio_emergencies.py::test_an_emergency_is_shown_with_who_and_group_at_every_console_of_the_talkgroup[tetra]",
    "test_talkgroup_patches.py::test_two_consoles_at_once_cannot_close_a_loop_together[tetra]",
    "test_command_control_link.py::test_every_answered_call_has_an_incident_or_a_reason_at_the_shifts_end[storm]",
    "test_caller_location.py::test_a_landlines_address_is_shown_in_time",
    "test_command_control_link.py::test_a_lost_link_is_alarmed_and_callers_and_advisers_still_hear_each_other[down-storm]",
    "test_fault_alarms.py::test_a_fault_is_alarmed_in_time_with_severity_and_impact_and_once[location_lost-_location]",
)
LEAVES = '''
"""A test that breaks off in the midst of what it does: nothing is put back by it."""


async def test_breaks_off(bench):
    dispatcher, officer = await bench.console("govan-31"), await bench.terminal("officer")
    await dispatcher.patch("GD-OPS-1", "GD-OPS-2")
    await dispatcher.open_incident("Broken off")
    network = await bench.emergency_network()
    await network.set_operators(automatic=0)
    await officer.raise_emergency()
    await dispatcher.expect("emergency.shown", within=2.0)
    raise RuntimeError("broken off")
'''
WITHIN_S = 240
"""Seconds that one run may take; on a quiet machine it takes a tenth of that."""


def test_a_run_at_a_control_room_with_a_history_tells_what_the_run_before_told(tmp_path: Path) -> None:
    leaves = tmp_path / "test_leaves.py"
    leaves.write_text(LEAVES, encoding="utf-8")
    tests = [str(leaves), *(str(SUITE / each) for each in TESTS)]
    told = []
    with simulators(LAYOUT, origin=time.monotonic()) as at:
        file = real_file(LAYOUT, at, tmp_path / "real.yaml")
        for run in ("first", "second"):
            command = [sys.executable, "-m", "pytest", *tests, "-q", "-n0", "-rs", "-p", "no:cacheprovider"]
            command += ["-p", "no:randomly", "--rootdir", str(PROJECT), "-c", str(PROJECT / "pyproject.toml")]
            command += ["--testbed", str(file), "--basetemp", str(tmp_path / run), "--import-mode=importlib"]
            ran = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=False, cwd=PROJECT)
            told.append(ran.stdout)
    for stdout in told:
        assert "RuntimeError: broken off" in stdout, stdout[-6000:]
        assert re.search("1 failed, 7 passed, 2 skipped", stdout), stdout[-6000:]
        assert "storm is not simulated, and only a simulator's terminal can be driven yet" in stdout
        assert "location is real: it is not made to fail from here. Name a 'tester' in the testbed file" in stdout
