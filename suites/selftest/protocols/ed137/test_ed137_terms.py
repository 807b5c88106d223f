"""A radio session's description: what is written is read, what is out of range is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import Ed137Error, Ed137LocalError
from harness.protocols.ed137.terms import RADIO_TYPES, Direction, RadioTerms, common, read_terms
from harness.protocols.sdp.description import Media, Session, parse

GATEWAYS_OFFER = b"""v=0\r
o=- 1 1 IN IP4 192.0.2.7\r
s=radio\r
c=IN IP4 192.0.2.7\r
t=0 0\r
m=audio 7006 RTP/AVP 8 123\r
a=rtpmap:8 PCMA/8000\r
a=rtpmap:123 R2S/8000\r
a=type:radio\r
a=txrxmode:TxRx\r
a=bss:RSSI\r
a=sigtime:1\r
a=rtphe:1\r
a=ptt_rep:2\r
a=fid:118.005\r
a=ptt-id:9\r
a=R2S-KeepAlivePeriod:100\r
a=R2S-KeepAliveMultiplier:20\r
"""
words = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=12)
all_terms = st.builds(
    RadioTerms,
    type=st.sampled_from(RADIO_TYPES),
    direction=st.sampled_from(Direction),
    period_ms=st.integers(20, 1000),
    multiplier=st.integers(2, 50),
    ptt_id=st.none() | st.integers(0, 63),
    ptt_report=st.integers(0, 3),
    quality=st.lists(words, max_size=4).map(tuple),
    signal_time=st.none() | st.integers(1, 255),
    frequency=st.just("") | words,
    extension=st.booleans(),
    keep_alive_type=st.integers(96, 127),
)


def stream(terms: RadioTerms) -> Media:
    return Media("audio", 4000, "RTP/AVP", ["8", str(terms.keep_alive_type)], attributes=terms.attributes())


@given(all_terms)
def test_what_is_written_is_read(terms: RadioTerms) -> None:
    assert read_terms(stream(terms)) == terms


def test_a_gateways_description_is_read() -> None:
    session: Session = parse(GATEWAYS_OFFER)
    terms = read_terms(session.media[0])
    assert (terms.period, terms.patience) == (0.1, 2.0)
    assert (terms.ptt_id, terms.frequency, terms.ptt_report, terms.type) == (9, "118.005", 2, "radio")


def test_what_is_left_out_has_its_default_and_names_have_no_case() -> None:
    media = Media("audio", 4000, "RTP/AVP", ["8"], attributes=[("type", "Radio-TxRx"), ("r2s-keepaliveperiod", "50")])
    assert read_terms(media) == RadioTerms(period_ms=50, quality=(), signal_time=None)


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("R2S-KeepAlivePeriod", "10", "20-1000"),
        ("R2S-KeepAliveMultiplier", "51", "2-50"),
        ("ptt-id", "64", "0-63"),
        ("ptt_rep", "-1", "0-3"),
        ("txrxmode", "both", "TxRx"),
        ("type", "phone", "Radio-TxRx"),
        ("fid", "x" * 65, "at most 64"),
    ],
)
def test_what_is_out_of_range_is_named(name: str, value: str, named: str) -> None:
    with pytest.raises(Ed137Error, match=named):
        read_terms(Media("audio", 4000, "RTP/AVP", ["8"], attributes=[(name, value)]))


def test_what_we_would_say_out_of_range_is_refused() -> None:
    with pytest.raises(Ed137LocalError, match="R2S-KeepAlivePeriod must be 20-1000, not 5"):
        RadioTerms(period_ms=5).attributes()


@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=80)), max_size=20))
def test_any_attributes_are_read_or_refused_by_name(attributes: list[tuple[str, str]]) -> None:
    try:
        read_terms(Media("audio", 4000, "RTP/AVP", ["8"], attributes=attributes))
    except Ed137Error as error:
        assert str(error).startswith("a=")


def test_what_holds_is_what_the_radio_answers_in_a_direction_that_both_have() -> None:
    asked = RadioTerms(frequency="118.005", direction=Direction.RECEIVE)
    agreed = asked.answered_by(RadioTerms(period_ms=100, ptt_id=4))
    assert (agreed.direction, agreed.period_ms, agreed.ptt_id, agreed.frequency) == (
        Direction.RECEIVE,
        100,
        4,
        "118.005",
    )
    with pytest.raises(Ed137Error, match="Tx was offered and Rx answered"):
        common(Direction.TRANSMIT, Direction.RECEIVE)
