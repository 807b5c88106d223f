"""A port that may rest sends nothing while there is nothing to say, and loses nothing by it."""

import numpy as np
import pytest
from engine_bench import OTHER, PEER, Bench
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.endpoints.media.impairment import Impairment
from harness.endpoints.media.peer import RESTING_TAKEOVER_S, SIGN_OF_LIFE_S
from harness.endpoints.media.speech_stream import HANGOVER
from harness.measure.correlate import correlation
from harness.protocols.rtp import RtpPacket

TONE = (np.sin(np.arange(8000) * 0.4) * 9000).astype(np.int16)
FRAME_S = 0.02


def of(bench, port):
    return [out for out in bench.sent if out.stream is port and out.kind == 0]


def do(bench, port):
    """The engine's port as a command gets it."""
    bench.engine.now = bench.now
    return bench.engine.speech(port.number)


def test_it_sends_two_seconds_of_silence_and_then_nothing():
    bench = Bench()
    resting, steady = bench.port(rests=True), bench.port(remote=OTHER)
    bench.run(10)
    assert len([out for out in of(bench, resting) if out.rtp.payload]) == HANGOVER
    assert len(of(bench, steady)) == 500


def test_where_all_rest_nothing_is_due_until_a_sign_of_life():
    bench = Bench()
    bench.port(rests=True)
    bench.run(3)
    assert bench.engine.next_tick() == pytest.approx(SIGN_OF_LIFE_S + (HANGOVER - 1) * FRAME_S, abs=0.001)
    bench.run(60)
    assert [out.rtp.payload for out in bench.sent[HANGOVER:]] == [b""] * 12


def test_what_is_said_after_a_rest_begins_a_talkspurt_and_is_heard_whole():
    bench = Bench()
    near, far = bench.pair(rests=True)
    bench.run(7)
    before = len(of(bench, near))
    do(bench, far).listener.recorder.begin(bench.now)
    spoken = bench.now
    do(bench, near).play(TONE, 8000, loop=False)
    bench.run(3)
    first = of(bench, near)[before]
    assert first.rtp.marker
    assert first.time - spoken <= FRAME_S
    _, samples = far.listener.recorder.end()
    assert correlation(TONE, samples) > 0.98
    stats = far.stats()
    assert (stats.lost, stats.concealed, stats.late, stats.resyncs) == (0, 0, 0, 0)
    assert len(samples) == pytest.approx(3 * 8000, abs=160)


def test_timestamps_go_on_while_it_rests_and_numbers_do_not():
    bench = Bench()
    port = bench.port(rests=True)
    bench.run(5)
    do(bench, port).play(TONE, 8000, loop=False)
    bench.run(5)
    packets = of(bench, port)
    began = packets[0].time
    for at, sent in enumerate(packets):
        assert sent.rtp.sequence == (65535 + at) & 0xFFFF
        assert sent.rtp.timestamp == round((sent.time - began) / FRAME_S) * 160


def test_a_sign_of_life_is_no_speech_and_no_loss():
    bench = Bench()
    near, far = bench.pair(rests=True)
    bench.run(3 * SIGN_OF_LIFE_S)
    signs = [out for port in (near, far) for out in of(bench, port) if out.rtp.payload == b""]
    assert len(signs) == 2 * 2
    stats = far.stats()
    assert (stats.lost, stats.malformed, stats.first_voice) == (0, 0, None)
    assert stats.jitter_ms < 1
    assert not bench.of("voice.started")


def test_who_is_started_afresh_is_found_by_the_sign_of_life():
    bench = Bench()
    near, far = bench.pair(rests=True)
    bench.agree(far, None, rests=True)
    bench.run(5)
    bench.agree(far, OTHER, rests=True)  # another peer, and then
    bench.agree(far, None, rests=True)  # whoever comes first, as one that has just been started
    bench.run(SIGN_OF_LIFE_S + 0.1)
    assert far.to == ("10.0.0.1", 4000)
    assert near.to == ("10.0.0.2", 5000)


def test_a_newcomer_hears_at_once_that_somebody_is_there():
    bench = Bench()
    port = bench.port(remote=None, rests=True)
    bench.run(10)
    assert port.resting
    assert not of(bench, port)
    bench.give(port, RtpPacket(8, 1, 160, 5, bytes(160)), OTHER)
    bench.run(5)
    assert len([out for out in of(bench, port) if out.rtp.payload]) == HANGOVER
    assert {out.to for out in of(bench, port)} == {OTHER}


def test_a_stranger_does_not_take_the_place_of_one_that_rests():
    bench = Bench()
    _near, far = bench.pair(near={"rests": True}, far={"rests": True})
    bench.agree(far, None, rests=True)
    bench.run(30)
    assert far.to == ("10.0.0.1", 4000)
    for number in range(50):
        bench.give(far, RtpPacket(8, number, number * 160, 9, bytes(160)), OTHER)
        bench.run(0.3)
    assert far.to == ("10.0.0.1", 4000)
    assert far.stats().strangers == 50
    bench._wires.clear()  # near is gone without a word
    bench.run(RESTING_TAKEOVER_S + 0.1)
    bench.give(far, RtpPacket(8, 50, 50 * 160, 9, bytes(160)), OTHER)
    assert far.to == OTHER


def test_who_sends_it_on_wakes_with_it():
    bench = Bench()
    near, far = bench.pair(rests=True)
    third = bench.port(remote=OTHER, rests=True)
    bench.engine.hear(third.number, [far.number])
    bench.run(5)
    assert (third.resting, far.resting) == (True, True)
    do(bench, near).play(TONE, 8000, loop=False)
    bench.run(1.5)
    heard = [out for out in of(bench, third) if out.time > 5]
    assert heard[0].rtp.marker
    assert len(heard) >= 50
    bench.run(5)
    assert third.resting


def test_what_is_recorded_of_a_rest_is_as_long_as_the_rest():
    bench = Bench()
    port = bench.port(rests=True)
    bench.run(5)
    do(bench, port).listener.recorder.begin(bench.now)
    bench.run(4)
    assert not port.resting
    _, samples = port.listener.recorder.end()
    assert len(samples) == pytest.approx(4 * 8000, abs=160)
    assert not samples.any()
    bench.run(3)
    assert port.resting


def test_a_machine_that_slept_sends_no_burst():
    bench = Bench()
    near, far = bench.pair(rests=True)
    bench.run(5)
    before = len(of(bench, near)) + len(of(bench, far))
    bench.now += 3600
    bench.engine.catch_up(bench.now)
    bench.run(1)
    assert len(of(bench, near)) + len(of(bench, far)) - before <= 2
    do(bench, near).play(TONE, 8000, loop=False)
    bench.run(2)
    assert far.stats().lost == 0
    assert far.stats().first_voice is not None


def test_one_that_is_closed_at_rest_is_gone():
    bench = Bench()
    near, far = bench.pair(rests=True)
    third = bench.port(remote=OTHER, rests=True)
    bench.engine.hear(third.number, [near.number])
    bench.run(5)
    bench.engine.remove_port(near.number, bench.now)
    sent = len(of(bench, near))
    bench.run(2 * SIGN_OF_LIFE_S)
    assert len(of(bench, near)) == sent
    assert third.resting
    assert far.resting


def test_one_that_misbehaves_or_confers_does_not_rest():
    bench = Bench()
    port = bench.port(rests=True)
    bench.run(5)
    do(bench, port).impair(Impairment(loss=0.5), bench.now)
    bench.run(2)
    assert not port.resting
    do(bench, port).impair(None, bench.now)
    bench.run(3)
    assert port.resting
    bridge = bench.engine.add_bridge("conference", 8000)
    do(bench, port).join(bridge, speak=True, hear=True)
    bench.run(2)
    assert not port.resting


def test_junk_and_strangers_do_not_wake_it():
    bench = Bench()
    port = bench.port(rests=True)
    bench.run(5)
    bench.give(port, b"\x80" * 20)
    bench.give(port, RtpPacket(8, 1, 160, 5, bytes(160)), ("10.9.9.9", 9))
    assert port.resting
    bench.run(1)
    assert port.resting
    bench.give(port, RtpPacket(8, 1, 160, 5, bytes(160)), PEER)
    bench.run(0.1)
    assert not port.resting


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["play", "stop", "packet", "record", "hear", "deaf", "agree", "sleep", "stats"]),
        st.floats(0.0, 20.0, allow_nan=False),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(ACTS)
def test_whatever_is_done_to_it_each_packet_has_the_time_at_which_it_left(acts):
    bench = Bench()
    port, other = bench.port(rests=True), bench.port(remote=OTHER, rests=True)
    bench.run(1)
    number = 0
    for act, wait in acts:
        engine = do(bench, port)
        match act:
            case "play":
                engine.play(TONE[:1600], 8000, loop=False)
            case "stop":
                engine.stop_clips(bench.now)
            case "packet":
                number += 1
                bench.give(other, RtpPacket(8, number, round(bench.now * 8000) & 0xFFFFFFFF, 7, bytes(160)), OTHER)
            case "record":
                engine.listener.recorder.begin(bench.now)
            case "hear":
                bench.engine.hear(port.number, [other.number])
            case "deaf":
                bench.engine.hear(port.number, [])
            case "agree":
                bench.agree(port, rests=True)
            case "sleep":
                bench.now += wait
                bench.engine.catch_up(bench.now)
        bench.run(wait)
    packets = of(bench, port)
    # the grid of a port's frames has no gaps: a timestamp tells when the packet left, to the frame
    slips = {round((out.time - packets[0].time) / FRAME_S) * 160 - out.rtp.timestamp for out in packets}
    assert slips == {0}
    assert [out.rtp.sequence for out in packets] == [(65535 + at) & 0xFFFF for at in range(len(packets))]


def test_a_port_that_neither_sends_nor_hears_costs_nothing_and_is_found_again_by_what_is_agreed_next():
    bench = Bench()
    near, far = bench.pair()
    bench.run(1)
    addresses = near.peer.address, far.peer.address
    for port, remote in zip((near, far), addresses, strict=True):
        bench.agree(port, remote, send=False, receive=False, rests=True)
    bench.run(1)
    assert bench.engine.next_tick() is None
    sent = len(bench.sent)
    bench.run(3600)
    assert len(bench.sent) == sent
    for port, remote in zip((near, far), addresses, strict=True):
        bench.agree(port, remote)
    do(bench, far).listener.recorder.begin(bench.now)
    do(bench, near).play(TONE, 8000, loop=False)
    bench.run(2)
    assert correlation(TONE, far.listener.recorder.end()[1]) > 0.98
    assert far.stats().lost == 0
