"""Texts with a user data header, protocol id 0x8A (EN 300 392-2, 29.5.9 and 29.5.10): its elements read and written."""

from __future__ import annotations

from harness.errors import SdsError
from harness.protocols.tetra import text_coding
from harness.protocols.tetra.sds_messages import (
    MessageType,
    ProtocolId,
    ReportRequest,
    TextPart,
    Timestamp,
    byte,
    text_head,
)

PARTS_SHORT, PARTS_WIDE = 0x00, 0x08
"""Elements that tell which part of a text this is: with a shared reference of one byte, or of two [C]."""
MAX_JOINT_SHORT, MAX_JOINT_WIDE = 0xFF, 0xFFFF


def encode(part: TextPart) -> bytes:
    """The payload of a text with a user data header.

    Raises:
        SdsError: a field out of range, or a character that the coding lacks.
    """
    most = MAX_JOINT_WIDE if part.wide else MAX_JOINT_SHORT
    if not 0 <= part.joint <= most:
        raise SdsError(f"SDS text part: shared reference {part.joint} is not 0-{most}")
    joint = part.joint.to_bytes(2 if part.wide else 1, "little")
    numbers = bytes((byte("part count", part.total), byte("part number", part.number)))
    elements = [(PARTS_WIDE if part.wide else PARTS_SHORT, joint + numbers), *part.elements]
    header = b"".join(
        bytes((byte("header element", identifier), byte("header element's length", len(value)))) + value
        for identifier, value in elements
    )
    flags = MessageType.TRANSFER << 4 | part.report << 2
    head = bytes((ProtocolId.USER_DATA_HEADER, flags, byte("reference", part.reference)))
    header = bytes((byte("user data header's length", len(header)),)) + header
    return head + text_head(part.coding, part.timestamp) + header + text_coding.encode(part.text, part.coding)


def decode(payload: bytes, at: int, coding: int, timestamp: Timestamp | None, report: ReportRequest) -> TextPart:
    """The text whose user data header begins at `at`; elements that are not known are kept as they are.

    Raises:
        SdsError: a header or an element cut short, or a part that does not exist.
    """
    if len(payload) <= at or len(payload) < at + 1 + payload[at]:
        raise SdsError("user data header cut short")
    end = at + 1 + payload[at]
    total, number, joint, wide = 1, 1, 0, False
    others: list[tuple[int, bytes]] = []
    at += 1
    while at < end:
        if at + 2 > end or at + 2 + payload[at + 1] > end:
            raise SdsError(f"element {payload[at]:#04x} of the user data header is cut short")
        identifier, value = payload[at], bytes(payload[at + 2 : at + 2 + payload[at + 1]])
        at += 2 + len(value)
        if (identifier, len(value)) in ((PARTS_SHORT, 3), (PARTS_WIDE, 4)):
            joint, total, number = int.from_bytes(value[:-2], "little"), value[-2], value[-1]
            wide = identifier == PARTS_WIDE
        else:
            others.append((identifier, value))
    if not 1 <= number <= total:
        raise SdsError(f"SDS text part {number} of {total} does not exist")
    text = text_coding.decode(payload[end:], coding)
    return TextPart(text, payload[2], total, number, joint, wide, tuple(others), report, timestamp, coding)
