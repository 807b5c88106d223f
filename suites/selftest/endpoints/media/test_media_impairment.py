"""Misbehaviour on demand: each fault is on the wire as it was asked for, and gone when it is taken back."""

import itertools
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.endpoints.media.impairment import Impairer, Impairment
from harness.endpoints.media.sending import RTCP
from harness.errors import MediaError
from harness.measure.correlate import find
from harness.protocols.rtp.g711 import CODECS
from suites.selftest.endpoints.media.engine_bench import Bench

AWAY = ("192.0.2.77", 7777)
TONE = (np.sin(np.arange(80_000) * 0.3) * 8000).astype(np.int16)


@pytest.fixture
def bench():
    return Bench()


def impaired(bench, seconds=20.0, **faults):
    """Two ports, the near one misbehaving for so long; the far one's stats."""
    near, far = bench.pair()
    bench.run(0.5)
    near.impair(Impairment(**faults), bench.now)
    bench.run(seconds)
    near.impair(None, bench.now)
    bench.run(2.0)
    return near, far, far.stats()


def recorded(bench, samples, **faults):
    """What is heard of samples that are played under a fault."""
    near, far = bench.pair()
    bench.run(0.5)
    near.impair(Impairment(**faults), bench.now)
    far.listener.recorder.begin(bench.now)
    near.play(samples, 8000, loop=False)
    bench.run(len(samples) / 8000 + 0.5)
    return far.listener.recorder.end()[1]


# --- the network ---


def test_loss_is_what_the_other_side_misses(bench):
    near, _, stats = impaired(bench, loss=0.05)
    assert stats.lost == near.stats().packets_sent - stats.packets_received
    assert 25 < stats.lost < 80
    assert stats.loss_bursts > 0.85 * stats.lost
    assert stats.concealed > stats.lost


@pytest.mark.parametrize(("loss", "burst"), [(0.05, 1), (0.05, 5), (0.3, 3), (0.5, 20)])
def test_losses_have_their_share_and_bursts_their_mean_length(loss, burst):
    impairer = Impairer(Impairment(loss=loss, burst=burst), Random(7), 8000)
    lost = [not impairer.packet(b"x", 0.02) for _ in range(100_000)]
    rows = sum(1 for before, now in itertools.pairwise(lost) if now and not before)
    assert sum(lost) / len(lost) == pytest.approx(loss, rel=0.1)
    assert sum(lost) / rows == pytest.approx(burst if burst > 1 else 1 / (1 - loss), rel=0.1)
    assert all(Impairer(Impairment(loss=1.0), Random(1), 8000).packet(b"x", 0.02) == [] for _ in range(100))


def test_bursts_are_counted_where_they_are_heard(bench):
    _, _, stats = impaired(bench, loss=0.05, burst=5)
    assert stats.lost / stats.loss_bursts > 2.5


def test_duplicates_are_duplicates(bench):
    _, _, stats = impaired(bench, duplicate=0.1)
    assert 60 < stats.duplicates < 140
    assert (stats.lost, stats.reordered) == (0, 0)


def test_reordering_is_reordering_and_no_loss(bench):
    _, _, stats = impaired(bench, reorder=0.05)
    assert 25 < stats.reordered < 80
    assert (stats.lost, stats.duplicates) == (0, 0)


def test_delay_and_jitter_are_seen_as_such(bench):
    near, _ = bench.pair()
    bench.run(0.5)
    near.impair(Impairment(delay_ms=100), bench.now)
    before = len(bench.sent)
    bench.run(2.0)
    late = [out for out in bench.sent[before:] if out.stream is near and out.kind == 0]
    assert np.allclose(np.diff([out.time for out in late]), 0.02)
    bench = Bench()
    near, far = bench.pair()
    near.impair(Impairment(jitter_ms=30), bench.now)
    bench.run(20.0)
    # evenly drawn from 0 to 30: two neighbours differ by 10 on average, which is what RFC 3550's jitter tends to
    assert far.stats().jitter_ms == pytest.approx(10, abs=5)


# --- the endpoint ---


def test_one_way_audio_is_silence_on_the_wire_and_reports_go_on(bench):
    near, far = bench.pair()
    bench.run(0.5)
    near.impair(Impairment(nothing=True), bench.now)
    before, reports = far.stats().packets_received, far.stats().rtcp_received
    bench.run(15.0)
    assert far.stats().packets_received == before
    assert far.stats().rtcp_received > reports
    assert near.stats().packets_received > 700


def test_rtp_to_another_port_than_signalled(bench):
    near, far = bench.pair()
    near.impair(Impairment(to=AWAY), bench.now)
    bench.run(1.0)
    assert far.stats().packets_received == 0
    assert {out.to for out in bench.sent if out.stream is near and out.kind == 0} == {AWAY}
    near.impair(None, bench.now)
    bench.run(1.0)
    assert far.stats().packets_received == 50


def test_silence_in_place_of_speech(bench):
    assert np.abs(recorded(bench, TONE[:16_000], silent=True)).max() < 20


def test_the_front_of_each_talkspurt_is_cut(bench):
    spurt, pause = TONE[:8000], np.zeros(8000, np.int16)
    heard = recorded(bench, np.concatenate([spurt, pause, spurt]), front_clip_ms=150)
    loud = np.abs(heard.astype(int)) > 2000
    begins = [at for at in np.flatnonzero(loud) if not loud[max(0, at - 1000) : at].any()]
    assert len(begins) == 2
    assert begins[1] - begins[0] == pytest.approx(16_000, abs=10)
    assert np.count_nonzero(loud) == pytest.approx(2 * (8000 - 1200) * 0.84, rel=0.02)


def test_amplitude_is_clipped_at_the_ceiling(bench):
    heard = recorded(bench, TONE[:8000], gain_db=12, ceiling_dbov=-15)
    assert np.abs(heard.astype(int)).max() == pytest.approx(32767 * 10 ** (-15 / 20), rel=0.03)
    assert find(TONE[:8000], heard).peak > 0.8


def test_gain_makes_louder_and_quieter(bench):
    quieter = recorded(bench, TONE[:8000], gain_db=-20)
    assert np.abs(quieter.astype(int)).max() == pytest.approx(800, rel=0.05)


def test_a_wrong_payload_type_is_refused_by_the_other_side(bench):
    _, _, stats = impaired(bench, seconds=2.0, payload_type=18)
    assert stats.unexpected_payload == 100
    assert stats.packets_received == 25 + 100


def test_keys_keep_their_payload_type_under_a_wrong_one(bench):
    near, _ = bench.pair()
    near.impair(Impairment(payload_type=18), bench.now)
    near.talker.press("5", duration_ms=100, gap_ms=60)
    bench.run(1.0)
    assert [event.data["digit"] for event in bench.of("dtmf.received")] == ["5"]


def test_a_new_ssrc_a_timestamp_leap_and_a_sequence_leap(bench):
    near, far = bench.pair()
    bench.run(1.0)
    near.impair(Impairment(new_ssrc=True), bench.now)
    bench.run(1.0)
    near.impair(Impairment(timestamp_jump=500_000), bench.now)
    bench.run(1.0)
    near.impair(Impairment(sequence_jump=100), bench.now)
    bench.run(1.0)
    stats = far.stats()
    assert (stats.ssrc_changes, stats.resyncs, stats.lost) == (1, 1, 100)
    packets = bench.rtp(near)
    assert len({packet.ssrc for packet in packets}) == 2


def test_packets_of_another_length_than_agreed(bench):
    near, far = bench.pair()
    near.impair(Impairment(ptime=60), bench.now)
    bench.run(3.0)
    assert {len(packet.payload) for packet in bench.rtp(near)} == {480}
    near.impair(None, bench.now)
    bench.run(1.0)
    assert len(bench.rtp(near)[-1].payload) == 160
    assert far.stats().lost == 0


def test_no_reports(bench):
    near, far = bench.pair()
    near.impair(Impairment(no_rtcp=True), bench.now)
    bench.run(20.0)
    assert [out for out in bench.sent if out.stream is near and out.kind == RTCP] == []
    assert far.stats().rtcp_received == 0


def test_one_seed_misbehaves_in_one_way():
    def run():
        bench = Bench()
        impaired(bench, seconds=5.0, loss=0.1, duplicate=0.1, jitter_ms=40, reorder=0.1)
        return [(out.time, out.data) for out in bench.sent]

    assert run() == run()


def test_a_port_that_is_closed_takes_what_it_held_back_with_it(bench):
    near, _ = bench.pair()
    near.impair(Impairment(delay_ms=1000), bench.now)
    bench.run(0.5)
    bench.engine.remove_port(near.number, bench.now)
    before = len(bench.sent)
    bench.run(2.0)
    assert [out for out in bench.sent[before:] if out.stream is near] == []


# --- what can be asked ---


@pytest.mark.parametrize(
    "bad",
    [
        {"loss": 1.1},
        {"loss": -0.1},
        {"loss": float("nan")},
        {"burst": 0.5},
        {"reorder": 2},
        {"delay_ms": 1e9},
        {"front_clip_ms": -1},
        {"gain_db": 100},
        {"ceiling_dbov": 3},
        {"payload_type": 128},
        {"ptime": 25},
        {"jitter_ms": "a lot"},
    ],
)
def test_what_is_out_of_range_is_refused_by_name(bad):
    with pytest.raises(MediaError, match=next(iter(bad))):
        Impairment(**bad)


def test_an_unknown_fault_is_refused_with_those_there_are():
    with pytest.raises(MediaError, match=r"no 'lost'; it has burst, ceiling_dbov, .*timestamp_jump"):
        Impairment.from_json({"lost": 0.5})


def test_faults_are_read_as_a_tester_writes_them():
    text = {"loss": "5%", "burst": "3", "jitter_ms": "30", "nothing": "Yes", "to": "[2001:db8::1]:5004", "ptime": "60"}
    assert Impairment.from_text(text) == Impairment(
        loss=0.05, burst=3, jitter_ms=30, nothing=True, to=("2001:db8::1", 5004), ptime=60
    )
    for name, bad in (("loss", "much"), ("nothing", "maybe"), ("to", "here"), ("ptime", "2.5"), ("lost", "1")):
        with pytest.raises(MediaError, match=name):
            Impairment.from_text({name: bad})


def test_a_length_that_the_codec_has_not_is_refused(bench):
    pytest.importorskip("av")
    near, _ = bench.pair(codec="OPUS", payload_type=107)
    with pytest.raises(MediaError, match="Opus"):
        near.impair(Impairment(ptime=30), bench.now)
    bench.run(1.0)
    assert bench.rtp(near)


IMPAIRMENTS = st.builds(
    Impairment,
    loss=st.floats(0, 1),
    burst=st.floats(1, 100),
    duplicate=st.floats(0, 1),
    reorder=st.floats(0, 1),
    delay_ms=st.floats(0, 5000),
    jitter_ms=st.floats(0, 500),
    corrupt=st.floats(0, 1),
    nothing=st.booleans(),
    to=st.none() | st.just(AWAY),
    silent=st.booleans(),
    front_clip_ms=st.integers(0, 1000),
    gain_db=st.floats(-60, 60),
    ceiling_dbov=st.floats(-60, 0),
    payload_type=st.none() | st.integers(0, 127),
    ptime=st.none() | st.integers(1, 20).map(lambda tens: 10 * tens),
    new_ssrc=st.booleans(),
    timestamp_jump=st.integers(-(2**31), 2**31),
    sequence_jump=st.integers(-(2**15), 2**15),
    no_rtcp=st.booleans(),
)


@given(IMPAIRMENTS)
def test_impairments_cross_to_a_worker_as_they_are(impairment):
    assert Impairment.from_json(impairment.as_json()) == impairment


@settings(max_examples=40, deadline=None)
@given(st.lists(IMPAIRMENTS, min_size=1, max_size=3))
def test_no_row_of_faults_breaks_a_port_and_it_is_sound_afterwards(faults):
    bench = Bench()
    near, far = bench.pair()
    near.play(TONE, 8000, loop=True)
    for fault in faults:
        near.impair(fault, bench.now)
        bench.run(0.5)
    near.impair(None, bench.now)
    bench.run(12.0)  # longer than anything was held back
    before = far.stats()
    bench.run(1.0)
    after = far.stats()
    assert after.packets_received - before.packets_received == 50
    assert CODECS["PCMA"].decode(bench.rtp(near)[-1].payload).any()
