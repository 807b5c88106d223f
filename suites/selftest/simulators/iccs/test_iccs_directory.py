"""The directory's file: read again when it is edited, bad rows told with their lines, kept when it goes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from control_room_in_virtual_time import control_room

pytestmark = pytest.mark.virtual_time

HEAD = "id,name,number\n"
EVERY_S = 5.0


async def test_an_edit_of_the_file_is_at_the_console_and_a_bad_row_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "directory.csv"
    file.write_text(HEAD + "vet-1,Duty vet,01414960201\n")
    async with control_room({"directory": {"every_s": EVERY_S, "file": str(file)}}) as room:
        console, supervisor = await room.console("desk-1"), room.supervisor()
        await supervisor.directory_read(within=EVERY_S)
        assert [entry["id"] for entry in await console.directory()] == ["vet-1"]
        after = room.journal.position
        file.write_text(HEAD + "vet-1,Duty vet,01414960209\nbad\nvet-2,Second vet,01414960202\n")
        told = await console.expect("directory.changed", within=2 * EVERY_S, after=after)
        assert (told.data["added"], told.data["changed"]) == (["vet-2"], ["vet-1"])
        [problem] = (await supervisor.directory())["problems"]
        assert (problem["line"], problem["why"]) == (3, "1 fields, 3 are due")
        assert await console.directory("second") == [
            {"id": "vet-2", "name": "Second vet", "number": "01414960202", "organisation": "", "note": ""}
        ]


@pytest.mark.parametrize("wrong", [None, b"id;name;number\n", b"\xff\xfe"])
async def test_a_file_that_goes_or_breaks_leaves_the_entries_and_is_told_once(
    tmp_path: Path, wrong: bytes | None
) -> None:
    file = tmp_path / "directory.csv"
    file.write_text(HEAD + "vet-1,Duty vet,01414960201\n")
    async with control_room({"directory": {"every_s": EVERY_S, "file": str(file)}}) as room:
        console, supervisor = await room.console("desk-1"), room.supervisor()
        await supervisor.directory_read(within=EVERY_S)
        if wrong is None:
            file.unlink()
        else:
            file.write_bytes(wrong)
        await console.expect("directory.stale", within=2 * EVERY_S, source="file")
        await asyncio.sleep(3 * EVERY_S)
        assert len(room.told("desk-1", "directory.stale")) == 1
        assert [entry["id"] for entry in await console.directory()] == ["vet-1"]
        late = await room.console("desk-2")
        await late.expect("directory.stale", within=1.0, source="file")
        file.write_text(HEAD)
        await console.expect("directory.fresh", within=2 * EVERY_S, source="file")
        assert await console.directory() == []
        assert (await supervisor.directory())["age_s"] <= EVERY_S
