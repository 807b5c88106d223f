"""Another stream's timestamps by our clock, so that a frame that came a little late still counts evenly."""

from __future__ import annotations

from typing import Final

from harness.protocols.rtp.g711 import SAMPLE_RATE
from harness.protocols.rtp.rtp import RtpPacket

ADRIFT_S: Final = 0.2
"""A frame whose time lies so far from when it came begins a talkspurt of its own."""


class Reclocked:
    """One stream that is passed on."""

    def __init__(self) -> None:
        self._ssrc: int | None = None
        self._timestamp = 0
        self._due = 0.0

    def due(self, packet: RtpPacket, now: float) -> tuple[float, bool]:
        """When the frame is due by our clock, and whether a talkspurt begins with it."""
        step = (packet.timestamp - self._timestamp + 0x80000000) % 0x100000000 - 0x80000000
        due = self._due + step / SAMPLE_RATE
        anew = packet.ssrc != self._ssrc or packet.marker or abs(due - now) > ADRIFT_S
        if anew:
            due = now
        self._ssrc, self._timestamp, self._due = packet.ssrc, packet.timestamp, due
        return due, anew
