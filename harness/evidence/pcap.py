"""Writes what crossed as a pcap that any dissector reads.

Each datagram gets real Ethernet, IP and UDP headers with right lengths and checksums; its time is the run's origin on
the calendar plus run time. The pieces of a connection become TCP segments: their bytes, order, ends and times are what
the programs at its ends wrote and read; how the network cut them, its handshake and its acknowledgements were not seen,
and sequence numbers begin at 1 where the capture begins. What TLS carried is shown in the clear.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from harness.evidence.capture import STREAMS
from harness.transport.tap import Address, Crossing, Kind

PCAP_BYTES: Final = 8 * 1024 * 1024
"""Bytes of packets that one pcap attachment holds; the rest is left out with a note."""
MAX_DATAGRAM: Final = 65_507
"""Largest UDP payload over IPv4 (RFC 768, RFC 791)."""
SEGMENT: Final = 32 * 1024
"""Bytes of a connection that one packet carries at most."""
_ETHERNET_LINK: Final = 1
_ETHERNET: Final = 14
_IPV4: Final = 20
_IPV6: Final = 40
_UDP: Final = 8
_TCP: Final = 20
_UDP_NUMBER: Final = 17
_TCP_NUMBER: Final = 6
_PUSH_ACK: Final = 0x18
_WINDOW: Final = 65_535


@dataclass(frozen=True, slots=True)
class Pcap:
    """A pcap file and what is in it."""

    body: bytes
    packets: int
    left_out: int
    """Datagrams and segments that did not fit, or that no IP header can carry."""
    secured: bool
    """Whether something in it crossed the wire under TLS, and is shown in the clear here."""
    numbers: tuple[int, ...]
    """Of each crossing that was given, its first packet's number as dissectors count, from 1; 0 where it is not in."""


def write_pcap(crossed: Iterable[Crossing], origin_epoch: float, *, limit: int = PCAP_BYTES) -> Pcap:
    """Return a pcap of the datagrams and connections among what crossed.

    ``origin_epoch`` is the calendar time (seconds since 1970) of run time 0.
    """
    from scapy.utils import RawPcapWriter  # noqa: PLC0415 (scapy takes most of a second to import)

    buffer = _Unclosed()
    frames = _Frames()
    written = left_out = size = 0
    secured = False
    writer = RawPcapWriter(buffer, linktype=_ETHERNET_LINK)
    writer.write_header(None)
    numbers: list[int] = []
    for crossing in crossed:
        numbers.append(0)
        if crossing.kind is not Kind.DATAGRAM and crossing.kind not in STREAMS:
            continue
        packets = frames.build(crossing)
        if not packets or size + sum(map(len, packets)) > limit:
            left_out += 1
            continue
        numbers[-1] = written + 1
        secured |= crossing.kind is Kind.SECURED
        micros = round((origin_epoch + crossing.time) * 1e6)
        for packet in packets:
            size += len(packet)
            written += 1
            writer.write_packet(packet, sec=micros // 1_000_000, usec=micros % 1_000_000)
    writer.flush()
    return Pcap(buffer.getvalue(), written, left_out, secured, tuple(numbers))


class _Unclosed(io.BytesIO):
    """Bytes that stay readable after a writer closes them."""

    def close(self) -> None:
        return


class _Frames:
    """Builds frames from a template a flow."""

    def __init__(self) -> None:
        self._templates: dict[tuple[bool, str, str], _Template | None] = {}
        self._sent: dict[tuple[str, str], int] = {}
        """Bytes of a connection that were shown so far, by direction."""

    def build(self, crossing: Crossing) -> list[bytes]:
        """Return what crossed as Ethernet frames; none where its addresses are no IP addresses, or it is too long."""
        tcp = crossing.kind in STREAMS
        if not tcp and len(crossing.payload) > MAX_DATAGRAM:
            return []
        key = (tcp, crossing.source, crossing.target)
        if key not in self._templates:
            self._templates[key] = _template(*crossing.addresses(), tcp=tcp)
        template = self._templates[key]
        if template is None:
            return []
        if tcp:
            return self._segments(template, crossing)
        return [template.datagram(crossing.payload)]

    def _segments(self, template: _Template, crossing: Crossing) -> list[bytes]:
        here, there = (crossing.source, crossing.target), (crossing.target, crossing.source)
        frames = []
        for start in range(0, len(crossing.payload), SEGMENT):
            part = crossing.payload[start : start + SEGMENT]
            sent = self._sent.get(here, 0)
            frames.append(template.segment(part, 1 + sent, 1 + self._sent.get(there, 0)))
            self._sent[here] = sent + len(part)
        return frames


@dataclass(frozen=True, slots=True)
class _Template:
    """One direction's Ethernet, IP and UDP or TCP headers, before lengths and checksums."""

    head: bytes
    version: int
    """Of IP: 4 or 6."""

    def datagram(self, payload: bytes) -> bytes:
        """Return a UDP datagram's frame."""
        frame, at, pseudo = self._network(_UDP_NUMBER, _UDP + len(payload))
        struct.pack_into("!HH", frame, at + 4, _UDP + len(payload), 0)
        # A sum of 0 is sent as its complement: 0 would mean that there is none (RFC 768).
        struct.pack_into("!H", frame, at + 6, _sum(pseudo + frame[at:] + payload) or 0xFFFF)
        return bytes(frame) + payload

    def segment(self, payload: bytes, sequence: int, acknowledged: int) -> bytes:
        """Return a TCP segment's frame."""
        frame, at, pseudo = self._network(_TCP_NUMBER, _TCP + len(payload))
        numbers = sequence & 0xFFFF_FFFF, acknowledged & 0xFFFF_FFFF
        struct.pack_into("!IIBBHH", frame, at + 4, *numbers, _TCP // 4 << 4, _PUSH_ACK, _WINDOW, 0)
        struct.pack_into("!H", frame, at + 16, _sum(pseudo + frame[at:] + payload))
        return bytes(frame) + payload

    def _network(self, protocol: int, length: int) -> tuple[bytearray, int, bytes]:
        """Return the headers with IP filled in, where the transport's begins, and what its checksum covers before it.

        ``length``: of the transport's header and payload.
        """
        frame = bytearray(self.head)
        if self.version == 4:
            at = _ETHERNET + _IPV4
            struct.pack_into("!H", frame, _ETHERNET + 2, _IPV4 + length)
            struct.pack_into("!H", frame, _ETHERNET + 10, 0)
            struct.pack_into("!H", frame, _ETHERNET + 10, _sum(bytes(frame[_ETHERNET:at])))
            return frame, at, bytes(frame[_ETHERNET + 12 : at]) + struct.pack("!BBH", 0, protocol, length)
        at = _ETHERNET + _IPV6
        struct.pack_into("!H", frame, _ETHERNET + 4, length)
        return frame, at, bytes(frame[_ETHERNET + 8 : at]) + struct.pack("!II", length, protocol)


def _sum(data: bytes) -> int:
    from scapy.utils import checksum  # noqa: PLC0415 (as above)

    return int(checksum(data))


def _template(source: Address, target: Address, *, tcp: bool) -> _Template | None:
    from scapy.layers.inet import IP, TCP, UDP  # noqa: PLC0415 (as above)
    from scapy.layers.inet6 import IPv6  # noqa: PLC0415
    from scapy.layers.l2 import Ether  # noqa: PLC0415

    try:
        here, there = ip_address(source[0]), ip_address(target[0])
    except ValueError:
        return None
    if here.version != there.version:
        return None
    network = IP if here.version == 4 else IPv6
    transport = TCP if tcp else UDP
    frame = (
        Ether(src=_station(source), dst=_station(target))
        / network(src=str(here), dst=str(there))
        / transport(sport=source[1], dport=target[1])
    )
    return _Template(bytes(frame), here.version)


def _station(address: Address) -> str:
    """Return a locally administered hardware address that tells one port from another."""
    return f"02:00:00:00:{address[1] >> 8:02x}:{address[1] & 255:02x}"
