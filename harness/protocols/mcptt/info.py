"""What SIP says of an MCPTT call: the mcptt-info document, the headers of an INVITE, and the floor's stream in SDP.

Source: 3GPP TS 24.379 (annex F.1 for the document) and TS 24.380 section 12 (fmtp), as public implementations write
them; read liberally: elements in any order, values with or without their typed inner element, unknown ones left alone.
Unconfirmed: that who is listened to is told as ``ambient-listening-type`` within ``anyExt``, and its two values.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement

from harness.errors import McpttError, McpttLocalError
from harness.protocols import safe_xml
from harness.protocols.sdp.description import Media

NAMESPACE: Final = "urn:3gpp:ns:mcpttInfo:1.0"
CONTENT_TYPE: Final = "application/vnd.3gpp.mcptt-info+xml"
ICSI: Final = "urn:urn-7:3gpp-service.ims.icsi.mcptt"
INVITE_HEADERS: Final = (
    ("Accept-Contact", "*;+g.3gpp.mcptt;require;explicit"),
    ("P-Preferred-Service", ICSI),
)
"""What every INVITE of an MCPTT call carries."""
CONTACT_TAGS: Final = f'+g.3gpp.mcptt;+g.3gpp.icsi-ref="{ICSI.replace(":", "%3A")}"'
AMBIENT: Final = "ambient-listening"
"""The session type of an ambient listening call (clause 11.1.6)."""
SESSION_TYPES: Final = ("prearranged", "chat", "private", "first-to-answer", AMBIENT)
FLOOR_FORMAT: Final = "MCPTT"
PRIORITIES: Final = range(256)
MAX_TEXT: Final = 512
"""Characters of one value."""

_TEXTS: Final = {
    "session-type": "session_type",
    "mcptt-request-uri": "request_uri",
    "mcptt-calling-user-id": "calling_user",
    "mcptt-called-party-id": "called_user",
    "mcptt-calling-group-id": "calling_group",
    "mcptt-client-id": "client",
}
_FLAGS: Final = {
    "emergency-ind": "emergency",
    "alert-ind": "alert",
    "imminentperil-ind": "imminent_peril",
    "broadcast-ind": "broadcast",
}
_INNER: Final = {"mcptt-client-id": "mcpttString"}
_AMBIENT_TYPE: Final = "ambient-listening-type"
_EXTENSION: Final = "anyExt"
"""What holds elements of later releases."""


class Listening(StrEnum):
    """Who is listened to in an ambient listening call."""

    REMOTE = "remote-init"
    """The called: an authorised user listens to them."""
    LOCAL = "local-init"
    """The caller, who wants to be listened to."""


@dataclass(frozen=True, slots=True)
class McpttInfo:
    """An mcptt-info document; what it does not say is empty or None."""

    session_type: str = ""
    """One of SESSION_TYPES."""
    request_uri: str = ""
    """The group's or the called user's identity."""
    calling_user: str = ""
    called_user: str = ""
    calling_group: str = ""
    client: str = ""
    """The terminal: a urn:uuid."""
    emergency: bool | None = None
    alert: bool | None = None
    imminent_peril: bool | None = None
    broadcast: bool | None = None
    listening: Listening | None = None
    """In an ambient listening call."""

    def __bytes__(self) -> bytes:
        """The document. Raises McpttLocalError for an unknown session type or a value that no XML can hold."""
        if self.session_type and self.session_type not in SESSION_TYPES:
            raise McpttLocalError(f"session type {self.session_type!r}; it is {', '.join(SESSION_TYPES)}")
        root = Element("mcpttinfo", {"xmlns": NAMESPACE})
        params = SubElement(root, "mcptt-Params")
        for name, attribute in _TEXTS.items():
            text = getattr(self, attribute)
            if not text:
                continue
            if len(text) > MAX_TEXT or not text.isprintable():
                raise McpttLocalError(f"{name} of {len(text)} characters: {text[:40]!r}")
            if name == "session-type":
                SubElement(params, name).text = text
            else:
                _typed(params, name, _INNER.get(name, "mcpttURI"), text)
        for name, attribute in _FLAGS.items():
            flag = getattr(self, attribute)
            if flag is not None:
                _typed(params, name, "mcpttBoolean", "true" if flag else "false")
        if self.listening is not None:
            SubElement(SubElement(params, _EXTENSION), _AMBIENT_TYPE).text = self.listening
        return safe_xml.write(root)


def _typed(parent: Element, name: str, inner: str, text: str) -> None:
    SubElement(SubElement(parent, name, {"type": "Normal"}), inner).text = text


def read_info(octets: bytes) -> McpttInfo:
    """Read a document. Raises McpttError where it is no mcptt-info, or a value in it can't be."""
    said = params_in(octets, "mcptt")
    found: dict[str, Any] = {attribute: said[name] for name, attribute in _TEXTS.items() if name in said}
    for name, attribute in _FLAGS.items():
        if name in said:
            if said[name].lower() not in _BOOLEANS:
                raise McpttError(f"{name} is {said[name][:20]!r}, not true or false")
            found[attribute] = _BOOLEANS[said[name].lower()]
    if _AMBIENT_TYPE in said:
        try:
            found["listening"] = Listening(said[_AMBIENT_TYPE])
        except ValueError:
            raise McpttError(f"{_AMBIENT_TYPE} is {said[_AMBIENT_TYPE][:20]!r}, not {', '.join(Listening)}") from None
    return McpttInfo(**found)


def params_in(octets: bytes, service: str) -> dict[str, str]:
    """The parameters in a service's info document, by element: the first of each, those of later releases too.

    ``service``: ``mcptt`` or ``mcdata``. Raises McpttError where it is another document, or a value is too long.
    """
    root = safe_xml.parse(octets, McpttError)
    if safe_xml.local(root) != f"{service}info":
        raise McpttError(f"the root is {safe_xml.local(root)!r}, not {service}info")
    params = next((child for child in root if safe_xml.local(child) == f"{service}-Params"), None)
    if params is None:
        raise McpttError(f"no {service}-Params in {service}info")
    found: dict[str, str] = {}
    for child in params:
        for each in child if safe_xml.local(child) == _EXTENSION else (child,):
            name, text = safe_xml.local(each), "".join(each.itertext()).strip()
            if len(text) > MAX_TEXT:
                raise McpttError(f"{name} of {len(text)} characters; {MAX_TEXT} are read")
            found.setdefault(name, text)
    return found


_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class FloorTerms:
    """What one side says of the floor in its session description."""

    port: int
    """Where it takes floor control, UDP."""
    queueing: bool = False
    """mc_queueing: its requests may wait."""
    priority: int | None = None
    """mc_priority, 0-255: the highest that it may ask for."""
    granted: bool = False
    """mc_granted: in an offer, that it can take a floor granted with the call; in an answer, that it was."""
    implicit_request: bool = False
    """mc_implicit_request: setting up the call asks for the floor."""

    def media(self) -> Media:
        """The floor's stream. Raises McpttLocalError where a value is out of range."""
        if not 0 < self.port <= 0xFFFF:
            raise McpttLocalError(f"a floor port must be 1-65535, not {self.port}")
        said = ["mc_queueing"] if self.queueing else []
        if self.priority is not None:
            if self.priority not in PRIORITIES:
                raise McpttLocalError(f"mc_priority must be 0-255, not {self.priority}")
            said.append(f"mc_priority={self.priority}")
        said += ["mc_granted"] if self.granted else []
        said += ["mc_implicit_request"] if self.implicit_request else []
        attributes = [("fmtp", f"{FLOOR_FORMAT} {';'.join(said)}")] if said else []
        return Media("application", self.port, "udp", [FLOOR_FORMAT], attributes=attributes)


def read_floor(media: Media) -> FloorTerms | None:
    """What a stream says of the floor; None where it is no floor, or is refused. Raises McpttError."""
    if media.kind != "application" or FLOOR_FORMAT not in media.formats or media.port == 0:
        return None
    said: dict[str, str] = {}
    for name, value in media.attributes:
        form, _, parameters = value.partition(" ")
        if name == "fmtp" and form == FLOOR_FORMAT:
            for parameter in parameters.split(";"):
                key, _, text = parameter.strip().partition("=")
                said.setdefault(key.lower(), text.strip())
    priority = said.get("mc_priority")
    if priority is not None and not (
        priority.isascii() and priority.isdigit() and len(priority) <= 3 and int(priority) in PRIORITIES
    ):
        raise McpttError(f"mc_priority={priority[:20]}; it is 0-255")
    return FloorTerms(
        media.port,
        queueing="mc_queueing" in said,
        priority=None if priority is None else int(priority),
        granted="mc_granted" in said,
        implicit_request="mc_implicit_request" in said,
    )
