"""Whom a port listens to: a named remote, or the first that sends; strangers are told apart and kept out.

Theory. The address is given by signalling, or latched from the first valid packet. With symmetric RTP (RFC 4961) media
may also come from elsewhere than signalled, behind a NAT: from another port of the signalled host ("port") or from any
host ("any"). Such a source is latched on, and answered there, when LATCH_PACKETS of it came in sequence while nothing
had come from where it was due. The SSRC is locked from the first packet of the address. Then, for whoever is listened
to:

- another SSRC of the same address takes over once CHANGE_PACKETS of it came in sequence and none of the old one among
  them (RFC 3550 section 8.2 has the change, appendix A.1 the probation); they are then heard from the first one on;
- any source that the address rule allows takes over at once when the old one said BYE, or was silent for TAKEOVER_S;
  where silence is no sign of being gone (see `engine`, rest), for RESTING_TAKEOVER_S.

Everybody else is a stranger. One source at a time is on probation, so that no crowd of them can grow a table.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from harness.endpoints.media.terms import Address, Symmetric

if TYPE_CHECKING:
    from harness.protocols.rtp.rtp import RtpPacket

TAKEOVER_S = 1.0
SIGN_OF_LIFE_S = 5.0
"""A port at rest sends an empty packet so often (RFC 6263 section 4.1; section 8 has 15 s)."""
RESTING_TAKEOVER_S = 2 * SIGN_OF_LIFE_S + TAKEOVER_S
"""Two of them may be lost."""
LATCH_PACKETS = 5
CHANGE_PACKETS = 3
MAX_STRANGERS = 64
"""Strangers remembered, and so reported; beyond it they are only counted."""

Waited = list[tuple["RtpPacket", float]]
"""Packets of a source on probation, and when they came."""


class Admission(Enum):
    """What a packet's source is."""

    PEER = "the peer"
    NEW = "the peer from now on"
    CHANGED = "the peer, under another SSRC in the middle of its stream"
    WAITING = "on probation"
    STRANGER = "a stranger"


class Peer:
    """The one source that a port accepts."""

    def __init__(self, remote: Address | None, symmetric: Symmetric = "no", *, rests: bool = False) -> None:
        """`remote`: None to latch on the first valid source; `rests`: it may send nothing for a while."""
        self._takeover_s = RESTING_TAKEOVER_S if rests else TAKEOVER_S
        self.agreed = remote
        self.address = remote
        self.ssrc: int | None = None
        self.strangers = 0
        self.waited: Waited = []
        """What came of a new peer while it was on probation; it is heard first."""
        self.unreported: list[tuple[Address, str]] = []
        """Strangers to be told of, once each; the caller empties it."""
        self._symmetric = symmetric
        self.seen = float("-inf")
        """When the peer's last packet came."""
        self._known: set[tuple[Address, str]] = set()
        self._candidate: tuple[Address, int] | None = None
        self._next = 0

    @property
    def latched(self) -> bool:
        """Whether the peer is elsewhere than signalled."""
        return self.agreed is not None and self.address != self.agreed

    def may_be(self, source: Address, now: float) -> bool:
        """Whether a datagram of this address is worth reading."""
        if self.address is None or source == self.address:
            return True
        if self.agreed is None:
            return self._gone(now)
        if self._symmetric == "no" or (self._symmetric == "port" and source[0] != self.agreed[0]):
            # one that was latched by an earlier agreement lets the signalled address back in
            return source == self.agreed and self._gone(now)
        return self.ssrc is None or self._gone(now)

    def admit(self, source: Address, packet: RtpPacket, now: float) -> Admission:
        """Say what a valid packet's source is; after NEW and CHANGED `waited` is to be heard first."""
        if packet.ssrc == self.ssrc and source == self.address:
            self.seen = now
            if self._candidate is not None:
                self._reject_candidate()
            return Admission.PEER
        if not self.may_be(source, now):
            self.stranger(source, "address")
            return Admission.STRANGER
        gone = self.ssrc is None or self._gone(now)
        here = self.address is None or source == self.address
        if gone and (here or self.agreed is None):
            self._take(source, packet.ssrc, now)
            return Admission.NEW
        if not self._probed(source, packet, now, CHANGE_PACKETS if here else LATCH_PACKETS):
            return Admission.WAITING
        waited = self.waited
        self._candidate = None
        self._take(source, packet.ssrc, now)
        self.waited = waited
        return Admission.CHANGED if here and not gone else Admission.NEW

    def goodbye(self, ssrc: int) -> None:
        """The peer said BYE: whoever comes next is welcome."""
        if ssrc == self.ssrc:
            self.ssrc = None
            self.address = self.agreed  # one that was latched is no longer sent to
            self.seen = float("-inf")

    def stranger(self, source: Address, reason: str, count: int = 1) -> None:
        """Count a stranger's datagrams, and have it reported once."""
        self.strangers += count
        key = (source, reason)
        if key not in self._known and len(self._known) < MAX_STRANGERS:
            self._known.add(key)
            self.unreported.append(key)

    def _take(self, source: Address, ssrc: int, now: float) -> None:
        if self._candidate is not None:
            self._reject_candidate()
        self.address, self.ssrc, self.seen = source, ssrc, now
        self.waited = []

    def _probed(self, source: Address, packet: RtpPacket, now: float, due: int) -> bool:
        """Put a packet's source on probation; whether it has passed, `waited` holding the packets before this one."""
        key = (source, packet.ssrc)
        if key != self._candidate or packet.sequence != self._next:
            if self._candidate is not None:
                self._reject_candidate()
            self._candidate = key
            self.waited = []
        self._next = (packet.sequence + 1) & 0xFFFF
        if len(self.waited) + 1 == due:
            return True
        self.waited.append((packet, now))
        return False

    def _reject_candidate(self) -> None:
        assert self._candidate is not None
        source = self._candidate[0]
        self.stranger(source, "ssrc" if source == self.address else "address", len(self.waited))
        self._candidate = None
        self.waited = []

    def _gone(self, now: float) -> bool:
        return now - self.seen >= self._takeover_s
