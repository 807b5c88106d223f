"""Pieces of SIP messages: message/sipfrag (RFC 3420), as REFER's NOTIFYs and Referred-By tokens carry them.

Theory. A fragment is what is left of a whole message when lines are taken out: its start line, some header lines, and,
where there is a Content-* header, an empty line and a body, may each be missing. What tells how a referred call goes
(RFC 3515) is a status line; a Reason or Warning beside it says why it failed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip.body import SIPFRAG
from harness.protocols.sip.fields import Fields, checked
from harness.protocols.sip.grammar import MAX_MESSAGE
from harness.protocols.sip.message import Message, Request, Response
from harness.protocols.sip.names import key_of
from harness.protocols.sip.parse import head_lines, parse_start_line

WITH_VERSION: Final = f"{SIPFRAG};version=2.0"
"""As REFER's NOTIFYs name it (RFC 3515 section 2.4.5)."""
_START_LINE: Final = re.compile(r"SIP/\S+\s|\S+\s+\S+\s+SIP/\S+\s*$")
_HEADER: Final = re.compile(r"[^\s:]+\s*:")


@dataclass(frozen=True, slots=True)
class Fragment:
    """One fragment."""

    start: Request | Response | None
    """The start line, as a message without headers; None where the fragment has none."""
    headers: Message
    """The header lines, and the body; read them as those of any message."""

    @property
    def status(self) -> int | None:
        """The status that it tells; None where it begins with no status line."""
        return self.start.status if isinstance(self.start, Response) else None


def parse(body: bytes) -> Fragment:
    """Read a fragment, its lines ended by CR LF or LF. Raises SipRemoteError on none, or a line of neither kind."""
    if len(body) > MAX_MESSAGE:
        raise SipRemoteError(f"a fragment of {len(body)} octets; {MAX_MESSAGE} are read at most")
    head, gap, content = body.partition(b"\r\n\r\n")
    text = head.decode("utf-8", "surrogateescape")
    if "\r\n" not in text:
        if not gap:
            head, _, content = body.partition(b"\n\n")
            text = head.decode("utf-8", "surrogateescape")
        text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    lines = head_lines(text.strip("\r\n"))
    start: Request | Response | None = None
    if _START_LINE.match(lines[0]):
        start = parse_start_line(lines.pop(0).strip())
    fields: Fields = []
    for line in lines:
        if _HEADER.match(line) is None:
            raise SipRemoteError(f"a fragment's line that is neither a start line nor a header: {line[:60]!r}")
        name, _, value = line.partition(":")
        if key_of(name) not in ("content-length", "l"):  # the body gives it
            fields.append((name.rstrip(" \t"), value.strip()))
    if start is None and not fields:
        raise SipRemoteError("an empty fragment")
    return Fragment(start, Message(fields, content))


def of_status(status: int, reason: str, headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """The fragment that tells how a referred call goes. Raises SipLocalError on what would break out of its line."""
    if not 100 <= status <= 699 or not reason.isprintable():
        raise SipLocalError(f"a status is 100…699 with a printable reason, not {status} {reason!r}")
    lines = [f"SIP/2.0 {status} {reason}", *(f"{name}: {value}" for name, value in checked(headers))]
    return "".join(f"{line}\r\n" for line in lines).encode()
