"""The audit trail of an ICCS: every act at its control interface is in it, once; it outlives kills and full disks."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from control_room_in_virtual_time import LAYOUT, control_room

from harness.errors import LocalError
from harness.journal import Journal
from harness.protocols.audit_chain import Head, follow, verified
from simulators.iccs.audit import trail as trail_module
from simulators.iccs.audit.record import FIELD_KEPT, Audit
from simulators.iccs.audit.trail import ENTRIES_WAITING, FileTrail

TOKEN = "test-control-token"


def entries(path: Path) -> list[dict[str, Any]]:
    head, found = Head(), []
    for line in path.read_bytes().splitlines():
        entry, head = follow(head, line)
        found.append(entry)
    return found


def a_journal() -> Journal:
    return Journal(lambda: 7.25)


# What is entered


@pytest.mark.virtual_time
async def test_every_act_is_entered_once_with_its_refusal(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    async with control_room({**LAYOUT, "audit_trail": str(path)}) as room, room.http() as http:
        await http.post("/v1/positions/govan-01/login")
        await http.post("/v1/positions/govan-01/login")
        await http.post("/v1/positions/desk-2/login")
        await http.post("/v1/positions/desk-2/patches", json={"talkgroups": ["GD-OPS-1", "GD-OPS-2"]})
        await http.post("/v1/positions/govan-01/dial", json={"number": "+447700900123 or so"})
        await http.get("/v1/positions/govan-01")
        shown = (await http.get("/v1/audit", params={"last": 5})).json()
    found = entries(path)
    told = [(each["position"], each["act"], each["outcome"]) for each in found]
    assert told == [
        ("govan-01", "login", "done"),
        ("govan-01", "login", "refused"),
        ("desk-2", "login", "done"),
        ("desk-2", "patch", "refused"),
        ("govan-01", "dial", "refused"),
    ]
    assert found[1]["reason"] == "somebody is logged in at govan-01"
    assert found[3]["reason"] == "desk-2 has no right to patch"
    assert found[4]["reason"] == "HTTP 422"
    assert "900123" not in path.read_text(encoding="utf-8")
    assert [(each["act"], each["outcome"]) for each in shown] == [(act, outcome) for _, act, outcome in told]
    assert found[0]["time"].startswith("2026-01-01T00:00:")


@pytest.mark.virtual_time
async def test_no_route_that_acts_escapes_it() -> None:
    async with control_room() as room, room.http() as http:
        document = (await http.get("/openapi.json")).json()
        acts = [
            (path, verb) for path, verbs in document["paths"].items() for verb in verbs if verb not in ("get", "head")
        ]
        assert len(acts) > 40
        await http.post("/v1/positions/desk-1/login")
        for path, verb in acts:
            filled = path.replace("{id_}", "desk-1")
            while "{" in filled:
                filled = filled[: filled.index("{")] + "1" + filled[filled.index("}") + 1 :]
            before = len(list(room.iccs.audit))
            answer = await http.request(verb, filled, json={})
            after = len(list(room.iccs.audit))
            assert after - before == (0 if answer.status_code == 404 else 1), (verb, path, answer.status_code)


@pytest.mark.virtual_time
async def test_strangers_do_not_grow_it() -> None:
    async with control_room({**LAYOUT, "control_token": TOKEN}) as room, room.http() as http:
        for _ in range(3):
            assert (await http.post("/v1/positions/govan-01/login")).status_code == 401
            assert (await http.post("/v1/nothing")).status_code in {401, 404}
        assert list(room.iccs.audit) == []


@pytest.mark.virtual_time
async def test_a_very_long_field_is_shortened() -> None:
    audit = Audit(a_journal(), 0.0)
    audit.enter("desk-1", "act", "x" * 100_000, "done")
    assert len(next(iter(audit)).target) == FIELD_KEPT


# The file


def test_it_goes_on_where_it_ended_and_tells_heads_in_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    heads = []
    for number in range(3):
        journal = a_journal()
        trail = FileTrail(path, journal)
        trail.write({"act": f"act-{number}"})
        trail.close()
        opened, closed = list(journal)
        assert (opened.kind, opened.data["number"]) == ("audit.opened", number)
        assert (closed.kind, closed.data["number"], closed.data["lost"]) == ("audit.closed", number + 1, 0)
        heads.append(Head(closed.data["number"], closed.data["head"]))
    with path.open("rb") as file:
        assert verified(file, noted=heads) == heads[-1]
    assert path.stat().st_mode & 0o077 == 0


def test_a_line_cut_off_is_left_out_and_told(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    trail = FileTrail(path, a_journal())
    trail.write({"act": "one"})
    trail.write({"act": "two"})
    trail.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    FileTrail(path, a_journal()).close()
    assert [each["act"] for each in entries(path)] == ["one", "audit_resumed"]
    path.write_bytes(whole[:10])
    FileTrail(path, a_journal()).close()
    assert entries(path)[0]["reason"] == "left out: 10 bytes of a line cut off"


@pytest.mark.parametrize("spoil", [lambda text: text.replace(b"two", b"TWO"), lambda _text: b"x" * 100_000 + b"\n"])
def test_a_trail_that_does_not_hold_is_not_written_on(tmp_path: Path, spoil: Any) -> None:
    path = tmp_path / "audit.jsonl"
    trail = FileTrail(path, a_journal())
    for act in ("one", "two", "three"):
        trail.write({"act": act})
    trail.close()
    spoiled = spoil(path.read_bytes())
    path.write_bytes(spoiled)
    with pytest.raises(LocalError, match=r"audit\.jsonl does not hold together: line \d: "):
        FileTrail(path, a_journal())
    assert path.read_bytes() == spoiled


def test_two_do_not_write_one_trail(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    first = FileTrail(path, a_journal())
    with pytest.raises(LocalError, match="written by another"):
        FileTrail(path, a_journal())
    first.close()
    FileTrail(path, a_journal()).close()
    with pytest.raises(LocalError, match="can't be opened: No such file"):
        FileTrail(tmp_path / "nowhere" / "audit.jsonl", a_journal())


def test_a_killed_writer_loses_no_act_that_was_answered(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    writer = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from harness.journal import Journal\n"
        "from simulators.iccs.audit.trail import FileTrail\n"
        "trail = FileTrail(Path(sys.argv[1]), Journal(lambda: 0.0))\n"
        "for number in range(100): trail.write({'act': str(number)})\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", writer, str(path)], check=False).returncode == -9
    assert len(entries(path)) == 100


class FullDisk:
    """os.write as a disk does that has so many bytes left."""

    def __init__(self, left: int) -> None:
        self.left = left

    def __call__(self, file: int, data: bytes) -> int:
        if self.left <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        count = min(self.left, len(data))
        self.left -= count
        return os.pwrite(file, data[:count], os.fstat(file).st_size)


def test_a_full_disk_loses_nothing_and_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "audit.jsonl"
    journal = a_journal()
    trail = FileTrail(path, journal)
    disk = FullDisk(300)
    monkeypatch.setattr(trail_module, "os_write", disk)
    for number in range(5):
        trail.write({"act": str(number)})
    assert trail.takes
    assert [each["act"] for each in entries(path)] == ["0"]
    assert next(event.data["reason"] for event in journal if event.kind == "audit.not_written")
    disk.left = 10**6
    trail.write({"act": "5"})
    trail.close()
    assert [each["act"] for each in entries(path)] == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.virtual_time
async def test_what_cant_be_audited_is_not_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "audit.jsonl"
    async with control_room({**LAYOUT, "audit_trail": str(path)}) as room, room.http() as http:
        disk = FullDisk(0)
        monkeypatch.setattr(trail_module, "os_write", disk)
        for number in range(ENTRIES_WAITING):
            room.iccs.audit.enter("desk-1", "act", str(number), "done")
        answer = await http.post("/v1/positions/govan-01/login")
        assert (answer.status_code, answer.json()["detail"][:30]) == (503, "nothing is done that can't be ")
        assert (await http.get("/v1/positions")).status_code == 200
        disk.left = 10**9
        assert (await http.post("/v1/positions/govan-01/login")).status_code == 200
    assert [each["act"] for each in entries(path)][-1] == "login"
    assert len(entries(path)) == ENTRIES_WAITING + 1
