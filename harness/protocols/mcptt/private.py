"""What the INVITE of a private call says beside its session: whom it is for, and whether they have to answer.

Source: 3GPP TS 24.379 clause 11.1.1, RFC 5366 and RFC 4826 (the list of who is invited), RFC 5373 (Answer-Mode). A call
whose offer has no stream for floor control is full duplex (clause 11.1.2): there is no other sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from harness.errors import McpttError, McpttLocalError
from harness.protocols import safe_xml
from harness.protocols.mcptt.info import CONTENT_TYPE, MAX_TEXT, McpttInfo
from harness.protocols.sip import body
from harness.protocols.sip.message import Message

LISTS_NAMESPACE: Final = "urn:ietf:params:xml:ns:resource-lists"
LISTS_TYPE: Final = "application/resource-lists+xml"
PRIVATE: Final = "private"
"""The session type."""
MAX_ENTRIES: Final = 64
"""Users that one list may name."""
EMERGENCY_PRIORITY: Final = "mcpttp.15"
"""Resource-Priority of an emergency call: the highest of MCPTT's pre-empting namespace (RFC 8101).

Unconfirmed of ESN: which value an emergency has is in the service's configuration (TS 24.484).
"""


class Commencement(StrEnum):
    """How a call begins: Answer-Mode (RFC 5373)."""

    AUTO = "Auto"
    """The called terminal answers by itself."""
    MANUAL = "Manual"
    """It rings until its user answers."""

    @property
    def header(self) -> tuple[str, str]:
        """The header that asks for it."""
        return "Answer-Mode", self.value


def read_commencement(message: Message) -> Commencement | None:
    """What a request asks for; None where it asks for nothing, or for what there is not (RFC 5373 section 4.1)."""
    asked = (message.get("answer-mode") or "").partition(";")[0].strip().lower()
    return next((each for each in Commencement if each.value.lower() == asked), None)


def write_list(uris: Sequence[str]) -> bytes:
    """A list of users. Raises McpttLocalError for none, too many, or one that is no URI."""
    if not 1 <= len(uris) <= MAX_ENTRIES:
        raise McpttLocalError(f"a list of {len(uris)} users; 1 to {MAX_ENTRIES} are due")
    root = Element("resource-lists", {"xmlns": LISTS_NAMESPACE})
    entries = SubElement(root, "list")
    for uri in uris:
        if len(uri) > MAX_TEXT or not uri.isprintable() or ":" not in uri:
            raise McpttLocalError(f"not a user's URI: {uri[:40]!r}")
        SubElement(entries, "entry", {"uri": uri})
    return safe_xml.write(root)


def read_list(octets: bytes) -> tuple[str, ...]:
    """The URIs of a list, those of lists within it too. Raises McpttError where it is none, or too long."""
    root = safe_xml.parse(octets, McpttError)
    if safe_xml.local(root) != "resource-lists":
        raise McpttError(f"the root is {safe_xml.local(root)!r}, not resource-lists")
    uris = tuple((each.get("uri") or "").strip() for each in root.iter() if safe_xml.local(each) == "entry")
    if len(uris) > MAX_ENTRIES:
        raise McpttError(f"a list of {len(uris)} users; {MAX_ENTRIES} are read")
    for uri in uris:
        if not uri or len(uri) > MAX_TEXT or not uri.isprintable():
            raise McpttError(f"an entry that names nobody: {uri[:40]!r}")
    return uris


def private_body(description: bytes, info: McpttInfo, called: str) -> tuple[bytes, str]:
    """The body of a caller's INVITE and its type: description, mcptt-info, who is called. Raises McpttLocalError."""
    parts = [body.Part(body.SDP, description), body.Part(CONTENT_TYPE, bytes(info))]
    listed = body.Part(LISTS_TYPE, write_list([called]), {"content-disposition": "recipient-list"})
    return body.multipart([*parts, listed])


def called_of(message: Message) -> str:
    """Who is called: the one entry of the list. Raises McpttError where it does not name exactly one.

    SipRemoteError where the body can't be read.
    """
    listed = body.find(message, LISTS_TYPE)
    uris = read_list(listed) if listed else ()
    if len(uris) != 1:
        raise McpttError(f"a private call to {len(uris)} users; it is for one")
    return uris[0]
