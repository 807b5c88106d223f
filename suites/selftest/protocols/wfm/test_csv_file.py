"""The feeds' files: what is written is read, the bytes are the same again, and a bad line is told by its number."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import WfmFeedError
from harness.protocols.wfm.csv_file import (
    Header,
    read_header,
    read_intervals,
    read_states,
    write_intervals,
    write_states,
)
from harness.protocols.wfm.rows import IntervalRow, State, StateRow

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,20}", fullmatch=True)
COUNTS = st.integers(0, 10_000)
HEAD = Header("intervals", "iccs-1", 1_767_225_600.0, 1_767_226_500.0)


@st.composite
def intervals(draw: st.DrawFn) -> IntervalRow:
    answered = draw(COUNTS)
    within = draw(st.integers(0, answered))
    others = [draw(COUNTS) for _ in range(4)]
    times = [draw(st.integers(0, 10**9)) for _ in range(2)]
    return IntervalRow(
        900 * draw(st.integers(0, 2_000_000)), draw(NAMES), others[0], answered, within, *others[1:], *times
    )


STATES = st.builds(
    StateRow,
    st.integers(1, 10**9),
    st.integers(0, 4 * 10**12),
    NAMES,
    st.sampled_from(State),
    st.one_of(st.just(""), NAMES),
)


@settings(deadline=None)
@given(st.lists(intervals(), max_size=20))
def test_intervals_that_are_written_are_read(rows: list[IntervalRow]) -> None:
    text = write_intervals(HEAD, rows)
    read = read_intervals(text)
    assert (read.rows, read.bad, read.header) == (rows, 0, HEAD)
    assert write_intervals(HEAD, read.rows) == text
    outside = list(csv.DictReader(io.StringIO(text.split("\n", 1)[1])))  # the standard library's reader
    assert [int(row["offered"]) for row in outside] == [row.offered for row in rows]


@settings(deadline=None)
@given(st.lists(STATES, max_size=20))
def test_states_that_are_written_are_read(rows: list[StateRow]) -> None:
    head = Header("states", "iccs-1", 0.0, 900.0)
    assert read_states(write_states(head, rows)).rows == rows


@given(st.text(max_size=300))
def test_whatever_comes_is_read_or_told(text: str) -> None:
    for read in (read_states, read_intervals):
        try:
            read(text)
        except WfmFeedError:
            continue
    good = write_intervals(HEAD, [IntervalRow(0, "q")])
    found = read_intervals(good + text)
    assert found.rows[0] == IntervalRow(0, "q")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("2026-01-01T00:07:00Z,q,0,0,0,0,0,0,0.000,,0.000,", "an interval begins at a whole quarter"),
        ("yesterday,q,0,0,0,0,0,0,0.000,,0.000,", "interval_start is 'yesterday'"),
        ("2026-01-01T00:00:00Z,q,-1,0,0,0,0,0,0.000,,0.000,", "offered is '-1'; a whole number is due"),
        ("2026-01-01T00:00:00Z,q,1,1,2,0,0,0,0.000,0.000,0.000,", "2 were answered in time, and 1 at all"),
        (
            "2026-01-01T00:00:00Z,q,1,1,1,0,0,0,4.000,5.000,0.000,",
            "mean_answer_s is '5.000'; by its total it is '4.000'",
        ),
        ("2026-01-01T00:00:00Z,q,1", "3 cells; 12 are due"),
        ("2026-01-01T00:00:00Z,a b,0,0,0,0,0,0,0.000,,0.000,", "queue is 'a b'"),
    ],
)
def test_a_bad_line_is_told_by_its_number_and_the_others_are_had(line: str, found: str) -> None:
    text = (
        write_intervals(HEAD, [IntervalRow(0, "q")])
        + line
        + "\n"
        + "1970-01-01T00:15:00Z,q,0,0,0,0,0,0,0.000,,0.000,\n"
    )
    read = read_intervals(text)
    assert len(read.rows) == 2
    assert [each.line for each in read.told] == [4]
    assert found in read.told[0].found


@pytest.mark.parametrize("line", ["", "ICCS-WFM,2,states,f,x,y", "ICCS-WFM,1,other,f,x,y", "ICCS-WFM,1,states,f,x,y"])
def test_a_file_of_something_else_is_refused(line: str) -> None:
    with pytest.raises(WfmFeedError, match="line 1"):
        read_header(line)
