"""One-time codes of the time (TOTP, RFC 6238): made by who signs in, and each taken once by who checks."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any, Final

from harness.errors import OneTimeCodeError

STEP_S: Final = 30
"""Seconds for which a code stands."""
DIGITS: Final = 6
WINDOW: Final = 1
"""Steps before and after the present one whose codes are taken too: clocks differ, and codes travel (section 5.2)."""
MIN_SECRET: Final = 10
"""Bytes of a secret; RFC 4226 section 4 recommends 20."""
_HASHES: Final[dict[str, Callable[[], Any]]] = {
    "sha1": hashlib.sha1,
    "sha256": hashlib.sha256,
    "sha512": hashlib.sha512,
}


def secret_of(text: str) -> bytes:
    """A secret as authenticators are told it: base32 (RFC 4648), whatever the case. Raises OneTimeCodeError."""
    bare = text.replace(" ", "").rstrip("=").upper()
    try:
        secret = base64.b32decode(bare + "=" * (-len(bare) % 8))
    except ValueError:
        raise OneTimeCodeError("a secret of one-time codes is base32: letters A to Z, digits 2 to 7") from None
    if len(secret) < MIN_SECRET:
        raise OneTimeCodeError(f"a secret of one-time codes has at least {MIN_SECRET} bytes")
    return secret


def step_of(at: float) -> int:
    """The step of a moment, seconds since 1970."""
    return int(at // STEP_S)


def code_of(secret: bytes, step: int, *, digits: int = DIGITS, algorithm: str = "sha1") -> str:
    """The code of a step (RFC 4226 section 5.3): ``digits`` digits."""
    digest = hmac.new(secret, step.to_bytes(8, "big"), _HASHES[algorithm]).digest()
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


class CodeCheck:
    """Takes codes of one secret, each once: a code of a step that was taken, or came before it, is a replay."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._taken = -1

    def take(self, code: str, at: float) -> bool:
        """Whether a code is right at a moment, seconds since 1970; it is not taken again then."""
        if len(code) != DIGITS or not code.isascii() or not code.isdigit():
            return False
        now = step_of(at)
        for step in range(max(0, now - WINDOW), now + WINDOW + 1):
            if hmac.compare_digest(code_of(self._secret, step), code) and step > self._taken:
                self._taken = step
                return True
        return False
