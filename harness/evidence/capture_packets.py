"""Reads the UDP datagrams and TCP segments of a capture by the headers of link and IP alone; pieces are joined.

A datagram that the network cut (RFC 791, RFC 8200 clause 4.5) is there whole, at the time of the piece that made it
so, or not at all. Of what is no UDP and no TCP nothing is told.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from socket import AF_INET, AF_INET6, inet_ntop
from typing import Final, NamedTuple

from harness.evidence.capture_file import CaptureError, Frame, frames
from harness.transport.tap import Address


class Link(NamedTuple):
    """A kind of link."""

    name: str
    head: int
    """Bytes before what it carries."""
    kind_at: int | None = None
    """Where it tells what that is (an Ethertype); None where only IP can be."""


LINKS: Final[dict[int, Link]] = {
    0: Link("loopback", 4),
    1: Link("Ethernet", 14, 12),
    12: Link("IP alone, by the systems' number", 0),
    101: Link("IP alone", 0),
    108: Link("loopback of OpenBSD", 4),
    113: Link("tcpdump -i any", 16, 14),
    228: Link("IPv4 alone", 0),
    229: Link("IPv6 alone", 0),
    276: Link("tcpdump -i any, version 2", 20, 0),
}
"""Links that are read, by their number in a capture (tcpdump.org/linktypes)."""
MAX_PIECES: Final = 64
"""Pieces of one datagram: 65,535 bytes in packets of 1,280, the least that every IPv6 link has."""
MAX_CUT: Final = 256
"""Datagrams whose pieces are waited for at once; the oldest is given up."""
PIECES_WITHIN_S: Final = 60.0
"""Pieces of one datagram come so near to its first (RFC 8200 clause 4.5)."""
MAX_IP: Final = 65_535
_IPV4: Final = 20
_IPV6: Final = 40
_UDP: Final = 8
_TCP: Final = 20
_UDP_NUMBER: Final = 17
_TCP_NUMBER: Final = 6
_FRAGMENT: Final = 44
"""The extension header of IPv6 that a piece has."""
_TAGS: Final = (b"\x81\x00", b"\x88\xa8", b"\x91\x00")
"""Ethertypes of a tag (IEEE 802.1Q, and as it was before 802.1ad), after which what it carries is told anew."""
_VERSIONS: Final = {b"\x08\x00": 4, b"\x86\xdd": 6}
"""The version of IP by its Ethertype."""
_IPV6_OPTIONS: Final = frozenset({0, 43, 60})
"""Extension headers of IPv6 that have a length and lead on: hop-by-hop, routing, destination (RFC 8200, clause 4)."""
_SYN: Final = 2


@dataclass(frozen=True, slots=True)
class Captured:
    """One datagram, or one segment of a connection, read from a capture."""

    time: float
    """Seconds since 1970."""
    source: Address
    target: Address
    payload: bytes
    tcp: bool = False
    """Whether it is a segment of a TCP connection."""
    sequence: int = 0
    """A segment's sequence number; 0 of a datagram."""
    opens: bool = False
    """Whether a segment opens its direction of a connection (SYN), which takes a number itself."""


class _Packet(NamedTuple):
    """What an IP packet carries, or the piece of it that it carries."""

    protocol: int
    here: str
    there: str
    octets: bytes
    piece: tuple[int, int, bool] | None = None
    """Of a datagram that was cut: its identification, where this piece begins, whether more follow."""


def read_capture(body: bytes) -> list[Captured]:
    """Return the UDP datagrams and TCP segments of a pcap or pcapng, in its order.

    Of a packet that was not kept whole, what there is of the payload. Raises CaptureError when it is no capture, is cut
    off, or is all of kinds of links that LINKS does not have.
    """
    found: list[Captured] = []
    pieces = _Pieces()
    unread: set[int] = set()
    for frame in frames(body):
        if frame.link not in LINKS:
            unread.add(frame.link)
            continue
        packet = _packet_of(frame)
        if packet is not None and packet.piece is not None:
            packet = pieces.take(packet, frame.time)
        if packet is not None and (captured := _captured(packet, frame.time)) is not None:
            found.append(captured)
    if unread and not found:
        names = ", ".join(f"{number} ({link.name})" for number, link in LINKS.items())
        others = ", ".join(map(str, sorted(unread)[:8]))
        raise CaptureError(f"not a capture that can be read: found link type {others}; this reads {names}")
    return found


def _captured(packet: _Packet, time: float) -> Captured | None:
    octets = packet.octets
    if packet.protocol == _UDP_NUMBER and len(octets) >= _UDP:
        ports = struct.unpack_from("!HH", octets)
        return Captured(time, (packet.here, ports[0]), (packet.there, ports[1]), octets[_UDP:])
    if packet.protocol == _TCP_NUMBER and len(octets) >= _TCP:
        here, there, sequence = struct.unpack_from("!HHI", octets)
        payload = octets[max(_TCP, 4 * (octets[12] >> 4)) :]
        ends = (packet.here, here), (packet.there, there)
        return Captured(time, *ends, payload, True, sequence, bool(octets[13] & _SYN))
    return None


def _packet_of(frame: Frame) -> _Packet | None:
    """Return the IP packet in a frame; None where there is none, or not its whole header."""
    octets, link = frame.octets, LINKS[frame.link]
    at = link.head
    if link.kind_at is None:
        version = octets[at] >> 4 if len(octets) > at else None
    else:
        kind = octets[link.kind_at : link.kind_at + 2]
        while kind in _TAGS:
            kind, at = octets[at + 2 : at + 4], at + 4
        version = _VERSIONS.get(kind)
    if version == 4 and len(octets) >= at + _IPV4:
        return _of_version_4(octets[at:])
    if version == 6 and len(octets) >= at + _IPV6:
        return _of_version_6(octets[at:])
    return None


def _of_version_4(octets: bytes) -> _Packet:
    length, identification, cut = struct.unpack_from("!HHH", octets, 2)
    # A capture on the sending machine may have 0 for what its network card is still to cut.
    end = length or len(octets)
    ends = inet_ntop(AF_INET, octets[12:16]), inet_ntop(AF_INET, octets[16:20])
    begin, more = 8 * (cut & 0x1FFF), bool(cut & 0x2000)
    piece = (identification, begin, more) if begin or more else None
    return _Packet(octets[9], *ends, octets[max(_IPV4, 4 * (octets[0] & 15)) : end], piece)


def _of_version_6(octets: bytes) -> _Packet:
    length = int.from_bytes(octets[4:6])
    end = _IPV6 + length if length else len(octets)
    ends = inet_ntop(AF_INET6, octets[8:24]), inet_ntop(AF_INET6, octets[24:40])
    protocol, at, piece = octets[6], _IPV6, None
    while len(octets) >= at + 8 and (protocol in _IPV6_OPTIONS or protocol == _FRAGMENT):
        if protocol == _FRAGMENT:
            cut, identification = struct.unpack_from("!HI", octets, at + 2)
            # One piece that is the whole is no piece (RFC 6946).
            piece = (identification, cut & 0xFFF8, bool(cut & 1)) if cut & 0xFFF9 else None
            protocol, at = octets[at], at + 8
            if piece is not None:
                break
        else:
            protocol, at = octets[at], at + 8 * (octets[at + 1] + 1)
    return _Packet(protocol, *ends, octets[at:end], piece)


@dataclass(slots=True)
class _Cut:
    """A datagram of which not all pieces are there."""

    began: float
    """When its first piece came."""
    protocol: int | None = None
    """As the piece tells that it begins with."""
    parts: dict[int, bytes] = field(default_factory=dict)
    """By where they begin."""
    length: int | None = None
    """Of the whole, as its last piece tells."""

    def whole(self) -> bytes | None:
        if self.length is None or sum(map(len, self.parts.values())) < self.length:
            return None
        octets = b""
        for begin, part in sorted(self.parts.items()):
            if begin > len(octets):
                return None
            octets += part[len(octets) - begin :]
        return octets[: self.length] if len(octets) >= self.length else None


class _Pieces:
    """Joins the pieces of datagrams; where two tell the same bytes, the first is believed."""

    def __init__(self) -> None:
        self._cut: dict[tuple[str, str, int], _Cut] = {}

    def take(self, packet: _Packet, time: float) -> _Packet | None:
        """Take a piece; return the whole packet once it is there."""
        assert packet.piece is not None
        identification, begin, more = packet.piece
        key = packet.here, packet.there, identification
        cut = self._cut.get(key)
        if cut is None or abs(time - cut.began) > PIECES_WITHIN_S:
            self._cut.pop(key, None)
            if len(self._cut) >= MAX_CUT:
                del self._cut[next(iter(self._cut))]
            cut = self._cut[key] = _Cut(time)
        if begin + len(packet.octets) <= MAX_IP and len(cut.parts) < MAX_PIECES:
            cut.parts.setdefault(begin, packet.octets)
        if not more:
            cut.length = begin + len(packet.octets)
        if begin == 0:
            cut.protocol = packet.protocol
        whole = cut.whole()
        if whole is None or cut.protocol is None:
            return None
        del self._cut[key]
        return _Packet(cut.protocol, packet.here, packet.there, whole)
