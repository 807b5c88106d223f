"""`+CTSDSR`, an SDS or a status that came in: its two lines written, and read whatever a terminal leaves out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from harness.errors import PeiRemoteError
from harness.protocols.pei.fields import MAX_FIELDS, Unsolicited, identity, number

MAX_PAYLOAD_BITS = 8 * 1024
"""Longest payload looked at; an SDS type 4 has 2047 bits at most."""
_LEAST_INLINE = 4
"""Hex digits of the shortest payload, a status; a length or a flag in its place has fewer, or does not fit."""
_MAX_LENGTH_DIGITS = 4


@dataclass(frozen=True, slots=True)
class SdsReceived(Unsolicited):
    """`+CTSDSR` and the hex on the line after it: an SDS or a status came [C]."""

    PREFIX: ClassVar[str] = "+CTSDSR"
    service: int
    """AiService: 12 SDS type 4, 13 status."""
    calling: str | None
    """Sender's SSI or TSI; real terminals leave it out at times."""
    calling_type: int | None
    called: str
    called_type: int
    bits: int
    """Length of the payload."""
    payload: bytes
    """Padded with zero bits to whole bytes."""
    e2ee: int | None = None

    def line(self) -> str:
        """Both lines, parted by CR LF; the hex is padded to whole bytes, as Motorola does [C]."""
        calling_type = "" if self.calling_type is None else self.calling_type
        tail = "" if self.e2ee is None else f",{self.e2ee}"
        head = f"{self.service},{self.calling or ''},{calling_type},{self.called},{self.called_type},{self.bits}{tail}"
        return f"{self.PREFIX}: {head}\r\n{self.payload.hex().upper()}"


def decode_hex(text: str, bits: int) -> bytes:
    """The bytes of a payload of `bits` bits: digits for just the bits (Sepura) or padded to whole bytes (Motorola) [C].

    Raises:
        PeiRemoteError: not hex, or another number of digits.
    """
    if not 0 <= bits <= MAX_PAYLOAD_BITS:
        raise PeiRemoteError(f"payload of {bits} bits")
    digits = "".join(text.split())
    if not _fits(digits, bits):
        raise PeiRemoteError(f"payload of {bits} bits in {len(digits)} hex digits; {(bits + 3) // 4} were due")
    if any(character not in "0123456789abcdefABCDEF" for character in digits):
        raise PeiRemoteError(f"payload is not hex: {digits[:40]!r}")
    return bytes.fromhex(digits + "0" * (len(digits) % 2))


def _fits(digits: str, bits: int) -> bool:
    just = (bits + 3) // 4
    return len(digits) in (just, just + just % 2)


def inline_hex(texts: list[str]) -> tuple[list[str], str] | None:
    """The head's fields and the hex, where the hex is the last field of the head; None where it is not there.

    Some write `+CTSDSR: 12,23404,0,23401,0,112, 82040801…` on one line [C].
    """
    *head, digits = texts
    if len(head) not in (6, 7) or len(digits) < _LEAST_INLINE:
        return None
    lengths = [int(text) for text in head[5:] if text.isascii() and text.isdigit() and len(text) <= _MAX_LENGTH_DIGITS]
    return (head, digits) if any(_fits(digits, bits) for bits in lengths) else None


def parse_sds(texts: list[str], hex_line: str | None) -> SdsReceived:
    """The code of a `+CTSDSR`'s fields and of the line after it.

    The whole head has six fields and may have a seventh. Real terminals leave the calling party out altogether (four
    or five fields), and the called party's type with it (three); some write the end-to-end flag before the length [C].

    Raises:
        PeiRemoteError: too few or too many fields, one that is not what it must be, hex that does not fit its length.
    """
    if len(texts) == 3:
        texts = [texts[0], "", "", texts[1], "", texts[2]]
    elif len(texts) in (4, 5):
        texts = [texts[0], "", "", *texts[1:]]
    if not 6 <= len(texts) <= MAX_FIELDS:
        raise PeiRemoteError(f"+CTSDSR: {len(texts)} fields; 3 to 7 were due")
    if hex_line is None:
        raise PeiRemoteError("+CTSDSR: no line of hex after it")
    where = "+CTSDSR"
    bits = number(texts[5], f"{where}: length")
    e2ee = number(texts[6], f"{where}: e2ee") if len(texts) > 6 and texts[6] else None
    digits = "".join(hex_line.split())
    if e2ee is not None and not _fits(digits, bits) and _fits(digits, e2ee):
        bits, e2ee = e2ee, bits
    return SdsReceived(
        service=number(texts[0], f"{where}: AI service"),
        calling=identity(texts[1], f"{where}: calling party") or None,
        calling_type=number(texts[2], f"{where}: calling type") if texts[2] else None,
        called=identity(texts[3], f"{where}: called party"),
        called_type=number(texts[4], f"{where}: called type") if texts[4] else 0,
        bits=bits,
        payload=decode_hex(digits, bits),
        e2ee=e2ee,
    )
