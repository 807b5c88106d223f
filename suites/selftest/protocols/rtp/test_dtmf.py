"""Telephone events: the packets RFC 4733 wants, and one tone for each event whatever is lost or doubled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import MediaError, RtpError
from harness.protocols.rtp import DtmfEvent, DtmfReceiver, DtmfSender, Tone
from harness.protocols.rtp.dtmf import DIGITS, MAX_QUEUED_DIGITS


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


def test_what_is_not_a_digit_is_named_by_number():
    assert Tone(16, 800, 0, ended=True).digit == "event 16"


@pytest.mark.parametrize(
    ("digits", "timing"),
    [("", {}), ("5E", {}), ("5", {"duration": 100}), ("5", {"duration": 70000}), ("5", {"gap": -1}),
     ("1" * (MAX_QUEUED_DIGITS + 1), {})],
)  # fmt: skip
def test_what_can_not_be_sent_is_our_own_error(digits, timing):
    sender = DtmfSender()
    with pytest.raises(MediaError):
        sender.queue(digits, **timing)
    assert not sender.active
