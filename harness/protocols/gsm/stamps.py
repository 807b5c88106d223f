"""Times in text messages (3GPP TS 23.040 sections 9.2.3.11 and 9.2.3.12): stamps with their zone, validity periods."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

from harness.errors import SmsError
from harness.protocols.times import from_compact, to_compact

QUARTER_S: Final = 900
"""Zones are told in quarters of an hour."""
MAX_QUARTERS: Final = 79
CENTURY_TURNS: Final = 90
"""Two digits of a year below it are 20xx, others 19xx: there were no texts before 1992. The standard names no turn."""
STAMP_OCTETS: Final = 7
_AT_TEXT: Final = re.compile(r"(\d\d)/(\d\d)/(\d\d),(\d\d):(\d\d):(\d\d)([+-])(\d\d)", re.ASCII)
_FIVE_MINUTES, _HALF_HOUR, _DAY, _WEEK = 300, 1_800, 86_400, 604_800
MAX_RELATIVE_S: Final = 63 * _WEEK


@dataclass(frozen=True, slots=True)
class Stamp:
    """A moment, and the zone it is told in."""

    seconds: int
    """Since 1970 UTC; the local year is 1990 to 2089."""
    quarters: int = 0
    """The zone's quarters of an hour ahead of UTC, -79 to 79: summer time in London is 4."""

    def local(self) -> str:
        """``yyyyMMddHHmmss`` in its zone. Raises SmsError beyond the years that a stamp can tell."""
        try:
            text = to_compact(self.seconds + QUARTER_S * self.quarters)
        except ValueError as error:
            raise SmsError(f"time stamp: {error}") from None
        if not f"19{CENTURY_TURNS}" <= text[:4] < f"20{CENTURY_TURNS}":
            raise SmsError(f"time stamp of the year {text[:4]}; 19{CENTURY_TURNS} to 20{CENTURY_TURNS - 1} can be told")
        return text

    def write(self) -> bytes:
        """Seven octets. Raises SmsError."""
        if abs(self.quarters) > MAX_QUARTERS:
            raise SmsError(f"a zone of {self.quarters} quarters; {MAX_QUARTERS} at most can be told")
        digits = self.local()[2:] + f"{abs(self.quarters):02d}"
        octets = bytearray(int(digits[at + 1] + digits[at], 16) for at in range(0, 14, 2))
        if self.quarters < 0:
            octets[6] |= 0x08
        return bytes(octets)

    @classmethod
    def read(cls, octets: bytes) -> Self:
        """Read seven octets. Raises SmsError for what is no such time."""
        if len(octets) != STAMP_OCTETS:
            raise SmsError(f"time stamp of {len(octets)} octets; {STAMP_OCTETS} are due")
        zone = octets[6]
        digits = "".join(f"{octet & 0xF:x}{octet >> 4:x}" for octet in (*octets[:6], zone & 0xF7))
        if not digits.isdecimal():
            raise SmsError(f"time stamp {octets.hex()}: decimal digits are due")
        quarters = int(digits[12:]) * (-1 if zone & 0x08 else 1)
        century = "20" if int(digits[:2]) < CENTURY_TURNS else "19"
        try:
            return cls(from_compact(century + digits[:12]) - QUARTER_S * quarters, quarters)
        except ValueError as error:
            raise SmsError(f"time stamp {octets.hex()}: {error}") from None

    def at_text(self) -> str:
        """``yy/MM/dd,hh:mm:ss±zz`` as AT commands show it (TS 27.005 section 3.1). Raises SmsError."""
        t = self.local()
        sign = "-" if self.quarters < 0 else "+"
        return f"{t[2:4]}/{t[4:6]}/{t[6:8]},{t[8:10]}:{t[10:12]}:{t[12:14]}{sign}{abs(self.quarters):02d}"

    @classmethod
    def from_at_text(cls, text: str) -> Self:
        """Read what `at_text` writes. Raises SmsError."""
        found = _AT_TEXT.fullmatch(text.strip())
        if found is None:
            raise SmsError(f"{text[:40]!r} is no time; yy/MM/dd,hh:mm:ss+zz was due")
        *digits, sign, zone = found.groups()
        century = "20" if int(digits[0]) < CENTURY_TURNS else "19"
        quarters = int(zone) * (-1 if sign == "-" else 1)
        try:
            return cls(from_compact(century + "".join(digits)) - QUARTER_S * quarters, quarters)
        except ValueError as error:
            raise SmsError(f"{text[:40]!r}: {error}") from None


@dataclass(frozen=True, slots=True)
class Enhanced:
    """A validity period in the enhanced format: its seven octets, kept as they came."""

    octets: bytes

    @property
    def seconds(self) -> int | None:
        """How long it is, seconds; None where it tells none."""
        indicator, value = self.octets[0], self.octets[1:]
        match indicator & 0x07:
            case 1:
                return relative_seconds(value[0])
            case 2:
                return value[0]
            case 3:
                h, m, s = (10 * (octet & 0xF) + (octet >> 4) for octet in value[:3])
                return 3600 * h + 60 * m + s
        return None


Validity = int | Stamp | Enhanced
"""How long a text is tried: the octet of the relative format (0-255), a moment, or the enhanced format."""


def relative_seconds(octet: int) -> int:
    """How long the relative format's octet is."""
    if octet <= 143:
        return (octet + 1) * _FIVE_MINUTES
    if octet <= 167:
        return _DAY // 2 + (octet - 143) * _HALF_HOUR
    return (octet - 166) * _DAY if octet <= 196 else (octet - 192) * _WEEK


def relative_octet(seconds: float) -> int:
    """The shortest relative period that is no shorter than ``seconds``. Raises SmsError beyond 63 weeks or below 0."""
    if not 0 <= seconds <= MAX_RELATIVE_S:
        raise SmsError(f"a validity of {seconds:g} s; 0 to {MAX_RELATIVE_S} s can be told")
    return next(octet for octet in range(256) if relative_seconds(octet) >= seconds)


def validity_seconds(validity: Validity, now: float) -> float | None:
    """Seconds from ``now`` (since 1970 UTC) until a period is over; None where it tells no end."""
    match validity:
        case int():
            return relative_seconds(validity)
        case Stamp():
            return validity.seconds - now
        case Enhanced():
            return validity.seconds
