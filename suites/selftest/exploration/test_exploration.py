"""Drawn sequences of acts at consoles and radios pass; a fault that only a sequence shows is found and written down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from machine import SCENARIO, ControlRoom, Telephones, command, explore, play
from typer.testing import CliRunner

from harness.cli.main import app
from harness.scenario.load import load_scenario
from simulators.iccs.positions import Position, Positions


def test_every_sequence_that_is_drawn_passes(tmp_path: Path) -> None:
    """Calls, talkgroups, patches and emergencies in any order: all is shown as it has to be, and nothing stays."""
    explore(tmp_path, ControlRoom, sequences=8, acts=12)
    assert not (tmp_path / SCENARIO).exists()


def test_a_call_that_rings_on_at_a_busy_console_after_its_caller_gave_up_is_found_and_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault needs an adviser who is busy and somebody who calls and gives up: no single act shows it."""
    whole = Positions.tell

    def tells_who_is_free(self: Positions, position: Position, kind: str, **data: Any) -> None:
        if kind != "call.abandoned" or position.free:
            whole(self, position, kind, **data)

    with monkeypatch.context() as fault:
        fault.setattr(Positions, "tell", tells_who_is_free)
        with pytest.raises(AssertionError, match="Play it again: iccs replay"):
            explore(tmp_path, Telephones, sequences=40, acts=4)
        failed = play(tmp_path)
        steps = load_scenario(tmp_path / SCENARIO).timeline[: failed.steps[-1].number]
        acts = [verb for step in steps for each in step.acts.values() for verb in each]
        assert failed.outcome == "failed"
        assert "call.abandoned" in failed.steps[-1].told
        assert acts[-1] == "hang_up"
        assert len(acts) <= 8, f"it is not shortened: {acts}"
        assert _replayed(tmp_path) == 1
    assert _replayed(tmp_path) == 0


def _replayed(folder: Path) -> int:
    """The exit code of the command that the failure names."""
    return CliRunner().invoke(app, command(folder).split()[1:]).exit_code
