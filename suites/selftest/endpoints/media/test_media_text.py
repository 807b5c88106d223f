"""Real-time text ports: what is typed is read, in order, once, with a mark for what the network took."""

import random

import pytest

from harness.endpoints.media.impairment import Impairment
from harness.errors import MediaError
from harness.protocols.rtp import RtpPacket
from harness.protocols.rtp.text import LOST, shown
from harness.protocols.sdp import SUITES, Security
from suites.selftest.endpoints.media.engine_bench import OTHER, PEER, Bench

TEXT = "Fire at 12 Oak Road \N{EN DASH} two poeple\b\b\b\b\beople inside"


@pytest.fixture
def bench():
    return Bench()


def pair(bench, **agreed):
    return bench.pair(kind="text", **agreed)


def type_(bench, port, text, each=0.1):
    for letter in text:
        port.write(letter)
        bench.run(each)
    bench.run(2.5)


def read(bench, port):
    return "".join(event.data["text"] for event in bench.of("text.received", port))


def test_what_is_typed_is_read_both_ways(bench):
    near, far = pair(bench)
    type_(bench, near, TEXT)
    type_(bench, far, "Help is coming")
    assert read(bench, far) == TEXT
    assert shown(read(bench, far)) == "Fire at 12 Oak Road \N{EN DASH} two people inside"
    assert read(bench, near) == "Help is coming"
    stats = far.stats()
    assert (stats.characters_received, stats.text_lost, stats.codec) == (len(TEXT), 0, "T140")
    assert near.stats().characters_sent == len(TEXT)


def test_two_lost_packets_in_a_row_lose_nothing(bench):
    near, far = pair(bench)
    type_(bench, near, "a")
    for letter in "0123456789":
        near.impair(Impairment(nothing=True), bench.now)
        near.write(letter)
        bench.run(0.4)  # its own packet, and at most the one that repeats it
        near.impair(None, bench.now)
        bench.run(1.0)
    stats = far.stats()
    assert stats.lost >= 10
    assert (stats.text_recovered, stats.text_lost) == (10, 0)
    assert read(bench, far) == "a0123456789"


def test_what_is_lost_for_good_is_marked(bench):
    near, far = pair(bench)
    type_(bench, near, "before")
    near.impair(Impairment(nothing=True), bench.now)
    type_(bench, near, "lost in between", each=0.3)
    near.impair(None, bench.now)
    type_(bench, near, "after")
    text = read(bench, far)
    assert text.startswith("before")
    assert text.endswith("after")
    assert LOST in text
    assert far.stats().text_lost == text.count(LOST) > 5


def test_without_redundancy_each_loss_is_marked_after_a_second(bench):
    near, far = pair(bench, redundant_payload_type=None)
    type_(bench, near, "ab", each=0.4)
    near.impair(Impairment(loss=1.0), bench.now)
    near.write("X")
    bench.run(0.4)
    near.impair(None, bench.now)
    type_(bench, near, "cd", each=0.4)
    assert read(bench, far) == f"ab{LOST}cd"


def test_text_is_secured_like_speech(bench):
    rng = random.Random(1)
    suite = "AES_CM_128_HMAC_SHA1_80"
    ours, theirs = rng.randbytes(SUITES[suite]), rng.randbytes(SUITES[suite])
    near, far = pair(
        bench, near={"security": Security(suite, ours, theirs)}, far={"security": Security(suite, theirs, ours)}
    )
    type_(bench, near, "secret")
    assert read(bench, far) == "secret"
    assert all(b"secret"[:3] not in out.data for out in bench.sent)


def test_strangers_nonsense_and_other_payloads_are_kept_out(bench):
    port = bench.port(kind="text")
    for data, source in (
        (RtpPacket(98, 0, 0, 5, b"hello").build(), OTHER),
        (b"\x80", PEER),
        (RtpPacket(100, 0, 0, 5, b"\xe2").build(), PEER),
        (RtpPacket(100, 0, 0, 5, b"\x60x").build(), PEER),
        (RtpPacket(98, 0, 0, 5, bytes(1500)).build(), PEER),
        (RtpPacket(8, 0, 0, 5, bytes(160)).build(), PEER),
    ):
        bench.give(port, data, source)
    stats = port.stats()
    assert (stats.strangers, stats.malformed, stats.unexpected_payload, stats.characters_received) == (1, 4, 1, 0)
    bench.give(port, RtpPacket(98, 1, 0, 5, b"ok").build())
    assert read(bench, port) == "ok"


def test_a_receiver_that_latches_answers_where_the_text_came_from(bench):
    near = bench.at(bench.port("near", connect=False, kind="text"), ("10.0.0.1", 4000))
    far = bench.at(bench.port("far", connect=False, kind="text"), ("10.0.0.2", 5000))
    bench.agree(far, None)
    bench.agree(near, ("10.0.0.2", 5000))
    with pytest.raises(MediaError, match="nobody has sent"):
        far.write("?")
    bench.run(1.0)
    type_(bench, far, "here")
    assert read(bench, near) == "here"


def test_a_text_port_does_not_play_and_a_speech_port_does_not_write(bench):
    text, speech = bench.port("text", kind="text"), bench.port("speech")
    with pytest.raises(MediaError, match="neither plays nor hears"):
        bench.engine.speech(text.number)
    with pytest.raises(MediaError, match="does not write"):
        bench.engine.text(speech.number)
    with pytest.raises(MediaError, match="audio or text"):
        bench.port("video", kind="video", connect=False)


def test_an_agreement_anew_keeps_what_waits(bench):
    near, far = pair(bench, cps=5)
    near.write("x" * 100)
    bench.run(2.0)
    bench.agree(near, ("10.0.0.2", 5000), cps=30)
    bench.run(10.0)
    assert read(bench, far) == "x" * 100
