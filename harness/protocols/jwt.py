"""JSON Web Tokens signed with a shared secret (RFC 7519, HS256 of RFC 7518): written, and believed or not.

No other algorithm is known, ``none`` least of all: which one it is, is no choice of who sends a token (RFC 8725).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
from collections.abc import Mapping
from typing import Any, Final

from harness.errors import JwtError

MAX_TOKEN: Final = 8 * 1024
"""Characters of a token that is looked at."""
_HEADER: Final = {"alg": "HS256", "typ": "JWT"}


def signed(claims: Mapping[str, Any], key: bytes) -> str:
    """A token of claims."""
    head = f"{_packed(json.dumps(_HEADER).encode())}.{_packed(json.dumps(dict(claims)).encode())}"
    return f"{head}.{_packed(_signature(head, key))}"


def issuer_of(token: str) -> str:
    """Whose a token says that it is, ``iss``, before it is believed: by that its key is found. Raises JwtError."""
    return str(_read(token)[1].get("iss", ""))


def believed(token: str, key: bytes, now: float) -> dict[str, Any]:
    """The claims of a token. Raises JwtError for one not to be believed at ``now``, seconds since 1970.

    A token needs an end (``exp``); a start (``nbf``) is heeded.
    """
    head, claims, signature = _read(token)
    if not hmac.compare_digest(_signature(head, key), signature):
        raise JwtError("the token is signed with another key, or was changed")
    ends, begins = _moment(claims, "exp"), _moment(claims, "nbf", 0.0)
    if now >= ends:
        raise JwtError("the token has expired")
    if now < begins:
        raise JwtError("the token is not valid yet")
    return claims


def _moment(claims: Mapping[str, Any], name: str, left_out: float | None = None) -> float:
    value = claims.get(name, left_out)
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise JwtError("the token does not tell when it ends, or begins, in seconds since 1970")
    return value


def _read(token: str) -> tuple[str, dict[str, Any], bytes]:
    """What of a token is signed, its claims, and its signature."""
    if len(token) > MAX_TOKEN:
        raise JwtError(f"a token has at most {MAX_TOKEN} characters")
    head, _, signature = token.rpartition(".")
    first, _, second = head.partition(".")
    try:
        header, claims = json.loads(_unpacked(first)), json.loads(_unpacked(second))
        signed_with = _unpacked(signature)
    except (ValueError, RecursionError):
        raise JwtError("the token can't be read") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise JwtError("the token can't be read")
    if header.get("alg") != _HEADER["alg"]:
        raise JwtError("the token is to be signed by HS256")
    return head, claims, signed_with


def _signature(head: str, key: bytes) -> bytes:
    return hmac.new(key, head.encode(errors="replace"), hashlib.sha256).digest()


def _packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unpacked(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
