"""A dialog's media session: every cell of its table, and what it keeps from one description to the next."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import SdpError, SdpLocalError
from harness.protocols import sdp
from harness.protocols.sdp import MediaSession, Negotiated, NegotiatedText, State, Step, StreamPlan
from harness.protocols.sdp.session import STATES

AUDIO = StreamPlan(4000)
TEXT = StreamPlan(4100, "text")


def side(*plans: StreamPlan, host: str = "10.0.0.1", seed: int = 1) -> MediaSession:
    return MediaSession(host, plans or (AUDIO,), session_id=7, keys=random.Random(seed).randbytes)


def peer(*plans: StreamPlan) -> MediaSession:
    return side(*(plans or (StreamPlan(5000),)), host="10.0.0.2", seed=2)


def exchange(offerer: MediaSession, answerer: MediaSession) -> None:
    """One offer and its answer."""
    answerer.take_offer(offerer.offer())
    offerer.take_answer(answerer.answer())


def origin(data: bytes) -> list[str]:
    return sdp.parse(data).origin.split()


def ports(data: bytes) -> list[int]:
    return [media.port for media in sdp.parse(data).media]


def in_state(state: State) -> MediaSession:
    ours = side()
    exchange(ours, peer())
    if state is State.OURS_OPEN:
        ours.offer()
    elif state is State.THEIRS_OPEN:
        ours.take_offer(peer().offer())
    return ours


STEPS: dict[Step, Callable[[MediaSession], object]] = {
    Step.WE_OFFER: lambda session: session.offer(),
    Step.THEY_OFFER: lambda session: session.take_offer(peer().offer()),
    Step.WE_ANSWER: lambda session: session.answer(),
    Step.THEY_ANSWER: lambda session: session.take_answer(sdp.answer(session.local, "10.0.0.2", 5000)[0]),
    Step.WITHDRAWN: lambda session: session.withdraw(),
}


@pytest.mark.parametrize(("state", "step"), list(product(State, Step)))
def test_every_cell_of_the_table_is_as_it_says(state: State, step: Step) -> None:
    session = in_state(state)
    after = STATES.get((state, step))
    if after is None:
        with pytest.raises(SdpLocalError, match=step.value):
            STEPS[step](session)
        assert session.state is state
    else:
        STEPS[step](session)
        assert session.state is after


def test_both_sides_agree_and_see_each_other() -> None:
    ours, theirs = side(), peer()
    exchange(ours, theirs)
    (mine,), (other,) = ours.agreed, theirs.agreed
    assert isinstance(mine, Negotiated)
    assert isinstance(other, Negotiated)
    assert (mine.host, mine.port, mine.codec) == ("10.0.0.2", 5000, "PCMA")
    assert (other.host, other.port, other.codec) == ("10.0.0.1", 4000, "PCMA")


def test_a_delayed_offer_is_answered_by_the_caller() -> None:
    """RFC 3261 section 13.2.1: the offer is in the 200, the answer in the ACK."""
    called, calling = peer(), side()
    calling.take_offer(called.offer())
    called.take_answer(calling.answer())
    assert called.agreed[0] is not None
    assert calling.agreed[0] is not None


def test_the_version_grows_by_one_with_each_change_and_only_then() -> None:
    ours, theirs = side(), peer()
    exchange(ours, theirs)
    first, answered = ours.local, theirs.local
    exchange(ours, theirs)
    assert (ours.local, theirs.local) == (first, answered)
    ours.hold()
    exchange(ours, theirs)
    assert origin(ours.local)[1:3] == ["7", "2"]
    assert origin(theirs.local)[1:3] == ["7", "2"]
    ours.resume()
    exchange(ours, theirs)
    assert origin(ours.local)[1:3] == ["7", "3"]


def test_hold_and_resume_in_both_directions() -> None:
    ours, theirs = side(), peer()
    exchange(ours, theirs)
    ours.hold()
    exchange(ours, theirs)
    assert [agreed.direction for agreed in (*ours.agreed, *theirs.agreed) if agreed] == ["sendonly", "recvonly"]
    theirs.hold()
    exchange(theirs, ours)
    assert [agreed.direction for agreed in (*ours.agreed, *theirs.agreed) if agreed] == ["inactive", "inactive"]
    ours.resume()
    exchange(ours, theirs)
    assert b"a=sendrecv" in ours.local  # one that is held offers what it would like (RFC 6337 section 5.3)
    assert [agreed.direction for agreed in (*ours.agreed, *theirs.agreed) if agreed] == ["recvonly", "sendonly"]
    theirs.resume()
    exchange(theirs, ours)
    assert [agreed.direction for agreed in (*ours.agreed, *theirs.agreed) if agreed] == ["sendrecv", "sendrecv"]


def test_the_old_way_of_holding_is_understood() -> None:
    ours = side()
    ours.take_offer(peer().offer().replace(b"c=IN IP4 10.0.0.2", b"c=IN IP4 0.0.0.0"))
    ours.answer()
    assert ours.agreed[0] is not None
    assert ours.agreed[0].direction == "recvonly"


def test_a_refused_offer_leaves_what_held() -> None:
    ours, theirs = side(), peer()
    exchange(ours, theirs)
    before = ours.local, ours.remote, ours.agreed
    ours.hold()
    refused = ours.offer()
    ours.withdraw()
    assert (ours.local, ours.remote, ours.agreed) == before
    ours.resume()
    assert ours.offer() == before[0]  # nothing new is said: the version that the peer has
    ours.withdraw()
    ours.hold()
    assert origin(ours.offer())[2] == "3"  # not the refused one's number again
    assert origin(refused)[2] == "2"


def test_an_offer_of_theirs_that_we_refuse_leaves_what_held() -> None:
    ours, theirs = side(), peer()
    exchange(ours, theirs)
    before = ours.local, ours.remote, ours.agreed
    theirs.change(StreamPlan(5000, codecs=("PCMU",)))
    ours.change(StreamPlan(4000, codecs=("PCMA",)))
    ours.take_offer(theirs.offer())
    with pytest.raises(SdpError, match="PCMA"):
        ours.answer()
    assert ours.state is State.THEIRS_OPEN
    ours.withdraw()
    theirs.withdraw()
    assert (ours.local, ours.remote, ours.agreed) == before


def test_text_beside_speech_is_agreed_with_its_redundancy() -> None:
    ours, theirs = side(AUDIO, TEXT), peer(StreamPlan(5100, "text"), StreamPlan(5000))
    exchange(ours, theirs)
    assert b"m=text 4100 RTP/AVP 100 98\r\n" in ours.local
    assert b"a=fmtp:100 98/98/98\r\n" in ours.local
    assert ports(theirs.local) == [5000, 5100]
    speech, text = ours.agreed
    assert isinstance(speech, Negotiated)
    assert isinstance(text, NegotiatedText)
    assert text[:7] == ("10.0.0.2", 5100, 98, 100, "sendrecv", 2, 30)
    assert [type(agreed) for agreed in theirs.agreed] == [NegotiatedText, Negotiated]


def test_text_without_redundancy_and_with_a_slower_reader() -> None:
    ours = side(AUDIO, TEXT)
    ours.take_offer(
        b"v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=text 5100 RTP/AVP 96\r\n"
        b"a=rtpmap:96 T140/1000\r\na=fmtp:96 cps=12\r\n"
    )
    ours.answer()
    _, text = ours.agreed
    assert isinstance(text, NegotiatedText)
    assert (text.payload_type, text.redundant_payload_type, text.generations, text.cps) == (96, None, 0, 12)


def test_a_stream_that_is_over_keeps_its_place() -> None:
    ours, theirs = side(AUDIO, TEXT), peer(StreamPlan(5000), StreamPlan(5100, "text"))
    exchange(ours, theirs)
    ours.change(AUDIO, TEXT._replace(port=0))
    exchange(ours, theirs)
    assert ports(ours.local) == [4000, 0]
    assert ports(theirs.local) == [5000, 0]
    assert ours.agreed[1] is None
    with pytest.raises(SdpLocalError, match="keeps its place"):
        ours.change(AUDIO)
    with pytest.raises(SdpLocalError, match="can't become"):
        ours.change(TEXT, TEXT)
    ours.change(AUDIO, TEXT)
    exchange(ours, theirs)
    assert ours.agreed[1] is not None


def test_an_offer_that_drops_streams_is_refused() -> None:
    ours, theirs = side(AUDIO, TEXT), peer(StreamPlan(5000), StreamPlan(5100, "text"))
    exchange(ours, theirs)
    with pytest.raises(SdpError, match="m-lines stay"):
        ours.take_offer(sdp.offer("10.0.0.2", 5000))
    assert ours.state is State.STABLE


def test_streams_that_we_do_not_speak_keep_their_place_in_our_own_offers() -> None:
    ours = side()
    video = b"m=video 6000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
    offered = sdp.offer("10.0.0.2", 5000)
    at = offered.index(b"m=audio")
    ours.take_offer(offered[:at] + video + offered[at:])
    ours.answer()
    ours.hold()
    assert [(media.kind, media.port) for media in sdp.parse(ours.offer()).media] == [("video", 0), ("audio", 4000)]


def test_payload_types_keep_their_meaning_within_a_session() -> None:
    ours = side(AUDIO, TEXT)
    ours.take_offer(
        b"v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\n"
        b"m=audio 5000 RTP/AVP 8 96\r\na=rtpmap:96 telephone-event/8000\r\n"
        b"m=text 5100 RTP/AVP 98 101\r\na=rtpmap:98 red/1000\r\na=rtpmap:101 t140/1000\r\na=fmtp:98 101/101/101\r\n"
    )
    ours.answer()
    audio, text = sdp.parse(ours.offer()).media
    assert audio.codecs() == {8: "PCMA", 0: "PCMU", 96: "telephone-event"}
    assert text.codecs() == {98: "RED", 101: "T140"}
    assert text.parameters(98) == "101/101/101"


def test_a_secured_session_hands_each_side_the_others_key_and_keeps_its_own() -> None:
    ours = side(AUDIO._replace(secure="required"))
    theirs = peer(StreamPlan(5000, secure="optional"))
    exchange(ours, theirs)
    (mine,), (other,) = ours.agreed, theirs.agreed
    assert mine is not None
    assert other is not None
    assert mine.security is not None
    assert other.security is not None
    assert mine.security.suite == "AES_CM_128_HMAC_SHA1_80"
    assert (mine.security.local_key, mine.security.remote_key) == (
        other.security.remote_key,
        other.security.local_key,
    )
    ours.hold()
    exchange(ours, theirs)
    theirs.hold()
    exchange(theirs, ours)
    held = ours.agreed[0]
    assert held is not None
    assert held.security == mine.security


def test_best_effort_offers_both_profiles_and_takes_whichever_is_taken() -> None:
    both = StreamPlan(4000, secure="optional")
    ours = side(both)
    offered = sdp.parse(ours.offer())
    assert [(media.protocol, media.port) for media in offered.media] == [("RTP/SAVP", 4000), ("RTP/AVP", 4000)]
    plain, _ = sdp.answer(ours.local, "10.0.0.2", 5000)
    assert ports(plain) == [0, 5000]
    ours.take_answer(plain)
    assert ours.agreed[0] is not None
    assert ours.agreed[0].security is None
    assert ports(ours.offer()) == [0, 4000]  # what was refused is not offered again beside what was taken

    again = side(both)
    again.offer()
    secured, agreed = sdp.answer(again.local, "10.0.0.2", 5000, keys=random.Random(3).randbytes)
    assert ports(secured) == [5000, 0]
    assert agreed.security is not None
    again.take_answer(secured)
    assert again.agreed[0] is not None
    assert again.agreed[0].security is not None


def test_a_stream_that_must_be_secured_is_not_had_plain_and_the_other_way_round() -> None:
    ours = side(AUDIO._replace(secure="required"))
    ours.take_offer(sdp.offer("10.0.0.2", 5000))
    with pytest.raises(SdpError, match="SRTP"):
        ours.answer()
    with pytest.raises(SdpError, match="RTP/SAVP"):
        sdp.answer(side(AUDIO._replace(secure="required")).offer(), "10.0.0.2", 5000)
    with pytest.raises(SdpLocalError, match="keys"):
        MediaSession("10.0.0.1", [AUDIO._replace(secure="required")], session_id=1)


def test_keys_beside_the_plain_profile_are_taken_where_we_would_be_secure() -> None:
    """Best effort as some equipment does it: RTP/AVP with a=crypto."""
    offered = peer(StreamPlan(5000, secure="required")).offer().replace(b"RTP/SAVP", b"RTP/AVP")
    ours = side(AUDIO._replace(secure="optional"))
    ours.take_offer(offered)
    assert b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" in ours.answer()
    assert ours.agreed[0] is not None
    assert ours.agreed[0].security is not None
    data, plain = sdp.answer(offered, "10.0.0.1", 4000)
    assert plain.security is None
    assert b"crypto" not in data


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda answer: answer.replace(b"a=crypto:1 ", b"a=crypto:7 "), "was not offered"),
        (lambda answer: answer.replace(b"AES_CM_128_HMAC_SHA1_80", b"AES_CM_128_HMAC_SHA1_32"), "was not offered"),
        (lambda answer: b"".join(line for line in answer.splitlines(True) if b"crypto" not in line), "no a=crypto"),
        (lambda answer: answer.replace(b"RTP/SAVP", b"RTP/AVP"), "answered as RTP/AVP"),
        (lambda answer: answer.replace(b"m=audio", b"m=video"), "answered as video"),
    ],
)
def test_an_answer_that_does_not_fit_a_secured_offer_is_refused(change: Callable[[bytes], bytes], told: str) -> None:
    ours = side(AUDIO._replace(secure="required"))
    ours.offer()
    answer, _ = sdp.answer(ours.local, "10.0.0.2", 5000, keys=random.Random(3).randbytes)
    with pytest.raises(SdpError, match=told):
        ours.take_answer(change(answer))
    assert ours.state is State.OURS_OPEN


def test_the_answerers_own_preference_can_be_had() -> None:
    ours = side(AUDIO._replace(codecs=("PCMU", "PCMA"), prefer_own=True))
    ours.take_offer(sdp.offer("10.0.0.2", 5000))
    ours.answer()
    assert isinstance(ours.agreed[0], Negotiated)
    assert ours.agreed[0].codec == "PCMU"


def test_rtcp_shares_the_port_only_where_both_say_so() -> None:
    for mine, other, due in ((True, True, True), (True, False, False), (False, True, False)):
        ours, theirs = side(AUDIO._replace(rtcp_mux=mine)), peer(StreamPlan(5000, rtcp_mux=other))
        exchange(ours, theirs)
        assert [agreed.rtcp_mux for agreed in (*ours.agreed, *theirs.agreed) if agreed] == [due, due]
        assert (b"a=rtcp-mux" in theirs.local) is due


def test_an_rtcp_port_that_is_not_the_next_one_is_told() -> None:
    ours, theirs = side(AUDIO._replace(rtcp_port=9001)), peer()
    exchange(ours, theirs)
    assert theirs.agreed[0] is not None
    assert theirs.agreed[0].rtcp == ("10.0.0.1", 9001)


def test_comfort_noise_is_agreed_where_both_would_have_it() -> None:
    quiet = AUDIO._replace(comfort_noise=True)
    ours, theirs = side(quiet), peer(StreamPlan(5000, comfort_noise=True))
    exchange(ours, theirs)
    assert isinstance(ours.agreed[0], Negotiated)
    assert ours.agreed[0].comfort_noise_payload_type == 13
    plain = side(quiet)
    plain.offer()
    plain.take_answer(sdp.answer(plain.local, "10.0.0.2", 5000)[0])
    assert isinstance(plain.agreed[0], Negotiated)
    assert plain.agreed[0].comfort_noise_payload_type is None


def test_a_wideband_offer_has_events_at_its_own_clock() -> None:
    pytest.importorskip("av")
    wide = AUDIO._replace(codecs=("OPUS", "G722", "PCMA"), ptime=40, maxptime=60)
    ours, theirs = side(wide), peer(StreamPlan(5000, codecs=("OPUS", "PCMA")))
    exchange(ours, theirs)
    for line in (
        b"m=audio 4000 RTP/AVP 107 9 8 101 102\r\n",
        b"a=rtpmap:107 opus/48000/2\r\n",
        b"a=rtpmap:9 G722/8000\r\n",
        b"a=rtpmap:101 telephone-event/8000\r\n",
        b"a=rtpmap:102 telephone-event/48000\r\n",
        b"a=ptime:40\r\na=maxptime:60\r\n",
    ):
        assert line in ours.local
    for agreed in (*ours.agreed, *theirs.agreed):
        assert isinstance(agreed, Negotiated)
        assert (agreed.codec, agreed.payload_type, agreed.dtmf_payload_type, agreed.dtmf_clock) == (
            "OPUS",
            107,
            102,
            48_000,
        )
    assert b"a=rtpmap:102 telephone-event/48000\r\n" in theirs.local


def test_asymmetric_packet_times_each_side_gets_what_it_asks_for() -> None:
    ours, theirs = side(AUDIO._replace(ptime=30)), peer(StreamPlan(5000, ptime=60))
    exchange(ours, theirs)
    times = [agreed.ptime for agreed in (*ours.agreed, *theirs.agreed) if isinstance(agreed, Negotiated)]
    assert times == [60, 30]


def test_the_peer_may_move_a_stream_from_one_profile_to_the_other() -> None:
    theirs = peer(StreamPlan(5000, secure="optional"))
    ours = side(AUDIO._replace(secure="optional"))
    ours.take_offer(theirs.offer())
    theirs.take_answer(ours.answer())
    assert ports(ours.local) == [4000, 0]
    ours.take_offer(
        theirs.local.replace(b"m=audio 5000 RTP/SAVP", b"m=audio 0 RTP/SAVP").replace(
            b"m=audio 0 RTP/AVP 0", b"m=audio 5000 RTP/AVP 8"
        )
    )
    assert ports(ours.answer()) == [0, 4000]
    assert ours.agreed[0] is not None
    assert ours.agreed[0].security is None


@given(st.binary(max_size=300), st.integers(0, 900), st.integers(0, 40))
def test_no_offer_or_answer_raises_anything_but_the_named_error(put: bytes, at: int, cut: int) -> None:
    ours = side(AUDIO._replace(secure="optional", comfort_noise=True), TEXT)
    good = peer(StreamPlan(5000, secure="optional"), StreamPlan(5100, "text")).offer()
    try:
        ours.take_offer(good[:at] + put + good[at + cut :])
        ours.answer()
    except SdpError as error:
        assert str(error)
        if ours.state is not State.STABLE:
            ours.withdraw()
    ours.offer()
    answer = peer(StreamPlan(5000, secure="optional"), StreamPlan(5100, "text"))
    try:
        answer.take_offer(ours.local)
        good = answer.answer()
        ours.take_answer(good[:at] + put + good[at + cut :])
    except SdpError as error:
        assert str(error)
