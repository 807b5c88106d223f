"""Floor control messages: RTCP APP packets named MCPT, with fields as type-length-value (3GPP TS 24.380 section 8).

The subtype's low four bits are the message, 0x10 asks for an acknowledgement. A field is an octet of id, an octet of
length, the value, and padding up to 32 bits that the length does not count. Several messages may share a datagram.
What is unknown is kept as it came. Source: public dissectors; ids from 192 on with a longer length are unconfirmed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Any, Final

from harness.errors import McpttError, McpttLocalError, RtpError
from harness.protocols.rtp.rtcp import App, build_compound, parse_compound

NAME: Final = b"MCPT"
ACK_WANTED: Final = 0x10
MAX_DATAGRAM: Final = 8_192
MAX_FIELDS: Final = 64
"""Fields of one message."""
MAX_TEXT: Final = 255
"""Octets of an identity or phrase: the length has eight bits."""


class FloorType(IntEnum):
    """Which message it is."""

    REQUEST = 0
    GRANTED = 1
    TAKEN = 2
    DENY = 3
    RELEASE = 4
    IDLE = 5
    REVOKE = 6
    QUEUE_POSITION_REQUEST = 8
    QUEUE_POSITION_INFO = 9
    ACK = 10
    QUEUED_CANCEL = 14
    RELEASE_MULTI_TALKER = 15


class Field(IntEnum):
    """Field ids (section 8.2.3)."""

    PRIORITY = 0
    DURATION = 1
    REJECT_CAUSE = 2
    QUEUE_INFO = 3
    GRANTED_PARTY = 4
    PERMISSION = 5
    USER_ID = 6
    QUEUE_SIZE = 7
    SEQUENCE = 8
    QUEUED_USER = 9
    SOURCE = 10
    TRACK_INFO = 11
    MESSAGE_TYPE = 12
    INDICATOR = 13
    SSRC = 14


class Indicator(IntFlag):
    """What kind of call the floor is of (Floor Indicator)."""

    NORMAL = 0x8000
    BROADCAST = 0x4000
    SYSTEM = 0x2000
    EMERGENCY = 0x1000
    IMMINENT_PERIL = 0x0800
    QUEUEING = 0x0400
    DUAL = 0x0200
    TEMPORARY = 0x0100


class Source(IntEnum):
    """Who sent an acknowledgement or a message that several could have sent."""

    PARTICIPANT = 0
    PARTICIPATING = 1
    CONTROLLING = 2


class Deny(IntEnum):
    """Why a request is refused."""

    OTHER_HAS_PERMISSION = 1
    SERVER_ERROR = 2
    ONLY_ONE_PARTICIPANT = 3
    RETRY_AFTER = 4
    RECEIVE_ONLY = 5
    NO_RESOURCES = 6
    QUEUE_FULL = 7
    OTHER = 255


class Revoke(IntEnum):
    """Why a granted floor is taken away."""

    ONLY_ONE_PARTICIPANT = 1
    TALKED_TOO_LONG = 2
    NO_PERMISSION = 3
    PRE_EMPTED = 4
    TERMINATED = 6
    """Unconfirmed in its meaning; the number is known."""
    OTHER = 255


def in_words(numbers: type[IntEnum], value: object, otherwise: str) -> str:
    """What one of a table's numbers means; ``otherwise`` for one that is not in it, or none at all."""
    try:
        return numbers(int(str(value))).name.lower().replace("_", " ")
    except ValueError:
        return otherwise


@dataclass(frozen=True, slots=True)
class QueueInfo:
    """Where in the queue somebody stands."""

    position: int
    """0-255: those ahead; 254 and 255 are said to mean not queued and not known (unconfirmed)."""
    priority: int
    """0-255."""


@dataclass(frozen=True, slots=True)
class FloorMessage:
    """One floor control message; a field that it does not have is None (or empty, for text)."""

    type: int
    """A FloorType, or another of the sixteen numbers."""
    ssrc: int
    """The sender's."""
    wants_ack: bool = False
    priority: int | None = None
    """0-255, higher goes first."""
    duration: int | None = None
    """Seconds that one may talk at most."""
    cause: int | None = None
    """Deny's or Revoke's."""
    phrase: str = ""
    queue: QueueInfo | None = None
    granted_party: str = ""
    """The MCPTT ID of who has the floor."""
    may_request: bool | None = None
    """Whether the floor may be asked for."""
    user: str = ""
    """The sender's MCPTT ID."""
    queue_size: int | None = None
    sequence: int | None = None
    """16 bits; by it a receiver tells a message from its repetition."""
    queued_user: str = ""
    source: int | None = None
    acknowledged: int | None = None
    """In an acknowledgement: the subtype, the ack bit included or not, of what is acknowledged."""
    indicator: int | None = None
    """Indicator bits, as they came."""
    talker: int | None = None
    """SSRC of who has the floor."""
    others: tuple[tuple[int, bytes], ...] = ()
    """(id, value) of fields that we have no reading for, or whose length is not theirs."""

    @property
    def name(self) -> str:
        """The message's name as the journal tells it, e.g. `floor granted`."""
        try:
            return "floor " + FloorType(self.type).name.lower().replace("_", " ")
        except ValueError:
            return f"floor message {self.type}"

    def has(self, bits: Indicator) -> bool:
        """Whether the indicator has one of these bits."""
        return bool((self.indicator or 0) & bits)


def read_datagram(data: bytes) -> list[FloorMessage]:
    """Read the floor control messages of a datagram; other RTCP in it is left out. Raises McpttError."""
    if len(data) > MAX_DATAGRAM:
        raise McpttError(f"a datagram of {len(data)} octets; {MAX_DATAGRAM} are read at most")
    try:
        packets = parse_compound(data, strict=False)
    except RtpError as error:
        raise McpttError(str(error)) from None
    return [_read(packet) for packet in packets if isinstance(packet, App) and packet.name == NAME]


def _read(packet: App) -> FloorMessage:
    values: dict[str, Any] = {}
    others: list[tuple[int, bytes]] = []
    for number, (kind, value) in enumerate(_fields(packet.data)):
        if number == MAX_FIELDS:
            raise McpttError(f"more than {MAX_FIELDS} fields in one floor control message")
        found = _value(kind, value)
        # Of a field that stands twice the first counts.
        if not found or any(name in values for name in found):
            others.append((kind, value))
        else:
            values.update(found)
    return FloorMessage(
        packet.subtype & 0x0F, packet.ssrc, bool(packet.subtype & ACK_WANTED), others=tuple(others), **values
    )


def _fields(data: bytes) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data):
        if at + 2 > len(data):
            raise McpttError(f"a floor control field ends after its id, at octet {at} (TS 24.380 section 8.2.3)")
        kind, length = data[at], data[at + 1]
        value = data[at + 2 : at + 2 + length]
        if len(value) < length:
            raise McpttError(f"floor control field {kind} has {length} octets, {len(value)} are there")
        found.append((kind, value))
        at += (2 + length + 3) // 4 * 4
    return found


_SHORTS: Final = {
    Field.DURATION: "duration",
    Field.QUEUE_SIZE: "queue_size",
    Field.SEQUENCE: "sequence",
    Field.SOURCE: "source",
    Field.INDICATOR: "indicator",
}
_TEXTS: Final = {Field.GRANTED_PARTY: "granted_party", Field.USER_ID: "user", Field.QUEUED_USER: "queued_user"}


def _value(kind: int, value: bytes) -> dict[str, Any]:
    """What a field says, by attribute; empty where it can't be read."""
    size = len(value)
    if kind in _TEXTS and size:
        text = value.decode("utf-8", "replace")
        return {_TEXTS[Field(kind)]: "".join(char if char.isprintable() else "\ufffd" for char in text)}
    if kind in _SHORTS and size == 2:
        return {_SHORTS[Field(kind)]: int.from_bytes(value)}
    match kind:
        case Field.PRIORITY if size in (1, 2):
            return {"priority": value[0]}
        case Field.REJECT_CAUSE if size >= 2:
            phrase = value[2:].decode("utf-8", "replace").rstrip("\0")
            printable = "".join(char if char.isprintable() else "\ufffd" for char in phrase)
            return {"cause": int.from_bytes(value[:2]), "phrase": printable}
        case Field.QUEUE_INFO if size == 2:
            return {"queue": QueueInfo(value[0], value[1])}
        case Field.PERMISSION if size == 2:
            return {"may_request": bool(int.from_bytes(value))}
        case Field.MESSAGE_TYPE if size in (1, 2):
            return {"acknowledged": value[0]}
        case Field.SSRC if size in (4, 6):
            return {"talker": int.from_bytes(value[:4])}
    return {}


def write_datagram(*messages: FloorMessage) -> bytes:
    """The messages as one datagram. Raises McpttLocalError where a value does not fit its field."""
    return build_compound([_written(message) for message in messages])


def _written(message: FloorMessage) -> App:
    subtype = _fits(message.type, 15, "a floor control message") | (ACK_WANTED if message.wants_ack else 0)
    data = b"".join(_field(kind, value) for kind, value in _values(message))
    return App(subtype, message.ssrc, NAME, data)


def _values(message: FloorMessage) -> list[tuple[int, bytes]]:
    """In the order of their ids, which is the order that the message descriptions have."""
    out: list[tuple[int, bytes]] = []
    for kind, name, write in _WRITERS:
        value = getattr(message, name)
        if value is not None and value != "":
            out.append((kind, write(value)))
    if message.cause is not None:
        out.append((Field.REJECT_CAUSE, _short("a cause")(message.cause) + _text(message.phrase, MAX_TEXT - 2)))
        out.sort(key=lambda field: field[0])
    return [*out, *message.others]


def _field(kind: int, value: bytes) -> bytes:
    if len(value) > MAX_TEXT:
        raise McpttLocalError(f"floor control field {kind} of {len(value)} octets; its length has eight bits")
    return bytes([kind, len(value)]) + value + bytes(-(2 + len(value)) % 4)


def _fits(value: int, most: int, what: str) -> int:
    if not 0 <= value <= most:
        raise McpttLocalError(f"{what} must be 0-{most}, not {value}")
    return value


def _octet_and_spare(what: str, most: int = 255) -> Callable[[int], bytes]:
    return lambda value: bytes([_fits(value, most, what), 0])


def _short(what: str) -> Callable[[int], bytes]:
    return lambda value: _fits(value, 0xFFFF, what).to_bytes(2)


def _text(text: str, most: int = MAX_TEXT) -> bytes:
    octets = text.encode()
    if len(octets) > most:
        raise McpttLocalError(f"text of {len(octets)} octets, {most} fit: {text[:40]!r}")
    return octets


def _queue_info(queue: QueueInfo) -> bytes:
    return bytes([_fits(queue.position, 255, "a queue position"), _fits(queue.priority, 255, "a queue priority")])


def _permission(may_request: bool) -> bytes:
    return may_request.to_bytes(2)


def _ssrc(talker: int) -> bytes:
    return _fits(talker, 0xFFFFFFFF, "an SSRC").to_bytes(4) + bytes(2)


_WRITERS: Final[tuple[tuple[Field, str, Callable[[Any], bytes]], ...]] = (
    (Field.PRIORITY, "priority", _octet_and_spare("a floor priority")),
    (Field.DURATION, "duration", _short("a duration")),
    (Field.QUEUE_INFO, "queue", _queue_info),
    (Field.GRANTED_PARTY, "granted_party", _text),
    (Field.PERMISSION, "may_request", _permission),
    (Field.USER_ID, "user", _text),
    (Field.QUEUE_SIZE, "queue_size", _short("a queue size")),
    (Field.SEQUENCE, "sequence", _short("a sequence number")),
    (Field.QUEUED_USER, "queued_user", _text),
    (Field.SOURCE, "source", _short("a source")),
    (Field.MESSAGE_TYPE, "acknowledged", _octet_and_spare("an acknowledged message", 31)),
    (Field.INDICATOR, "indicator", _short("a floor indicator")),
    (Field.SSRC, "talker", _ssrc),
)
