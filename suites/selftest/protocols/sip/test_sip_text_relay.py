"""Text relay: what an emergency call shows of it, and how a relay user is called back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import NumberError, SdpError, SipRemoteError
from harness.protocols.sip.message import Request
from harness.protocols.sip.text_relay import TextRelay, TextStream, call_back, text_relay_of

TEXT = "m=text 40002 RTP/AVP 100 98\na=rtpmap:98 t140/1000\na=rtpmap:100 red/1000\na=fmtp:100 98/98/98\n"
AUDIO = "m=audio 40000 RTP/AVP 8\n"


def invite(uri: str, *streams: str, to: str = "<sip:999@control.example>") -> Request:
    fields = [("To", to)]
    body = b""
    if streams:
        body = ("v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\n" + "".join(streams)).encode()
        fields.append(("Content-Type", "application/sdp"))
    return Request("INVITE", uri, fields, body)


def test_a_text_call_is_told_by_what_was_dialled_and_by_its_stream() -> None:
    """The stream is RFC 4103 section 10.1's, with redundancy first."""
    assert text_relay_of(invite("sip:18000@control.example", AUDIO, TEXT)) == TextRelay(
        "18000", "", TextStream(40002, (98,), (100,)), True
    )


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        (invite("sip:999@control.example", AUDIO), None),
        (invite("sip:999@control.example"), None),
        (invite("sip:18000@control.example", AUDIO), TextRelay("18000", "", None, True)),
        (invite("tel:18000;phone-context=+44"), TextRelay("18000", "", None, False)),
        (invite("sip:2001@control.example", to="<sip:18000@bt.example>"), TextRelay("18000", "", None, False)),
        (invite("sip:1800101314960001@a"), TextRelay("18001", "01314960001", None, False)),
        (invite("sip:999@a", TEXT), TextRelay("", "", TextStream(40002, (98,), (100,)), False)),
        (invite("sip:999@a", AUDIO, TEXT.replace("40002", "0")), None),
        (invite("sip:999@a", TEXT.replace("t140/1000", "t140/8000")), None),
        (
            invite("sip:999@a", "m=text 1 RTP/AVP 98 99\na=rtpmap:99 T140/1000\na=rtpmap:98 t140/1000\n"),
            TextRelay("", "", TextStream(1, (98, 99), ()), False),
        ),
    ],
)
def test_what_shows_text_relay_and_what_does_not(request_: Request, found: TextRelay | None) -> None:
    assert text_relay_of(request_) == found
    assert found is None or found.is_emergency is (found.prefix == "18000")


def test_a_relay_user_is_called_back_through_the_relay() -> None:
    assert call_back("+447700900123") == "1800207700900123"
    assert call_back("0131 496 0001") == "1800201314960001"
    for nobody in ("999", "2001", "anonymous"):
        with pytest.raises(NumberError):
            call_back(nobody)


@given(st.text(max_size=60))
def test_whatever_the_body_nothing_but_the_named_errors_come(text: str) -> None:
    for request in (invite("sip:999@a", text), invite("sip:999@a", TEXT + text), invite("sip:999@a", to=text)):
        try:
            text_relay_of(request)
        except (SipRemoteError, SdpError) as error:
            assert str(error)
