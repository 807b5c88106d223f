"""What the radio-over-IP engines understand: ED-137's header extension on RTP, MCPTT floor control in RTCP."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from harness.cli.plain import plain
from harness.errors import Ed137Error, McpttError
from harness.protocols.ed137 import extension as ed137
from harness.protocols.mcptt import messages as mcptt
from harness.protocols.rtp.rtp import Extension, RtpPacket

Decoded = dict[str, Any]
_NO_FLOOR = "RTCP is there, but no floor control message: an APP packet named MCPT was due (TS 24.380 section 8)"


def decode_ed137(data: bytes) -> Decoded:
    """What an RTP packet with ED-137's header extension says. Raises RtpError or Ed137Error."""
    packet = RtpPacket.parse(data)
    if packet.extension is None:
        raise Ed137Error("an RTP packet without a header extension; ED-137's has profile 0x0167 or 0x0067")
    said = _said(packet.extension)
    rtp = {name: getattr(packet, name) for name in ("payload_type", "sequence", "timestamp", "ssrc", "marker")}
    return {**said, "rtp": rtp, "payload_length": len(packet.payload)}


def decode_ed137_words(data: bytes, profile: int) -> Decoded:
    """What the words of an extension of ``profile`` (0x0167 or 0x0067) say. Raises Ed137Error."""
    return _said(Extension(profile, data))


def _said(extension: Extension) -> Decoded:
    reading = ed137.read(extension)
    state = reading.state
    shown: Decoded = {"type": "RadioState", "profile": f"0x{extension.profile:04x}"}
    shown |= {
        "layout": 2009 if state.layout is ed137.Layout.OF_2009 else 2011,
        "ptt": state.ptt.name,
        "ptt_id": state.ptt_id,
        "squelch": state.squelch,
        "ptt_mute": state.ptt_mute,
        "ptt_summation": state.ptt_summation,
        "simultaneous": state.simultaneous,
        "features": [plain(each) for each in state.features],
    }
    if state.layout is ed137.Layout.OF_2009:
        shown["voice_frequency"] = state.voice_frequency
    return {**shown, "finding": reading.finding} if reading.finding else shown


def decode_mcptt(data: bytes) -> list[Decoded]:
    """The floor control messages of a datagram. Raises McpttError."""
    messages = mcptt.read_datagram(data)
    if not messages:
        raise McpttError(_NO_FLOOR)
    return [_floor(message) for message in messages]


def _floor(message: mcptt.FloorMessage) -> Decoded:
    shown = {name: value for name, value in plain(message).items() if value not in (None, "", [])}
    shown |= {"type": message.type, "name": message.name, "ssrc": f"0x{message.ssrc:08x}"}
    causes: dict[int, type[IntEnum]] = {mcptt.FloorType.DENY: mcptt.Deny, mcptt.FloorType.REVOKE: mcptt.Revoke}
    if message.cause is not None and message.type in causes:
        shown["cause_means"] = _named(causes[message.type], message.cause)
    if message.source is not None:
        shown["source_means"] = _named(mcptt.Source, message.source)
    if message.indicator is not None:
        shown["indicator_means"] = [bit.name for bit in mcptt.Indicator if bit & message.indicator]
    if message.talker is not None:
        shown["talker"] = f"0x{message.talker:08x}"
    return shown


def _named(kind: type[IntEnum], value: int) -> str:
    try:
        return kind(value).name.lower().replace("_", " ")
    except ValueError:
        return "not known to this tool"
