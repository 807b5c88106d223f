"""Causes of ITU-T Q.850: their names, and the SIP statuses that they stand for (RFC 3398 sections 7.2.4.1, 8.2.6.1)."""

from __future__ import annotations

from typing import Final

from harness.errors import SipLocalError

NORMAL_CLEARING: Final = 16
NORMAL_UNSPECIFIED: Final = 31
MAX_CAUSE: Final = 127
CAUSES: Final[dict[int, str]] = {
    1: "Unallocated (unassigned) number",
    2: "No route to specified transit network",
    3: "No route to destination",
    4: "Send special information tone",
    5: "Misdialled trunk prefix",
    6: "Channel unacceptable",
    7: "Call awarded and being delivered in an established channel",
    8: "Preemption",
    9: "Preemption - circuit reserved for reuse",
    14: "QoR: ported number",
    16: "Normal call clearing",
    17: "User busy",
    18: "No user responding",
    19: "No answer from user (user alerted)",
    20: "Subscriber absent",
    21: "Call rejected",
    22: "Number changed",
    23: "Redirection to new destination",
    24: "Call rejected due to feature at the destination",
    25: "Exchange routing error",
    26: "Non-selected user clearing",
    27: "Destination out of order",
    28: "Invalid number format (address incomplete)",
    29: "Facility rejected",
    30: "Response to STATUS ENQUIRY",
    31: "Normal, unspecified",
    34: "No circuit/channel available",
    38: "Network out of order",
    39: "Permanent frame mode connection out of service",
    40: "Permanent frame mode connection operational",
    41: "Temporary failure",
    42: "Switching equipment congestion",
    43: "Access information discarded",
    44: "Requested circuit/channel not available",
    46: "Precedence call blocked",
    47: "Resource unavailable, unspecified",
    49: "Quality of service not available",
    50: "Requested facility not subscribed",
    53: "Outgoing calls barred within CUG",
    55: "Incoming calls barred within CUG",
    57: "Bearer capability not authorized",
    58: "Bearer capability not presently available",
    62: "Inconsistency in designated outgoing access information and subscriber class",
    63: "Service or option not available, unspecified",
    65: "Bearer capability not implemented",
    66: "Channel type not implemented",
    69: "Requested facility not implemented",
    70: "Only restricted digital information bearer capability is available",
    79: "Service or option not implemented, unspecified",
    81: "Invalid call reference value",
    82: "Identified channel does not exist",
    83: "A suspended call exists, but this call identity does not",
    84: "Call identity in use",
    85: "No call suspended",
    86: "Call having the requested call identity has been cleared",
    87: "User not member of CUG",
    88: "Incompatible destination",
    90: "Non-existent CUG",
    91: "Invalid transit network selection",
    95: "Invalid message, unspecified",
    96: "Mandatory information element is missing",
    97: "Message type non-existent or not implemented",
    98: "Message not compatible with call state or message type non-existent or not implemented",
    99: "Information element/parameter non-existent or not implemented",
    100: "Invalid information element contents",
    101: "Message not compatible with call state",
    102: "Recovery on timer expiry",
    103: "Parameter non-existent or not implemented, passed on",
    110: "Message with unrecognized parameter, discarded",
    111: "Protocol error, unspecified",
    127: "Interworking, unspecified",
}
"""Q.850 table 1."""
_STATUSES: Final[dict[int, int]] = {
    **dict.fromkeys((1, 2, 3, 26), 404),
    17: 486,
    18: 408,
    **dict.fromkeys((19, 20, 31), 480),
    **dict.fromkeys((21, 55, 57, 87), 403),
    **dict.fromkeys((22, 23), 410),
    27: 502,
    28: 484,
    **dict.fromkeys((29, 79), 501),
    **dict.fromkeys((34, 38, 41, 42, 47, 58, 88), 503),
    **dict.fromkeys((65, 70), 488),
    102: 504,
    **dict.fromkeys((111, 127), 500),
}
_ANY_OTHER_CAUSE: Final = 500
_CAUSES_OF: Final[dict[int, int]] = {
    **dict.fromkeys((400, 481, 500, 503), 41),
    **dict.fromkeys((401, 402, 403, 407, 603), 21),
    **dict.fromkeys((404, 485, 604), 1),
    405: 63,
    **dict.fromkeys((406, 415, 501), 79),
    **dict.fromkeys((408, 504), 102),
    410: 22,
    **dict.fromkeys((413, 414, 416, 420, 421, 423, 505, 513), 127),
    480: 18,
    **dict.fromkeys((482, 483), 25),
    484: 28,
    **dict.fromkeys((486, 600), 17),
    502: 38,
}


def name_of(cause: int) -> str:
    """The cause's name in Q.850; for a value that is assigned to none, words that say so."""
    return CAUSES.get(cause, f"cause {cause}, which Q.850 assigns to nothing")


def status_of(cause: int, *, from_user: bool = False, new_number: bool = False) -> int | None:
    """The status that refuses a call released with ``cause`` before it was answered (RFC 3398 section 7.2.4.1).

    ``from_user``: the cause's location is the user, who then declined. ``new_number``: the diagnostic of cause 22 tells
    one. None for normal clearing, which is a CANCEL or a BYE and no status. Raises SipLocalError out of 1…127.
    """
    if not 1 <= cause <= MAX_CAUSE:
        raise SipLocalError(f"a Q.850 cause is 1…{MAX_CAUSE}, not {cause}")
    if cause == NORMAL_CLEARING:
        return None
    if cause == 21 and from_user:
        return 603
    if cause == 22 and new_number:
        return 301
    return _STATUSES.get(cause, _ANY_OTHER_CAUSE)


def cause_of(status: int) -> int | None:
    """The cause that stands for a status that refused a call (RFC 3398 section 8.2.6.1).

    None for 487, whose call was released already. 488 and 606 have none of their own (the RFC goes by their Warning)
    and are, as any other, 31. Raises SipLocalError out of 300…699. A BYE or CANCEL is NORMAL_CLEARING.
    """
    if not 300 <= status <= 699:
        raise SipLocalError(f"a status that refuses a call is 300…699, not {status}")
    return None if status == 487 else _CAUSES_OF.get(status, NORMAL_UNSPECIFIED)
