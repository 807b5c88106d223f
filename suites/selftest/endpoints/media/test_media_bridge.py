"""Conferences: each party hears all the others and never itself, exactly; and what a switch does to parties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.endpoints.media.bridge import MAX_PARTIES, Bridge
from harness.endpoints.media.engine import MAX_BRIDGES
from harness.errors import MediaError
from harness.protocols.rtp import RtpPacket
from harness.protocols.rtp.g711 import CODECS
from suites.selftest.endpoints.media.engine_bench import Bench, steady

LAW = CODECS["PCMA"]


@pytest.fixture
def bench():
    return Bench()


def parties(bench, count, bridge=None, **join):
    """Ports in one conference, each with a peer of its own that is spoken for by hand."""
    bridge = bridge or bench.engine.add_bridge("conference", 8000)
    ports = []
    for number in range(count):
        port = bench.port(f"party {number}", remote=("10.0.1.1", 4000 + 2 * number))
        port.join(bridge, **{"speak": True, "hear": True} | join)
        ports.append(port)
    return bridge, ports


def say(bench, ports, levels, seconds=0.5):
    """Have each peer say a steady level for a while; return the level that each party is sent at the end."""
    first = round(bench.now / 0.02)
    for index in range(first, first + round(seconds / 0.02)):
        for port, level in zip(ports, levels, strict=True):
            if level is not None:
                bench.give(port, RtpPacket(8, index, index * 160, 77, steady(level)), port.peer.address)
        bench.run(0.02)
    return [int(LAW.decode(bench.rtp(port)[-1].payload)[80]) for port in ports]


def test_each_of_thirty_hears_all_the_others_and_not_itself(bench):
    levels = [(-1) ** number * (120 + 40 * number) for number in range(30)]
    _, ports = parties(bench, 30)
    heard = say(bench, ports, levels)
    spoken = [int(LAW.decode(steady(level))[0]) for level in levels]
    for own, level in zip(spoken, heard, strict=True):
        due = sum(spoken) - own
        assert level == int(LAW.decode(LAW.encode(np.array([due], np.int16)))[0])


def test_what_is_too_loud_is_saturated_and_nobody_is_lost_in_it(bench):
    _, ports = parties(bench, 4)
    loudest = int(LAW.decode(LAW.encode(np.array([32767], np.int16)))[0])
    assert say(bench, ports, [30_000, 30_000, 30_000, 30_000]) == [loudest] * 4
    assert say(bench, ports, [30_000, 30_000, 30_000, -30_000])[3] == loudest
    assert say(bench, ports, [None, 5000, None, None])[0] == pytest.approx(5000, rel=0.03)


def test_the_quiet_are_not_mixed_and_cost_nothing(bench):
    bridge, ports = parties(bench, 5)
    heard = say(bench, ports, [4000, None, None, None, None])
    assert heard[0] == 8  # silence, as G.711 has it
    assert heard[1:] == [int(LAW.decode(steady(4000))[0])] * 4
    assert bridge._saying == 1


def test_one_who_listens_only_is_not_heard_and_one_who_speaks_only_hears_nothing(bench):
    bridge, ports = parties(bench, 3)
    ports[0].join(bridge, speak=False, hear=True)
    ports[1].join(bridge, speak=True, hear=False)
    heard = say(bench, ports, [8000, 4000, 2000])
    assert heard[0] == pytest.approx(6000, rel=0.03)
    assert heard[1] == 8
    assert heard[2] == pytest.approx(4000, rel=0.03)


def test_who_leaves_is_heard_no_more_and_hears_no_more(bench):
    _, ports = parties(bench, 3)
    say(bench, ports, [8000, 4000, 2000])
    ports[0].leave()
    heard = say(bench, ports, [8000, 4000, 2000])
    assert heard == [8, pytest.approx(2000, rel=0.03), pytest.approx(4000, rel=0.03)]


def test_a_closed_port_and_a_closed_bridge_leave_the_others_sound(bench):
    bridge, ports = parties(bench, 3)
    say(bench, ports, [8000, 4000, 2000])
    bench.engine.remove_port(ports[0].number, bench.now)
    assert say(bench, ports[1:], [4000, 2000]) == [pytest.approx(2000, rel=0.03), pytest.approx(4000, rel=0.03)]
    bench.engine.remove_bridge(bridge.number)
    assert say(bench, ports[1:], [4000, 2000]) == [8, 8]
    with pytest.raises(MediaError, match="closed"):
        bench.engine.bridge(bridge.number)


def test_a_port_is_in_one_conference_at_a_time(bench):
    _, ports = parties(bench, 2)
    other = bench.engine.add_bridge("other", 8000)
    ports[0].join(other, speak=True, hear=True)
    assert say(bench, ports, [8000, 4000]) == [8, 8]


def test_an_announcement_to_one_party_is_mixed_over_the_conference(bench):
    _, ports = parties(bench, 2)
    ports[0].play(np.full(8000, 1000, np.int16), 8000, loop=True)
    heard = say(bench, ports, [None, 4000])
    assert heard[0] == pytest.approx(5000, rel=0.03)
    assert heard[1] == 8


def test_a_muted_party_is_not_heard_and_one_muted_towards_its_peer_sends_silence(bench):
    _, ports = parties(bench, 3)
    ports[0].mute(outgoing=False, incoming=True)
    ports[1].mute(outgoing=True, incoming=False)
    heard = say(bench, ports, [8000, 4000, 2000])
    assert heard == [pytest.approx(6000, rel=0.03), 8, pytest.approx(4000, rel=0.03)]
    ports[0].mute(outgoing=False, incoming=False)
    ports[1].mute(outgoing=False, incoming=False)
    assert say(bench, ports, [8000, 4000, 2000])[1] == pytest.approx(10_000, rel=0.03)


def test_a_supervisor_hears_both_sides_of_a_call_that_goes_on(bench):
    """Monitoring: a port that hears two others, which hear each other."""
    caller, taker, supervisor = (bench.port(name, remote=("10.0.1.1", 4000 + 2 * n)) for n, name in enumerate("abc"))
    caller.hear([taker])
    taker.hear([caller])
    supervisor.hear([caller, taker])
    heard = say(bench, [caller, taker, supervisor], [8000, 2000, 500])
    assert heard == [pytest.approx(2000, rel=0.03), pytest.approx(8000, rel=0.03), pytest.approx(10_000, rel=0.03)]


def test_narrow_and_wide_parties_hear_each_other(bench):
    pytest.importorskip("av")
    bridge = bench.engine.add_bridge("wide", 16_000)
    _, (narrow, other) = parties(bench, 2, bridge)
    wide = bench.port("wide", remote=("10.0.2.1", 6000), codec="G722", payload_type=9)
    wide.join(bridge, speak=True, hear=True)
    tone = (np.sin(np.arange(160) * 2 * np.pi / 16) * 6000).astype(np.int16)
    wide.listener.recorder.begin(bench.now)
    for index in range(50):
        bench.give(narrow, RtpPacket(8, index, index * 160, 77, LAW.encode(tone)), narrow.peer.address)
        bench.run(0.02)
    sent = LAW.decode(bench.rtp(other)[-1].payload)
    assert np.abs(sent).max() == pytest.approx(6000, rel=0.1)
    assert {len(packet.payload) for packet in bench.rtp(wide)} == {160}


def test_bounds(bench):
    bridge, _ = parties(bench, MAX_PARTIES)
    with pytest.raises(MediaError, match=f"{MAX_PARTIES} ports"):
        parties(bench, 1, bridge)
    with pytest.raises(MediaError, match="44100"):
        bench.engine.add_bridge("odd", 44_100)
    for number in range(MAX_BRIDGES - 1):
        bench.engine.add_bridge(str(number), 8000)
    with pytest.raises(MediaError, match=f"{MAX_BRIDGES} bridges"):
        bench.engine.add_bridge("one more", 8000)


class Party:
    """A port as a bridge sees it."""


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from(["join", "leave", "say", "silence"]), st.integers(0, 7), st.integers(-32768, 32767)),
        max_size=120,
    )
)
def test_the_running_sum_is_always_the_sum_of_what_is_said(steps):
    bridge, ports, saying = Bridge(1, "x", 8000), [Party() for _ in range(8)], {}
    joined = set()
    for what, who, level in steps:
        port = ports[who]
        if what == "join":
            bridge.join(port, speak=True, hear=True)
            joined.add(who)
        elif what == "leave":
            bridge.leave(port)
            joined.discard(who)
            saying.pop(who, None)
        elif who in joined:
            frame = np.full(160, level, np.int16) if what == "say" else None
            bridge.said(port, frame, 8000)
            saying.pop(who, None)
            if frame is not None:
                saying[who] = level
        for each in joined:
            heard = bridge.for_party(ports[each], 8000)
            others = [value for key, value in saying.items() if key != each]
            if not others:
                assert heard is None
            else:
                assert int(heard[0]) == max(-32768, min(32767, sum(others)))
