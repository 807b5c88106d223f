"""RTCP: sender and receiver reports, source description, goodbye, application packets (RFC 3550 section 6)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import MediaError, RtpError

VERSION = 2
SENDER_REPORT, RECEIVER_REPORT, SOURCE_DESCRIPTION, BYE, APP = 200, 201, 202, 203, 204
CNAME = 1
MAX_COUNT = 31
"""Report blocks, chunks or sources in one packet: five bits."""
MAX_PACKETS = 64
"""Packets read from one compound datagram."""
MAX_TEXT = 255

_HEADER = struct.Struct("!BBH")
_SENDER_INFO = struct.Struct("!IIIIII")
_BLOCK = struct.Struct("!IIIIII")
_WORD = struct.Struct("!I")


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """Reception of one source (section 6.4.1)."""

    ssrc: int
    fraction_lost: int
    """In 1/256 since the last report."""
    lost: int
    """Cumulative, signed 24 bits."""
    highest_sequence: int
    """Extended."""
    jitter: int
    """Timestamp units."""
    last_sr: int = 0
    """Middle 32 bits of the last sender report's NTP time; 0 is none."""
    delay_since_last_sr: int = 0
    """In 1/65536 s."""


@dataclass(frozen=True, slots=True)
class SenderReport:
    """SR."""

    ssrc: int
    ntp: int
    """64 bits, 32.32 seconds. Ours count from the run's start, as section 6.4.1 allows where there is no wall clock."""
    timestamp: int
    packets: int
    octets: int
    blocks: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """RR."""

    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceDescription:
    """SDES: for each source its items."""

    chunks: tuple[tuple[int, tuple[tuple[int, bytes], ...]], ...]
    """(ssrc, ((item type, text), ...)); item type 1 is the CNAME."""


@dataclass(frozen=True, slots=True)
class Bye:
    """BYE."""

    sources: tuple[int, ...]
    reason: bytes = b""


@dataclass(frozen=True, slots=True)
class App:
    """APP: what an application adds, e.g. MCPTT floor control."""

    subtype: int
    ssrc: int
    name: bytes
    """Four octets."""
    data: bytes = b""
    """Whole 32-bit words."""


@dataclass(frozen=True, slots=True)
class UnknownRtcp:
    """A packet type we have no reading for, kept as it came."""

    packet_type: int
    count: int
    body: bytes


RtcpPacket = SenderReport | ReceiverReport | SourceDescription | Bye | App | UnknownRtcp


def parse_compound(data: bytes, *, strict: bool = True) -> list[RtcpPacket]:
    """Read a datagram. Raises RtpError, and nothing else, when it is not RTCP.

    `strict`: it must begin with a report (section 6.1); False also takes reduced-size RTCP (RFC 5506) and MCPTT's APP.
    """
    packets: list[RtcpPacket] = []
    offset = 0
    while offset < len(data):
        if len(packets) == MAX_PACKETS:
            raise RtpError(f"more than {MAX_PACKETS} RTCP packets in one datagram")
        if len(data) - offset < _HEADER.size:
            raise RtpError(f"RTCP ends inside a header, at octet {offset} (RFC 3550 section 6.4.1)")
        first, kind, words = _HEADER.unpack_from(data, offset)
        if first >> 6 != VERSION:
            raise RtpError(f"RTCP version {first >> 6} at octet {offset}, must be {VERSION} (RFC 3550 section 6.4.1)")
        if strict and not packets and kind not in (SENDER_REPORT, RECEIVER_REPORT):
            raise RtpError(f"compound RTCP begins with packet type {kind}, not a report (RFC 3550 section 6.1)")
        end = offset + 4 + 4 * words
        if end > len(data):
            raise RtpError(f"RTCP packet of {words + 1} words at octet {offset} runs past the datagram")
        body = bytes(data[offset + 4 : end])
        if first & 0x20:
            if end != len(data):
                raise RtpError("only the last RTCP packet of a compound may be padded (RFC 3550 section 6.4.1)")
            if not body or body[-1] == 0 or body[-1] > len(body) or body[-1] % 4:
                raise RtpError("RTCP padding does not fit its packet (RFC 3550 section 6.4.1)")
            body = body[: -body[-1]]
        packets.append(_parse_body(kind, first & 0x1F, body))
        offset = end
    if not packets:
        raise RtpError("an empty datagram is not RTCP")
    return packets


def _parse_body(kind: int, count: int, body: bytes) -> RtcpPacket:
    if kind == SENDER_REPORT:
        if len(body) < _SENDER_INFO.size:
            raise RtpError(f"RTCP sender report of {len(body)} octets is too short (RFC 3550 section 6.4.1)")
        ssrc, seconds, fraction, timestamp, packets, octets = _SENDER_INFO.unpack_from(body)
        blocks = _parse_blocks(body[_SENDER_INFO.size :], count)
        return SenderReport(ssrc, seconds << 32 | fraction, timestamp, packets, octets, blocks)
    if kind == RECEIVER_REPORT:
        return ReceiverReport(_word(body, "receiver report"), _parse_blocks(body[4:], count))
    if kind == SOURCE_DESCRIPTION:
        return _parse_description(body, count)
    if kind == BYE:
        return _parse_bye(body, count)
    if kind == APP:
        ssrc = _word(body, "APP packet")
        if len(body) < 8:
            raise RtpError("RTCP APP packet has no name (RFC 3550 section 6.7)")
        return App(count, ssrc, body[4:8], body[8:])
    return UnknownRtcp(kind, count, body)


def _word(body: bytes, what: str) -> int:
    if len(body) < 4:
        raise RtpError(f"RTCP {what} has no SSRC (RFC 3550 section 6)")
    return int(_WORD.unpack_from(body)[0])


def _parse_blocks(data: bytes, count: int) -> tuple[ReportBlock, ...]:
    if len(data) < count * _BLOCK.size:
        raise RtpError(f"RTCP report names {count} blocks but has room for {len(data) // _BLOCK.size}")
    blocks = []
    for index in range(count):
        ssrc, loss, highest, jitter, last_sr, delay = _BLOCK.unpack_from(data, index * _BLOCK.size)
        lost = loss & 0xFFFFFF
        blocks.append(ReportBlock(ssrc, loss >> 24, lost - (lost >> 23 << 24), highest, jitter, last_sr, delay))
    return tuple(blocks)


def _parse_description(body: bytes, count: int) -> SourceDescription:
    chunks, offset = [], 0
    for _ in range(count):
        ssrc = _word(body[offset:], "source description")
        offset += 4
        items = []
        while True:
            if offset >= len(body):
                raise RtpError("RTCP source description has no end (RFC 3550 section 6.5)")
            kind = body[offset]
            if kind == 0:
                offset = (offset // 4 + 1) * 4  # one to four nulls, up to the next word
                break
            if offset + 2 > len(body) or offset + 2 + body[offset + 1] > len(body):
                raise RtpError("an RTCP source description item runs past its packet (RFC 3550 section 6.5)")
            items.append((kind, body[offset + 2 : offset + 2 + body[offset + 1]]))
            offset += 2 + body[offset + 1]
        chunks.append((ssrc, tuple(items)))
    return SourceDescription(tuple(chunks))


def _parse_bye(body: bytes, count: int) -> Bye:
    if len(body) < 4 * count:
        raise RtpError(f"RTCP BYE names {count} sources but has room for {len(body) // 4} (RFC 3550 section 6.6)")
    rest = body[4 * count :]
    if rest and rest[0] >= len(rest):
        raise RtpError("the reason of an RTCP BYE runs past its packet (RFC 3550 section 6.6)")
    return Bye(struct.unpack_from(f"!{count}I", body), rest[1 : 1 + rest[0]] if rest else b"")


def build_compound(packets: Sequence[RtcpPacket]) -> bytes:
    """One datagram. Raises MediaError when a field does not fit."""
    try:
        return b"".join(_build(packet) for packet in packets)
    except struct.error as error:
        raise MediaError(f"an RTCP field does not fit: {error}") from None


def _build(packet: RtcpPacket) -> bytes:
    match packet:
        case SenderReport():
            info = _SENDER_INFO.pack(
                packet.ssrc, packet.ntp >> 32, packet.ntp & 0xFFFFFFFF, packet.timestamp, packet.packets, packet.octets
            )
            return _frame(SENDER_REPORT, len(packet.blocks), info + _build_blocks(packet.blocks))
        case ReceiverReport():
            return _frame(RECEIVER_REPORT, len(packet.blocks), _WORD.pack(packet.ssrc) + _build_blocks(packet.blocks))
        case SourceDescription():
            body = b"".join(_build_chunk(ssrc, items) for ssrc, items in packet.chunks)
            return _frame(SOURCE_DESCRIPTION, len(packet.chunks), body)
        case Bye():
            body = struct.pack(f"!{len(packet.sources)}I", *packet.sources)
            if packet.reason:
                if len(packet.reason) > MAX_TEXT:
                    raise MediaError(f"an RTCP BYE's reason has at most {MAX_TEXT} octets")
                body += _pad(bytes([len(packet.reason)]) + packet.reason)
            return _frame(BYE, len(packet.sources), body)
        case App():
            if len(packet.name) != 4:
                raise MediaError(f"an RTCP APP name has four octets, not {packet.name!r}")
            return _frame(APP, packet.subtype, _WORD.pack(packet.ssrc) + packet.name + packet.data)
        case UnknownRtcp():
            return _frame(packet.packet_type, packet.count, packet.body)


def _frame(kind: int, count: int, body: bytes) -> bytes:
    if not 0 <= count <= MAX_COUNT or len(body) % 4:
        raise MediaError(f"RTCP packet type {kind}: count {count} or length {len(body)} does not fit")
    return _HEADER.pack(VERSION << 6 | count, kind, len(body) // 4) + body


def _build_blocks(blocks: Sequence[ReportBlock]) -> bytes:
    return b"".join(
        _BLOCK.pack(
            block.ssrc,
            block.fraction_lost << 24 | max(-0x800000, min(0x7FFFFF, block.lost)) & 0xFFFFFF,
            block.highest_sequence,
            block.jitter,
            block.last_sr,
            block.delay_since_last_sr,
        )
        for block in blocks
    )


def _build_chunk(ssrc: int, items: Sequence[tuple[int, bytes]]) -> bytes:
    chunk = _WORD.pack(ssrc)
    for kind, text in items:
        if not 1 <= kind <= 255 or len(text) > MAX_TEXT:
            raise MediaError(f"an RTCP source description item of type {kind} and {len(text)} octets does not fit")
        chunk += bytes([kind, len(text)]) + text
    return _pad(chunk + b"\0")


def _pad(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
