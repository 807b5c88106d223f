"""Capture taps: what crossed the wire, kept as compact records that evidence turns into pcap files and transcripts.

A record file is append-only. Each record is ``<dBBHHI`` (run time in seconds, kind, 1 where the target told of it and
0 where the source did, lengths of source, target and payload) followed by the source, the target (UTF-8, ``host:port``
or a line's name) and the payload.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, NamedTuple, Protocol

from harness.privacy import StreamMask, mask_wire

_HEAD = struct.Struct("<dBBHHI")
CAPTURE_LIMIT = 512 * 1024 * 1024
"""Bytes a record file may hold; what comes later is counted, not kept."""
DIRECTIONS = 20_000
"""Directions of connections and lines whose unfinished line is remembered, so that a secret cut in two is masked."""
_CAPTURE_BUFFER = 256 * 1024
_READ: Final = 1024 * 1024
"""Bytes of a record file that are read at a time; a longer record is read whole."""

_NAMES: Final = 10_000
"""Ends of wires whose names are remembered while a file is read."""

Address = tuple[str, int]


class Kind(IntEnum):
    """What kind of wire a record crossed."""

    DATAGRAM = 1
    SERIAL_TO_EQUIPMENT = 2
    SERIAL_FROM_EQUIPMENT = 3
    STREAM = 4
    """Bytes of a TCP connection in one direction."""
    SECURED = 5
    """What TLS carried in one direction: the plain text, masked. The cipher text is not kept: no one could read it."""


_KINDS: Final = {each.value: each for each in Kind}


class Crossing(NamedTuple):
    """One datagram, or one run of bytes of a TCP connection or serial line."""

    time: float
    """Run time in seconds."""
    kind: Kind
    source: str
    """``host:port``, or the serial line's name."""
    target: str
    payload: bytes
    told_by_target: bool = False
    """Whether the end that received it recorded it; of a datagram or a serial line this is not known."""

    def addresses(self) -> tuple[Address, Address]:
        """Return source and target as (host, port)."""
        return _address(self.source), _address(self.target)


class Tap(Protocol):
    """What a transport tells of each datagram and each run of serial bytes."""

    def datagram(self, source: Address, target: Address, payload: bytes) -> None:
        """Note a datagram that was sent or received now."""

    def stream(self, local: Address, peer: Address, payload: bytes, *, sent: bool, secured: bool) -> None:
        """Note bytes that were sent to, or came from, a peer now: on TCP, or in plain text of a TLS connection."""

    def serial(self, line: str, payload: bytes, *, to_equipment: bool) -> None:
        """Note bytes that were written to, or read from, a serial line now."""


class NullTap:
    """A tap that keeps nothing."""

    def datagram(self, source: Address, target: Address, payload: bytes) -> None:
        """Keep nothing."""

    def stream(self, local: Address, peer: Address, payload: bytes, *, sent: bool, secured: bool) -> None:
        """Keep nothing."""

    def serial(self, line: str, payload: bytes, *, to_equipment: bool) -> None:
        """Keep nothing."""


class CaptureWriter:
    """Writes records to a file, masked, up to CAPTURE_LIMIT bytes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.dropped = 0
        """Records left out because the file was full."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = path.open("ab", buffering=_CAPTURE_BUFFER)
        self._size = path.stat().st_size
        self._masks: OrderedDict[tuple[Kind, str, str, bool], StreamMask] = OrderedDict()

    def write(
        self, time: float, kind: Kind, source: str, target: str, payload: bytes, *, told_by_target: bool = False
    ) -> None:
        """Append one record; ``time`` in run seconds."""
        if kind is Kind.DATAGRAM:
            data = mask_wire(payload)
        else:
            data = self._mask((kind, source, target, told_by_target)).mask(payload)
        src, dst = source.encode(), target.encode()
        size = _HEAD.size + len(src) + len(dst) + len(data)
        if self._size + size > CAPTURE_LIMIT:
            self.dropped += 1
            return
        self._size += size
        self._file.write(_HEAD.pack(time, kind, told_by_target, len(src), len(dst), len(data)) + src + dst + data)

    def _mask(self, direction: tuple[Kind, str, str, bool]) -> StreamMask:
        mask = self._masks.pop(direction, None) or StreamMask()
        self._masks[direction] = mask
        if len(self._masks) > DIRECTIONS:
            self._masks.popitem(last=False)
        return mask

    def flush(self) -> None:
        """Hand what is buffered to the operating system."""
        self._file.flush()

    def close(self) -> None:
        """Flush and close the file."""
        self._file.close()

    def __enter__(self) -> CaptureWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class CaptureTap:
    """A tap that writes all it is told to a CaptureWriter, timed by a run clock."""

    def __init__(self, writer: CaptureWriter, now: RunClock) -> None:
        self.writer = writer
        self._now = now
        self._told: dict[Address, str] = {}

    def datagram(self, source: Address, target: Address, payload: bytes) -> None:
        """Keep a datagram."""
        told = self._told
        src, dst = told.get(source) or self._name(source), told.get(target) or self._name(target)
        self.writer.write(self._now(), Kind.DATAGRAM, src, dst, payload)

    def _name(self, address: Address) -> str:
        if len(self._told) >= _NAMES:
            self._told.clear()
        return self._told.setdefault(address, f"{address[0]}:{address[1]}")

    def stream(self, local: Address, peer: Address, payload: bytes, *, sent: bool, secured: bool) -> None:
        """Keep bytes of a TCP connection, or what TLS carried."""
        here, there = f"{local[0]}:{local[1]}", f"{peer[0]}:{peer[1]}"
        source, target = (here, there) if sent else (there, here)
        kind = Kind.SECURED if secured else Kind.STREAM
        self.writer.write(self._now(), kind, source, target, payload, told_by_target=not sent)

    def serial(self, line: str, payload: bytes, *, to_equipment: bool) -> None:
        """Keep a run of serial bytes."""
        kind = Kind.SERIAL_TO_EQUIPMENT if to_equipment else Kind.SERIAL_FROM_EQUIPMENT
        self.writer.write(self._now(), kind, line, line, payload)


class RunClock(Protocol):
    """Returns run time in seconds."""

    def __call__(self) -> float:
        """Return run time in seconds."""


def read_capture(path: Path) -> Iterator[Crossing]:
    """Yield the records of a file in the order written; a record cut off by a crash ends it."""
    for _, crossing in read_on(path, 0):
        yield crossing


def read_on(path: Path, place: int) -> Iterator[tuple[int, Crossing]]:
    """Yield the records from a place on, where one begins, each with the place at which the next one does."""
    names: dict[bytes, str] = {}
    with path.open("rb") as file:
        file.seek(place)
        held, at = b"", 0
        while True:
            size = _size_of(held, at)
            if at + size > len(held):
                more = file.read(max(_READ, size))
                if not more:
                    return
                held, at = held[at:] + more, 0
                continue
            time, kind, by_target, source_length, target_length, _ = _HEAD.unpack_from(held, at)
            source_at = at + _HEAD.size
            target_at = source_at + source_length
            payload_at = target_at + target_length
            place, at = place + size, at + size
            source, target = held[source_at:target_at], held[target_at:payload_at]
            if len(names) > _NAMES:
                names.clear()
            yield (
                place,
                Crossing(
                    time,
                    _KINDS.get(kind) or Kind(kind),
                    names.get(source) or names.setdefault(source, source.decode()),
                    names.get(target) or names.setdefault(target, target.decode()),
                    held[payload_at:at],
                    bool(by_target),
                ),
            )


def _size_of(held: bytes, at: int) -> int:
    """Return the bytes of the record that begins there, or of its head while that is not there whole."""
    if at + _HEAD.size > len(held):
        return _HEAD.size
    *_, source_length, target_length, length = _HEAD.unpack_from(held, at)
    return _HEAD.size + int(source_length + target_length + length)


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    return host, int(port)
