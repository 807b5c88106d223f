"""What a delivery report says became of an SDS: the delivery status (EN 300 392-2, table 29.16)."""

from __future__ import annotations

from enum import Enum, IntEnum


class DeliveryStatus(IntEnum):
    """Delivery status of an SDS-TL report or acknowledgement. Unconfirmed: the standard's table was not at hand."""

    RECEIVED = 0x00
    RECEIPT_REPORT_ACKNOWLEDGED = 0x01
    CONSUMED = 0x02
    CONSUMED_REPORT_ACKNOWLEDGED = 0x03
    FORWARDED_TO_EXTERNAL_NETWORK = 0x04
    SENT_TO_GROUP = 0x05
    PART_RECEIVED = 0x06
    CONGESTION = 0x20
    STORED = 0x21
    NOT_REACHABLE_STORED = 0x22
    NETWORK_OVERLOAD = 0x40
    SERVICE_NOT_AVAILABLE = 0x41
    SERVICE_TEMPORARILY_NOT_AVAILABLE = 0x42
    SOURCE_NOT_AUTHORISED = 0x43
    DESTINATION_NOT_AUTHORISED = 0x44
    UNKNOWN_GATEWAY = 0x45
    UNKNOWN_FORWARD_ADDRESS = 0x46
    GROUP_ADDRESS_WITH_INDIVIDUAL_SERVICE = 0x47
    VALIDITY_EXPIRED_NOT_RECEIVED = 0x48
    VALIDITY_EXPIRED_NOT_CONSUMED = 0x49
    DELIVERY_FAILED = 0x4A
    DESTINATION_NOT_REGISTERED = 0x4B
    DESTINATION_QUEUE_FULL = 0x4C
    TOO_LONG = 0x4D
    SDS_TL_NOT_SUPPORTED = 0x4E
    HOST_NOT_CONNECTED = 0x4F
    PROTOCOL_NOT_SUPPORTED = 0x50
    CODING_NOT_SUPPORTED = 0x51
    MEMORY_FULL_DISCARDED = 0x52
    NOT_ACCEPTING_SDS = 0x53
    CONCATENATED_TOO_LONG = 0x54
    ADDRESS_PROHIBITED = 0x56
    NO_ROUTE_TO_EXTERNAL_NETWORK = 0x57
    UNKNOWN_EXTERNAL_NUMBER = 0x58
    NEGATIVE_ACKNOWLEDGEMENT = 0x59
    DESTINATION_NOT_REACHABLE = 0x5A
    TEXT_DISTRIBUTION_ERROR = 0x5B
    CORRUPT_ELEMENT = 0x5C
    NOT_ALL_PARTS_RECEIVED = 0x5D
    ENGAGED_BY_NETWORK = 0x5E
    ENGAGED_BY_DESTINATION = 0x5F
    MEMORY_FULL = 0x60
    MEMORY_AVAILABLE = 0x61
    START_PENDING = 0x62
    NO_PENDING = 0x63
    STOP_SENDING = 0x80
    START_SENDING = 0x81


class Outcome(Enum):
    """What a delivery status comes to: its upper three bits (unconfirmed)."""

    SUCCESS = "success"
    TEMPORARY_ERROR = "temporary error"
    FAILED = "failed"
    FLOW_CONTROL = "flow control"
    END_TO_END_CONTROL = "end-to-end control"
    RESERVED = "reserved"


_OUTCOMES = (Outcome.SUCCESS, Outcome.TEMPORARY_ERROR, Outcome.FAILED, Outcome.FLOW_CONTROL, Outcome.END_TO_END_CONTROL)


def outcome_of(status: int) -> Outcome:
    """What a delivery status, 0-255, comes to; also where its number is not in the table."""
    group = status >> 5 & 7
    return _OUTCOMES[group] if group < len(_OUTCOMES) else Outcome.RESERVED


def told(status: int) -> str:
    """A delivery status as a tester reads it: `0 (received)`, `74 (delivery failed)`, `9 (success, reserved)`."""
    try:
        return f"{status} ({DeliveryStatus(status).name.lower().replace('_', ' ')})"
    except ValueError:
        return f"{status} ({outcome_of(status).value}, reserved)"
