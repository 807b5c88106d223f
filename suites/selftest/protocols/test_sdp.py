"""Session descriptions and what offer and answer agree on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import SdpError
from harness.protocols import sdp

OFFER = (
    b"v=0\r\no=trunk 1 1 IN IP4 10.0.0.1\r\ns=999 call\r\nx=unknown\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\na=tool:x\r\n"
    b"m=video 4000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
    b"m=audio 40000 RTP/AVP 18 0 8 97\r\nc=IN IP4 10.0.0.7\r\nb=AS:64\r\na=rtpmap:97 telephone-event/8000\r\n"
    b"a=fmtp:97 0-15\r\na=ptime:30\r\na=sendrecv\r\n"
    b"m=audio 40002 RTP/AVP 8\r\n"
)


def test_an_offer_is_answered_stream_by_stream_in_its_order() -> None:
    data, agreed = sdp.answer(OFFER, "10.0.0.2", 5000)
    assert agreed == sdp.Negotiated("10.0.0.7", 40000, 0, "PCMU", 97, "sendrecv", 30)
    answered = sdp.parse(data)
    assert [(media.kind, media.port, media.formats) for media in answered.media] == [
        ("video", 0, ["96"]),
        ("audio", 5000, ["0", "8", "97"]),
        ("audio", 0, ["8"]),
    ]
    assert answered.media[1].codecs() == {0: "PCMU", 8: "PCMA", 97: "telephone-event"}
    assert answered.connection == "10.0.0.2"


def test_what_was_read_is_written_back_with_nothing_lost() -> None:
    again = sdp.parse(bytes(sdp.parse(OFFER)))
    assert again == sdp.parse(OFFER)
    assert "x=unknown" in again.other
    assert sdp.parse(OFFER.replace(b"\r\n", b"\n")) == again


def test_our_offer_and_its_answer_agree_from_both_sides() -> None:
    ours = sdp.offer("10.0.0.1", 4000, session_id=7, version=2)
    answer, theirs = sdp.answer(ours, "10.0.0.2", 5000, codecs=["PCMU"])
    mine = sdp.negotiated(ours, answer)
    assert mine == sdp.Negotiated("10.0.0.2", 5000, 0, "PCMU", 101, "sendrecv")
    assert theirs == sdp.Negotiated("10.0.0.1", 4000, 0, "PCMU", 101, "sendrecv")
    without, agreed = sdp.answer(sdp.offer("10.0.0.1", 4000, dtmf=False), "10.0.0.2", 5000)
    assert agreed.dtmf_payload_type is None
    assert b"telephone-event" not in without
    assert sdp.negotiated(ours, without).dtmf_payload_type is None


@pytest.mark.parametrize(
    ("offered", "most", "due"),
    [
        ("sendrecv", "sendrecv", "sendrecv"),
        ("sendonly", "sendrecv", "recvonly"),
        ("recvonly", "sendrecv", "sendonly"),
        ("inactive", "sendrecv", "inactive"),
        ("sendrecv", "recvonly", "recvonly"),
        ("sendonly", "sendonly", "inactive"),
        ("recvonly", "inactive", "inactive"),
    ],
)
def test_directions_are_mirrored_and_never_widened(offered: str, most: str, due: str) -> None:
    ours = sdp.offer("10.0.0.1", 4000, direction=offered)
    data, agreed = sdp.answer(ours, "10.0.0.2", 5000, direction=most)
    assert agreed.direction == due
    assert f"a={due}\r\n".encode() in data
    mirrored = {"sendonly": "recvonly", "recvonly": "sendonly"}
    assert sdp.negotiated(ours, data).direction == mirrored.get(due, due)
    assert (agreed.sends, agreed.receives) == (due in ("sendrecv", "sendonly"), due in ("sendrecv", "recvonly"))


def test_a_session_level_direction_and_the_old_hold_address_count() -> None:
    at_session = OFFER.replace(b"a=tool:x", b"a=sendonly").replace(b"a=sendrecv\r\n", b"")
    assert sdp.answer(at_session, "10.0.0.2", 5000)[1].direction == "recvonly"
    assert sdp.answer(OFFER.replace(b"10.0.0.7", b"0.0.0.0"), "10.0.0.2", 5000)[1].direction == "recvonly"


def test_a_dynamic_payload_type_may_name_a_codec_of_ours() -> None:
    renamed = OFFER.replace(b"18 0 8 97", b"18 98 97").replace(b"a=ptime", b"a=rtpmap:98 pcma/8000/1\r\na=ptime")
    assert sdp.answer(renamed, "10.0.0.2", 5000)[1].payload_type == 98
    assert sdp.answer(renamed, "10.0.0.2", 5000)[1].codec == "PCMA"


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"\x00",
        b"v=1\r\n",
        b"v=0\r\n",
        b"v=0\r\no=-\r\nnonsense\r\n",
        b"\xff\xfe",
        b"v=0\r\no=-\r\nm=audio x RTP/AVP 0\r\n",
        b"v=0\r\no=-\r\nm=audio 70000 RTP/AVP 0\r\n",
        b"v=0\r\no=-\r\nm=audio 1\r\n",
        b"v=0\r\no=-\r\nc=IN IP4\r\n",
        b"v=0\r\no=-\r\ns=a\rb\r\n",
        b"v=0\r\no=-\r\n" + b"a=x\r\n" * 600,
        b"v=0\r\no=-\r\n" + b"m=audio 1 RTP/AVP 0\r\n" * 20,
        b"v=0\r\no=-\r\nm=audio 1 RTP/AVP" + b" 0" * 100,
        OFFER + b"a=" + b"x" * 20_000,
    ],
)
def test_what_can_not_be_read_is_refused_by_name(bad: bytes) -> None:
    with pytest.raises(SdpError):
        sdp.parse(bad)


@pytest.mark.parametrize(
    "hopeless",
    [
        OFFER.replace(b"m=audio 40000", b"m=audio 0").replace(b"m=audio 40002", b"m=audio 0"),
        OFFER.replace(b"RTP/AVP", b"RTP/SAVP"),
        sdp.offer("10.0.0.1", 4000).replace(b"8 0 101", b"18 101"),
        sdp.offer("10.0.0.1", 4000).replace(b"c=IN IP4 10.0.0.1\r\n", b""),
    ],
)
def test_an_offer_without_speech_that_we_speak_is_refused(hopeless: bytes) -> None:
    with pytest.raises(SdpError):
        sdp.answer(hopeless, "10.0.0.2", 5000)


def test_an_answer_that_refuses_or_does_not_fit_is_refused() -> None:
    ours = sdp.offer("10.0.0.1", 4000, codecs=["PCMA"])
    good = sdp.answer(ours, "10.0.0.2", 5000)[0]
    for bad in (
        good.replace(b"m=audio 5000", b"m=audio 0"),
        good + b"m=audio 1 RTP/AVP 8\r\n",
        good.replace(b"8 101", b"0 101"),
        good.replace(b"m=audio", b"m=video"),
    ):
        with pytest.raises(SdpError):
            sdp.negotiated(ours, bad)
    with pytest.raises(SdpError):
        sdp.offer("10.0.0.1\r\na=x", 4000)


@given(st.binary(max_size=400), st.integers(0, len(OFFER)), st.integers(0, 30))
def test_mutated_offers_raise_nothing_but_the_named_error(put: bytes, at: int, cut: int) -> None:
    data = OFFER[:at] + put + OFFER[at + cut :]
    for call in (lambda: sdp.answer(data, "10.0.0.2", 5000), lambda: bytes(sdp.parse(data))):
        try:
            call()
        except SdpError as error:
            assert str(error)


@given(st.sampled_from(sdp.DIRECTIONS), st.permutations(["PCMA", "PCMU"]), st.booleans(), st.integers(1, 65_535))
def test_any_offer_of_ours_can_be_answered(direction: str, codecs: list[str], dtmf: bool, port: int) -> None:
    ours = sdp.offer("10.0.0.1", port, codecs=codecs, dtmf=dtmf, direction=direction)
    answer, theirs = sdp.answer(ours, "10.0.0.2", 5000)
    assert (theirs.codec, theirs.port, theirs.dtmf_payload_type is not None) == (codecs[0], port, dtmf)
    assert sdp.negotiated(ours, answer).codec == codecs[0]
