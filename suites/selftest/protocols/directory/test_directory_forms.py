"""A directory's file and feed: good rows are taken and bad ones told with their lines, a feed whole or not at all."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import DirectoryError
from harness.protocols import directory
from harness.protocols.directory import COLUMNS, Entry, by_id, compare, read_feed, read_file

VET = Entry("vet-1", "Duty vet", "01414960201", "Testbed Council", "nights")
LINE = st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" "), max_size=40)
ENTRIES = st.lists(
    st.builds(
        Entry,
        st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True),
        LINE.map(str.strip).filter(bool),
        st.from_regex(r"\+?[0-9*#]{1,20}", fullmatch=True),
        LINE.map(str.strip),
        LINE.map(str.strip),
    ),
    unique_by=lambda entry: entry.id,
    max_size=20,
)


def written(entries: list[Entry]) -> str:
    out = io.StringIO(newline="")
    rows = csv.DictWriter(out, COLUMNS)
    rows.writeheader()
    rows.writerows(entry.written() for entry in entries)
    return out.getvalue()


@given(ENTRIES)
def test_what_is_written_is_read_again(entries: list[Entry]) -> None:
    assert read_file(written(entries)) == (entries, [])
    assert read_feed({"version": "1", "entries": [entry.written() for entry in entries]}) == ("1", entries)


@given(st.text(max_size=300), st.sampled_from(["", "id,name,number\n", '\ufeffid,name,number,note\r\n"']))
def test_text_of_any_kind_is_read_or_named(text: str, head: str) -> None:
    try:
        entries, problems = read_file(head + text)
    except DirectoryError:
        return
    assert all(problem.line >= 1 and problem.why for problem in problems)
    assert len(by_id(entries)) == len(entries)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_a_feed_of_any_kind_is_read_or_named(tree: object) -> None:
    for given_ in (tree, {"version": "1", "entries": tree}, {"version": "1", "entries": [tree]}):
        try:
            read_feed(given_)
        except DirectoryError:
            continue


def test_bad_rows_are_told_with_their_lines_and_the_good_ones_are_taken() -> None:
    text = (
        "id,name,number,note\n"
        "vet-1,Duty vet, 0141 496 0201,\n"
        "vet-2,,01414960202,\n"
        "vet-3,Vet three,call me,\n"
        '"vet-4","two\nlines",01414960204,\n'
        "vet-5,too few\n"
        "\n"
        "vet-1,again,01414960205,\n"
        'vet-6,"broken"quote,01414960206,\n'
        "vet-7,Vet seven,01414960207,last\n"
    )
    entries, problems = read_file(text)
    assert [(entry.id, entry.number) for entry in entries] == [("vet-1", "01414960201"), ("vet-7", "01414960207")]
    assert [problem.line for problem in problems] == [3, 4, 6, 7, 9, 10]
    told = " / ".join(problem.why for problem in problems)
    for why in ("the name is empty", "'callme' can't be dialled", "don't print", "2 fields, 4 are due", "further up"):
        assert why in told


@pytest.mark.parametrize(
    "header", ["", "id,name\n", "id,name,number,number\n", "id,name,number,colour\n", "vet-1,Duty vet,0141\n"]
)
def test_a_file_with_another_header_is_refused(header: str) -> None:
    with pytest.raises(DirectoryError, match=r"the header has .*; due: id, name, number, organisation, note"):
        read_file(header)


def test_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "MAX_ENTRIES", 1)
    with pytest.raises(DirectoryError, match="1 entries at most"):
        read_file("id,name,number\na,A,1\nb,B,2\n")
    with pytest.raises(DirectoryError, match="a list of 1 at most"):
        read_feed({"version": "1", "entries": [VET.written()] * 2})
    monkeypatch.setattr(directory, "MAX_FILE", 10)
    with pytest.raises(DirectoryError, match="10 characters at most"):
        read_file("id,name,number\n")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"id": "../x"}, "the id"),
        ({"number": "0141\n"}, "can't be dialled"),
        ({"name": " "}, "the name is empty"),
        ({"note": "x" * 201}, "the note is longer"),
        ({"organisation": "a\x00b"}, "don't print"),
    ],
)
def test_an_entry_that_is_none_is_named(wrong: dict[str, str], told: str) -> None:
    with pytest.raises(DirectoryError, match=told):
        Entry(**{**VET.written(), **wrong})
    with pytest.raises(DirectoryError, match=f"entry 0 of the feed: .*{told}"):
        read_feed({"version": "1", "entries": [{**VET.written(), **wrong}]})


def test_what_changed_is_told_by_kind() -> None:
    one, two, three = (Entry(id_, "Name", "1") for id_ in "abc")
    edited = Entry("b", "Name", "2")
    changes = compare(by_id([one, two]), by_id([edited, three]))
    assert (changes.added, changes.changed, changes.removed) == (("c",), ("b",), ("a",))
    assert not compare(by_id([one]), by_id([one]))
