"""When RTCP is due: the interval, its randomness, and reconsideration (RFC 3550 sections 6.2, 6.3 and appendix A.7).

Theory. RTCP may use a twentieth of the session's bandwidth, shared by all members, senders having a quarter of it while
they are few; but never more often than every MIN_INTERVAL_S, half that before the first report. The result is drawn
between half and one and a half times itself, so that members do not fall into step, and divided by e - 3/2 to make up
for reconsideration: when the timer expires the interval is computed *again*, and the report leaves only if it is due
under that too. A BYE draws the timers of those who stay nearer. Of a session of two that is all there is; a BYE needs
no back-off, which begins at 50 members (section 6.3.7).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

MIN_INTERVAL_S: Final = 5.0
RTCP_SHARE: Final = 0.05
SENDERS_SHARE: Final = 0.25
COMPENSATION: Final = 2.718281828459045 - 1.5
TIMEOUT_INTERVALS: Final = 5
"""Intervals without a word after which a member is gone (section 6.3.5)."""
SENDER_INTERVALS: Final = 2
"""Intervals without a packet after which a sender is one no longer (section 6.3.5)."""
SESSION_BANDWIDTH: Final = 80_000
"""Bits a second of a G.711 stream with its headers, at 20 ms a packet."""
USUAL_SIZE: Final = 128.0
"""Octets of a first guess at a report, UDP and IP headers included (section 6.3.2)."""
HEADERS: Final = 28
"""Octets of UDP and IPv4, which count (section 6.2)."""


class RtcpTimer:
    """One participant's timer; `next_at` is when to ask `due`."""

    def __init__(self, random: Callable[[], float], *, bandwidth: int = SESSION_BANDWIDTH) -> None:
        """`random`: 0 up to 1, evenly; `bandwidth`: of the session, in bits a second."""
        self._random = random
        self._rtcp_octets = bandwidth * RTCP_SHARE / 8  # a second
        self._size = USUAL_SIZE
        self._initial = True
        self._last = 0.0
        self._members = 1
        self.next_at = float("inf")
        self.members = 1
        """Who is known, ourselves included."""
        self.senders = 0
        """Those of them who sent RTP lately."""
        self.we_sent = False
        """Whether we are one of those."""

    def begin(self, now: float) -> None:
        """We have joined: the first report is due after half the minimum (section 6.2)."""
        self._last = now
        self._members = self.members
        self.next_at = now + self.interval()

    def deterministic_interval(self) -> float:
        """Seconds before randomness: what timeouts are counted in (section 6.3.1, 6.3.5)."""
        least = MIN_INTERVAL_S / 2 if self._initial else MIN_INTERVAL_S
        octets, count = self._rtcp_octets, self.members
        if 0 < self.senders <= self.members * SENDERS_SHARE:
            share = SENDERS_SHARE if self.we_sent else 1 - SENDERS_SHARE
            octets, count = octets * share, self.senders if self.we_sent else self.members - self.senders
        return max(least, self._size * count / octets)

    def interval(self) -> float:
        """Seconds to the next report, drawn afresh (section 6.3.1)."""
        return self.deterministic_interval() * (self._random() + 0.5) / COMPENSATION

    def due(self, now: float) -> bool:
        """The timer has expired: whether the report is due under the interval as it is now (section 6.3.6)."""
        if now < self.next_at:
            return False
        again = self._last + self.interval()
        self._members = self.members
        if again <= now:
            return True
        self.next_at = again
        return False

    def sent(self, now: float, size: int) -> None:
        """A report of `size` octets has left."""
        self._heard(size)
        self._last = now
        self._initial = False
        self._members = self.members
        self.next_at = now + self.interval()

    def skip(self, now: float) -> None:
        """Nothing was sent though it was due: there is nobody to send it to."""
        self._last = now
        self.next_at = now + self.interval()

    def received(self, size: int) -> None:
        """A compound of `size` octets came: the average follows (section 6.3.3)."""
        self._heard(size)

    def left(self, now: float) -> None:
        """Somebody said BYE and is no longer among `members`: the timer is drawn nearer (section 6.3.4)."""
        if self.members < self._members and self.next_at != float("inf"):
            share = self.members / self._members
            self.next_at = now + share * (self.next_at - now)
            self._last = now - share * (now - self._last)
            self._members = self.members

    def _heard(self, size: int) -> None:
        self._size += (size + HEADERS - self._size) / 16
