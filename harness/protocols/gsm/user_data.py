"""User data of a text message (3GPP TS 23.040 section 9.2.3.24): its header's elements, and text or octets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from harness.errors import SmsError
from harness.protocols.gsm.coding import DCS, Alphabet, alphabet_of
from harness.protocols.location import gsm7

MAX_OCTETS: Final = gsm7.SMS_OCTETS
CONCATENATED, CONCATENATED_WIDE = 0x00, 0x08
"""Elements that tell which part of a text this is, with a reference of 8 or of 16 bits."""


class Element(NamedTuple):
    """One element of a header."""

    identifier: int
    """0-255."""
    value: bytes


class Part(NamedTuple):
    """Which part of a long text a message is."""

    reference: int
    total: int
    number: int
    """1 to ``total``."""
    wide: bool
    """Whether the reference has 16 bits."""

    def element(self) -> Element:
        """As a header has it. Raises SmsError for numbers that it can't hold."""
        if not 1 <= self.number <= self.total <= 255 or not 0 <= self.reference <= (0xFFFF if self.wide else 0xFF):
            raise SmsError(f"part {self.number} of {self.total}, reference {self.reference}: no such part")
        head = self.reference.to_bytes(2 if self.wide else 1, "big")
        return Element(CONCATENATED_WIDE if self.wide else CONCATENATED, head + bytes((self.total, self.number)))


@dataclass(frozen=True, slots=True)
class UserData:
    """What a message says."""

    text: str = ""
    """Empty where the scheme is 8-bit."""
    data: bytes = b""
    """The octets of an 8-bit message."""
    dcs: int = 0
    """Data coding scheme, 0-255."""
    elements: tuple[Element, ...] = ()

    @classmethod
    def of(cls, text: str, alphabet: Alphabet, elements: tuple[Element, ...] = ()) -> UserData:
        """Text in GSM 7-bit or UCS-2, with that alphabet's plain scheme."""
        return cls(text, dcs=DCS[alphabet], elements=elements)

    @property
    def part(self) -> Part | None:
        """Which part of a long text it is; None where it is whole, or its element is not as it must be."""
        for identifier, value in self.elements:
            if (identifier, len(value)) in ((CONCATENATED, 3), (CONCATENATED_WIDE, 4)):
                reference, total, number = int.from_bytes(value[:-2], "big"), value[-2], value[-1]
                if 1 <= number <= total:
                    return Part(reference, total, number, identifier == CONCATENATED_WIDE)
        return None

    def without_part(self) -> tuple[Element, ...]:
        """The elements but those that tell which part it is."""
        return tuple(each for each in self.elements if each.identifier not in (CONCATENATED, CONCATENATED_WIDE))

    def header(self) -> bytes:
        """The header with its length before it; empty where there are no elements. Raises SmsError."""
        if not self.elements:
            return b""
        octets = b"".join(bytes((identifier, len(value))) + value for identifier, value in self.elements)
        if len(octets) >= MAX_OCTETS:
            raise SmsError(f"a header of {len(octets)} octets; {MAX_OCTETS - 1} at most are allowed")
        return bytes((len(octets),)) + octets

    def body(self) -> bytes:
        """Text or octets as they follow the header in SMPP, where GSM 7-bit has a septet an octet. Raises SmsError."""
        match alphabet_of(self.dcs):
            case Alphabet.GSM7:
                try:
                    return bytes(gsm7.to_codes(self.text))
                except ValueError as error:
                    raise SmsError(str(error)) from None
            case Alphabet.UCS2:
                return ucs2(self.text)
        return self.data

    def write(self) -> bytes:
        """The length (in septets or octets) and the user data. Raises SmsError for what one message can't hold."""
        header, body = self.header(), self.body()
        if alphabet_of(self.dcs) is Alphabet.GSM7:
            fill = -8 * len(header) % 7
            used = (8 * len(header) + fill) // 7 + len(body)
            most, octets = gsm7.SMS_SEPTETS, header + gsm7.pack_codes(body, fill)
        else:
            octets = header + body
            used, most = len(octets), MAX_OCTETS
        if used > most:
            raise SmsError(f"user data of {used}; one message holds {most}")
        return bytes((used,)) + octets


def ucs2(text: str) -> bytes:
    """Text as UCS-2 in practice is: UTF-16, big-endian, surrogates for what is beyond 16 bits. Raises SmsError."""
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError as error:
        raise SmsError(f"{text[error.start]!r} is half of a character") from None


def read(octets: bytes, dcs: int, *, has_header: bool) -> UserData:
    """The user data that begins with its length, to the end. Raises SmsError for what is cut short or goes on."""
    if not octets:
        raise SmsError("cut short before the user data's length")
    used, octets = octets[0], octets[1:]
    septets = alphabet_of(dcs) is Alphabet.GSM7
    length = (7 * used + 7) // 8 if septets else used
    if length > MAX_OCTETS:
        raise SmsError(f"user data of {length} octets; {MAX_OCTETS} at most are allowed")
    if len(octets) != length:
        raise SmsError(f"user data of {len(octets)} octets; its length tells {length}")
    elements, end = read_header(octets) if has_header else ((), 0)
    if not septets:
        return of_body(octets[end:], dcs, elements)
    fill = -8 * end % 7
    count = used - (8 * end + fill) // 7
    codes = gsm7.unpack_codes(octets[end:], max(count, 0), fill)
    return of_body(bytes(codes), dcs, elements)


def of_body(body: bytes, dcs: int, elements: tuple[Element, ...] = ()) -> UserData:
    """User data of octets as SMPP has them: in GSM 7-bit a septet an octet, its eighth bit passed over."""
    match alphabet_of(dcs):
        case Alphabet.GSM7:
            return UserData(gsm7.from_codes(code & 0x7F for code in body), dcs=dcs, elements=elements)
        case Alphabet.UCS2:
            return UserData(body.decode("utf-16-be", "replace"), dcs=dcs, elements=elements)
    return UserData(data=body, dcs=dcs, elements=elements)


def read_header(octets: bytes) -> tuple[tuple[Element, ...], int]:
    """The elements of the header at the start, and where it ends. Raises SmsError."""
    if not octets or len(octets) < 1 + octets[0]:
        raise SmsError("user data header cut short")
    end, at = 1 + octets[0], 1
    elements = []
    while at < end:
        if at + 2 > end or at + 2 + octets[at + 1] > end:
            raise SmsError(f"element {octets[at]:#04x} of the user data header is cut short")
        elements.append(Element(octets[at], octets[at + 2 : at + 2 + octets[at + 1]]))
        at += 2 + octets[at + 1]
    return tuple(elements), end
