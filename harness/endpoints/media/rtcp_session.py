"""One port's RTCP: reports out when the timer says so, the peer's reports in (RFC 3550 section 6)."""

from __future__ import annotations

from collections.abc import Callable

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
from harness.protocols.rtp.rtcp_timer import SENDER_INTERVALS, TIMEOUT_INTERVALS, RtcpTimer
from harness.protocols.rtp.statistics import Reception

_NTP_FRACTION = 1 << 32
_MIDDLE = 1 << 16
_LONGEST_TRIP = 60 * _MIDDLE
"""A nonsensical report gives a huge figure: a round trip of a minute is no telephony."""


class RtcpSession:
    """Reports on one stream; `enabled` once the host has a socket for it."""

    def __init__(self, ssrc: int, cname: str, random: Callable[[], float]) -> None:
        """`random`: 0 up to 1, evenly: RTCP must not fall into step (RFC 3550 section 6.2)."""
        self.enabled = False
        self.sent = 0
        self.received = 0
        self.round_trip_ms: float | None = None
        self.peer_lost: int | None = None
        self.peer_fraction_lost: float | None = None
        """The share that the peer lost between its last two reports."""
        self.peer_jitter: int | None = None
        """In units of our own stream's timestamps."""
        self.peer_cname: str | None = None
        self.timer = RtcpTimer(random)
        self._ssrc = ssrc
        self._cname = cname.encode()[:MAX_TEXT]
        self._begun = False
        self._last_sr = 0
        self._last_sr_arrival = 0.0
        self._packets_reported = 0
        self._sent_rtp_at = float("-inf")
        self._heard_at = float("-inf")

    def begin(self, now: float) -> None:
        """The port has a peer: the first report is due half an interval later (section 6.2)."""
        if self.enabled and not self._begun:
            self._begun = True
            self.timer.begin(now)

    def rename(self, ssrc: int) -> None:
        """Go on under another SSRC (section 8.2): nothing was sent under it yet."""
        self._ssrc = ssrc
        self._packets_reported = 0

    def forget_peer(self, now: float) -> None:
        """The source that was reported on is gone: its sender reports say nothing of the next."""
        self._last_sr = 0
        self._heard_at = float("-inf")
        self.timer.members = 1
        self.timer.left(now)

    def due(self, now: float, *, packets: int, heard_rtp_at: float) -> bool:
        """Whether a report is to be sent. `packets`: RTP sent; `heard_rtp_at`: when the last of the peer came."""
        if now < self.timer.next_at:
            return False
        interval = self.timer.deterministic_interval()
        if packets > self._packets_reported:
            self._sent_rtp_at = now
        self._heard_at = max(self._heard_at, heard_rtp_at)
        # who is a member, and who a sender, as of now (section 6.3.5)
        self.timer.we_sent = now - self._sent_rtp_at < SENDER_INTERVALS * interval
        peer_sends = now - heard_rtp_at < SENDER_INTERVALS * interval
        self.timer.members = 1 + (now - self._heard_at < TIMEOUT_INTERVALS * interval)
        self.timer.senders = self.timer.we_sent + peer_sends
        return self.timer.due(now)

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
        self.sent += 1
        blocks: tuple[ReportBlock, ...] = ()
        if reception is not None and source is not None and reception.received:
            delay = round((now - self._last_sr_arrival) * _MIDDLE) if self._last_sr else 0
            fraction = reception.fraction_lost()
            lost, highest = reception.reported_lost, reception.extended_highest
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
        data = build_compound(compound)
        self.timer.sent(now, len(data))
        return data

    def receive(self, data: bytes, source: int | None, now: float) -> tuple[int | None, bool]:
        """Take a datagram; return the SSRC that said BYE, if any, and whether it speaks under our own SSRC.

        Raises RtpError.
        """
        gone, collides = None, False
        packets = parse_compound(data, strict=False)
        self.received += 1
        self.timer.received(len(data))
        self._heard_at = now
        for packet in packets:
            match packet:
                case SenderReport() | ReceiverReport():
                    collides |= packet.ssrc == self._ssrc
                    if isinstance(packet, SenderReport) and packet.ssrc == source:
                        self._last_sr = packet.ntp >> 16 & 0xFFFFFFFF
                        self._last_sr_arrival = now
                    for block in packet.blocks:
                        if block.ssrc == self._ssrc and packet.ssrc != self._ssrc:
                            self._take_block(block, now)
                case SourceDescription():
                    self._take_description(packet)
                case Bye() if source in packet.sources:
                    gone = source
        return gone, collides

    def _take_description(self, packet: SourceDescription) -> None:
        for ssrc, items in packet.chunks:
            if ssrc != self._ssrc:
                for kind, text in items:
                    if kind == CNAME:
                        self.peer_cname = text.decode(errors="replace")

    def _take_block(self, block: ReportBlock, now: float) -> None:
        self.peer_lost = block.lost
        self.peer_fraction_lost = round(block.fraction_lost / 256, 4)
        self.peer_jitter = block.jitter
        if block.last_sr:
            middle = round(now * _MIDDLE) % _NTP_FRACTION
            trip = (middle - block.last_sr - block.delay_since_last_sr) % _NTP_FRACTION
            if trip < _LONGEST_TRIP:
                self.round_trip_ms = round(1000 * trip / _MIDDLE, 3)
