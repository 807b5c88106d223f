"""What became of a peer's packets over a port's life, through all the sources that it has had."""

from __future__ import annotations

from typing import Any

from harness.protocols.rtp.statistics import Arrival, Reception


class PortReception:
    """Reception statistics of the source that is heard now, and the sums of those before it."""

    def __init__(self) -> None:
        self.source: Reception | None = None
        """Of the present source; None while there is none."""
        self.first_packet: float | None = None
        """Engine time of the first packet ever."""
        self.packets = 0
        self.octets = 0
        self.out_of_sequence = 0
        self._lost = 0
        self._bursts = 0
        self._reordered = 0
        self._duplicates = 0
        self._jitter_ms = 0.0

    def begin(self, sequence: int, clock: int, now: float) -> None:
        """A source is heard from now on: signalling, a latch or probation has vouched for it."""
        self.source = Reception(sequence, probation=0, clock_rate=clock)
        if self.first_packet is None:
            self.first_packet = now

    def update(self, sequence: int, timestamp: int | None, size: int, now: float) -> Arrival:
        """Count a packet of `size` payload octets; `timestamp` None where it says nothing of jitter."""
        assert self.source is not None
        arrival = self.source.update(sequence, timestamp, now)
        if arrival is Arrival.OUT_OF_RANGE:
            self.out_of_sequence += 1
        elif arrival is not Arrival.DUPLICATE:
            self.packets += 1
            self.octets += size
        return arrival

    def forget(self) -> None:
        """The source is gone: its figures are kept, and the next begins its own."""
        source = self.source
        if source is None:
            return
        self._lost += source.lost
        self._bursts += source.bursts
        self._reordered += source.reordered
        self._duplicates += source.duplicates
        self._jitter_ms = source.jitter_ms
        self.source = None

    @property
    def lost(self) -> int:
        """Packets of all sources that never came."""
        return self._lost + (0 if self.source is None else self.source.lost)

    def as_stats(self) -> dict[str, Any]:
        """The figures by their names in PortStats."""
        source = self.source
        return {
            "packets_received": self.packets,
            "bytes_received": self.octets,
            "lost": self.lost,
            "loss_bursts": self._bursts + (0 if source is None else source.bursts),
            "reordered": self._reordered + (0 if source is None else source.reordered),
            "duplicates": self._duplicates + (0 if source is None else source.duplicates),
            "jitter_ms": round(self._jitter_ms if source is None else source.jitter_ms, 3),
            "first_packet": self.first_packet,
        }
