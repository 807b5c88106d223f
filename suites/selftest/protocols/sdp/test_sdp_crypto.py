"""a=crypto: what is read of it, what is skipped, and that keys never show."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import SdpError, SdpLocalError
from harness.protocols import sdp
from harness.protocols.sdp.crypto import MAX_CRYPTO_LINES, offered, parse_crypto, usable

# RFC 4568 section 10.1's own example.
EXAMPLE = "1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20"
KEY = b"YS___semctl () {\t220;}\n}\nunles"


def test_the_rfcs_example_is_read() -> None:
    crypto = parse_crypto(EXAMPLE)
    assert crypto is not None
    assert (crypto.tag, crypto.suite, crypto.key) == (1, "AES_CM_128_HMAC_SHA1_80", KEY)
    assert parse_crypto(crypto.value) == crypto


def test_a_key_does_not_show_in_what_is_printed() -> None:
    crypto = parse_crypto(EXAMPLE)
    security = sdp.Security("AES_CM_128_HMAC_SHA1_80", KEY, KEY)
    for told in (repr(crypto), repr(security), str(security)):
        assert "semctl" not in told
        assert "WVNf" not in told


@pytest.mark.parametrize(
    "unusable",
    [
        EXAMPLE.replace("AES_CM_128_HMAC_SHA1_80", "F8_128_HMAC_SHA1_80"),
        EXAMPLE + "|1:4",
        EXAMPLE + ";inline:QUE=|2^20",
        EXAMPLE + " KDR=1",
        EXAMPLE + " UNENCRYPTED_SRTP",
        EXAMPLE + " UNAUTHENTICATED_SRTP",
        EXAMPLE + " FEC_ORDER=FEC_SRTP",
    ],
)
def test_a_line_that_asks_for_what_we_do_not_do_is_skipped(unusable: str) -> None:
    assert parse_crypto(unusable) is None
    assert parse_crypto(EXAMPLE + " WSH=64") is not None


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "1",
        "x AES_CM_128_HMAC_SHA1_80 inline:AAAA",
        "1 AES_CM_128_HMAC_SHA1_80 inline:AAAA",
        "1 AES_CM_128_HMAC_SHA1_80 inline:",
        "1 AES_CM_128_HMAC_SHA1_80 uri:https://example.org/key",
        "1 AES_CM_128_HMAC_SHA1_80 inline:" + "é" * 40,
        "1234567890 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40,
    ],
)
def test_what_is_no_crypto_line_is_refused_by_name(bad: str) -> None:
    with pytest.raises(SdpError, match=r"crypto|key"):
        parse_crypto(bad)


def test_no_more_lines_are_looked_at_than_the_bound() -> None:
    other = ("crypto", EXAMPLE.replace("AES_CM", "AES_XX"))
    assert usable([other] * MAX_CRYPTO_LINES + [("crypto", EXAMPLE)]) == []
    assert len(usable([other] * (MAX_CRYPTO_LINES - 1) + [("crypto", EXAMPLE)])) == 1


def test_a_suite_that_we_do_not_speak_is_our_own_error() -> None:
    with pytest.raises(SdpLocalError, match="AES_256_CM"):
        offered(bytes, ["AES_256_CM_HMAC_SHA1_80"])


@given(st.text(max_size=120))
def test_no_text_raises_anything_but_the_named_error(text: str) -> None:
    try:
        parse_crypto(text)
    except SdpError as error:
        assert str(error)


@given(st.sampled_from(sorted(sdp.SUITES)), st.integers(1, 999_999_999), st.data())
def test_lines_round_trip(suite: str, tag: int, data: st.DataObject) -> None:
    key = data.draw(st.binary(min_size=sdp.SUITES[suite], max_size=sdp.SUITES[suite]))
    line = sdp.Crypto(tag, suite, key)
    assert parse_crypto(line.value) == line
    assert parse_crypto(f"{tag} {suite} INLINE:{base64.b64encode(key).decode().rstrip('=')}|2^48") == line
