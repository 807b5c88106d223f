"""Several bodies in one SIP message: multipart/mixed (RFC 2046 section 5.1, RFC 5621), bytes to parts and back.

Theory. A boundary line stands before each part and, with two dashes more, after the last. The line break before a
boundary belongs to the boundary, so any octets can be a part as long as the boundary is not among them. A part that has
a Content-ID can be pointed at by a ``cid:`` URI: that is how a location or an eCall MSD stands beside the SDP.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from harness.errors import PidfError
from harness.protocols.location import geolocation, pidf

MAX_BODY: Final = 256 * 1024
"""Octets of one multipart body."""
MAX_PARTS: Final = 16
MAX_HEAD: Final = 4 * 1024
"""Octets of one part's header."""
MAX_BOUNDARY: Final = 70
"""Characters (RFC 2046 section 5.1.1)."""
SDP: Final = "application/sdp"
_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]", re.ASCII)
_PARAMETER: Final = re.compile(r";\s*boundary\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;\"]+))", re.ASCII | re.IGNORECASE)
_FIELD: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64})[ \t]*:[ \t]*(.*)", re.DOTALL)
_CONTENT_ID: Final = re.compile(r"[^\s<>@]{1,200}@[^\s<>@]{1,200}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Part:
    """One body of several."""

    content_type: str
    body: bytes
    content_id: str = ""
    """Without angle brackets; empty where there is none."""
    disposition: str = ""
    """Content-Disposition: ``by-reference;handling=optional`` for a location, ``render``, ``session`` …"""

    def is_type(self, content_type: str) -> bool:
        """Whether it is of a type, parameters left out."""
        return self.content_type.partition(";")[0].strip().lower() == content_type.lower()


def build(parts: Sequence[Part]) -> tuple[str, bytes]:
    """Return the Content-Type and the body; the boundary follows from the parts, so the same give the same octets.

    Raises:
        PidfError: no part, too many, or a header value with a line break.
    """
    if not 1 <= len(parts) <= MAX_PARTS:
        raise PidfError(f"{len(parts)} parts; 1 to {MAX_PARTS} are due")
    boundary = _new_boundary(parts)
    lines: list[bytes] = []
    for part in parts:
        lines += [f"--{boundary}".encode(), *(line.encode() for line in _head(part)), b"", part.body]
    body = b"\r\n".join([*lines, f"--{boundary}--".encode(), b""])
    if len(body) > MAX_BODY:
        raise PidfError(f"a body of {len(body)} octets; {MAX_BODY} is the most")
    return f'multipart/mixed;boundary="{boundary}"', body


def _new_boundary(parts: Sequence[Part]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.body)
    while any((boundary := digest.hexdigest()[:32]).encode() in part.body for part in parts):
        digest.update(b"again")
    return boundary


def _head(part: Part) -> list[str]:
    lines = [f"Content-Type: {part.content_type}"]
    if part.content_id:
        if _CONTENT_ID.fullmatch(part.content_id) is None:
            raise PidfError(f"{part.content_id[:60]!r} is no Content-ID: name@host")
        lines.append(f"Content-ID: <{part.content_id}>")
    if part.disposition:
        lines.append(f"Content-Disposition: {part.disposition}")
    if any(re.search(r"[\r\n\x00]", line) or not line.isascii() for line in lines):
        raise PidfError("a part's header with a line break or beyond ASCII")
    return lines


def parse(content_type: str, body: bytes) -> list[Part]:
    """Read a multipart body of any subtype.

    Raises:
        PidfError: no multipart, no boundary in the type or in the body, cut short, or beyond the bounds.
    """
    if not content_type.strip().lower().startswith("multipart/"):
        raise PidfError(f"Content-Type is {content_type[:40]!r} and not multipart")
    if len(body) > MAX_BODY:
        raise PidfError(f"a body of {len(body)} octets; {MAX_BODY} are read at most")
    marks = re.compile(rb"(?:\A|\r\n)--" + re.escape(_boundary(content_type).encode()) + rb"(--)?[ \t]*(?:\r\n|\Z)")
    parts: list[Part] = []
    mark = marks.search(body)
    if mark is None:
        raise PidfError("the boundary is not in the body")
    while mark[1] is None:
        # The line break that ends a boundary line may begin the next one: an empty part.
        begin = mark.end() - (2 if body[mark.end() - 2 : mark.end()] == b"\r\n" else 0)
        following = marks.search(body, begin)
        if following is None:
            raise PidfError("cut short: no boundary after the last part")
        if len(parts) >= MAX_PARTS:
            raise PidfError(f"more than {MAX_PARTS} parts")
        parts.append(_read(body[mark.end() : following.start()]))
        mark = following
    return parts


def _boundary(content_type: str) -> str:
    match = _PARAMETER.search(content_type)
    if match is None:
        raise PidfError("the multipart type has no boundary")
    boundary = re.sub(r"\\(.)", r"\1", match[1]) if match[1] is not None else match[2]
    if _BOUNDARY.fullmatch(boundary) is None:
        raise PidfError(f"boundary {boundary[:80]!r}; 1 to {MAX_BOUNDARY} characters of RFC 2046 are due")
    return boundary


def _read(octets: bytes) -> Part:
    if octets.startswith(b"\r\n"):
        head, body = b"", octets[2:]
    else:
        head, gap, body = octets.partition(b"\r\n\r\n")
        if not gap:
            head = head.removesuffix(b"\r\n")
    if len(head) > MAX_HEAD:
        raise PidfError(f"a part's header of {len(head)} octets; {MAX_HEAD} are read at most")
    fields: dict[str, str] = {}
    for line in re.sub(rb"\r\n[ \t]+", b" ", head).split(b"\r\n") if head else ():
        match = _FIELD.fullmatch(line)
        if match is None:
            raise PidfError(f"a part's header line {line[:40]!r} is no name: value")
        fields.setdefault(match[1].decode().lower(), match[2].decode("utf-8", "replace").strip())
    return Part(
        content_type=fields.get("content-type", "text/plain"),
        body=body,
        content_id=fields.get("content-id", "").removeprefix("<").removesuffix(">"),
        disposition=fields.get("content-disposition", ""),
    )


def by_content_id(parts: Sequence[Part], content_id: str) -> Part | None:
    """Return the part that a ``cid:`` URI points at, or None."""
    return next((part for part in parts if part.content_id == content_id), None)


@dataclass(frozen=True, slots=True)
class Conveyed:
    """What a request with a location by value carries (RFC 6442 section 3)."""

    content_type: str
    body: bytes
    geolocation: str
    """The value of the Geolocation header field."""


def with_location(sdp: bytes, presence: pidf.Presence, content_id: str) -> Conveyed:
    """Put a location beside a session description.

    ``content_id`` is ``name@host``, one of its own in each message. Raises PidfError for what can't be written.
    """
    location = Part(pidf.CONTENT_TYPE, pidf.build(presence), content_id, "by-reference;handling=optional")
    content_type, body = build([Part(SDP, sdp), location])
    return Conveyed(content_type, body, geolocation.cid_value(content_id))


def location_of(content_type: str, body: bytes, geolocation_value: str) -> pidf.Presence:
    """Return the location that a request's Geolocation points at within its own body.

    Raises:
        PidfError: it points elsewhere, at no part, at another type, or at what is no location.
    """
    for value in geolocation.parse(geolocation_value):
        if value.content_id is None:
            continue
        part = by_content_id(parse(content_type, body), value.content_id)
        if part is None:
            raise PidfError(f"no part has the Content-ID {value.content_id[:60]!r}")
        if not part.is_type(pidf.CONTENT_TYPE):
            raise PidfError(f"the location is {part.content_type[:60]!r} and not {pidf.CONTENT_TYPE}")
        return pidf.parse(part.body)
    raise PidfError("Geolocation has no cid: URI: the location is not in the message")
