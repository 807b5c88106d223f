"""A radio session: keep-alives, their loss that unkeys, PTT and squelch told once, delays found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.protocols.ed137.extension import Layout, Ptt, RadioState, mislabelled
from harness.protocols.ed137.features import SignalQuality
from harness.protocols.ed137.session import (
    MAX_FINDINGS,
    Changed,
    Delays,
    Event,
    Finding,
    LinkLost,
    LinkUp,
    Measured,
    RadioSession,
    Side,
)
from harness.protocols.ed137.terms import RadioTerms
from harness.protocols.rtp.rtp import Extension, RtpPacket

TERMS = RadioTerms(ptt_id=5)
PCMA = 8


def pair(terms: RadioTerms = TERMS, **radio: object) -> tuple[RadioSession, RadioSession]:
    """A control room's end and the radio's, at time 0."""
    return RadioSession(Side.ROOM, terms, 0.0, ssrc=1), RadioSession(Side.RADIO, terms, 0.0, ssrc=2, **radio)  # type: ignore[arg-type]


def over(session: RadioSession, peer: RadioSession, now: float) -> list[Event]:
    """Carry what is due from one to the other, as bytes."""
    packet = session.tick(now)
    return [] if packet is None else peer.receive(RtpPacket.parse(packet.build()), now)


def test_a_keep_alive_goes_out_at_once_and_a_period_after_whatever_was_sent_last() -> None:
    room, _ = pair()
    first = room.tick(0.0)
    assert first is not None
    assert (first.payload_type, first.payload) == (123, b"")
    assert room.tick(0.199) is None
    room.speech(PCMA, bytes(160), 0.1)
    assert room.tick(0.299) is None
    assert room.next_at == pytest.approx(0.3)
    assert room.tick(room.next_at) is not None


def test_sequence_and_timestamp_go_on_from_speech_to_keep_alive() -> None:
    room, _ = pair()
    packets = [room.speech(PCMA, bytes(160), 0.02), room.speech(PCMA, bytes(160), 0.04), room.tick(0.25)]
    assert [(each.sequence, each.timestamp) for each in packets if each] == [(0, 160), (1, 320), (2, 2000)]


def test_a_ptt_is_told_at_once_under_the_id_that_the_radio_gave() -> None:
    room, radio = pair()
    over(room, radio, 0.0)
    room.key(Ptt.PRIORITY, 0.05)
    assert over(room, radio, 0.05) == [Changed(RadioState(Ptt.PRIORITY, ptt_id=5), RadioState())]
    assert over(room, radio, 0.25) == []
    room.key(Ptt.OFF, 0.3)
    assert over(room, radio, 0.3) == [Changed(RadioState(), RadioState(Ptt.PRIORITY, ptt_id=5))]


def test_a_ptt_under_another_id_is_found() -> None:
    room, radio = pair()
    room.say(RadioState(Ptt.NORMAL, ptt_id=6), 0.0)
    assert Finding("PTT under id 6, which was to be 5") in over(room, radio, 0.0)


def test_squelch_and_signal_quality_are_heard() -> None:
    room, radio = pair()
    state = RadioState(squelch=True, features=(SignalQuality(11),))
    radio.say(state, 0.0)
    assert over(radio, room, 0.0) == [LinkUp(), Changed(state, RadioState())]
    assert room.heard.quality == SignalQuality(11)


def test_a_radio_that_hears_nothing_for_ten_periods_unkeys_and_takes_up_again_with_the_next_packet() -> None:
    room, radio = pair()
    room.key(Ptt.NORMAL, 0.0)
    over(room, radio, 0.0)
    assert radio.check(1.999) == []
    keyed = RadioState(Ptt.NORMAL, ptt_id=5)
    assert radio.check(2.0) == [LinkLost(2.0), Changed(RadioState(), keyed)]
    assert radio.check(9.0) == []
    assert over(room, radio, 9.0) == [LinkUp(), Changed(keyed, RadioState())]


def test_a_peer_that_never_comes_is_lost_too() -> None:
    room, _ = pair()
    assert room.check(2.0) == [LinkLost(2.0)]


@given(st.floats(0.0, 0.4), st.floats(0.0, 0.05), st.floats(0.0, 1000.0))
def test_the_delay_on_the_way_is_found_whatever_the_radio_takes_to_answer(
    way: float, thinks: float, now: float
) -> None:
    room, radio = pair(delays=Delays(jitter_buffer=0.06, inside=0.003))
    room.measure(now)
    asked = room.tick(now)
    assert asked is not None
    radio.receive(asked, now + way)
    answer = radio.tick(now + way + thinks)
    assert answer is not None
    (measured,) = [each for each in room.receive(answer, now + way + thinks + way) if isinstance(each, Measured)]
    assert measured.one_way == pytest.approx(way, abs=0.0003)
    assert measured.total == pytest.approx(way + 0.063, abs=0.0005)


def test_an_answer_that_nobody_asked_for_is_found() -> None:
    room, radio = pair()
    other = RadioSession(Side.ROOM, TERMS, 0.0, ssrc=3)
    other.measure(0.0)
    over(other, radio, 0.0)
    assert "nobody asked" in str(over(radio, room, 0.01))


def test_the_other_layout_under_this_ones_profile_is_told_once_and_understood() -> None:
    room, radio = pair(layout=Layout.OF_2009)
    radio.say(RadioState(squelch=True, features=(SignalQuality(9),)), 0.0)
    events: list[Event] = []
    for number in range(3):
        packet = radio.tick(number * 0.2)
        assert packet is not None
        assert packet.extension is not None
        packet.extension = mislabelled(packet.extension)
        events += room.receive(packet, number * 0.2)
    assert [type(each) for each in events] == [LinkUp, Finding, Changed]
    assert room.heard.squelch
    assert room.findings == 3


@given(st.lists(st.tuples(st.sampled_from([0x67, 0x167, 0]), st.binary(max_size=40), st.integers(0, 127)), max_size=80))
def test_whatever_comes_is_taken_and_what_is_told_of_it_is_bounded(packets: list[tuple[int, bytes, int]]) -> None:
    _, radio = pair()
    told = 0
    for number, (profile, data, payload_type) in enumerate(packets):
        packet = RtpPacket(payload_type, number, 0, 1, b"x", extension=Extension(profile, data))
        told += sum(isinstance(each, Finding) for each in radio.receive(packet, number * 0.02))
    assert told <= MAX_FINDINGS
