"""What speech and text ports share: whom they listen to, SRTP, RTCP, reception statistics, and what they tell."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Final

from harness.endpoints.media.api import PortStats
from harness.endpoints.media.events import MediaEvent
from harness.endpoints.media.peer import Admission, Peer
from harness.endpoints.media.sending import SendingStream
from harness.endpoints.media.terms import Address, Terms
from harness.errors import RtpError
from harness.protocols.rtp.rtp import RTCP_TYPES, RtpPacket
from harness.protocols.rtp.security import Security
from harness.protocols.rtp.srtp import ReplayedError, SrtpSession
from harness.protocols.rtp.statistics import Arrival

MAX_CHANGES_TOLD: Final = 64
"""Changes of a peer's SSRC or payload type that a port tells of; beyond it they are only counted."""
MAX_LOOPS: Final = 8
"""Hosts remembered from which our own SSRC came."""


class Stream(SendingStream):
    """One port of the engine, without its sockets."""

    __slots__ = ("_changes_told", "_counts", "_loops")

    def __init__(
        self, number: int, name: str, *, ssrc: int, sequence: int, timestamp: int, seed: int, events: list[MediaEvent]
    ) -> None:
        """`seed`: of everything that is drawn at random on this port."""
        super().__init__(number, name, ssrc=ssrc, sequence=sequence, timestamp=timestamp, seed=seed, events=events)
        self._loops: set[str] = set()
        self._changes_told = 0
        self._counts = dict.fromkeys(("unexpected_payload", "discarded", "ssrc_changes", "collisions", "looped"), 0)

    # --- agreement ---

    def agree(self, terms: Terms, now: float) -> None:
        """Agree with a peer, or anew; an unchanged remote keeps its stream going. Raises MediaError."""
        before = self._terms
        srtp = self._srtp
        if terms.security is None:
            srtp = None
        elif before is None or terms.security != before.security:
            srtp = _srtp(terms.security)
        same = (
            before is not None
            and terms.remote == before.remote
            and terms.symmetric == before.symmetric
            and terms.security == before.security
        )
        if not same:
            self._forget_source(now)
            strangers = self.peer.strangers
            self.peer = Peer(terms.remote, terms.symmetric, rests=terms.rests)
            self.peer.strangers = strangers
        self._srtp, self._terms = srtp, terms
        self.connected, self.sending, self.receiving = True, terms.send, terms.receive
        self._refusals.agreed_anew()
        self._aim()
        if terms.rtcp_mux:
            self.rtcp.enabled = True
        self.rtcp.begin(now)
        self.report_at = self.rtcp.timer.next_at

    @property
    @abstractmethod
    def clock(self) -> int:
        """RTP timestamp units a second of what the peer sends."""

    # --- in ---

    def datagram(self, data: bytes, source: Address, now: float) -> None:
        """Take a datagram from the RTP socket."""
        if not self.receiving:
            self._counts["discarded"] += 1
            return
        peer = self.peer
        if source != peer.address and not peer.may_be(source, now):
            peer.stranger(source, "address")
            self._tell_strangers(now)
            return
        if len(data) > 1 and data[1] in RTCP_TYPES:
            self._muxed(data, source, now)
            return
        try:
            if self._srtp is not None:
                data = self._srtp.unprotect(data)
            packet = RtpPacket.parse(data)
            fits = self._check(packet)
        except ReplayedError:
            self._refusals.replayed += 1
            return
        except RtpError as error:
            self._refusals.refuse(error, data, source, now)
            return
        if not fits:
            self._counts["unexpected_payload"] += 1
            self._refusals.not_agreed(packet.payload_type, now)
            return
        if packet.ssrc == self._ssrc:
            self._collide(source, now)
        admitted = peer.admit(source, packet, now)
        if admitted is not Admission.PEER:
            if peer.unreported:
                self._tell_strangers(now)
            if admitted in (Admission.STRANGER, Admission.WAITING):
                return
            self._new_source(packet, source, now, changed=admitted is Admission.CHANGED)
            for waited, arrival in peer.waited:
                self._receive(waited, arrival)
            peer.waited = []
        self._receive(packet, now)

    @abstractmethod
    def _check(self, packet: RtpPacket) -> bool:
        """Whether the payload type was agreed. Raises RtpError for a payload that does not fit its type."""

    @abstractmethod
    def _take(self, packet: RtpPacket, now: float, arrival: Arrival) -> None:
        """Take a packet of the peer's that is neither a duplicate nor out of sequence."""

    def _timestamp_of(self, packet: RtpPacket) -> int | None:
        """What of a packet says something of jitter; None where its timestamp is not its own."""
        return packet.timestamp

    def _new_source(self, packet: RtpPacket, source: Address, now: float, *, changed: bool) -> None:
        again = self.reception.source is not None
        self._forget_source(now)
        first, came = self.peer.waited[0] if self.peer.waited else (packet, now)
        self.reception.begin(first.sequence, self.clock, came)
        self._aim()
        remote, ssrc = f"{source[0]}:{source[1]}", f"0x{packet.ssrc:08x}"
        if again:
            self._counts["ssrc_changes"] += 1
            self._changes_told += 1
            if self._changes_told > MAX_CHANGES_TOLD:
                return
        if changed:
            self._tell(now, "rtp.ssrc_changed", remote=remote, ssrc=ssrc)
            return
        if self.peer.latched:
            agreed = self.peer.agreed
            assert agreed is not None
            self._tell(now, "rtp.latched", remote=remote, signalled=f"{agreed[0]}:{agreed[1]}")
        self._tell(now, "rtp.first_packet", remote=remote, ssrc=ssrc, payload_type=packet.payload_type)

    def _receive(self, packet: RtpPacket, now: float) -> None:
        self.quiet = False
        if self.resting:
            self.stirred.append((self.number, now))
        arrival = self.reception.update(packet.sequence, self._timestamp_of(packet), len(packet.payload), now)
        if arrival is not Arrival.DUPLICATE and arrival is not Arrival.OUT_OF_RANGE:
            self._take(packet, now, arrival)

    def control(self, data: bytes, source: Address, now: float) -> None:
        """Take a datagram from the RTCP socket."""
        if not self.connected:
            self._counts["discarded"] += 1
            return
        terms = self._terms
        assert terms is not None
        hosts = {address[0] for address in (self.peer.address, terms.rtcp) if address is not None}
        if source[0] not in hosts:
            if self.peer.may_be(source, now):
                self._counts["discarded"] += 1  # of who may be latched on soon
                return
            self.peer.stranger(source, "rtcp address")
            self._tell_strangers(now)
            return
        self._control(data, source, now)

    def _muxed(self, data: bytes, source: Address, now: float) -> None:
        if self._terms is None or not self._terms.rtcp_mux:
            unshared = RtpError("RTCP on the RTP port, and sharing it was not agreed (RFC 5761)")
            self._refusals.refuse(unshared, data, source, now)
        elif source != self.peer.address:
            self.peer.stranger(source, "rtcp address")
            self._tell_strangers(now)
        else:
            self._control(data, source, now)

    def _control(self, data: bytes, source: Address, now: float) -> None:
        try:
            if self._srtp is not None:
                data = self._srtp.unprotect_control(data)
            gone, collides = self.rtcp.receive(data, self.peer.ssrc, now)
        except ReplayedError:
            self._refusals.replayed += 1
            return
        except RtpError as error:
            self._refusals.refuse(error, data, source, now)
            return
        if collides:
            self._collide(source, now)
        if gone is not None:
            self._tell(now, "rtp.bye", ssrc=f"0x{gone:08x}")
            self.peer.goodbye(gone)
            self.rtcp.forget_peer(now)
            self.report_at = self.rtcp.timer.next_at
            self._aim()

    # --- our own SSRC ---

    def _collide(self, source: Address, now: float) -> None:
        """Somebody speaks under our SSRC: a collision at first, from then on a loop (RFC 3550 section 8.2).

        Unlike there, what comes back in a loop is heard: so it is in the telephone that an echo service calls.
        """
        host = source[0]  # RTP and RTCP of one loop come from two ports
        if host in self._loops:
            self._counts["looped"] += 1
            if self._counts["looped"] == 1:
                self._tell(now, "rtp.loop", warning=True, remote=f"{source[0]}:{source[1]}")
            return
        if len(self._loops) >= MAX_LOOPS:
            return
        self._loops.add(host)
        self._counts["collisions"] += 1
        self._tell(now, "rtp.collision", warning=True, remote=f"{source[0]}:{source[1]}", ssrc=f"0x{self._ssrc:08x}")
        self._rename(now)

    # --- telling ---

    def _tell_strangers(self, now: float) -> None:
        for source, reason in self.peer.unreported:
            self._tell(now, "rtp.stranger", warning=True, remote=f"{source[0]}:{source[1]}", reason=reason)
        self.peer.unreported.clear()

    def _forget_source(self, now: float) -> None:
        """The peer's stream is over: what it lost is kept, what it said is forgotten."""
        self.reception.forget()

    def stats(self) -> PortStats:
        """What crossed so far."""
        peer_jitter = self.rtcp.peer_jitter
        counts: dict[str, Any] = {**self._counts, **self.reception.as_stats(), **self._own_stats()}
        counts["discarded"] += self.reception.out_of_sequence
        return PortStats(
            packets_sent=self.packets_sent,
            bytes_sent=self.bytes_sent,
            strangers=self.peer.strangers,
            malformed=self._refusals.malformed,
            srtp_failed=self._refusals.unauthentic,
            srtp_replayed=self._refusals.replayed,
            rtcp_sent=self.rtcp.sent,
            rtcp_received=self.rtcp.received,
            round_trip_ms=self.rtcp.round_trip_ms,
            peer_lost=self.rtcp.peer_lost,
            peer_fraction_lost=self.rtcp.peer_fraction_lost,
            peer_cname=self.rtcp.peer_cname,
            peer_jitter_ms=None if peer_jitter is None else round(1000 * peer_jitter / self.own_clock, 3),
            **counts,
        )

    def _own_stats(self) -> dict[str, Any]:
        """What only this kind of stream counts."""
        return {}

    def finish(self, now: float) -> None:
        """Say what is still open; nothing is sent or taken any more."""
        self._forget_source(now)
        self.connected = self.sending = self.receiving = False


def _srtp(security: Security) -> SrtpSession:
    return SrtpSession(security.suite, security.local_key, security.remote_key)
