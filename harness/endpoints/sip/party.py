"""Who is at the other end of a call, as its headers tell; and why it ended."""

from __future__ import annotations

import re
from typing import NamedTuple

from harness.errors import SipRemoteError
from harness.protocols.sip.headers import NameAddr, parse_params
from harness.protocols.sip.message import Request

# How most From headers look; anything else (escapes, parameters in the URI, tel) is parsed with care.
_USUAL = re.compile(r'(?:"([^"\\]*)" *|([^"<:]*))<(sips?:([^@:;?<>%" ]+)@[A-Za-z0-9.:\-]+)>[^<>"]*')


class Identity(NamedTuple):
    """Who is at the other end."""

    user: str
    """The user part, or the number of a tel URI: the CLI."""
    display: str
    uri: str


def caller_of(invite: Request) -> Identity:
    """The caller by P-Asserted-Identity (RFC 3325) or From; empty where neither can be read."""
    asserted = invite.get("p-asserted-identity")
    if asserted is None:
        usual = _USUAL.fullmatch(invite.envelope.first["from"])
        if usual is not None:
            return Identity(usual[4], (usual[1] or usual[2] or "").strip(), usual[3])
    try:
        return _identity(invite.name_addrs("p-asserted-identity")[0] if asserted else invite.from_)
    except (SipRemoteError, IndexError):
        return Identity("", "", "")


def called_of(invite: Request) -> Identity:
    """The called party by To; empty where it can't be read."""
    try:
        return _identity(invite.to)
    except SipRemoteError:
        return Identity("", "", "")


def _identity(found: NameAddr) -> Identity:
    return Identity(found.uri.user_text, found.display, str(found.uri))


def user_of(name_addr: str) -> str:
    """The user part, or the number of a tel URI, of a name-addr of ours; empty where it has none."""
    usual = _USUAL.fullmatch(name_addr)
    return usual[4] if usual is not None else NameAddr.parse(name_addr).uri.user_text


def reason_text(value: str) -> str:
    """The text of a Reason value (RFC 3326), as `SIP ;cause=200 ;text="Call completed elsewhere"` gives it."""
    try:
        text = parse_params(value.partition(";")[2]).get("text") or ""
    except SipRemoteError:
        return ""
    return text.removeprefix('"').removesuffix('"')
