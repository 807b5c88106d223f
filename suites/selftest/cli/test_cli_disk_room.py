"""Room on the disk: a run does not begin without it, files stay whole, a command tells a full disk."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import pytest

from harness.cli import disk_room, main, report
from harness.cli.disk_room import DiskFullError, check_room, with_room
from harness.evidence.requirements import catalogue
from harness.evidence.results import summarise

FULL = OSError(errno.ENOSPC, "No space left on device")


def test_a_run_does_not_begin_on_a_disk_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_room(tmp_path / "not" / "there yet")
    monkeypatch.setattr(disk_room, "_free", lambda _folder: disk_room.TO_BEGIN - 1)
    with pytest.raises(DiskFullError, match=r"out: 255 MiB are free on its disk .* with --out"):
        check_room(tmp_path / "out")


async def test_only_a_full_disk_ends_what_is_given_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TimeoutError, match="its own"):
        async with with_room(tmp_path):
            raise TimeoutError("its own")
    monkeypatch.setattr(disk_room, "_free", lambda _folder: disk_room.TO_END - 1)
    with pytest.raises(DiskFullError, match="the run ends here"):
        async with with_room(tmp_path):
            await asyncio.Event().wait()


def test_a_summary_that_finds_no_room_leaves_the_one_before_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = summarise([], catalogue(), [])
    path = report.write_summary(tmp_path, nothing, {"exit": 0})
    before = path.read_bytes()

    def no_room(_path: int) -> None:
        raise FULL

    monkeypatch.setattr("os.fsync", no_room)
    with pytest.raises(report.ReportError, match="the summary can't be written: No space left on device"):
        report.write_summary(tmp_path, nothing, {"exit": 1})
    assert path.read_bytes() == before
    assert list(tmp_path.glob(".*")) == []


def test_a_command_whose_disk_fills_up_says_so_and_exits_3(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_more: str) -> None:
        raise FULL

    monkeypatch.setattr(main, "app", full)
    with pytest.raises(SystemExit) as ended:
        main.run()
    assert ended.value.code == 3
    assert capsys.readouterr().err == "iccs: No space left on device; make room and run it again\n"
