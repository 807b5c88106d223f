"""Texts and messages longer than one SDS: cut into parts, and parts put together again, in whatever order they come."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.errors import SdsError
from harness.protocols.tetra import text_coding
from harness.protocols.tetra.sds_messages import MessagePart, ReportRequest, TextPart

PART_BYTES = 245
"""Bytes of text that one part carries: 255 (2047 bits) less the transport layer's 4 and the user data header's 6."""
MAX_PARTS = 255
MAX_UNDER_WAY = 32
"""Messages that an `Assembler` holds parts of; one more pushes out the one that waited longest."""


def split(
    text: str,
    reference: int,
    report: ReportRequest = ReportRequest.NONE,
    coding: int = text_coding.ISO_8859_1,
) -> tuple[TextPart, ...]:
    """The parts of a text, each with a message reference of its own, counting on from `reference`, 0-255.

    Raises:
        SdsError: a character that the coding lacks, or more than 255 parts.
    """
    pieces: list[str] = []
    piece, used = "", 0
    for character in text:
        size = len(text_coding.encode(character, coding))
        if used + size > PART_BYTES:
            pieces.append(piece)
            piece, used = "", 0
        piece, used = piece + character, used + size
    pieces.append(piece)
    if len(pieces) > MAX_PARTS:
        raise SdsError(f"a text of {len(pieces)} parts; {MAX_PARTS} is the most")
    return tuple(
        TextPart(each, (reference + at) % 256, len(pieces), at + 1, reference, report=report, coding=coding)
        for at, each in enumerate(pieces)
    )


@dataclass(slots=True)
class _UnderWay:
    total: int
    parts: dict[int, TextPart | MessagePart] = field(default_factory=dict)


class Assembler:
    """Puts parts together, sender by sender; holds at most MAX_UNDER_WAY messages of at most 255 parts."""

    def __init__(self) -> None:
        self._under_way: dict[tuple[str, type, int], _UnderWay] = {}
        self.pushed_out = 0
        """Messages given up for want of room."""

    def take(self, sender: str, part: TextPart | MessagePart) -> str | bytes | None:
        """The whole, when `part` was the last that lacked: a text, or the payload of an SDS; else None.

        A part that came already is taken once. `sender` is any key that tells senders apart.

        Raises:
            SdsError: the part says that the whole has another number of parts; the message begins anew with it.
        """
        key = (sender, type(part), part.joint)
        held = self._under_way.get(key)
        if held is not None and held.total != part.total:
            self._under_way[key] = _UnderWay(part.total, {part.number: part})
            raise SdsError(f"part {part.number} of {part.total} after parts of {held.total}, reference {part.joint}")
        if held is None:
            if len(self._under_way) >= MAX_UNDER_WAY:
                self._under_way.pop(next(iter(self._under_way)))
                self.pushed_out += 1
            held = self._under_way[key] = _UnderWay(part.total)
        held.parts.setdefault(part.number, part)
        if len(held.parts) < held.total:
            return None
        del self._under_way[key]
        pieces = [held.parts[number] for number in range(1, held.total + 1)]
        if isinstance(part, TextPart):
            return "".join(piece.text for piece in pieces if isinstance(piece, TextPart))
        return b"".join(piece.payload for piece in pieces if isinstance(piece, MessagePart))

    def __len__(self) -> int:
        """How many messages are under way."""
        return len(self._under_way)
