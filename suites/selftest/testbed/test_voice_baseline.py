"""What reference speech is held to: a network's own past, a stand-in's on simulators, nothing before it is measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.drivers.talking_radio import Technology
from harness.errors import TestbedError
from harness.measure import voice
from harness.testbed.clips import read_clip
from harness.testbed.load import load_testbed
from harness.testbed.model import Testbed
from harness.testbed.voice_baseline import baseline, due

SIMULATED = "officer: {role: radio_terminal, issi: 4001234, talkgroup: A}"
REAL = SIMULATED.replace("}", ", binding: real, serial: {url: /dev/ttyUSB0}, audio: 'sound:USB'}")
MEASURED = "voice_baselines:\n  tetra: {score: 0.71, by: STOI, measured: 2026-11-20}\n"


def one_terminal(folder: Path, officer: str, more: str = "") -> Testbed:
    """A testbed of one terminal."""
    file = folder / "testbed.yaml"
    file.write_text(
        f"name: one\ntalkgroups: {{A: 1001}}\n{more}components:\n  radio: {{role: radio_network}}\n  {officer}\n"
    )
    return load_testbed(file)


def least(of: Testbed, by: str = "STOI") -> float | None:
    return due(of, Technology.TETRA, by, read_clip("dispatch"), voice.intelligibility)


def test_a_simulated_network_is_held_to_the_stand_ins_score(tmp_path: Path) -> None:
    clip = read_clip("dispatch")
    assert least(one_terminal(tmp_path, SIMULATED)) == voice.intelligibility(clip, baseline(clip))


def test_a_real_network_that_was_not_measured_is_held_to_nothing(tmp_path: Path) -> None:
    assert least(one_terminal(tmp_path, REAL)) is None


@pytest.mark.parametrize("officer", [SIMULATED, REAL])
def test_what_was_measured_is_what_is_due(tmp_path: Path, officer: str) -> None:
    assert least(one_terminal(tmp_path, officer, MEASURED)) == 0.71


def test_a_baseline_by_another_measure_is_no_baseline(tmp_path: Path) -> None:
    with pytest.raises(TestbedError, match="is STOI, and MOS is measured now"):
        least(one_terminal(tmp_path, REAL, MEASURED), by="MOS")


def test_a_technology_that_has_a_figure_has_no_baseline(tmp_path: Path) -> None:
    with pytest.raises(TestbedError, match=r"voice_baselines\.mcptt"):
        one_terminal(tmp_path, SIMULATED, MEASURED.replace("tetra", "mcptt"))
