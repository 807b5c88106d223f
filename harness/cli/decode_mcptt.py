"""What the MCPTT engine understands: floor control in RTCP, documents and short data in SIP messages."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import IntEnum
from typing import Any

from harness.cli.plain import plain
from harness.errors import McpttError
from harness.protocols import safe_xml
from harness.protocols.mcdata import info as mcdata_info
from harness.protocols.mcdata.message import ShortData, short_data_in
from harness.protocols.mcdata.sds import Content, Disposition, Notification, Wanted
from harness.protocols.mcptt import messages as mcptt
from harness.protocols.mcptt.info import CONTENT_TYPE, read_info
from harness.protocols.mcptt.location import LOCATION_TYPE, read_location
from harness.protocols.mcptt.private import LISTS_TYPE, read_commencement, read_list
from harness.protocols.mcptt.warnings import read_why
from harness.protocols.sip import body
from harness.protocols.sip.message import Request, Response
from harness.protocols.sip.parse import parse

Decoded = dict[str, Any]
_NO_FLOOR = "RTCP is there, but no floor control message: an APP packet named MCPT was due (TS 24.380 section 8)"
_SIP = re.compile(rb"(?:[A-Z]{3,20} \S+ )?SIP/2\.0[ \r\n]")


def decode_mcptt(data: bytes) -> Decoded | list[Decoded]:
    """The floor control messages of a datagram, a document, or what a SIP message says of MCPTT.

    Raises McpttError, SipRemoteError.
    """
    if data.lstrip()[:1] == b"<":
        return _document(data.strip())
    if _SIP.match(data):
        return _sip(data if b"\r\n" in data else data.replace(b"\n", b"\r\n"))
    messages = mcptt.read_datagram(data)
    if not messages:
        raise McpttError(_NO_FLOOR)
    return [_floor(message) for message in messages]


def _document(data: bytes) -> Decoded:
    """One document, known by its root. Raises McpttError for an unknown one."""
    root = safe_xml.local(safe_xml.parse(data, McpttError))
    known = _BY_ROOT.get(root)
    if known is None:
        raise McpttError(f"a document {root!r}; {', '.join(_BY_ROOT)} are read")
    return _DOCUMENTS[known](data)


def _sip(data: bytes) -> Decoded:
    message = parse(data)
    message.check()
    shown: Decoded = {"start_line": message.start_line}
    if isinstance(message, Request):
        shown |= {"method": message.method, "uri": str(message.uri)}
        commencement = read_commencement(message)
        shown |= {"commencement": commencement.value} if commencement is not None else {}
    elif isinstance(message, Response):
        shown |= {"status": message.status, "reason": message.reason}
        why = read_why(message)
        shown |= {"warning": {"number": why.number, "text": why.text}} if why is not None else {}
    short = short_data_in(message)
    if short is not None:
        shown["short_data"] = _short_data(short)
    parts = []
    for part in body.parts_of(message):
        read = _DOCUMENTS.get(part.content_type)
        parts.append({"content_type": part.content_type, "length": len(part.body)} if read is None else read(part.body))
    return {**shown, "parts": parts}


def _info(data: bytes) -> Decoded:
    info = read_info(data)
    said = {name: value for name, value in plain(info).items() if value not in (None, "")}
    if info.listening is not None:
        said["listening"] = info.listening.value
    return {**said, "type": "mcptt-info"}


def _list(data: bytes) -> Decoded:
    return {"type": "resource-lists", "users": list(read_list(data))}


def _location(data: bytes) -> Decoded:
    said = plain(read_location(data))
    return {**said, "type": f"location-info {said['type']}"}


def _data_info(data: bytes) -> Decoded:
    said = {name: value for name, value in plain(mcdata_info.read_info(data)).items() if value}
    return {**said, "type": "mcdata-info"}


def _short_data(data: ShortData) -> Decoded:
    """Signalling and payloads of a MESSAGE, with names for their numbers."""
    said = data.signalling
    told: Decoded = {"type": type(said).__name__, "time": said.time}
    told |= {"conversation": said.conversation.hex(), "message": said.message.hex()}
    if isinstance(said, Notification):
        return told | {"disposition": _named(Disposition, said.disposition)}
    told["wanted"] = None if said.wanted is None else _named(Wanted, said.wanted)
    payloads = []
    for payload in data.payloads:
        shown: Decoded = {"content": _named(Content, payload.content)}
        if payload.text is not None:
            shown["text"] = payload.text
        elif payload.status is not None:
            shown["status"] = payload.status
        else:
            shown["hex"] = payload.data.hex()
        payloads.append(shown)
    return told | {"payloads": payloads}


_DOCUMENTS: dict[str, Callable[[bytes], Decoded]] = {
    CONTENT_TYPE: _info,
    LISTS_TYPE: _list,
    LOCATION_TYPE: _location,
    mcdata_info.CONTENT_TYPE: _data_info,
}
_BY_ROOT = {
    "mcpttinfo": CONTENT_TYPE,
    "resource-lists": LISTS_TYPE,
    "location-info": LOCATION_TYPE,
    "mcdatainfo": mcdata_info.CONTENT_TYPE,
}


def _floor(message: mcptt.FloorMessage) -> Decoded:
    shown = {name: value for name, value in plain(message).items() if value not in (None, "", [])}
    shown |= {"type": message.type, "name": message.name, "ssrc": f"0x{message.ssrc:08x}"}
    causes: dict[int, type[IntEnum]] = {mcptt.FloorType.DENY: mcptt.Deny, mcptt.FloorType.REVOKE: mcptt.Revoke}
    if message.cause is not None and message.type in causes:
        shown["cause_means"] = _named(causes[message.type], message.cause)
    if message.source is not None:
        shown["source_means"] = _named(mcptt.Source, message.source)
    if message.indicator is not None:
        shown["indicator_means"] = [bit.name for bit in mcptt.Indicator if bit & message.indicator]
    if message.talker is not None:
        shown["talker"] = f"0x{message.talker:08x}"
    return shown


def _named(kind: type[IntEnum], value: int) -> str:
    return mcptt.in_words(kind, value, "not known to this tool")
