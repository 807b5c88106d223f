"""The playout buffer: exact delay, and what it does with packets that are late, lost, doubled, reordered or adrift."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.endpoints.media.playout import CAPACITY_S, EXCESS_RESYNC, FRAME, LATE_RESYNC, Playout

TONE = (np.sin(np.arange(40 * FRAME) * 0.3) * 8000).astype(np.int16)
TIMESTAMP = 2**32 - 1000  # wraps within the first packets


def packet(index):
    return TONE[index * FRAME : (index + 1) * FRAME]


def run(arrivals, *, depth=40, start=0.003, frames=30):
    """Feed packets ({index: arrival}), take frames every 20 ms from `start`; return what was heard, and the buffer."""
    playout = Playout(depth)
    pending = sorted((arrival, index) for index, arrival in arrivals.items())
    heard = []
    for number in range(frames):
        now = start + number * 0.02
        while pending and pending[0][0] <= now:
            arrival, index = pending.pop(0)
            playout.put((TIMESTAMP + index * FRAME) % 2**32, packet(index), arrival)
        frame = playout.take(now)
        heard.append(np.zeros(FRAME, np.int16) if frame is None else frame)
    return np.concatenate(heard), playout


def steady(count, first=0.0):
    return {index: first + index * 0.02 for index in range(count)}


@given(st.integers(0, 159), st.sampled_from([20, 40, 60, 100]), st.integers(0, 159))
def test_the_delay_is_the_depth_to_the_sample_wherever_the_frames_fall(phase, depth, offset):
    start, first = phase / 8000, offset / 8000
    heard, playout = run(steady(20, first), depth=depth, start=start)
    at = round((first + depth / 1000 - start) * 8000)
    assert np.array_equal(heard[at : at + 20 * FRAME], TONE[: 20 * FRAME])
    assert not heard[:at].any()
    assert (playout.late, playout.concealed, playout.resyncs) == (0, 0, 0)


def test_jitter_within_the_depth_less_a_frame_and_reordering_change_nothing():
    smooth, _ = run(steady(20))
    jumpy = {index: index * 0.02 + (index * 7 % 5) * 0.004 for index in range(20)}
    jumpy[8], jumpy[9] = 0.1805, 0.1800
    heard, playout = run(jumpy)
    assert np.array_equal(heard, smooth)
    assert (playout.late, playout.concealed) == (0, 0)


def test_a_lost_packet_is_filled_in_and_counted_and_the_rest_stays_in_place():
    smooth, _ = run(steady(20))
    arrivals = steady(20)
    del arrivals[10]
    heard, playout = run(arrivals)
    at = round((0.040 - 0.003) * 8000)
    gap = slice(at + 10 * FRAME, at + 11 * FRAME + 32)  # and 4 ms in which what comes back is overlapped
    assert np.array_equal(np.delete(heard, np.r_[gap]), np.delete(smooth, np.r_[gap]))
    assert heard[gap][:FRAME].any()
    assert playout.concealed == 2  # the gap lies across two of the frames taken


def test_after_a_few_lost_packets_there_is_silence():
    arrivals = {index: arrival for index, arrival in steady(20).items() if not 5 <= index < 14}
    # the packets that end the gap are here early, so that all of it counts as loss
    arrivals |= dict.fromkeys((14, 15), 0.05)
    heard, _ = run(arrivals, start=0.0)
    quiet = [not heard[n * FRAME : (n + 1) * FRAME].any() for n in range(2 + 5, 2 + 14)]
    assert quiet == [False] * 3 + [True] * 6


def test_a_late_packet_is_dropped_and_counted():
    arrivals = steady(20)
    arrivals[10] += 0.2
    _, playout = run(arrivals)
    assert playout.late == 1
    assert playout.resyncs == 0


def test_packets_that_keep_coming_late_move_the_mapping():
    arrivals = {index: arrival + (0.15 if index >= 5 else 0) for index, arrival in steady(30).items()}
    _, playout = run(arrivals, frames=45)
    assert playout.resyncs == 1
    assert playout.late == LATE_RESYNC


def test_delay_that_grew_for_nothing_is_given_back():
    playout = Playout(40)
    playout.put(0, packet(0), 0.0)
    playout.take(0.04)
    for index in range(EXCESS_RESYNC + 20):  # everything from here is 200 ms further ahead
        playout.put((index + 11) * FRAME, packet(index % 30), 0.04 + 0.02 * index)
        playout.take(0.06 + 0.02 * index)
    assert playout.resyncs == 1


def test_a_leap_of_timestamps_starts_afresh_instead_of_growing():
    playout = Playout(40)
    playout.put(0, packet(0), 0.0)
    assert playout.take(0.04) is not None
    playout.put(2**31 - 5, packet(1), 0.05)
    assert playout.resyncs == 1
    assert np.array_equal(playout.take(0.09), packet(1))
    assert len(playout._ring) == round(CAPACITY_S * 8000)


def test_the_end_of_a_stream_is_silence_not_loss_and_a_new_one_begins_afresh():
    arrivals = steady(5)
    heard, playout = run(arrivals, frames=60)
    assert playout.concealed == 0
    assert not heard[10 * FRAME :].any()
    playout.put(77, packet(3), 2.0)
    assert np.array_equal(playout.take(2.04), packet(3))


@given(
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 1600), st.floats(0, 100), st.booleans()), max_size=60)
)
def test_no_order_of_packets_breaks_it(steps):
    playout = Playout(40)
    for timestamp, size, now, silent in steps:
        if silent:
            playout.put_silence(timestamp, FRAME, now)
        else:
            playout.put(timestamp, np.ones(size, np.int16), now)
        frame = playout.take(now)
        assert frame is None or len(frame) == FRAME


def test_a_tone_in_between_is_not_loss():
    playout = Playout(40)
    for index in range(4):
        playout.put(index * FRAME, packet(index), index * 0.02)
    heard = [playout.take(0.04), playout.take(0.06)]
    for index in (4, 5):
        playout.put_silence(index * FRAME, FRAME, index * 0.02)
    for index in (6, 7):
        playout.put(index * FRAME, packet(index), index * 0.02)
    heard += [playout.take(0.08 + 0.02 * n) for n in range(5)]
    assert [frame.any() for frame in heard] == [True] * 4 + [False] * 2 + [True]
    assert playout.concealed == 0


def test_the_depth_default_is_two_frames():
    assert Playout()._depth == pytest.approx(0.040)
