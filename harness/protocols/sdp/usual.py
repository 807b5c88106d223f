"""Answers to offers of a shape that was answered before: one plain audio stream, all but its addresses the same.

A trunk's offers differ in their origin, address and port only. What is agreed depends on none of these, so the answer's
stream is kept under what else the offer says. Anything that is not quite of this shape is left to the careful way.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from harness.protocols.sdp.description import head
from harness.protocols.sdp.plan import Negotiated

MAX_SHAPES: Final = 256
"""Shapes of offers that are remembered."""
MAX_SHAPE: Final = 1_024
"""Bytes of one."""

Shape = tuple[bytes, bytes, tuple[str, ...], str]
"""The m-line behind its port, the lines behind it, our codecs, the most that we would do."""

_known: dict[Shape, tuple[str, tuple[object, ...]]] = {}
"""What our m-line says behind its port, with the lines behind it, and what is agreed besides host and port."""
_OTHER: Final = (b"m=", b"c=")
"""Lines that bring another stream, or another address."""
_new = tuple.__new__


def shape_of(offered: bytes, codecs: tuple[str, ...], direction: str) -> tuple[Shape, str, int] | None:
    """An offer's shape, with its host and port; None where it is of no usual one."""
    parts = offered.split(b"\r\n", 6)
    if len(parts) != 7 or not offered.isascii():
        return None
    version, origin, name, connection, times, media, rest = parts
    if version != b"v=0" or origin[:2] != b"o=" or name[:2] != b"s=" or times != b"t=0 0" or len(rest) > MAX_SHAPE:
        return None
    if rest[:2] in _OTHER or b"\nm=" in rest or b"\nc=" in rest:
        return None
    told = origin + name
    if b"\n" in told or b"\r" in told or b"\0" in told or connection[:9] != b"c=IN IP4 " or media[:8] != b"m=audio ":
        return None
    port, _, tail = media[8:].partition(b" ")
    host = _host(connection[9:])
    if not host or not port.isdigit() or not 1 <= len(port) <= 5 or not 0 < int(port) <= 65_535:
        return None
    return (tail, rest, codecs, direction), host, int(port)


@lru_cache(maxsize=1_024)
def _host(text: bytes) -> str:
    """An IPv4 address as text; empty where it is none, or says that nothing is to be sent (RFC 3264 section 8.4)."""
    numbers = text.split(b".")
    if len(numbers) != 4 or any(not number.isdigit() or len(number) > 3 for number in numbers):
        return ""
    return "" if all(int(number) == 0 for number in numbers) else text.decode()


def recall(
    shape: Shape, peer: tuple[str, int], local: tuple[str, int], session_id: int, version: int
) -> tuple[bytes, Negotiated] | None:
    """The answer to an offer of a shape that was remembered, with `peer` where its packets are wanted."""
    found = _known.get(shape)
    if found is None:
        return None
    text, agreed = found
    answer = f"{_head(local[0], session_id, version)}m=audio {local[1]} {text}"
    return answer.encode(), _new(Negotiated, (*peer, *agreed))


@lru_cache(maxsize=256)
def _head(host: str, session_id: int, version: int) -> str:
    return "\r\n".join([*head(host, session_id, version), ""])


def remember(shape: Shape, answer: bytes, agreed: Negotiated) -> None:
    """Keep what an offer of a shape was answered with, within MAX_SHAPES."""
    if agreed.rtcp is None and agreed.security is None:
        if len(_known) >= MAX_SHAPES:
            _known.clear()
        stream = answer.decode().partition("m=audio ")[2].partition(" ")[2]
        _known[shape] = stream, tuple(agreed)[2:]
