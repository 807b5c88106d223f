"""The GSM 7-bit default alphabet (3GPP TS 23.038 section 6.2.1) as a location message needs it: length and packing."""

from __future__ import annotations

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


def pack(text: str) -> bytes:
    """Pack ``text``, eight septets into seven octets, the last filled up with zero bits.

    Raises ValueError for a character that the alphabet lacks.
    """
    codes: list[int] = []
    for character in text:
        if character not in _CODES:
            raise ValueError(f"{character!r} is not of the GSM 7-bit default alphabet")
        codes.extend(_CODES[character])
    word = 0
    for position, code in enumerate(codes):
        word |= code << 7 * position
    return word.to_bytes((7 * len(codes) + 7) // 8, "little")


def unpack(octets: bytes) -> str:
    """Unpack what ``pack`` packed.

    A last septet of zero bits in a full seven octets is filling and is left out: no location message ends with ``@``.
    """
    word, count = int.from_bytes(octets, "little"), 8 * len(octets) // 7
    codes = [word >> 7 * position & 0x7F for position in range(count)]
    if codes and count % 8 == 0 and codes[-1] == 0:
        codes.pop()
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
