"""Whom a port listens to: a named remote, or the first that sends; strangers are told apart and kept out.

Theory. The address is given by signalling, or latched from the first valid packet (symmetric RTP, RFC 4961). The SSRC
is locked from the first packet of that address. A new SSRC or, when latching, a new address is taken over only once the
old one said BYE or has been silent for TAKEOVER_S; until then it is a stranger.
"""

from __future__ import annotations

from harness.endpoints.media.api import Address

TAKEOVER_S = 1.0
MAX_STRANGERS = 64
"""Strangers remembered, and so reported; beyond it they are only counted."""


class Peer:
    """The one source that a port accepts."""

    def __init__(self, remote: Address | None) -> None:
        """`remote`: None to latch on the first valid source."""
        self.agreed = remote
        self.address = remote
        self.ssrc: int | None = None
        self.strangers = 0
        self._seen = 0.0
        self._known: set[tuple[Address, str]] = set()

    def may_be(self, source: Address, now: float) -> bool:
        """Whether a datagram of this address is worth parsing."""
        if self.address is None or source == self.address:
            return True
        return self.agreed is None and self._gone(now)

    def admit(self, source: Address, ssrc: int, now: float) -> bool | None:
        """Take a valid packet: True from the peer, None from a new peer (also after another), False a stranger."""
        if source == self.address and ssrc == self.ssrc:
            self._seen = now
            return True
        if not self.may_be(source, now) or (self.ssrc is not None and not self._gone(now)):
            return False
        self.address, self.ssrc, self._seen = source, ssrc, now
        return None

    def goodbye(self, ssrc: int) -> None:
        """The peer said BYE: whoever comes next is welcome."""
        if ssrc == self.ssrc:
            self.ssrc = None
            self.address = self.agreed  # one that was latched is no longer sent to
            self._seen = float("-inf")

    def stranger(self, source: Address, reason: str) -> bool:
        """Count a stranger; True when it is to be reported, once for each."""
        self.strangers += 1
        key = (source, reason)
        if key in self._known or len(self._known) >= MAX_STRANGERS:
            return False
        self._known.add(key)
        return True

    def _gone(self, now: float) -> bool:
        return now - self._seen >= TAKEOVER_S
