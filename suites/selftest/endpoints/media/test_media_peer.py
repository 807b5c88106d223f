"""Whom a port listens to: SSRC changes, symmetric RTP, collisions and loops, each by its stated rule."""

import pytest

from harness.endpoints.media.peer import CHANGE_PACKETS, LATCH_PACKETS, MAX_STRANGERS, TAKEOVER_S
from harness.endpoints.media.sending import RTCP
from harness.endpoints.media.stream import MAX_CHANGES_TOLD
from harness.protocols.rtp import Bye, ReceiverReport, RtpPacket, build_compound, parse_compound
from suites.selftest.endpoints.media.engine_bench import LOUD, OTHER, PEER, Bench

ELSEWHERE = ("192.0.2.9", 7004)
SAME_HOST = (PEER[0], 9004)


@pytest.fixture
def bench():
    return Bench()


def test_a_peer_that_changes_its_ssrc_is_heard_on_and_told_of(bench):
    port = bench.port()
    bench.speak(port, 10)
    bench.speak(port, 10, first=40000, ssrc=0x99)
    stats = port.stats()
    assert (stats.packets_received, stats.lost, stats.strangers, stats.ssrc_changes) == (20, 0, 0, 1)
    (changed,) = bench.of("rtp.ssrc_changed")
    assert changed.data == {"remote": "127.0.0.1:5004", "ssrc": "0x00000099"}
    assert changed.time == pytest.approx(0.2 + (CHANGE_PACKETS - 1) * 0.02)


def test_two_ssrcs_at_once_leave_the_first_one_in_place(bench):
    port = bench.port()
    for index in range(50):
        bench.speak(port, 1, first=index)
        bench.give(port, RtpPacket(8, index, index * 160, 0x99, LOUD))
    stats = port.stats()
    assert (stats.packets_received, stats.strangers, stats.ssrc_changes) == (50, 49, 0)
    assert [event.data["reason"] for event in bench.of("rtp.stranger")] == ["ssrc"]


def test_a_crowd_of_ssrcs_is_bounded_and_the_peer_is_heard_afterwards(bench):
    port = bench.port()
    bench.speak(port, 5)
    for ssrc in range(1000, 3000):
        bench.give(port, RtpPacket(8, 0, 0, ssrc, LOUD))
    bench.speak(port, 5, first=5)
    stats = port.stats()
    assert (stats.packets_received, stats.strangers) == (10, 2000)
    assert len(bench.of("rtp.stranger")) == 1


def test_endless_changes_are_counted_and_told_up_to_a_bound(bench):
    port = bench.port()
    for ssrc in range(100, 200):
        bench.speak(port, 4, ssrc=ssrc)
    assert port.stats().ssrc_changes == 99
    assert len(bench.of("rtp.ssrc_changed")) == MAX_CHANGES_TOLD


def test_media_from_elsewhere_is_a_stranger_unless_that_was_agreed(bench):
    port = bench.port()
    bench.speak(port, 20, source=SAME_HOST)
    assert (port.stats().packets_received, port.stats().strangers) == (0, 20)
    assert {out.to for out in bench.sent} == {PEER}


@pytest.mark.parametrize(
    ("rule", "source", "latched"),
    [("port", SAME_HOST, True), ("port", ELSEWHERE, False), ("any", SAME_HOST, True), ("any", ELSEWHERE, True)],
)
def test_symmetric_rtp_answers_where_media_comes_from_within_its_rule(bench, rule, source, latched):
    port = bench.port(symmetric=rule)
    bench.speak(port, 20, source=source)
    assert port.stats().packets_received == (20 if latched else 0)
    assert bench.sent[-1].to == (source if latched else PEER)
    told = bench.of("rtp.latched")
    assert [event.data for event in told] == (
        [{"remote": f"{source[0]}:{source[1]}", "signalled": "127.0.0.1:5004"}] if latched else []
    )
    if latched:
        assert told[0].time == pytest.approx((LATCH_PACKETS - 1) * 0.02)


def test_the_signalled_address_is_preferred_and_then_kept(bench):
    port = bench.port(symmetric="any")
    bench.speak(port, LATCH_PACKETS - 1, source=ELSEWHERE, ssrc=5)
    bench.speak(port, 1)
    bench.speak(port, 30, source=ELSEWHERE, ssrc=5, first=100)
    stats = port.stats()
    assert (stats.packets_received, stats.strangers) == (1, LATCH_PACKETS - 1 + 30 - _after_silence(30))
    assert bench.of("rtp.latched") == []


def _after_silence(packets):
    """Those that come once the peer has been silent for so long that anybody may take over: none of thirty."""
    return max(0, packets - round(TAKEOVER_S / 0.02))


def test_a_latched_source_is_followed_no_further_while_it_speaks(bench):
    port = bench.port(symmetric="any")
    bench.speak(port, 10, source=ELSEWHERE, ssrc=5)
    for index in range(20):
        bench.speak(port, 1, source=ELSEWHERE, ssrc=5, first=10 + index)
        bench.give(port, RtpPacket(8, index, 0, 6, LOUD), OTHER)
    assert (port.stats().packets_received, port.stats().strangers) == (30, 20)
    assert bench.sent[-1].to == ELSEWHERE


def test_scattered_packets_from_elsewhere_never_latch(bench):
    port = bench.port(symmetric="any")
    for index in range(40):
        bench.speak(port, 1, first=index * 7, source=ELSEWHERE)
    assert port.stats().packets_received == 0
    assert bench.of("rtp.latched") == []


def test_strangers_are_told_up_to_a_bound_also_with_symmetric_rtp(bench):
    port = bench.port(symmetric="any")
    for number in range(3 * MAX_STRANGERS):
        bench.give(port, RtpPacket(8, 0, 0, 1, LOUD), ("192.0.2.1", 10_000 + number))
    assert len(bench.of("rtp.stranger")) <= MAX_STRANGERS


def test_a_collision_is_answered_with_goodbye_and_a_new_ssrc(bench):
    port = bench.port()
    port.rtcp.enabled = True
    bench.run(0.1)
    own = bench.rtp(port)[-1].ssrc
    bench.speak(port, 5, ssrc=own)
    bench.run(0.1)
    (told,) = bench.of("rtp.collision")
    assert told.warning
    assert told.data["ssrc"] == f"0x{own:08x}"
    goodbyes = [packet for out in bench.sent if out.kind == RTCP for packet in parse_compound(out.data)]
    assert Bye((own,)) in goodbyes
    after = {packet.ssrc for packet in bench.rtp(port)[-5:]}
    assert len(after) == 1
    assert own not in after
    stats = port.stats()
    assert (stats.collisions, stats.packets_received, stats.strangers) == (1, 5, 0)


def test_an_echo_is_a_loop_told_once_and_heard(bench):
    port = bench.port()
    for _ in range(60):
        before = len(bench.sent)
        bench.run(0.02)
        for out in bench.sent[before:]:
            bench.give(port, out.data)  # as SIPp -rtp_echo does
    stats = port.stats()
    assert (stats.collisions, stats.ssrc_changes) == (1, 1)
    assert stats.packets_received >= 57
    assert stats.looped >= 55
    assert len(bench.of("rtp.loop")) == 1


def test_a_latched_peer_that_says_goodbye_while_nothing_is_said_is_sent_to_no_more(bench):
    port = bench.port(remote=None)
    port.rtcp.enabled = True
    bench.speak(port, 3)
    bench.run(2.0)
    assert port.quiet  # nothing to hear, nothing to say but silence
    port.control(build_compound([ReceiverReport(77), Bye((77,))]), (PEER[0], PEER[1] + 1), bench.now)
    before = len(bench.sent)
    bench.run(1.0)
    assert bench.sent[before:] == []


def test_reports_after_a_change_of_ours_count_from_it(bench):
    near, far = bench.pair()
    bench.run(1.0)
    near._collide(("192.0.2.7", 1), bench.now)
    bench.run(10.0)
    assert near.stats().peer_lost == 0
    assert far.stats().ssrc_changes == 1
    assert far.stats().lost == 0
