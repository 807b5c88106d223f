"""Text coding schemes of SDS texts (EN 300 392-2, table 29.29): which numbers there are, and text to bytes and back."""

from __future__ import annotations

from harness.errors import SdsError
from harness.protocols.location import gsm7

PACKED_7_BIT = 0
"""Seven bits a character, packed. That its alphabet is GSM's default one, packed as GSM packs it, is [U]."""
ISO_8859_1 = 1
UTF_16_BE = 26
MAX_CODING = 127
_CODECS = {
    **{number: f"iso8859_{number}" for number in range(1, 11)},
    **{11: "iso8859_13", 12: "iso8859_14", 13: "iso8859_15"},
    **{14: "cp437", 15: "cp737", 16: "cp850", 17: "cp852", 18: "cp855", 19: "cp857", 20: "cp860"},
    **{21: "cp861", 22: "cp863", 23: "cp865", 24: "cp866", 25: "cp869", UTF_16_BE: "utf_16_be"},
}
"""Coding scheme to Python's codec [C]: the order of the table is that of public implementations."""


def is_known(coding: int) -> bool:
    """Whether text of this coding is read as it was meant; each byte of another is shown as in ISO 8859-1."""
    return coding == PACKED_7_BIT or coding in _CODECS


def encode(text: str, coding: int) -> bytes:
    """The bytes of a text; a coding that is not known is written as ISO 8859-1, as `decode` reads it.

    Raises:
        SdsError: the coding is not 0 to 127, or lacks a character of the text.
    """
    if not 0 <= coding <= MAX_CODING:
        raise SdsError(f"text coding scheme {coding} is not 0-{MAX_CODING}")
    if coding == PACKED_7_BIT:
        try:
            return gsm7.pack(text)
        except ValueError as error:
            raise SdsError(f"text coding scheme 0: {error}") from error
    codec = _CODECS.get(coding, "iso8859_1")
    try:
        return text.encode(codec)
    except UnicodeEncodeError as error:
        name = codec.replace("iso8859_", "ISO 8859-")
        raise SdsError(f"text has a character that {name} lacks: {text[error.start]!r}") from error


def decode(payload: bytes, coding: int) -> str:
    """The text in a payload; bytes that its coding has no character for are shown as U+FFFD. Never raises."""
    if coding == PACKED_7_BIT:
        return gsm7.unpack(payload)
    return payload.decode(_CODECS.get(coding, "iso8859_1"), "replace")
