"""What became of a source's packets: loss, order, duplicates, jitter (RFC 3550 appendices A.1, A.3 and A.8).

Theory. A 16-bit sequence number wraps every 22 minutes of telephony, so it is extended with a count of cycles. A
source is on probation until `probation` packets came in sequence. After that a step forward of less than MAX_DROPOUT is
loss, a step back of less than MAX_MISORDER is reordering or a duplicate (told apart by a window of the last WINDOW
numbers), and anything else is taken for a restart of the source only when the next packet follows it.

Two figures of loss: `lost` is what never came; `reported_lost` is what RFC 3550 has a report carry, where a duplicate
makes up for a loss and the count begins anew when the source restarts.
"""

from __future__ import annotations

from enum import Enum

MAX_DROPOUT = 3000
MAX_MISORDER = 100
MIN_SEQUENTIAL = 2
SEQUENCE_MODULUS = 1 << 16
WINDOW = 128
"""Sequence numbers back from the newest that are remembered, to tell a duplicate from a late one; over MAX_MISORDER."""

_WINDOW_MASK = (1 << WINDOW) - 1
_NO_BAD_SEQUENCE = SEQUENCE_MODULUS + 1  # can't be the number of any packet


class Arrival(Enum):
    """How a packet fits the sequence."""

    PROBATION = "probation"
    IN_ORDER = "in order"
    REORDERED = "reordered"
    DUPLICATE = "duplicate"
    OUT_OF_RANGE = "out of range"
    RESTART = "restart"


class Reception:
    """Reception of one synchronisation source."""

    def __init__(self, sequence: int, *, probation: int = MIN_SEQUENTIAL, clock_rate: int = 8000) -> None:
        """`sequence`: of the first packet, which is still to be given to `update`.

        `probation`: packets due in sequence before the source counts (0: signalling already named the peer).
        """
        self.clock_rate = clock_rate
        self.reordered = 0
        self.duplicates = 0
        self.restarts = 0
        self.received = 0
        self.bursts = 0
        """Rows of packets that never came."""
        self.gap = 0
        """Packets missing right before the last one that came in order."""
        self._lost_before = 0
        self._start(sequence)
        self._highest = (sequence - 1) % SEQUENCE_MODULUS
        self._probation = probation
        self._jitter = 0.0
        self._transit: float | None = None

    def _start(self, sequence: int) -> None:
        self._base = sequence
        self._arrived = 0  # duplicates included
        self._highest = sequence
        self._bad = _NO_BAD_SEQUENCE
        self._cycles = 0
        self._window = 0
        self.received = 0
        self._probation = 0
        self._expected_prior = 0
        self._arrived_prior = 0

    def update(self, sequence: int, timestamp: int | None, arrival: float) -> Arrival:
        """Count a packet that came at `arrival` (seconds) and say how it fits (RFC 3550 A.1).

        `timestamp`: None where it is not the packet's own time (a telephone event): it says nothing of jitter.
        """
        outcome = self._place(sequence)
        if timestamp is not None and outcome in (Arrival.IN_ORDER, Arrival.REORDERED, Arrival.RESTART):
            self._measure_jitter(timestamp, arrival, restart=outcome is Arrival.RESTART)
        return outcome

    def _place(self, sequence: int) -> Arrival:
        delta = (sequence - self._highest) % SEQUENCE_MODULUS
        if self._probation:
            if delta != 1:
                self._probation = MIN_SEQUENTIAL - 1
                self._highest = sequence
                return Arrival.PROBATION
            self._probation -= 1
            self._highest = sequence
            if self._probation:
                return Arrival.PROBATION
            self._start(sequence)
            self.received = self._arrived = 1
            self._window = 1
            return Arrival.IN_ORDER
        if delta == 0 and self.received:
            self.duplicates += 1
            self._arrived += 1
            return Arrival.DUPLICATE
        if delta < MAX_DROPOUT:
            self.gap = delta - 1 if self.received else 0
            self.bursts += self.gap > 0
            if sequence < self._highest and self.received:
                self._cycles += SEQUENCE_MODULUS
            self._highest = sequence
            self._window = (self._window << delta | 1) & _WINDOW_MASK
            self.received += 1
            self._arrived += 1
            return Arrival.IN_ORDER
        if delta <= SEQUENCE_MODULUS - MAX_MISORDER:
            if sequence == self._bad:  # two in sequence: the source restarted without telling (A.1)
                self._lost_before = self.lost
                self._start(sequence)
                self.received = self._arrived = 1
                self._window = 1
                self.restarts += 1
                return Arrival.RESTART
            self._bad = (sequence + 1) % SEQUENCE_MODULUS
            return Arrival.OUT_OF_RANGE
        bit = 1 << (SEQUENCE_MODULUS - delta)
        self._arrived += 1
        if self._window & bit:
            self.duplicates += 1
            return Arrival.DUPLICATE
        if self.bursts:  # the row of missing packets loses its only one, an end, or one within
            self.bursts += (not self._window & bit << 1) + (not self._window & bit >> 1) - 1
        self._window |= bit
        self.received += 1
        self.reordered += 1
        return Arrival.REORDERED

    def _measure_jitter(self, timestamp: int, arrival: float, *, restart: bool) -> None:
        """A.8: J += (|D| - J) / 16, in timestamp units; the difference is taken modulo 2**32."""
        transit = arrival * self.clock_rate - timestamp
        if self._transit is not None and not restart:
            difference = (transit - self._transit + 2**31) % 2**32 - 2**31
            self._jitter += (abs(difference) - self._jitter) / 16
        self._transit = transit

    def change_clock(self, clock_rate: int) -> None:
        """Another payload's timestamps run at another rate (RFC 7160): jitter goes on from here."""
        self._jitter *= clock_rate / self.clock_rate
        self.clock_rate = clock_rate
        self._transit = None

    @property
    def extended_highest(self) -> int:
        """The highest sequence number received, with its cycles (32 bits)."""
        return (self._cycles + self._highest) % 2**32

    @property
    def expected(self) -> int:
        """Packets due since the first one."""
        return self._cycles + self._highest - self._base + 1 if self.received else 0

    @property
    def lost(self) -> int:
        """Packets due but never come, also before a restart; duplicates make up for none, so never below zero."""
        return self._lost_before + max(0, self.expected - self.received)

    @property
    def reported_lost(self) -> int:
        """What a report block carries (A.3): packets due less all that came; duplicates may make it negative."""
        return self.expected - self._arrived

    @property
    def jitter(self) -> int:
        """Interarrival jitter in timestamp units, as a report block carries it."""
        return min(int(self._jitter), 2**32 - 1)

    @property
    def jitter_ms(self) -> float:
        """Interarrival jitter in milliseconds."""
        return self._jitter * 1000 / self.clock_rate

    def fraction_lost(self) -> int:
        """The share lost since the last call, in 1/256 (A.3): call it once a report."""
        expected, arrived = self.expected, self._arrived
        due, came = expected - self._expected_prior, arrived - self._arrived_prior
        self._expected_prior, self._arrived_prior = expected, arrived
        lost = due - came
        return min(255, lost * 256 // due) if due > 0 and lost > 0 else 0
