"""The faults that a radio shows on demand: what real gateways do wrong, seen from the wire."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Final

from harness.protocols.ed137.extension import Layout, mislabelled
from harness.protocols.rtp.rtp import RtpPacket

MAX_SECONDS: Final = 600.0


class Fault(StrEnum):
    """What is wrong."""

    DOWN = "down"
    """The radio has failed: its sessions fall silent, and an INVITE gets 503."""
    R2S_STOPS = "r2s_stops"
    """Sessions fall silent, SIP goes on."""
    MISLABELLED = "mislabelled"
    """Packets carry one layout's word under the other's profile."""
    WRONG_ID = "wrong_id"
    """PTT is told under another session's id."""
    NO_EXTENSION = "no_extension"
    """Packets carry no header extension."""
    SLOW = "slow"
    """What it tells of PTT and squelch comes late by the fault's seconds."""


SILENT: Final = frozenset({Fault.DOWN, Fault.R2S_STOPS})


def altered(fault: Fault | None, packet: RtpPacket) -> RtpPacket:
    """What becomes of a packet before it leaves."""
    if packet.extension is None or fault not in (Fault.MISLABELLED, Fault.NO_EXTENSION):
        return packet
    return replace(packet, extension=mislabelled(packet.extension) if fault is Fault.MISLABELLED else None)


def wrong(ptt_id: int, layout: Layout) -> int:
    """Another id than that."""
    return ptt_id % (15 if layout is Layout.OF_2009 else 63) + 1
