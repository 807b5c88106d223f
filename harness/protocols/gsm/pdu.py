"""Messages between handset and service centre (3GPP TS 23.040 section 9.2.2): SUBMIT, DELIVER and STATUS-REPORT."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from harness.errors import SmsError
from harness.protocols.gsm import address as addresses
from harness.protocols.gsm import user_data
from harness.protocols.gsm.address import Address
from harness.protocols.gsm.stamps import STAMP_OCTETS, Enhanced, Stamp, Validity
from harness.protocols.gsm.user_data import UserData

MAX_TPDU: Final = 164
"""Octets of the longest message, a SUBMIT with an absolute validity and a full address."""
MAX_PDU: Final = MAX_TPDU + 12
"""The same with a service centre's address before it."""
_MTI: Final = 0x03
_MORE, _LOOP = 0x04, 0x08
_REPORT, _HEADER, _REPLY_PATH = 0x20, 0x40, 0x80


class Status(IntEnum):
    """Of a STATUS-REPORT (section 9.2.3.15), those that this project writes; others are kept as numbers."""

    DELIVERED = 0x00
    NO_RESPONSE = 0x22
    """Still trying: the handset does not respond."""
    NOT_OBTAINABLE = 0x43
    EXPIRED = 0x46
    DELETED_BY_SENDER = 0x47
    DELETED_BY_CENTRE = 0x48


def is_final(status: int) -> bool:
    """Whether nothing more is tried: of 0x20 to 0x3F and reserved codes only the former are not final."""
    return not 0x20 <= status <= 0x3F


@dataclass(frozen=True, slots=True)
class Submit:
    """What a handset or modem sends."""

    to: Address
    content: UserData
    reference: int = 0
    """Message reference 0-255; a modem sets its own."""
    protocol: int = 0
    """Protocol identifier 0-255."""
    validity: Validity | None = None
    report: bool = False
    """Whether a STATUS-REPORT is asked for."""
    reject_duplicates: bool = False
    reply_path: bool = False

    def write(self) -> bytes:
        """The TPDU. Raises SmsError."""
        first = 0x01 | (_MORE if self.reject_duplicates else 0) | _flags(self.report, self.content, self.reply_path)
        match self.validity:
            case None:
                period = b""
            case Stamp():
                first, period = first | 0x18, self.validity.write()
            case Enhanced(octets):
                if len(octets) != STAMP_OCTETS:
                    raise SmsError(f"an enhanced validity of {len(octets)} octets; {STAMP_OCTETS} are due")
                first, period = first | 0x08, octets
            case int():
                first, period = first | 0x10, _octet("validity", self.validity)
        head = bytes((first,)) + _octet("reference", self.reference) + self.to.write()
        scheme = _octet("protocol", self.protocol) + _octet("coding scheme", self.content.dcs)
        return head + scheme + period + self.content.write()


@dataclass(frozen=True, slots=True)
class Deliver:
    """What a handset or modem gets."""

    sender: Address
    content: UserData
    stamp: Stamp
    """When the service centre took it."""
    protocol: int = 0
    more: bool = False
    """Whether more messages wait."""
    report: bool = False
    """Whether the sender asked for a report."""
    reply_path: bool = False

    def write(self) -> bytes:
        """The TPDU. Raises SmsError."""
        first = (0 if self.more else _MORE) | _flags(self.report, self.content, self.reply_path)
        scheme = _octet("protocol", self.protocol) + _octet("coding scheme", self.content.dcs)
        return bytes((first,)) + self.sender.write() + scheme + self.stamp.write() + self.content.write()


@dataclass(frozen=True, slots=True)
class StatusReport:
    """What became of a SUBMIT."""

    reference: int
    """That of the SUBMIT, 0-255."""
    recipient: Address
    stamp: Stamp
    """When the service centre took the SUBMIT."""
    discharged: Stamp
    """When it was delivered, or last tried."""
    status: int
    """0-255; see `Status`."""
    more: bool = False
    content: UserData | None = field(default=None)
    """What it says beside, where it says anything."""

    def write(self) -> bytes:
        """The TPDU. Raises SmsError."""
        header = self.content is not None and bool(self.content.elements)
        first = 0x02 | (0 if self.more else _MORE) | (_HEADER if header else 0)
        octets = bytes((first,)) + _octet("reference", self.reference) + self.recipient.write()
        octets += self.stamp.write() + self.discharged.write() + _octet("status", self.status)
        if self.content is not None:
            octets += b"\x06" + _octet("coding scheme", self.content.dcs) + self.content.write()
        return octets


Message = Submit | Deliver | StatusReport


def _flags(report: bool, content: UserData, reply_path: bool) -> int:
    return (_REPORT if report else 0) | (_HEADER if content.elements else 0) | (_REPLY_PATH if reply_path else 0)


def _octet(what: str, value: int) -> bytes:
    if not 0 <= value <= 255:
        raise SmsError(f"{what} {value} is not 0-255")
    return bytes((value,))


def read_to_centre(tpdu: bytes) -> Submit:
    """What a handset sends. Raises SmsError for what is no SUBMIT, or not whole."""
    first = _first(tpdu)
    if first & _MTI != 1:
        raise SmsError(f"message type {first & _MTI} to a service centre; SMS-SUBMIT (1) was due")
    reference = _at(tpdu, 1)
    to, at = addresses.read(tpdu, 2)
    protocol, dcs = _at(tpdu, at), _at(tpdu, at + 1)
    at += 2
    validity: Validity | None = None
    match first >> 3 & 3:
        case 2:
            validity, at = _at(tpdu, at), at + 1
        case 3:
            validity, at = Stamp.read(tpdu[at : at + STAMP_OCTETS]), at + STAMP_OCTETS
        case 1:
            enhanced, at = tpdu[at : at + STAMP_OCTETS], at + STAMP_OCTETS
            if len(enhanced) != STAMP_OCTETS:
                raise SmsError("cut short in the validity period")
            validity = Enhanced(enhanced)
    content = user_data.read(tpdu[at:], dcs, has_header=bool(first & _HEADER))
    return Submit(
        to,
        content,
        reference,
        protocol,
        validity,
        report=bool(first & _REPORT),
        reject_duplicates=bool(first & _MORE),
        reply_path=bool(first & _REPLY_PATH),
    )


def read_to_handset(tpdu: bytes) -> Deliver | StatusReport:
    """What a handset gets. Raises SmsError for what is neither DELIVER nor STATUS-REPORT, or not whole."""
    first = _first(tpdu)
    more, header = not first & _MORE, bool(first & _HEADER)
    if first & _MTI == 0:
        sender, at = addresses.read(tpdu, 1)
        protocol, dcs = _at(tpdu, at), _at(tpdu, at + 1)
        stamp, at = Stamp.read(tpdu[at + 2 : at + 2 + STAMP_OCTETS]), at + 2 + STAMP_OCTETS
        content = user_data.read(tpdu[at:], dcs, has_header=header)
        return Deliver(
            sender,
            content,
            stamp,
            protocol,
            more,
            report=bool(first & _REPORT),
            reply_path=bool(first & _REPLY_PATH),
        )
    if first & _MTI != 2:
        raise SmsError(f"message type {first & _MTI} to a handset; SMS-DELIVER (0) or SMS-STATUS-REPORT (2) was due")
    reference = _at(tpdu, 1)
    recipient, at = addresses.read(tpdu, 2)
    stamp, discharged = Stamp.read(tpdu[at : at + 7]), Stamp.read(tpdu[at + 7 : at + 14])
    status = _at(tpdu, at + 14)
    return StatusReport(
        reference, recipient, stamp, discharged, status, more, _report_content(tpdu[at + 15 :], has_header=header)
    )


def _report_content(rest: bytes, *, has_header: bool) -> UserData | None:
    """What a parameter indicator announces (section 9.2.3.27): protocol, coding scheme, user data."""
    if not rest:
        return None
    indicator, at = rest[0], 1
    while rest[at - 1] & 0x80:
        if at >= len(rest):
            raise SmsError("cut short in a parameter indicator")
        at += 1
    at += indicator & 1
    dcs = 0
    if indicator & 2:
        dcs, at = _at(rest, at), at + 1
    return user_data.read(rest[at:], dcs, has_header=has_header) if indicator & 4 else None


def _first(tpdu: bytes) -> int:
    if len(tpdu) > MAX_TPDU + 10:
        raise SmsError(f"a message of {len(tpdu)} octets; {MAX_TPDU} at most are allowed")
    return _at(tpdu, 0)


def _at(octets: bytes, at: int) -> int:
    if at >= len(octets):
        raise SmsError(f"cut short after {len(octets)} octets")
    return octets[at]


def split_centre(octets: bytes) -> tuple[Address | None, bytes]:
    """A PDU as AT commands carry it: the service centre's address, None for the modem's own, and the TPDU.

    Raises SmsError.
    """
    centre, end = addresses.read_centre(octets)
    return centre, octets[end:]


def with_centre(centre: Address | None, tpdu: bytes) -> bytes:
    """The PDU as AT commands carry it. Raises SmsError."""
    return (b"\x00" if centre is None else centre.write_centre()) + tpdu
