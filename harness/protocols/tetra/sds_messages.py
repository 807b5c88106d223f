"""SDS type 4 messages as values: texts with and without the SDS transport layer, parts of longer ones, reports."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag

from harness.errors import SdsError
from harness.protocols.tetra.text_coding import ISO_8859_1, MAX_CODING

NO_FORWARD_ADDRESS = 7
_FORWARD_ADDRESS_BYTES = {0: 1, 1: 3, 2: 6, NO_FORWARD_ADDRESS: 0}
"""Bytes of a forward address by its type [C]; those of a TSI are [U]."""


class ProtocolId(IntEnum):
    """First byte of an SDS type 4: whose payload it is [C]."""

    SIMPLE_TEXT = 0x02
    SIMPLE_GPS = 0x03
    SIMPLE_IMMEDIATE_TEXT = 0x09
    LIP = 0x0A
    CONCATENATED = 0x0C
    TEXT = 0x82
    GPS = 0x83
    IMMEDIATE_TEXT = 0x89
    USER_DATA_HEADER = 0x8A
    CONCATENATED_TL = 0x8C


TRANSPORT_LAYER_FIRST = 0x80
"""Protocol ids from here on carry the SDS transport layer: 0x82, 0x89, 0x8A, 0x8C do [C]; all others [U]."""


class MessageType(IntEnum):
    """High nibble of an SDS-TL's second byte [C]."""

    TRANSFER = 0
    REPORT = 1
    ACK = 2


class ReportRequest(IntFlag):
    """Which delivery reports the sender asks for [C]."""

    NONE = 0
    RECEIVED = 1
    CONSUMED = 2


@dataclass(frozen=True, slots=True)
class Timestamp:
    """The 24-bit time an SDS-TL transfer may carry: frame 2, reserved 2, month 4, day 5, hour 5, minute 6 bits [C]."""

    month: int
    day: int
    hour: int
    minute: int
    frame: int = 0
    """Which clock (two bits): 0 the network's local time, 1 UTC [C]; 2 and 3 [U]."""

    def encode(self) -> bytes:
        """The three bytes."""
        word = self.frame << 22 | self.month << 16 | self.day << 11 | self.hour << 6 | self.minute
        limits = ((self.frame, 3), (self.month, 15), (self.day, 31), (self.hour, 31), (self.minute, 63))
        if any(not 0 <= value <= limit for value, limit in limits):
            raise SdsError(f"SDS-TL timestamp out of range: {self}")
        return word.to_bytes(3, "big")

    @classmethod
    def decode(cls, payload: bytes) -> Timestamp:
        """The timestamp in exactly three bytes; any bit pattern is taken (a wrong month is the sender's to explain)."""
        word = int.from_bytes(payload, "big")
        return cls(word >> 16 & 15, word >> 11 & 31, word >> 6 & 31, word & 63, word >> 22)


@dataclass(frozen=True, slots=True)
class StoreForward:
    """What the network may do with a message that can't be delivered at once [C]."""

    validity: int = 31
    """How long it is kept: code 0-31; 31 is for ever, 1-6 are tens of seconds."""
    address_type: int = NO_FORWARD_ADDRESS
    """0 short number, 1 SSI, 2 TSI, 7 none. 3, an external number, is not read or written."""
    address: bytes = b""

    def encode(self) -> bytes:
        """One byte and the address."""
        due = _FORWARD_ADDRESS_BYTES.get(self.address_type)
        if due is None or len(self.address) != due or not 0 <= self.validity <= 31:
            raise SdsError(f"store and forward out of range: {self}")
        return bytes((self.validity << 3 | self.address_type,)) + self.address

    @classmethod
    def decode(cls, payload: bytes, at: int) -> tuple[StoreForward, int]:
        """What stands at `at`, and where what follows begins."""
        if len(payload) <= at:
            raise SdsError("SDS-TL transfer cut short: no store and forward control")
        validity, kind = payload[at] >> 3, payload[at] & 7
        due = _FORWARD_ADDRESS_BYTES.get(kind)
        if due is None:
            raise SdsError(f"SDS-TL forward address of type {kind} is not read")
        address = payload[at + 1 : at + 1 + due]
        if len(address) < due:
            raise SdsError("SDS-TL transfer cut short inside its forward address")
        return cls(validity, kind, bytes(address)), at + 1 + due


@dataclass(frozen=True, slots=True)
class SimpleText:
    """Text without the transport layer: protocol id 0x02, coding byte, text [C]."""

    text: str
    coding: int = ISO_8859_1
    immediate: bool = False
    """To be shown at once: protocol id 0x09."""


@dataclass(frozen=True, slots=True)
class TextTransfer:
    """An SDS-TL text transfer: protocol id 0x82 (0x89 for immediate display)."""

    text: str
    reference: int
    """Message reference, 0-255, that a report will name."""
    report: ReportRequest = ReportRequest.NONE
    timestamp: Timestamp | None = None
    coding: int = ISO_8859_1
    """Text coding scheme, 0-127; see text_coding."""
    immediate: bool = False
    short_form: bool = False
    """The bit beside the report request. Sources differ on which of its values invites a short report [U]."""
    store: StoreForward | None = None
    """The network may store and forward."""


@dataclass(frozen=True, slots=True)
class TextPart:
    """A text with a user data header, protocol id 0x8A: as a rule one part of a longer text [C]."""

    text: str
    reference: int
    """Message reference of this part, 0-255: each part has its own."""
    total: int = 1
    """Parts of the whole text, 1-255; 1 where the header has no word of parts."""
    number: int = 1
    """Which part this is, from 1."""
    joint: int = 0
    """What all parts share: the first part's reference; 0-65535."""
    wide: bool = False
    """Whether the shared reference is written in two bytes, lower one first [C]."""
    elements: tuple[tuple[int, bytes], ...] = ()
    """Other elements of the header, identifier and value: taken as they are, not understood."""
    report: ReportRequest = ReportRequest.NONE
    timestamp: Timestamp | None = None
    coding: int = ISO_8859_1


@dataclass(frozen=True, slots=True)
class MessagePart:
    """One part of any longer SDS: protocol id 0x8C with the transport layer, 0x0C without [C]."""

    joint: int
    """What all parts share: 0-15, or 0-4095 where it is `wide`."""
    total: int
    """Parts of the whole message, 1-255."""
    number: int
    """Which part this is, from 1."""
    payload: bytes
    """Its piece of the whole; the first piece begins with the whole's protocol id."""
    reference: int | None = None
    """Message reference of this part; None without the transport layer."""
    report: ReportRequest = ReportRequest.NONE
    wide: bool = False


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What became of an SDS-TL transfer: `82 10 <status> <reference>` [C]."""

    status: int
    """DeliveryStatus, 0-255."""
    reference: int
    protocol: int = ProtocolId.TEXT
    acknowledge: bool = False
    """The reporter wants an acknowledgement of the report."""


@dataclass(frozen=True, slots=True)
class DeliveryAck:
    """Acknowledgement of a delivery report: `82 20 <status> <reference>` [C]."""

    status: int
    reference: int
    protocol: int = ProtocolId.TEXT


@dataclass(frozen=True, slots=True)
class RawSds:
    """A payload that this module doesn't look into (location, a vendor's own)."""

    protocol: int
    payload: bytes
    """All bytes, the protocol id included."""


Sds = SimpleText | TextTransfer | TextPart | MessagePart | DeliveryReport | DeliveryAck | RawSds


def byte(name: str, value: int) -> int:
    """`value` where it fits a byte. Raises SdsError otherwise."""
    if not 0 <= value <= 255:
        raise SdsError(f"SDS {name} {value} is not 0-255")
    return value


def text_head(coding: int, timestamp: Timestamp | None) -> bytes:
    """What stands before a text: coding scheme, and the time where there is one. Raises SdsError."""
    if not 0 <= coding <= MAX_CODING:
        raise SdsError(f"text coding scheme {coding} is not 0-{MAX_CODING}")
    return bytes((coding,)) if timestamp is None else bytes((0x80 | coding,)) + timestamp.encode()
