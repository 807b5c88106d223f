"""Short data in octets: signalling, payloads and notifications (3GPP TS 24.282 clause 15), as MONP messages are coded.

A message is its type, fields of fixed length, and information elements: those of one octet have its highest bit set, 21
has 16 octets and 22 one, all others two octets of length. What is not known is left out of the reading.

Unconfirmed: content type 6 for an enhanced status, and that its payload is two octets, the value's number; the
standard's text gives the procedure (clause 14), the tables of 15.2 were not at hand. All else is as public
implementations have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from harness.errors import McpttError, McpttLocalError

SIGNALLING_TYPE: Final = "application/vnd.3gpp.mcdata-signalling"
PAYLOAD_TYPE: Final = "application/vnd.3gpp.mcdata-payload"
ID_OCTETS: Final = 16
"""Of the identity of a conversation or a message: a UUID."""
MAX_TEXT: Final = 1_000
"""Octets of a text in UTF-8 that are sent: more goes by the media plane, which is not played."""
MAX_PAYLOADS: Final = 16
MAX_STATUS: Final = 0xFFFF
_TIME_OCTETS: Final = 5
_PAYLOAD: Final = 0x78
_IN_REPLY_TO: Final = 0x21
_APPLICATION: Final = 0x22
_DISPOSITION: Final = 0x80


class MessageType(IntEnum):
    """The first octet's low six bits (15.2.2)."""

    SDS_SIGNALLING = 1
    FD_SIGNALLING = 2
    DATA_PAYLOAD = 3
    SDS_NOTIFICATION = 5
    FD_NOTIFICATION = 6


class Wanted(IntEnum):
    """What the sender wants to be told (15.2.3)."""

    DELIVERY = 1
    READ = 2
    BOTH = 3


class Disposition(IntEnum):
    """What became of a message (15.2.5)."""

    UNDELIVERED = 1
    DELIVERED = 2
    READ = 3
    DELIVERED_AND_READ = 4


class Content(IntEnum):
    """What a payload is (15.2.13)."""

    TEXT = 1
    BINARY = 2
    HYPERLINKS = 3
    FILE_URL = 4
    LOCATION = 5
    ENHANCED_STATUS = 6


@dataclass(frozen=True, slots=True)
class Signalling:
    """What goes before a payload."""

    conversation: bytes
    message: bytes
    time: int = 0
    """Seconds since 1970."""
    wanted: Wanted | None = None
    reply_to: bytes = b""
    """The message that it answers."""
    application: int | None = None
    """What it is for, where it is not for a person."""

    def __bytes__(self) -> bytes:
        """Raises McpttLocalError for identities of another length or a time that does not fit."""
        written = bytearray((MessageType.SDS_SIGNALLING,)) + _head(self.time, self.conversation, self.message)
        if self.reply_to:
            written += bytes((_IN_REPLY_TO,)) + _identity(self.reply_to)
        if self.application is not None:
            if self.application not in range(256):
                raise McpttLocalError(f"application {self.application}; 0 to 255 are due")
            written += bytes((_APPLICATION, self.application))
        if self.wanted is not None:
            written.append(_DISPOSITION | self.wanted)
        return bytes(written)


@dataclass(frozen=True, slots=True)
class Notification:
    """What became of a message."""

    conversation: bytes
    message: bytes
    disposition: int
    """One of Disposition, or another that is not known here."""
    time: int = 0

    def __bytes__(self) -> bytes:
        """Raises McpttLocalError as Signalling does."""
        if self.disposition not in range(256):
            raise McpttLocalError(f"disposition {self.disposition}; 0 to 255 are due")
        kind = bytes((MessageType.SDS_NOTIFICATION, self.disposition))
        return kind + _head(self.time, self.conversation, self.message)


@dataclass(frozen=True, slots=True)
class Payload:
    """One payload."""

    content: int
    """One of Content, or another that is not known here."""
    data: bytes

    @classmethod
    def of_text(cls, text: str) -> Payload:
        """Raises McpttLocalError for none, or one of more than MAX_TEXT octets."""
        try:
            data = text.encode()
        except UnicodeEncodeError:
            raise McpttLocalError("a text that UTF-8 can't hold") from None
        if not 1 <= len(data) <= MAX_TEXT:
            raise McpttLocalError(f"a text of {len(data)} octets; 1 to {MAX_TEXT} are due")
        return cls(Content.TEXT, data)

    @classmethod
    def of_status(cls, value: int) -> Payload:
        """Raises McpttLocalError out of range."""
        if not 0 <= value <= MAX_STATUS:
            raise McpttLocalError(f"status {value}; 0 to {MAX_STATUS} are due")
        return cls(Content.ENHANCED_STATUS, value.to_bytes(2))

    @property
    def text(self) -> str | None:
        """What a text says; None for any other payload. Octets that are no UTF-8 are replaced."""
        return self.data.decode("utf-8", "replace") if self.content == Content.TEXT else None

    @property
    def status(self) -> int | None:
        """An enhanced status' number; None for any other payload."""
        if self.content != Content.ENHANCED_STATUS or len(self.data) != 2:
            return None
        return int.from_bytes(self.data)


def write_payloads(*payloads: Payload) -> bytes:
    """A DATA PAYLOAD message. Raises McpttLocalError for none, or too many."""
    if not 1 <= len(payloads) <= MAX_PAYLOADS:
        raise McpttLocalError(f"{len(payloads)} payloads; 1 to {MAX_PAYLOADS} are due")
    written = bytearray((MessageType.DATA_PAYLOAD, len(payloads)))
    for payload in payloads:
        written += bytes((_PAYLOAD,)) + (1 + len(payload.data)).to_bytes(2) + bytes((payload.content,)) + payload.data
    return bytes(written)


def read_signalling(octets: bytes) -> Signalling | Notification:
    """Read signalling. Raises McpttError where it is another message, or cut short."""
    kind = octets[0] & 0x3F if octets else 0
    if kind == MessageType.SDS_NOTIFICATION:
        time, conversation, message, _ = _read_head(octets, 2)
        return Notification(conversation, message, octets[1], time)
    if kind != MessageType.SDS_SIGNALLING:
        raise McpttError(f"a message of type {kind}; signalling (1) or a notification (5) of short data is due")
    time, conversation, message, at = _read_head(octets, 1)
    wanted, reply_to, application = None, b"", None
    for element, data in _elements(octets, at):
        if element & 0xF0 == _DISPOSITION and element & 0x0F in set(Wanted):
            wanted = Wanted(element & 0x0F)
        elif element == _IN_REPLY_TO:
            reply_to = data
        elif element == _APPLICATION:
            application = data[0]
    return Signalling(conversation, message, time, wanted, reply_to, application)


def read_payloads(octets: bytes) -> tuple[Payload, ...]:
    """Read a DATA PAYLOAD message. Raises McpttError where it is another one, or cut short."""
    if len(octets) < 2 or octets[0] & 0x3F != MessageType.DATA_PAYLOAD:
        raise McpttError(f"no DATA PAYLOAD message: {octets[:8].hex()}")
    found = tuple(Payload(data[0], data[1:]) for element, data in _elements(octets, 2) if element == _PAYLOAD and data)
    if len(found) > MAX_PAYLOADS:
        raise McpttError(f"{len(found)} payloads; {MAX_PAYLOADS} are read")
    if len(found) != octets[1]:
        raise McpttError(f"{octets[1]} payloads are told, {len(found)} are there")
    return found


def _head(time: int, conversation: bytes, message: bytes) -> bytes:
    if not 0 <= time < 1 << 8 * _TIME_OCTETS:
        raise McpttLocalError(f"a time of {time} s since 1970")
    return time.to_bytes(_TIME_OCTETS) + _identity(conversation) + _identity(message)


def _identity(octets: bytes) -> bytes:
    if len(octets) != ID_OCTETS:
        raise McpttLocalError(f"an identity of {len(octets)} octets; {ID_OCTETS} are due")
    return octets


def _read_head(octets: bytes, at: int) -> tuple[int, bytes, bytes, int]:
    """Time, conversation, message, and where it ends. Raises McpttError."""
    ids = at + _TIME_OCTETS
    end = ids + 2 * ID_OCTETS
    if len(octets) < end:
        raise McpttError(f"a message of {len(octets)} octets; {end} at least are due")
    return int.from_bytes(octets[at:ids]), octets[ids : ids + ID_OCTETS], octets[ids + ID_OCTETS : end], end


def _elements(octets: bytes, at: int) -> list[tuple[int, bytes]]:
    """The information elements from a place on. Raises McpttError where one is cut short."""
    found: list[tuple[int, bytes]] = []
    while at < len(octets):
        element = octets[at]
        at += 1
        if element & 0x80:
            found.append((element, b""))
            continue
        if element in (_IN_REPLY_TO, _APPLICATION):
            length = ID_OCTETS if element == _IN_REPLY_TO else 1
        else:
            length = int.from_bytes(octets[at : at + 2])
            at += 2
        if at + length > len(octets):
            raise McpttError(f"element 0x{element:02x} of {length} octets is cut short")
        found.append((element, octets[at : at + length]))
        at += length
    return found
