"""How talkgroups are reached in a testbed file: what a way may name, and what is told of one that leads nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import TestbedError
from harness.testbed.load import load_testbed

FILE = """name: t
talkgroups: {{A: 1001, B: 1002}}
components:
  radio: {{role: radio_network}}
  gateway: {{role: radio_gateway, issi: 4009001, talkgroup: A}}
  roip: {{role: roip_gateway, simulator: {{radios: [{{name: b1, talkgroup: B, issi: 5}},
         {{name: b2, talkgroup: B, issi: 6}}, {{name: a1, talkgroup: A, issi: 7}}]}}}}
  esn: {{role: mcptt_server, simulator: {{users: [{{name: control}}, {{name: other}}],
        groups: [{{name: X}}, {{name: Y, members: [other]}}]}}}}
  iccs:
    role: iccs
    simulator:
      positions: [{{id: desk-1, talkgroups: [{1}]}}]
      radio:
        ways:
          {0}
"""
KEYS = "by, of, radio, standby, standby_of, local, period_ms, multiplier, layout"


def load(tmp_path: Path, way: str, monitors: str = "A") -> None:
    """Read a testbed file with these ways."""
    file = tmp_path / "test.yaml"
    file.write_text(FILE.format(way, monitors), encoding="utf-8")
    load_testbed(file)


@pytest.mark.parametrize(
    ("way", "told"),
    [
        (
            "X: {by: mcptt, of: roip, user: control}",
            "found 'roip'; allowed: a component with role 'mcptt_server' (esn)",
        ),
        ("Z: {by: mcptt, of: esn, user: control}", "ways.Z: found 'Z'; allowed: a group of esn (X, Y), or 'group'"),
        ("Z: {by: mcptt, of: esn, user: control, group: V}", "ways.Z.group: found 'V'; allowed: a group of esn (X, Y)"),
        ("Y: {by: mcptt, of: esn, user: control}", "ways.Y.user: found 'control'; allowed: a member of Y (other)"),
        (
            "A: {by: mcptt, of: esn, user: control, group: X}",
            "allowed: a talkgroup of its own; gateway gateway has this",
        ),
        ("X: {by: mcptt, of: esn}", "ways.X.user: found nothing; allowed: this key, which is needed"),
        ("B: {by: tetra, of: esn}", "test.yaml:16: components.iccs.simulator.radio.ways.B.by: found 'tetra'; allowed:"),
        ("B: {of: esn}", "test.yaml:16: components.iccs.simulator.radio.ways.B.by: found nothing; allowed:"),
        ("B: {by: roip, of: roip, radio: b1, codec: x}", f"found the unknown key 'codec'; allowed: {KEYS}"),
        ("B: {by: roip, of: esn, radio: b1}", "ways.B.of: found 'esn'; allowed: a component with role 'roip_gateway'"),
        ("B: {by: roip, of: roip, radio: b9}", "ways.B.radio: found 'b9'; allowed: a radio of roip (b1, b2, a1)"),
        (
            "B: {by: roip, of: roip, radio: a1}",
            "ways.B.radio: found 'a1'; allowed: a radio of roip on B (b1, b2); a1 is on A",
        ),
        ("B: {by: roip, of: roip, radio: b1, standby: b9}", "ways.B.standby: found 'b9'; allowed: a radio of roip"),
        ("B: {by: roip, of: roip, radio: b1, standby: b1}", "'b1' can't stand by for itself"),
        ("B: {by: roip, of: roip, radio: b1, standby_of: roip}", "'standby_of' needs 'standby'"),
        ("C: {by: roip, of: roip, radio: b1}", "ways.C: found 'C'; allowed: A, B"),
    ],
)
def test_a_way_that_leads_nowhere_is_told_with_its_line_and_what_was_meant(tmp_path: Path, way: str, told: str) -> None:
    with pytest.raises(TestbedError) as error:
        load(tmp_path, way)
    assert told in str(error.value)
    assert "test.yaml:" in str(error.value)


def test_a_talkgroup_worked_by_mcptt_needs_no_gssi_and_a_user_may_work_several(tmp_path: Path) -> None:
    load(tmp_path, "{X: {by: mcptt, of: esn, user: control}, N: {by: mcptt, of: esn, user: control, group: X}}", "X, N")


def test_a_position_monitors_no_talkgroup_that_nothing_reaches(tmp_path: Path) -> None:
    with pytest.raises(TestbedError, match=r"positions\.0\.talkgroups: found 'N'; allowed: A, B, X"):
        load(tmp_path, "X: {by: mcptt, of: esn, user: control}", "N")


def test_a_talkgroup_may_have_a_radio_and_one_that_stands_by(tmp_path: Path) -> None:
    load(tmp_path, "B: {by: roip, of: roip, radio: b1, standby: b2}", "B")
