"""SDS type 4 payloads: simple text, and text with the SDS transport layer (transfer, report, acknowledgement)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag

from harness.errors import SdsError

MAX_BITS = 2047
"""Longest SDS type 4 (EN 300 392-2, 14.8.52) [U]: from memory; the PEI's `bits` field is checked against it."""
CODING_ISO_8859_1 = 1
"""Text coding scheme 1 is ISO 8859-1 [C]."""
REPORT_RECEIVED = 0x00
"""Delivery status: receipt acknowledged by the destination [U]."""
REPORT_CONSUMED = 0x02
"""Delivery status: consumed by the destination [U]."""
REPORT_UNREACHABLE = 0x40
"""Delivery status: destination not reachable, delivery failed [U]."""


class ProtocolId(IntEnum):
    """First byte of an SDS type 4: whose payload it is [C]."""

    SIMPLE_TEXT = 0x02
    SIMPLE_GPS = 0x03
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
    """Which clock (two bits) [U]: its values' meanings are not in the public sources."""

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
class SimpleText:
    """Text without the transport layer: protocol id 0x02, coding byte, text [C]."""

    text: str
    coding: int = CODING_ISO_8859_1


@dataclass(frozen=True, slots=True)
class TextTransfer:
    """An SDS-TL text transfer: protocol id 0x82 (0x89 for immediate display)."""

    text: str
    reference: int
    """Message reference, 0-255, that a report will name."""
    report: ReportRequest = ReportRequest.NONE
    timestamp: Timestamp | None = None
    coding: int = CODING_ISO_8859_1
    """Text coding scheme, 0-127; only 1 (ISO 8859-1) is read as more than bytes."""
    immediate: bool = False
    short_form: bool = False
    """The sender takes a short report (a status value) for an answer."""
    store: bool = False
    """The network may store and forward."""


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What became of an SDS-TL transfer: `82 10 <status> <reference>` [C]."""

    status: int
    """Delivery status, 0-255; see the REPORT_ constants."""
    reference: int
    protocol: int = ProtocolId.TEXT


@dataclass(frozen=True, slots=True)
class DeliveryAck:
    """Acknowledgement of a delivery report; status and reference as in the report [U]: its layout is inferred."""

    status: int
    reference: int
    protocol: int = ProtocolId.TEXT


@dataclass(frozen=True, slots=True)
class RawSds:
    """A payload that this module doesn't look into (location, user data header, a vendor's own)."""

    protocol: int
    payload: bytes
    """All bytes, the protocol id included."""


Sds = SimpleText | TextTransfer | DeliveryReport | DeliveryAck | RawSds


def _text_bytes(text: str, coding: int) -> bytes:
    if not 0 <= coding <= 127:
        raise SdsError(f"text coding scheme {coding} is not 0-127")
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as error:
        raise SdsError(f"text has a character that ISO 8859-1 lacks: {text[error.start]!r}") from error


def _byte(name: str, value: int) -> int:
    if not 0 <= value <= 255:
        raise SdsError(f"SDS {name} {value} is not 0-255")
    return value


def encode(sds: Sds) -> bytes:
    """The bytes of an SDS type 4.

    Raises:
        SdsError: a field out of range, a character outside ISO 8859-1, or more than 2047 bits.
    """
    match sds:
        case SimpleText(text, coding):
            payload = bytes((ProtocolId.SIMPLE_TEXT, coding & 0x7F)) + _text_bytes(text, coding)
        case TextTransfer():
            payload = _encode_transfer(sds)
        case DeliveryReport(status, reference, protocol) | DeliveryAck(status, reference, protocol):
            kind = MessageType.REPORT if isinstance(sds, DeliveryReport) else MessageType.ACK
            fields = (_byte("protocol id", protocol), kind << 4, _byte("status", status), _byte("reference", reference))
            payload = bytes(fields)
        case RawSds(_, payload):
            pass
    if 8 * len(payload) > MAX_BITS:
        raise SdsError(f"SDS type 4 of {8 * len(payload)} bits; {MAX_BITS} is the most")
    return payload


def _encode_transfer(sds: TextTransfer) -> bytes:
    text = _text_bytes(sds.text, sds.coding)
    protocol = ProtocolId.IMMEDIATE_TEXT if sds.immediate else ProtocolId.TEXT
    flags = MessageType.TRANSFER << 4 | sds.report << 2 | sds.short_form << 1 | sds.store
    stamp = b"" if sds.timestamp is None else sds.timestamp.encode()
    coding = (0x80 if stamp else 0) | sds.coding
    return bytes((protocol, flags, _byte("reference", sds.reference), coding)) + stamp + text


def decode(payload: bytes) -> Sds:
    """What an SDS type 4 payload says. Text is read as ISO 8859-1 whatever its coding: `coding` tells which it was.

    Raises:
        SdsError: empty, longer than SDS type 4 can be, or cut short inside a header.
    """
    if not payload:
        raise SdsError("empty SDS type 4")
    if len(payload) > (MAX_BITS + 7) // 8:
        raise SdsError(f"SDS type 4 of {len(payload)} bytes; {MAX_BITS} bits is the most")
    protocol = payload[0]
    if protocol == ProtocolId.SIMPLE_TEXT:
        if len(payload) < 2:
            raise SdsError("simple text cut short: no coding byte")
        return SimpleText(payload[2:].decode("latin-1"), payload[1] & 0x7F)
    if protocol not in (ProtocolId.TEXT, ProtocolId.IMMEDIATE_TEXT):
        return RawSds(protocol, bytes(payload))
    if len(payload) < 2:
        raise SdsError("SDS-TL cut short: no message type")
    kind = payload[1] >> 4
    if len(payload) < 4:
        raise SdsError(f"SDS-TL message of type {kind} cut short after {len(payload)} bytes")
    if kind == MessageType.TRANSFER:
        return _decode_transfer(payload)
    if kind == MessageType.REPORT:
        return DeliveryReport(payload[2], payload[3], protocol)
    if kind == MessageType.ACK:
        return DeliveryAck(payload[2], payload[3], protocol)
    raise SdsError(f"SDS-TL message type {kind} is reserved")


def _decode_transfer(payload: bytes) -> TextTransfer:
    flags, reference, coding = payload[1], payload[2], payload[3]
    start, timestamp = 4, None
    if coding & 0x80:
        if len(payload) < 7:
            raise SdsError("SDS-TL transfer cut short inside its timestamp")
        start, timestamp = 7, Timestamp.decode(payload[4:7])
    return TextTransfer(
        text=payload[start:].decode("latin-1"),
        reference=reference,
        report=ReportRequest(flags >> 2 & 3),
        timestamp=timestamp,
        coding=coding & 0x7F,
        immediate=payload[0] == ProtocolId.IMMEDIATE_TEXT,
        short_form=bool(flags & 2),
        store=bool(flags & 1),
    )


def requested_report(payload: bytes) -> tuple[int, ReportRequest] | None:
    """Message reference and reports asked for, if `payload` is an SDS-TL transfer that asks for any; otherwise None.

    Works for every protocol id with a transport layer, as the network must report without reading the content.
    """
    if len(payload) < 3 or payload[0] < TRANSPORT_LAYER_FIRST or payload[1] >> 4 != MessageType.TRANSFER:
        return None
    request = ReportRequest(payload[1] >> 2 & 3)
    return (payload[2], request) if request else None
