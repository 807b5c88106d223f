"""Contacts read from CSV: whatever the file holds, each row is read or told by its line, and memory stays bounded."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.crm.errors import UnfitError
from simulators.crm.rows import MAX_LINE_BYTES, MAX_LINES, Bad, Row, Rows

HEAD = b"reference,name,telephone,email,address,markers\n"
CELL = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=30)


def read(data: bytes, *, step: int = 7) -> list[Row | Bad]:
    rows = Rows()
    found: list[Row | Bad] = []
    for at in range(0, len(data), step):
        found += rows.feed(data[at : at + step])
    return [*found, *rows.end()]


def bad(data: bytes) -> dict[int, str]:
    return {each.line: each.why for each in read(data) if isinstance(each, Bad)}


@given(st.lists(st.tuples(CELL, CELL), max_size=8), st.integers(1, 50), st.sampled_from(["\n", "\r\n"]))
def test_what_a_spreadsheet_writes_is_read_as_it_was(names: list[tuple[str, str]], step: int, ends: str) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=ends)
    writer.writerow(["reference", "name", "address"])
    for number, (name, address) in enumerate(names):
        writer.writerow([f"A{number}", f"N {name}", address])
    found = read(text.getvalue().encode(), step=step)
    assert [(row.reference, row.name, row.address) for row in found if isinstance(row, Row)] == [
        (f"A{number}", " ".join(f"N {name}".split()), " ".join(address.split()))
        for number, (name, address) in enumerate(names)
    ]
    assert len(found) == len(names)


@given(st.binary(max_size=300), st.integers(1, 20))
def test_no_bytes_raise_anything_but_the_named_error(data: bytes, step: int) -> None:
    for row in read(HEAD + data, step=step):
        assert 2 <= row.line <= data.count(b"\n") + 2
    try:
        read(data, step=step)
    except UnfitError as error:
        assert "reference" in str(error)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (b"A2,Bob,0770", "telephone '0770' is no telephone number"),
        (b"A2,Bob,,bob@", "email 'bob@' is no mail address"),
        (b"A 2,Bob", "reference 'A 2' is not"),
        (b",Bob", "reference '' is not"),
        (b"A2", "no name, telephone or email"),
        (b"A2,Bob,,,,Deaf: yes", "marker 'Deaf' is no kind"),
        (b"A2," + b"x" * 201, "name has 201 characters"),
        (b"A2,B\x01b", "name has a control character"),
        (b"A2,B\xffb", "byte 5 is not UTF-8"),
        (b'A2,"Bob', "a quote is opened and not closed"),
        (b'A2,"Bob"x,', "it is no CSV"),
        (b"A2,Bob,0770,bob@,,,", "it has 7 cells, and the first line names 6 columns"),
        (b"A2," + b"x" * MAX_LINE_BYTES, f"it is longer than {MAX_LINE_BYTES} bytes"),
    ],
)
def test_a_bad_row_is_told_by_its_line_and_costs_no_other(row: bytes, why: str) -> None:
    missing = b"," * (5 - row.count(b",")) if why not in ("a quote is opened and not closed",) else b""
    told = bad(HEAD + b"A1,Ann,,,,\n" + row + missing + b"\nA3,Cy,,,,\n")
    assert list(told) == [3]
    assert why in told[3]


def test_all_that_is_wrong_with_a_row_is_told_at_once() -> None:
    [told] = bad(HEAD + b"A 2,,0770,bob@,,\n").values()
    assert told.count(";") == 2


def test_a_quoted_cell_may_go_over_lines_and_rows_below_keep_their_numbers() -> None:
    [first, second] = read(HEAD + b'A1,"Ann\nLee",,,,\nA2,Bob,0770,,,\n')
    assert isinstance(first, Row)
    assert (first.line, first.name) == (2, "Ann Lee")
    assert second.line == 4


def test_a_quote_that_nobody_closes_costs_its_own_row_alone() -> None:
    rows = b"".join(b"A%d,Ann,,,,\n" % number for number in range(10, 10 + 3 * MAX_LINES))
    found = read(HEAD + b'A1,"Ann,,,,\n' + rows)
    assert [row.line for row in found if isinstance(row, Bad)] == [2]
    assert len(found) == 1 + 3 * MAX_LINES


@pytest.mark.parametrize(
    "first", [b"", b"name,telephone\n", b"reference,reference\n", b"reference,shoe size\n", b'"reference\n', b"\xff\n"]
)
def test_a_file_whose_first_line_names_no_columns_of_ours_is_refused_with_those_that_there_are(first: bytes) -> None:
    with pytest.raises(UnfitError, match="reference, name, telephone, email, address, markers"):
        read(first + b"A1,Ann\n" * (bool(first)))


def test_a_line_without_end_is_not_kept() -> None:
    rows = Rows()
    assert list(rows.feed(HEAD)) == []
    for _ in range(100):
        assert list(rows.feed(b"x" * MAX_LINE_BYTES)) == []
        assert len(rows._rest) <= MAX_LINE_BYTES
    [told] = rows.feed(b"\n")
    assert isinstance(told, Bad)
    assert told.line == 2
