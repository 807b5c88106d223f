"""The GSM 7-bit default alphabet with its extension table (3GPP TS 23.038 section 6.2.1): length, codes and packing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

SMS_SEPTETS: Final = 160
"""Septets of one text message."""
SMS_OCTETS: Final = 140
"""The same, packed."""
ESCAPE: Final = 0x1B
_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = dict(zip("\f^{}\\[~]|€", (0x0A, 0x14, 0x28, 0x29, 0x2F, 0x3C, 0x3D, 0x3E, 0x40, 0x65), strict=True))
_CODES: Final = {character: (code,) for code, character in enumerate(_BASIC) if code != ESCAPE} | {
    character: (ESCAPE, code) for character, code in _EXTENSION.items()
}
_EXTENDED: Final = {code: character for character, code in _EXTENSION.items()}


def septets(text: str) -> int | None:
    """How many septets ``text`` takes; None where the alphabet lacks one of its characters."""
    total = 0
    for character in text:
        codes = _CODES.get(character)
        if codes is None:
            return None
        total += len(codes)
    return total


def to_codes(text: str) -> list[int]:
    """The septets of ``text``, an escaped character as two. Raises ValueError for one that the alphabet lacks."""
    codes: list[int] = []
    for character in text:
        if character not in _CODES:
            raise ValueError(f"{character!r} is not of the GSM 7-bit default alphabet")
        codes.extend(_CODES[character])
    return codes


def from_codes(codes: Iterable[int]) -> str:
    """The text of septets (0 to 127); an escape before what is not escaped is passed over, as one at the end is."""
    text, escaped = [], False
    for code in codes:
        if escaped:
            text.append(_EXTENDED.get(code, _BASIC[code]))
            escaped = False
        elif code == ESCAPE:
            escaped = True
        else:
            text.append(_BASIC[code])
    return "".join(text)


def pack(text: str) -> bytes:
    """Pack ``text``, eight septets into seven octets, the last filled up with zero bits.

    Raises ValueError for a character that the alphabet lacks.
    """
    return pack_codes(to_codes(text))


def pack_codes(codes: Sequence[int], fill: int = 0) -> bytes:
    """Pack septets behind ``fill`` zero bits (0 to 6), by which a header's end is brought to a septet's bound."""
    word = 0
    for position, code in enumerate(codes):
        word |= code << fill + 7 * position
    return word.to_bytes((fill + 7 * len(codes) + 7) // 8, "little")


def unpack_codes(octets: bytes, count: int, fill: int = 0) -> list[int]:
    """The first ``count`` septets of ``octets`` behind ``fill`` bits; zero where the octets end before."""
    word = int.from_bytes(octets, "little") >> fill
    return [word >> 7 * position & 0x7F for position in range(count)]


def unpack(octets: bytes) -> str:
    """Unpack what ``pack`` packed.

    A last septet of zero bits in a full seven octets is filling and is left out: no location message ends with ``@``.
    """
    count = 8 * len(octets) // 7
    codes = unpack_codes(octets, count)
    if codes and count % 8 == 0 and codes[-1] == 0:
        codes.pop()
    return from_codes(codes)
