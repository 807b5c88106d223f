"""Character sets between a modem and what drives it (`AT+CSCS`, 3GPP TS 27.007 section 5.5)."""

from __future__ import annotations

from typing import Final

from harness.errors import SmsError
from harness.protocols.location import gsm7

SETS: Final = ("GSM", "IRA", "UCS2", "HEX", "8859-1", "UTF-8")
_CODECS: Final = {"8859-1": "latin-1", "UTF-8": "utf-8", "IRA": "ascii"}


def to_equipment(text: str, charset: str) -> str:
    """Text as a modem shows it: characters that stand each for one byte of the line. What the set lacks is shown ?."""
    match charset:
        case "UCS2":
            return text.encode("utf-16-be", "replace").hex().upper()
        case "HEX":
            return _gsm(text).hex().upper()
        case "GSM":
            return _gsm(text).decode("latin-1")
    return text.encode(_CODECS[charset], "replace").decode("latin-1")


def from_equipment(octets: bytes, charset: str) -> str:
    """The text that equipment wrote. Raises SmsError for bytes that are none in the set."""
    try:
        match charset:
            case "UCS2":
                return bytes.fromhex(octets.decode("ascii")).decode("utf-16-be")
            case "HEX":
                return gsm7.from_codes(code & 0x7F for code in bytes.fromhex(octets.decode("ascii")))
            case "GSM":
                return gsm7.from_codes(octet & 0x7F for octet in octets)
        return octets.decode(_CODECS[charset])
    except ValueError as error:
        raise SmsError(f"not text in character set {charset}: {octets[:32]!r} ({error})") from None


def _gsm(text: str) -> bytes:
    return b"".join(bytes(gsm7.to_codes(each if gsm7.septets(each) is not None else "?")) for each in text)
