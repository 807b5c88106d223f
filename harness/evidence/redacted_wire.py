"""Masks captures and recordings: what is text as text is masked, what is not becomes zeros, speech becomes silence.

A connection's pieces are masked as the one stream they are, so that a name cut in two by them is found. Headers are
written anew with right lengths and checksums. Of RTP and RTCP the fixed header stays, which tells losses and jitter.
"""

from __future__ import annotations

import codecs
import io
import wave
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Final

from harness.evidence.capture_file import CaptureError
from harness.evidence.capture_packets import Captured, read_capture
from harness.evidence.pcap import write_pcap
from harness.evidence.redaction import Masks, RedactionError
from harness.transport.tap import Address, Crossing, Kind

MAX_CAPTURE: Final = 32 * 1024 * 1024
"""Bytes of a capture that is masked; a longer one is withheld."""
_RTP_HEADER: Final = 12
_RTCP_HEADER: Final = 8
_CONTINUED: Final = 3
"""Bytes that a character of UTF-8 has after its first, at most."""
_CONTINUATION: Final = bytes(range(0x80, 0xC0))
_DOCUMENTATION: Final = ("192.0.2", "198.51.100", "203.0.113")
"""Networks that no equipment has (RFC 5737)."""


def learn_from_capture(masks: Masks, body: bytes) -> None:
    """Take the personal values that a capture's texts name. Raises RedactionError for what is no capture."""
    for stream in _streams(_read(body)):
        if stream[0].tcp or _is_text(stream[0]):
            masks.learn(b"".join(each.payload for each in stream))


def mask_capture(masks: Masks, body: bytes, *, addresses: bool) -> bytes:
    """Return a capture masked; ``addresses``: network addresses, too, become ones for documentation.

    Raises RedactionError for what is no capture.
    """
    packets = _read(body)
    masked: dict[int, bytes] = {}
    for stream in _streams(packets):
        if not stream[0].tcp and not _is_text(stream[0]):
            masked[id(stream[0])] = _emptied(stream[0])
            continue
        whole = masks.mask(b"".join(each.payload for each in stream))
        at = 0
        for each in stream:
            part = whole[at : at + len(each.payload)]
            masked[id(each)] = part if _is_text(each) else _emptied(each)
            at += len(each.payload)
    told: dict[str, str] = {}
    crossings = []
    for each in packets:
        ends = [_told_as(end, told) if addresses else end for end in (each.source, each.target)]
        kind = Kind.STREAM if each.tcp else Kind.DATAGRAM
        source, target = (f"{host}:{port}" for host, port in ends)
        crossings.append(Crossing(each.time, kind, source, target, masked[id(each)]))
    return write_pcap(crossings, 0.0, limit=MAX_CAPTURE).body


def silence(body: bytes) -> bytes:
    """Return a recording of the same length and form in which nothing is heard. Raises RedactionError."""
    try:
        with wave.open(io.BytesIO(body)) as was:
            form = was.getparams()
        quiet = b"\x80" if form.sampwidth == 1 else b"\x00"
        frames = min(form.nframes, len(body) // (form.sampwidth * form.nchannels))
        out = io.BytesIO()
        with wave.open(out, "wb") as now:
            now.setparams(form)
            now.writeframes(quiet * (frames * form.sampwidth * form.nchannels))
    except (wave.Error, EOFError, ValueError, ZeroDivisionError) as error:
        raise RedactionError(f"not a recording: {error}") from error
    return out.getvalue()


def _read(body: bytes) -> list[Captured]:
    if len(body) > MAX_CAPTURE:
        raise RedactionError(f"a capture of more than {MAX_CAPTURE} bytes")
    try:
        return read_capture(body)
    except CaptureError as error:
        raise RedactionError(str(error)) from error


def _streams(packets: Sequence[Captured]) -> list[list[Captured]]:
    """Return the pieces of each connection's direction together, and each datagram by itself."""
    streams: dict[tuple[Address, Address], list[Captured]] = {}
    for each in packets:
        if each.tcp:
            streams.setdefault((each.source, each.target), []).append(each)
    return [*streams.values(), *([each] for each in packets if not each.tcp)]


def _is_text(packet: Captured) -> bool:
    """Tell whether a payload is UTF-8 without control characters; a connection's piece may begin and end in one."""
    payload = packet.payload
    if packet.tcp:
        head = payload[:_CONTINUED].lstrip(_CONTINUATION)
        payload = head + payload[_CONTINUED:]
    text, used = codecs.utf_8_decode(payload, "replace", not packet.tcp)
    if "\ufffd" in text or (packet.tcp and len(payload) - used > _CONTINUED):
        return False
    return all(each.isprintable() or each in "\r\n\t\x1a" for each in text)


def _emptied(packet: Captured) -> bytes:
    """Return as many zeros, after the header of RTP or RTCP (RFC 3550, 5.1 and 6.4)."""
    payload, kept = packet.payload, 0
    if not packet.tcp and len(payload) >= _RTCP_HEADER and payload[0] >> 6 == 2:
        kept = _RTCP_HEADER if 200 <= payload[1] <= 207 else _RTP_HEADER
    return payload[:kept] + bytes(len(payload) - kept) if len(payload) >= kept else bytes(len(payload))


def _told_as(end: Address, told: dict[str, str]) -> Address:
    if end[0] not in told:
        number = len(told) % (254 * len(_DOCUMENTATION))
        network = _DOCUMENTATION[number // 254]
        told[end[0]] = f"{network}.{number % 254 + 1}" if ip_address(end[0]).version == 4 else f"2001:db8::{number:x}"
    return told[end[0]], end[1]
