"""Makes datagrams that are no valid SIP (RFC 3261 sections 7, 8.1.1 and 18.3), as a broken or hostile sender's are."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

MOST_NOISE: Final = 1_200
"""Octets of noise."""
_WHERE: Final = "192.0.2.44"
"""Nobody's address (RFC 5737)."""


def _request(rng: Random, method: str = "INVITE") -> str:
    mark = f"{rng.getrandbits(48):012x}"
    return (
        f"{method} sip:999@{_WHERE} SIP/2.0\r\nVia: SIP/2.0/UDP {_WHERE};branch=z9hG4bK{mark}\r\nMax-Forwards: 70\r\n"
        f"From: <sip:nobody@{_WHERE}>;tag={mark}\r\nTo: <sip:999@{_WHERE}>\r\nCall-ID: {mark}\r\nCSeq: 1 {method}\r\n"
        f"Contact: <sip:nobody@{_WHERE}>\r\nContent-Length: 0\r\n\r\n"
    )


def _noise(rng: Random) -> bytes:
    return rng.randbytes(rng.randrange(1, MOST_NOISE))


def _cut(rng: Random) -> bytes:
    whole = _request(rng).encode()
    return whole[: rng.randrange(20, len(whole) - 4)]


def _without(rng: Random) -> bytes:
    name = rng.choice(("Via", "From", "To", "Call-ID", "CSeq"))
    return "".join(each for each in _request(rng).splitlines(keepends=True) if not each.startswith(name)).encode()


def _too_long(rng: Random) -> bytes:
    return _request(rng).replace("Content-Length: 0", f"Content-Length: {rng.randrange(1, 10**9)}").encode()


def _other_method(rng: Random) -> bytes:
    return _request(rng).replace("CSeq: 1 INVITE", "CSeq: 1 BYE").encode()


def _bad_number(rng: Random) -> bytes:
    return _request(rng).replace("CSeq: 1 ", f"CSeq: {rng.choice(('-1', '4294967296', 'one'))} ").encode()


def _bad_uri(rng: Random) -> bytes:
    return _request(rng).replace(f"INVITE sip:999@{_WHERE}", "INVITE sip:999@[::1").encode()


_KINDS: Final[tuple[Callable[[Random], bytes], ...]] = (
    _noise,
    _cut,
    _without,
    _too_long,
    _other_method,
    _bad_number,
    _bad_uri,
)


def malformed(rng: Random) -> bytes:
    """One datagram, of a kind drawn at random: noise, or an INVITE cut short or without what it must have."""
    return rng.choice(_KINDS)(rng)
