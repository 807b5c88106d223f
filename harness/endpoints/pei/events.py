"""How a terminal's codes stand in the journal: the field's words, numbers with their meaning, payloads read."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Final

from harness.endpoints.pei.sds_events import Entry, ssi_of, told_of_sds
from harness.journal import Fact
from harness.protocols.pei.codes import (
    CallStatus,
    Grant,
    Registration,
    ReleaseCause,
    SdsResult,
    ServiceMode,
    describe,
)
from harness.protocols.pei.fields import Unsolicited
from harness.protocols.pei.replies import CodeReceived, Reply
from harness.protocols.pei.sds_code import SdsReceived
from harness.protocols.pei.unsolicited import (
    Broadcast,
    CallReleased,
    Connected,
    GroupReport,
    IncomingCall,
    NetworkRegistration,
    OperatingMode,
    OutgoingProgress,
    SelectedGroup,
    SendResult,
    SignalQuality,
    TransmissionCeased,
    TransmissionGrant,
    TransmissionInterrupt,
    TransmissionWait,
    parse_unsolicited,
)
from harness.protocols.tetra.concatenation import Assembler

FACTS_KEPT: Final = 4_096
"""Codes, and replies, whose entry is kept: a network tells all of a talkgroup the same in the same words."""


def journalled(seen: CodeReceived, end: str | None, assembler: Assembler) -> Fact:
    """The entry of a code; `end` is the group or terminal its call is with, digits, where that is known.

    `assembler` holds the parts of longer messages that this line has brought.
    """
    code = seen.code
    if not isinstance(code, SdsReceived):
        return _fact(seen.line, end)
    kind, data = told_of_sds(code, partial(assembler.take, code.calling or ""))
    return Fact(kind, data)


@lru_cache(maxsize=FACTS_KEPT)
def _fact(line: str, end: str | None) -> Fact:
    kind, data = _told(parse_unsolicited(line, None, []))
    if end is not None:
        data["with"] = end
    return Fact(kind, data)


def reply_journalled(reply: Reply) -> Fact:
    """The entry of a command's reply."""
    if not reply.lines:
        return _replied(reply.command, reply.told())
    return Fact("pei.command", {"command": reply.command, "reply": reply.told(), "lines": list(reply.lines)})


@lru_cache(maxsize=FACTS_KEPT)
def _replied(command: str, told: str) -> Fact:
    return Fact("pei.command", {"command": command, "reply": told})


def _told(code: Unsolicited) -> Entry:
    match code:
        case IncomingCall():
            return "radio.call_in", {
                "cc": code.cc,
                "calling": ssi_of(code.calling),
                "called": ssi_of(code.called),
                "group": code.comms == 1,
                "priority": code.priority,
                "status": describe(CallStatus, code.status),
            }
        case OutgoingProgress():
            return "radio.progress", {"cc": code.cc, "status": describe(CallStatus, code.status)}
        case Connected():
            return "radio.connected", {"cc": code.cc}
        case TransmissionGrant(cc=cc, grant=Grant.GRANTED_TO_ANOTHER):
            return "radio.talker", {"cc": cc, "issi": ssi_of(code.talker)}
        case TransmissionGrant():
            return "radio.grant", {"cc": code.cc, "grant": describe(Grant, code.grant)}
        case TransmissionCeased():
            return "radio.ceased", {"cc": code.cc}
        case CallReleased():
            return "radio.released", {"cc": code.cc, "cause": describe(ReleaseCause, code.cause)}
        case TransmissionInterrupt():
            return "radio.interrupted", {"cc": code.cc, "issi": ssi_of(code.talker)}
        case TransmissionWait():
            return "radio.held_up", {"cc": code.cc}
        case SendResult():
            result = None if code.status is None else describe(SdsResult, code.status)
            return "sds.result", {"instance": code.instance, "result": result}
    return _told_of_terminal(code)


def _told_of_terminal(code: Unsolicited) -> Entry:
    match code:
        case NetworkRegistration():
            return "radio.registration", {"state": describe(Registration, code.state)}
        case SelectedGroup():
            return "radio.group", {"gssi": ssi_of(code.group)}
        case OperatingMode():
            return "radio.mode", {"mode": describe(ServiceMode, code.mode)}
        case SignalQuality():
            return "radio.signal", {"dbm": code.dbm}
        case GroupReport():
            return "radio.regrouped", {"act": code.act, "gssi": ssi_of(code.group), "result": code.result}
        case Broadcast():
            return "radio.cell", {"location_area": code.location_area, "services": code.services}
    return "radio.code", {"line": code.line()}
