"""What speech and text ports share: whom they listen to, SRTP, RTCP, reception statistics, and what they tell."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, ClassVar, Final

from harness.endpoints.media.api import PortStats
from harness.endpoints.media.events import FloodReports, MediaEvent, Teller
from harness.endpoints.media.impairment import Impairer, Impairment
from harness.endpoints.media.peer import Admission, Peer
from harness.endpoints.media.reception import PortReception
from harness.endpoints.media.rtcp_session import RtcpSession
from harness.endpoints.media.terms import Address, Terms
from harness.errors import MediaError, RtpError
from harness.protocols.rtp.rtp import RTCP_TYPES, RtpPacket, build_plain
from harness.protocols.rtp.security import Security
from harness.protocols.rtp.srtp import ReplayedError, SrtpSession, UnauthenticError
from harness.protocols.rtp.statistics import Arrival

MAX_CHANGES_TOLD: Final = 64
"""Changes of a peer's SSRC or payload type that a port tells of; beyond it they are only counted."""
MAX_LOOPS: Final = 8
"""Hosts remembered from which our own SSRC came."""
LATER: Final = 1e-9
"""Seconds that make the difference between now and later."""

RTP, RTCP, MUXED_RTCP = range(3)
"""Which socket a datagram leaves by, and as what: RTCP by the RTP socket is not RTP."""

Outgoing = tuple["Stream", int, bytes, Address]
"""A datagram to send now: the port, RTP, RTCP or MUXED_RTCP, the bytes, where to."""
Send = Callable[[bytes, Address], Any]
Delayed = tuple[float, int, bytes, Address]
"""One to send at a time to come."""


class Stream(ABC):
    """One port of the engine, without its sockets."""

    kind: ClassVar[str]

    # A thousand ports are gone through every 20 ms: what a frame touches has to lie close together.
    __slots__ = (
        "_changes_told", "_counts", "_impairer", "_loops", "_malformed", "_renamed_at", "_replayed",
        "_sequence", "_srtp", "_ssrc", "_tell", "_terms", "_timestamp", "_unauthentic", "_unexpected", "_unsecured",
        "bytes_sent", "connected", "later", "name", "number", "packets_sent", "peer", "quiet", "random", "receiving",
        "reception", "report_at", "resting", "rtcp", "send", "send_control", "sending", "silent", "stirred", "to",
    )  # fmt: skip

    def __init__(
        self, number: int, name: str, *, ssrc: int, sequence: int, timestamp: int, seed: int, events: list[MediaEvent]
    ) -> None:
        """`seed`: of everything that is drawn at random on this port."""
        self.number = number
        self.name = name
        self.connected = False
        self.sending = False
        self.receiving = False
        self.peer = Peer(None)
        self.random = Random(seed)
        self.rtcp = RtcpSession(ssrc, name, self.random.random)
        self.report_at = float("inf")
        """When `control_out` is to be asked."""
        self.quiet = False
        """Whether `plain_packet` is all there is to a frame; the engine clears it whenever it hands the port out."""
        self.silent = 0
        """Frames in which nothing was said, where the port may rest then."""
        self.resting = False
        """Whether nothing is sent or heard: the engine leaves the port alone until it is stirred."""
        self.stirred: list[tuple[int, float]] = []
        """Where the engine reads the number of a resting port to which something comes, and the time."""
        self.to: Address | None = None
        """Where RTP goes; None while there is nobody to send to."""
        self.send: Send | None = None
        """What the host sends RTP by, and"""
        self.send_control: Send | None = None
        """RTCP; None where it has no port for it."""
        self.later: list[Delayed] | None = None
        """What is to leave at a time to come; the engine takes it after each frame."""
        self._terms: Terms | None = None
        self._tell = Teller(events, number)
        self._srtp: SrtpSession | None = None
        self._impairer: Impairer | None = None
        self._ssrc = ssrc & 0xFFFFFFFF
        self._sequence = sequence & 0xFFFF
        self._timestamp = timestamp & 0xFFFFFFFF
        self.reception = PortReception()
        self._loops: set[str] = set()
        self._malformed = FloodReports()
        self._unauthentic = FloodReports()
        self._unsecured = FloodReports()
        self._replayed = 0
        self._unexpected: set[int] = set()
        self._changes_told = 0
        self.packets_sent = 0
        self.bytes_sent = 0
        self._renamed_at = (0, 0)  # packets and octets that were sent under earlier SSRCs
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
        self._unexpected.clear()
        self._aim()
        if terms.rtcp_mux:
            self.rtcp.enabled = True
        self.rtcp.begin(now)
        self.report_at = self.rtcp.timer.next_at

    def require_sending(self) -> None:
        """Raise MediaError unless there is somebody to send to."""
        if not self.connected or not self.sending:
            raise MediaError(f"port {self.name} is not sending; connect it first")
        if self.peer.address is None:
            raise MediaError(f"nobody has sent to port {self.name} yet, so there is nobody to play to")

    def impair(self, impairment: Impairment | None, now: float) -> None:
        """Misbehave so from now on, or (None) no more."""
        self._impairer = None if impairment is None else Impairer(impairment, self.random, self.rate)
        if impairment is not None:
            if impairment.new_ssrc:
                self._rename(now)
            self._timestamp = (self._timestamp + impairment.timestamp_jump) & 0xFFFFFFFF
            self._sequence = (self._sequence + impairment.sequence_jump) & 0xFFFF
        self._aim()

    @property
    @abstractmethod
    def rate(self) -> int:
        """Samples a second of what is sent, or timestamp units where there are none."""

    @property
    @abstractmethod
    def clock(self) -> int:
        """RTP timestamp units a second of what the peer sends."""

    def _aim(self) -> None:
        self.quiet = False
        self.silent = 0  # whoever is new here hears that there is somebody
        impairer = self._impairer
        aside = None if impairer is None else impairer.impairment.to
        self.to = aside if aside is not None and self.peer.address is not None else self.peer.address

    # --- out ---

    def plain_packet(self, now: float) -> bytes:
        """The packet of a frame in which there is nothing else to do; only while `quiet`."""
        raise NotImplementedError

    @abstractmethod
    def tick(self, now: float) -> bytes | None:
        """Carry out the frame that is due at `now`; return the packet that leaves now, if any."""

    def control_out(self, now: float) -> Iterator[Outgoing]:
        """The report that is due at `now`, if one is; the engine asks when the timer says so."""
        if self.rtcp.due(now, packets=self.packets_sent - self._renamed_at[0], heard_rtp_at=self.peer.seen):
            yield from self._report(now)
        self.report_at = self.rtcp.timer.next_at

    def sign_of_life(self, now: float) -> bytes | None:
        """What a resting port sends now and then, so that it stays known (RFC 6263); None: there is nobody to tell."""
        raise NotImplementedError

    def goodbye(self, now: float) -> list[Outgoing]:
        """The last report."""
        return list(self._report(now, goodbye=True)) if self.rtcp.enabled else []

    def _report(self, now: float, *, goodbye: bool = False) -> Iterator[Outgoing]:
        peer, terms = self.peer.address, self._terms
        withheld = self._impairer is not None and self._impairer.impairment.no_rtcp
        if peer is None or terms is None or withheld:
            self.rtcp.timer.skip(now)
            return
        data = self.rtcp.report(
            now,
            self.reception.source,
            self.peer.ssrc,
            timestamp=self._timestamp,
            packets=self.packets_sent - self._renamed_at[0],
            octets=self.bytes_sent - self._renamed_at[1],
            goodbye=goodbye,
        )
        if self._srtp is not None:
            data = self._srtp.protect_control(data)
        if terms.rtcp_mux:
            yield self, MUXED_RTCP, data, peer
        elif terms.rtcp is not None and not self.peer.latched:
            yield self, RTCP, data, terms.rtcp
        else:
            yield self, RTCP, data, (peer[0], peer[1] + 1)

    def _packet(self, payload_type: int, timestamp: int, payload: bytes, now: float, *, marker: bool) -> bytes | None:
        """The next RTP packet, secured where that was agreed; None where it can't be, which is told."""
        packet = build_plain(payload_type, self._sequence, timestamp, self._ssrc, payload, marker=marker)
        self._sequence = (self._sequence + 1) & 0xFFFF
        if self._srtp is not None:
            try:
                packet = self._srtp.protect(packet)
            except MediaError as error:  # its number was used before: an impairment has turned the sequence back
                count = self._unsecured.one(now)
                if count:
                    self._tell(now, "srtp.unsent", warning=True, reason=str(error), count=count)
                return None
        self.packets_sent += 1
        self.bytes_sent += len(payload)
        return packet

    def _leave(self, packet: bytes, now: float, packet_s: float, *, after: float = 0.0) -> bytes | None:
        """Let a packet leave `after` seconds from now, as the impairment has it; return it when that is now."""
        assert self.to is not None
        impairer = self._impairer
        if impairer is None:
            if after <= LATER:
                return packet
            self.postpone((now + after, RTP, packet, self.to))
            return None
        at_once = None
        for later, data in impairer.packet(packet, packet_s):
            if after + later <= LATER and at_once is None:
                at_once = data
            else:
                self.postpone((now + after + later, RTP, data, self.to))
        return at_once

    def postpone(self, delayed: Delayed) -> None:
        """Have a datagram leave later, or right after what leaves now."""
        if self.later is None:
            self.later = []
        self.later.append(delayed)

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
            self._replayed += 1
            return
        except RtpError as error:
            self._refuse(error, source, now)
            return
        if not fits:
            self._not_agreed(packet.payload_type, now)
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

    def _not_agreed(self, payload_type: int, now: float) -> None:
        self._counts["unexpected_payload"] += 1
        if payload_type not in self._unexpected:
            self._unexpected.add(payload_type)
            self._tell(now, "rtp.unexpected_payload", warning=True, payload_type=payload_type)

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
            self.peer.stranger(source, "rtcp address")
            self._tell_strangers(now)
            return
        self._control(data, source, now)

    def _muxed(self, data: bytes, source: Address, now: float) -> None:
        if self._terms is None or not self._terms.rtcp_mux:
            self._refuse(RtpError("RTCP on the RTP port, and sharing it was not agreed (RFC 5761)"), source, now)
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
            self._replayed += 1
            return
        except RtpError as error:
            self._refuse(error, source, now)
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

    def _rename(self, now: float) -> None:
        """Say goodbye under our SSRC and go on under another."""
        if self.rtcp.enabled:
            for _, kind, data, to in self._report(now, goodbye=True):
                self.postpone((now, kind, data, to))
            self.report_at = self.rtcp.timer.next_at
        taken = {self._ssrc, self.peer.ssrc}
        while self._ssrc in taken:
            self._ssrc = self.random.getrandbits(32)
        self.rtcp.rename(self._ssrc)
        self._renamed_at = self.packets_sent, self.bytes_sent

    # --- telling ---

    def _tell_strangers(self, now: float) -> None:
        for source, reason in self.peer.unreported:
            self._tell(now, "rtp.stranger", warning=True, remote=f"{source[0]}:{source[1]}", reason=reason)
        self.peer.unreported.clear()

    def _refuse(self, error: RtpError, source: Address, now: float) -> None:
        unauthentic = isinstance(error, UnauthenticError)
        reports, kind = (self._unauthentic, "srtp.failed") if unauthentic else (self._malformed, "rtp.malformed")
        count = reports.one(now)
        if count:
            remote = f"{source[0]}:{source[1]}"
            self._tell(now, kind, warning=True, remote=remote, reason=str(error), count=count)

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
            malformed=self._malformed.count,
            srtp_failed=self._unauthentic.count,
            srtp_replayed=self._replayed,
            rtcp_sent=self.rtcp.sent,
            rtcp_received=self.rtcp.received,
            round_trip_ms=self.rtcp.round_trip_ms,
            peer_lost=self.rtcp.peer_lost,
            peer_fraction_lost=self.rtcp.peer_fraction_lost,
            peer_cname=self.rtcp.peer_cname,
            peer_jitter_ms=None if peer_jitter is None else round(1000 * peer_jitter / self.own_clock, 3),
            **counts,
        )

    @property
    @abstractmethod
    def own_clock(self) -> int:
        """RTP timestamp units a second of what we send."""

    def _own_stats(self) -> dict[str, Any]:
        """What only this kind of stream counts."""
        return {}

    def rested(self, frames: int) -> None:
        """So many frames of 20 ms passed in which nothing was sent."""
        self.silent += frames if self.silent else 0  # 0: what is sent next is sent to somebody new
        self._timestamp = (self._timestamp + frames * self.own_clock // 50) & 0xFFFFFFFF

    def skip(self, frames: int, now: float) -> None:
        """Let so many frames of 20 ms pass that could be neither sent nor heard."""
        self.rested(frames)

    def finish(self, now: float) -> None:
        """Say what is still open; nothing is sent or taken any more."""
        self._forget_source(now)
        self.connected = self.sending = self.receiving = False


def _srtp(security: Security) -> SrtpSession:
    return SrtpSession(security.suite, security.local_key, security.remote_key)
