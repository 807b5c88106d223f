"""``iccs testbed check``: tells what a file drives, or what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli.main import app as iccs

SIMULATED = Path(__file__).resolve().parents[3] / "fixtures" / "testbeds" / "simulated.yaml"


def check(capsys: pytest.CaptureFixture[str], path: Path) -> tuple[int, str, str]:
    """Exit code, output and errors."""
    code = 0
    try:
        iccs(["testbed", "check", str(path)], prog_name="iccs")
    except SystemExit as ended:
        code = int(ended.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def test_a_simulated_testbed(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = check(capsys, SIMULATED)
    assert (code, err) == (0, "")
    assert "All simulated: the safety interlock allows everything, and no result counts as acceptance." in out
    assert all(name in out for name in ("trunk-999", "emergency_trunk", "govan-12", "gateway-1"))


def test_a_testbed_with_real_equipment_shows_what_is_allowed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = SIMULATED.read_text().replace("name: niccs-simulated", "name: '[red]bench[/red]'")
    text = text.replace(
        "  officer:\n    role: radio_terminal\n    binding: simulated",
        "  officer:\n    role: radio_terminal\n    binding: real\n    audio: 'sound:USB'",
    )
    text = text.replace(
        "issi: 4001234\n    talkgroup: GD-OPS-1\n    serial: {url: pty",
        "issi: 4001234\n    talkgroup: GD-OPS-1\n    serial: {url: /dev/ttyUSB0",
    )
    text += """
safety:
  dial: ["01314960*"]
  message: [4001234]
  permits:
    - {what: emergency_call, target: "999", valid_from: 2026-03-01, valid_until: 2026-03-02, approved_by: "Insp. [A]"}
"""
    path = tmp_path / "bench.yaml"
    path.write_text(text)
    code, out, err = check(capsys, path)
    assert (code, err) == (0, "")
    assert "[red]bench[/red] (SAT)" in out
    assert "Not simulated: officer. The safety interlock allows nothing but:" in out
    assert "dial     01314960*\n  key      nothing\n  call     nothing\n  message  4001234\n" in out
    assert "emergency_call to 999, 2026-03-01 to 2026-03-02, by Insp. [A]" in out


def test_a_bad_file_is_exit_2_with_file_line_and_key(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("name: x\ncomponents:\n  a:\n    role: toaster\n")
    code, out, err = check(capsys, path)
    assert (code, out) == (2, "")
    assert err.startswith(f"{path}:4: components.a.role: found 'toaster'; allowed: 'iccs', ")
    code, _, err = check(capsys, tmp_path / "nowhere.yaml")
    assert (code, err) == (2, f"{tmp_path / 'nowhere.yaml'}: can't be read: No such file or directory\n")
