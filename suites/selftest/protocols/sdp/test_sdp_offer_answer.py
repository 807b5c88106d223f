"""Session descriptions and what offer and answer agree on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import SdpError
from harness.protocols import sdp
from harness.protocols.sdp.plan import StreamPlan
from harness.protocols.sdp.streams import answer_stream

OFFER = (
    b"v=0\r\no=trunk 1 1 IN IP4 10.0.0.1\r\ns=999 call\r\nx=unknown\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\na=tool:x\r\n"
    b"m=video 4000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
    b"m=audio 40000 RTP/AVP 18 0 8 97\r\nc=IN IP4 10.0.0.7\r\nb=AS:64\r\na=rtpmap:97 telephone-event/8000\r\n"
    b"a=fmtp:97 0-15\r\na=ptime:30\r\na=sendrecv\r\n"
    b"m=audio 40002 RTP/AVP 8\r\n"
)


def test_an_offer_is_answered_stream_by_stream_in_its_order() -> None:
    data, agreed = sdp.answer(OFFER, "10.0.0.2", 5000)
    assert agreed[:7] == ("10.0.0.7", 40000, 0, "PCMU", 97, "sendrecv", 30)
    assert agreed.incoming == agreed.outgoing == ((0, "PCMU"), (8, "PCMA"), (97, "telephone-event"))
    answered = sdp.parse(data)
    assert [(media.kind, media.port, media.formats) for media in answered.media] == [
        ("video", 0, ["96"]),
        ("audio", 5000, ["0", "8", "97"]),
        ("audio", 0, ["8"]),
    ]
    assert answered.media[1].codecs() == {0: "PCMU", 8: "PCMA", 97: "telephone-event"}
    assert answered.connection == "10.0.0.2"


@pytest.mark.parametrize(
    "odd",
    [
        OFFER.replace(b"\r\n", b"\n"),
        b"\r\n" + OFFER + b"\r\n\r\n",
        OFFER.replace(b"\r\na=", b" \r\na="),
        # session lines in the wrong order, as gateways send them
        OFFER.replace(
            b"s=999 call\r\nx=unknown\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n", b"t=0 0\r\nc=IN IP4 10.0.0.1\r\ns= \r\n"
        ),
        # a stream's attributes before its address
        OFFER.replace(b"c=IN IP4 10.0.0.7\r\nb=AS:64\r\n", b"").replace(
            b"a=sendrecv\r\n", b"a=sendrecv\r\nb=AS:64\r\nc=IN IP4 10.0.0.7/127\r\n"
        ),
        OFFER.replace(b"telephone-event/8000", b"Telephone-Event/8000"),
        OFFER.replace(b"m=audio 40000 ", b"m=audio 40000/1 "),
        OFFER.replace(b"a=ptime:30", b"a=rtpmap:0 pcmu/8000/1\r\na=ptime:30"),
    ],
)
def test_what_real_equipment_writes_oddly_is_understood(odd: bytes) -> None:
    agreed = sdp.answer(odd, "10.0.0.2", 5000)[1]
    assert agreed[:7] == ("10.0.0.7", 40000, 0, "PCMU", 97, "sendrecv", 30)


def test_what_was_read_is_written_back_with_nothing_lost() -> None:
    again = sdp.parse(bytes(sdp.parse(OFFER)))
    assert again == sdp.parse(OFFER)
    assert "x=unknown" in again.other
    assert sdp.parse(OFFER.replace(b"\r\n", b"\n")) == again


def test_our_offer_and_its_answer_agree_from_both_sides() -> None:
    ours = sdp.offer("10.0.0.1", 4000, session_id=7, version=2)
    answer, theirs = sdp.answer(ours, "10.0.0.2", 5000, codecs=["PCMU"])
    mine = sdp.negotiated(ours, answer)
    assert mine[:6] == ("10.0.0.2", 5000, 0, "PCMU", 101, "sendrecv")
    assert theirs[:6] == ("10.0.0.1", 4000, 0, "PCMU", 101, "sendrecv")
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
    with pytest.raises(SdpError, match=r"no audio stream|RTP/SAVP|without an address"):
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


@pytest.mark.parametrize(
    ("attributes", "due"),
    [
        (b"a=ptime:20\r\n", 20),
        (b"a=ptime:25\r\n", 20),
        (b"a=ptime:40\r\na=maxptime:30\r\n", 30),
        (b"a=maxptime:30\r\na=ptime:60\r\n", 30),
        (b"a=ptime:5\r\n", 20),
        (b"a=ptime:400\r\n", 20),
        (b"a=ptime:x\r\n", 20),
        (b"", 20),
    ],
)
def test_packets_are_as_long_as_the_other_side_asks_in_steps_that_we_can_send(attributes: bytes, due: int) -> None:
    offered = OFFER.replace(b"a=ptime:30\r\n", attributes)
    assert sdp.answer(offered, "10.0.0.2", 5000)[1].ptime == due


def test_an_answer_repeats_the_offers_times_and_events() -> None:
    offered = OFFER.replace(b"t=0 0", b"t=3034423619 3042462419").replace(b"a=fmtp:97 0-15", b"a=fmtp:97 0-11,16")
    data, _ = sdp.answer(offered, "10.0.0.2", 5000)
    assert b"t=3034423619 3042462419\r\n" in data
    assert b"a=fmtp:97 0-11,16\r\n" in data
    flood = OFFER.replace(b"a=fmtp:97 0-15", b"a=fmtp:97 " + b"1," * 900)
    assert b"a=fmtp:97 0-15\r\n" in sdp.answer(flood, "10.0.0.2", 5000)[0]


def test_an_answer_that_renumbers_is_sent_by_its_own_numbers_and_we_are_sent_by_ours() -> None:
    ours = sdp.offer("10.0.0.1", 4000, codecs=["PCMA"])
    answer = (
        b"v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\n"
        b"m=audio 5000 RTP/AVP 8 96\r\na=rtpmap:96 telephone-event/8000\r\n"
    )
    agreed = sdp.negotiated(ours, answer)
    assert agreed.dtmf_payload_type == 96
    assert agreed.outgoing == ((8, "PCMA"), (96, "telephone-event"))
    assert agreed.incoming == ((8, "PCMA"), (101, "telephone-event"))


def test_an_explicit_rtcp_address_is_taken() -> None:
    for line, due in ((b"a=rtcp:53020", ("10.0.0.7", 53020)), (b"a=rtcp:53020 IN IP4 10.0.0.9", ("10.0.0.9", 53020))):
        offered = OFFER.replace(b"a=ptime:30", line)
        assert sdp.answer(offered, "10.0.0.2", 5000)[1].rtcp == due
    with pytest.raises(SdpError, match="RFC 3605"):
        sdp.answer(OFFER.replace(b"a=ptime:30", b"a=rtcp:"), "10.0.0.2", 5000)


def test_ipv6_addresses_are_written_and_read_as_such() -> None:
    ours = sdp.offer("2001:db8::1", 4000)
    assert b"o=- 1 1 IN IP6 2001:db8::1\r\n" in ours
    assert b"c=IN IP6 2001:db8::1\r\n" in ours
    data, agreed = sdp.answer(ours, "2001:db8::2", 5000)
    assert (agreed.host, sdp.negotiated(ours, data).host) == ("2001:db8::1", "2001:db8::2")
    held = ours.replace(b"c=IN IP6 2001:db8::1", b"c=IN IP6 ::")
    assert sdp.answer(held, "2001:db8::2", 5000)[1].direction == "recvonly"


@given(st.sampled_from(sdp.DIRECTIONS), st.permutations(["PCMA", "PCMU"]), st.booleans(), st.integers(1, 65_535))
def test_any_offer_of_ours_can_be_answered(direction: str, codecs: list[str], dtmf: bool, port: int) -> None:
    ours = sdp.offer("10.0.0.1", port, codecs=codecs, dtmf=dtmf, direction=direction)
    answer, theirs = sdp.answer(ours, "10.0.0.2", 5000)
    assert (theirs.codec, theirs.port, theirs.dtmf_payload_type is not None) == (codecs[0], port, dtmf)
    assert sdp.negotiated(ours, answer).codec == codecs[0]


WIDE = (
    b"v=0\r\no=- 1 1 IN IP4 10.0.0.7\r\ns=-\r\nc=IN IP4 10.0.0.7\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 96 0 120 121 122 118 13\r\n"
    b"a=rtpmap:96 speex/16000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:120 telephone-event/16000\r\na=fmtp:120 0-16\r\n"
    b"a=rtpmap:121 telephone-event/8000\r\na=fmtp:121 0-16\r\na=rtpmap:122 telephone-event/48000\r\n"
    b"a=rtpmap:118 CN/16000\r\n"
)
"""Telephones with wide-band codecs offer events and noise at each codec's clock, the widest first."""


def test_events_and_noise_are_taken_at_the_clock_of_the_codec_that_is_taken() -> None:
    # RFC 4733 section 2.5.1.1, RFC 3389 section 5; a payload type means in an answer what it means in the offer.
    session = sdp.parse(WIDE)
    answered = answer_stream(session, session.media[0], StreamPlan(5000, comfort_noise=True), None, {})
    assert answered is not None
    lines, agreed = answered
    assert "\r\n".join(lines).split("\r\n")[:5] == [
        "m=audio 5000 RTP/AVP 0 121 13",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:121 telephone-event/8000",
        "a=fmtp:121 0-15",
        "a=rtpmap:13 CN/8000",
    ]
    assert isinstance(agreed, sdp.Negotiated)
    assert (agreed.dtmf_payload_type, agreed.dtmf_clock, agreed.comfort_noise_payload_type) == (121, 8000, 13)


def test_events_at_another_clock_are_better_than_none() -> None:
    answer, agreed = sdp.answer(WIDE.replace(b"telephone-event/8000", b"unknown/8000"), "10.0.0.8", 5000)
    assert b"a=rtpmap:120 telephone-event/16000\r\n" in answer
    assert b"a=rtpmap:122 telephone-event/48000\r\n" in answer
    assert (agreed.dtmf_payload_type, agreed.dtmf_clock) == (120, 16_000)
