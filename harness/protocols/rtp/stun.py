"""Tells STUN messages from RTP and RTCP on one port (RFC 8489 section 5; RFC 7983 section 7)."""

from __future__ import annotations

from typing import Final

LEAST: Final = 20
"""Octets of a header."""
COOKIE: Final = bytes.fromhex("2112a442")


def is_stun(data: bytes) -> bool:
    """Whether a datagram is a STUN message: telephones keep their way through a NAT open with it, unasked."""
    return len(data) >= LEAST and data[0] < 4 and data[4:8] == COOKIE
