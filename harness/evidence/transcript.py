"""Writes what crossed a serial line as text, and reads it: run time, direction, every control character by its name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from harness.errors import LocalError
from harness.transport.tap import Crossing, Kind

JOIN_WITHIN_S = 0.05
"""Bytes of one direction that follow each other within this long stand on one line until a line feed."""
LINE_BYTES = 400
"""Bytes that one line of a transcript shows."""
TO_EQUIPMENT = "→ equipment"
FROM_EQUIPMENT = "← equipment"

ORIGIN = "run time 0 is "
"""How the line begins that tells when on the calendar a transcript's run began: a capture has such times."""
MAX_LINES = 1_000_000
"""Lines of a transcript that are read."""

_NAMES = (
    *("NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "HT", "LF", "VT", "FF", "CR", "SO", "SI"),
    *("DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS", "RS", "US"),
)
_SHOWN = [
    f"<{_NAMES[b]}>" if b < 32 else chr(b) if b < 127 else "<DEL>" if b == 127 else f"<{b:02X}>" for b in range(256)
]
_BYTES = {name: byte for byte, name in enumerate(_SHOWN) if len(name) > 1}
_HIDDEN = re.compile("|".join(map(re.escape, _BYTES)))
_ROW = re.compile(rf"\s*(\d{{1,12}}\.\d{{1,9}}) s  ({TO_EQUIPMENT}|{FROM_EQUIPMENT})  (.*)")
_SERIAL = (Kind.SERIAL_TO_EQUIPMENT, Kind.SERIAL_FROM_EQUIPMENT)


def shown(data: bytes) -> str:
    """Return bytes as text: control characters by their ASCII name (``<CR>``), others beyond ASCII as ``<C3>``."""
    return "".join([_SHOWN[byte] for byte in data])


def serial_lines(crossings: Iterable[Crossing]) -> list[str]:
    """Return the names of the serial lines among ``crossings``, in the order in which they were first used."""
    return list(dict.fromkeys(crossing.source for crossing in crossings if crossing.kind in _SERIAL))


def transcript(crossings: Iterable[Crossing], line: str) -> str:
    """Return one line's traffic: a line of text for each line feed, change of direction or pause."""
    rows = (f"{time:12.6f} s  {_arrow(kind)}  {shown(data)}" for time, kind, data in _runs(crossings, line))
    return "".join(row + "\n" for row in rows)


def line_numbers(crossings: Sequence[Crossing]) -> list[int]:
    """Return for each crossing the line of its serial line's transcript on which its first byte stands; else 0."""
    found = [0] * len(crossings)
    for line in serial_lines(crossings):
        began = [time for time, _, _ in _runs(crossings, line)]
        at = 0
        for index, crossing in enumerate(crossings):
            if crossing.source == line and crossing.kind in _SERIAL:
                while at + 1 < len(began) and began[at + 1] <= crossing.time:
                    at += 1
                found[index] = at + 1
    return found


def _arrow(kind: Kind) -> str:
    return TO_EQUIPMENT if kind is Kind.SERIAL_TO_EQUIPMENT else FROM_EQUIPMENT


def _runs(crossings: Iterable[Crossing], line: str) -> Iterator[tuple[float, Kind, bytes]]:
    began, last, kind, held = 0.0, 0.0, Kind.SERIAL_TO_EQUIPMENT, bytearray()
    for crossing in crossings:
        if crossing.source != line or crossing.kind not in _SERIAL:
            continue
        if held and (crossing.kind is not kind or crossing.time - last > JOIN_WITHIN_S):
            yield began, kind, bytes(held)
            held.clear()
        if not held:
            began, kind = crossing.time, crossing.kind
        last = crossing.time
        held += crossing.payload
        while (cut := held.find(b"\n") + 1 or (LINE_BYTES if len(held) >= LINE_BYTES else 0)) > 0:
            yield began, kind, bytes(held[:cut])
            del held[:cut]
            began = crossing.time
    if held:
        yield began, kind, bytes(held)


class TranscriptError(LocalError):
    """Text that is no transcript of a serial line."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of one direction."""

    time: float
    """Run time, seconds; since 1970 where the transcript tells its origin."""
    to_equipment: bool
    data: bytes


def origin_line(epoch: float) -> str:
    """Return the line that tells a transcript's origin; ``epoch``: run time 0, seconds since 1970."""
    return f"{ORIGIN}{datetime.fromtimestamp(epoch, UTC).isoformat(timespec='microseconds')}\n"


def read_transcript(text: str, name: str) -> tuple[list[Piece], bool]:
    """Return a transcript's pieces, and whether it told its origin, from which their times then count since 1970.

    Raises TranscriptError naming ``name`` and the line.
    """
    pieces: list[Piece] = []
    origin: float | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if number > MAX_LINES:
            raise TranscriptError(f"{name}:{number}: found more than {MAX_LINES} lines")
        if number == 1 and line.startswith(ORIGIN):
            try:
                origin = datetime.fromisoformat(line.removeprefix(ORIGIN)).timestamp()
            except ValueError:
                raise TranscriptError(
                    f"{name}:1: found {line[:60]!r}; a time as 2026-01-31T12:00:00+00:00 was due"
                ) from None
            continue
        row = _ROW.fullmatch(line)
        if row is None:
            raise TranscriptError(
                f"{name}:{number}: found {line[:60]!r}; a line is TIME s, {TO_EQUIPMENT} or {FROM_EQUIPMENT}, and "
                "what was sent"
            )
        time, arrow, told = row.groups()
        data = _HIDDEN.sub(lambda found: chr(_BYTES[found[0]]), told).encode("latin-1", "replace")
        pieces.append(Piece((origin or 0.0) + float(time), arrow == TO_EQUIPMENT, data))
    return pieces, origin is not None
