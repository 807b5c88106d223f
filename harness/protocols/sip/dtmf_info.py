"""Keys in INFO requests: application/dtmf-relay and application/dtmf, which no RFC defines.

Theory. From before telephone events in RTP (RFC 4733), still spoken by border controllers and IVRs. Cisco's
`dtmf-relay` has lines `Signal=5` and `Duration=160`, milliseconds; `application/dtmf` has the key alone. A key is its
character, or the number of its event in RFC 4733 (10 for *, 11 for #, 12 to 15 for A to D, 16 for a hook flash);
senders differ in which, so both are read, and the character is written. Blanks round `=`, as Cisco IOS writes them, are
read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.rtp.dtmf import DIGITS

DTMF_RELAY: Final = "application/dtmf-relay"
DTMF: Final = "application/dtmf"
FLASH: Final = "!"
"""A hook flash, as Asterisk reads and writes it; event 16 (RFC 4733 section 7, from RFC 2833)."""
KEYS: Final = DIGITS + FLASH
"""All keys, each at the place of its event number."""
DEFAULT_DURATION: Final = 160
"""Milliseconds of a key whose sender tells none; what Cisco's equipment and most others write."""
MAX_DURATION: Final = 5_000
"""Milliseconds: Cisco IOS presses a key for no longer."""
MAX_BODY: Final = 256
"""Octets."""
_LINE: Final = re.compile(r"\s*([A-Za-z]+)\s*[=:]\s*(\S+)\s*")


@dataclass(frozen=True, slots=True)
class Key:
    """One key that was pressed."""

    key: str
    """One of KEYS."""
    duration: int | None = None
    """Milliseconds; None where it is not told."""


def build(key: str, duration: int = DEFAULT_DURATION, content_type: str = DTMF_RELAY) -> bytes:
    """The body for a key; `application/dtmf` has no duration. Raises SipLocalError on another key, time or type."""
    if len(key) != 1 or key.upper() not in KEYS:
        raise SipLocalError(f"{key!r} is no key; one of {KEYS} is due")
    if content_type == DTMF:
        return key.upper().encode()
    if content_type != DTMF_RELAY:
        raise SipLocalError(f"keys are told in {DTMF_RELAY} or {DTMF}, not {content_type!r}")
    if not 0 < duration <= MAX_DURATION:
        raise SipLocalError(f"a key is pressed for 1 to {MAX_DURATION} ms, not {duration}")
    return f"Signal={key.upper()}\r\nDuration={duration}\r\n".encode()


def parse(content_type: str, body: bytes) -> Key:
    """Read an INFO's body, its media type in lower case without parameters. Raises SipRemoteError."""
    if content_type not in (DTMF_RELAY, DTMF):
        raise SipRemoteError(f"keys are told in {DTMF_RELAY} or {DTMF}, not {content_type[:40]!r}")
    text = body.decode("ascii", "replace").strip()
    if len(body) > MAX_BODY or not text:
        raise SipRemoteError(f"a {content_type} body of {len(body)} octets; 1 to {MAX_BODY} are read")
    if content_type == DTMF and "=" not in text:
        return Key(_key(text))
    told: dict[str, str] = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            raise SipRemoteError(f"{content_type} has {line[:40]!r}; Signal=5 and Duration=160 are due")
        told[match[1].lower()] = match[2]
    signal = told.get("signal", told.get("d", ""))
    if not signal:
        raise SipRemoteError(f"{content_type} without a Signal: {text[:40]!r}")
    return Key(_key(signal), _duration(told.get("duration")))


def _key(text: str) -> str:
    if len(text) == 1 and text.upper() in KEYS:
        return text.upper()
    if text.isascii() and text.isdigit() and len(text) == 2 and int(text) < len(KEYS):
        return KEYS[int(text)]
    raise SipRemoteError(f"{text[:20]!r} is no key; one of {KEYS}, or its event's number, is due")


def _duration(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 6:
        raise SipRemoteError(f"a key's Duration is {text[:20]!r}; milliseconds are due")
    return int(text)
