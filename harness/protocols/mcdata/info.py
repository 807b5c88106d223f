"""The mcdata-info document (3GPP TS 24.282 annex D.1): what a MESSAGE of MCData is, for whom and of whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from harness.errors import McpttLocalError
from harness.protocols import safe_xml
from harness.protocols.mcptt.info import MAX_TEXT, params_in

NAMESPACE: Final = "urn:3gpp:ns:mcdataInfo:1.0"
CONTENT_TYPE: Final = "application/vnd.3gpp.mcdata-info+xml"
ICSI: Final = "urn:urn-7:3gpp-service.ims.icsi.mcdata.sds"
HEADERS: Final = (
    ("Accept-Contact", "*;+g.3gpp.mcdata.sds;require;explicit"),
    ("Accept-Contact", f'*;+g.3gpp.icsi-ref="{ICSI.replace(":", "%3A")}";require;explicit'),
    ("P-Preferred-Service", ICSI),
)
"""What every MESSAGE of short data carries."""
ONE_TO_ONE, GROUP = "one-to-one-sds", "group-sds"
_URIS: Final = {
    "mcdata-request-uri": "request_uri",
    "mcdata-calling-user-id": "calling_user",
    "mcdata-calling-group-id": "calling_group",
}


@dataclass(frozen=True, slots=True)
class McdataInfo:
    """One document; what it does not say is empty."""

    request_type: str = ""
    """ONE_TO_ONE, GROUP, or another that is not played; empty for a notification."""
    request_uri: str = ""
    """The group's, or to a terminal the user's identity."""
    calling_user: str = ""
    calling_group: str = ""

    def __bytes__(self) -> bytes:
        """The document. Raises McpttLocalError for a value that it can't hold."""
        root = Element("mcdatainfo", {"xmlns": NAMESPACE})
        params = SubElement(root, "mcdata-Params")
        if self.request_type:
            SubElement(params, "request-type").text = _fit("request-type", self.request_type)
        for name, attribute in _URIS.items():
            value = getattr(self, attribute)
            if value:
                SubElement(SubElement(params, name, {"type": "Normal"}), "mcdataURI").text = _fit(name, value)
        return safe_xml.write(root)


def _fit(name: str, value: str) -> str:
    if len(value) > MAX_TEXT or not value.isprintable():
        raise McpttLocalError(f"{name} of {len(value)} characters: {value[:40]!r}")
    return value


def read_info(octets: bytes) -> McdataInfo:
    """Read a document, elements in any order, others left. Raises McpttError where it is none."""
    said = params_in(octets, "mcdata")
    known = {"request-type": "request_type", **_URIS}
    return McdataInfo(**{attribute: said[name] for name, attribute in known.items() if name in said})
