"""How a terminal's codes stand in the journal: the field's words, numbers with their meaning, payloads read."""

from __future__ import annotations

from typing import Any

from harness.errors import HarnessError, PeiRemoteError
from harness.protocols.pei.codes import (
    AiService,
    CallStatus,
    Grant,
    Registration,
    ReleaseCause,
    SdsResult,
    ServiceMode,
    describe,
)
from harness.protocols.pei.unsolicited import (
    CallReleased,
    Connected,
    IncomingCall,
    NetworkRegistration,
    OperatingMode,
    OutgoingProgress,
    SdsReceived,
    SelectedGroup,
    SendResult,
    SignalQuality,
    TransmissionCeased,
    TransmissionGrant,
    Unsolicited,
)
from harness.protocols.tetra import lip, sds, status
from harness.protocols.tetra.identity import parse_ssi

Entry = tuple[str, dict[str, Any]]


def ssi_of(digits: str | None) -> int | None:
    """The SSI in an identity's digits, or None where there is none."""
    if not digits:
        return None
    try:
        return parse_ssi(digits)
    except PeiRemoteError:
        return None


def journalled(code: Unsolicited, end: str | None) -> Entry:
    """Kind and data of a code; `end` is the group or terminal its call is with, digits, where that is known."""
    kind, data = _told(code)
    if end is not None:
        data["with"] = end
    return kind, data


def _told(code: Unsolicited) -> Entry:
    match code:
        case IncomingCall():
            return "radio.call_in", {
                "cc": code.cc,
                "calling": ssi_of(code.calling),
                "called": ssi_of(code.called),
                "group": code.comms == 1,
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
        case SdsReceived():
            return _sds(code)
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
    return "radio.code", {"line": code.line()}


def _sds(code: SdsReceived) -> Entry:
    data: dict[str, Any] = {"issi": ssi_of(code.calling), "to": ssi_of(code.called)}
    try:
        if code.service == AiService.STATUS:
            value = status.decode(code.payload)
            kind = status.kind_of(value).name.lower()
            return "status.received", {**data, "value": value, "status_kind": kind}
        if code.payload[:1] == bytes((sds.ProtocolId.LIP,)):
            place = lip.decode(code.payload)
            at = {"lat": round(place.latitude, 6), "lon": round(place.longitude, 6)}
            return "location.received", {**data, **at, "speed_kmh": place.speed_kmh}
        message = sds.decode(code.payload)
    except HarnessError as error:
        return "sds.unreadable", {**data, "severity": "warning", "why": str(error), "hex": code.payload.hex()}
    match message:
        case sds.SimpleText(text=text):
            return "sds.received", {**data, "text": text}
        case sds.TextTransfer(text=text, reference=reference, report=report):
            return "sds.received", {**data, "text": text, "reference": reference, "report": int(report)}
        case sds.DeliveryReport(status=result, reference=reference):
            return "sds.report", {**data, "reference": reference, "status": result}
        case sds.DeliveryAck(status=result, reference=reference):
            return "sds.ack", {**data, "reference": reference, "status": result}
        case sds.RawSds(protocol=protocol):
            return "sds.received", {**data, "protocol": protocol, "hex": code.payload.hex()}
