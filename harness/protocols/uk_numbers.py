"""Telephone numbers of the United Kingdom: read in any form, written in one, and told what kind they are.

Theory. A number is written nationally (01632 960001), internationally (+44 or 0044 and the same without its 0), or is a
short code that has no other form (999). What it is follows from its first digits (Ofcom's National Telephone Numbering
Plan), not from whether it is in service: Ofcom's test numbers are in service nowhere, which is why general libraries
call them invalid, and are the ones that tests dial. A few digits that are none of this are an extension.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from harness.errors import NumberError
from harness.privacy import is_reserved

MAX_TEXT: Final = 40
"""Characters that are read as a number."""
MAX_DIGITS: Final = 15
"""Digits of an international number (ITU-T E.164 section 6)."""
EXTENSION_DIGITS: Final = range(2, 9)
"""How many digits an extension, or a site's internal number, has."""


class Kind(StrEnum):
    """What a number is."""

    EMERGENCY = "emergency"
    """999, 112, and 18000, which reaches the same by text relay."""
    POLICE = "police"
    """101, the police's number for what is no emergency."""
    SHORT = "short code"
    """Another national short code: 105, 111, 116 123, 118 500 …"""
    GEOGRAPHIC = "geographic"
    NATIONWIDE = "nationwide"
    """03, charged as geographic numbers are."""
    MOBILE = "mobile"
    PERSONAL = "personal"
    """070, which follows its owner."""
    PAGER = "pager"
    CORPORATE = "corporate"
    """055 and 056: corporate networks, voice over IP without a place."""
    FREEPHONE = "freephone"
    SPECIAL = "special rate"
    """084 and 087."""
    PREMIUM = "premium rate"
    INTERNATIONAL = "international"
    """Of another country."""
    EXTENSION = "extension"


EMERGENCY_CODES: Final = ("999", "112", "18000")
SHORT_CODES: Final[dict[str, Kind]] = {
    **dict.fromkeys(EMERGENCY_CODES, Kind.EMERGENCY),
    "101": Kind.POLICE,
    **dict.fromkeys(("100", "105", "111", "119", "123", "155", "159", "195"), Kind.SHORT),
}
_LONG_SHORT_CODE: Final = re.compile(r"11[68]\d{3}", re.ASCII)
# First digits of a national significant number (without the 0), the longest first: kind, and digits that it may have.
_RANGES: Final[tuple[tuple[str, Kind, tuple[int, ...]], ...]] = (
    ("7624", Kind.MOBILE, (10,)),  # the Isle of Man's, within the pagers' range
    ("800", Kind.FREEPHONE, (7, 9, 10)),
    ("808", Kind.FREEPHONE, (10,)),
    ("500", Kind.FREEPHONE, (9,)),
    ("55", Kind.CORPORATE, (10,)),
    ("56", Kind.CORPORATE, (10,)),
    ("70", Kind.PERSONAL, (10,)),
    ("76", Kind.PAGER, (10,)),
    ("84", Kind.SPECIAL, (7, 10)),
    ("87", Kind.SPECIAL, (10,)),
    ("1", Kind.GEOGRAPHIC, (9, 10)),
    ("2", Kind.GEOGRAPHIC, (10,)),
    ("3", Kind.NATIONWIDE, (10,)),
    ("7", Kind.MOBILE, (10,)),
    ("9", Kind.PREMIUM, (10,)),
)
PREFIXES: Final[dict[str, str]] = {
    "141": "withhold the caller's number",
    "1470": "show the caller's number",
    "18001": "text relay, from a textphone",
    "18002": "text relay, to a textphone",
}
"""What may be dialled before a number, for that call."""
_SEPARATORS: Final = re.compile(r"[\s().\-/]+")
_TRUNK_ZERO: Final = re.compile(r"\A\s*(\+|00)\s*44[\s.\-]*\(0\)")
"""+44 (0)131 …, as letterheads write it: the 0 is dialled within the country only."""
_DIGITS: Final = re.compile(r"\+?[0-9]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Number:
    """One number. Two are the same when they are equal, however they were written."""

    digits: str
    """E.164 with its + (+441632960001), or the digits of a short code or an extension."""
    kind: Kind

    @property
    def e164(self) -> str:
        """+441632960001; empty for a short code or an extension, which have no international form."""
        return self.digits if self.digits.startswith("+") else ""

    @property
    def national(self) -> str:
        """As it is dialled within the country: 01632960001, 999, 0033123456789."""
        if self.digits.startswith("+44"):
            return "0" + self.digits[3:]
        return "00" + self.digits[1:] if self.digits.startswith("+") else self.digits

    @property
    def is_emergency(self) -> bool:
        """Whether it reaches the emergency services."""
        return self.kind is Kind.EMERGENCY

    @property
    def is_test(self) -> bool:
        """Whether it is one of Ofcom's reserved numbers that this project dials and shows unmasked."""
        return self.digits.startswith("+44") and is_reserved(self.digits)

    def __str__(self) -> str:
        return self.digits


def parse(text: str) -> Number:
    """Read a number: +44…, 0044…, 0…, a short code or an extension, with blanks, brackets, dots or hyphens in it.

    Raises:
        NumberError: no digits, too many, or first digits that the numbering plan gives to nobody.
    """
    if len(text) > MAX_TEXT:
        raise NumberError(f"{text[:MAX_TEXT]!r}… is {len(text)} characters; a number has {MAX_TEXT} at most")
    bare = _SEPARATORS.sub("", _TRUNK_ZERO.sub(r"\g<1>44", text))
    if _DIGITS.fullmatch(bare) is None:
        raise NumberError(f"{text!r} is no telephone number: digits are due, with a + before them at most")
    if bare in SHORT_CODES:
        return Number(bare, SHORT_CODES[bare])
    if _LONG_SHORT_CODE.fullmatch(bare):
        return Number(bare, Kind.SHORT)
    if bare.startswith(("+", "00")):
        return _international(bare.removeprefix("+") if bare[0] == "+" else bare[2:], text)
    if bare.startswith("0"):
        return Number(f"+44{bare[1:]}", _kind_of(bare[1:], text))
    if len(bare) in EXTENSION_DIGITS:
        return Number(bare, Kind.EXTENSION)
    raise NumberError(f"{text!r} begins with neither 0 nor + and has {len(bare)} digits; an extension has 2 to 8")


def _international(digits: str, text: str) -> Number:
    if digits.startswith("44"):
        return Number(f"+{digits}", _kind_of(digits[2:], text))
    if not 5 <= len(digits) <= MAX_DIGITS or digits[0] == "0":
        raise NumberError(f"{text!r} is no international number: 5 to {MAX_DIGITS} digits, the first not 0, are due")
    return Number(f"+{digits}", Kind.INTERNATIONAL)


def _kind_of(significant: str, text: str) -> Kind:
    if significant.startswith("0"):
        raise NumberError(f"{text!r}: after 00 or +44 a number stands without its 0")
    for first, kind, lengths in _RANGES:
        if significant.startswith(first):
            if len(significant) not in lengths:
                due = " or ".join(map(str, lengths))
                raise NumberError(f"{text!r} has {len(significant)} digits after its 0 or 44; 0{first}… has {due}")
            return kind
    raise NumberError(f"{text!r}: the numbering plan gives 0{significant[:2]} to nobody")


def split_prefix(text: str) -> tuple[str, str]:
    """Part what was dialled into one of PREFIXES and the number after it; the first is empty where there is none."""
    for prefix in PREFIXES:
        rest = text.strip().removeprefix(prefix)
        if rest != text.strip():
            try:
                if parse(rest).kind is not Kind.EXTENSION:
                    return prefix, rest.strip()
            except NumberError:
                continue
    return "", text


def same(one: str, other: str) -> bool:
    """Whether two texts are the same number, however each is written; for comparison only.

    What is no number is compared as it is, without regard to case.
    """
    try:
        return parse(one) == parse(other)
    except NumberError:
        return one.strip().lower() == other.strip().lower()
