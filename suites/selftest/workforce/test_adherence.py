"""Timelines, how far two of them agree, and adherence to a schedule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import StaffingError
from harness.workforce.adherence import Span, agreement, kept, seconds_in, timeline

CHANGES = st.lists(st.tuples(st.integers(-100, 1_100), st.sampled_from(["ready", "in_call", "break"])), max_size=30)


@given(CHANGES)
def test_a_timeline_fills_its_window_once(changes: list[tuple[int, str]]) -> None:
    spans = timeline(sorted(changes, key=lambda each: each[0]), 0, 1_000, before="logged_out")
    assert sum(span.end_ms - span.start_ms for span in spans) == 1_000
    assert [span.start_ms for span in spans] == [0, *(span.end_ms for span in spans)][:-1]
    assert sum(seconds_in(spans).values()) == pytest.approx(1.0)
    assert agreement(spans, spans) == 1.0


def test_a_state_that_ends_late_is_seen() -> None:
    acd = [Span(0, 50_000, "in_call"), Span(50_000, 100_000, "ready")]
    late = [Span(0, 52_000, "in_call"), Span(52_000, 100_000, "ready")]
    assert agreement(acd, late) == pytest.approx(0.98)


def test_a_record_that_lacks_time_does_not_agree_for_it() -> None:
    assert agreement([Span(0, 100, "ready")], [Span(0, 40, "ready")]) == pytest.approx(0.4)


def test_adherence_counts_scheduled_time_alone() -> None:
    schedule = [Span(0, 600, "work"), Span(600, 900, "break")]
    states = [Span(0, 500, "in_call"), Span(500, 700, "wrap_up"), Span(700, 900, "break"), Span(900, 1_000, "ready")]
    done = kept(schedule, states)
    assert (done.scheduled_ms, done.kept_ms, done.unscheduled_ms) == (900, 800, 100)
    with pytest.raises(StaffingError, match="'lunch' can't be scheduled; work, break can"):
        kept([Span(0, 1, "lunch")], states)
