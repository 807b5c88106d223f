"""The control block of an eCall over SIP: `application/EmergencyCallData.Control+xml` (RFC 8147 section 9).

Theory. The vehicle sends its MSD in the INVITE. The control room answers with an `ack` that names it by its Content-ID
and says whether it could be read. Later it can ask, in an INFO, for an act: `send-data` asks for a new MSD. A block is
one of an acknowledgement, a request, or what the vehicle is capable of (a choice in section 13's schema); senders that
put several into one are read, and told as a finding.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, SubElement, register_namespace

from harness.errors import MsdError
from harness.protocols import safe_xml

CONTENT_TYPE: Final = "application/EmergencyCallData.Control+xml"
INFO_PACKAGE: Final = "EmergencyCallData.eCall.MSD"
"""Info-Package of the INFO that carries MSD and control (RFC 8147 section 14.9)."""
CALL_INFO_PURPOSES: Final = ("EmergencyCallData.eCall.MSD", "EmergencyCallData.Control")
"""``purpose`` of the Call-Info that points at the MSD and at the control block."""
SEND_DATA: Final = "send-data"
"""The one action that eCall defines."""
MSD_TYPE: Final = "eCall.MSD"
"""The data type that ``send-data`` asks for."""
MAX_ITEMS: Final = 64
"""Acknowledgements, requests and results of one block."""
_SPACE: Final = "urn:ietf:params:xml:ns:EmergencyCallData:control"
_ROOT: Final = f"{{{_SPACE}}}EmergencyCallData.Control"
_TOKEN: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
register_namespace("control", _SPACE)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one action."""

    action: str
    success: bool
    reason: str = ""
    """A token: ``unsupported``, ``unable`` … where it failed."""
    details: str = ""


@dataclass(frozen=True, slots=True)
class Ack:
    """The receiver's word on what was sent."""

    ref: str
    """The Content-ID of what is acknowledged, without angle brackets."""
    received: bool | None = None
    """Whether the data could be read; None where a request is acknowledged."""
    results: tuple[Result, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """An act that is asked for, or that the vehicle says it can do."""

    action: str = SEND_DATA
    datatype: str = ""
    """``eCall.MSD`` where data is asked for."""
    supported_values: str = ""
    """In capabilities: values with semicolons between."""


@dataclass(frozen=True, slots=True)
class Control:
    """One control block."""

    acks: tuple[Ack, ...] = ()
    requests: tuple[Request, ...] = ()
    capabilities: tuple[Request, ...] | None = None
    """What the sender can do; None where it does not say."""
    findings: tuple[str, ...] = ()
    """What could not be read."""


def build(control: Control) -> bytes:
    """Return the document.

    Raises:
        MsdError: not one item, an acknowledgement of nothing, or an action that is no token.
    """
    kinds = len(control.acks) + len(control.requests) + (control.capabilities is not None)
    if kinds != 1:
        raise MsdError(f"a control block of {kinds} items; one ack, one request or the capabilities are due")
    root = Element(_ROOT)
    for ack in control.acks:
        if not ack.ref or not _clean(ack.ref):
            raise MsdError("an ack needs the Content-ID of what it acknowledges")
        element = SubElement(root, f"{{{_SPACE}}}ack", ref=ack.ref)
        if ack.received is not None:
            element.set("received", _boolean(ack.received))
        for result in ack.results:
            _token(result.action)
            child = SubElement(element, f"{{{_SPACE}}}actionResult", action=result.action)
            child.set("success", _boolean(result.success))
            _set(child, reason=result.reason, details=result.details)
    for request in control.requests:
        _request(root, request)
    if control.capabilities is not None:
        element = SubElement(root, f"{{{_SPACE}}}capabilities")
        for request in control.capabilities:
            _request(element, request)
    if len(list(root.iter())) - 1 > MAX_ITEMS:
        raise MsdError(f"a control block of more than {MAX_ITEMS} elements")
    return safe_xml.write(root)


def _request(parent: Element, request: Request) -> None:
    _token(request.action)
    element = SubElement(parent, f"{{{_SPACE}}}request", action=request.action)
    _set(element, datatype=request.datatype, **{"supported-values": request.supported_values})


def _set(element: Element, **values: str) -> None:
    for name, value in values.items():
        if not _clean(value):
            raise MsdError(f"{name} has a control character or is too long")
        if value:
            element.set(name, value)


def _token(action: str) -> None:
    if _TOKEN.fullmatch(action) is None:
        raise MsdError(f"action {action[:40]!r} is no token")


def _clean(value: str) -> bool:
    return len(value) <= 1024 and value.isprintable()


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def parse(octets: bytes) -> Control:
    """Read a control block.

    Raises:
        MsdError: not XML, another document, or more than MAX_ITEMS.
    """
    root = safe_xml.parse(octets, MsdError)
    if str(root.tag).lower() != _ROOT.lower():
        raise MsdError(f"the document is {str(root.tag)[:80]!r} and not EmergencyCallData.Control of {_SPACE}")
    if len(list(root.iter())) - 1 > MAX_ITEMS:
        raise MsdError(f"a control block of more than {MAX_ITEMS} items")
    findings: list[str] = []
    if root.tag != _ROOT:
        findings.append(f"the document is {safe_xml.local(root)!r}; EmergencyCallData.Control is how it is written")
    if len(root) != 1:
        findings.append(f"{len(root)} items; one is due")
    acks: list[Ack] = []
    requests: list[Request] = []
    capabilities: tuple[Request, ...] | None = None
    for child in root:
        match safe_xml.local(child):
            case "ack":
                acks.append(_read_ack(child, findings))
            case "request":
                requests.append(_read_request(child, findings))
            case "capabilities":
                capabilities = tuple(_read_request(each, findings) for each in child)
            case name:
                findings.append(f"{name[:40]!r} is not of RFC 8147")
    return Control(tuple(acks), tuple(requests), capabilities, tuple(findings))


def _read_ack(element: Element, findings: list[str]) -> Ack:
    if not element.get("ref"):
        findings.append("an ack without ref")
    results = tuple(
        Result(
            child.get("action", ""),
            _read_boolean(child, "success", findings) or False,
            child.get("reason", ""),
            child.get("details", ""),
        )
        for child in element
        if safe_xml.local(child) == "actionResult"
    )
    return Ack(element.get("ref", ""), _read_boolean(element, "received", findings), results)


def _read_request(element: Element, findings: list[str]) -> Request:
    action = element.get("action", "")
    if not action:
        findings.append("a request without action")
    return Request(action, element.get("datatype", ""), element.get("supported-values", ""))


def _read_boolean(element: Element, name: str, findings: list[str]) -> bool | None:
    told = element.get(name)
    if told in ("true", "1"):
        return True
    if told is not None and told not in ("false", "0"):
        findings.append(f"{name} is {told[:20]!r} and not true or false")
        return None
    return None if told is None else False
