"""Data coding schemes (3GPP TS 23.038 section 4): which alphabet a text is in, and which class it has."""

from __future__ import annotations

from enum import Enum
from typing import Final

from harness.protocols.location import gsm7


class Alphabet(Enum):
    """What a message's octets are."""

    GSM7 = "GSM 7-bit"
    OCTETS = "8-bit"
    UCS2 = "UCS-2"


DCS: Final = {Alphabet.GSM7: 0x00, Alphabet.OCTETS: 0x04, Alphabet.UCS2: 0x08}
"""The plain scheme of each alphabet."""
_GENERAL: Final = {0: Alphabet.GSM7, 1: Alphabet.OCTETS, 2: Alphabet.UCS2, 3: Alphabet.GSM7}


def alphabet_of(dcs: int) -> Alphabet:
    """The alphabet of a scheme, 0-255. Reserved ones are read as GSM 7-bit, as the standard has it; compressed text
    (TS 23.042) as octets, for it is not unpacked.
    """
    group = dcs >> 4
    if group <= 0x7:
        return Alphabet.OCTETS if dcs & 0x20 else _GENERAL[dcs >> 2 & 3]
    if group == 0xE:
        return Alphabet.UCS2
    if group == 0xF:
        return Alphabet.OCTETS if dcs & 0x04 else Alphabet.GSM7
    return Alphabet.GSM7


def class_of(dcs: int) -> int | None:
    """The message class 0-3 (0: shown at once, not stored); None where the scheme names none."""
    if (dcs >> 4 <= 0x7 and dcs & 0x10) or dcs >> 4 == 0xF:
        return dcs & 3
    return None


def fitting(text: str) -> Alphabet:
    """GSM 7-bit where it has every character of ``text``, else UCS-2."""
    return Alphabet.UCS2 if gsm7.septets(text) is None else Alphabet.GSM7
