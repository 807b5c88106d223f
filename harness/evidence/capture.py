"""Turns a run's record files into a pcap that any dissector reads, and reads one back.

Each datagram gets real Ethernet, IP and UDP headers with right lengths and checksums; its time is the run's origin on
the calendar plus run time. scapy makes each flow's headers and writes the file; lengths and checksums are then set for
each packet.
"""

from __future__ import annotations

import heapq
import io
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast

from harness.errors import LocalError
from harness.transport.tap import Address, Crossing, Kind, read_capture

PCAP_BYTES = 8 * 1024 * 1024
"""Bytes of datagrams that one pcap attachment holds; the rest is left out with a note."""
MAX_DATAGRAM = 65_507
"""Largest UDP payload over IPv4 (RFC 768, RFC 791)."""
TEXT_PAIR_S = 0.25
"""Two equal text datagrams nearer than this are one, seen at both its ends; SIP repeats after 0.5 s (RFC 3261 T1)."""
BINARY_PAIR_S = 2.0
"""The same for binary ones: RTP numbers each datagram, so that equal ones are never two."""
PAIRS_OPEN = 100_000
"""Datagrams remembered while their other end's record is awaited."""
_ETHERNET = 14
_IPV4 = 20
_IPV6 = 40
_UDP = 8


class CaptureError(LocalError):
    """Bytes that are not a capture of UDP datagrams."""


@dataclass(frozen=True, slots=True)
class Captured:
    """One datagram read from a pcap."""

    time: float
    """Seconds since 1970."""
    source: Address
    target: Address
    payload: bytes


@dataclass(frozen=True, slots=True)
class Pcap:
    """A pcap file and what is in it."""

    body: bytes
    datagrams: int
    left_out: int
    """Datagrams that did not fit, or that no IP header can carry."""


def crossings(files: Iterable[Path], start: float, end: float) -> Iterator[Crossing]:
    """Yield what crossed from ``start`` to ``end`` (run seconds), in order of time, each datagram once.

    Both ends of a datagram may have recorded it, in one process or in two; of such a pair the earlier is kept. Of a
    serial line that two processes recorded, the fuller record is kept.
    """
    within = _one_record_a_line([_slice(path, start, end) for path in files])
    seen: dict[tuple[str, str, bytes], float] = {}
    for crossing in heapq.merge(*within, key=lambda each: each.time):
        if crossing.kind is not Kind.DATAGRAM:
            yield crossing
            continue
        key = (crossing.source, crossing.target, crossing.payload)
        earlier = seen.pop(key, None)
        pair = TEXT_PAIR_S if crossing.payload[:1].isalpha() else BINARY_PAIR_S
        if earlier is not None and crossing.time - earlier <= pair:
            continue
        seen[key] = crossing.time
        if len(seen) > PAIRS_OPEN:
            del seen[next(iter(seen))]
        yield crossing


def _one_record_a_line(files: list[list[Crossing]]) -> list[list[Crossing]]:
    fullest: dict[str, tuple[int, int]] = {}
    for index, records in enumerate(files):
        sizes: Counter[str] = Counter()
        for crossing in records:
            if crossing.kind is not Kind.DATAGRAM:
                sizes[crossing.source] += len(crossing.payload)
        for line, size in sizes.items():
            if size > fullest.get(line, (0, 0))[0]:
                fullest[line] = size, index
    return [
        [c for c in records if c.kind is Kind.DATAGRAM or fullest.get(c.source, (0, index))[1] == index]
        for index, records in enumerate(files)
    ]


def _slice(path: Path, start: float, end: float) -> list[Crossing]:
    """Return a file's records in the window; sorted, because a record's time may lie before its place in the file."""
    return sorted((c for c in read_capture(path) if start <= c.time <= end), key=lambda each: each.time)


def write_pcap(datagrams: Iterable[Crossing], origin_epoch: float, *, limit: int = PCAP_BYTES) -> Pcap:
    """Return a pcap of ``datagrams``; ``origin_epoch`` is the calendar time (seconds since 1970) of run time 0."""
    from scapy.utils import RawPcapWriter  # noqa: PLC0415 (scapy takes most of a second to import)

    buffer = _Unclosed()
    frames = _Frames()
    written = left_out = size = 0
    writer = RawPcapWriter(buffer, linktype=1)
    writer.write_header(None)
    for crossing in datagrams:
        if crossing.kind is not Kind.DATAGRAM:
            continue
        frame = frames.build(crossing)
        if frame is None or size + len(frame) > limit:
            left_out += 1
            continue
        size += len(frame)
        written += 1
        micros = round((origin_epoch + crossing.time) * 1e6)
        writer.write_packet(frame, sec=micros // 1_000_000, usec=micros % 1_000_000)
    writer.flush()
    return Pcap(buffer.getvalue(), written, left_out)


class _Unclosed(io.BytesIO):
    """Bytes that stay readable after a writer closes them."""

    def close(self) -> None:
        return


class _Frames:
    """Builds frames from a template a flow."""

    def __init__(self) -> None:
        self._templates: dict[tuple[str, str], tuple[bytes, int] | None] = {}

    def build(self, crossing: Crossing) -> bytes | None:
        """Return the datagram as an Ethernet frame, or None where its addresses are no IP addresses."""
        if len(crossing.payload) > MAX_DATAGRAM:
            return None
        key = (crossing.source, crossing.target)
        if key not in self._templates:
            self._templates[key] = self._template(*crossing.addresses())
        template = self._templates[key]
        if template is None:
            return None
        head, version = template
        return _filled(head, version, crossing.payload)

    @staticmethod
    def _template(source: Address, target: Address) -> tuple[bytes, int] | None:
        from scapy.layers.inet import IP, UDP  # noqa: PLC0415 (as above)
        from scapy.layers.inet6 import IPv6  # noqa: PLC0415
        from scapy.layers.l2 import Ether  # noqa: PLC0415

        try:
            here, there = ip_address(source[0]), ip_address(target[0])
        except ValueError:
            return None
        if here.version != there.version:
            return None
        network = IP if here.version == 4 else IPv6
        frame = (
            Ether(src=_station(source), dst=_station(target))
            / network(src=str(here), dst=str(there))
            / UDP(sport=source[1], dport=target[1])
        )
        return bytes(frame), here.version


def _station(address: Address) -> str:
    """Return a locally administered hardware address that tells one port from another."""
    return f"02:00:00:00:{address[1] >> 8:02x}:{address[1] & 255:02x}"


def _filled(head: bytes, version: int, payload: bytes) -> bytes:
    from scapy.utils import checksum  # noqa: PLC0415 (as above)

    frame = bytearray(head)
    length = _UDP + len(payload)
    udp = _ETHERNET + (_IPV4 if version == 4 else _IPV6)
    struct.pack_into("!HH", frame, udp + 4, length, 0)
    if version == 4:
        struct.pack_into("!H", frame, _ETHERNET + 2, _IPV4 + length)
        struct.pack_into("!H", frame, _ETHERNET + 10, 0)
        struct.pack_into("!H", frame, _ETHERNET + 10, checksum(bytes(frame[_ETHERNET:udp])))
        pseudo = bytes(frame[_ETHERNET + 12 : udp]) + struct.pack("!BBH", 0, 17, length)
    else:
        struct.pack_into("!H", frame, _ETHERNET + 4, length)
        pseudo = bytes(frame[_ETHERNET + 8 : udp]) + struct.pack("!II", length, 17)
    # A sum of 0 is sent as its complement: 0 would mean that there is none (RFC 768).
    struct.pack_into("!H", frame, udp + 6, checksum(pseudo + bytes(frame[udp:]) + payload) or 0xFFFF)
    return bytes(frame) + payload


def read_pcap(body: bytes) -> list[Captured]:
    """Return the UDP datagrams of a pcap. Raises CaptureError when it is none."""
    from scapy.error import Scapy_Exception  # noqa: PLC0415 (as above)
    from scapy.layers.inet import IP, UDP  # noqa: PLC0415
    from scapy.layers.inet6 import IPv6  # noqa: PLC0415
    from scapy.layers.l2 import Ether  # noqa: PLC0415
    from scapy.utils import RawPcapReader  # noqa: PLC0415

    found: list[Captured] = []
    try:
        for frame, meta in cast(Any, RawPcapReader)(io.BytesIO(body)):
            packet = Ether(frame)
            if not packet.haslayer(UDP):
                continue
            network = packet[IP] if packet.haslayer(IP) else packet[IPv6]
            udp = packet[UDP]
            payload = bytes(frame[len(frame) - (udp.len - _UDP) :]) if udp.len > _UDP else b""
            time = meta.sec + meta.usec / 1e6
            found.append(Captured(time, (network.src, udp.sport), (network.dst, udp.dport), payload))
    except (Scapy_Exception, EOFError, struct.error) as error:
        raise CaptureError(f"not a capture: {error}") from error
    return found
