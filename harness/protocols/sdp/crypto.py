"""a=crypto: how two sides hand each other SRTP keys in their descriptions (RFC 4568, called SDES).

Each side states the key that it *sends* with. An offer lists several suites; the answer repeats the tag and suite of
the one that it takes, with a key of its own. Keys stand in clear in the description, which is why SIP has to be
secured, and why nothing here ever shows one: `repr` masks it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from harness.errors import SdpError, SdpLocalError
from harness.protocols.rtp.security import SUITES

KeySource = Callable[[int], bytes]
"""Returns so many random octets, e.g. a context's `rng.randbytes`."""

MAX_CRYPTO_LINES: Final = 16
"""a=crypto lines looked at in one stream; what comes after them is left alone."""
_MAX_TAG: Final = 9
"""Digits of a tag (RFC 4568 section 9.2)."""


@dataclass(frozen=True, slots=True)
class Crypto:
    """One a=crypto line that we can use."""

    tag: int
    """1-999999999; the answer repeats the offer's."""
    suite: str
    """A name of SUITES."""
    key: bytes = field(repr=False)
    """Master key and salt, concatenated."""

    @property
    def value(self) -> str:
        """The attribute's value. It holds the key: for the wire alone."""
        return f"{self.tag} {self.suite} inline:{base64.b64encode(self.key).decode()}"


def parse_crypto(value: str) -> Crypto | None:
    """Read an attribute's value; None for one that we can't use (RFC 4568 section 6.2 has the receiver skip such).

    These are suites that are not in SUITES, several keys, an MKI, a key derivation rate, and session parameters that
    switch encryption or authentication off. Raises SdpError for what is no a=crypto.
    """
    words = value.split()
    if len(words) < 3 or not words[0].isascii() or not words[0].isdigit() or len(words[0]) > _MAX_TAG:
        raise SdpError("not an a=crypto line: it has a tag, a suite and a key (RFC 4568 section 4)")
    tag, suite, key_parameters = int(words[0]), words[1], words[2]
    if suite not in SUITES or any(not word.upper().startswith("WSH=") for word in words[3:]):
        return None
    method, _, info = key_parameters.partition(":")
    if method.lower() != "inline" or not info:
        raise SdpError("an a=crypto line's key must be given inline (RFC 4568 section 6.1)")
    encoded, *rest = info.split("|")
    if ";" in info or any(":" in part for part in rest):
        return None
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise SdpError("an a=crypto line's key is not base64 (RFC 4568 section 6.1)") from None
    if len(key) != SUITES[suite]:
        raise SdpError(f"a key of {len(key)} octets for {suite}, which takes {SUITES[suite]} (RFC 4568 section 6.2)")
    return Crypto(tag, suite, key)


def usable(attributes: Iterable[tuple[str, str]]) -> list[Crypto]:
    """The a=crypto lines of a stream that we can use, in its order. Raises SdpError."""
    found: list[Crypto] = []
    for seen, value in enumerate(value for name, value in attributes if name == "crypto"):
        if seen == MAX_CRYPTO_LINES:
            break
        crypto = parse_crypto(value)
        if crypto is not None:
            found.append(crypto)
    return found


def offered(keys: KeySource, suites: Iterable[str]) -> list[Crypto]:
    """The lines of an offer of ours, each with a fresh key. Raises SdpLocalError for a suite that we don't speak."""
    lines = []
    for tag, suite in enumerate(suites, 1):
        if suite not in SUITES:
            raise SdpLocalError(f"no SRTP suite {suite!r}; there is {', '.join(SUITES)}")
        lines.append(Crypto(tag, suite, keys(SUITES[suite])))
    return lines
