"""The codes in call records: codecs, causes, reasons of redirection, and who acted (Cisco's Call Detail Records Codes).

A cause is Q.850's where a leg was cleared by one, one of Cisco's own, or for a SIP trunk 32 bits that hold the SIP
status in the first octet (in Cisco's numbering) and the Q.850 cause that stands for it in the last.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from harness.protocols.sip import q850
from harness.protocols.sip.grammar import REASONS


class Codec(IntEnum):
    """`…MediaCap_payloadCapability`, of those that matter here."""

    NONE = 0
    """No media."""
    PCMA = 2
    PCMU = 4
    G722 = 6
    G729 = 11
    OPUS = 90


BANDWIDTHS: Final[dict[Codec, int]] = {Codec.PCMA: 64, Codec.PCMU: 64, Codec.G722: 64, Codec.G729: 8}
"""`…MediaCap_Bandwidth` in kbit/s; the guide gives none for Opus."""


class OnBehalfOf(IntEnum):
    """Which feature acted, in every `…OnBehalfOf`."""

    UNKNOWN = 0
    CALL_PARK = 3
    CONFERENCE = 4
    CALL_FORWARD = 5
    MEET_ME = 6
    MESSAGE_WAITING = 8
    TRANSFER = 10
    DEVICE = 12
    """Somebody hung up."""
    CALL_CONTROL = 13
    IMMEDIATE_DIVERT = 14
    BARGE = 15
    PICKUP = 16
    REFER = 17
    REPLACES = 18
    REDIRECTION = 19
    CALLBACK = 20
    MALICIOUS_CALL = 23
    DIRECTED_CALL_PARK = 26
    RECORDING = 27
    MONITORING = 28
    CALL_QUEUING = 34


class Redirect(IntEnum):
    """Why a call was redirected, in every `…RedirectReason`."""

    UNKNOWN = 0
    FORWARD_BUSY = 1
    FORWARD_NO_ANSWER = 2
    TRANSFER = 4
    PICKUP = 5
    PARK = 7
    PARK_PICKUP = 8
    OUT_OF_ORDER = 9
    FORWARD = 10
    PARK_REVERSION = 11
    FORWARD_ALL = 15
    DEFLECTION = 18
    BLIND_TRANSFER = 34
    IMMEDIATE_DIVERT = 50
    FORWARD_ON_FAILURE = 82
    CONFERENCE = 98
    BARGE = 114
    REFER = 130
    REPLACES = 146
    REDIRECTION = 162
    """A SIP 3xx."""
    FORWARD_UNREGISTERED = 178
    DO_NOT_DISTURB = 242
    RECORDING = 354
    MONITORING = 370
    QUEUED = 786
    DEQUEUED = 802
    QUEUE_NO_AGENT = 818
    QUEUE_FULL = 834
    QUEUE_TIME_OUT = 850


class Protocol(IntEnum):
    """`IncomingProtocolID`, `OutgoingProtocolID`."""

    UNKNOWN = 0
    SIP = 1
    H323 = 2
    CTI = 3
    Q931 = 4


class PatternUsage(IntEnum):
    """`calledPartyPatternUsage`, of those that matter here."""

    CALL_PARK = 0
    CONFERENCE = 1
    DEVICE = 2
    TRANSLATION = 3
    PICKUP_GROUP = 4
    ROUTE = 5
    MESSAGE_WAITING = 6
    HUNT_PILOT = 7
    VOICEMAIL_PORT = 8


class DtmfMethod(IntEnum):
    """`origDTMFMethod`, `destDTMFMethod`."""

    NO_PREFERENCE = 0
    OUT_OF_BAND = 1
    RFC2833 = 2
    BOTH = 3
    UNKNOWN = 4


class Secured(IntEnum):
    """`callSecuredStatus`: the best that a call reached."""

    NO = 0
    AUTHENTICATED = 1
    ENCRYPTED = 2


CALL_SPLIT: Final = 0x60000
"""A leg that a transfer or conference took out of its call."""
CONFERENCE_FULL: Final = 0x40000
CONFERENCE_DROPPED: Final = 0x70000
"""A conference dropped any, or its last, party."""
_OWN: Final[dict[int, str]] = {
    0: "No error",
    125: "Out of bandwidth",
    126: "Call split",
    129: "Precedence out of bandwidth",
    CONFERENCE_FULL: "Conference full",
    CALL_SPLIT: "Call split",
    CONFERENCE_DROPPED: "Conference drop any party, or last party",
    0xA0000: "CTI request invalid in the primary call's state",
    0xD0008: "Preemption, not IP",
    0xE0008: "Preemption, network",
}
_SIP_CAUSES: Final[dict[int, int]] = {
    400: 0x01000029,
    401: 0x02000015,
    402: 0x03000015,
    403: 0x04000015,
    404: 0x05000001,
    405: 0x0600003F,
    406: 0x0700004F,
    407: 0x08000015,
    408: 0x09000066,
    410: 0x0B000016,
    411: 0x0C00007F,
    413: 0x0E00007F,
    414: 0x0F00007F,
    415: 0x1000004F,
    416: 0x1100007F,
    417: 0x1200003F,
    # The guide's decimal form of this one, 83886207, is another number than its hexadecimal; all others agree.
    420: 0x1500007F,
    421: 0x1600007F,
    423: 0x1800007F,
    424: 0x19000015,
    429: 0x1E000015,
    433: 0x22000015,
    480: 0x40000012,
    481: 0x41000029,
    482: 0x42000019,
    483: 0x43000019,
    484: 0x4400001C,
    485: 0x45000001,
    486: 0x46000011,
    487: 0x4700001F,
    488: 0x4800001F,
    491: 0x4B000011,
    493: 0x4D000011,
    500: 0x54000029,
    502: 0x56000026,
    503: 0x57000029,
    504: 0x58000066,
    505: 0x5900007F,
    513: 0x5A00007F,
    600: 0xA1000011,
    603: 0xA2000015,
    604: 0xA3000001,
    606: 0xA400001F,
}
_STATUS_OF: Final = {value: status for status, value in _SIP_CAUSES.items()} | {0xA700003F: 503}


def sip_cause(status: int) -> int:
    """The cause of a leg that a SIP status refused; for one that the guide does not list, the Q.850 cause alone.

    Raises SipLocalError out of 300…699.
    """
    return _SIP_CAUSES.get(status) or q850.cause_of(status) or q850.NORMAL_UNSPECIFIED


def sip_status(cause: int) -> int | None:
    """The SIP status in a cause; None where it is none of a SIP trunk's."""
    return _STATUS_OF.get(cause)


def q850_cause(cause: int) -> int | None:
    """The Q.850 cause in one of a record; None for 0 and for Cisco's own."""
    if cause in _STATUS_OF:
        return cause & q850.MAX_CAUSE
    return cause if cause in q850.CAUSES and cause not in _OWN else None


def cause_name(cause: int) -> str:
    """What a cause means."""
    status = _STATUS_OF.get(cause)
    if status is not None:
        return f"SIP {status} {REASONS.get(status, '')}".rstrip()
    return _OWN.get(cause) or q850.name_of(cause)
