"""Header values with structure (RFC 3261 §20): Via, the name-addr family and CSeq, parsed and written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

from harness.errors import SipRemoteError
from harness.protocols.sip.grammar import (
    DIGITS,
    MAX_CSEQ,
    MAX_PARAMS,
    METHODS,
    QUOTED_STRING,
    QVALUE,
    TOKEN,
    quote,
    split_outside,
    unquote,
)
from harness.protocols.sip.uri import Params, Uri, parse_hostport

MAX_KNOWN: Final = 4_096
"""Values of each kind that are kept as they were parsed: peers send the same few again and again."""
MAX_KNOWN_LENGTH: Final = 128
"""Characters of a value that is kept."""

_known_sent_by: dict[str, tuple[str, int | None]] = {}
_known_cseqs: dict[str, CSeq] = {}


_Value = TypeVar("_Value")


def remember(known: dict[str, _Value], text: str, value: _Value) -> None:
    """Keep a value that was parsed under its text, within MAX_KNOWN and MAX_KNOWN_LENGTH."""
    if len(text) <= MAX_KNOWN_LENGTH:
        if len(known) >= MAX_KNOWN:
            known.clear()
        known[text] = value


def parse_params(text: str) -> Params:
    """Parse `;name=value;flag` into lower-case names; raises SipRemoteError on unclosed quotes or too many."""
    if '"' in text:
        parts = split_outside(text, ";", MAX_PARAMS + 1)
        if parts is None:
            raise SipRemoteError(f"parameters that can't be read: {text[:80]!r}")
    else:
        parts = text.split(";", MAX_PARAMS + 1)
        if len(parts) > MAX_PARAMS + 1:
            raise SipRemoteError(f"more than {MAX_PARAMS} parameters")
    params: Params = {}
    for part in parts:
        name, equals, value = part.partition("=")
        name = name.strip().lower()
        if name:
            params[name] = value.strip() if equals else None
    return params


def write_params(params: Params) -> str:
    """The parameters as text, each with its leading semicolon."""
    return "".join(f";{name}" if value is None else f";{name}={value}" for name, value in params.items())


class Via:
    """One Via value (§20.42), with RFC 3581's `rport`."""

    __slots__ = ("_params", "_tail", "branch", "host", "port", "transport", "wants_rport")

    def __init__(self, transport: str, host: str, port: int | None, params: Params) -> None:
        self.transport = transport
        """Upper case: UDP, TCP, TLS…"""
        self.host = host
        self.port = port
        """The sent-by port; None means the transport's default."""
        self.branch = params.get("branch") or ""
        """The branch parameter; empty where there is none."""
        self.wants_rport = "rport" in params
        """Whether the answer is to go where the request came from (RFC 3581)."""
        self._params: Params | None = params
        self._tail = ""

    @classmethod
    def parse(cls, text: str) -> Via:
        """Parse one Via value; raises SipRemoteError."""
        # Nearly all look like `SIP/2.0/UDP host:port;branch=…;more`, with a host that was seen before.
        sent_by, _, tail = text[12:].partition(";")
        known = _known_sent_by.get(sent_by)
        if known is not None and text[:12] == "SIP/2.0/UDP " and tail[:7] == "branch=" and '"' not in tail:
            via = cls.__new__(cls)
            via.host, via.port = known
            via.transport, via._params, via._tail = "UDP", None, tail
            branch, more, others = tail[7:].partition(";")
            via.branch = branch.strip()
            via.wants_rport = bool(more) and "rport" in others.lower()
            return via
        return cls._parse_with_care(text)

    @classmethod
    def _parse_with_care(cls, text: str) -> Via:
        head, _, tail = text.partition(";")
        protocol, _, sent_by = head.strip().partition(" ")
        if protocol[:8] != "SIP/2.0/":
            # White space round the slashes is allowed (§25.1), and rare.
            parts = [part.strip() for part in head.split("/", 2)]
            if len(parts) != 3 or parts[0].upper() != "SIP" or parts[1] != "2.0":
                raise SipRemoteError(f"not a Via: {text[:80]!r}")
            transport, _, sent_by = parts[2].partition(" ")
        else:
            transport = protocol[8:]
            if not transport:
                transport, _, sent_by = sent_by.strip().partition(" ")
        if transport != "UDP" and TOKEN.fullmatch(transport) is None:
            raise SipRemoteError(f"not a Via: {text[:80]!r}")
        sent_by = sent_by.replace(" ", "").replace("\t", "")
        host, number = parse_hostport(sent_by)
        remember(_known_sent_by, sent_by, (host, number))
        return cls(transport.upper(), host, number, parse_params(tail) if tail else {})

    @property
    def params(self) -> Params:
        """The parameters, branch included; change them before the Via is written."""
        found = self._params
        if found is None:
            found = self._params = parse_params(self._tail)
        return found

    @property
    def sent_by(self) -> str:
        """`host:port` with the default port filled in, for matching (§17.2.3)."""
        return f"{self.host.lower()}:{self.port or (5061 if self.transport == 'TLS' else 5060)}"

    def reply_address(self) -> tuple[str, int]:
        """Where a response goes over UDP (§18.2.2 as RFC 3581 §4 changes it): received and rport where they are set."""
        host = self.params.get("received") or self.host
        rport = self.params.get("rport")
        # maddr is left alone on purpose: a response never goes to a multicast or third address that a peer picks.
        if rport and DIGITS.fullmatch(rport) and 0 < int(rport) <= 65_535:
            return host.strip("[]"), int(rport)
        return host.strip("[]"), self.port or 5060

    def __str__(self) -> str:
        sent_by = self.host if self.port is None else f"{self.host}:{self.port}"
        return f"SIP/2.0/{self.transport} {sent_by}{write_params(self.params)}"


@dataclass(slots=True)
class NameAddr:
    """A display name, a URI and header parameters: From, To, Contact, Route, P-Asserted-Identity, Refer-To…"""

    uri: Uri
    display: str = ""
    """The display name without quotes and escapes."""
    params: Params = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> NameAddr:
        """Parse a name-addr or addr-spec with its header parameters; raises SipRemoteError."""
        text = text.strip()
        if text.startswith('"'):
            quoted = QUOTED_STRING.match(text)
            if quoted is None:
                raise SipRemoteError(f"a display name whose quotes don't close: {text[:80]!r}")
            display, rest = unquote(quoted.group()), text[quoted.end() :].lstrip()
            if not rest.startswith("<"):
                raise SipRemoteError(f"no <URI> after the display name: {text[:80]!r}")
        else:
            at = text.find("<")
            if at < 0:
                # addr-spec form: all parameters belong to the header, not to the URI (§20.10).
                uri, _, tail = text.partition(";")
                return cls(Uri.parse(uri.strip()), "", parse_params(tail) if tail else {})
            display, rest = text[:at].strip(), text[at:]
        close = rest.find(">")
        if close < 0:
            raise SipRemoteError(f"a < without its >: {text[:80]!r}")
        tail = rest[close + 1 :].strip()
        if tail and tail[0] != ";":
            raise SipRemoteError(f"something other than parameters after >: {text[:80]!r}")
        return cls(Uri.parse(rest[1:close].strip()), display, parse_params(tail) if tail else {})

    @property
    def quality(self) -> float:
        """A Contact's `q`, 0…1, and 1 where there is none (§20.10); one that can't be read counts as 0."""
        text = self.params.get("q")
        return 1.0 if text is None else float(text) if QVALUE.fullmatch(text) else 0.0

    @property
    def tag(self) -> str:
        """The tag parameter; empty where there is none."""
        return self.params.get("tag") or ""

    def __str__(self) -> str:
        text = f"<{self.uri}>{write_params(self.params)}"
        return f"{quote(self.display)} {text}" if self.display else text


def tag_of(text: str) -> str:
    """The tag of a From or To, empty where there is none: enough for matching, without parsing the URI.

    Raises SipRemoteError where quotes or brackets don't close.
    """
    rest = text
    if '"' in text:
        quoted = QUOTED_STRING.match(text)
        if quoted is not None:
            rest = text[quoted.end() :]
    head, close, tail = rest.partition(">")
    if not close:
        head, _, tail = rest.partition(";")
        if '"' in head or "<" in head:
            raise SipRemoteError(f"a < without its >: {text[:80]!r}")
    elif '"' in head or "<" not in head:
        raise SipRemoteError(f"quotes or brackets that don't close: {text[:80]!r}")
    # Nearly always the tag is the one parameter that there is.
    elif tail[:5] == ";tag=" and ";" not in tail[5:] and '"' not in tail:
        return tail[5:]
    tail = tail.strip()
    return (parse_params(tail).get("tag") or "") if tail else ""


class CSeq(NamedTuple):
    """A sequence number and the method it belongs to (§20.16)."""

    number: int
    """0…2**31-1."""
    method: str

    @classmethod
    def parse(cls, text: str) -> CSeq:
        """Parse `number method`; raises SipRemoteError."""
        known = _known_cseqs.get(text)
        if known is not None:
            return known
        parts = text.split()
        if len(parts) != 2 or DIGITS.fullmatch(parts[0]) is None:
            raise SipRemoteError(f"not a CSeq: {text[:80]!r}")
        if parts[1] not in METHODS and TOKEN.fullmatch(parts[1]) is None:
            raise SipRemoteError(f"not a CSeq: {text[:80]!r}")
        number = int(parts[0])
        if number > MAX_CSEQ:
            raise SipRemoteError(f"a CSeq of 2**31 or more: {text[:80]!r}")
        found = cls(number, parts[1])
        remember(_known_cseqs, text, found)
        return found

    def __str__(self) -> str:
        return f"{self.number} {self.method}"
