"""The numbers of the TETRA PEI and what they mean: services, call status, release causes, grants, CME errors."""

from __future__ import annotations

from enum import IntEnum
from typing import Self


class Coded(IntEnum):
    """A number that the PEI sends, with the text a tester reads."""

    text: str

    def __new__(cls, value: int, text: str = "") -> Self:
        member = int.__new__(cls, value)
        member._value_ = value
        member.text = text
        return member


def describe(codes: type[Coded], value: int) -> str:
    """`value` with its meaning, also where the number is not in the table: `38 (Tx authorisation lost)`."""
    try:
        return f"{value} ({codes(value).text})"
    except ValueError:
        return f"{value} (reserved)"


class AiService(Coded):
    """Air interface service, EN 300 392-5 [C]."""

    SPEECH = 0, "speech"
    CIRCUIT_1 = 1, "circuit data 1"
    CIRCUIT_2 = 2, "circuit data 2"
    CIRCUIT_3 = 3, "circuit data 3"
    CIRCUIT_4 = 4, "circuit data 4"
    CIRCUIT_5 = 5, "circuit data 5"
    CIRCUIT_6 = 6, "circuit data 6"
    CIRCUIT_7 = 7, "circuit data 7"
    PACKET = 8, "packet data"
    SDS_1 = 9, "SDS type 1"
    SDS_2 = 10, "SDS type 2"
    SDS_3 = 11, "SDS type 3"
    SDS_4 = 12, "SDS type 4"
    STATUS = 13, "status"


class CallStatus(Coded):
    """Call status of `+CTICN` and `+CTOCP` [C]."""

    PROGRESSING = 0, "progressing"
    QUEUED = 1, "queued"
    PAGED = 2, "paged"
    CONTINUE = 3, "continue"
    HANG_TIME_EXPIRED = 4, "hang time expired"


class Grant(Coded):
    """Transmission grant of `+CTXG` [C]."""

    GRANTED = 0, "granted"
    NOT_GRANTED = 1, "not granted"
    QUEUED = 2, "queued"
    GRANTED_TO_ANOTHER = 3, "granted to another"


class TxPriority(Coded):
    """Priority of a transmit demand (`AT+CTXD`) [U]: the four values are from memory."""

    LOW = 0, "low"
    HIGH = 1, "high"
    PRE_EMPTIVE = 2, "pre-emptive"
    EMERGENCY = 3, "emergency"


PRE_EMPTIVE_CALL_PRIORITY = 12
"""Call priorities 12-15 of `AT+CTSDC` are pre-emptive [U]."""
EMERGENCY_CALL_PRIORITY = 15
"""Call priority of an emergency call [U]."""


class ServiceMode(Coded):
    """Mode of `+CTOM` [C]."""

    TMO = 0, "trunked mode"
    DMO = 1, "direct mode"
    GATEWAY = 5, "gateway"
    REPEATER = 6, "repeater"


class Registration(Coded):
    """State of `+CREG` [C]."""

    HOME = 1, "registered, home network"
    NONE = 2, "not registered"
    REJECTED = 3, "registration rejected"
    VISITED = 5, "registered, visited network"


class IdentityType(Coded):
    """Type of number of `+CNUMF` [C]."""

    INDIVIDUAL = 0, "individual"
    GROUP = 1, "group"
    PSTN_GATEWAY = 2, "PSTN gateway"
    PABX_GATEWAY = 3, "PABX gateway"
    SERVICE_CENTRE = 4, "service centre"
    SERVICE_CENTRE_2 = 5, "service centre"
    EXTENDED = 6, "extended individual"
    EXTENDED_GROUP = 7, "extended group"


class PartyType(Coded):
    """What kind of identity a party field holds, e.g. the TPI type of `+CTXG` [U]: the two values are from memory."""

    SSI = 0, "SSI"
    TSI = 1, "TSI"


class GroupAct(Coded):
    """First field of `AT+CTGS`: 2-7 are scan priorities [C]."""

    NONE = 0, "deselect"
    SELECT = 1, "select"


class SdsResult(Coded):
    """Status of `+CMGS` [C]."""

    SENT = 4, "sent"
    FAILED = 5, "failed"


class ReleaseCause(Coded):
    """Cause of `+CTCR` [C]; 23-30 are reserved."""

    UNKNOWN = 0, "unknown"
    USER = 1, "released by the user"
    BUSY = 2, "called party busy"
    UNREACHABLE = 3, "called party not reachable"
    NO_ENCRYPTION = 4, "called party does not support encryption"
    CONGESTION = 5, "network congestion"
    NOT_ALLOWED = 6, "traffic case not allowed"
    INCOMPATIBLE = 7, "incompatible traffic case"
    UNAVAILABLE = 8, "service unavailable"
    PRE_EMPTED = 9, "pre-emption"
    INVALID_ID = 10, "invalid call identifier"
    REJECTED = 11, "rejected by the called party"
    NO_IDLE_CC = 12, "no idle call control entity"
    TIMER = 13, "expiry of timer"
    SWMI = 14, "released by the network (SwMI)"
    NO_ACK = 15, "no acknowledgement"
    UNKNOWN_ID = 16, "unknown TETRA identity"
    SS_DEPENDENT = 17, "supplementary service dependent"
    UNKNOWN_EXTERNAL = 18, "unknown external subscriber number"
    RESTORATION_FAILED = 19, "call restoration failed"
    NEEDS_ENCRYPTION = 20, "called party requires encryption"
    CONCURRENT_SETUP = 21, "concurrent set-up not supported"
    SAME_DM_GATE = 22, "called party under the same DM-GATE"
    UNACCEPTABLE = 31, "called party offered unacceptable service"
    LATE_ENTRY_GATEWAY = 32, "late entry by gateway"
    REP_LINK = 33, "link to DM-REP not established"
    GATEWAY_LINK = 34, "link to gateway failed"
    GATEWAY_REJECT = 35, "call rejected by gateway"
    VD_SETUP_FAILED = 36, "V+D call set-up failed"
    VD_LOST = 37, "V+D resource lost or call timer expired"
    TX_LOST = 38, "transmit authorisation lost"
    CHANNEL_OCCUPIED = 39, "channel occupied by another call"
    SECURITY_MISMATCH = 40, "security parameter mismatch"


class CmeError(Coded):
    """Number of `+CME ERROR` [C]."""

    AIR_SEND_FAILED = 0, "sending over the air failed"
    TE_LINK = 1, "terminal equipment link failed"
    PEI_IN_USE = 2, "PEI in use"
    NOT_ALLOWED = 3, "not allowed in this state"
    UNSUPPORTED = 4, "not supported"
    SIM_PIN = 5, "SIM PIN required"
    SIM_10 = 10, "SIM not inserted or failed"
    SIM_11 = 11, "SIM error"
    SIM_12 = 12, "SIM error"
    SIM_13 = 13, "SIM error"
    SIM_14 = 14, "SIM error"
    SIM_15 = 15, "SIM error"
    SIM_16 = 16, "SIM error"
    SIM_17 = 17, "SIM error"
    SIM_18 = 18, "SIM error"
    STACK_FULL = 20, "message stack full"
    BAD_INDEX = 21, "bad index"
    BAD_INDEX_2 = 22, "bad index"
    STORE_FAILED = 23, "storing failed"
    STATUS_TEXT = 24, "status text too long"
    STATUS_TEXT_2 = 25, "bad status text"
    DIAL_STRING_LONG = 26, "dial string too long"
    DIAL_STRING = 27, "bad dial string"
    OUT_OF_SERVICE = 30, "out of service"
    NO_L2_ACK = 31, "no layer 2 acknowledgement"
    DATA_DECODE = 32, "user data could not be decoded"
    TYPE = 33, "parameter of the wrong type"
    RANGE = 34, "parameter out of range"
    SYNTAX = 35, "syntax error"
    DATA_WITHOUT_CMGS = 36, "user data without AT+CMGS"
    DATA_TIMEOUT = 37, "time-out waiting for user data"
    PROTOCOL_REGISTERED = 38, "protocol identifier already registered"
    TABLE_FULL = 39, "registration table full"
    NOT_DMO = 40, "not in direct mode"
    TX_INHIBIT = 41, "transmission inhibited"
    BUSY_SIGNALLING = 42, "busy with other signalling"
    NOT_VD = 43, "not in V+D mode"
