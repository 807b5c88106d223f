"""Bytes to a SIP message (RFC 3261 §7, §18.3): one datagram, or one message that was cut off a stream.

What can't be held safely (NULs, bare CR or LF, more or longer lines than the bounds, a body shorter than it says) is
refused; the rest is let through as it came. Nearly every message has known names only, each once, and no folded line:
that one is read in a few passes in C. All others take the careful way.
"""

from __future__ import annotations

import re
from itertools import repeat

from harness.errors import SipRemoteError
from harness.protocols.sip.fields import Fields, index_of
from harness.protocols.sip.grammar import (
    DIGITS,
    LWS_FOLD,
    MAX_HEADER_LINE,
    MAX_HEADERS,
    MAX_MESSAGE,
    METHODS,
    SIP_VERSION,
    TOKEN,
)
from harness.protocols.sip.headers import remember
from harness.protocols.sip.message import Request, Response
from harness.protocols.sip.names import KEYS
from harness.protocols.sip.uri import Uri

_ESCAPED = re.compile(r'"(?:[^"\\\0]|\\.)*"', re.DOTALL)
_known_request_lines: dict[str, tuple[str, str]] = {}
_known_status_lines: dict[str, tuple[int, str]] = {}
_partition = str.partition
_COLONS = repeat(":")


def parse(data: bytes) -> Request | Response:
    """Parse one datagram's message; bytes after the Content-Length are dropped (§18.3). Raises SipRemoteError."""
    if len(data) > MAX_MESSAGE:
        raise SipRemoteError(f"{len(data)} bytes; a message has at most {MAX_MESSAGE}")
    if data[:2] == b"\r\n":
        data = data.lstrip(b"\r\n")  # §7.5: empty lines before the start line are to be ignored
    head, separator, body = data.partition(b"\r\n\r\n")
    if not separator:
        raise SipRemoteError("no empty line after the headers")
    text = head.decode("utf-8", "surrogateescape")
    lines = text.splitlines()
    # Where every line break is CR LF, the breaks have two characters each.
    if len(text) - len("".join(lines)) != 2 * len(lines) - 2 or "\0" in text:
        lines = head_lines(text)
    start = lines[0]
    del lines[0]
    message = parse_start_line(start)
    keys = KEYS
    try:
        index = {keys[name]: value.strip() for name, colon, value in map(_partition, lines, _COLONS) if colon}
        usual = len(index) == len(lines) and len(head) <= MAX_HEADER_LINE
    except KeyError:
        usual = False
    if not usual:
        return _parse_with_care(message, text, body)
    message._index = index
    length = index.pop("content-length", None)
    if length is None:
        message.body = body
        message._head = text[len(start) + 2 :] + "\r\n" if lines else ""
        return message
    if length.isdecimal() and len(length) <= 5 and length.isascii() and int(length) <= len(body):
        message.body = body[: int(length)]
    else:
        message.body = body[: content_length((length,), len(body))]
    last = lines[-1]
    if last[:14] == "Content-Length":
        message._head = text[len(start) + 2 : -len(last)]
    else:
        message._head = "".join([f"{line}\r\n" for line in lines if keys[line.partition(":")[0]] != "content-length"])
    return message


def _parse_with_care(message: Request | Response, text: str, body: bytes) -> Request | Response:
    """Headers of any kind: folded, repeated, unknown, spelled oddly. Raises SipRemoteError."""
    fields: Fields = []
    for line in head_lines(text)[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise SipRemoteError(f"a header line without a colon: {line[:40]!r}")
        fields.append((name.rstrip(" \t"), value.strip()))
    index, more = index_of(fields)
    length = index.pop("content-length", None)
    if length is None:
        message.body = body
    else:
        lengths = more.pop("content-length", [length]) if more is not None else [length]
        message.body = body[: content_length(lengths, len(body))]
        fields = [field for field in fields if field[0].lower() not in ("content-length", "l")]
    message._fields, message._index, message._more = fields, index, more or None
    return message


def head_lines(text: str) -> list[str]:
    """The start line and header lines, unfolded; raises SipRemoteError on what no line may hold, or past the bounds."""
    # A NUL may stand in a quoted-string, behind a backslash (§25.1: quoted-pair).
    if "\0" in text and "\0" in _ESCAPED.sub("", text):
        raise SipRemoteError("a NUL in the headers")
    lines = text.split("\r\n")
    breaks = len(lines) - 1
    if text.count("\n") != breaks or text.count("\r") != breaks:
        raise SipRemoteError("a bare CR or LF in the headers")
    if "\r\n " in text or "\r\n\t" in text:
        if lines[1][:1] in (" ", "\t"):
            raise SipRemoteError("a start line that is folded")
        lines = LWS_FOLD.sub(" ", text).split("\r\n")
    if len(lines) > MAX_HEADERS + 1:
        raise SipRemoteError(f"more than {MAX_HEADERS} header lines")
    if len(text) > MAX_HEADER_LINE and any(len(line) > MAX_HEADER_LINE for line in lines):
        raise SipRemoteError(f"a header line longer than {MAX_HEADER_LINE} characters")
    return lines


def content_length(lengths: tuple[str, ...] | list[str], there: int) -> int:
    """The one length that all Content-Length lines give, at most `there`; raises SipRemoteError."""
    first = lengths[0]
    if DIGITS.fullmatch(first) is None or any(other != first for other in lengths):
        raise SipRemoteError(f"not one Content-Length: {', '.join(lengths)[:40]!r}")
    length = int(first)
    if length > there:
        raise SipRemoteError(f"Content-Length says {length} bytes, {there} are there")
    return length


def parse_start_line(line: str) -> Request | Response:
    """Parse a request line or status line into a message without headers; raises SipRemoteError."""
    known = _known_request_lines.get(line)
    if known is not None:
        return Request(*known, None)
    answer = _known_status_lines.get(line)
    if answer is not None:
        return Response(*answer, None)
    parts = line.split(" ")
    if len(parts) == 3 and parts[2].upper() == SIP_VERSION:
        method, uri, _ = parts
        if method not in METHODS and TOKEN.fullmatch(method) is None:
            raise SipRemoteError(f"not a request line: {line[:80]!r}")
        Uri.parse(uri)
        remember(_known_request_lines, line, (method, uri))
        return Request(method, uri, None)
    if parts[0].upper() == SIP_VERSION and len(parts) > 1:
        code = parts[1]
        if len(code) != 3 or not (code.isascii() and code.isdigit()) or not "1" <= code[0] <= "6":
            raise SipRemoteError(f"not a status line: {line[:80]!r}")
        remember(_known_status_lines, line, (int(code), line[12:]))
        return Response(int(code), line[12:], None)
    if len(parts) == 3:
        raise SipRemoteError(f"not SIP/2.0: {line[-40:]!r}")
    raise SipRemoteError(f"not a start line: {line[:80]!r}")
