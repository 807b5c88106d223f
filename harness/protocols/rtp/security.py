"""The keys of a secured stream as signalling hands them over: suites, lengths, and nothing that shows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

SUITES: Final = {
    "AES_CM_128_HMAC_SHA1_80": 30,
    "AES_CM_128_HMAC_SHA1_32": 30,
    "AEAD_AES_256_GCM": 44,
    "AEAD_AES_128_GCM": 28,
}
"""Suites that the harness speaks (RFC 4568 section 6.2, RFC 7714 section 14.2), and the octets of key and salt of each.

The order is that of our own offers: what every telephone has comes first.
"""


@dataclass(frozen=True, slots=True)
class Security:
    """The keys of one stream, both ways."""

    suite: str
    """A name of SUITES."""
    local_key: bytes = field(repr=False)
    """What we send with: master key and salt."""
    remote_key: bytes = field(repr=False)
    """What the peer sends with."""
