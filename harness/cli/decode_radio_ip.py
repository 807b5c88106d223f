"""What the radio-over-IP engine understands: ED-137's header extension on RTP."""

from __future__ import annotations

from typing import Any

from harness.cli.plain import plain
from harness.errors import Ed137Error
from harness.protocols.ed137 import extension as ed137
from harness.protocols.rtp.rtp import Extension, RtpPacket

Decoded = dict[str, Any]


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
