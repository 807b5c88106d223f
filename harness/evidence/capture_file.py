"""Reads the files that captures are kept in, pcap and pcapng: frames with their times and links, in the file's order.

The forms are those of draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng. Nothing is taken on trust: a length that
the file does not have is told, and no more is held than the file's own bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from harness.errors import LocalError

MAX_INTERFACES: Final = 1_024
"""Interfaces of one section of a pcapng."""
_PCAP: Final = {
    b"\xd4\xc3\xb2\xa1": ("<", 1_000_000),
    b"\xa1\xb2\xc3\xd4": (">", 1_000_000),
    b"\x4d\x3c\xb2\xa1": ("<", 1_000_000_000),
    b"\xa1\xb2\x3c\x4d": (">", 1_000_000_000),
}
"""By a pcap's first bytes: the order of bytes, and parts of a second."""
_PCAP_HEADER: Final = 24
_RECORD_HEADER: Final = 16
_SECTION: Final = 0x0A0D0D0A
_ORDERS: Final = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
"""By a section's magic: the order of its bytes."""
_INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _PACKET = 1, 2, 3, 6
_BLOCK: Final = 12
"""Bytes of a block with nothing in it: type and length, and the length again."""
_SECTION_HEADER: Final = 28
_END_OF_OPTIONS, _RESOLUTION, _OFFSET = 0, 9, 14
_GZIP: Final = b"\x1f\x8b"


class CaptureError(LocalError):
    """Bytes that are not a capture of packets."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What was captured of one packet."""

    time: float
    """Seconds since 1970."""
    link: int
    """The number of the kind of link on which it was captured."""
    octets: bytes


def frames(body: bytes) -> Iterator[Frame]:
    """Yield the frames of a capture file. Raises CaptureError, at the place, for what is none or is cut off."""
    if body[:4] in _PCAP:
        return _of_pcap(body)
    if body[:4] == struct.pack("<I", _SECTION):
        return _of_pcapng(body)
    if not body:
        raise CaptureError("not a capture: the file is empty")
    if body[:2] == _GZIP:
        raise CaptureError("not a capture: found a file that gzip made; gunzip makes a capture of it")
    raise CaptureError(f"not a capture: found {body[:4].hex(' ')} at the beginning; a pcap or a pcapng is due")


def _of_pcap(body: bytes) -> Iterator[Frame]:
    order, parts = _PCAP[body[:4]]
    if len(body) < _PCAP_HEADER:
        raise CaptureError(f"not a capture: cut off in its header, {_PCAP_HEADER - len(body)} bytes are missing")
    # Beside the link's number there may be whether checksums of frames are kept.
    link = struct.unpack_from(f"{order}I", body, 20)[0] & 0xFFFF
    head = struct.Struct(f"{order}IIII")
    at, number = _PCAP_HEADER, 0
    while at < len(body):
        number += 1
        if len(body) - at < _RECORD_HEADER:
            raise CaptureError(f"not a capture: cut off after its last packet, {len(body) - at} bytes are no packet")
        seconds, fraction, kept, _ = head.unpack_from(body, at)
        at += _RECORD_HEADER + kept
        if at > len(body):
            raise _cut_off(f"packet {number}", at - len(body))
        yield Frame(seconds + fraction / parts, link, body[at - kept : at])


def _cut_off(what: str, missing: int) -> CaptureError:
    return CaptureError(
        f"not a capture: cut off in {what}, {missing} bytes are missing; 'editcap IN OUT' keeps what is whole"
    )


@dataclass(frozen=True, slots=True)
class _Interface:
    """Where packets of a pcapng were captured."""

    link: int
    parts: int = 1_000_000
    """Of a second: in these its times are."""
    offset: int = 0
    """Seconds to be added to its times."""


@dataclass(slots=True)
class _Section:
    """What a section of a pcapng told so far."""

    order: str
    interfaces: list[_Interface] = field(default_factory=list)

    def interface(self, number: int, where: str) -> _Interface:
        if number >= len(self.interfaces):
            raise CaptureError(
                f"not a capture: {where} is of interface {number}; {len(self.interfaces)} were told before it"
            )
        return self.interfaces[number]


def _of_pcapng(body: bytes) -> Iterator[Frame]:
    section = _Section("<")
    at, number = 0, 0
    while at < len(body):
        number += 1
        where = f"block {number}"
        kind, end, section = _block(body, at, section, where)
        content = body[at + 8 : end - 4]
        at = end
        if kind == _INTERFACE:
            if len(section.interfaces) >= MAX_INTERFACES:
                raise CaptureError(f"not a capture: found more than {MAX_INTERFACES} interfaces")
            section.interfaces.append(_interface(content, section.order, where))
        elif kind in (_PACKET, _OLD_PACKET):
            yield _packet(content, section, where, old=kind == _OLD_PACKET)
        elif kind == _SIMPLE_PACKET:
            raise CaptureError(
                f"not a capture with times: {where} is a simple packet, which has none; who captured has to keep them"
            )


def _block(body: bytes, at: int, section: _Section, where: str) -> tuple[int, int, _Section]:
    """Return a block's type, where it ends, and the section that it is of. Raises CaptureError."""
    if len(body) - at < _BLOCK:
        raise CaptureError(f"not a capture: cut off after its last block, {len(body) - at} bytes are no block")
    kind: int = struct.unpack_from(f"{section.order}I", body, at)[0]
    least = _BLOCK
    if kind == _SECTION:
        order = _ORDERS.get(body[at + 8 : at + 12])
        if order is None:
            raise CaptureError(f"not a capture: {where} begins a section whose order of bytes it does not tell")
        section, least = _Section(order), _SECTION_HEADER
    (length,) = struct.unpack_from(f"{section.order}I", body, at + 4)
    if length < least or length % 4:
        raise CaptureError(f"not a capture: {where} says that it has {length} bytes, which no such block has")
    if length > len(body) - at:
        raise _cut_off(where, length - (len(body) - at))
    (again,) = struct.unpack_from(f"{section.order}I", body, at + length - 4)
    if again != length:
        raise CaptureError(f"not a capture: {where} has {length} bytes by its beginning, and {again} by its end")
    if kind == _SECTION and (major := struct.unpack_from(f"{section.order}H", body, at + 12)[0]) != 1:
        raise CaptureError(f"not a capture: {where} is of pcapng {major}; this reads 1")
    return kind, at + length, section


def _interface(content: bytes, order: str, where: str) -> _Interface:
    if len(content) < 8:
        raise CaptureError(f"not a capture: {where} tells of an interface, and is too short for it")
    (link,) = struct.unpack_from(f"{order}H", content)
    options = dict(_options(content[8:], order, where))
    resolution, offset = options.get(_RESOLUTION, b"\x06"), options.get(_OFFSET, bytes(8))
    if len(resolution) != 1 or len(offset) != 8:
        raise CaptureError(f"not a capture: {where} tells the resolution or offset of its times in a wrong length")
    exponent = resolution[0] & 0x7F
    parts = 2**exponent if resolution[0] & 0x80 else 10**exponent
    return _Interface(link, parts, struct.unpack(f"{order}q", offset)[0])


def _options(content: bytes, order: str, where: str) -> Iterator[tuple[int, bytes]]:
    at = 0
    while len(content) - at >= 4:
        code, length = struct.unpack_from(f"{order}HH", content, at)
        if code == _END_OF_OPTIONS:
            return
        if length > len(content) - at - 4:
            raise CaptureError(f"not a capture: {where} has an option of {length} bytes, which end after it")
        yield code, content[at + 4 : at + 4 + length]
        at += 4 + length + -length % 4


def _packet(content: bytes, section: _Section, where: str, *, old: bool) -> Frame:
    if len(content) < 20:
        raise CaptureError(f"not a capture: {where} tells of a packet, and is too short for it")
    # The obsolete kind keeps how many were dropped in the interface's upper half.
    number: int = struct.unpack_from(f"{section.order}{'H' if old else 'I'}", content)[0]
    high, low, kept = struct.unpack_from(f"{section.order}III", content, 4)
    if kept > len(content) - 20:
        raise CaptureError(f"not a capture: {where} says that it keeps {kept} bytes of a packet, and has fewer")
    interface = section.interface(number, where)
    seconds, rest = divmod(high << 32 | low, interface.parts)
    return Frame(seconds + interface.offset + rest / interface.parts, interface.link, content[20 : 20 + kept])
