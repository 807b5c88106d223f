"""One port's RTCP: reports out every five seconds, the peer's reports in (RFC 3550 section 6)."""

from __future__ import annotations

from harness.protocols.rtp.rtcp import (
    CNAME,
    MAX_TEXT,
    Bye,
    ReceiverReport,
    ReportBlock,
    RtcpPacket,
    SenderReport,
    SourceDescription,
    build_compound,
    parse_compound,
)
from harness.protocols.rtp.statistics import Reception

RTCP_INTERVAL_S = 5.0
"""RFC 3550's minimum interval (section 6.2); not randomised: there are two of us and a run must be repeatable."""

_NTP_FRACTION = 1 << 32
_MIDDLE = 1 << 16


class RtcpSession:
    """Reports on one stream; `enabled` once the host has a socket for it."""

    def __init__(self, ssrc: int, cname: str) -> None:
        self.enabled = False
        self.sent = 0
        self.received = 0
        self.round_trip_ms: float | None = None
        self.peer_lost: int | None = None
        self._ssrc = ssrc
        self._cname = cname.encode()[:MAX_TEXT]
        self._next = 0.0
        self._last_sr = 0
        self._last_sr_arrival = 0.0
        self._packets_reported = 0

    def begin(self, now: float) -> None:
        """The port begins to send: the first report is due half an interval later (section 6.2)."""
        self._next = now + RTCP_INTERVAL_S / 2

    def due(self, now: float) -> bool:
        """Whether a report is to be sent."""
        return self.enabled and now >= self._next

    def report(
        self,
        now: float,
        reception: Reception | None,
        source: int | None,
        *,
        timestamp: int,
        packets: int,
        octets: int,
        goodbye: bool = False,
    ) -> bytes:
        """A compound of SR or RR, SDES and, at the end, BYE. NTP time is engine time (section 6.4.1 allows it)."""
        self._next = now + RTCP_INTERVAL_S
        self.sent += 1
        blocks: tuple[ReportBlock, ...] = ()
        if reception is not None and source is not None and reception.received:
            delay = round((now - self._last_sr_arrival) * _MIDDLE) if self._last_sr else 0
            fraction = reception.fraction_lost()
            lost, highest = reception.lost, reception.extended_highest
            blocks = (
                ReportBlock(source, fraction, lost, highest, reception.jitter, self._last_sr, delay % _NTP_FRACTION),
            )
        report: RtcpPacket = ReceiverReport(self._ssrc, blocks)
        if packets > self._packets_reported:
            ntp = round(now * _NTP_FRACTION) % _NTP_FRACTION**2
            report = SenderReport(self._ssrc, ntp, timestamp, packets % _NTP_FRACTION, octets % _NTP_FRACTION, blocks)
        self._packets_reported = packets
        compound: list[RtcpPacket] = [report, SourceDescription(((self._ssrc, ((CNAME, self._cname),)),))]
        if goodbye:
            compound.append(Bye((self._ssrc,)))
        return build_compound(compound)

    def receive(self, data: bytes, source: int | None, now: float) -> int | None:
        """Take a datagram; return the SSRC that said BYE, if any. Raises RtpError."""
        gone = None
        packets = parse_compound(data, strict=False)
        self.received += 1
        for packet in packets:
            match packet:
                case SenderReport() | ReceiverReport():
                    if isinstance(packet, SenderReport) and packet.ssrc == source:
                        self._last_sr = packet.ntp >> 16 & 0xFFFFFFFF
                        self._last_sr_arrival = now
                    for block in packet.blocks:
                        if block.ssrc == self._ssrc:
                            self._take_block(block, now)
                case Bye() if source in packet.sources:
                    gone = source
        return gone

    def _take_block(self, block: ReportBlock, now: float) -> None:
        self.peer_lost = block.lost
        if block.last_sr:
            middle = round(now * _MIDDLE) % _NTP_FRACTION
            trip = (middle - block.last_sr - block.delay_since_last_sr) % _NTP_FRACTION
            # a nonsensical report gives a huge figure: a round trip of a minute is no telephony
            if trip < 60 * _MIDDLE:
                self.round_trip_ms = round(1000 * trip / _MIDDLE, 3)
