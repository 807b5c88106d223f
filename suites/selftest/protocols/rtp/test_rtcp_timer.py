"""When RTCP is due: RFC 3550's own figures and rules."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.protocols.rtp.rtcp_timer import COMPENSATION, MIN_INTERVAL_S, RtcpTimer


def joined(random_value=0.5, **bandwidth):
    timer = RtcpTimer(lambda: random_value, **bandwidth)
    timer.members = 2
    timer.begin(0.0)
    return timer


def test_the_first_report_is_due_after_half_the_minimum():
    assert joined().next_at == pytest.approx(MIN_INTERVAL_S / 2 / COMPENSATION)


def test_the_interval_lies_between_half_and_one_and_a_half_of_itself():
    for value, share in ((0.0, 0.5), (0.999_999, 1.5)):
        assert joined(value).next_at == pytest.approx(2.5 * share / COMPENSATION, rel=1e-3)


def test_a_narrow_session_reports_less_often():
    """RFC 3550 A.7: n members share five per cent of the bandwidth, here 20 octets a second of 128 octets each."""
    timer = joined(bandwidth=3200)
    timer.senders = 2
    assert timer.deterministic_interval() == pytest.approx(2 * 128 / 20)


def test_few_senders_have_a_quarter_for_themselves():
    timer = joined(bandwidth=8000)
    timer.members, timer.senders, timer.we_sent = 100, 1, True
    assert timer.deterministic_interval() == pytest.approx(128 / 12.5)
    timer.we_sent = False
    assert timer.deterministic_interval() == pytest.approx(99 * 128 / 37.5)


def test_a_report_that_turns_out_not_to_be_due_yet_waits():
    draws = iter([0.0, 1.0, 0.0, 0.0])
    timer = RtcpTimer(lambda: next(draws))
    timer.begin(0.0)
    first = timer.next_at
    assert not timer.due(first)  # drawn again, it came out longer
    assert timer.next_at == pytest.approx(2.5 * 1.5 / COMPENSATION)
    assert timer.due(timer.next_at)


def test_it_is_never_due_before_its_time_or_before_joining():
    assert RtcpTimer(lambda: 0.5).next_at == float("inf")
    assert not RtcpTimer(lambda: 0.5).due(1e9)
    assert not joined().due(0.1)


def test_who_leaves_draws_the_timer_nearer():
    """RFC 3550 section 6.3.4: tn = tc + members/pmembers * (tn - tc)."""
    timer = joined()
    timer.sent(10.0, 100)
    due = timer.next_at
    timer.members = 1
    timer.left(11.0)
    assert timer.next_at == pytest.approx(11.0 + (due - 11.0) / 2)


def test_the_average_size_follows_what_is_sent_and_heard():
    timer = joined(bandwidth=1600)
    for _ in range(200):
        timer.received(972)
    timer.sent(0.0, 972)
    assert timer.deterministic_interval() == pytest.approx(2 * 1000 / 10, rel=0.01)


@given(st.integers(0, 2**32), st.integers(0, 50), st.integers(0, 50), st.booleans())
def test_intervals_keep_to_their_bounds_and_their_mean(seed, members, senders, we_sent):
    rng = random.Random(seed)
    timer = RtcpTimer(rng.random)
    timer.members, timer.senders, timer.we_sent = members + 1, min(senders, members), we_sent
    timer.sent(0.0, 100)
    interval = timer.deterministic_interval()
    draws = [timer.interval() for _ in range(200)]
    assert interval >= MIN_INTERVAL_S
    assert all(0.5 * interval / COMPENSATION <= each <= 1.5 * interval / COMPENSATION for each in draws)
    assert sum(draws) / len(draws) == pytest.approx(interval / COMPENSATION, rel=0.15)
