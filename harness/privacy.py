"""Masks secrets and personal data before they reach a journal, a capture or a report.

What names a person's SIM, handset or car (IMSI, IMEI, ICCID, VIN) is masked by its name, in AML's text by its place.
Telephone numbers are kept only where they are Ofcom's reserved test numbers (07700 900000 to 900999, 0131 496 0xxx,
0141 496 0xxx, 01632 960xxx) or too short to be a person's (999, 101, extensions, ISSIs of up to eight digits).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

MASK = "•"
SECRET_KEYS = frozenset(
    {"authorization", "proxy-authorization", "password", "secret", "token", "pin", "api_key", "cookie"}
    | {"imsi", "imei", "iccid", "device_imsi", "device_imei", "device_iccid", "vin"}
)
"""Names whose values are masked wherever they stand: what opens doors, what names a person's SIM, handset or car."""

# National significant numbers that Ofcom reserves for drama and tests.
_RESERVED = re.compile(r"(?:7700900\d{3}|1314960\d{3}|1414960\d{3}|1632960\d{3})\Z")
_NOBODYS = ("example", "example.org", "example.com", "example.net", "test", "invalid", "localhost")
_NUMBER = re.compile(r"(?<![\d.])(?:\+44|%2[Bb]44|0044|0)(?:[1-9]\d{8,9})(?!\d)")
_NUMBER_BYTES = re.compile(rb"(?<![\d.])(?:\+44|%2[Bb]44|0044|0)(?:[1-9]\d{8,9})(?!\d)")
_NUMBER_CUT = re.compile(rb"(?<![\d.])(\+44|%2[Bb]44|0044|0)([1-9]\d{2,8})\Z")
_RESERVED_STEMS = (b"7700900", b"131496", b"141496", b"1632960")
UNFINISHED = 4_096
"""Bytes kept of a stream's line that is not over yet: the first of them, which may name a secret, and the last."""
_LINE_START = 64
_SECRET_NAMES = SECRET_KEYS | {name.title() for name in SECRET_KEYS} | {name.upper() for name in SECRET_KEYS}
_DIGITS = re.compile(r"\d{9}")
"""Found in every text that may hold a telephone number; nearly none has it, and is told so quickly."""
_PLAIN = frozenset({int, float, bool, type(None)})
_PREFIX = re.compile(r"(?:\+44|%2[Bb]44|0044|0)")
# What a handset tells of itself in AML, by text (si, ei) and by HTTPS; the first six digits are network or model.
_HANDSET = re.compile(r"((?:\b(?:si|ei)|device_(?:imsi|imei|iccid))=)(\d{6})(\d{1,14})")
_HANDSET_BYTES = re.compile(rb"((?:\b(?:si|ei)|device_(?:imsi|imei|iccid))=)(\d{6})(\d{1,14})")
# A digest's or a bearer's whole value; the header name stays so that a reader sees that one was there.
_CREDENTIALS = re.compile(rb"(?im)^((?:Proxy-)?Authorization[ \t]*:[ \t]*\w+)([^\r\n]+)")
_BEARER = re.compile(r"(?i)\b(bearer\s+)(\S+)")
# An SRTP key in a session description (a=crypto, RFC 4568): as many x as it had characters.
_KEY = re.compile(r"(?i)\b(inline:)([A-Za-z0-9+/=]+)")
_KEY_BYTES = re.compile(rb"(?i)\b(inline:)([A-Za-z0-9+/=]+)")


def is_reserved(number: str) -> bool:
    """Tell whether ``number`` (+44…, 0044… or 0…; %2B44… as forms have it) is one that Ofcom reserves for tests."""
    return bool(_RESERVED.match(_PREFIX.sub("", number, count=1)))


def is_reserved_domain(domain: str) -> bool:
    """Tell whether a domain is one that nobody can have (RFC 2606, RFC 6761), in whatever case."""
    folded = domain.casefold()
    return folded in _NOBODYS or folded.endswith(tuple(f".{each}" for each in _NOBODYS))


def _mask_number(match: re.Match[str]) -> str:
    number = match.group()
    return number if is_reserved(number) else number[:3] + MASK * (len(number) - 5) + number[-2:]


def mask_text(text: str) -> str:
    """Return ``text`` with non-test telephone numbers, handsets' identities, bearer tokens and SRTP keys masked."""
    if _harmless(text):
        return text
    text = _HANDSET.sub(lambda m: m.group(1) + m.group(2) + MASK * len(m.group(3)), text)
    text = _KEY.sub(lambda m: m.group(1) + "x" * len(m.group(2)), text)
    return _BEARER.sub(lambda m: m.group(1) + MASK * 3, _NUMBER.sub(_mask_number, text))


def _harmless(text: str) -> bool:
    """Whether a text has nothing in it that could be masked: nearly none has, and this is told quickly."""
    # What is shorter than eight characters can hold neither a number nor a token.
    return len(text) < 8 or (
        _DIGITS.search(text) is None
        and "earer" not in text
        and "EARER" not in text
        and (":" not in text or "inline:" not in text.lower())
    )


def mask(value: Any, key: str = "") -> Any:
    """Return ``value`` with every secret and non-test number in it masked; containers are copied."""
    if key and key.lower() in SECRET_KEYS:
        return MASK * 3
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, Mapping):
        return {k: mask(v, str(k)) for k, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [mask(v) for v in value]
    return value


def mask_fields(data: dict[str, Any]) -> dict[str, Any]:
    """Return ``data`` masked as `mask` does; the very same object where nothing is to be masked."""
    if _SECRET_NAMES.isdisjoint(data):
        for value in data.values():
            kind = type(value)
            if kind is str:
                # As `_harmless` says, written out: this is asked of every value of every event.
                if len(value) >= 8 and (
                    _DIGITS.search(value) is not None
                    or "earer" in value
                    or "EARER" in value
                    or (":" in value and "inline:" in value.lower())
                ):
                    break
            elif kind not in _PLAIN:
                break
        else:
            return data
    return {key: mask(value, key) for key, value in data.items()}


def mask_wire(data: bytes) -> bytes:
    """Mask a captured datagram without changing its length, so that captures stay readable to any dissector.

    Only text protocols are touched: a datagram that is not ASCII in its first 16 bytes is returned as it is.
    """
    if not data[:16].isascii() or b"\x00" in data[:16]:
        return data
    data = _CREDENTIALS.sub(lambda m: m.group(1) + b" " + b"x" * (len(m.group(2)) - 1), data)
    if b"crypto:" in data.lower():
        data = _KEY_BYTES.sub(lambda m: m.group(1) + b"x" * len(m.group(2)), data)
    if b"ei=" in data or b"device_i" in data:
        data = _HANDSET_BYTES.sub(lambda m: m.group(1) + m.group(2) + b"x" * len(m.group(3)), data)
    return _NUMBER_BYTES.sub(_mask_number_bytes, data)


class StreamMask:
    """Masks one direction of a byte stream as `mask_wire` does, a secret cut in two by the pieces it comes in, too."""

    def __init__(self) -> None:
        self._line = b""
        """The line that is not over yet, as it came; of one longer than UNFINISHED the middle is left out."""

    def mask(self, piece: bytes) -> bytes:
        """Return the piece masked, of the same length."""
        began = len(self._line)
        text = self._line + piece
        masked = mask_wire(text)[began:]
        line = text[text.rfind(b"\n") + 1 :]
        self._line = line if len(line) <= UNFINISHED else line[:_LINE_START] + line[_LINE_START - UNFINISHED :]
        return _NUMBER_CUT.sub(_mask_cut_number, masked)


def _mask_cut_number(match: re.Match[bytes]) -> bytes:
    """Mask the first digits of a number whose others are still to come, unless they may be a reserved number's."""
    digits = match.group(2)
    if any(digits.startswith(stem) or stem.startswith(digits) for stem in _RESERVED_STEMS):
        return match.group()
    return match.group(1) + digits[:1] + b"x" * (len(digits) - 1)


def _mask_number_bytes(match: re.Match[bytes]) -> bytes:
    number = match.group()
    return number if is_reserved(number.decode()) else number[:3] + b"x" * (len(number) - 5) + number[-2:]
