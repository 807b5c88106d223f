"""A call's name from end to end: the Session-ID header (RFC 7989, and RFC 7329 before it).

Theory. Each end gives the session a UUID and keeps it for the session's life. Whoever sends writes its own first and
the other's as `remote`, all zeros as long as it does not know it. Unlike the Call-ID, the pair passes switches and
border controllers unchanged, so it joins both legs of a call, and its CDR, to one.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Final

from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip.headers import parse_params
from harness.protocols.sip.message import Message

HEADER: Final = "Session-ID"
NIL: Final = "0" * 32
"""The UUID of an end that is not known yet, or has none (RFC 7989 section 5)."""
# RFC 7989 has them in lower case; upper case is read, too.
_UUID: Final = re.compile(r"[0-9a-fA-F]{32}")


@dataclass(frozen=True, slots=True)
class SessionId:
    """One value of the header: who sends, and whom it knows at the other end."""

    local: str
    """The sender's UUID, 32 hexadecimal digits in lower case."""
    remote: str = NIL
    """The receiver's, as the sender knows it."""
    has_remote: bool = True
    """Whether `remote` is written; ends from before RFC 7989 know none."""

    @classmethod
    def parse(cls, text: str) -> SessionId:
        """Parse one value; raises SipRemoteError."""
        local, _, tail = text.partition(";")
        params = parse_params(tail) if tail else {}
        remote = params.get("remote")
        for each in (local.strip(), remote if remote is not None else NIL):
            if _UUID.fullmatch(each) is None:
                raise SipRemoteError(f"a Session-ID of other than 32 hexadecimal digits: {text[:80]!r}")
        return cls(local.strip().lower(), NIL if remote is None else remote.lower(), remote is not None)

    def answered_by(self, own: str) -> SessionId:
        """What the receiver, whose UUID is ``own``, writes into what it sends back."""
        return SessionId(own, self.local, self.has_remote)

    def __str__(self) -> str:
        return f"{self.local};remote={self.remote}" if self.has_remote else self.local


def session_id_of(message: Message) -> SessionId | None:
    """A message's Session-ID; None where it has none. Raises SipRemoteError."""
    text = message.get(HEADER)
    return None if text is None else SessionId.parse(text)


def of_random(octets: bytes) -> str:
    """A UUID of version 4 from 16 random octets, which the caller draws. Raises SipLocalError on any other number."""
    if len(octets) != 16:
        raise SipLocalError(f"a UUID is made of 16 octets, not {len(octets)}")
    return uuid.UUID(bytes=octets, version=4).hex


def of_name(namespace: uuid.UUID, name: str) -> str:
    """A UUID of version 5: the same for the same name, such as a Call-ID, in a namespace of the sender's own."""
    return uuid.uuid5(namespace, name).hex
