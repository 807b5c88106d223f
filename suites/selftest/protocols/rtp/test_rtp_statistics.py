"""Reception statistics: every way a packet can fit the sequence, and RFC 3550's own formulas."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.protocols.rtp import Arrival, Reception


def feed(reception, sequences):
    return [reception.update(sequence % 65536, index * 160, index * 0.02) for index, sequence in enumerate(sequences)]


def trusted(first, sequences):
    reception = Reception(first, probation=0)
    return reception, feed(reception, sequences)


def test_a_source_is_on_probation_until_two_packets_follow_each_other():
    reception = Reception(100)
    assert feed(reception, [100, 200, 201, 202]) == [
        Arrival.PROBATION, Arrival.PROBATION, Arrival.IN_ORDER, Arrival.IN_ORDER,
    ]  # fmt: skip
    assert (reception.received, reception.lost) == (2, 0)


def test_a_wrap_is_counted_in_the_extended_sequence():
    reception, arrivals = trusted(65534, [65534, 65535, 0, 1])
    assert set(arrivals) == {Arrival.IN_ORDER}
    assert reception.extended_highest == 65536 + 1
    assert (reception.expected, reception.received, reception.lost) == (4, 4, 0)


def test_a_source_that_begins_at_zero_has_no_cycle_behind_it():
    reception, _ = trusted(0, [0, 1])
    assert (reception.extended_highest, reception.expected) == (1, 2)


def test_loss_reordering_and_duplicates_are_told_apart():
    reception, arrivals = trusted(10, [10, 11, 14, 13, 13, 14, 15])
    assert arrivals[3:6] == [Arrival.REORDERED, Arrival.DUPLICATE, Arrival.DUPLICATE]
    assert (reception.expected, reception.received, reception.lost) == (6, 5, 1)
    assert (reception.reordered, reception.duplicates) == (1, 2)


def test_a_leap_is_a_restart_only_when_the_next_packet_follows():
    reception, arrivals = trusted(10, [10, 30000, 11, 40000, 40001])
    assert arrivals == [
        Arrival.IN_ORDER, Arrival.OUT_OF_RANGE, Arrival.IN_ORDER, Arrival.OUT_OF_RANGE, Arrival.RESTART,
    ]  # fmt: skip
    assert (reception.received, reception.lost) == (1, 0)


@given(st.integers(0, 65535), st.lists(st.integers(0, 399), unique=True, max_size=60), st.integers(0, 2**32 - 1))
def test_whatever_is_dropped_is_what_is_lost(first, dropped, seed):
    dropped = set(dropped) - {0, 399}
    sent = [number for number in range(400) if number not in dropped]
    # swap neighbours: an order a network may give
    rng = random.Random(seed)
    for index in range(1, len(sent) - 2):
        if rng.random() < 0.1:
            sent[index], sent[index + 1] = sent[index + 1], sent[index]
    reception, _ = trusted(first, [first + number for number in sent])
    assert (reception.expected, reception.received, reception.lost) == (400, len(sent), len(dropped))
    assert reception.duplicates == 0


def test_fraction_lost_is_of_the_interval_since_the_last_report():
    reception, _ = trusted(0, [0, 1, 2, 3])
    assert reception.fraction_lost() == 0
    feed(reception, [4, 6])
    assert reception.fraction_lost() == 256 * 1 // 3
    assert reception.fraction_lost() == 0


def test_jitter_follows_the_formula_and_a_steady_stream_has_none():
    steady, _ = trusted(0, range(50))
    assert steady.jitter_ms == pytest.approx(0, abs=1e-6)
    reception = Reception(0, probation=0)
    jitter, arrivals = 0.0, [0.0, 0.025, 0.040, 0.070]
    for index, arrival in enumerate(arrivals):
        reception.update(index, (2**32 - 160 + index * 160) % 2**32, arrival)  # the timestamp wraps after the first
        if index:
            difference = abs((arrival - arrivals[index - 1]) * 8000 - 160)
            jitter += (difference - jitter) / 16
    assert reception.jitter_ms == pytest.approx(jitter / 8)


def test_a_packet_whose_timestamp_is_not_its_own_says_nothing_of_jitter():
    reception, _ = trusted(0, [0, 1])
    reception.update(2, None, 5.0)
    assert reception.received == 3
    assert reception.jitter_ms == pytest.approx(0, abs=1e-6)


def test_a_report_counts_duplicates_as_having_come():
    """RFC 3550 A.3: the count of packets received includes duplicates, so the report may go below zero."""
    reception, _ = trusted(0, [0, 1, 1, 1, 4])
    assert (reception.lost, reception.reported_lost) == (2, 0)
    assert reception.fraction_lost() == 0
    again, _ = trusted(0, [0, 0, 0])
    assert (again.lost, again.reported_lost) == (0, -2)


def test_loss_before_a_restart_is_kept_but_not_reported_again():
    reception, _ = trusted(0, [0, 5, 40000, 40001, 40002, 40004])
    assert (reception.restarts, reception.lost, reception.reported_lost) == (1, 5, 1)


def test_the_gap_before_a_packet_is_told():
    reception, _ = trusted(65533, [65533])
    gaps = []
    for sequence in (65534, 1, 2, 0, 9):
        reception.update(sequence, 0, 0.0)
        gaps.append(reception.gap)
    assert gaps == [0, 2, 0, 0, 6]


@given(st.integers(0, 65535), st.lists(st.integers(1, 298), unique=True, max_size=80), st.integers(0, 2**32 - 1))
def test_bursts_are_counted_as_rows_of_what_never_came(first, dropped, seed):
    dropped = set(dropped)
    sent = [number for number in range(300) if number not in dropped]
    rng = random.Random(seed)
    for at in range(1, len(sent) - 2, 2):  # the first packet begins the count: it stays first
        if rng.random() < 0.3:
            sent[at], sent[at + 1] = sent[at + 1], sent[at]
    reception, _ = trusted(first, [first + number for number in sent])
    rows = sum(1 for number in dropped if number - 1 not in dropped)
    assert (reception.lost, reception.bursts) == (len(dropped), rows)


def test_jitter_goes_on_when_the_payloads_clock_changes():
    reception = Reception(0, probation=0)
    for number in range(50):
        reception.update(number, number * 160, number * 0.02 + (number % 2) * 0.008)
    before = reception.jitter_ms
    reception.change_clock(48_000)
    assert reception.jitter_ms == pytest.approx(before)
    reception.update(50, 7_000_000, 1.0)  # another origin of timestamps says nothing of the network
    assert reception.jitter_ms == pytest.approx(before)
