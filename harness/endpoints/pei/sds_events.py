"""How an SDS or a status that came in stands in the journal: its payload read, parts of a longer one put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.errors import HarnessError, PeiRemoteError
from harness.protocols.pei.codes import AiService
from harness.protocols.pei.sds_code import SdsReceived
from harness.protocols.tetra import delivery, lip, sds, status
from harness.protocols.tetra.identity import parse_ssi

Entry = tuple[str, dict[str, Any]]
Assemble = Callable[[sds.TextPart | sds.MessagePart], str | bytes | None]
"""Takes a part; gives the whole when it was the last, else None. May raise SdsError."""


def ssi_of(digits: str | None) -> int | None:
    """The SSI in an identity's digits, or None where there is none."""
    if not digits:
        return None
    try:
        return parse_ssi(digits)
    except PeiRemoteError:
        return None


def told_of_sds(code: SdsReceived, assemble: Assemble) -> Entry:
    """Kind and data of an SDS or a status; what can't be read is `sds.unreadable`, with the reason."""
    data: dict[str, Any] = {"issi": ssi_of(code.calling), "to": ssi_of(code.called)}
    try:
        if code.service == AiService.STATUS:
            return _status(status.decode(code.payload), data)
        if code.service in (AiService.SDS_1, AiService.SDS_2, AiService.SDS_3):
            return "sds.received", {**data, "sds_type": code.service - AiService.SDS_1 + 1, "hex": code.payload.hex()}
        return _type_4(code.payload, data, assemble)
    except HarnessError as error:
        return "sds.unreadable", {**data, "severity": "warning", "why": str(error), "hex": code.payload.hex()}


def _status(value: int, data: dict[str, Any]) -> Entry:
    if status.kind_of(value) is status.StatusKind.SHORT_REPORT:
        report = status.parse_short_report(value)
        told = report.type.name.lower()
        return "sds.report", {**data, "reference": report.reference, "short": True, "told": told}
    return "status.received", {**data, "value": value, "status_kind": status.kind_of(value).name.lower()}


def _type_4(payload: bytes, data: dict[str, Any], assemble: Assemble) -> Entry:
    if payload[:1] == bytes((sds.ProtocolId.LIP,)):
        place = lip.decode(payload)
        at = {"lat": round(place.latitude, 6), "lon": round(place.longitude, 6)}
        error = {"error_m": place.error_metres, "direction_deg": place.direction_degrees}
        error |= {"fix_age_s": place.fix_age_s, "reason": place.reason}
        return "location.received", {**data, **at, "speed_kmh": place.speed_kmh, **error}
    message = sds.decode(payload)
    match message:
        case sds.SimpleText(text=text):
            return "sds.received", {**data, "text": text}
        case sds.TextTransfer(text=text, reference=reference, report=report):
            return "sds.received", {**data, "text": text, "reference": reference, "report": int(report)}
        case sds.DeliveryReport(status=result, reference=reference):
            return "sds.report", {**data, "reference": reference, "status": result, "told": delivery.told(result)}
        case sds.DeliveryAck(status=result, reference=reference):
            return "sds.ack", {**data, "reference": reference, "status": result, "told": delivery.told(result)}
        case sds.TextPart() | sds.MessagePart():
            return _part(message, data, assemble)
    return "sds.received", {**data, "protocol": message.protocol, "hex": payload.hex()}


def _part(message: sds.TextPart | sds.MessagePart, data: dict[str, Any], assemble: Assemble) -> Entry:
    whole = message.text if isinstance(message, sds.TextPart) and message.total == 1 else assemble(message)
    if message.reference is not None:
        data |= {"reference": message.reference, "report": int(message.report)}
    if whole is None:
        return "sds.part", {**data, "part": message.number, "of": message.total}
    if isinstance(whole, bytes):
        return _type_4(whole, {**data, "parts": message.total}, lambda _part: None)
    return "sds.received", {**data, "text": whole, "parts": message.total}
