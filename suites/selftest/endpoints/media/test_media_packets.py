"""Packets of every agreed kind between two ports: lengths, codecs, changes, telephone events, comfort noise."""

import itertools
from collections import Counter

import numpy as np
import pytest

from harness.endpoints.media.packets import Packetiser, lag_ms
from harness.endpoints.media.suppression import HANGOVER_FRAMES, TOLD_EVERY_FRAMES
from harness.endpoints.media.terms import SpeechTerms, TextTerms
from harness.errors import MediaError
from harness.measure.correlate import find
from harness.protocols.rtp.codecs import codec_named
from harness.protocols.rtp.comfort_noise import Noise
from harness.protocols.rtp.g711 import CODECS
from harness.protocols.rtp.resample import converted
from suites.selftest.endpoints.media.engine_bench import PEER, Bench

SAMPLES = np.random.default_rng(4)
SPEECH = np.convolve(SAMPLES.normal(0, 2500, 16_000), np.ones(4) / 2, "same").clip(-20_000, 20_000).astype(np.int16)


@pytest.fixture
def bench():
    return Bench()


def spoken(bench, near, far, samples=SPEECH, rate=8000):
    """Play on one port, and return how well and how late it is heard on the other."""
    far.listener.recorder.begin(bench.now)
    _, _, lag = near.play(samples, rate, loop=False)
    at = bench.engine.next_frame_of(near.number) + lag
    bench.run(len(samples) / rate + 0.6)
    start, heard = far.listener.recorder.end()
    match = find(converted(samples, rate, far.heard_rate), heard)
    return match.peak, start + match.lag / far.heard_rate - at


# --- lengths ---


@pytest.mark.parametrize("ptime", [10, 20, 30, 40, 50, 60, 90, 200])
@pytest.mark.parametrize("law", ["PCMA", "PCMU"])
def test_packets_of_any_length_are_evenly_paced_and_carry_the_speech(bench, ptime, law):
    near, far = bench.pair(codec=law, payload_type=CODECS[law].payload_type, ptime=ptime)
    bench.run(0.3)
    likeness, delay = spoken(bench, near, far)
    assert likeness > 0.9
    assert delay == pytest.approx(max(0.04, ptime / 1000), abs=ptime / 1000 + 0.001)
    out = [each for each in bench.sent if each.stream is near and each.kind == 0][3:]
    assert {len(each.rtp.payload) for each in out} == {8 * ptime}
    assert np.allclose(np.diff([each.time for each in out]), ptime / 1000)
    assert {(b.rtp.timestamp - a.rtp.timestamp) % 2**32 for a, b in itertools.pairwise(out)} == {8 * ptime}
    assert far.stats().jitter_ms < 0.01
    assert far.stats().concealed == 0


def test_each_side_may_send_its_own_length(bench):
    near, far = bench.pair(near={"ptime": 60}, far={"ptime": 10})
    bench.run(0.5)
    assert spoken(bench, near, far)[0] > 0.9
    assert spoken(bench, far, near)[0] > 0.9
    assert near.stats().packets_sent == pytest.approx(far.stats().packets_sent / 6, rel=0.05)


@pytest.mark.parametrize("ptime", range(10, 201, 10))
def test_a_packet_is_never_due_before_it_is_complete(ptime):
    packets, frame = Packetiser(CODECS["PCMA"], ptime), np.zeros(160, np.int16)
    due = []
    for number in range(60):
        due += [number * 20 + round(1000 * payload.after) for payload in packets.put(frame, number * 160)]
    assert np.diff(due).tolist() == [ptime] * (len(due) - 1)
    assert due[0] == lag_ms(ptime)


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        ({"ptime": 25}, "steps of 10"),
        ({"ptime": 0}, "steps of 10"),
        ({"ptime": 210}, "steps of 10"),
        ({"symmetric": "maybe"}, "symmetric"),
        ({"comfort_noise_payload_type": 8}, "differ"),
        ({"incoming": ((8, "PCMA"), (18, "G729"))}, None),
    ],
)
def test_terms_that_can_not_be_are_refused(terms, told):
    if told is None:
        assert SpeechTerms(remote=PEER, codec="PCMA", payload_type=8, **terms).speech_incoming() == {8: "PCMA"}
        return
    with pytest.raises(MediaError, match=told):
        SpeechTerms(remote=PEER, codec="PCMA", payload_type=8, **terms)


def test_terms_cross_to_a_worker_as_they_are():
    import json  # noqa: PLC0415

    from harness.protocols.sdp import Security  # noqa: PLC0415

    security = Security("AES_CM_128_HMAC_SHA1_80", bytes(range(30)), bytes(range(30, 60)))
    speech = SpeechTerms(
        remote=PEER, codec="PCMU", payload_type=0, rtcp=("::1", 9), security=security, incoming=((0, "PCMU"),)
    )
    text = TextTerms(remote=None, payload_type=98, security=security)
    assert SpeechTerms.from_json(json.loads(json.dumps(speech.as_json()))) == speech
    assert TextTerms.from_json(json.loads(json.dumps(text.as_json()))) == text
    assert "security" not in repr(speech)


# --- codecs ---


@pytest.mark.parametrize(
    ("codec", "payload_type", "ptime"),
    [("G722", 9, 20), ("G722", 9, 30), ("OPUS", 107, 20), ("OPUS", 107, 60), ("OPUS", 107, 10)],
)
def test_wideband_speech_crosses_between_two_ports(bench, codec, payload_type, ptime):
    pytest.importorskip("av")
    near, far = bench.pair(codec=codec, payload_type=payload_type, ptime=ptime, dtmf_payload_type=None)
    bench.run(0.3)
    wide = converted(SPEECH, 8000, 16_000)
    likeness, delay = spoken(bench, near, far, wide, 16_000)
    assert likeness > 0.8  # noise is what codecs like least
    assert 0.035 < delay < 0.04 + ptime / 1000 + 0.012
    stats = far.stats()
    assert (stats.codec, stats.lost, stats.malformed, stats.concealed) == (codec, 0, 0, 0)
    out = bench.rtp(near)[5:]
    assert {(b.timestamp - a.timestamp) for a, b in itertools.pairwise(out)} == {
        codec_named(codec).clock // 1000 * ptime
    }


def test_a_wideband_packet_that_came_out_of_order_is_decoded_in_order(bench):
    pytest.importorskip("av")
    from harness.endpoints.media.impairment import Impairment  # noqa: PLC0415

    near, far = bench.pair(codec="G722", payload_type=9, playout_ms=80)
    near.impair(Impairment(reorder=0.2), bench.now)
    bench.run(0.3)
    assert spoken(bench, near, far, converted(SPEECH, 8000, 16_000), 16_000)[0] > 0.95
    assert far.stats().reordered > 10
    assert far.stats().concealed == 0


def test_a_telephone_and_a_wideband_set_are_joined_by_a_switch(bench):
    pytest.importorskip("av")
    near, leg = bench.pair()
    wide_leg = bench.at(bench.port("wide leg", connect=False), ("10.0.0.3", 6000))
    wide = bench.at(bench.port("wide", connect=False), ("10.0.0.4", 7000))
    bench.agree(wide_leg, ("10.0.0.4", 7000), codec="G722", payload_type=9)
    bench.agree(wide, ("10.0.0.3", 6000), codec="G722", payload_type=9)
    wide_leg.hear([leg])
    leg.hear([wide_leg])
    bench.run(0.3)
    likeness, delay = spoken(bench, near, wide)
    assert likeness > 0.9
    assert delay < 0.13
    assert spoken(bench, wide, near)[0] > 0.9


def test_the_peer_may_change_among_the_agreed_codecs_in_mid_stream(bench):
    both = ((8, "PCMA"), (0, "PCMU"), (101, "telephone-event"))
    near, far = bench.pair(incoming=both)
    bench.run(0.5)
    assert spoken(bench, near, far)[0] > 0.9
    bench.agree(near, ("10.0.0.2", 5000), codec="PCMU", payload_type=0, incoming=both)
    assert spoken(bench, near, far)[0] > 0.9
    stats = far.stats()
    assert (stats.payload_changes, stats.unexpected_payload, stats.lost, stats.codec) == (1, 0, 0, "PCMU")
    assert [event.data for event in bench.of("rtp.payload_changed")] == [{"payload_type": 0, "codec": "PCMU"}]


def test_a_change_to_another_clock_rate_is_followed(bench):
    pytest.importorskip("av")
    both = ((107, "OPUS"), (8, "PCMA"))
    near, far = bench.pair(codec="OPUS", payload_type=107, incoming=both, dtmf_payload_type=None)
    bench.run(0.5)
    bench.agree(near, ("10.0.0.2", 5000), codec="PCMA", payload_type=8, incoming=both, dtmf_payload_type=None)
    assert spoken(bench, near, far)[0] > 0.9
    assert far.stats().jitter_ms < 5
    assert far.stats().lost == 0


# --- telephone events ---


@pytest.mark.parametrize("ptime", [10, 20, 30, 60])
def test_keys_cross_whatever_the_packets_length(bench, ptime):
    near, far = bench.pair(ptime=ptime)
    bench.run(0.3)
    near.talker.press("15#", duration_ms=120, gap_ms=80)
    bench.run(1.5)
    assert [(event.data["digit"], event.data["duration_ms"]) for event in bench.of("dtmf.received")] == [
        ("1", 120.0), ("5", 120.0), ("#", 120.0)
    ]  # fmt: skip
    assert [event.data["number"] for event in bench.of("dtmf.sent")] == [1, 2, 3]
    assert far.stats().lost == 0


def test_a_key_held_for_ten_seconds_is_one_key_of_that_length(bench):
    near, _ = bench.pair()
    bench.run(0.3)
    near.talker.press("5", duration_ms=10_000, gap_ms=50)
    bench.run(11)
    (heard,) = bench.of("dtmf.received")
    assert (heard.data["digit"], heard.data["duration_ms"], heard.data["ended"]) == ("5", 10_000.0, True)
    assert heard.data["level_dbm0"] == -10


@pytest.mark.parametrize("clock", [8000, 48_000])
def test_keys_beside_opus_have_their_length_at_either_clock(bench, clock):
    pytest.importorskip("av")
    near, far = bench.pair(codec="OPUS", payload_type=107, dtmf_payload_type=102, dtmf_clock=clock)
    bench.run(0.3)
    near.talker.press("9", duration_ms=2000, gap_ms=80)
    bench.run(3)
    assert [event.data["duration_ms"] for event in bench.of("dtmf.received")] == [2000.0]
    assert far.stats().concealed == 0


# --- comfort noise ---


def test_silence_is_suppressed_and_noise_told_in_its_place(bench):
    near, far = bench.pair(comfort_noise_payload_type=13)
    bench.run(0.1)
    likeness, _ = spoken(bench, near, far)
    assert likeness > 0.9
    bench.sent.clear()
    bench.run(5.0)
    kinds = Counter(packet.payload_type for packet in bench.rtp(near))
    assert kinds == {13: 5.0 / (TOLD_EVERY_FRAMES * 0.02)}
    assert Noise.parse(bench.rtp(near)[0].payload).level == 78
    stats = far.stats()
    assert stats.comfort_noise_received == near.stats().comfort_noise_sent > 4
    assert (stats.lost, stats.concealed, stats.resyncs, stats.unexpected_payload) == (0, 0, 0, 0)
    heard = far.heard
    assert heard is not None
    assert 0 < np.abs(heard).max() < 30


def test_speech_after_a_pause_begins_a_talkspurt_in_its_place(bench):
    near, far = bench.pair(comfort_noise_payload_type=13)
    bench.run(3.0)
    likeness, delay = spoken(bench, near, far)
    assert likeness > 0.9
    assert delay == pytest.approx(0.04, abs=0.025)
    markers = [packet for packet in bench.rtp(near) if packet.marker]
    assert len(markers) >= 2
    assert far.stats().concealed == 0


def test_quiet_noise_is_told_with_its_level(bench):
    near, far = bench.pair(comfort_noise_payload_type=13)
    hiss = np.random.default_rng(1).normal(0, 32768 * 10 ** (-60 / 20), 8 * 8000).astype(np.int16)
    near.play(hiss, 8000, loop=False)
    bench.run(4.0)
    told = [Noise.parse(packet.payload).level for packet in bench.rtp(near) if packet.payload_type == 13]
    assert told == [pytest.approx(60, abs=2)] * len(told)
    level = 20 * np.log10(np.sqrt(np.mean(far.heard.astype(float) ** 2)) / 32768)
    assert level == pytest.approx(-60, abs=3)


def test_a_pause_within_a_word_is_sent(bench):
    near, _ = bench.pair(comfort_noise_payload_type=13)
    pause = np.zeros(160 * (HANGOVER_FRAMES - 1), np.int16)
    near.play(np.concatenate([SPEECH[:4000], pause, SPEECH[:4000]]), 8000, loop=False)
    before = len(bench.sent)
    bench.run(1.0)
    assert {packet.payload_type for packet in bench.rtp(near)[before:]} == {8}


def test_noise_that_was_not_agreed_is_unexpected(bench):
    near, far = bench.pair(near={"comfort_noise_payload_type": 13})
    bench.run(3.0)
    assert far.stats().unexpected_payload == near.stats().comfort_noise_sent > 0
    assert [event.data["payload_type"] for event in bench.of("rtp.unexpected_payload")] == [13]


def test_keys_are_sent_out_of_suppressed_silence(bench):
    near, far = bench.pair(comfort_noise_payload_type=13)
    bench.run(2.0)
    near.talker.press("7", duration_ms=100, gap_ms=60)
    bench.run(1.0)
    assert [event.data["digit"] for event in bench.of("dtmf.received")] == ["7"]
    assert far.stats().lost == 0
