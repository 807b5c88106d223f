"""Offers of a shape that was answered before: answered the same as by the careful way, whatever they say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import SdpError
from harness.protocols import sdp
from harness.protocols.sdp import usual
from harness.protocols.sdp.plan import Negotiated

OFFER = (
    "v=0\r\no=trunk 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    "m=audio 6000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:30\r\n"
)


def carefully(offer: str) -> tuple[bytes, Negotiated] | str:
    """What the careful way makes of an offer: nothing is remembered of any before."""
    usual._known.clear()
    return told(offer)


def told(offer: str) -> tuple[bytes, Negotiated] | str:
    try:
        return sdp.answer(offer.encode("utf-8", "surrogateescape"), "192.0.2.9", 40_000)
    except SdpError as error:
        return str(error)


def test_the_second_offer_of_a_shape_gets_its_own_addresses() -> None:
    carefully(OFFER)
    assert len(usual._known) == 1
    other = OFFER.replace("192.0.2.1", "192.0.2.77").replace("m=audio 6000", "m=audio 7002")
    answer, agreed = sdp.answer(other.encode(), "192.0.2.9", 40_002, session_id=5, version=3)
    assert (agreed.host, agreed.port, agreed.ptime, agreed.dtmf_payload_type) == ("192.0.2.77", 7002, 30, 101)
    assert b"m=audio 40002 RTP/AVP 8 0 101\r\n" in answer
    assert b"o=- 5 3 IN IP4 192.0.2.9\r\n" in answer
    assert len(usual._known) == 1


CHANGES = [
    ("192.0.2.1\r\nt=", "0.0.0.0\r\nt="),  # held as of old: it changes our direction
    ("192.0.2.1\r\nt=", "nowhere\r\nt="),
    ("192.0.2.1\r\nt=", "999.0.2.1\r\nt="),
    ("6000", "0"),
    ("6000", "99999"),
    ("m=audio", "m=video 5000 RTP/AVP 96\r\nm=audio"),
    ("a=ptime:30\r\n", "a=ptime:30\r\nm=video 5000 RTP/AVP 96\r\n"),
    ("a=ptime:30\r\n", "c=IN IP4 192.0.2.50\r\n"),
    ("a=ptime:30\r\n", "a=rtcp:7777\r\n"),
    ("a=ptime:30\r\n", "a=sendonly\r\n"),
    ("RTP/AVP", "RTP/SAVP"),
    ("8 0 101", "97"),
    ("s=-", "s=-\nc=IN IP4 192.0.2.66"),
    ("s=-", "s=\x00"),
    ("s=-", "s=-\rx"),
    ("s=-", "s=caf\u00e9"),
    ("t=0 0", "t=1 2"),
    ("IN IP4 192.0.2.1\r\nt", "IN IP6 2001:db8::1\r\nt"),
]


@pytest.mark.parametrize(("old", "new"), CHANGES)
def test_what_is_not_quite_usual_is_answered_the_careful_way(old: str, new: str) -> None:
    changed = OFFER.replace(old, new, 1)
    assert changed != OFFER
    due = carefully(changed)
    carefully(OFFER)
    assert told(changed) == due
    assert told(changed) == due, "and again, should it have been remembered"


@given(st.lists(st.tuples(st.integers(0, len(OFFER)), st.integers(0, 6), st.text(max_size=6)), min_size=1, max_size=4))
def test_a_remembered_shape_never_changes_an_answer(cuts: list[tuple[int, int, str]]) -> None:
    changed = OFFER
    for at, cut, put in cuts:
        changed = changed[:at] + put + changed[at + cut :]
    due = carefully(changed)
    carefully(OFFER)
    assert told(changed) == due
    assert told(changed) == due


def test_shapes_are_bounded() -> None:
    usual._known.clear()
    for number in range(usual.MAX_SHAPES + 10):
        told(OFFER.replace("a=ptime:30", f"a=x-{number}:1"))
    assert len(usual._known) <= usual.MAX_SHAPES
