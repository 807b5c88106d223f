"""JSON Web Tokens: RFC 7515's own example is believed, and nothing that is signed otherwise, changed or over."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import JwtError
from harness.protocols.jwt import believed, issuer_of, signed

KEY = b"k" * 32


def packed(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_the_example_of_rfc_7515_appendix_a_1_is_believed_until_it_ends() -> None:
    key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
    token = (
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    )
    secret = base64.urlsafe_b64decode(key + "==")
    assert issuer_of(token) == "joe"
    assert believed(token, secret, 1_300_819_379.0)["http://example.com/is_root"] is True
    with pytest.raises(JwtError, match="expired"):
        believed(token, secret, 1_300_819_380.0)


def test_what_was_signed_is_believed_and_nothing_else() -> None:
    token = signed({"iss": "a", "exp": 100, "nbf": 50}, KEY)
    assert believed(token, KEY, 50.0) == {"iss": "a", "exp": 100, "nbf": 50}
    head, claims, signature = token.split(".")
    other = packed({"iss": "b", "exp": 100})
    for wrong in (
        f"{head}.{other}.{signature}",
        f"{head}.{claims}.",
        f"{packed({'alg': 'none'})}.{claims}.",
        f"{packed({'alg': 'HS512'})}.{claims}.{signature}",
        f"{packed([])}.{claims}.{signature}",
        f"{head}.{claims}",
        f"{token}.{signature}",
        "x" * 9_000,
        "",
        "é.é.é",
    ):
        with pytest.raises(JwtError):
            believed(wrong, KEY, 60.0)
    for now, key in ((40.0, KEY), (60.0, b"other"), (100.0, KEY)):
        with pytest.raises(JwtError):
            believed(token, key, now)
    for ends in (None, "100", True, float("nan"), float("inf")):
        with pytest.raises(JwtError, match="when it ends"):
            believed(signed({"exp": ends}, KEY), KEY, 0.0)


@given(st.text(max_size=80))
def test_whatever_is_sent_as_a_token_is_refused(text: str) -> None:
    with pytest.raises(JwtError):
        believed(text, KEY, 0.0)
