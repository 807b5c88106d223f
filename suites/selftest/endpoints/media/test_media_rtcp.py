"""Reports between two ports: what they say of each other is what happened, in the place that was agreed."""

import itertools

import pytest

from harness.endpoints.media.impairment import Impairment
from harness.endpoints.media.sending import MUXED_RTCP, RTCP, RTP
from harness.protocols.rtp import (
    Bye,
    ReceiverReport,
    RtpPacket,
    SenderReport,
    SourceDescription,
    build_compound,
    parse_compound,
)
from suites.selftest.endpoints.media.engine_bench import LOUD, PEER, Bench


@pytest.fixture
def bench():
    return Bench()


def reports(bench, port, kind=RTCP):
    return [(out.time, parse_compound(out.data)) for out in bench.sent if out.stream is port and out.kind == kind]


def test_each_side_tells_what_it_sent_and_how_it_hears_the_other(bench):
    near, far = bench.pair()
    bench.run(30.0)
    first, *_, last = (packets for _, packets in reports(bench, near))
    assert isinstance(first[0], SenderReport)
    assert first[1] == SourceDescription(((1, ((1, b"near"),)),))
    (block,) = last[0].blocks
    assert (block.lost, block.fraction_lost, block.ssrc) == (0, 0, 2)
    assert last[0].packets == pytest.approx(reports(bench, near)[-1][0] * 50, abs=2)
    assert last[0].octets == last[0].packets * 160
    for port, other in ((near, "far"), (far, "near")):
        stats = port.stats()
        assert (stats.peer_lost, stats.peer_fraction_lost, stats.peer_cname) == (0, 0.0, other)
        assert stats.round_trip_ms == pytest.approx(0, abs=0.1)


def test_reports_come_at_random_between_half_and_one_and_a_half_of_the_interval(bench):
    near, _ = bench.pair()
    bench.run(200.0)
    times = [time for time, _ in reports(bench, near)]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert 1.25 / 1.21828 <= times[0] <= 2 * 3.75 / 1.21828  # the first after half the minimum
    assert all(2.5 / 1.21828 <= gap <= 2 * 7.5 / 1.21828 for gap in gaps)
    assert len({round(gap, 3) for gap in gaps}) > len(gaps) / 2
    assert 4.0 < sum(gaps) / len(gaps) < 6.5


def test_one_that_only_listens_sends_receiver_reports(bench):
    near, far = bench.pair(far={"send": False})
    bench.run(20.0)
    assert {type(packets[0]) for _, packets in reports(bench, far)} == {ReceiverReport}
    assert near.stats().peer_lost == 0


def test_loss_duplicates_and_jitter_are_reported_as_rfc_3550_counts_them(bench):
    near, far = bench.pair()
    near.impair(Impairment(loss=0.1, duplicate=0.05, jitter_ms=12), bench.now)
    bench.run(60.0)
    heard = far.stats()
    assert heard.lost > 100
    assert heard.duplicates > 50
    report = reports(bench, far)[-1][1][0].blocks[0]
    # a duplicate makes up for a loss in the report, and only there (appendix A.3)
    at = heard.lost - heard.duplicates
    assert report.lost == pytest.approx(at, abs=0.2 * abs(at) + 30)
    assert near.stats().peer_lost == report.lost
    assert near.stats().peer_jitter_ms == pytest.approx(report.jitter / 8, abs=0.01)
    assert 2 < heard.jitter_ms < 8


def test_a_fraction_is_of_the_time_since_the_last_report(bench):
    near, far = bench.pair()
    bench.run(20.0)
    near.impair(Impairment(loss=0.5), bench.now)
    bench.run(30.0)
    near.impair(None, bench.now)
    bench.run(30.0)
    fractions = [packets[0].blocks[0].fraction_lost / 256 for time, packets in reports(bench, far)]
    assert fractions[0] == fractions[-1] == 0
    assert 0.35 < max(fractions) < 0.65


def test_the_round_trip_is_what_the_network_took(bench):
    near, _ = bench.pair()
    # the far side's report leaves 80 ms after it was written
    taken = []
    bench.deliver = lambda *out: taken.append((bench.now, out))
    for _ in range(600):
        bench.run(0.02)
        while taken and bench.now - taken[0][0] >= 0.08 - 1e-9:
            _, out = taken.pop(0)
            Bench.deliver(bench, *out)
    assert near.stats().round_trip_ms == pytest.approx(160, abs=25)


def test_a_goodbye_is_told_and_the_next_speaker_let_in(bench):
    port = bench.port(remote=None)
    port.rtcp.enabled = True
    bench.speak(port, 3)
    port.control(build_compound([ReceiverReport(77), Bye((77,))]), (PEER[0], PEER[1] + 1), bench.now)
    bench.run(0.02)
    assert [event.data["ssrc"] for event in bench.of("rtp.bye")] == ["0x0000004d"]
    bench.speak(port, 1, ssrc=78)
    assert port.stats().packets_received == 4


def test_a_closed_port_says_goodbye(bench):
    near, _ = bench.pair()
    bench.run(1.0)
    _, goodbye = bench.engine.remove_port(near.number, bench.now)
    assert Bye((1,)) in parse_compound(goodbye[0][2])


def test_reports_go_where_the_other_side_asked_for_them(bench):
    port = bench.port(rtcp=("192.0.2.5", 9999))
    port.rtcp.enabled = True
    bench.agree(port, rtcp=("192.0.2.5", 9999))
    bench.run(10.0)
    assert {out.to for out in bench.sent if out.kind == RTCP} == {("192.0.2.5", 9999)}
    port.control(build_compound([ReceiverReport(5)]), ("192.0.2.5", 9999), bench.now)
    assert port.stats().rtcp_received == 1


def test_shared_ports_carry_both_and_tell_them_apart(bench):
    near, far = bench.pair(rtcp_mux=True)
    bench.run(20.0)
    assert reports(bench, near) == []
    assert len(reports(bench, near, MUXED_RTCP)) >= 3
    assert {out.to for out in bench.sent if out.stream is near} == {("10.0.0.2", 5000)}
    stats = far.stats()
    assert stats.rtcp_received >= 3
    assert stats.packets_received == len([out for out in bench.sent if out.stream is near and out.kind == RTP])
    assert (stats.malformed, stats.unexpected_payload) == (0, 0)


def test_rtcp_on_the_rtp_port_is_refused_where_sharing_was_not_agreed(bench):
    port = bench.port()
    bench.give(port, build_compound([ReceiverReport(5)]))
    assert (port.stats().malformed, port.stats().rtcp_received) == (1, 0)
    assert "RFC 5761" in bench.of("rtp.malformed")[0].data["reason"]


def test_a_peer_that_speaks_under_our_ssrc_in_reports_collides_too(bench):
    port = bench.port()
    bench.speak(port, 1)
    port.control(build_compound([ReceiverReport(1)]), (PEER[0], PEER[1] + 1), bench.now)
    assert port.stats().collisions == 1


def test_nothing_is_reported_to_nobody(bench):
    port = bench.port(remote=None)
    port.rtcp.enabled = True
    bench.agree(port, remote=None)
    bench.run(30.0)
    assert bench.sent == []
    bench.give(port, RtpPacket(8, 0, 0, 5, LOUD))
    bench.run(10.0)
    assert port.stats().rtcp_sent >= 1
