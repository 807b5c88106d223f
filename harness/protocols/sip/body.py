"""Message bodies (RFC 3261 §7.4, RFC 5621): the parts of a multipart body (RFC 2046 §5.1), found and written.

Theory. A boundary line stands before each part and, with two dashes more, after the last. The line break before a
boundary belongs to the boundary, so any octets can be a part as long as the boundary is not among them. A part that has
a Content-ID can be pointed at by a `cid:` URI: that is how a location or an eCall MSD stands beside the SDP.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip.grammar import CONTROL, LWS_FOLD, MAX_MESSAGE, TOKEN, unquote
from harness.protocols.sip.headers import parse_params
from harness.protocols.sip.message import Message

SDP: Final = "application/sdp"
SIPFRAG: Final = "message/sipfrag"
MAX_PARTS: Final = 32
"""Parts of one body, those of multiparts within it included."""
MAX_DEPTH: Final = 4
"""Multiparts within multiparts."""
MAX_HEAD: Final = 4_096
"""Octets of one part's headers."""
_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
# But for the halves that stand for octets that were not UTF-8 when they came.
_HALF_PAIR: Final = re.compile("[\ud800-\udc7f\udd00-\udfff]")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a body, or a whole body that has no parts."""

    content_type: str
    """Media type, lower case, without parameters; those, and how it was written, are in `headers`."""
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    """The part's header fields by lower-case name; empty for a whole body."""

    @property
    def content_id(self) -> str:
        """The Content-ID without angle brackets, as a `cid:` URI names it (RFC 2392); empty where there is none."""
        return self.headers.get("content-id", "").strip().removeprefix("<").removesuffix(">")

    @property
    def is_optional(self) -> bool:
        """Whether a receiver that can't read it is to leave it (`handling=optional`, RFC 3261 §20.11)."""
        disposition = self.headers.get("content-disposition", "")
        return "handling=optional" in disposition.replace(" ", "").lower()


def parts_of(message: Message) -> list[Part]:
    """The parts of a message's body, multiparts opened; raises SipRemoteError where a multipart can't be read."""
    if not message.body:
        return []
    return opened(message.get("content-type") or "", message.body)


def find(message: Message, content_type: str) -> bytes | None:
    """The body, or its first part, of a media type (lower case); None where there is none. Raises SipRemoteError."""
    if message.content_type == content_type:
        return message.body or None
    if not message.content_type.startswith("multipart/"):
        return None
    return next((part.body for part in parts_of(message) if part.content_type == content_type), None)


def opened(content_type: str, body: bytes) -> list[Part]:
    """The parts of a body of a Content-Type, multiparts opened. Raises SipRemoteError where one can't be read."""
    return _opened(content_type, body, {}, 0, MAX_PARTS)


def by_content_id(parts: Iterable[Part], content_id: str) -> Part | None:
    """The part that a `cid:` URI points at; None where there is none."""
    return next((part for part in parts if part.content_id == content_id), None)


def _opened(content_type: str, body: bytes, headers: dict[str, str], depth: int, left: int) -> list[Part]:
    media_type, _, params = content_type.partition(";")
    media_type = media_type.strip().lower()
    if not media_type.startswith("multipart/"):
        return [Part(media_type, body, headers)]
    if depth >= MAX_DEPTH:
        raise SipRemoteError(f"multiparts nested more than {MAX_DEPTH} deep")
    boundary = unquote(parse_params(params).get("boundary") or "")
    if _BOUNDARY.fullmatch(boundary) is None:
        raise SipRemoteError(f"a multipart with boundary {boundary[:40]!r}; 1 to 70 characters of RFC 2046 are due")
    found: list[Part] = []
    for chunk in _cut(body, boundary.encode()):
        part_headers, content = _part(chunk)
        inner_type = part_headers.get("content-type", "text/plain")
        found += _opened(inner_type, content, part_headers, depth + 1, left - len(found))
        if len(found) > left:
            raise SipRemoteError(f"a body of more than {MAX_PARTS} parts")
    return found


def _cut(body: bytes, boundary: bytes) -> list[bytes]:
    """What is between the delimiter lines; what is before the first and after the last is dropped.

    A line that goes on after the boundary is none: it belongs to a multipart within, whose boundary begins alike.
    """
    delimiters = re.compile(rb"(?:\A|\r\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r\n|\Z)")
    found = delimiters.search(body)
    if found is None:
        raise SipRemoteError("a multipart body in which its boundary does not stand")
    chunks: list[bytes] = []
    while found[1] is None:
        # The line break that ends a delimiter may begin the next one: a part of nothing.
        following = delimiters.search(body, found.end())
        if following is None:
            raise SipRemoteError("a multipart body that does not end: no boundary after its last part")
        if len(chunks) >= MAX_PARTS:
            raise SipRemoteError(f"a body of more than {MAX_PARTS} parts")
        chunks.append(body[found.end() + 2 : following.start()])
        found = following
    return chunks


def _part(chunk: bytes) -> tuple[dict[str, str], bytes]:
    """A part's headers and content. One without an empty line is all headers; one that begins with it has none."""
    if chunk.startswith(b"\r\n"):
        return {}, chunk[2:]
    head, _, content = chunk.partition(b"\r\n\r\n")
    if len(head) > MAX_HEAD:
        raise SipRemoteError(f"a part's headers of {len(head)} octets; {MAX_HEAD} are read at most")
    headers: dict[str, str] = {}
    text = LWS_FOLD.sub(" ", head.removesuffix(b"\r\n").decode("utf-8", "surrogateescape"))
    for line in text.split("\r\n") if text else ():
        name, colon, value = line.partition(":")
        if not colon or TOKEN.fullmatch(name.strip()) is None:
            raise SipRemoteError(f"a part's header line that is no name: value: {line[:40]!r}")
        headers.setdefault(name.strip().lower(), value.strip())
    return headers, content


def multipart(parts: Sequence[Part], boundary: str = "") -> tuple[bytes, str]:
    """Write a `multipart/mixed` body; returns it and its Content-Type.

    `boundary` must not occur in any part; left out, it follows from the parts, so that the same give the same octets.
    Raises SipLocalError on one that does, or can't be a boundary, on a header that would break out of its line, on no
    part, and beyond the bounds.
    """
    if not 1 <= len(parts) <= MAX_PARTS:
        raise SipLocalError(f"{len(parts)} parts; 1 to {MAX_PARTS} are due")
    boundary = boundary or _new_boundary(parts)
    if _BOUNDARY.fullmatch(boundary) is None:
        raise SipLocalError(f"not a multipart boundary: {boundary!r}")
    written = bytearray()
    for part in parts:
        if boundary.encode() in part.body:
            raise SipLocalError(f"the boundary {boundary!r} occurs in a part")
        fields = {"content-type": part.content_type, **part.headers}
        written += f"--{boundary}\r\n".encode()
        for name, value in fields.items():
            if TOKEN.fullmatch(name) is None or CONTROL.search(value) or _HALF_PAIR.search(value):
                raise SipLocalError(f"not a part's header: {name!r}: {value[:40]!r}")
            line = f"{name.title()}: {value}\r\n".replace("Content-Id:", "Content-ID:")
            written += line.encode("utf-8", "surrogateescape")
        written += b"\r\n" + part.body + b"\r\n"
    written += f"--{boundary}--\r\n".encode()
    if len(written) > MAX_MESSAGE:
        raise SipLocalError(f"a body of {len(written)} octets; a message has {MAX_MESSAGE} at most")
    return bytes(written), f'multipart/mixed;boundary="{boundary}"'


def _new_boundary(parts: Sequence[Part]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.body)
    while any((boundary := digest.hexdigest()[:32]).encode() in part.body for part in parts):
        digest.update(b"again")
    return boundary
