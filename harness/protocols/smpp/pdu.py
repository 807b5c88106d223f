"""Protocol data units of SMPP 3.4 (section 4): framed, read and written by a table of each command's fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from harness.errors import SmppError
from harness.protocols.smpp.codes import RESPONSE, TAG_LENGTHS, Command, Status, Tag

LIST: Final = 2
"""dest_flag of a distribution list."""
HEADER: Final = 16
"""Octets of a unit's header: length, command, status, sequence."""
MAX_PDU: Final = 66_000
"""Octets of the longest unit taken: a message_payload of 65,535 fits."""
MAX_SHORT: Final = 254
"""Octets of a short_message."""
MAX_TLVS: Final = 64
MAX_DESTINATIONS: Final = 254
_ADDRESS: Final = 21
"""Octets of an address or of a list's name, with its NUL."""
MAX_SEQUENCE: Final = 0x7FFF_FFFF


class PduError(SmppError):
    """A unit that can't be read, with what is needed to tell its sender."""

    def __init__(self, why: str, status: Status, command: int = 0, sequence: int = 0, *, lost: bool = False) -> None:
        super().__init__(f"{why} (ESME_{status.name})")
        self.status = status
        self.command = command
        """0 where it could not be read."""
        self.sequence = sequence
        self.lost = lost
        """Whether it is not known where the next unit begins: the connection is of no use."""


class _Text(NamedTuple):
    """A C-octet string."""

    name: str
    most: int
    """Octets with its NUL."""


class _Number(NamedTuple):
    """One octet."""

    name: str


class _Message(NamedTuple):
    """sm_length and short_message."""

    name: str = "short_message"


class _Destinations(NamedTuple):
    """number_of_dests and as many dest_address of a submit_multi (section 4.5.1.1)."""

    name: str = "dest_address"


class _Unreached(NamedTuple):
    """no_unsuccess and as many unsuccess_sme of a submit_multi_resp (section 4.5.2.1)."""

    name: str = "unsuccess_sme"


class Destination(NamedTuple):
    """Whom a submit_multi is for."""

    address: str
    """A number, or the name of a distribution list."""
    ton: int = 0
    npi: int = 0
    flag: int = 1
    """1: a number; 2: a distribution list."""


class Unreached(NamedTuple):
    """Whom a submit_multi was not taken for, and why."""

    address: str
    ton: int
    npi: int
    status: int


_Field = _Text | _Number | _Message | _Destinations | _Unreached
Value = int | str | bytes | tuple[Destination, ...] | tuple[Unreached, ...]
Tlv = tuple[int, bytes]


def _numbers(*names: str) -> tuple[_Number, ...]:
    return tuple(_Number(name) for name in names)


def _party(which: str, most: int = 21) -> tuple[_Field, ...]:
    # The specification names the two of a destination dest_addr_ton and destination_addr.
    ends = {"source": ("source_addr", "source_addr"), "dest": ("dest_addr", "destination_addr")}
    prefix, name = ends.get(which, (which, which))
    return (*_numbers(f"{prefix}_ton", f"{prefix}_npi"), _Text(name, most))


_BIND: Final[tuple[_Field, ...]] = (
    *(_Text("system_id", 16), _Text("password", 9), _Text("system_type", 13)),
    *_numbers("interface_version", "addr_ton", "addr_npi"),
    _Text("address_range", 41),
)
_SUBMIT: Final[tuple[_Field, ...]] = (
    _Text("service_type", 6),
    *_party("source"),
    *_party("dest"),
    *_numbers("esm_class", "protocol_id", "priority_flag"),
    *(_Text("schedule_delivery_time", 17), _Text("validity_period", 17)),
    *_numbers("registered_delivery", "replace_if_present_flag", "data_coding", "sm_default_msg_id"),
    _Message(),
)
_BOUND: Final[tuple[_Field, ...]] = (_Text("system_id", 16),)
_ID: Final[tuple[_Field, ...]] = (_Text("message_id", 65),)
_C: Final = Command
FIELDS: Final[Mapping[int, tuple[_Field, ...]]] = {
    **dict.fromkeys((_C.BIND_RECEIVER, _C.BIND_TRANSMITTER, _C.BIND_TRANSCEIVER), _BIND),
    **dict.fromkeys((_C.BIND_RECEIVER_RESP, _C.BIND_TRANSMITTER_RESP, _C.BIND_TRANSCEIVER_RESP), _BOUND),
    _C.OUTBIND: (_Text("system_id", 16), _Text("password", 9)),
    _C.SUBMIT_SM: _SUBMIT,
    _C.SUBMIT_MULTI: (_SUBMIT[0], *_party("source"), _Destinations(), *_SUBMIT[7:]),
    _C.SUBMIT_MULTI_RESP: (*_ID, _Unreached()),
    _C.DELIVER_SM: _SUBMIT,
    **dict.fromkeys((_C.SUBMIT_SM_RESP, _C.DELIVER_SM_RESP, _C.DATA_SM_RESP), _ID),
    _C.DATA_SM: (
        _Text("service_type", 6),
        *_party("source", 65),
        *_party("dest", 65),
        *_numbers("esm_class", "registered_delivery", "data_coding"),
    ),
    _C.QUERY_SM: (*_ID, *_party("source")),
    _C.QUERY_SM_RESP: (*_ID, _Text("final_date", 17), *_numbers("message_state", "error_code")),
    _C.CANCEL_SM: (_Text("service_type", 6), *_ID, *_party("source"), *_party("dest")),
    _C.REPLACE_SM: (
        *(*_ID, *_party("source"), _Text("schedule_delivery_time", 17), _Text("validity_period", 17)),
        *_numbers("registered_delivery", "sm_default_msg_id"),
        _Message(),
    ),
    _C.ALERT_NOTIFICATION: (*_party("source", 65), *_party("esme_addr", 65)),
    **dict.fromkeys((_C.CANCEL_SM_RESP, _C.REPLACE_SM_RESP, _C.UNBIND, _C.UNBIND_RESP, _C.GENERIC_NACK), ()),
    **dict.fromkeys((_C.ENQUIRE_LINK, _C.ENQUIRE_LINK_RESP), ()),
}
"""Each command's mandatory fields, in order."""


@dataclass(frozen=True, slots=True)
class Pdu:
    """One unit."""

    command: int
    sequence: int
    """1 to 0x7FFFFFFF; 0 in a generic_nack of what could not be read."""
    status: int = Status.ROK
    fields: Mapping[str, Value] = field(default_factory=dict)
    """Mandatory fields by the specification's names; what is left out is written 0 or empty."""
    tlvs: tuple[Tlv, ...] = ()
    """Optional parameters, tag and value, in order."""

    def number(self, name: str) -> int:
        """A field of one octet; 0 where it is not there."""
        value = self.fields.get(name, 0)
        return value if isinstance(value, int) else 0

    def text(self, name: str) -> str:
        """A C-octet string; empty where it is not there."""
        value = self.fields.get(name, "")
        return value if isinstance(value, str) else ""

    @property
    def destinations(self) -> tuple[Destination, ...]:
        """Whom a submit_multi is for."""
        value = self.fields.get("dest_address", ())
        return tuple(each for each in value if isinstance(each, Destination)) if isinstance(value, tuple) else ()

    @property
    def message(self) -> bytes:
        """short_message, or message_payload where it is there instead."""
        payload = self.tlv(Tag.MESSAGE_PAYLOAD)
        if payload is not None:
            return payload
        value = self.fields.get("short_message", b"")
        return value if isinstance(value, bytes) else b""

    def tlv(self, tag: int) -> bytes | None:
        """An optional parameter's value; None where it is not there."""
        return next((value for each, value in self.tlvs if each == tag), None)

    def answer(self, status: int = Status.ROK, fields: Mapping[str, Value] | None = None) -> Pdu:
        """The response to this request."""
        return Pdu(self.command | RESPONSE, self.sequence, status, fields or {})

    def write(self) -> bytes:
        """The octets. Raises SmppError for a value that a field can't hold."""
        body = b""
        # A response that tells an error has no body (section 4.4.2 and others).
        if not (self.command & RESPONSE and self.status):
            body = b"".join(_write(each, self.fields.get(each.name)) for each in FIELDS.get(self.command, ()))
            for tag, value in self.tlvs:
                if not 0 <= tag <= 0xFFFF or len(value) > 0xFFFF:
                    raise SmppError(f"optional parameter {tag:#06x} of {len(value)} octets can't be written")
                body += tag.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value
        length = HEADER + len(body)
        if length > MAX_PDU:
            raise SmppError(f"a unit of {length} octets; {MAX_PDU} at most are written")
        return b"".join(each.to_bytes(4, "big") for each in (length, self.command, self.status, self.sequence)) + body


def _write(item: _Field, value: Value | None) -> bytes:
    match item, value:
        case _Number(), None:
            return b"\x00"
        case _Number(), int() if 0 <= value <= 255:
            return bytes((value,))
        case _Text(), None:
            return b"\x00"
        case _Text(_, most), str() if len(value) < most and value.isascii() and "\x00" not in value:
            return value.encode("ascii") + b"\x00"
        case _Message(), None:
            return b"\x00"
        case _Message(), bytes() if len(value) <= MAX_SHORT:
            return bytes((len(value),)) + value
        case _Destinations() | _Unreached(), tuple() if len(value) <= 255:
            return bytes((len(value),)) + b"".join(_write_one(each) for each in value)
    raise SmppError(f"{item.name} can't be {value!r:.80}")


def _write_one(each: Destination | Unreached) -> bytes:
    address = _write(_Text("address", _ADDRESS), each.address)
    ends = bytes((each.ton & 0xFF, each.npi & 0xFF))
    if isinstance(each, Unreached):
        return ends + address + each.status.to_bytes(4, "big")
    return bytes((each.flag & 0xFF,)) + (b"" if each.flag == LIST else ends) + address


class PduStream:
    """Octets as they come to whole units; keeps MAX_PDU octets at most."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def push(self, data: bytes) -> None:
        """Add octets. Call `take` until it gives None after each."""
        self._buffer += data

    def take(self) -> bytes | None:
        """The next whole unit. Raises PduError, `lost`, for a length that no unit has: nothing can be read after it."""
        if len(self._buffer) < HEADER:
            return None
        length = int.from_bytes(self._buffer[:4], "big")
        if not HEADER <= length <= MAX_PDU:
            command, _, sequence = (int.from_bytes(self._buffer[at : at + 4], "big") for at in (4, 8, 12))
            self._buffer.clear()
            why = f"command_length {length}; {HEADER} to {MAX_PDU} is allowed"
            raise PduError(why, Status.RINVCMDLEN, command, sequence, lost=True)
        if len(self._buffer) < length:
            return None
        unit = bytes(self._buffer[:length])
        del self._buffer[:length]
        return unit


def read(unit: bytes) -> Pdu:
    """The unit of its octets, header included. Raises PduError."""
    if len(unit) < HEADER or int.from_bytes(unit[:4], "big") != len(unit):
        raise PduError(f"a unit of {len(unit)} octets whose length tells another", Status.RINVCMDLEN)
    command, status, sequence = (int.from_bytes(unit[at : at + 4], "big") for at in (4, 8, 12))
    items = FIELDS.get(command)
    if items is None:
        raise PduError(f"command {command:#010x} is unknown", Status.RINVCMDID, command, sequence)
    if command & RESPONSE and status and len(unit) == HEADER:
        return Pdu(command, sequence, status)
    reader = _Reader(unit, command, sequence)
    # Some answer deliver_sm and the like with no body at all; an empty message_id is what it comes to.
    empty = command & RESPONSE and len(unit) == HEADER
    fields = {} if empty else {item.name: reader.field(item) for item in items}
    return Pdu(command, sequence, status, fields, reader.tlvs())


class _Reader:
    def __init__(self, unit: bytes, command: int, sequence: int) -> None:
        self._unit = unit
        self._at = HEADER
        self._command, self._sequence = command, sequence

    def _error(self, why: str, status: Status) -> PduError:
        return PduError(why, status, self._command, self._sequence)

    def field(self, item: _Field) -> Value:
        match item:
            case _Text(name, most):
                end = self._unit.find(b"\x00", self._at, self._at + most)
                if end < 0:
                    whole = self._at + most <= len(self._unit)
                    why = f"{name} is longer than {most} octets" if whole else f"cut short in {name}"
                    raise self._error(why, Status.RINVPARLEN if whole else Status.RINVCMDLEN)
                raw, self._at = self._unit[self._at : end], end + 1
                return raw.decode("latin-1")
            case _Number(name):
                return self._octets(1, name)[0]
            case _Message(name):
                length = self._octets(1, "sm_length")[0]
                if length > MAX_SHORT:
                    raise self._error(f"sm_length {length}; {MAX_SHORT} at most is allowed", Status.RINVMSGLEN)
                return self._octets(length, name)
            case _Destinations():
                return self._destinations()
            case _Unreached():
                return tuple(self._unreached() for _ in range(self._octets(1, "no_unsuccess")[0]))

    def _destinations(self) -> tuple[Destination, ...]:
        count = self._octets(1, "number_of_dests")[0]
        if not 1 <= count <= MAX_DESTINATIONS:
            raise self._error(f"number_of_dests {count}; 1 to {MAX_DESTINATIONS} is allowed", Status.RINVNUMDESTS)
        return tuple(self._destination() for _ in range(count))

    def _destination(self) -> Destination:
        flag = self._octets(1, "dest_flag")[0]
        if flag not in (1, LIST):
            raise self._error(f"dest_flag {flag}; 1 or 2 is allowed", Status.RINVDESTFLAG)
        ton, npi = (0, 0) if flag == LIST else self._octets(2, "dest_addr_ton")
        return Destination(self._text("dest_address"), ton, npi, flag)

    def _unreached(self) -> Unreached:
        ton, npi = self._octets(2, "dest_addr_ton")
        return Unreached(self._text("unsuccess_sme"), ton, npi, int.from_bytes(self._octets(4, "error_status_code")))

    def _text(self, name: str) -> str:
        value = self.field(_Text(name, _ADDRESS))
        assert isinstance(value, str), "a C-octet string is text"
        return value

    def _octets(self, count: int, name: str) -> bytes:
        raw = self._unit[self._at : self._at + count]
        if len(raw) < count:
            raise self._error(f"cut short in {name}", Status.RINVCMDLEN)
        self._at += count
        return raw

    def tlvs(self) -> tuple[Tlv, ...]:
        found: list[Tlv] = []
        while self._at < len(self._unit):
            head = self._unit[self._at : self._at + 4]
            tag, length = int.from_bytes(head[:2], "big"), int.from_bytes(head[2:], "big")
            value = self._unit[self._at + 4 : self._at + 4 + length]
            if len(head) < 4 or len(value) < length:
                raise self._error("cut short in an optional parameter", Status.RINVOPTPARSTREAM)
            least, most = TAG_LENGTHS.get(tag, (0, 0xFFFF))  # type: ignore[call-overload]
            if not least <= length <= most:
                raise self._error(f"optional parameter {tag:#06x} of {length} octets", Status.RINVPARLEN)
            self._at += 4 + length
            found.append((tag, value))
            if len(found) > MAX_TLVS:
                raise self._error(f"more than {MAX_TLVS} optional parameters", Status.RINVOPTPARSTREAM)
        return tuple(found)
