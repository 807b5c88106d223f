"""Message bodies (RFC 3261 §7.4, RFC 5621): the parts of a multipart body, found and written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip.grammar import CONTROL, LWS_FOLD, TOKEN, unquote
from harness.protocols.sip.headers import parse_params
from harness.protocols.sip.message import Message

SDP: Final = "application/sdp"
SIPFRAG: Final = "message/sipfrag"
MAX_PARTS: Final = 32
"""Parts of one body, those of multiparts within it included."""
MAX_DEPTH: Final = 4
"""Multiparts within multiparts."""
_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{1,70}")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a body, or a whole body that has no parts."""

    content_type: str
    """Media type, lower case, without parameters."""
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
    content_type = message.get("content-type") or ""
    return _opened(content_type, message.body, {}, 0, MAX_PARTS)


def find(message: Message, content_type: str) -> bytes | None:
    """The body, or its first part, of a media type (lower case); None where there is none. Raises SipRemoteError."""
    if message.content_type == content_type:
        return message.body or None
    if not message.content_type.startswith("multipart/"):
        return None
    return next((part.body for part in parts_of(message) if part.content_type == content_type), None)


def _opened(content_type: str, body: bytes, headers: dict[str, str], depth: int, left: int) -> list[Part]:
    media_type, _, params = content_type.partition(";")
    media_type = media_type.strip().lower()
    if not media_type.startswith("multipart/"):
        return [Part(media_type, body, headers)]
    if depth >= MAX_DEPTH:
        raise SipRemoteError(f"multiparts nested more than {MAX_DEPTH} deep")
    boundary = unquote(parse_params(params).get("boundary") or "")
    if _BOUNDARY.fullmatch(boundary) is None:
        raise SipRemoteError(f"a multipart body with no usable boundary: {boundary[:40]!r}")
    found: list[Part] = []
    for chunk in _cut(body, boundary.encode()):
        part_headers, content = _part(chunk)
        inner_type = part_headers.get("content-type", "text/plain")
        found += _opened(inner_type, content, part_headers, depth + 1, left - len(found))
        if len(found) > left:
            raise SipRemoteError(f"a body of more than {MAX_PARTS} parts")
    return found


def _cut(body: bytes, boundary: bytes) -> list[bytes]:
    """What is between the delimiter lines (RFC 2046 §5.1.1); what is before the first and after the last is dropped."""
    delimiter = b"\r\n--" + boundary
    pieces = (b"\r\n" + body).split(delimiter, MAX_PARTS + 2)
    chunks: list[bytes] = []
    for piece in pieces[1:]:
        if piece.startswith(b"--"):
            return chunks
        line_end = piece.find(b"\r\n")
        if line_end < 0 or piece[:line_end].strip(b" \t"):
            raise SipRemoteError("a multipart delimiter that is not alone on its line")
        chunks.append(piece[line_end:])
    raise SipRemoteError("a multipart body that does not end")


def _part(chunk: bytes) -> tuple[dict[str, str], bytes]:
    """A part's headers and content; the chunk begins with the delimiter's line end."""
    head, separator, content = chunk.partition(b"\r\n\r\n")
    if not separator:
        raise SipRemoteError("a part without the empty line after its headers")
    text = LWS_FOLD.sub(" ", head.decode("utf-8", "surrogateescape"))
    headers: dict[str, str] = {}
    for line in text.split("\r\n")[1:]:
        name, colon, value = line.partition(":")
        if not colon or TOKEN.fullmatch(name.strip()) is None:
            raise SipRemoteError(f"a part's header line that can't be read: {line[:40]!r}")
        headers.setdefault(name.strip().lower(), value.strip())
    return headers, content


def multipart(parts: list[Part], boundary: str) -> tuple[bytes, str]:
    """Write a `multipart/mixed` body; returns it and its Content-Type.

    `boundary` must not occur in any part. Raises SipLocalError on one that does, or can't be a boundary, and on a
    header that would break out of its line.
    """
    if _BOUNDARY.fullmatch(boundary) is None or boundary.endswith(" "):
        raise SipLocalError(f"not a multipart boundary: {boundary!r}")
    written = bytearray()
    for part in parts:
        if boundary.encode() in part.body:
            raise SipLocalError(f"the boundary {boundary!r} occurs in a part")
        fields = {"content-type": part.content_type, **part.headers}
        written += f"--{boundary}\r\n".encode()
        for name, value in fields.items():
            if TOKEN.fullmatch(name) is None or CONTROL.search(value):
                raise SipLocalError(f"not a part's header: {name!r}: {value[:40]!r}")
            written += f"{name.title()}: {value}\r\n".replace("Content-Id:", "Content-ID:").encode()
        written += b"\r\n" + part.body + b"\r\n"
    written += f"--{boundary}--\r\n".encode()
    return bytes(written), f'multipart/mixed;boundary="{boundary}"'
