"""Telephone events: the packets RFC 4733 wants, and one tone for each event whatever is lost or doubled."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import MediaError, RtpError
from harness.protocols.rtp import DtmfEvent, DtmfReceiver, DtmfSender, Tone
from harness.protocols.rtp.dtmf import DIGITS, MAX_DURATION, MAX_QUEUED_DIGITS, MAX_SEGMENTS, SEGMENT


def packets(digits, *, duration=800, gap=800, start=1000):
    sender = DtmfSender()
    sender.queue(digits, duration=duration, gap=gap)
    sent, timestamp = [], start
    while sender.active:
        sent.append((timestamp, sender.next_packet(timestamp % 2**32)))
        timestamp += 160
    return sent


def test_an_event_grows_from_its_start_and_ends_three_times():
    sent = [packet for _, packet in packets("5", duration=480, gap=0)]
    assert [(p.event.duration, p.event.end, p.marker, p.last) for p in sent] == [
        (160, False, True, False),
        (320, False, False, False),
        (480, True, False, False),
        (480, True, False, False),
        (480, True, False, True),
    ]
    assert {(p.timestamp, p.event.event) for p in sent} == {(1000, 5)}


def test_the_gap_is_free_for_audio():
    sent = packets("12", duration=320, gap=800)
    begun = [timestamp for timestamp, packet in sent if packet is not None and packet.marker]
    assert begun[1] - begun[0] == 320 + 800
    assert [packet for _, packet in sent].count(None) == 2 * 3  # two of the gap's five frames repeat the end


@given(st.integers(0, 255), st.booleans(), st.integers(0, 63), st.integers(0, 65535))
def test_payloads_round_trip(event, end, volume, duration):
    payload = DtmfEvent(event, end, volume, duration)
    assert DtmfEvent.parse(payload.build()) == payload


@given(st.binary(max_size=12))
def test_any_payload_is_an_event_or_an_rtp_error(payload):
    if len(payload) == 4:
        DtmfEvent.parse(payload)
    else:
        with pytest.raises(RtpError):
            DtmfEvent.parse(payload)


@given(
    st.text(DIGITS, min_size=1, max_size=6),
    st.integers(0, 2**32 - 1),
    st.integers(160, 2000),
    st.randoms(use_true_random=False),
)
def test_every_digit_is_heard_once_when_packets_are_doubled_and_two_of_three_ends_lost(digits, start, duration, rng):
    receiver, heard, ends = DtmfReceiver(), [], 0
    for _, packet in packets(digits, duration=duration, start=start):
        if packet is None:
            continue
        if packet.event.end:
            ends += 1
            if ends % 3 != 2:
                continue
        for _ in range(rng.choice([1, 2])):
            heard += receiver.receive(packet.timestamp, packet.event)
    assert "".join(tone.digit for tone in heard) == digits
    assert all(tone.duration == duration and tone.ended for tone in heard)


def test_an_event_whose_ends_are_all_lost_is_reported_at_the_next_one_or_on_giving_up():
    receiver = DtmfReceiver()
    assert receiver.receive(1000, DtmfEvent(1, False, 10, 160)) == []
    assert receiver.receive(1000, DtmfEvent(1, False, 10, 320)) == []
    assert receiver.receive(3000, DtmfEvent(2, False, 10, 160)) == [Tone(1, 320, 1000, ended=False)]
    assert receiver.receive(1000, DtmfEvent(1, False, 10, 480)) == []  # a straggler
    assert receiver.active
    assert receiver.give_up() == [Tone(2, 160, 3000, ended=False)]
    assert receiver.give_up() == []


def test_segments_of_a_long_event_are_one_tone():
    receiver = DtmfReceiver()
    assert receiver.receive(500, DtmfEvent(3, False, 10, 65535)) == []
    assert receiver.receive(500 + 65535, DtmfEvent(3, False, 10, 160)) == []
    assert receiver.receive(500 + 65535, DtmfEvent(3, True, 10, 400)) == [Tone(3, 65935, 500, ended=True)]


def test_a_long_event_is_sent_in_segments_and_heard_as_one():
    sent = [packet for _, packet in packets("#", duration=150_000, gap=0, start=2**32 - 70_000)]
    starts = list(dict.fromkeys(packet.timestamp for packet in sent))
    assert starts == [2**32 - 70_000, 2**32 - 70_000 + SEGMENT, 2 * SEGMENT - 70_000]
    assert [packet.marker for packet in sent].count(True) == 1
    for start in starts[:-1]:
        last = [packet.event for packet in sent if packet.timestamp == start][-1]
        assert (last.duration, last.end) == (SEGMENT, False)  # RFC 4733 section 2.5.1.3
    assert [packet.event.end for packet in sent[-4:]] == [False, True, True, True]
    assert sent[-1].event.duration == 150_000 - 2 * SEGMENT
    receiver = DtmfReceiver()
    heard = [tone for packet in sent for tone in receiver.receive(packet.timestamp, packet.event)]
    assert heard == [Tone(11, 150_000, 2**32 - 70_000, ended=True)]


@pytest.mark.parametrize("duration", [SEGMENT - 1, SEGMENT, SEGMENT + 1, SEGMENT + 159, SEGMENT + 161, 2 * SEGMENT])
def test_an_event_as_long_as_a_segment_or_nearly_ends_once(duration):
    sent = [packet for _, packet in packets("1", duration=duration, gap=0)]
    assert [packet.event.end for packet in sent].count(True) == 3
    receiver = DtmfReceiver()
    heard = [tone for packet in sent for tone in receiver.receive(packet.timestamp, packet.event)]
    assert [(tone.duration, tone.ended) for tone in heard] == [(duration, True)]


@given(st.integers(2 * SEGMENT, 4 * SEGMENT), st.integers(0, 2**32))
def test_a_long_event_is_one_tone_whatever_is_lost_of_it_but_the_end(duration, seed):
    rng = random.Random(seed)
    sent = [packet for _, packet in packets("7", duration=duration, gap=0)]
    starts = {packet.timestamp for packet in sent}
    kept = {rng.choice([p for p in sent if p.timestamp == start]).event for start in starts}
    receiver = DtmfReceiver()
    heard = []
    for packet in sent:
        if packet.last or packet.event in kept or rng.random() < 0.1:
            heard += receiver.receive(packet.timestamp, packet.event)
    assert [(tone.duration, tone.ended) for tone in heard] == [(duration, True)]


def test_an_event_without_end_is_cut_into_tones_of_a_bounded_length():
    receiver, heard = DtmfReceiver(), []
    for segment in range(2 * MAX_SEGMENTS + 1):
        heard += receiver.receive(segment * SEGMENT % 2**32, DtmfEvent(1, False, 10, SEGMENT))
    assert [tone.duration for tone in heard] == [MAX_SEGMENTS * SEGMENT] * 2


def test_an_event_whose_first_packets_were_lost_is_heard_whole():
    sent = [packet for _, packet in packets("9", duration=1600)]
    receiver = DtmfReceiver()
    heard = [tone for packet in sent[6:] if packet for tone in receiver.receive(packet.timestamp, packet.event)]
    assert [(tone.digit, tone.duration, tone.timestamp) for tone in heard] == [("9", 1600, 1000)]


def test_the_volume_is_sent_and_told():
    sender = DtmfSender()
    sender.queue("1", volume=36)
    packet = sender.next_packet(0)
    assert packet.event.volume == 36
    (tone,) = [*DtmfReceiver().receive(0, DtmfEvent(1, True, 36, 800))]
    assert tone.volume == 36


def test_events_keep_the_streams_timestamps_where_its_clock_is_another():
    sender = DtmfSender(frame=160, step=960)  # Opus at 48 kHz with telephone-event/8000
    sender.queue("1", duration=SEGMENT + 800)
    stamps = {}
    for frame in range(500):
        packet = sender.next_packet(frame * 960)
        if packet is not None:
            stamps.setdefault(packet.timestamp, packet.event.duration)
    assert list(stamps) == [0, SEGMENT * 6]


def test_what_is_not_a_digit_is_named_by_number():
    assert Tone(16, 800, 0, ended=True).digit == "event 16"


@pytest.mark.parametrize(
    ("digits", "timing"),
    [("", {}), ("5E", {}), ("5", {"duration": 100}), ("5", {"duration": MAX_DURATION + 1}), ("5", {"volume": 64}),
     ("5", {"gap": -1}), ("1" * (MAX_QUEUED_DIGITS + 1), {})],
)  # fmt: skip
def test_what_can_not_be_sent_is_our_own_error(digits, timing):
    sender = DtmfSender()
    with pytest.raises(MediaError):
        sender.queue(digits, **timing)
    assert not sender.active
