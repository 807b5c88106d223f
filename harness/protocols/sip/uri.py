"""URIs as SIP uses them (RFC 3261 §19.1, RFC 3966 tel, RFC 5031 urn:service): strict against injection, else lax."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote as percent_encode
from urllib.parse import unquote as percent_decode

from harness.errors import SipRemoteError
from harness.protocols.sip.grammar import (
    HOSTNAME,
    IPV6_REFERENCE,
    MAX_PARAMS,
    SCHEME,
    URI_FORBIDDEN,
)

Params = dict[str, str | None]
"""Parameters by lower-case name, in their order, escapes resolved; None where there is no `=value`."""
# Wider than paramchar (§25.1), so that what came unescaped goes out so; what would end the parameter is escaped.
_PARAM: Final = re.compile(r"[!#$&-:A-\[\]-~]*")
_PARAM_SAFE: Final = "!#$&'()*+,-./:[]^_`{|}~"


@dataclass(slots=True)
class Uri:
    """One URI; `host` is empty and `opaque` set for schemes other than sip and sips."""

    scheme: str
    """Lower case."""
    user: str = ""
    """The user part as it was written, escapes kept; empty where there is none."""
    password: str | None = None
    host: str = ""
    """Name, IPv4 address or bracketed IPv6 reference."""
    port: int | None = None
    params: Params = field(default_factory=dict)
    headers: str = ""
    """What follows `?`, as it was written (`Replaces=…&…`)."""
    opaque: str = ""
    """All after `scheme:` for tel, urn and other schemes, parameters included."""

    @classmethod
    def parse(cls, text: str) -> Uri:
        """Parse one URI without angle brackets; raises SipRemoteError."""
        scheme, colon, rest = text.partition(":")
        if not colon or SCHEME.fullmatch(scheme) is None or not rest:
            raise SipRemoteError(f"not a URI: {text[:80]!r}")
        if URI_FORBIDDEN.search(rest):
            raise SipRemoteError(f"a URI with a character that no URI may hold: {text[:80]!r}")
        scheme = scheme.lower()
        if scheme not in ("sip", "sips"):
            return cls(scheme, opaque=rest)
        # The user part may hold `;` and `?`, so the last @ before any host comes first.
        userinfo, at, hostpart = rest.rpartition("@")
        if at and "?" in userinfo and "@" in rest.partition("?")[2]:
            # An unescaped @ in the URI's headers: the first @ before `?` is the right one, where there is one.
            before, question, after = rest.partition("?")
            if "@" in before:
                userinfo, _, hostpart = before.rpartition("@")
                hostpart += question + after
        user, has_password, password = userinfo.partition(":")
        if at and not user:
            raise SipRemoteError(f"a SIP URI with an empty user part: {text[:80]!r}")
        hostpart, _, headers = hostpart.partition("?")
        hostport, *params = hostpart.split(";")
        if len(params) > MAX_PARAMS:
            raise SipRemoteError(f"a URI with more than {MAX_PARAMS} parameters")
        host, port = parse_hostport(hostport)
        return cls(
            scheme, user, password if has_password else None, host, port, _params(params) if params else {}, headers
        )

    @property
    def user_text(self) -> str:
        """The user part with its escapes resolved; for tel URIs the number."""
        if self.scheme == "tel":
            return self.opaque.partition(";")[0]
        return percent_decode(self.user) if "%" in self.user else self.user

    def header(self, name: str) -> str | None:
        """The value of one URI header (`?Replaces=…`), escapes resolved; None where it is not there."""
        for pair in self.headers.split("&") if self.headers else ():
            key, _, value = pair.partition("=")
            if percent_decode(key).lower() == name.lower():
                return percent_decode(value)
        return None

    def aor(self) -> str:
        """The address-of-record that this URI stands for (§10.3): no port, parameters or headers."""
        if self.opaque:
            return f"{self.scheme}:{self.opaque}"
        return f"{self.scheme}:{self.user_text + '@' if self.user else ''}{self.host.lower()}"

    def equivalent(self, other: Uri) -> bool:
        """Whether two URIs are the same under the comparison of RFC 3261 §19.1.4 (URI headers compared as written)."""
        if (self.scheme, self.user_text, self.password, self.host.lower(), self.port, self.opaque, self.headers) != (
            other.scheme,
            other.user_text,
            other.password,
            other.host.lower(),
            other.port,
            other.opaque,
            other.headers,
        ):
            return False
        # user, ttl, method, maddr and transport must match where either has them; others only where both have them.
        for name in {*self.params, *other.params}:
            both = name in self.params and name in other.params
            if not both and name not in ("user", "ttl", "method", "maddr", "transport"):
                continue
            if (self.params.get(name) or "").lower() != (other.params.get(name) or "").lower() or not both:
                return False
        return True

    def __str__(self) -> str:
        if not self.host:
            return f"{self.scheme}:{self.opaque}"
        userinfo = self.user if self.password is None else f"{self.user}:{self.password}"
        text = f"{self.scheme}:{userinfo}@{self.host}" if userinfo else f"{self.scheme}:{self.host}"
        if self.port is not None:
            text += f":{self.port}"
        if self.params:
            for name, value in self.params.items():
                text += f";{_escaped(name)}" if value is None else f";{_escaped(name)}={_escaped(value)}"
        return f"{text}?{self.headers}" if self.headers else text


def parse_hostport(text: str) -> tuple[str, int | None]:
    """Split `host[:port]` (RFC 3261 hostport); raises SipRemoteError on a bad host, or a port out of 0…65535."""
    if text.startswith("["):
        close = text.find("]") + 1
        host, rest = text[:close], text[close:]
        good = IPV6_REFERENCE.fullmatch(host) is not None and (not rest or rest[0] == ":")
        port_text = rest[1:] if rest else None
    else:
        host, colon, tail = text.partition(":")
        good = HOSTNAME.fullmatch(host) is not None
        port_text = tail if colon else None
    if not good:
        raise SipRemoteError(f"not a host: {text[:80]!r}")
    if port_text is None:
        return host, None
    if not (port_text.isascii() and port_text.isdigit()) or len(port_text) > 5 or int(port_text) > 65_535:
        raise SipRemoteError(f"not a port: {port_text[:20]!r}")
    return host, int(port_text)


def _params(parts: list[str]) -> Params:
    params: Params = {}
    for part in parts:
        name, equals, value = part.partition("=")
        if not name:
            continue
        if "%" in part:  # an escape is the character that it stands for (§19.1.4)
            name, value = percent_decode(name), percent_decode(value)
        params[name.lower()] = value if equals else None
    return params


def _escaped(text: str) -> str:
    """A parameter's name or value as it may stand in a URI (§25.1: paramchar)."""
    return text if _PARAM.fullmatch(text) else percent_encode(text, safe=_PARAM_SAFE)
