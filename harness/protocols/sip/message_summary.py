"""What waits in a mailbox: application/simple-message-summary, which NOTIFYs of `message-summary` carry (RFC 3842).

    Messages-Waiting: yes
    Message-Account: sip:2001@vmail.example.com
    Voice-Message: 2/8 (0/2)

Counts are new/old, and of these in brackets how many are urgent. Headers of single messages may follow, each after an
empty line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip.grammar import CONTROL, TOKEN

CONTENT_TYPE: Final = "application/simple-message-summary"
EVENT: Final = "message-summary"
MAX_BODY: Final = 64 * 1024
"""Octets."""
MAX_MESSAGES: Final = 1_000
"""Messages whose headers are listed."""
MAX_HEADERS: Final = 32
"""Headers of one message."""
MAX_COUNT: Final = 2**32 - 1
"""RFC 3842 section 5.2."""
VOICE: Final = "voice-message"
CLASSES: Final = (VOICE, "video-message", "fax-message", "pager-message", "multimedia-message", "text-message", "none")
"""Message context classes (RFC 3458 section 6)."""
_COUNTS: Final = re.compile(
    r"\s*([0-9]{1,10})\s*/\s*([0-9]{1,10})\s*(?:\(\s*([0-9]{1,10})\s*/\s*([0-9]{1,10})\s*\))?\s*"
)
_WAITING: Final = "messages-waiting"
_ACCOUNT: Final = "message-account"


class Counts(NamedTuple):
    """Messages of one class, 0…MAX_COUNT each."""

    new: int
    old: int
    new_urgent: int = 0
    """Of the new ones."""
    old_urgent: int = 0

    def __str__(self) -> str:
        urgent = f" ({self.new_urgent}/{self.old_urgent})" if self.new_urgent or self.old_urgent else ""
        return f"{self.new}/{self.old}{urgent}"


@dataclass(frozen=True, slots=True)
class Summary:
    """One mailbox."""

    waiting: bool
    """What the lamp of a telephone shows."""
    account: str = ""
    """The mailbox's URI; empty where it is not told."""
    counts: Mapping[str, Counts] = field(default_factory=dict)
    """By message context class, lower case; may be empty though messages wait."""
    messages: tuple[Mapping[str, str], ...] = ()
    """Headers of single messages by lower-case name."""

    @property
    def voice(self) -> Counts:
        """Voice messages; zeros where they are not counted."""
        return self.counts.get(VOICE, Counts(0, 0))


def build(summary: Summary) -> bytes:
    """Return the body. Raises SipLocalError for counts out of range or a value that would break out of its line."""
    lines = [f"Messages-Waiting: {'yes' if summary.waiting else 'no'}"]
    if summary.account:
        lines.append(f"Message-Account: {_one_line(summary.account)}")
    for name, counts in summary.counts.items():
        if TOKEN.fullmatch(name) is None or name.lower() in (_WAITING, _ACCOUNT):
            raise SipLocalError(f"{name!r} is no message context class; {', '.join(CLASSES)} are known")
        if not all(0 <= count <= MAX_COUNT for count in counts):
            raise SipLocalError(f"{name}: {counts} is not 0…{MAX_COUNT} each")
        lines.append(f"{name.title()}: {counts}")
    if len(summary.messages) > MAX_MESSAGES:
        raise SipLocalError(f"headers of {len(summary.messages)} messages; {MAX_MESSAGES} is the most")
    for headers in summary.messages:
        if not 1 <= len(headers) <= MAX_HEADERS:
            raise SipLocalError(f"a message with {len(headers)} headers; 1 to {MAX_HEADERS} are due")
        lines.append("")
        for name, value in headers.items():
            if TOKEN.fullmatch(name) is None:
                raise SipLocalError(f"not a header name: {name!r}")
            lines.append(f"{name.title()}: {_one_line(value)}")
    body = "".join(f"{line}\r\n" for line in lines).encode()
    if len(body) > MAX_BODY:
        raise SipLocalError(f"a summary of {len(body)} octets; {MAX_BODY} is the most")
    return body


def _one_line(value: str) -> str:
    if CONTROL.search(value):
        raise SipLocalError(f"a control character in {value[:60]!r}")
    return value.strip()


def parse(body: bytes) -> Summary:
    """Read a body, with CR LF or LF at its lines' ends.

    Raises:
        SipRemoteError: too long, not UTF-8, without Messages-Waiting first, or with a line that can't be read.
    """
    if len(body) > MAX_BODY:
        raise SipRemoteError(f"a message summary of {len(body)} octets; {MAX_BODY} are read at most")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise SipRemoteError(f"a message summary that is not UTF-8 at octet {error.start}") from error
    if CONTROL.search(text.replace("\r\n", "").replace("\n", "")):
        raise SipRemoteError("a message summary with a control character")
    head, *blocks = re.split(r"(?:\r?\n){2,}", text.strip("\r\n"))
    fields = _fields(head)
    if not fields or fields[0][0] != _WAITING or fields[0][1].lower() not in ("yes", "no"):
        raise SipRemoteError(f"a message summary begins {text[:40]!r}; Messages-Waiting: yes or no is due")
    account, counts = "", {}
    for name, value in fields[1:]:
        if name == _ACCOUNT:
            account = value
        else:
            counts[name] = _counts(name, value)
    if len(blocks) > MAX_MESSAGES:
        raise SipRemoteError(f"a message summary with headers of more than {MAX_MESSAGES} messages")
    return Summary(fields[0][1].lower() == "yes", account, counts, tuple(dict(_fields(block)) for block in blocks))


def _fields(block: str) -> list[tuple[str, str]]:
    fields: list[tuple[str, str]] = []
    for line in re.split(r"\r?\n", re.sub(r"\r?\n[ \t]+", " ", block)):
        name, colon, value = line.partition(":")
        if not colon or TOKEN.fullmatch(name.strip()) is None:
            raise SipRemoteError(f"a message summary's line {line[:60]!r} is no name: value")
        fields.append((name.strip().lower(), value.strip()))
        if len(fields) > MAX_HEADERS:
            raise SipRemoteError(f"a message summary with more than {MAX_HEADERS} lines without an empty one")
    return fields


def _counts(name: str, value: str) -> Counts:
    match = _COUNTS.fullmatch(value)
    counts = [int(digits or 0) for digits in match.groups()] if match else []
    if not counts or max(counts) > MAX_COUNT:
        raise SipRemoteError(f"{name} is {value[:40]!r}; new/old, with urgent ones in brackets, is due")
    return Counts(*counts)
