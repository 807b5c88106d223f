"""IPv4 addresses as call records hold them: 32 bits whose first octet is the lowest, read as a number with a sign.

192.168.18.188 is -1139627840 (Cisco's Call Detail Records Administration Guide, Convert Signed Decimal Value to IP
Address). 0 stands for no address, and for an IPv6 one, which only the textual columns hold.
"""

from __future__ import annotations

import ipaddress

from harness.errors import CdrError


def to_number(address: str) -> int:
    """The number of a dotted address; 0 for an empty text and for IPv6. Raises CdrError on what is no address."""
    if not address:
        return 0
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError as error:
        raise CdrError(f"{address[:60]!r} is no IP address") from error
    return 0 if parsed.version == 6 else int.from_bytes(parsed.packed, "little", signed=True)


def to_address(number: int | None) -> str:
    """The dotted address of a number, with or without a sign; empty for 0 and None. Raises CdrError beyond 32 bits."""
    if not number:
        return ""
    if not -(2**31) <= number < 2**32:
        raise CdrError(f"{number} is no address: 32 bits are due")
    return str(ipaddress.IPv4Address((number & 0xFFFF_FFFF).to_bytes(4, "little")))
