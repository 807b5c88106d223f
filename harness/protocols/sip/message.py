"""SIP requests and responses (RFC 3261 §7): bytes to a message with a case-insensitive header index, and back.

Parsing touches each header line once: it is split, its name looked up, its value kept as text. Values with structure
(Via, From, CSeq…) are parsed when someone asks, and remembered. What can't be held safely (NULs, bare CR or LF, more or
longer lines than the bounds, a body shorter than it says) is refused; the rest is let through as it came.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final, cast

from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip.grammar import (
    ANY_VERSION,
    COMPACT_FORMS,
    CONTROL,
    DIGITS,
    LWS_FOLD,
    MAX_HEADER_LINE,
    MAX_HEADERS,
    MAX_MESSAGE,
    MAX_VALUES,
    METHODS,
    REASONS,
    SIP_VERSION,
    TOKEN,
    URI_FORBIDDEN,
    split_outside,
)
from harness.protocols.sip.headers import CSeq, NameAddr, Via, tag_of
from harness.protocols.sip.uri import Uri

Fields = list[tuple[str, str]]

MANDATORY: Final = ("via", "from", "to", "call-id", "cseq")
"""RFC 3261 §8.1.1 without Max-Forwards, which a UAS does without (§16.3 asks it of proxies only)."""

_KNOWN_NAMES: Final = """
    Accept Accept-Contact Accept-Encoding Accept-Language Alert-Info Allow Allow-Events Authentication-Info
    Authorization Call-ID Call-Info Contact Content-Disposition Content-Encoding Content-Language Content-Length
    Content-Type CSeq Date Diversion Error-Info Event Expires From Geolocation Geolocation-Routing History-Info
    Identity In-Reply-To Join Max-Forwards MIME-Version Min-Expires Min-SE Organization P-Access-Network-Info
    P-Asserted-Identity P-Preferred-Identity Path Priority Privacy Proxy-Authenticate Proxy-Authorization Proxy-
    Require RAck Reason Record-Route Refer-To Referred-By Replaces Reply-To Require Resource-Priority Retry-
    After Route RSeq Server Service-Route Session-Expires SIP-ETag SIP-If-Match Subject Subscription-State
    Supported Timestamp To Unsupported User-Agent User-to-User Via Warning WWW-Authenticate
"""
# Names as they are mostly written, so that the lookup costs no lower(); any other name goes through _key().
_KEYS: Final[dict[str, str]] = {
    **{name: name.lower() for name in _KNOWN_NAMES.split()},
    **{name.lower(): name.lower() for name in _KNOWN_NAMES.split()},
    **COMPACT_FORMS,
    **{name.upper(): long for name, long in COMPACT_FORMS.items()},
}


def _key(name: str) -> str:
    """The index key of a header name that is not among the known spellings; raises SipRemoteError."""
    # Blanks before the colon are allowed (§7.3.1); blanks elsewhere are not part of a token.
    bare = name.rstrip(" \t")
    if TOKEN.fullmatch(bare) is None:
        raise SipRemoteError(f"not a header name: {name[:40]!r}")
    lower = bare.lower()
    return COMPACT_FORMS.get(lower, lower)


class Message:
    """What requests and responses have in common: header fields in their order, and a body."""

    __slots__ = ("_cseq", "_from_tag", "_index", "_to_tag", "_typed", "_via", "body", "fields")

    def __init__(self, fields: Fields, body: bytes = b"") -> None:
        self.fields: Fields = fields
        """(name, value) in the order of the message, names as written, without Content-Length, which the body gives.

        Change them with add, set and remove.
        """
        self.body = body
        self._index: dict[str, list[str]] | None = None
        # What every message's handling reads has a slot of its own; the rest is in _typed, made when first needed.
        self._via: Via | None = None
        self._cseq: CSeq | None = None
        self._from_tag: str | None = None
        self._to_tag: str | None = None
        self._typed: dict[str, object] | None = None

    # Reading

    def _indexed(self) -> dict[str, list[str]]:
        index = self._index
        if index is None:
            index = {}
            keys = _KEYS
            for name, value in self.fields:
                key = keys.get(name) or _key(name)
                if key in index:
                    index[key].append(value)
                else:
                    index[key] = [value]
            self._index = index
        return index

    def get(self, name: str) -> str | None:
        """The first line's value of a header, by any spelling; None where it is not there."""
        lines = self._indexed().get(_KEYS.get(name) or _key(name))
        return lines[0] if lines else None

    def lines(self, name: str) -> list[str]:
        """All lines of a header, uncut."""
        return list(self._indexed().get(_KEYS.get(name) or _key(name), ()))

    def values(self, name: str) -> list[str]:
        """All values of a header that may be a comma-separated list, over all its lines; raises SipRemoteError."""
        found: list[str] = []
        for line in self._indexed().get(_KEYS.get(name) or _key(name), ()):
            parts = split_outside(line, ",", MAX_VALUES)
            if parts is None or len(found) + len(parts) > MAX_VALUES:
                raise SipRemoteError(f"a {name} header that can't be split into values")
            found += [part.strip() for part in parts if part.strip()]
        return found

    def _one(self, key: str) -> str:
        lines = self._indexed().get(key)
        if not lines:
            raise SipRemoteError(f"no {key.title()} header")
        return lines[0]

    @property
    def via(self) -> Via:
        """The topmost Via; raises SipRemoteError where there is none or it can't be read."""
        found = self._via
        if found is None:
            line = self._one("via")
            if "," in line:
                line = (split_outside(line, ",", MAX_VALUES) or [line])[0]
            found = self._via = Via.parse(line)
        return found

    @property
    def cseq(self) -> CSeq:
        """The CSeq; raises SipRemoteError."""
        found = self._cseq
        if found is None:
            found = self._cseq = CSeq.parse(self._one("cseq"))
        return found

    def _name_addr(self, key: str) -> NameAddr:
        if self._typed is None:
            self._typed = {}
        found = self._typed.get(key)
        if found is None:
            found = self._typed[key] = NameAddr.parse(self._one(key))
        return cast(NameAddr, found)

    @property
    def from_(self) -> NameAddr:
        """The From header; raises SipRemoteError."""
        return self._name_addr("from")

    @property
    def to(self) -> NameAddr:
        """The To header; raises SipRemoteError."""
        return self._name_addr("to")

    @property
    def from_tag(self) -> str:
        """The tag of From; empty where there is none."""
        found = self._from_tag
        if found is None:
            found = self._from_tag = tag_of(self._one("from"))
        return found

    @property
    def to_tag(self) -> str:
        """The tag of To; empty where there is none."""
        found = self._to_tag
        if found is None:
            found = self._to_tag = tag_of(self._one("to"))
        return found

    @property
    def call_id(self) -> str:
        """The Call-ID; raises SipRemoteError where there is none."""
        index = self._index
        if index is not None and "call-id" in index:
            return index["call-id"][0]
        return self._one("call-id")

    @property
    def contact(self) -> NameAddr | None:
        """The first Contact that is a URI; None where there is none (or it is `*`)."""
        values = self.values("contact") if self.get("contact") else []
        return NameAddr.parse(values[0]) if values and values[0] != "*" else None

    def name_addrs(self, name: str) -> list[NameAddr]:
        """All values of a header of the name-addr family, parsed; raises SipRemoteError."""
        return [NameAddr.parse(value) for value in self.values(name)]

    def number(self, name: str) -> int | None:
        """The value of a header that is a whole number (Expires, Max-Forwards…), parameters cut.

        Raises SipRemoteError on anything else.
        """
        value = self.get(name)
        if value is None:
            return None
        digits = value.partition(";")[0].partition("(")[0].strip()
        if DIGITS.fullmatch(digits) is None:
            raise SipRemoteError(f"{name} is not a number: {value[:40]!r}")
        return int(digits)

    @property
    def content_type(self) -> str:
        """The media type of the body, lower case and without parameters; empty where there is none."""
        return (self.get("content-type") or "").partition(";")[0].strip().lower()

    def check(self) -> None:
        """Raise SipRemoteError unless what every message must carry is there once and can be read (§8.1.1, §20.1)."""
        index = self._indexed()
        try:
            vias, senders, targets = index["via"], index["from"], index["to"]
            once = len(senders) + len(targets) + len(index["call-id"]) + len(index["cseq"])
        except KeyError as missing:
            raise SipRemoteError(f"no {str(missing.args[0]).title()} header") from None
        if once != 4:
            raise SipRemoteError("more than one From, To, Call-ID or CSeq header")
        line = vias[0]
        if self._via is None:
            self._via = Via.parse(line) if "," not in line else self.via
        self._cseq = CSeq.parse(index["cseq"][0])
        self._from_tag = tag_of(senders[0])
        self._to_tag = tag_of(targets[0])

    # Writing

    def add(self, name: str, value: str) -> None:
        """Append one header line; raises SipLocalError where one would break out of its line.

        Content-Length is refused: the body gives it. (To send a wrong one, send bytes.)
        """
        _refuse_injection(name, value)
        self.fields.append((name, value))
        self.refresh()

    def set(self, name: str, value: str) -> None:
        """Put one header line in the place of the first of its name and drop the others, or append it."""
        _refuse_injection(name, value)
        key = _KEYS.get(name) or _key(name)
        fields: Fields = []
        placed = False
        for field in self.fields:
            if (_KEYS.get(field[0]) or _key(field[0])) == key:
                if placed:
                    continue
                placed = True
                field = (name, value)  # noqa: PLW2901
            fields.append(field)
        if not placed:
            fields.append((name, value))
        self.fields = fields
        self.refresh()

    def remove(self, name: str) -> None:
        """Drop all lines of a header."""
        key = _KEYS.get(name) or _key(name)
        self.fields = [field for field in self.fields if (_KEYS.get(field[0]) or _key(field[0])) != key]
        self.refresh()

    def set_top_via(self, via: Via) -> None:
        """Write back a changed topmost Via (received, rport), the other values of its line untouched."""
        for at, (name, value) in enumerate(self.fields):
            if (_KEYS.get(name) or _key(name)) == "via":
                rest = (split_outside(value, ",", MAX_VALUES) or [value])[1:] if "," in value else ()
                line = ",".join((str(via), *rest))
                self.fields[at] = (name, line)
                self._indexed()["via"][0] = line
                break
        self._via = via

    def refresh(self) -> None:
        """Forget what was read of the fields; for those who changed `fields` themselves."""
        self._index = self._via = self._cseq = self._from_tag = self._to_tag = self._typed = None

    @property
    def start_line(self) -> str:
        """The message's first line, without its line end."""
        raise NotImplementedError

    def __bytes__(self) -> bytes:
        """The message on the wire; Content-Length is written from the body (§20.14)."""
        head = "".join([f"{name}: {value}\r\n" for name, value in self.fields])
        text = f"{self.start_line}\r\n{head}Content-Length: {len(self.body)}\r\n\r\n"
        try:
            return text.encode() + self.body
        except UnicodeEncodeError:
            # Bytes that were not UTF-8 when they came go out as they came.
            return text.encode("utf-8", "surrogateescape") + self.body


class Request(Message):
    """A request: a method asked of a Request-URI."""

    __slots__ = ("method", "uri_text")

    def __init__(self, method: str, uri: str, fields: Fields, body: bytes = b"") -> None:
        self.fields = fields
        self.body = body
        self._index = self._via = self._cseq = self._from_tag = self._to_tag = self._typed = None
        self.method = method
        """A token, case kept: methods are case-sensitive (§7.1)."""
        self.uri_text = uri
        """The Request-URI as written."""

    @classmethod
    def build(
        cls, method: str, uri: str, headers: Iterable[tuple[str, str]], body: bytes = b"", content_type: str = ""
    ) -> Request:
        """Make a request of our own; raises SipLocalError where a value would break out of its line."""
        if TOKEN.fullmatch(method) is None:
            raise SipLocalError(f"not a method: {method!r}")
        if URI_FORBIDDEN.search(uri) or ":" not in uri:
            raise SipLocalError(f"not a Request-URI: {uri!r}")
        fields = checked(headers)
        if content_type:
            fields += checked([("Content-Type", content_type)])
        return cls(method, uri, fields, body)

    @property
    def uri(self) -> Uri:
        """The Request-URI, parsed; raises SipRemoteError."""
        if self._typed is None:
            self._typed = {}
        found = self._typed.get("uri")
        if found is None:
            found = self._typed["uri"] = Uri.parse(self.uri_text)
        return cast(Uri, found)

    @property
    def start_line(self) -> str:
        return f"{self.method} {self.uri_text} {SIP_VERSION}"

    def response(
        self,
        status: int,
        reason: str = "",
        *,
        to_tag: str = "",
        headers: Iterable[tuple[str, str]] = (),
        prepared: Fields | None = None,
        body: bytes = b"",
        content_type: str = "",
    ) -> Response:
        """Answer this request (§8.2.6); Via, From, To, Call-ID, CSeq and, in dialogs, Record-Route are copied.

        `prepared`: headers that `checked` was given before, for those who send the same ones thousands of times.
        `to_tag` is added where To has none. Raises SipLocalError on a status out of 100…699 or a line break in a value,
        SipRemoteError where the request lacks one of these headers.
        """
        if not 100 <= status <= 699:
            raise SipLocalError(f"a status is 100…699, not {status}")
        if not (reason + content_type).isprintable():
            raise SipLocalError(f"a reason phrase or media type with a control character: {reason!r} {content_type!r}")
        index = self._indexed()
        try:
            fields: Fields = [("Via", line) for line in index["via"]]
            if 100 < status < 300 and "record-route" in index:
                fields += [("Record-Route", line) for line in index["record-route"]]
            to = index["to"][0]
            if to_tag and not self.to_tag:
                to = f"{to};tag={to_tag}"
            fields += (
                ("From", index["from"][0]),
                ("To", to),
                ("Call-ID", index["call-id"][0]),
                ("CSeq", index["cseq"][0]),
            )
        except KeyError as missing:
            raise SipRemoteError(f"no {str(missing.args[0]).title()} header") from None
        if "timestamp" in index:
            fields.append(("Timestamp", index["timestamp"][0]))
        if prepared is not None:
            fields += prepared
        if headers:
            fields += checked(headers)
        if content_type:
            fields.append(("Content-Type", content_type))
        response = Response(status, reason or REASONS.get(status, "Unknown"), fields, body)
        response._cseq = self._cseq
        return response


class Response(Message):
    """A response: a status for the request whose Via, From, To, Call-ID and CSeq it carries."""

    __slots__ = ("reason", "status")

    MIN_STATUS: ClassVar[int] = 100
    MAX_STATUS: ClassVar[int] = 699

    def __init__(self, status: int, reason: str, fields: Fields, body: bytes = b"") -> None:
        self.fields = fields
        self.body = body
        self._index = self._via = self._cseq = self._from_tag = self._to_tag = self._typed = None
        self.status = status
        """100…699."""
        self.reason = reason

    @property
    def start_line(self) -> str:
        return f"{SIP_VERSION} {self.status} {self.reason}"


def _refuse_injection(name: str, value: str) -> None:
    key = _KEYS.get(name)
    if key is None and TOKEN.fullmatch(name) is None:
        raise SipLocalError(f"not a header name: {name!r}")
    if key == "content-length":
        raise SipLocalError("Content-Length is written from the body")
    # Nearly every value is printable, which is quicker to see than that it has no control character.
    if not value.isprintable() and CONTROL.search(value):
        raise SipLocalError(f"a control character in the value of {name}: {value[:80]!r}")
    if len(value) > MAX_HEADER_LINE:
        raise SipLocalError(f"the value of {name} is longer than {MAX_HEADER_LINE} characters")


def checked(headers: Iterable[tuple[str, str]]) -> Fields:
    """The headers as a list; raises SipLocalError where one would break out of its line."""
    fields = list(headers)
    for name, value in fields:
        _refuse_injection(name, value)
    return fields


def parse(data: bytes) -> Request | Response:
    """Parse one datagram's message; bytes after the Content-Length are dropped (§18.3). Raises SipRemoteError."""
    if len(data) > MAX_MESSAGE:
        raise SipRemoteError(f"{len(data)} bytes; a message has at most {MAX_MESSAGE}")
    if data[:2] == b"\r\n":
        data = data.lstrip(b"\r\n")  # §7.5: empty lines before the start line are to be ignored
    head, separator, body = data.partition(b"\r\n\r\n")
    if not separator:
        raise SipRemoteError("no empty line after the headers")
    lines = _head_lines(head)
    message = parse_start_line(lines[0])
    if len(head) > MAX_HEADER_LINE and any(len(line) > MAX_HEADER_LINE for line in lines):
        raise SipRemoteError(f"a header line longer than {MAX_HEADER_LINE} characters")
    del lines[0]
    keys = _KEYS
    # Nearly every message has known names only, and each once: two comprehensions do for it.
    fields = [(name, value.strip()) for name, colon, value in [line.partition(":") for line in lines] if colon]
    try:
        index = {keys[name]: [value] for name, value in fields}
    except KeyError:
        index = {}
    if len(index) != len(lines):
        fields, index = _fields_and_index(lines)
    message._index = index
    lengths = index.pop("content-length", None)
    if lengths is None:
        message.body = body
    else:
        message.body = body[: _content_length(lengths, len(body))]
        if fields[-1][0] in ("Content-Length", "l"):
            fields.pop()
        if len(fields) != len(index):
            fields = [field for field in fields if keys.get(field[0]) != "content-length"]
    message.fields = fields
    return message


def _fields_and_index(lines: list[str]) -> tuple[Fields, dict[str, list[str]]]:
    """Header lines, names unknown and repeated included, as fields and index; raises SipRemoteError."""
    fields: Fields = []
    index: dict[str, list[str]] = {}
    keys = _KEYS
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise SipRemoteError(f"a header line without a colon: {line[:40]!r}")
        key = keys.get(name)
        if key is None:
            key = _key(name)
            name = name.rstrip(" \t")
        value = value.strip()
        if key in index:
            index[key].append(value)
        else:
            index[key] = [value]
        fields.append((name, value))
    return fields, index


def _head_lines(head: bytes) -> list[str]:
    text = head.decode("utf-8", "surrogateescape")
    if "\0" in text:
        raise SipRemoteError("a NUL in the headers")
    lines = text.split("\r\n")
    breaks = len(lines) - 1
    if text.count("\n") != breaks or text.count("\r") != breaks:
        raise SipRemoteError("a bare CR or LF in the headers")
    if "\r\n " in text or "\r\n\t" in text:
        lines = LWS_FOLD.sub(" ", text).split("\r\n")
    if len(lines) > MAX_HEADERS + 1:
        raise SipRemoteError(f"more than {MAX_HEADERS} header lines")
    return lines


def _content_length(lengths: list[str], there: int) -> int:
    first = lengths[0]
    if len(lengths) == 1 and len(first) <= 5 and first.isdecimal() and first.isascii() and int(first) <= there:
        return int(first)
    if DIGITS.fullmatch(first) is None or (len(lengths) > 1 and any(other != first for other in lengths)):
        raise SipRemoteError(f"not one Content-Length: {', '.join(lengths)[:40]!r}")
    length = int(first)
    if length > there:
        raise SipRemoteError(f"Content-Length says {length} bytes, {there} are there")
    return length


def parse_start_line(line: str) -> Request | Response:
    """Parse a request line or status line into a message without headers; raises SipRemoteError."""
    if line[:8] == "SIP/2.0 ":
        code, _, reason = line[8:].partition(" ")
        if len(code) != 3 or not (code.isascii() and code.isdigit()) or not "1" <= code[0] <= "6":
            raise SipRemoteError(f"not a status line: {line[:80]!r}")
        return Response(int(code), reason, [])
    parts = line.split(" ")
    if len(parts) != 3:
        raise SipRemoteError(f"not a start line: {line[:80]!r}")
    method, uri, version = parts
    if version != SIP_VERSION:
        raise SipRemoteError(f"not SIP/2.0: {line[-40:]!r}")
    if (method not in METHODS and TOKEN.fullmatch(method) is None) or ":" not in uri or len(line) > MAX_HEADER_LINE:
        raise SipRemoteError(f"not a request line: {line[:80]!r}")
    return Request(method, uri, [])


def salvage(data: bytes) -> tuple[int, Request] | None:
    """What can be read of a request that `parse` refused, for an error to go back by its Via (§8.2, §18.2).

    The error is 505 for another version of SIP (§21.5.6), else 400. None for responses, for ACK (never answered) and
    wherever one of the mandatory headers can't be read.
    """
    head = data[:MAX_MESSAGE].lstrip(b"\r\n").partition(b"\r\n\r\n")[0]
    text = LWS_FOLD.sub(" ", head.decode("utf-8", "replace"))
    lines = text.split("\r\n", MAX_HEADERS + 1)
    try:
        start, _, version = lines[0].rpartition(" ")
        foreign = version != SIP_VERSION and ANY_VERSION.fullmatch(version) is not None
        request = parse_start_line(f"{start} {SIP_VERSION}" if foreign else lines[0])
        if not isinstance(request, Request) or request.method == "ACK":
            return None
        for line in lines[1 : MAX_HEADERS + 1]:
            name, colon, value = line.partition(":")
            value = value.strip()
            key = _KEYS.get(name.strip())
            if colon and key in MANDATORY and len(value) <= MAX_HEADER_LINE and not CONTROL.search(value):
                request.fields.append((name.strip(), value))
        request.check()
    except SipRemoteError:
        return None
    return 505 if foreign else 400, request


def split_stream(buffer: bytes | bytearray) -> tuple[list[bytes], bytes]:
    """Cut whole messages off a byte stream by Content-Length (§18.3); returns them and the bytes left over.

    For TCP and TLS. Raises SipRemoteError where a message has no Content-Length, or grows past MAX_MESSAGE.
    """
    messages: list[bytes] = []
    rest = bytes(buffer)
    while True:
        rest = rest.lstrip(b"\r\n")  # keep-alives (RFC 5626 §3.5.1) and empty lines
        end = rest.find(b"\r\n\r\n")
        if end < 0:
            if len(rest) > MAX_MESSAGE:
                raise SipRemoteError(f"no end of headers in {len(rest)} bytes")
            return messages, rest
        lengths = [
            value.strip()
            for name, _, value in (line.partition(":") for line in _head_lines(rest[:end])[1:])
            if name.strip().lower() in ("content-length", "l")
        ]
        if not lengths:
            raise SipRemoteError("no Content-Length on a stream")
        whole = end + 4 + _content_length(lengths, MAX_MESSAGE)
        if whole > MAX_MESSAGE:
            raise SipRemoteError(f"a message of {whole} bytes; at most {MAX_MESSAGE}")
        if len(rest) < whole:
            return messages, rest
        messages.append(rest[:whole])
        rest = rest[whole:]
