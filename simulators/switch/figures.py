"""What a leg's media port counted, in the terms of P-RTP-Stat and of a call management record.

A port counts at the switch; a record is the telephone's. What it says so of a telephone:

| of the telephone | from |
|---|---|
| packets and octets sent | what came, and what was missing by its sequence numbers |
| packets received, lost | what was sent to it, less what its RTCP reports say it lost |
| jitter | its RTCP reports |
| latency | the round trip that RTCP measured |
| listening quality | the E-model on what it received |

A telephone's own P-RTP-Stat, in its BYE or in the answer to ours, is believed instead. What nobody told is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Protocol

from harness.endpoints.media import PortStats
from harness.protocols.cdr.quality import VoiceQuality
from harness.protocols.sip.rtp_stat import RtpStat

DEVICE_DELAY_MS: Final = 40.0
"""What a telephone's playout buffer is taken to add, as it does not tell: our own least depth."""
PACKET_MS: Final = 20.0
MAX_DELAY_MS: Final = 400.0
"""A listener's own side delays no longer than this."""


class Score(Protocol):
    """Rates what a listener had: the E-model, brought by whoever starts a switch (measures stand above simulators)."""

    def __call__(self, codec: str, *, delay_ms: float, loss: float) -> float:
        """A mean opinion score, 1 to 4.5, for a codec's encoding name, milliseconds one way, a share lost, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What one end of a leg heard."""

    packets: int | None = None
    lost: int | None = None
    jitter_ms: float | None = None
    mos: float | None = None
    """Listening quality by the E-model, 1 to 4.5; None where too little is known."""

    @property
    def concealed(self) -> float:
        """The part of speech that was missing, 0 to 1."""
        due = (self.packets or 0) + (self.lost or 0)
        return (self.lost or 0) / due if due > 0 else 0.0


def heard_by_switch(stats: PortStats, score: Score) -> Heard:
    """What the switch heard on a leg, late packets included."""
    missing = stats.lost + stats.late
    packets = stats.packets_received - stats.late
    return _heard(score, stats.codec, packets, missing, stats.jitter_ms, stats.delay_ms)


def heard_by_device(stats: PortStats, told: RtpStat | None, score: Score) -> Heard:
    """What the far end heard, by what it told at the end or in its reports."""
    if told is not None and told.packets_received is not None:
        lost = max(0, told.packets_lost or 0)
        jitter = None if told.jitter is None else float(told.jitter)
        return _heard(score, stats.codec, told.packets_received, lost, jitter, None)
    if stats.peer_lost is None:
        return Heard()
    received, lost = _by_reports(stats)
    return _heard(score, stats.codec, received, lost, stats.peer_jitter_ms, None)


def _by_reports(stats: PortStats) -> tuple[int, int]:
    lost = max(0, min(stats.peer_lost or 0, stats.packets_sent))
    return stats.packets_sent - lost, lost


def _heard(score: Score, codec: str, packets: int, lost: int, jitter: float | None, buffered: float | None) -> Heard:
    packets, lost = max(0, packets), max(0, lost)
    found = Heard(packets, lost, jitter)
    if not packets:
        return found
    delay = PACKET_MS + (DEVICE_DELAY_MS if buffered is None else buffered)
    # What a listener's quality is: the delay of the whole conversation is not its concern, that of its own side is.
    return replace(found, mos=score(codec, delay_ms=min(delay, MAX_DELAY_MS), loss=lost / (packets + lost)))


def device_stat(stats: PortStats, told: RtpStat | None, duration: float) -> RtpStat:
    """What a telephone sent and received, told by itself or derived as this module's head says."""
    if told is not None and not told.is_empty:
        return told
    missing = max(0, stats.lost)
    size = stats.bytes_received // stats.packets_received if stats.packets_received else 0
    received, lost = _by_reports(stats) if stats.peer_lost is not None else (None, None)
    share = None if received is None or not stats.packets_sent else received / stats.packets_sent
    return RtpStat(
        packets_sent=stats.packets_received + missing,
        octets_sent=stats.bytes_received + missing * size,
        packets_received=received,
        octets_received=None if share is None else round(stats.bytes_sent * share),
        packets_lost=lost,
        jitter=None if stats.peer_jitter_ms is None else round(stats.peer_jitter_ms),
        round_trip=None if stats.round_trip_ms is None else round(stats.round_trip_ms),
        duration=round(duration),
    )


def voice_quality(heard: Heard) -> VoiceQuality | None:
    """The varVQMetrics of a record; None where nothing is known of what was heard.

    One figure stands for the last, least, most and average score: nobody reports them one by one.
    """
    if heard.mos is None:
        return None
    part = round(heard.concealed, 4)
    return VoiceQuality(
        mos=heard.mos,
        mos_average=heard.mos,
        mos_least=heard.mos,
        mos_most=heard.mos,
        concealed=part,
        concealed_lately=part,
        concealed_most=part,
        concealed_seconds=0 if not heard.lost else None,
        severe_seconds=0 if not heard.lost else None,
    )
