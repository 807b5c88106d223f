"""The playout buffer's depth: adaptive within its bounds, and what of it is in the journal."""

import itertools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.endpoints.media.delay import REMEMBERED, WINDOW, DelayControl
from harness.endpoints.media.playout import FRAME, Playout
from harness.protocols.rtp import RtpPacket
from harness.protocols.rtp.comfort_noise import Noise
from suites.selftest.endpoints.media.engine_bench import LOUD, Bench

SPEECH = (np.sin(np.arange(FRAME) * 0.3) * 8000).astype(np.int16)
SILENCE = np.zeros(FRAME, np.int16)


class Line:
    """A stream of packets into a buffer that is read every 20 ms."""

    def __init__(self, *, least=40, most=200, drift=0.0):
        self.playout = Playout(least, max_depth_ms=most)
        self.drift = drift
        self.now = 0.0
        self.sent = 0
        self.pending = []
        self.heard = []

    def run(self, seconds, jitter=0.0, *, seed=1, samples=SPEECH, delay=0.0):
        rng = random.Random(seed)
        until = self.now + seconds
        while self.now < until - 1e-9:
            left = self.sent * 0.02 * (1 + self.drift)
            if left <= self.now + 1e-9:
                self.pending.append((left + delay + rng.random() * jitter, self.sent, samples))
                self.sent += 1
            for each in sorted(self.pending):
                if each[0] <= self.now:
                    self.pending.remove(each)
                    self.playout.put(each[1] * FRAME, each[2], each[0], missing=None)
            if round(self.now * 1000) % 20 == 0:
                self.heard.append(self.playout.take(self.now))
            self.now = round(self.now + 0.001, 3)

    @property
    def depth_ms(self):
        """How long a packet that took no time waits, from what is played next."""
        play_at = self.playout._played_at + (self.sent * FRAME + 2**32 - self.playout._play) / 8000
        return 1000 * (play_at - self.sent * 0.02 * (1 + self.drift))


def test_without_jitter_the_depth_stays_the_least():
    line = Line()
    line.run(20.0)
    assert line.depth_ms == pytest.approx(40, abs=1)
    assert (line.playout.changes, line.playout.late, line.playout.concealed) == ([], 0, 0)


@pytest.mark.parametrize("jitter", [0.05, 0.09, 0.14])
def test_it_grows_with_the_jitter_and_nothing_is_late_any_more(jitter):
    line = Line()
    line.run(10.0, jitter)
    late = line.playout.late
    line.run(20.0, jitter, seed=2)
    assert line.playout.late - late <= 2
    assert 1000 * jitter <= line.depth_ms <= 1000 * jitter + 45
    assert {why for why, _ in line.playout.changes} <= {"late", "jitter", "surplus"}
    assert line.playout.stretched > 0


def test_it_never_grows_beyond_its_bound():
    line = Line(most=100)
    line.run(30.0, 0.15)
    assert line.playout.delay.target == 0.1
    assert line.playout.late > 50
    line.run(2.0)
    assert line.depth_ms <= 115


def test_a_path_that_becomes_shorter_does_not_keep_it_deeper_than_its_bound():
    line = Line(most=60)
    line.run(2.0, delay=0.15)
    line.run(4.0)
    assert line.depth_ms <= 75
    assert line.playout.dropped > 8 * 80


def test_a_fixed_one_does_not_move():
    line = Line(most=40)
    line.run(1.0)
    line.run(20.0, 0.045)
    assert line.depth_ms == pytest.approx(40, abs=1)
    assert line.playout.late > 50
    assert line.playout.changes == []


def test_it_shrinks_again_in_a_pause_but_not_while_somebody_speaks():
    line = Line()
    line.run(5.0, 0.12)
    deep = line.depth_ms
    line.run(20.0)
    assert line.depth_ms == pytest.approx(deep, abs=15)
    line.run(5.0, samples=SILENCE)
    assert line.depth_ms == pytest.approx(40, abs=13)
    assert line.playout.dropped == pytest.approx((deep - line.depth_ms) * 8, abs=200)
    assert line.playout.changes[-1][0] == "surplus"


@pytest.mark.parametrize("drift", [0.0005, -0.0005])
def test_a_clock_that_drifts_is_followed(drift):
    """500 parts in a million, ten times what a crystal has: 60 ms in two minutes."""
    line = Line(drift=drift)
    for second in range(120):
        line.run(1.0, samples=SILENCE if second % 3 else SPEECH)
    assert 20 <= line.depth_ms <= 65
    assert line.playout.resyncs == 0


def test_a_path_that_becomes_longer_at_once_is_followed():
    line = Line()
    line.run(5.0)
    line.run(5.0, delay=0.08)
    assert line.playout.late <= 1
    heard = [frame is not None and np.abs(frame).max() > 4000 for frame in line.heard[-100:]]
    assert all(heard)


@given(
    st.lists(st.tuples(st.floats(-0.5, 0.5), st.booleans()), max_size=400), st.integers(20, 200), st.integers(0, 300)
)
def test_the_target_stays_within_its_bounds(slacks, least, more):
    control = DelayControl(least / 1000, (least + more) / 1000)
    for slack, late in slacks:
        change = control.late(abs(slack)) if late else control.note(slack)
        assert least / 1000 - 1e-9 <= control.target <= (least + more) / 1000 + 1e-9
        assert not late or change >= 0
        if not more:
            assert change == 0


def test_a_single_fast_packet_does_not_make_it_shallower():
    control = DelayControl(0.02, 0.2)
    for _ in range(WINDOW * REMEMBERED):
        control.note(0.05)
    changes = [control.note(0.05 if number else 0.3) for number in range(WINDOW)]
    assert min(changes) >= -0.05


# --- silence that was never sent ---


def test_a_pause_that_was_not_sent_is_silence_and_no_loss():
    playout = Playout(40)
    frames = []
    for tick in range(100):
        now = tick * 0.02
        if not 20 <= tick < 60:
            playout.put(tick * FRAME, SPEECH, now, missing=0)
        frames.append(playout.take(now))
    quiet = [frame is None or not frame.any() for frame in frames]
    assert quiet[22:62] == [True] * 40
    assert not any(quiet[2:22] + quiet[62:])
    assert (playout.concealed, playout.resyncs) == (0, 0)


def test_what_was_lost_at_the_end_of_a_pause_is_concealed():
    playout = Playout(40)
    for tick in range(40):
        if tick < 10:
            playout.put(tick * FRAME, SPEECH, tick * 0.02, missing=0)
        if tick == 20:
            playout.put(tick * FRAME, SPEECH, tick * 0.02, missing=1)  # the first packet of the talkspurt is gone
        if tick > 20:
            playout.put(tick * FRAME, SPEECH, tick * 0.02, missing=0)
        playout.take(tick * 0.02)
    assert playout.concealed == 1


def test_comfort_noise_is_played_until_speech_comes_back_also_after_a_long_pause():
    playout = Playout(40, seed=3)
    frames = {}
    for tick in range(200):
        now = tick * 0.02
        if tick < 20 or tick >= 150:
            playout.put(tick * FRAME, SPEECH, now, missing=0)
        if tick == 20:
            playout.put_noise(tick * FRAME, Noise(50), now)
        frames[tick] = playout.take(now)
    for tick in range(23, 150):
        level = np.sqrt(np.mean(frames[tick].astype(float) ** 2))
        assert level == pytest.approx(32768 * 10 ** (-50 / 20), rel=0.3), tick
    assert np.abs(frames[160]).max() > 7000
    assert playout.concealed == 0
    for tick in range(200, 260):
        frames[tick] = playout.take(tick * 0.02)
    assert frames[259] is None  # the noise ended with the pause


# --- in the journal ---


def test_changes_and_the_end_are_told_with_their_figures():
    bench = Bench()
    port = bench.port(playout_ms=40, playout_max_ms=200)
    rng = random.Random(5)
    for index in range(400):
        bench.run(0.02)
        if rng.random() < 0.9:
            late = rng.random() * 0.015
            bench.run(late)
            bench.give(port, RtpPacket(8, index, index * 160, 77, LOUD))
    bench.run(1.0)
    bench.engine.remove_port(port.number, bench.now)
    bench.told += bench.engine.events()
    changed, (ended,) = bench.of("playout.changed"), bench.of("playout.ended")
    assert changed
    stats = port.stats()
    for event in (*changed, ended):
        assert set(event.data) >= {
            "target_ms", "delay_ms", "late", "dropped_ms", "stretched_ms", "concealed", "resyncs",
        }  # fmt: skip
    assert ended.data["concealed"] == stats.concealed > 20
    assert ended.data["target_ms"] == stats.target_ms > 40
    assert stats.delay_ms == pytest.approx(ended.data["delay_ms"])
    times = [event.time for event in changed]
    assert all(later - earlier >= 1.0 for earlier, later in itertools.pairwise(times))


def test_a_resync_is_told():
    bench = Bench()
    port = bench.port()
    bench.speak(port, 50)
    for index in range(50, 100):
        bench.give(port, RtpPacket(8, index, index * 160 + 2**31, 77, LOUD))
        bench.run(0.02)
    assert port.stats().resyncs == 1
    assert [event.data["why"] for event in bench.of("playout.changed")] == ["resync"]
