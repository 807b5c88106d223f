"""Reads what crossed from a run's record files: each datagram, connection and serial line once, in order of time."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from harness.transport.tap import Crossing, Kind, read_on

TEXT_PAIR_S: Final = 0.25
"""Two equal text datagrams nearer than this are one, seen at both its ends; SIP repeats after 0.5 s (RFC 3261 T1)."""
BINARY_PAIR_S: Final = 2.0
"""The same for binary ones: RTP numbers each datagram, so that equal ones are never two."""
PAIRS_OPEN: Final = 100_000
"""Datagrams remembered while their other end's record is awaited."""
MAX_FILES: Final = 256
"""Record files of which is remembered how far they were read."""
STREAMS: Final = frozenset({Kind.STREAM, Kind.SECURED})
"""Kinds of crossing that are pieces of a connection."""

Wire = tuple[str, ...]
"""What was recorded as a whole: a serial line's name, or a connection's two ends in order."""
Recorder = tuple[int, str]
"""Who recorded it: the file's place, and of a connection the end that told."""


class Captures:
    """Record files that grow while windows of them are read, each later than the one before, as a run's tests are.

    What was read is not read again: the simulators' record of a long run is longer than any test's part of it.
    """

    def __init__(self) -> None:
        self._read: dict[Path, tuple[int, float]] = {}

    def window(self, path: Path, start: float, end: float) -> list[Crossing]:
        """Return the file's records from ``start`` to ``end``; sorted, as one's time may lie before its place."""
        place, latest = self._read.pop(path, (0, -math.inf))
        if start <= latest:  # it reaches back into what was read
            place, latest = 0, -math.inf
        found = []
        for after, crossing in read_on(path, place):
            place = after
            latest = max(latest, crossing.time)
            if start <= crossing.time <= end:
                found.append(crossing)
        self._read[path] = place, latest
        if len(self._read) > MAX_FILES:
            del self._read[next(iter(self._read))]
        return sorted(found, key=lambda each: each.time)


def crossings(files: Iterable[Path], start: float, end: float, captures: Captures | None = None) -> Iterator[Crossing]:
    """Yield what crossed from ``start`` to ``end`` (run seconds), in order of time, each datagram once.

    Both ends of a datagram may have recorded it, in one process or in two; of such a pair the earlier is kept. Of a
    serial line or a connection that was recorded more than once the fuller record is kept. ``captures``: what remembers
    how far the files were read for the window before.
    """
    captures = captures or Captures()
    within = _one_record_a_wire([captures.window(path, start, end) for path in files])
    seen: dict[tuple[str, str, bytes], float] = {}
    for crossing in heapq.merge(*within, key=lambda each: each.time):
        if crossing.kind is not Kind.DATAGRAM:
            yield crossing
            continue
        key = (crossing.source, crossing.target, crossing.payload)
        earlier = seen.pop(key, None)
        pair = TEXT_PAIR_S if crossing.payload[:1].isalpha() else BINARY_PAIR_S
        if earlier is not None and crossing.time - earlier <= pair:
            continue
        seen[key] = crossing.time
        if len(seen) > PAIRS_OPEN:
            del seen[next(iter(seen))]
        yield crossing


def _one_record_a_wire(files: list[list[Crossing]]) -> list[list[Crossing]]:
    fullest: dict[Wire, tuple[int, Recorder]] = {}
    for index, records in enumerate(files):
        sizes: Counter[tuple[Wire, Recorder]] = Counter()
        for crossing in records:
            if crossing.kind is not Kind.DATAGRAM:
                wire, end = _recorded(crossing)
                sizes[wire, (index, end)] += len(crossing.payload)
        for (wire, recorder), size in sizes.items():
            if size > fullest.get(wire, (-1, (0, "")))[0]:
                fullest[wire] = size, recorder
    return [
        [crossing for crossing in records if _kept(crossing, index, fullest)] for index, records in enumerate(files)
    ]


def _kept(crossing: Crossing, index: int, fullest: dict[Wire, tuple[int, Recorder]]) -> bool:
    if crossing.kind is Kind.DATAGRAM:
        return True
    wire, end = _recorded(crossing)
    return fullest[wire][1] == (index, end)


def _recorded(crossing: Crossing) -> tuple[Wire, str]:
    """Return the wire that a piece belongs to, and which end of it told."""
    if crossing.kind not in STREAMS:
        return (crossing.source,), ""
    told = crossing.target if crossing.told_by_target else crossing.source
    return tuple(sorted((crossing.source, crossing.target))), told
