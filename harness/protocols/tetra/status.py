"""Pre-coded status: sixteen bits that are an emergency, an SDS short report, or a value the force gave a meaning to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from harness.errors import SdsError

STATUS_BITS = 16
STATUS_MAX = 0xFFFF
EMERGENCY = 0
RESERVED_LAST = 31743
SHORT_REPORT_FIRST, SHORT_REPORT_LAST = 0x7C00, 0x7FFF
USER_FIRST = 32768
"""0 emergency; 1-31743 reserved; 0x7C00-0x7FFF SDS short report; 32768-65535 the user organisation's own [C]. What a
user value means is never in code: it is in the testbed file."""


class StatusKind(IntEnum):
    """What a pre-coded status value is."""

    EMERGENCY = 0
    RESERVED = 1
    SHORT_REPORT = 2
    USER = 3


class ShortReportType(IntEnum):
    """What an SDS short report says of the message it names [C]."""

    UNSUPPORTED = 0
    MEMORY_FULL = 1
    RECEIVED = 2
    CONSUMED = 3


@dataclass(frozen=True, slots=True)
class ShortReport:
    """An SDS short report, carried as a status value: `0x7C00 | type<<8 | reference` [C]."""

    type: ShortReportType
    """What became of the message."""
    reference: int
    """Message reference, 0-255, of the SDS-TL transfer that is reported on."""

    def value(self) -> int:
        """The 16-bit status value."""
        if not 0 <= self.reference <= 255:
            raise SdsError(f"SDS short report: reference {self.reference} is not 0-255")
        return SHORT_REPORT_FIRST | self.type << 8 | self.reference


def kind_of(value: int) -> StatusKind:
    """What kind of status `value` is.

    Raises:
        SdsError: not a 16-bit value.
    """
    if not 0 <= value <= STATUS_MAX:
        raise SdsError(f"status {value} is not 0-65535")
    if value == EMERGENCY:
        return StatusKind.EMERGENCY
    if value >= USER_FIRST:
        return StatusKind.USER
    return StatusKind.SHORT_REPORT if value >= SHORT_REPORT_FIRST else StatusKind.RESERVED


def parse_short_report(value: int) -> ShortReport:
    """The short report that a status value carries.

    Raises:
        SdsError: `value` is no short report.
    """
    if kind_of(value) is not StatusKind.SHORT_REPORT:
        raise SdsError(f"status {value:#06x} is no SDS short report")
    return ShortReport(ShortReportType(value >> 8 & 3), value & 0xFF)


def encode(value: int) -> bytes:
    """The two bytes that carry a status value over the PEI.

    Raises:
        SdsError: not a 16-bit value.
    """
    kind_of(value)
    return value.to_bytes(2, "big")


def decode(payload: bytes) -> int:
    """The status value in the two bytes of a payload.

    Raises:
        SdsError: not two bytes.
    """
    if len(payload) != 2:
        raise SdsError(f"a status is 16 bits; {8 * len(payload)} came")
    return int.from_bytes(payload, "big")
