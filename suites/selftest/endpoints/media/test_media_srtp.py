"""Secured ports: speech, keys and reports cross; what is not authentic is counted, told, and never heard."""

import base64
import random

import numpy as np
import pytest

from harness.endpoints.media.impairment import Impairment
from harness.endpoints.media.sending import RTCP, RTP
from harness.errors import MediaError, RtpError
from harness.protocols.rtp import RtpPacket, parse_compound
from harness.protocols.sdp import SUITES, Security
from suites.selftest.endpoints.media.engine_bench import LOUD, Bench
from suites.selftest.endpoints.media.test_media_packets import spoken
from suites.selftest.protocols.rtp.test_srtp import TAGS, opened


@pytest.fixture
def bench():
    return Bench()


def keys(suite="AES_CM_128_HMAC_SHA1_80", seed=1):
    rng = random.Random(seed)
    ours, theirs = rng.randbytes(SUITES[suite]), rng.randbytes(SUITES[suite])
    return Security(suite, ours, theirs), Security(suite, theirs, ours)


def secured(bench, suite="AES_CM_128_HMAC_SHA1_80", **agreed):
    ours, theirs = keys(suite)
    near, far = bench.pair(near={"security": ours}, far={"security": theirs}, **agreed)
    return near, far, ours


@pytest.mark.parametrize("suite", sorted(SUITES))
def test_speech_keys_and_reports_cross_secured(bench, suite):
    near, far, _ = secured(bench, suite)
    bench.run(0.3)
    assert spoken(bench, near, far)[0] > 0.9
    near.talker.press("12", duration_ms=100, gap_ms=60)
    bench.run(15.0)
    assert [event.data["digit"] for event in bench.of("dtmf.received")] == ["1", "2"]
    stats = far.stats()
    assert (stats.srtp_failed, stats.srtp_replayed, stats.malformed, stats.lost) == (0, 0, 0, 0)
    assert stats.rtcp_received >= 2
    assert near.stats().peer_lost == 0


@pytest.mark.parametrize("suite", sorted(TAGS))
def test_what_leaves_is_srtp_as_openssl_opens_it(bench, suite):
    near, _, security = secured(bench, suite)
    near.play((np.sin(np.arange(3200) * 0.3) * 8000).astype(np.int16), 8000, loop=False)
    bench.run(8.0)
    out = [each.data for each in bench.sent if each.stream is near and each.kind == RTP]
    numbers = [int.from_bytes(data[2:4]) for data in out]
    assert numbers[:2] == [65_535, 0]  # across a roll-over
    packets = [
        RtpPacket.parse(opened(data, security.local_key, TAGS[suite], roll_over=number < 65_535))
        for data, number in zip(out[:12:4], numbers[:12:4], strict=True)
    ]
    assert {packet.ssrc for packet in packets} == {1}
    assert [len(packet.payload) for packet in packets] == [160] * 3
    for data in (each.data for each in bench.sent if each.stream is near and each.kind == RTCP):
        with pytest.raises(RtpError):
            parse_compound(data)
        assert parse_compound(opened(data, security.local_key, 10, control=True))


def test_a_wrong_key_is_told_once_a_second_and_nothing_is_heard(bench):
    near, far = bench.pair(near={"security": keys(seed=1)[0]}, far={"security": keys(seed=2)[1]})
    near.play(np.full(16_000, 9000, np.int16), 8000, loop=True)
    bench.run(4.0)
    stats = far.stats()
    assert stats.srtp_failed >= 199
    assert (stats.packets_received, stats.malformed, far.heard) == (0, 0, None)
    told = bench.of("srtp.failed", far)
    assert 4 <= len(told) <= 5
    assert all(event.warning and "authentication failure" in event.data["reason"] for event in told)
    assert sum(event.data["count"] for event in told) <= stats.srtp_failed


def test_plain_rtp_towards_a_secured_port_is_not_heard(bench):
    port = bench.port(security=keys()[0])
    bench.speak(port, 10)
    assert (port.stats().srtp_failed, port.stats().packets_received) == (10, 0)


def test_a_changed_packet_is_dropped_and_the_rest_heard(bench):
    near, far, _ = secured(bench)
    near.impair(Impairment(corrupt=0.2), bench.now)
    bench.run(10.0)
    stats = far.stats()
    assert 60 < stats.srtp_failed < 140
    # what fails before anything was heard, and after the last that was, is not yet known to be lost
    assert stats.lost == pytest.approx(stats.srtp_failed, abs=3)


def test_a_packet_that_comes_twice_is_a_replay(bench):
    near, far, _ = secured(bench)
    near.impair(Impairment(duplicate=0.5), bench.now)
    bench.run(4.0)
    stats = far.stats()
    assert stats.srtp_replayed > 70
    assert (stats.duplicates, stats.lost, stats.srtp_failed) == (0, 0, 0)


def test_a_reoffer_with_the_same_key_goes_on_and_one_with_another_begins_afresh(bench):
    near, far, ours = secured(bench)
    theirs = keys()[1]
    bench.run(1.0)
    bench.agree(near, ("10.0.0.2", 5000), security=ours, send=False)
    bench.agree(far, ("10.0.0.1", 4000), security=theirs)
    bench.run(1.0)
    bench.agree(near, ("10.0.0.2", 5000), security=ours)
    bench.run(1.0)
    assert (far.stats().srtp_failed, far.stats().lost) == (0, 0)
    ours, theirs = keys(seed=9)
    bench.agree(near, ("10.0.0.2", 5000), security=ours)
    bench.agree(far, ("10.0.0.1", 4000), security=theirs)
    bench.run(1.0)
    assert far.stats().srtp_failed == 0
    assert far.stats().packets_received >= 145


def test_a_sequence_that_is_turned_back_can_not_be_secured_and_is_told(bench):
    near, far, _ = secured(bench)
    bench.run(1.0)
    near.impair(Impairment(sequence_jump=-20), bench.now)
    bench.run(2.0)
    told = bench.of("srtp.unsent", near)
    assert told
    assert all(event.warning and "replay" in event.data["reason"] for event in told)
    assert sum(event.data["count"] for event in told) <= 20
    near.impair(Impairment(sequence_jump=500), bench.now)
    bench.run(1.0)
    assert far.stats().packets_received >= 50 + 80 + 50
    assert far.stats().srtp_failed == 0


def test_secured_strangers_are_kept_out_before_anything_is_opened(bench):
    port = bench.port(security=keys()[0])
    for index in range(20):
        bench.give(port, RtpPacket(8, index, 0, 5, LOUD), ("192.0.2.1", 9))
    assert (port.stats().strangers, port.stats().srtp_failed) == (20, 0)


def test_a_flood_of_unauthentic_packets_leaves_the_call_alone(bench):
    near, far, _ = secured(bench)
    bench.run(0.3)
    for _ in range(50):
        for index in range(40):
            far.datagram(RtpPacket(8, index, 0, index, LOUD).build() + bytes(10), ("10.0.0.1", 4000), bench.now)
        bench.run(0.02)
    assert spoken(bench, near, far)[0] > 0.9
    assert far.stats().srtp_failed + far.stats().srtp_replayed == 2000
    assert len(bench.of("srtp.failed")) <= 3


def test_keys_are_in_nothing_that_is_told(bench):
    near, far, security = secured(bench)
    near.impair(Impairment(corrupt=0.5), bench.now)
    bench.run(3.0)
    bench.engine.remove_port(far.number, bench.now)
    bench.told += bench.engine.events()
    told = repr(bench.told) + repr(near.stats()) + repr(near._terms)
    for key in (security.local_key, security.remote_key):
        assert base64.b64encode(key).decode() not in told
        assert key.hex() not in told
        assert repr(key) not in told


def test_what_can_not_be_secured_is_refused_and_the_call_goes_on_as_it_was(bench):
    near, far, ours = secured(bench)
    for terms, told in (({"ptime": 200}, "160 ms"), ({}, "do not fit")):
        bad = ours if terms else Security(ours.suite, b"short", ours.remote_key)
        with pytest.raises(MediaError, match=told):
            bench.agree(near, ("10.0.0.2", 5000), security=bad, **terms)
    bench.run(1.0)
    assert far.stats().packets_received >= 49
