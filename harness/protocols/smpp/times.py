"""Times of SMPP 3.4 (section 7.1.1): ``YYMMDDhhmmsstnnp``, absolute with a zone or relative to the centre's now."""

from __future__ import annotations

import re
from typing import Final

from harness.errors import SmppError, SmsError
from harness.protocols.gsm.stamps import Stamp

_FORMAT: Final = re.compile(r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d)(\d\d)([-+R])", re.ASCII)
MONTH_DAYS, YEAR_DAYS = 30, 365
"""Days that a month and a year of a relative time count: the specification does not say."""


def read(text: str, now: float) -> float | None:
    """Seconds from ``now`` (since 1970 UTC) to the time told; None for an empty text. Raises SmppError."""
    if not text:
        return None
    found = _FORMAT.fullmatch(text)
    if found is None:
        raise SmppError(f"{text[:20]!r} is no time; YYMMDDhhmmsstnnp was due")
    year, month, day, hour, minute, second, tenths, quarters = map(int, found.groups()[:-1])
    if found.group(9) == "R":
        days = YEAR_DAYS * year + MONTH_DAYS * month + day
        return ((days * 24 + hour) * 60 + minute) * 60.0 + second
    sign = found.group(9)
    shown = f"{text[:2]}/{text[2:4]}/{text[4:6]},{text[6:8]}:{text[8:10]}:{text[10:12]}{sign}{quarters:02d}"
    try:
        return Stamp.from_at_text(shown).seconds + tenths / 10 - now
    except SmsError as error:
        raise SmppError(f"{text!r} is no time: {error}") from None


def absolute(stamp: Stamp) -> str:
    """A moment with its zone. Raises SmsError beyond what can be told."""
    return f"{stamp.local()[2:]}0{abs(stamp.quarters):02d}{'-' if stamp.quarters < 0 else '+'}"


def relative(seconds: int) -> str:
    """A time from now, to the second. Raises SmppError beyond 30 days, where months begin."""
    days, rest = divmod(seconds, 86_400)
    if not 0 <= days < MONTH_DAYS:
        raise SmppError(f"{seconds} s from now; 0 to {MONTH_DAYS} days can be told exactly")
    return f"0000{days:02d}{rest // 3600:02d}{rest // 60 % 60:02d}{rest % 60:02d}000R"
