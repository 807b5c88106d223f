"""The outbox: what is put in stays until it is settled, in order, whatever happens to the process."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.endpoints.command_control import Entry, Outbox
from harness.endpoints.command_control.outbox import MAX_ENTRY
from harness.errors import CommandControlError


def entry(number: int) -> Entry:
    return Entry("incident.noted", "INC-1", {"line": number})


def test_what_was_put_in_is_there_when_the_file_is_opened_again_under_the_same_keys(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "file", origin="iccs-1")
    assert outbox.put(entry(1), entry(2)) == [1, 2]
    outbox.settle(outbox.first(1))
    outbox.close()
    again = Outbox(tmp_path / "file", origin="iccs-2")
    assert [kept.key for kept in again.first(10)] == ["iccs-1:2"]
    assert len(again) == 1
    assert again.put(entry(3)) == [3]


def test_a_number_is_never_given_twice_though_all_has_left(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "file")
    outbox.put(entry(1))
    outbox.settle(outbox.first(1))
    outbox.close()
    assert Outbox(tmp_path / "file").put(entry(2)) == [2]


def test_entries_of_a_batch_are_bounded_in_size_and_one_comes_however_long(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "file")
    outbox.put(*(Entry("k", "a", {"line": "x" * 1000}) for _ in range(5)))
    assert len(outbox.first(10, size=2_500)) == 2
    assert len(outbox.first(10, size=10)) == 1


def test_a_full_outbox_and_an_endless_entry_are_refused_and_nothing_of_them_is_kept(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "file", max_waiting=2)
    outbox.put(entry(1))
    with pytest.raises(CommandControlError, match=r"1 entries wait .* of 2"):
        outbox.put(entry(2), entry(3))
    with pytest.raises(CommandControlError, match=str(MAX_ENTRY)):
        outbox.put(Entry("k", "a", {"line": "x" * MAX_ENTRY}))
    assert [kept.number for kept in outbox.first(10)] == [1]


def test_a_disk_that_takes_no_more_is_told_and_what_there_was_stays(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "file")
    outbox.put(entry(1))
    file = outbox._file
    [(pages,)] = file.execute("PRAGMA page_count")
    file.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(CommandControlError, match="full"):
        for number in range(200):
            outbox.put(Entry("k", "a", {"line": f"{number}" * 1000}))
    assert outbox.first(1)[0].number == 1
    assert len(outbox) == file.execute("SELECT COUNT(*) FROM waiting").fetchone()[0]


def test_a_file_that_is_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"no database at all, though long enough to look like one" * 100)
    with pytest.raises(CommandControlError, match="no file of entries"):
        Outbox(tmp_path / "file")


@given(st.lists(st.sampled_from(["put", "settle", "refuse"]), max_size=30))
def test_whatever_is_done_in_whatever_order_each_entry_leaves_once_and_in_order(acts: list[str]) -> None:
    outbox = Outbox(":memory:")
    put = left = 0
    gone: list[int] = []
    for act in acts:
        if act == "put":
            put += 1
            outbox.put(entry(put))
        elif act in ("settle", "refuse") and outbox:
            first = outbox.first(2)
            gone += [kept.number for kept in first]
            left += len(first)
            outbox.settle(first if act == "settle" else [], [] if act == "settle" else [(kept, "no") for kept in first])
        assert len(outbox) == put - left
    assert gone == list(range(1, left + 1))
    outbox.close()
