"""SDS type 4 payloads to messages and back (EN 300 392-2, clause 29): texts, transport layer, parts, reports."""

from __future__ import annotations

from harness.errors import SdsError
from harness.protocols.tetra import text_coding, user_data_header
from harness.protocols.tetra.sds_messages import (
    TRANSPORT_LAYER_FIRST,
    DeliveryAck,
    DeliveryReport,
    MessagePart,
    MessageType,
    ProtocolId,
    RawSds,
    ReportRequest,
    Sds,
    SimpleText,
    StoreForward,
    TextPart,
    TextTransfer,
    Timestamp,
    byte,
    text_head,
)

__all__ = [
    "MAX_BITS",
    "DeliveryAck",
    "DeliveryReport",
    "MessagePart",
    "MessageType",
    "ProtocolId",
    "RawSds",
    "ReportRequest",
    "Sds",
    "SimpleText",
    "StoreForward",
    "TextPart",
    "TextTransfer",
    "Timestamp",
    "decode",
    "encode",
    "requested_report",
]

MAX_BITS = 2047
"""Longest SDS type 4 (EN 300 392-2, 14.8.52) [U]: from memory; the PEI's `bits` field is checked against it."""
_EXTENDED_REFERENCE = 0x10
"""In the first byte of a part's header: the shared reference has a second byte [C]."""


def encode(sds: Sds) -> bytes:
    """The bytes of an SDS type 4.

    Raises:
        SdsError: a field out of range, a character that the coding lacks, or more than 2047 bits.
    """
    match sds:
        case SimpleText(text, coding, immediate):
            protocol = ProtocolId.SIMPLE_IMMEDIATE_TEXT if immediate else ProtocolId.SIMPLE_TEXT
            payload = bytes((protocol, coding & 0x7F)) + text_coding.encode(text, coding)
        case TextTransfer():
            payload = _encode_transfer(sds)
        case TextPart():
            payload = user_data_header.encode(sds)
        case MessagePart():
            payload = _encode_part(sds)
        case DeliveryReport(status, reference, protocol_id, acknowledge):
            kind = MessageType.REPORT << 4 | acknowledge << 3
            payload = bytes(
                (byte("protocol id", protocol_id), kind, byte("status", status), byte("reference", reference))
            )
        case DeliveryAck(status, reference, protocol_id):
            kind = MessageType.ACK << 4
            payload = bytes(
                (byte("protocol id", protocol_id), kind, byte("status", status), byte("reference", reference))
            )
        case RawSds(_, payload):
            pass
    if 8 * len(payload) > MAX_BITS:
        raise SdsError(f"SDS type 4 of {8 * len(payload)} bits; {MAX_BITS} is the most")
    return payload


def _encode_transfer(sds: TextTransfer) -> bytes:
    protocol = ProtocolId.IMMEDIATE_TEXT if sds.immediate else ProtocolId.TEXT
    flags = MessageType.TRANSFER << 4 | sds.report << 2 | sds.short_form << 1 | (sds.store is not None)
    store = b"" if sds.store is None else sds.store.encode()
    head = bytes((protocol, flags, byte("reference", sds.reference))) + store
    return head + text_head(sds.coding, sds.timestamp) + text_coding.encode(sds.text, sds.coding)


def _encode_part(sds: MessagePart) -> bytes:
    if sds.reference is None:
        head = bytes((ProtocolId.CONCATENATED,))
    else:
        head = bytes((ProtocolId.CONCATENATED_TL, sds.report << 2, byte("reference", sds.reference)))
    if not 0 <= sds.joint <= (0xFFF if sds.wide else 0xF):
        raise SdsError(f"SDS part: shared reference {sds.joint} is not 0-{0xFFF if sds.wide else 0xF}")
    joint = (
        bytes((_EXTENDED_REFERENCE | sds.joint >> 8, sds.joint & 0xFF)) if sds.wide else bytes((sds.joint,))
    )  # the type of the part, three zero bits, is a transfer
    return head + joint + bytes((byte("part count", sds.total), byte("part number", sds.number))) + sds.payload


def decode(payload: bytes) -> Sds:
    """What an SDS type 4 payload says. A text whose coding is not known is read as ISO 8859-1; `coding` tells.

    Raises:
        SdsError: empty, longer than SDS type 4 can be, or cut short inside a header.
    """
    if not payload:
        raise SdsError("empty SDS type 4")
    if len(payload) > (MAX_BITS + 7) // 8:
        raise SdsError(f"SDS type 4 of {len(payload)} bytes; {MAX_BITS} bits is the most")
    protocol = payload[0]
    if protocol in (ProtocolId.SIMPLE_TEXT, ProtocolId.SIMPLE_IMMEDIATE_TEXT):
        if len(payload) < 2:
            raise SdsError("simple text cut short: no coding byte")
        coding = payload[1] & 0x7F
        immediate = protocol == ProtocolId.SIMPLE_IMMEDIATE_TEXT
        return SimpleText(text_coding.decode(payload[2:], coding), coding, immediate)
    if protocol == ProtocolId.CONCATENATED:
        return _decode_part(payload, 1, None, ReportRequest.NONE)
    if protocol < TRANSPORT_LAYER_FIRST:
        return RawSds(protocol, bytes(payload))
    return _decode_transport(protocol, payload)


_READ = (ProtocolId.TEXT, ProtocolId.IMMEDIATE_TEXT, ProtocolId.USER_DATA_HEADER, ProtocolId.CONCATENATED_TL)
"""Protocol ids whose transfers are looked into; reports are read of every one that has the transport layer."""


def _decode_transport(protocol: int, payload: bytes) -> Sds:
    kind = payload[1] >> 4 if len(payload) > 1 else None
    if protocol not in _READ and (kind not in (MessageType.REPORT, MessageType.ACK) or len(payload) < 4):
        return RawSds(protocol, bytes(payload))
    if kind is None:
        raise SdsError("SDS-TL cut short: no message type")
    if len(payload) < 4:
        raise SdsError(f"SDS-TL message of type {kind} cut short after {len(payload)} bytes")
    if kind == MessageType.REPORT:
        return DeliveryReport(payload[2], payload[3], protocol, bool(payload[1] & 8))
    if kind == MessageType.ACK:
        return DeliveryAck(payload[2], payload[3], protocol)
    if kind != MessageType.TRANSFER:
        raise SdsError(f"SDS-TL message type {kind} is reserved")
    flags, start, store = payload[1], 3, None
    if flags & 1:
        store, start = StoreForward.decode(payload, start)
    report = ReportRequest(flags >> 2 & 3)
    if protocol == ProtocolId.CONCATENATED_TL:
        return _decode_part(payload, start, payload[2], report)
    coding, timestamp, start = _text_head(payload, start)
    if protocol == ProtocolId.USER_DATA_HEADER:
        return user_data_header.decode(payload, start, coding, timestamp, report)
    return TextTransfer(
        text=text_coding.decode(payload[start:], coding),
        reference=payload[2],
        report=report,
        timestamp=timestamp,
        coding=coding,
        immediate=protocol == ProtocolId.IMMEDIATE_TEXT,
        short_form=bool(flags & 2),
        store=store,
    )


def _text_head(payload: bytes, at: int) -> tuple[int, Timestamp | None, int]:
    if len(payload) <= at:
        raise SdsError("SDS-TL transfer cut short: no text coding")
    coding = payload[at]
    if not coding & 0x80:
        return coding, None, at + 1
    if len(payload) < at + 4:
        raise SdsError("SDS-TL transfer cut short inside its timestamp")
    return coding & 0x7F, Timestamp.decode(payload[at + 1 : at + 4]), at + 4


def _decode_part(payload: bytes, at: int, reference: int | None, report: ReportRequest) -> MessagePart:
    wide = len(payload) > at and bool(payload[at] & _EXTENDED_REFERENCE)
    numbers = at + 1 + wide
    if len(payload) < numbers + 2:
        raise SdsError("SDS part cut short inside its header")
    if payload[at] >> 5:
        raise SdsError(f"SDS part of type {payload[at] >> 5} is reserved")
    joint = (payload[at] & 0xF) << 8 | payload[at + 1] if wide else payload[at] & 0xF
    total, number = payload[numbers], payload[numbers + 1]
    if not 1 <= number <= total:
        raise SdsError(f"SDS part {number} of {total} does not exist")
    return MessagePart(joint, total, number, bytes(payload[numbers + 2 :]), reference, report, wide)


def requested_report(payload: bytes) -> tuple[int, ReportRequest] | None:
    """Message reference and reports asked for, if `payload` is an SDS-TL transfer that asks for any; otherwise None.

    Works for every protocol id with a transport layer, as the network must report without reading the content.
    """
    if len(payload) < 3 or payload[0] < TRANSPORT_LAYER_FIRST or payload[1] >> 4 != MessageType.TRANSFER:
        return None
    request = ReportRequest(payload[1] >> 2 & 3)
    return (payload[2], request) if request else None
