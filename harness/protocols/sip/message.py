"""SIP requests and responses (RFC 3261 §7): header fields with a case-insensitive index, typed on demand, and bytes.

A message that was parsed keeps its header lines as they came until someone changes them; a header is found through an
index of first values, and values with structure (Via, From, CSeq…) are parsed when someone asks, and remembered.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, cast

from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip.fields import Fields, checked, checked_text, index_of, refuse_injection
from harness.protocols.sip.grammar import (
    DIGITS,
    MAX_VALUES,
    REASONS,
    SIP_VERSION,
    TOKEN,
    URI_FORBIDDEN,
    split_outside,
)
from harness.protocols.sip.headers import CSeq, NameAddr, Via, tag_of
from harness.protocols.sip.names import KEYS, key_of
from harness.protocols.sip.uri import Uri

_ONCE: Final = frozenset(("from", "to", "call-id", "cseq"))


class Envelope:
    """What takes a message to its transaction and its dialog: read at once, and asked for many times."""

    __slots__ = ("call_id", "first", "from_tag", "is_direct", "number", "to_tag", "via")

    via: Via
    """The topmost."""
    number: int
    """CSeq's."""
    call_id: str
    from_tag: str
    """Empty where there is none."""
    to_tag: str
    """Empty where there is none."""
    is_direct: bool
    """Whether there is one Via: nobody is between the sender and the receiver."""
    first: dict[str, str]
    """The first value of each header by lower-case long name."""


class Message:
    """What requests and responses have in common: header fields in their order, and a body."""

    # Class attributes stand in for what an instance has not set: making a message is the busiest act of the engine.
    _head: str | None = None
    """The header lines without Content-Length, each with its line end; None once `fields` holds them."""
    _fields: Fields | None = None
    _index: dict[str, str] | None = None
    """The first value by key."""
    _more: dict[str, list[str]] | None = None
    """All values of the keys that stand on more than one line; None where there is none."""
    _via: Via | None = None
    _cseq: CSeq | None = None
    _from_tag: str | None = None
    _to_tag: str | None = None
    _typed: dict[str, object] | None = None

    def __init__(self, fields: Fields, body: bytes = b"") -> None:
        self._fields = fields
        self.body = body

    # Reading

    @property
    def fields(self) -> Fields:
        """(name, value) in the order of the message, names as written, without Content-Length, which the body gives.

        Change them with add, set and remove; whoever changes the list itself calls `refresh`.
        """
        found = self._fields
        if found is None:
            parted = [line.partition(":") for line in (self._head or "").split("\r\n")[:-1]]
            found = self._fields = [(name, value.strip()) for name, _, value in parted]
            self._head = None
        return found

    def _indexed(self) -> dict[str, str]:
        index = self._index
        if index is None:
            index, self._more = index_of(self.fields)
            self._index = index
        return index

    def get(self, name: str) -> str | None:
        """The first line's value of a header, by any spelling; None where it is not there."""
        index = self._index
        if index is None:
            index = self._indexed()
        return index.get(KEYS.get(name) or key_of(name))

    def lines(self, name: str) -> list[str]:
        """All lines of a header, uncut."""
        key = KEYS.get(name) or key_of(name)
        first = self._indexed().get(key)
        if first is None:
            return []
        more = self._more
        return list(more[key]) if more is not None and key in more else [first]

    def values(self, name: str) -> list[str]:
        """All values of a header that may be a comma-separated list, over all its lines; raises SipRemoteError."""
        found: list[str] = []
        for line in self.lines(name):
            parts = split_outside(line, ",", MAX_VALUES)
            if parts is None or len(found) + len(parts) > MAX_VALUES:
                raise SipRemoteError(f"a {name} header that can't be split into values")
            found += [part.strip() for part in parts if part.strip()]
        return found

    def has_any(self, keys: frozenset[str]) -> bool:
        """Whether any of these headers, by lower-case long name, is there."""
        index = self._index
        return not keys.isdisjoint(self._indexed() if index is None else index)

    def options(self, name: str) -> frozenset[str]:
        """The option tags of Supported, Require and the like, lower case; raises SipRemoteError."""
        return frozenset(value.lower() for value in self.values(name)) if self.get(name) else frozenset()

    def _one(self, key: str) -> str:
        value = self._indexed().get(key)
        if value is None:
            raise SipRemoteError(f"no {key.title()} header")
        return value

    @property
    def via(self) -> Via:
        """The topmost Via; raises SipRemoteError where there is none or it can't be read."""
        found = self._via
        if found is None:
            line = self._one("via")
            found = self._via = Via.parse(line) if "," not in line else first_via(line)
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

    envelope: Envelope
    """Set by `check`."""

    def check(self) -> Envelope:
        """The envelope, read. Raises SipRemoteError unless what every message must carry is there once (§8.1.1, §20.1).

        Max-Forwards is not asked for: a UAS does without (§16.3 wants it of proxies only).
        """
        index = self._index
        if index is None:
            index = self._indexed()
        envelope = self.envelope = Envelope()
        envelope.first = index
        try:
            line, sender, target, sequence = index["via"], index["from"], index["to"], index["cseq"]
            envelope.call_id = index["call-id"]
        except KeyError as missing:
            raise SipRemoteError(f"no {str(missing.args[0]).title()} header") from None
        more = self._more
        if more is not None and not _ONCE.isdisjoint(more):
            raise SipRemoteError("more than one From, To, Call-ID or CSeq header")
        if "," in line:
            envelope.via = self._via = first_via(line)
            envelope.is_direct = False
        else:
            envelope.via = self._via = Via.parse(line)
            envelope.is_direct = more is None or "via" not in more
        self._cseq = cseq = CSeq.parse(sequence)
        envelope.number = cseq[0]
        self._from_tag = envelope.from_tag = tag_of(sender)
        self._to_tag = envelope.to_tag = tag_of(target)
        return envelope

    # Writing

    def add(self, name: str, value: str) -> None:
        """Append one header line; raises SipLocalError where one would break out of its line.

        Content-Length is refused: the body gives it. (To send a wrong one, send bytes.)
        """
        refuse_injection(name, value)
        self.fields.append((name, value))
        self.refresh()

    def set(self, name: str, value: str) -> None:
        """Put one header line in the place of the first of its name and drop the others, or append it."""
        refuse_injection(name, value)
        key = KEYS.get(name) or key_of(name)
        fields: Fields = []
        placed = False
        for field in self.fields:
            if (KEYS.get(field[0]) or key_of(field[0])) == key:
                if placed:
                    continue
                placed = True
                field = (name, value)  # noqa: PLW2901
            fields.append(field)
        if not placed:
            fields.append((name, value))
        self._fields = fields
        self.refresh()

    def remove(self, name: str) -> None:
        """Drop all lines of a header."""
        key = KEYS.get(name) or key_of(name)
        self._fields = [field for field in self.fields if (KEYS.get(field[0]) or key_of(field[0])) != key]
        self.refresh()

    def set_top_via(self, via: Via) -> None:
        """Write back a changed topmost Via (received, rport), the other values of its line untouched."""
        for at, (name, value) in enumerate(self.fields):
            if (KEYS.get(name) or key_of(name)) == "via":
                rest = (split_outside(value, ",", MAX_VALUES) or [value])[1:] if "," in value else ()
                line = ",".join((str(via), *rest))
                self.fields[at] = (name, line)
                self._indexed()["via"] = line
                if self._more is not None and "via" in self._more:
                    self._more["via"][0] = line
                break
        self._via = via

    def refresh(self) -> None:
        """Forget what was read of the fields; for those who changed `fields` themselves."""
        self._index = self._more = self._via = self._cseq = self._from_tag = self._to_tag = self._typed = None

    @property
    def start_line(self) -> str:
        """The message's first line, without its line end."""
        raise NotImplementedError

    def __bytes__(self) -> bytes:
        """The message on the wire; Content-Length is written from the body (§20.14)."""
        fields = self._fields
        head = self._head or ""
        if fields is not None:
            head = "".join([f"{name}: {value}\r\n" for name, value in fields])
        text = f"{self.start_line}\r\n{head}Content-Length: {len(self.body)}\r\n\r\n"
        try:
            return text.encode() + self.body
        except UnicodeEncodeError:
            # Bytes that were not UTF-8 when they came go out as they came.
            return text.encode("utf-8", "surrogateescape") + self.body


class Request(Message):
    """A request: a method asked of a Request-URI."""

    def __init__(self, method: str, uri: str, fields: Fields | None, body: bytes = b"") -> None:
        self._fields = fields
        self.body = body
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
        prepared: str = "",
        body: bytes = b"",
        content_type: str = "",
    ) -> Response:
        """Answer this request (§8.2.6); Via, From, To, Call-ID, CSeq and, in dialogs, Record-Route are copied.

        `prepared`: headers that `checked_text` wrote, for those who send the same ones thousands of times.
        `to_tag` is added where To has none. Raises SipLocalError on a status out of 100…699 or a line break in a value,
        SipRemoteError where the request lacks one of these headers.
        """
        if not 100 <= status <= 699:
            raise SipLocalError(f"a status is 100…699, not {status}")
        if not (reason + content_type).isprintable():
            raise SipLocalError(f"a reason phrase or media type with a control character: {reason!r} {content_type!r}")
        index = self._index
        if index is None:
            index = self._indexed()
        more = self._more
        try:
            head = f"Via: {index['via']}\r\n"
            if more is not None and "via" in more:
                head = "".join([f"Via: {line}\r\n" for line in more["via"]])
            to = index["to"]
            if to_tag and not (self.to_tag if self._to_tag is None else self._to_tag):
                to = f"{to};tag={to_tag}"
            if 100 < status < 300 and "record-route" in index:
                head += "".join([f"Record-Route: {line}\r\n" for line in self.lines("record-route")])
            head += f"From: {index['from']}\r\nTo: {to}\r\nCall-ID: {index['call-id']}\r\nCSeq: {index['cseq']}\r\n"
        except KeyError as missing:
            raise SipRemoteError(f"no {str(missing.args[0]).title()} header") from None
        head += prepared
        if "timestamp" in index:
            head += f"Timestamp: {index['timestamp']}\r\n"
        if headers:
            head += checked_text(headers)
        if content_type:
            head += f"Content-Type: {content_type}\r\n"
        response = Response(status, reason or REASONS.get(status, "Unknown"), None, body)
        response._head = head
        response._cseq = self._cseq
        return response


class Response(Message):
    """A response: a status for the request whose Via, From, To, Call-ID and CSeq it carries."""

    def __init__(self, status: int, reason: str, fields: Fields | None, body: bytes = b"") -> None:
        self._fields = fields
        self.body = body
        self.status = status
        """100…699."""
        self.reason = reason

    @property
    def start_line(self) -> str:
        return f"{SIP_VERSION} {self.status} {self.reason}"


def first_via(line: str) -> Via:
    """The first Via of a line that holds several, all of them looked at. Raises SipRemoteError."""
    values = split_outside(line, ",", MAX_VALUES)
    if values is None:
        raise SipRemoteError(f"a Via header that can't be split into values: {line[:80]!r}")
    first, *_ = [Via.parse(value.strip()) for value in values]
    return first
