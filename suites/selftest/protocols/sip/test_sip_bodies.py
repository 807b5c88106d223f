"""Small bodies: message summaries (RFC 3842), keys in INFO, fragments of messages (RFC 3420)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip import dtmf_info, message_summary, sipfrag
from harness.protocols.sip.dtmf_info import DTMF, DTMF_RELAY, KEYS, Key
from harness.protocols.sip.message import Request, Response
from harness.protocols.sip.message_summary import MAX_COUNT, Counts, Summary
from harness.protocols.sip.reason import q850_cause


def test_the_rfc_s_summaries_are_read() -> None:
    """RFC 3842 section 5.2's forms."""
    summary = message_summary.parse(
        b"Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example.com\r\nVoice-Message: 2/8 (0/2)\r\n"
    )
    assert (summary.waiting, summary.account) == (True, "sip:alice@vmail.example.com")
    assert summary.voice == Counts(2, 8, 0, 2)
    long = message_summary.parse(
        b"Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example.com\r\nVoice-Message: 4/8 (1/2)\r\n"
        b"Video-Message: 0/0\r\n\r\nTo: <alice@atlanta.example.com>\r\nFrom: <bob@biloxi.example.com>\r\n"
        b"Subject: carpool tomorrow?\r\nMessage-ID: 13784434989@vmail.example.com\r\n\r\n"
        b"To: <alice@example.com>\r\nSubject: HELP! at home ill, present for me please\r\n"
    )
    assert long.counts == {"voice-message": Counts(4, 8, 1, 2), "video-message": Counts(0, 0)}
    assert [message["subject"][:8] for message in long.messages] == ["carpool ", "HELP! at"]


@pytest.mark.parametrize(
    ("body", "waiting", "voice"),
    [
        (b"Messages-Waiting: no", False, Counts(0, 0)),
        (b"messages-waiting:YES\nvoice-message : 1 / 0\n", True, Counts(1, 0)),
        (b"Messages-Waiting: yes\r\nVoice-Message: 3/1(2/0)\r\nX-Message: 1/1\r\n", True, Counts(3, 1, 2, 0)),
        (b"Messages-Waiting: yes\r\nVoice-Message: 1/0\r\n\r\n\r\n", True, Counts(1, 0)),
    ],
)
def test_what_mailboxes_send_otherwise_is_read_too(body: bytes, waiting: bool, voice: Counts) -> None:
    summary = message_summary.parse(body)
    assert (summary.waiting, summary.voice) == (waiting, voice)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "is no name: value"),
        (b"Voice-Message: 1/0", "Messages-Waiting: yes or no is due"),
        (b"Messages-Waiting: maybe", "Messages-Waiting: yes or no is due"),
        (b"Messages-Waiting: yes\nVoice-Message: many", "new/old"),
        (b"Messages-Waiting: yes\nVoice-Message: 4294967296/0", "new/old"),
        (b"Messages-Waiting: yes\nhello", "is no name: value"),
        (b"Messages-Waiting: yes\nA: \x00", "control character"),
        (b"Messages-Waiting: \xff", "not UTF-8 at octet 18"),
        (b"Messages-Waiting: yes\n" + b"A: 1/1\n" * 40, "more than 32 lines"),
        (b"Messages-Waiting: yes" + b"\n\nA: b" * 1001, "more than 1000 messages"),
        (b"x" * 70_000, "read at most"),
    ],
)
def test_what_is_no_summary_is_told(body: bytes, told: str) -> None:
    with pytest.raises(SipRemoteError) as error:
        message_summary.parse(body)
    assert told in str(error.value)


@pytest.mark.parametrize(
    "summary",
    [
        Summary(True, "sip:a@b\r\nEvil: 1"),
        Summary(True, counts={"voice message": Counts(1, 0)}),
        Summary(True, counts={"message-account": Counts(1, 0)}),
        Summary(True, counts={"voice-message": Counts(-1, 0)}),
        Summary(True, counts={"voice-message": Counts(MAX_COUNT + 1, 0)}),
        Summary(True, messages=({},)),
        Summary(True, messages=({"to\n": "x"},)),
        Summary(True, messages=({"to": "x"},) * 1001),
        Summary(True, messages=({"to": "x" * 70_000},)),
    ],
    ids=range(9),
)
def test_a_summary_that_can_not_be_written_is_refused(summary: Summary) -> None:
    with pytest.raises(SipLocalError):
        message_summary.build(summary)


numbers = st.integers(0, MAX_COUNT)
words = st.text("abcdefghijk-", min_size=1, max_size=10)
lines = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), max_size=20).map(str.strip)


@given(
    st.builds(
        Summary,
        st.booleans(),
        st.sampled_from(["", "sip:2001@vmail.example"]),
        st.dictionaries(st.sampled_from(message_summary.CLASSES), st.builds(Counts, *[numbers] * 4)),
        st.lists(st.dictionaries(words, lines, min_size=1, max_size=4), max_size=3).map(tuple),
    )
)
def test_a_summary_comes_back_as_it_went(summary: Summary) -> None:
    assert message_summary.parse(message_summary.build(summary)) == summary


@pytest.mark.parametrize(
    ("content_type", "body", "key"),
    [
        (DTMF_RELAY, b"Signal=5\r\nDuration=160\r\n", Key("5", 160)),
        (DTMF_RELAY, b"Signal= #\nDuration= 250\n", Key("#", 250)),
        (DTMF_RELAY, b"Signal=11", Key("#", None)),
        (DTMF_RELAY, b"signal=d\r\n", Key("D", None)),
        (DTMF_RELAY, b"Signal=16\r\nDuration=100", Key("!", 100)),
        (DTMF, b"5", Key("5", None)),
        (DTMF, b"*\r\n", Key("*", None)),
        (DTMF, b"10", Key("*", None)),
        (DTMF, b"d=9\r\n", Key("9", None)),
    ],
)
def test_keys_are_read_as_equipment_sends_them(content_type: str, body: bytes, key: Key) -> None:
    assert dtmf_info.parse(content_type, body) == key


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain", b"5"),
        (DTMF_RELAY, b""),
        (DTMF_RELAY, b"5"),
        (DTMF_RELAY, b"Duration=160"),
        (DTMF_RELAY, b"Signal=55"),
        (DTMF_RELAY, b"Signal=x"),
        (DTMF_RELAY, b"Signal=5\r\nDuration=long"),
        (DTMF_RELAY, b"Signal=5\r\n" * 40),
        (DTMF, b"17"),
        (DTMF, b"\xff"),
    ],
)
def test_what_is_no_key_is_told(content_type: str, body: bytes) -> None:
    with pytest.raises(SipRemoteError) as error:
        dtmf_info.parse(content_type, body)
    assert "due" in str(error.value) or "are told in" in str(error.value) or "are read" in str(error.value) or "without"


@given(st.sampled_from(KEYS), st.integers(1, dtmf_info.MAX_DURATION))
def test_a_key_comes_back_as_it_went(key: str, duration: int) -> None:
    assert dtmf_info.parse(DTMF_RELAY, dtmf_info.build(key, duration)) == Key(key, duration)
    assert dtmf_info.parse(DTMF, dtmf_info.build(key, content_type=DTMF)) == Key(key, None)


def test_a_key_that_is_none_is_not_written() -> None:
    for key, duration, content_type in (
        ("", 1, DTMF),
        ("12", 1, DTMF),
        ("x", 1, DTMF),
        ("5", 0, DTMF_RELAY),
        ("5", 1, "a/b"),
    ):
        with pytest.raises(SipLocalError):
            dtmf_info.build(key, duration, content_type)


def test_how_a_referred_call_goes_is_told_in_a_fragment() -> None:
    """RFC 3515 section 2.4.5, with why it failed."""
    body = sipfrag.of_status(503, "Service Unavailable", [("Reason", "Q.850;cause=41")])
    assert body == b"SIP/2.0 503 Service Unavailable\r\nReason: Q.850;cause=41\r\n"
    fragment = sipfrag.parse(body)
    assert (fragment.status, q850_cause(fragment.headers)) == (503, 41)
    assert isinstance(fragment.start, Response)
    assert fragment.start.reason == "Service Unavailable"


@pytest.mark.parametrize(
    ("body", "start", "names", "content"),
    [
        (b"SIP/2.0 100 Trying\r\n", "SIP/2.0 100 Trying", [], b""),
        (b"SIP/2.0 200 OK", "SIP/2.0 200 OK", [], b""),
        (b"INVITE sip:alice@atlanta.com SIP/2.0", "INVITE sip:alice@atlanta.com SIP/2.0", [], b""),
        (b"From: Alice <sip:alice@atlanta.com>\r\n", None, ["From"], b""),
        (
            b"INVITE sip:bob@biloxi.com SIP/2.0\nFrom: a\nContact: <sip:alice@pc33.atlanta.com>\nl: 3\n\nabc",
            "INVITE sip:bob@biloxi.com SIP/2.0",
            ["From", "Contact"],
            b"abc",
        ),
        (
            b"Date: Thu, 21 Feb 2002 13:02:03 GMT\r\nCall-ID: 1\r\nContent-Type: text/plain\r\n\r\nbody\r\n\r\nmore",
            None,
            ["Date", "Call-ID", "Content-Type"],
            b"body\r\n\r\nmore",
        ),
    ],
)
def test_fragments_of_any_kind_are_read(body: bytes, start: str | None, names: list[str], content: bytes) -> None:
    """RFC 3420 sections 2.1 and 3: start line, headers and body may each be missing."""
    fragment = sipfrag.parse(body)
    assert (None if fragment.start is None else fragment.start.start_line) == start
    assert [name for name, _ in fragment.headers.fields] == names
    assert fragment.headers.body == content
    assert fragment.status == (fragment.start.status if isinstance(fragment.start, Response) else None)
    assert not isinstance(fragment.start, Request) or fragment.start.method == "INVITE"


@pytest.mark.parametrize(
    "body",
    [b"", b"\r\n\r\n", b"hello", b"SIP/2.0 9 x", b"SIP/3.0 200 OK", b"From: a\r\nno header", b"a\0: b", b"x" * 70_000],
)
def test_what_is_no_fragment_is_told(body: bytes) -> None:
    with pytest.raises(SipRemoteError):
        sipfrag.parse(body)


def test_a_fragment_that_would_break_out_of_its_line_is_not_written() -> None:
    for status, reason, headers in ((99, "x", []), (200, "a\r\nb", []), (200, "OK", [("A", "b\r\nc")])):
        with pytest.raises(SipLocalError):
            sipfrag.of_status(status, reason, headers)


@given(st.binary(max_size=120))
def test_whatever_the_octets_nothing_but_the_named_error_comes(octets: bytes) -> None:
    for begun in (b"", b"SIP/2.0 200 OK\r\n", b"Messages-Waiting: yes\r\n", b"Signal="):
        for read in (
            message_summary.parse,
            sipfrag.parse,
            lambda body: dtmf_info.parse(DTMF, body),
            lambda body: dtmf_info.parse(DTMF_RELAY, body),
        ):
            try:
                read(begun + octets)
            except SipRemoteError as error:
                assert str(error)
