"""XML from strangers, read safely: no document type, no entities, bounded in size, depth and elements.

defusedxml forbids what XML attacks are made of (entity expansion, external entities); the bounds here do the rest.
"""

from __future__ import annotations

from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

MAX_XML: Final = 64 * 1024
"""Octets of one document."""
MAX_DEPTH: Final = 32
MAX_ELEMENTS: Final = 2_000


class _Bounded(TreeBuilder):
    """Builds a tree and stops at its bounds."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = self._elements = 0

    def start(self, tag: Any, attrs: dict[Any, Any], /) -> Element:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise ValueError(f"deeper than {MAX_DEPTH} or more than {MAX_ELEMENTS} elements")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def parse(octets: bytes, error: type[Exception]) -> Element:
    """Return the root of a document.

    Raises ``error`` for what is no well-formed XML, has a document type or entities, or goes beyond the bounds.
    """
    if len(octets) > MAX_XML:
        raise error(f"XML of {len(octets)} octets; {MAX_XML} are read at most")
    parser = DefusedXMLParser(target=_Bounded(), forbid_dtd=True)
    try:
        parser.feed(octets)
        root = parser.close()
    except DefusedXmlException as refused:
        raise error(f"XML with a document type or entities: {type(refused).__name__}") from refused
    except ParseError as malformed:
        raise error(f"not well-formed XML: {malformed}") from malformed
    except (ValueError, LookupError) as unfit:  # beyond the bounds, or an encoding that does not exist
        raise error(f"XML that is not read: {unfit}") from unfit
    assert isinstance(root, Element)
    return root


def write(root: Element) -> bytes:
    """Return a document as UTF-8 with its XML declaration."""
    return bytes(tostring(root, encoding="UTF-8", xml_declaration=True))


def can_hold(value: str) -> bool:
    """Whether XML 1.0 has all characters of ``value`` (section 2.2)."""
    return not any((c < " " and c not in "\t\n\r") or "\ud800" <= c <= "\udfff" or c in "\ufffe\uffff" for c in value)


def local(element: Element) -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def text(element: Element | None) -> str:
    """Return an element's text, blanks at both ends left out; empty where there is no element."""
    return "" if element is None or element.text is None else element.text.strip()
