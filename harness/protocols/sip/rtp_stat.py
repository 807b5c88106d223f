"""What a call's media was, told by its end: Cisco's P-RTP-Stat header, in a BYE or in the response to one.

Cisco Unified CM makes a SIP trunk's call management record of it (Call Reporting and Billing Administration Guide,
Call Management Records). A sender may leave out what it does not know.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip.grammar import DIGITS
from harness.protocols.sip.message import Message

HEADER: Final = "P-RTP-Stat"
MAX_COUNT: Final = 2**32 - 1
_KEYS: Final = {
    "PS": "packets_sent",
    "OS": "octets_sent",
    "PR": "packets_received",
    "OR": "octets_received",
    "PL": "packets_lost",
    "JI": "jitter",
    "LA": "round_trip",
    "DU": "duration",
}


@dataclass(frozen=True, slots=True)
class RtpStat:
    """One value; None where a figure is not told. Figures are 0…MAX_COUNT."""

    packets_sent: int | None = None
    octets_sent: int | None = None
    """Of payload, without RTP headers (as the record that is made of it)."""
    packets_received: int | None = None
    octets_received: int | None = None
    packets_lost: int | None = None
    jitter: int | None = None
    """Milliseconds, as the record that is made of it; the header's own description names no unit."""
    round_trip: int | None = None
    """Milliseconds."""
    duration: int | None = None
    """Seconds."""

    @classmethod
    def parse(cls, text: str) -> RtpStat:
        """Parse a value; unknown keys are left, an empty figure is one that is not told. Raises SipRemoteError."""
        found: dict[str, int] = {}
        for part in text.split(","):
            key, equals, digits = (piece.strip() for piece in part.partition("="))
            if not equals:
                raise SipRemoteError(f"P-RTP-Stat has {part[:40]!r}; PS=, OS=, PR=, OR=, PL=, JI=, LA=, DU= are due")
            name = _KEYS.get(key.upper())
            if name is None or not digits:
                continue
            if DIGITS.fullmatch(digits) is None or int(digits) > MAX_COUNT:
                raise SipRemoteError(f"P-RTP-Stat has {part[:40]!r}; a number of up to {MAX_COUNT} is due")
            if name in found:
                raise SipRemoteError(f"P-RTP-Stat tells {key.upper()} twice: {text[:80]!r}")
            found[name] = int(digits)
        return cls(**found)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is told, so that no record comes of it."""
        return all(getattr(self, each.name) is None for each in fields(self))

    def value(self) -> str:
        """The header's value. Raises SipLocalError where nothing is told, or a figure is out of range."""
        told = {key: getattr(self, name) for key, name in _KEYS.items() if getattr(self, name) is not None}
        if not told:
            raise SipLocalError("a P-RTP-Stat that tells nothing")
        for key, figure in told.items():
            if not 0 <= figure <= MAX_COUNT:
                raise SipLocalError(f"P-RTP-Stat: {key}={figure} is not 0…{MAX_COUNT}")
        return ",".join(f"{key}={figure}" for key, figure in told.items())


def rtp_stat_of(message: Message) -> RtpStat | None:
    """A message's figures; None where it has no such header. Raises SipRemoteError."""
    text = message.get(HEADER)
    return None if text is None else RtpStat.parse(text)
