"""Location conveyance in SIP: the values of Geolocation, Geolocation-Routing and Geolocation-Error (RFC 6442).

Theory. A request that tells where the caller is names it in `Geolocation`: a `cid:` URI points at a body of the same
message, any other URI at a server that can be asked. `Geolocation-Routing` says whether proxies may route by it; left
out, they may not. A request whose location can't be used is answered 424 with a `Geolocation-Error`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from harness.errors import PidfError

BAD_LOCATION: Final = 424
"""The status of a request refused for its location (RFC 6442 section 4.3)."""
OPTION_TAGS: Final = ("geolocation-sip", "geolocation-http")
"""For Supported and Require (RFC 6442 section 4.5)."""
ERRORS: Final = {
    100: "Cannot Process Location",
    200: "Permission To Use Location Information",
    201: "Permission To Retransmit Location Information to a Third Party",
    202: "Permission to Route based on Location Information",
    300: "Dereference Failure",
}
"""Geolocation-Error codes (RFC 6442 section 4.4 and its registry)."""
MAX_VALUE: Final = 8 * 1024
"""Characters of one header field's value."""
MAX_URIS: Final = 16
_SCHEMES: Final = frozenset({"cid", "sip", "sips", "pres", "http", "https", "held", "ldap"})
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,31}:[^\s<>\"\\]{1,2000}", re.ASCII)
_VALUE: Final = re.compile(r"\s*<([^<>]*)>((?:\s*;[^,<>]*)?)\s*(?:,|$)", re.ASCII)
_ERROR: Final = re.compile(r"\s*(\d{3})\s*((?:;.*)?)", re.ASCII | re.DOTALL)
_CODE: Final = re.compile(r";\s*code\s*=\s*\"((?:[^\"\\]|\\.)*)\"", re.ASCII | re.IGNORECASE)
_TOKEN: Final = re.compile(r"[A-Za-z0-9.!%*_+`'~-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class LocationUri:
    """One value of Geolocation."""

    uri: str
    """``cid:…`` of a body of the message, or where a location can be asked for."""
    parameters: str = ""
    """As they came, from the first semicolon."""

    @property
    def content_id(self) -> str | None:
        """The Content-ID of the body that is meant; None where the URI is not a ``cid:``."""
        scheme, _, rest = self.uri.partition(":")
        return rest if scheme.lower() == "cid" else None


def cid_value(content_id: str) -> str:
    """Return the Geolocation value that points at the body with ``content_id``.

    Raises PidfError for what is no Content-ID.
    """
    return build([LocationUri(f"cid:{content_id}")])


def build(values: list[LocationUri]) -> str:
    """Return a Geolocation value. Raises PidfError for none, too many, or what is no URI."""
    if not 1 <= len(values) <= MAX_URIS:
        raise PidfError(f"{len(values)} location URIs; 1 to {MAX_URIS} are due")
    for value in values:
        if _URI.fullmatch(value.uri) is None or re.search(r"[,<>\r\n]", value.parameters):
            raise PidfError(f"{value.uri[:60]!r} is no location URI")
    return ", ".join(f"<{value.uri}>{value.parameters}" for value in values)


def parse(text: str) -> list[LocationUri]:
    """Read a Geolocation value (several header fields joined by commas).

    Raises:
        PidfError: too long, no URI in angle brackets, or more than MAX_URIS of them.
    """
    _bounded(text)
    found: list[LocationUri] = []
    at = 0
    while at < len(text.rstrip()):
        match = _VALUE.match(text, at)
        if match is None or _URI.fullmatch(match[1]) is None:
            raise PidfError(f"Geolocation is {text[at : at + 60]!r}; <cid:…> or another URI in brackets is due")
        if len(found) >= MAX_URIS:
            raise PidfError(f"more than {MAX_URIS} location URIs")
        found.append(LocationUri(match[1], match[2].strip()))
        at = match.end()
    if not found:
        raise PidfError("Geolocation is empty")
    return found


def known_scheme(value: LocationUri) -> bool:
    """Whether the URI is of a scheme that RFC 6442 or its successors use."""
    return value.uri.partition(":")[0].lower() in _SCHEMES


def routing_value(allowed: bool) -> str:
    """Return the value of Geolocation-Routing."""
    return "yes" if allowed else "no"


def parse_routing(text: str | None) -> bool:
    """Read Geolocation-Routing: only ``yes`` allows; another value, or none at all, does not (RFC 6442 section 4.2).

    Raises PidfError for what is no token.
    """
    if text is None:
        return False
    told = text.partition(";")[0].strip()
    if _TOKEN.fullmatch(told) is None:
        raise PidfError(f"Geolocation-Routing is {text[:40]!r}; yes or no is due")
    return told.lower() == "yes"


def error_value(code: int, reason: str | None = None) -> str:
    """Return the value of Geolocation-Error. Raises PidfError for a code that is not three digits."""
    if not 100 <= code <= 999:
        raise PidfError(f"Geolocation-Error {code} is not three digits")
    reason = ERRORS.get(code, "") if reason is None else reason
    if re.search(r"[\r\n\x00]", reason):
        raise PidfError("a reason with a line break")
    quoted = reason.replace("\\", "\\\\").replace('"', '\\"')
    return f'{code};code="{quoted}"'


def parse_error(text: str) -> tuple[int, str]:
    """Read Geolocation-Error: the code, and its reason (the registered one where none is told).

    Raises PidfError for what is none.
    """
    _bounded(text)
    match = _ERROR.fullmatch(text)
    if match is None:
        raise PidfError(f"Geolocation-Error is {text[:60]!r}; three digits are due")
    code = int(match[1])
    reason = _CODE.search(match[2])
    return code, re.sub(r"\\(.)", r"\1", reason[1]) if reason else ERRORS.get(code, "")


def _bounded(text: str) -> None:
    if len(text) > MAX_VALUE:
        raise PidfError(f"a value of {len(text)} characters; {MAX_VALUE} are read at most")
