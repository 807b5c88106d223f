"""Short data in a SIP MESSAGE: its parts put together and taken apart (3GPP TS 24.282 clauses 9.2.2 and 12.2)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from harness.errors import McpttError
from harness.protocols.mcdata.info import CONTENT_TYPE, McdataInfo, read_info
from harness.protocols.mcdata.sds import (
    PAYLOAD_TYPE,
    SIGNALLING_TYPE,
    Notification,
    Payload,
    Signalling,
    read_payloads,
    read_signalling,
    write_payloads,
)
from harness.protocols.mcptt.private import LISTS_TYPE, read_list, write_list
from harness.protocols.sip import body
from harness.protocols.sip.message import Message


@dataclass(frozen=True, slots=True)
class ShortData:
    """What one MESSAGE says."""

    info: McdataInfo
    signalling: Signalling | Notification
    payloads: tuple[Payload, ...] = ()
    """None with a notification."""
    to: tuple[str, ...] = ()
    """Users whom it is for, where a list tells them."""

    def parts(self) -> list[body.Part]:
        """The parts of its body. Raises McpttLocalError for a value that can't be told."""
        found = [body.Part(CONTENT_TYPE, bytes(self.info)), body.Part(SIGNALLING_TYPE, bytes(self.signalling))]
        if self.payloads:
            found.append(body.Part(PAYLOAD_TYPE, write_payloads(*self.payloads)))
        if self.to:
            found.append(body.Part(LISTS_TYPE, write_list(self.to), {"content-disposition": "recipient-list"}))
        return found


def short_data_in(message: Message) -> ShortData | None:
    """What a MESSAGE says; None where it is no short data. Raises McpttError, SipRemoteError where it can't be read."""
    parts: dict[str, bytes] = {}
    for part in body.parts_of(message):
        parts.setdefault(part.content_type, _decoded(part))
    signalling = parts.get(SIGNALLING_TYPE)
    if signalling is None:
        return None
    info, payload, listed = (parts.get(each) for each in (CONTENT_TYPE, PAYLOAD_TYPE, LISTS_TYPE))
    return ShortData(
        read_info(info) if info else McdataInfo(),
        read_signalling(signalling),
        read_payloads(payload) if payload else (),
        read_list(listed) if listed else (),
    )


def _decoded(part: body.Part) -> bytes:
    """A part's octets; some implementations send them in base64 (RFC 2045 section 6.8). Raises McpttError."""
    if part.headers.get("content-transfer-encoding", "").strip().lower() != "base64":
        return part.body
    try:
        return base64.b64decode(part.body)
    except (binascii.Error, ValueError) as error:
        raise McpttError(f"a part in base64 that can't be read: {error}") from None
