"""What a port does not take or cannot send, counted, and told of as seldom as a flood allows."""

from __future__ import annotations

from harness.endpoints.media.events import FloodReports, Teller
from harness.endpoints.media.terms import Address
from harness.protocols.rtp.srtp import UnauthenticError
from harness.protocols.rtp.stun import is_stun


class Refusals:
    """Of one port."""

    __slots__ = ("_malformed", "_stun_told", "_tell", "_unauthentic", "_unexpected", "_unsecured", "replayed")

    def __init__(self, tell: Teller) -> None:
        self._tell = tell
        self._malformed = FloodReports()
        self._unauthentic = FloodReports()
        self._unsecured = FloodReports()
        self._unexpected: set[int] = set()  # of the 128 payload types that there are
        self._stun_told = False
        self.replayed = 0
        """SRTP packets that came before."""

    @property
    def malformed(self) -> int:
        """Datagrams that are no packets."""
        return self._malformed.count

    @property
    def unauthentic(self) -> int:
        """SRTP packets that the agreed key does not open."""
        return self._unauthentic.count

    def agreed_anew(self) -> None:
        """Tell of payload types that are not agreed as if none had come."""
        self._unexpected.clear()

    def refuse(self, error: Exception, data: bytes, source: Address, now: float) -> None:
        """Take note of a datagram that can't be read, and why; STUN is no fault, and is told of once."""
        if is_stun(data):
            if not self._stun_told:
                self._stun_told = True
                self._tell(now, "rtp.stun", remote=f"{source[0]}:{source[1]}")
            return
        unauthentic = isinstance(error, UnauthenticError)
        reports, kind = (self._unauthentic, "srtp.failed") if unauthentic else (self._malformed, "rtp.malformed")
        count = reports.one(now)
        if count:
            remote = f"{source[0]}:{source[1]}"
            self._tell(now, kind, warning=True, remote=remote, reason=str(error), count=count)

    def not_agreed(self, payload_type: int, now: float) -> None:
        """Take note of a packet of a payload type that was not agreed; each type is told of once."""
        if payload_type not in self._unexpected:
            self._unexpected.add(payload_type)
            self._tell(now, "rtp.unexpected_payload", warning=True, payload_type=payload_type)

    def unsent(self, error: Exception, now: float) -> None:
        """Take note of a packet of ours that can't be secured, and so does not leave."""
        count = self._unsecured.one(now)
        if count:
            self._tell(now, "srtp.unsent", warning=True, reason=str(error), count=count)
