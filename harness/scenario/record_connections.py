"""Joins the TCP segments of a capture to the SIP messages that they carried, each at the time at which it was whole.

Theory. A direction's segments are set in the order of their sequence numbers, with what came twice once; a message is
there when its last segment is, and all before it (RFC 9293 clause 3.4). Where the capture lacks a segment, what it cut
is left out, and messages are read again from the next segment that one begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from harness.evidence.capture_packets import Captured
from harness.protocols.sip.stream import StreamCutter
from harness.scenario.record import Recorded
from harness.transport.tap import Address

FIRST_LINE: Final = re.compile(rb"[\r\n]{0,4}(?:SIP/2\.0 [1-6]\d\d |[A-Z]{3,20} (?:sips?|tel):)")
"""How a SIP message begins (RFC 3261 clause 7), after a keep-alive or none."""
MAX_FIRST: Final = 29
"""Bytes by which a message is known to begin: so many FIRST_LINE takes at most."""
_HELLO: Final = re.compile(rb"\x16\x03[\x00-\x04]..\x01", re.DOTALL)
"""How a client begins TLS (RFC 8446 clause 5.1)."""
_WRAP: Final = 1 << 32


def whole_messages(packets: Iterable[Captured], found: Recorded) -> list[Captured]:
    """Return a capture's datagrams, and of its connections the SIP messages, by their times; ``found``: is told what is
    left out.
    """
    messages: list[Captured] = []
    directions: dict[tuple[Address, Address], list[Captured]] = {}
    for packet in sorted(packets, key=lambda each: each.time):
        if not packet.tcp:
            messages.append(packet)
        elif packet.payload or packet.opens:
            directions.setdefault((packet.source, packet.target), []).append(packet)
    for segments in directions.values():
        taken = [_Reading(connection) for connection in _connections(segments)]
        for reading in taken:
            messages += reading.messages
            for why in reading.left_out:
                found.leave_out(why)
        if not any(reading.is_sip for reading in taken) and any(_HELLO.match(each.payload) for each in segments):
            found.leave_out("a connection under TLS: what it carries can't be read")
    messages.sort(key=lambda each: each.time)
    return messages


def _connections(segments: Sequence[Captured]) -> Iterator[list[tuple[int, Captured]]]:
    """Yield each connection of a direction that used the same ports: its segments, and where in it they begin."""
    connection: list[tuple[int, Captured]] = []
    opened: int | None = None
    place = 0
    for each in segments:
        if each.opens and each.sequence != opened:
            if connection:
                yield connection
            connection, opened, place = [], each.sequence, each.sequence
        begins = (each.sequence + each.opens) % _WRAP
        if not connection and opened is None:
            place = begins
        # Numbers go round: the nearest place to the one before is meant.
        place += (begins - place + _WRAP // 2) % _WRAP - _WRAP // 2
        if each.payload:
            connection.append((place, each))
    if connection:
        yield connection


class _Reading:
    """What one direction of a connection carried."""

    def __init__(self, connection: Iterable[tuple[int, Captured]]) -> None:
        self.messages: list[Captured] = []
        self.left_out: list[str] = []
        self.is_sip = False
        self._cutter: StreamCutter | None = None
        self._head = b""
        """What may be the beginning of a first line, where messages are still looked for."""
        due: int | None = None
        time = 0.0
        for place, segment in sorted(connection, key=lambda each: each[0]):
            end = place + len(segment.payload)
            if due is not None and end <= due:
                continue
            if due is None or place > due:
                self._gap(first=due is None)
                due, time = place, segment.time
            time = max(time, segment.time)
            self._take(segment, time, segment.payload[due - place :])
            due = end
        if self._cutter is not None and len(self._cutter):
            self.left_out.append("a SIP message on a connection whose end the capture has not")

    def _gap(self, *, first: bool) -> None:
        if self.is_sip and not first:
            self.left_out.append("a piece of a SIP connection that the capture has not")
        self._cutter, self._head = None, b""

    def _take(self, segment: Captured, time: float, new: bytes) -> None:
        if self._cutter is None:
            begun = next((each for each in (self._head + new, new) if FIRST_LINE.match(each)), None)
            if begun is None:
                self._head = next((each for each in (self._head + new, new) if len(each) < MAX_FIRST), b"")
                return
            new, self._cutter, self.is_sip = begun, StreamCutter(), True
        self.messages += [replace(segment, time=time, payload=each) for each in self._cutter.feed(new)]
        if self._cutter.problem is not None:
            self.left_out.append(f"a SIP connection that can't be read on: {str(self._cutter.problem)[:80]}")
            self._cutter, self._head = None, b""
