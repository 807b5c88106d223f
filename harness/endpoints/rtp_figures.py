"""What a media port counted, as P-RTP-Stat tells it in a BYE or in the answer to one."""

from __future__ import annotations

from harness.endpoints.media import PortStats
from harness.protocols.sip.rtp_stat import RtpStat


def stat_of(stats: PortStats, duration: float) -> RtpStat:
    """What one side of a call sent and received; `duration`: seconds for which the call was up."""
    return RtpStat(
        packets_sent=stats.packets_sent,
        octets_sent=stats.bytes_sent,
        packets_received=stats.packets_received,
        octets_received=stats.bytes_received,
        packets_lost=max(0, stats.lost),
        jitter=round(stats.jitter_ms),
        round_trip=None if stats.round_trip_ms is None else round(stats.round_trip_ms),
        duration=round(duration),
    )
