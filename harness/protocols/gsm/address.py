"""Addresses of text messages (3GPP TS 23.040 section 9.1.2.5): digits, or a name of up to eleven characters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from harness.errors import SmsError
from harness.protocols.location import gsm7

MAX_DIGITS: Final = 20
"""Of an address field; its value has ten octets."""
MAX_NAME: Final = 11
"""Septets of a sender's name: what ten octets hold."""
_NIBBLES: Final = "0123456789*#abc"
_DIALLED: Final = re.compile(r"\+?[0-9*#abc]{1,20}")


class Ton(IntEnum):
    """Type of number."""

    UNKNOWN = 0
    INTERNATIONAL = 1
    NATIONAL = 2
    NETWORK = 3
    SUBSCRIBER = 4
    NAME = 5
    ABBREVIATED = 6


ISDN: Final = 1
"""Numbering plan E.164."""


@dataclass(frozen=True, slots=True)
class Address:
    """Whom a text is for, or from."""

    digits: str
    """``447700900123`` without its +, or the name where the type is `Ton.NAME`."""
    ton: int = Ton.UNKNOWN
    """Type of number, 0-7; see `Ton`."""
    npi: int = ISDN
    """Numbering plan, 0-15."""

    @classmethod
    def of(cls, text: str) -> Self:
        """Read what a person writes: +447700900123, 07700900123, 999, or a name. Raises SmsError for what fits none."""
        bare = re.sub(r"[\s().-]", "", text)
        if _DIALLED.fullmatch(bare):
            digits = bare.removeprefix("+")
            if len(digits) > MAX_DIGITS:
                raise SmsError(f"an address of {len(digits)} digits; {MAX_DIGITS} at most are allowed")
            return cls(digits, Ton.INTERNATIONAL if bare[0] == "+" else Ton.UNKNOWN)
        length = gsm7.septets(text)
        if not text or length is None or length > MAX_NAME:
            raise SmsError(f"{text[:40]!r} is neither a number nor a name of up to {MAX_NAME} GSM characters")
        return cls(text, Ton.NAME, 0)

    @classmethod
    def of_number(cls, text: str) -> Self:
        """The same, of a number only: whom a text may be for. Raises SmsError."""
        address = cls.of(text)
        if address.ton == Ton.NAME:
            raise SmsError(f"{text!r} is a name: a text is sent to a number")
        return address

    @classmethod
    def from_type(cls, digits: str, kind: int) -> Self:
        """An address of digits and a type-of-address octet, as AT commands have it (129, 145, 208)."""
        return cls(digits.removeprefix("+"), kind >> 4 & 7, kind & 0xF)

    @property
    def kind(self) -> int:
        """The type-of-address octet: 145 international, 129 unknown, 208 a name."""
        return 0x80 | self.ton << 4 | self.npi

    def __str__(self) -> str:
        return f"+{self.digits}" if self.ton == Ton.INTERNATIONAL else self.digits

    def value(self) -> tuple[int, bytes]:
        """How many half octets are used, and the octets. Raises SmsError for what an address can't hold."""
        if not 0 <= self.ton <= 7 or not 0 <= self.npi <= 15:
            raise SmsError(f"address type {self.ton}, plan {self.npi}: 0-7 and 0-15 are allowed")
        if self.ton == Ton.NAME:
            try:
                codes = gsm7.to_codes(self.digits)
            except ValueError as error:
                raise SmsError(f"sender's name: {error}") from None
            if len(codes) > MAX_NAME:
                raise SmsError(f"sender's name of {len(codes)} septets; {MAX_NAME} at most are allowed")
            return (7 * len(codes) + 3) // 4, gsm7.pack_codes(codes)
        if len(self.digits) > MAX_DIGITS or any(digit not in _NIBBLES for digit in self.digits):
            raise SmsError(f"address {self.digits[:40]!r}: up to {MAX_DIGITS} of 0-9 * # a b c are allowed")
        nibbles = [_NIBBLES.index(digit) for digit in self.digits] + [0xF] * (len(self.digits) % 2)
        return len(self.digits), bytes(low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2], strict=True))

    def write(self) -> bytes:
        """The address field: length in half octets, type, value. Raises SmsError."""
        used, octets = self.value()
        return bytes((used, self.kind)) + octets

    def write_centre(self) -> bytes:
        """The same as a modem writes a service centre's: length in octets, the type included. Raises SmsError."""
        octets = self.value()[1]
        return bytes((len(octets) + 1, self.kind)) + octets


def read(octets: bytes, at: int) -> tuple[Address, int]:
    """The address field at ``at`` and where it ends. Raises SmsError."""
    if len(octets) < at + 2:
        raise SmsError("cut short in an address")
    used = octets[at]
    if used > MAX_DIGITS:
        raise SmsError(f"an address of {used} half octets; {MAX_DIGITS} at most are allowed")
    end = at + 2 + (used + 1) // 2
    if len(octets) < end:
        raise SmsError("cut short in an address")
    return _of_value(octets[at + 1], octets[at + 2 : end], used), end


def read_centre(octets: bytes) -> tuple[Address | None, int]:
    """The service centre's address before a PDU, None where the modem's own counts, and its end. Raises SmsError."""
    if not octets:
        raise SmsError("empty: a service centre's length was due")
    length = octets[0]
    if length == 0:
        return None, 1
    if length > MAX_DIGITS // 2 + 1 or len(octets) < 1 + length or length == 1:
        raise SmsError(f"a service centre's address of {length} octets; 0 or 2-{MAX_DIGITS // 2 + 1} are allowed")
    value = octets[2 : 1 + length]
    used = 2 * len(value) - (value[-1] >> 4 == 0xF)
    return _of_value(octets[1], value, used), 1 + length


def _of_value(kind: int, value: bytes, used: int) -> Address:
    ton, npi = kind >> 4 & 7, kind & 0xF
    if ton == Ton.NAME:
        return Address(gsm7.from_codes(gsm7.unpack_codes(value, 4 * used // 7)), ton, npi)
    nibbles = [nibble for octet in value for nibble in (octet & 0xF, octet >> 4)][:used]
    if 0xF in nibbles:
        raise SmsError(f"a filling half octet within the {used} of an address")
    return Address("".join(_NIBBLES[nibble] for nibble in nibbles), ton, npi)
