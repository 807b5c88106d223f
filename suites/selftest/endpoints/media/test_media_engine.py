"""The engine without sockets: slots, agreement, whom it listens to, what it tells, and what nonsense does to it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.endpoints.media.engine import MAX_BEHIND_S, SLOT_S, SLOTS
from harness.endpoints.media.peer import MAX_STRANGERS, TAKEOVER_S
from harness.endpoints.media.sound import MAX_QUEUED_CLIPS, MAX_RECORDING_S, ClipQueue, Recorder, mix
from harness.endpoints.media.speech import HANGOVER_S, SpeechDetector
from harness.errors import MediaError
from harness.protocols.rtp import Bye, ReceiverReport, RtpPacket, build_compound
from harness.protocols.rtp.g711 import CODECS
from suites.selftest.endpoints.media.engine_bench import LOUD, OTHER, PEER, Bench, steady


@pytest.fixture
def bench():
    return Bench()


def test_an_engine_without_a_connected_port_has_nothing_due(bench):
    bench.port(connect=False)
    assert bench.engine.next_tick() is None
    assert list(bench.engine.tick()) == []


def test_packets_leave_every_20_ms_in_sequence_with_the_marker_first(bench):
    bench.port()
    bench.run(0.1)
    packets = [out.rtp for out in bench.sent]
    assert [p.sequence for p in packets] == [65535, 0, 1, 2, 3]
    assert [p.timestamp for p in packets] == [0, 160, 320, 480, 640]
    assert [p.marker for p in packets] == [True, False, False, False, False]
    assert {(p.payload, p.ssrc, p.payload_type) for p in packets} == {(b"\xd5" * 160, 1, 8)}
    assert np.allclose(np.diff([time for time, *_ in bench.sent]), 0.02)


def test_ports_are_spread_over_the_slots_of_a_frame(bench):
    for number in range(40):
        bench.port(str(number))
    bench.run(0.02)
    times = [round(time / SLOT_S) for time, *_ in bench.sent]
    assert times == sorted([*range(SLOTS), *range(40 - SLOTS)])


def test_hold_keeps_the_timestamps_going_and_marks_the_return(bench):
    port = bench.port()
    bench.run(0.04)
    bench.agree(port, send=False)
    bench.run(0.1)
    bench.agree(port)
    bench.run(0.02)
    last = bench.sent[-1].rtp
    assert len(bench.sent) == 3
    assert (last.sequence, last.timestamp, last.marker) == (1, 160 * 7, True)


def test_nothing_is_taken_before_the_agreement_or_while_not_receiving(bench):
    port = bench.port(connect=False)
    bench.give(port, RtpPacket(8, 0, 0, 5, LOUD))
    bench.agree(port, receive=False)
    bench.give(port, RtpPacket(8, 1, 0, 5, LOUD))
    assert port.stats().discarded == 2
    assert bench.told == []


def test_speech_is_told_with_its_own_times_and_level(bench):
    port = bench.port()
    bench.run(0.1)
    bench.speak(port, 25)
    bench.run(1.0)
    started, ended = (event for event in bench.told if event.kind.startswith("voice"))
    assert (started.kind, ended.kind) == ("voice.started", "voice.ended")
    assert started.time == pytest.approx(0.1 + 0.040, abs=0.021)
    assert ended.time - started.time == pytest.approx(0.5, abs=0.021)
    assert ended.data["level_dbov"] == pytest.approx(20 * np.log10(9000 / 2**0.5 / 32768), abs=0.5)


def test_a_stranger_is_dropped_counted_and_told_once(bench):
    port = bench.port()
    bench.speak(port, 3)
    for index in range(5):
        bench.give(port, RtpPacket(8, index, 0, 99, LOUD), OTHER)
        bench.give(port, RtpPacket(8, 2 * index, 0, 98, LOUD), PEER)  # the right address, another SSRC, never in order
    bench.give(port, RtpPacket(8, 3, 480, 77, LOUD))
    bench.give(port, b"\x00" * 40, OTHER)
    stats = port.stats()
    assert (stats.packets_received, stats.strangers, stats.malformed) == (4, 11, 0)
    strangers = [event for event in bench.told if event.kind == "rtp.stranger"]
    assert [event.data["reason"] for event in strangers] == ["address", "ssrc"]
    assert all(event.warning for event in strangers)


def test_a_crowd_of_strangers_is_told_up_to_a_bound(bench):
    port = bench.port()
    for number in range(MAX_STRANGERS * 3):
        bench.give(port, RtpPacket(8, 0, 0, 1, LOUD), ("127.0.0.1", 10000 + number))
    assert bench.kinds().count("rtp.stranger") == MAX_STRANGERS
    assert port.stats().strangers == MAX_STRANGERS * 3


def test_a_latching_port_follows_the_first_valid_source_and_answers_it(bench):
    port = bench.port(remote=None)
    bench.give(port, b"not rtp", OTHER)
    bench.run(0.04)
    assert bench.sent == []  # nobody to send to yet
    bench.speak(port, 2)
    bench.give(port, RtpPacket(8, 9, 0, 3, LOUD), OTHER)
    assert {to for *_, to in bench.sent} == {PEER}
    assert (port.stats().malformed, port.stats().strangers) == (1, 1)


def test_a_latch_opens_to_another_source_after_silence_or_goodbye(bench):
    port = bench.port(remote=None)
    port.rtcp.enabled = True
    bench.speak(port, 2)
    bench.run(TAKEOVER_S)
    bench.speak(port, 2, ssrc=78, source=OTHER)
    assert port.peer.address == OTHER
    port.control(build_compound([ReceiverReport(78), Bye((78,))]), (OTHER[0], OTHER[1] + 1), bench.now)
    assert port.peer.address is None
    bench.speak(port, 1, ssrc=79)
    assert (port.peer.address, port.stats().strangers) == (PEER, 0)
    assert bench.kinds().count("rtp.first_packet") == 3
    assert bench.kinds().count("rtp.bye") == 1


def test_the_named_peer_may_come_back_with_another_ssrc_after_a_pause(bench):
    port = bench.port()
    bench.speak(port, 5)
    bench.run(TAKEOVER_S)
    bench.speak(port, 5, first=40000, ssrc=78)
    stats = port.stats()
    assert (stats.packets_received, stats.lost, stats.strangers) == (10, 0, 0)


def test_what_was_lost_before_the_peer_changed_is_not_forgotten(bench):
    port = bench.port()
    bench.speak(port, 2)
    bench.speak(port, 2, first=5)
    bench.agree(port, OTHER)
    bench.speak(port, 2, first=900, source=OTHER)
    assert (port.stats().lost, port.stats().packets_received) == (3, 6)


def test_malformed_datagrams_are_counted_and_told_once_a_second(bench):
    port = bench.port()
    junk = [b"", b"\x80", b"\xff" * 50, RtpPacket(8, 0, 0, 1, bytes(1601)), RtpPacket(101, 0, 0, 1, b"abc")]
    for data in junk * 20:
        bench.give(port, data)
        bench.run(0.02)
    told = [event for event in bench.told if event.kind == "rtp.malformed"]
    assert port.stats().malformed == 100
    assert len(told) == 2
    assert told[1].data["count"] == 50
    bench.speak(port, 1)
    assert port.stats().packets_received == 1


def test_stun_of_a_peer_that_keeps_its_way_open_is_told_once_and_is_no_fault(bench):
    port = bench.port()
    for number in range(5):
        bench.give(port, bytes.fromhex("000100002112a442") + bytes([number]) * 12)
        bench.run(0.02)
    assert [event.kind for event in bench.told if event.kind in {"rtp.stun", "rtp.malformed"}] == ["rtp.stun"]
    bench.give(port, bytes.fromhex("000100002112a443") + bytes(12))
    assert port.stats().malformed == 1


def test_a_payload_type_that_was_not_agreed_is_told_once(bench):
    port = bench.port()
    for index in range(3):
        bench.give(port, RtpPacket(0, index, 0, 77, LOUD))
    assert port.stats().unexpected_payload == 3
    assert [event.data["payload_type"] for event in bench.told] == [0]


def test_tones_cross_between_two_engines_with_their_lengths(bench):
    far = Bench()
    near, other = bench.port(), far.port()
    near.talker.press("19#", duration_ms=100, gap_ms=50)
    bench.run(1.0)
    for out in bench.sent:
        far.run(out.time - far.now)
        far.give(other, out.data)
    digits = [(e.data["digit"], e.data["duration_ms"], e.data["ended"]) for e in far.told if e.kind == "dtmf.received"]
    assert digits == [("1", 100.0, True), ("9", 100.0, True), ("#", 100.0, True)]
    assert (near.stats().dtmf_sent, other.stats().dtmf_received, other.stats().concealed) == (3, 3, 0)


def test_a_tone_whose_end_is_lost_is_told_all_the_same(bench):
    port = bench.port()
    bench.give(port, RtpPacket(101, 0, 0, 77, bytes([5, 10, 0, 160])))
    bench.run(0.5)
    (event,) = [e for e in bench.told if e.kind == "dtmf.received"]
    assert (event.data["digit"], event.data["ended"]) == ("5", False)


def test_a_bridge_sends_on_what_its_sources_hear_mixed(bench):
    one, two = bench.port("one"), bench.port("two", OTHER)
    out = bench.port("out", ("127.0.0.1", 7004))
    bench.engine.hear(out.number, [one.number, two.number])
    for index in range(12):
        bench.give(one, RtpPacket(8, index, index * 160, 77, steady(3000)))
        bench.give(two, RtpPacket(8, index, index * 160, 78, steady(-9000)), OTHER)
        bench.run(0.02)
    last = [sent for sent in bench.sent if sent.stream is out][-1]
    assert CODECS["PCMA"].decode(last.rtp.payload) == pytest.approx(-6000, rel=0.05)
    bench.engine.remove_port(one.number, bench.now)
    assert out.sources == [two]


def test_mixing_saturates_instead_of_wrapping():
    loud = np.full(160, 30000, np.int16)
    assert mix([loud, loud]).tolist() == [32767] * 160
    assert mix([-loud, -loud, loud]).tolist() == [-30000] * 160


def test_clips_follow_each_other_and_their_ends_are_told(bench):
    port = bench.port()
    port.talker.clips.add(np.full(320, 5000, np.int16), loop=False)
    number, ahead = port.talker.clips.add(np.full(100, 6000, np.int16), loop=False)
    assert (number, ahead) == (2, 2)
    bench.run(0.1)
    decoded = [CODECS["PCMA"].decode(out.rtp.payload) for out in bench.sent]
    assert [round(int(frame[0]), -3) for frame in decoded] == [5000, 5000, 6000, 0, 0]
    assert decoded[2][99] > 5000 > decoded[2][100]
    ends = [(event.data["clip"], round(event.time, 3)) for event in bench.told if event.kind == "clip.ended"]
    assert ends == [(1, 0.04), (2, 0.06)]


def test_a_clip_that_loops_goes_on_until_it_is_stopped(bench):
    port = bench.port()
    port.talker.clips.add(np.full(160, 5000, np.int16), loop=True)
    with pytest.raises(MediaError, match="loops"):
        port.talker.clips.add(np.ones(160, np.int16), loop=False)
    bench.run(1.0)
    port.stop_clips(bench.now)
    bench.run(0.02)
    bench.told += bench.engine.events()
    assert bench.sent[-2].rtp.payload != b"\xd5" * 160
    assert bench.sent[-1].rtp.payload == b"\xd5" * 160
    assert [event.data["whole"] for event in bench.told if event.kind == "clip.ended"] == [False]


@pytest.mark.parametrize(
    "clip", [np.zeros(0, np.int16), np.zeros((2, 80), np.int16), np.zeros(160), np.zeros(8000 * 301, np.int16)]
)
def test_what_is_no_clip_is_refused(clip):
    with pytest.raises(MediaError):
        ClipQueue().add(clip, loop=False)


def test_the_clip_queue_has_a_bound():
    queue = ClipQueue()
    for _ in range(MAX_QUEUED_CLIPS):
        queue.add(np.ones(160, np.int16), loop=False)
    with pytest.raises(MediaError, match="queued"):
        queue.add(np.ones(160, np.int16), loop=False)


def test_a_recording_has_a_bound():
    recorder = Recorder()
    recorder.begin(5.0)
    recorder.pad(10**9, 6.0)
    recorder.frame(np.ones(160, np.int16), 7.0)
    start, samples = recorder.end()
    assert (start, len(samples)) == (6.0, MAX_RECORDING_S * 8000)
    with pytest.raises(MediaError, match="nothing is being recorded"):
        recorder.end()


def test_a_click_is_not_speech_and_a_short_pause_does_not_end_it():
    detector = SpeechDetector()
    loud, told, now = np.full(160, 5000, np.int16), [], 0.0
    pause = int(HANGOVER_S / 0.02) - 2
    for frame in [loud, *[None] * 5, *[loud] * 5, *[None] * pause, *[loud] * 5, *[None] * 40]:
        voice = detector.frame(frame, now, 0.02)
        if voice is not None:
            told.append((voice.started, round(voice.time, 2)))
        now += 0.02
    assert told == [(True, 0.12), (False, round(0.02 * (6 + 5 + pause + 5), 2))]


def test_clicks_far_apart_do_not_add_up_to_speech(bench):
    port = bench.port()
    bench.run(0.013)  # so that each lies across two frames
    for index in range(0, 200, 10):
        bench.give(port, RtpPacket(8, index, index * 160, 77, LOUD))
        bench.run(0.02)
        for quiet in range(1, 10):
            bench.give(port, RtpPacket(8, index + quiet, (index + quiet) * 160, 77, steady(0)))
            bench.run(0.02)
    assert [kind for kind in bench.kinds() if kind.startswith("voice")] == []


def test_control_from_a_stranger_or_of_nonsense_is_counted(bench):
    port = bench.port()
    port.control(b"\x80\xc9\x00\x01\0\0\0\0", ("192.0.2.1", 5005), 0.0)
    port.control(b"junk", ("127.0.0.1", 5005), 0.0)
    assert (port.stats().strangers, port.stats().malformed, port.stats().rtcp_received) == (1, 1, 0)


def test_a_little_lateness_is_made_up_and_a_long_sleep_is_skipped_and_told(bench):
    port = bench.port()
    port.listener.recorder.begin(0.0)
    bench.run(0.1)
    bench.engine.catch_up(bench.now + MAX_BEHIND_S - 0.1)
    bench.run(MAX_BEHIND_S)
    assert len(bench.sent) == 105
    bench.engine.catch_up(bench.now + 60)
    bench.told += bench.engine.events()
    bench.now += 60
    bench.run(0.1)
    assert len(bench.sent) in (110, 111)
    assert bench.kinds() == ["media.stalled"]
    _, samples = port.listener.recorder.end()
    assert len(samples) == pytest.approx(62.2 * 8000, abs=400)


@pytest.mark.parametrize(
    "agreed", [{"payload_type": 128}, {"dtmf_payload_type": 8}, {"dtmf_payload_type": -1}, {"codec": "G729"}]
)
def test_an_agreement_that_can_not_be_is_refused(bench, agreed):
    port = bench.port(connect=False)
    with pytest.raises(MediaError):
        bench.agree(port, **agreed)
    assert not port.connected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=80), st.booleans()), max_size=30))
def test_no_bytes_break_a_port_and_it_still_hears_its_peer(datagrams):
    bench = Bench()
    port = bench.port()
    for is_control, data, plausible in datagrams:
        if is_control:
            port.control(b"\x81\xc8" + data if plausible else data, PEER, bench.now)
        else:
            bench.give(port, b"\x90\x65" + data if plausible else data)
        bench.run(0.02)
    bench.run(TAKEOVER_S)
    before = port.stats().packets_received
    bench.speak(port, 5, ssrc=4242)
    assert port.stats().packets_received == before + 5
