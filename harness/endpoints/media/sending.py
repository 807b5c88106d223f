"""How a port sends: its packets and their numbers, SRTP, reports, impairments, what leaves later."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, ClassVar, Final

from harness.endpoints.media.events import MediaEvent, Teller
from harness.endpoints.media.impairment import Impairer, Impairment
from harness.endpoints.media.peer import Peer
from harness.endpoints.media.reception import PortReception
from harness.endpoints.media.refusals import Refusals
from harness.endpoints.media.rtcp_session import RtcpSession
from harness.endpoints.media.terms import Address, Terms
from harness.errors import MediaError
from harness.protocols.rtp.rtp import build_plain
from harness.protocols.rtp.srtp import SrtpSession

LATER: Final = 1e-9
"""Seconds that make the difference between now and later."""

RTP, RTCP, MUXED_RTCP = range(3)
"""Which socket a datagram leaves by, and as what: RTCP by the RTP socket is not RTP."""

Outgoing = tuple["SendingStream", int, bytes, Address]
"""A datagram to send now: the port, RTP, RTCP or MUXED_RTCP, the bytes, where to."""
Send = Callable[[bytes, Address], Any]
Delayed = tuple[float, int, bytes, Address]
"""One to send at a time to come."""


class SendingStream(ABC):
    """One port of the engine, as far as it sends."""

    kind: ClassVar[str]

    # A thousand ports are gone through every 20 ms: what a frame touches has to lie close together.
    __slots__ = (
        "_impairer", "_refusals", "_renamed_at", "_sequence", "_srtp", "_ssrc", "_tell", "_terms", "_timestamp",
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
        self._refusals = Refusals(self._tell)
        self.packets_sent = 0
        self.bytes_sent = 0
        self._renamed_at = (0, 0)  # packets and octets that were sent under earlier SSRCs

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
    def own_clock(self) -> int:
        """RTP timestamp units a second of what we send."""

    def _aim(self) -> None:
        self.quiet = False
        self.silent = 0  # whoever is new here hears that there is somebody
        impairer = self._impairer
        aside = None if impairer is None else impairer.impairment.to
        self.to = aside if aside is not None and self.peer.address is not None else self.peer.address

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
                self._refusals.unsent(error, now)
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

    def rested(self, frames: int) -> None:
        """So many frames of 20 ms passed in which nothing was sent."""
        self.silent += frames if self.silent else 0  # 0: what is sent next is sent to somebody new
        self._timestamp = (self._timestamp + frames * self.own_clock // 50) & 0xFFFFFFFF

    def skip(self, frames: int, now: float) -> None:
        """Let so many frames of 20 ms pass that could be neither sent nor heard."""
        self.rested(frames)
