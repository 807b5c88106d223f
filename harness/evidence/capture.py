"""Reads what crossed from a run's record files: each datagram, connection and serial line once, in order of time."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from harness.transport.tap import Crossing, Kind, read_capture

TEXT_PAIR_S: Final = 0.25
"""Two equal text datagrams nearer than this are one, seen at both its ends; SIP repeats after 0.5 s (RFC 3261 T1)."""
BINARY_PAIR_S: Final = 2.0
"""The same for binary ones: RTP numbers each datagram, so that equal ones are never two."""
PAIRS_OPEN: Final = 100_000
"""Datagrams remembered while their other end's record is awaited."""
STREAMS: Final = frozenset({Kind.STREAM, Kind.SECURED})
"""Kinds of crossing that are pieces of a connection."""

Wire = tuple[str, ...]
"""What was recorded as a whole: a serial line's name, or a connection's two ends in order."""
Recorder = tuple[int, str]
"""Who recorded it: the file's place, and of a connection the end that told."""


def crossings(files: Iterable[Path], start: float, end: float) -> Iterator[Crossing]:
    """Yield what crossed from ``start`` to ``end`` (run seconds), in order of time, each datagram once.

    Both ends of a datagram may have recorded it, in one process or in two; of such a pair the earlier is kept. Of a
    serial line or a connection that was recorded more than once the fuller record is kept.
    """
    within = _one_record_a_wire([_slice(path, start, end) for path in files])
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


def _slice(path: Path, start: float, end: float) -> list[Crossing]:
    """Return a file's records in the window; sorted, because a record's time may lie before its place in the file."""
    return sorted((c for c in read_capture(path) if start <= c.time <= end), key=lambda each: each.time)
