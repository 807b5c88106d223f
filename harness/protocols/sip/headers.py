"""Header values with structure (RFC 3261 §20): Via, the name-addr family and CSeq, parsed and written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from harness.errors import SipRemoteError
from harness.protocols.sip.grammar import (
    DIGITS,
    MAX_CSEQ,
    MAX_PARAMS,
    METHODS,
    QUOTED_STRING,
    TOKEN,
    quote,
    split_outside,
    unquote,
)
from harness.protocols.sip.uri import Params, Uri, parse_hostport

# How nearly all Via values over UDP look; matched whole, so that most messages cost one regular expression.
_USUAL_VIA = re.compile(
    r"SIP/2\.0/UDP ([A-Za-z0-9_](?:[A-Za-z0-9_.\-]*[A-Za-z0-9_.])?)(?::([0-9]+))?;branch=([A-Za-z0-9\-.!%*_+`'~]+)"
    r"(;rport)?"
)


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


@dataclass(slots=True)
class Via:
    """One Via value (§20.42), with RFC 3581's `rport`."""

    transport: str
    """Upper case: UDP, TCP, TLS…"""
    host: str
    port: int | None
    """The sent-by port; None means the transport's default."""
    params: Params = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Via:
        """Parse one Via value; raises SipRemoteError."""
        usual = _USUAL_VIA.fullmatch(text)
        if usual is not None and len(usual[2] or "") <= 5 and int(usual[2] or 0) <= 65_535:
            params: Params = {"branch": usual[3]}
            if usual[4]:
                params["rport"] = None
            return cls("UDP", usual[1], int(usual[2]) if usual[2] else None, params)
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
        sent_by = sent_by.strip()
        if " " in sent_by:
            sent_by = sent_by.replace(" ", "")
        host, port = parse_hostport(sent_by)
        return cls(transport.upper(), host, port, parse_params(tail) if tail else {})

    @property
    def branch(self) -> str:
        """The branch parameter; empty where there is none."""
        return self.params.get("branch") or ""

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
    close = text.rfind(">")
    if close < 0:
        head, _, tail = text.partition(";")
        if '"' in head or "<" in head:
            raise SipRemoteError(f"a < without its >: {text[:80]!r}")
    else:
        tail = text[close + 1 :]
        # Nearly always the tag is the one parameter that there is.
        if tail[:5] == ";tag=" and ";" not in tail[5:]:
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
        digits, _, method = text.partition(" ")
        if method in METHODS and len(digits) <= 9 and digits.isascii() and digits.isdigit():
            return cls(int(digits), method)
        parts = text.split()
        if len(parts) != 2 or DIGITS.fullmatch(parts[0]) is None:
            raise SipRemoteError(f"not a CSeq: {text[:80]!r}")
        if parts[1] not in METHODS and TOKEN.fullmatch(parts[1]) is None:
            raise SipRemoteError(f"not a CSeq: {text[:80]!r}")
        number = int(parts[0])
        if number > MAX_CSEQ:
            raise SipRemoteError(f"a CSeq of 2**31 or more: {text[:80]!r}")
        return cls(number, parts[1])

    def __str__(self) -> str:
        return f"{self.number} {self.method}"
