"""Redundant payloads: earlier ones sent along with the newest (RFC 2198)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from harness.errors import MediaError, RtpError

MAX_BLOCKS: Final = 16
"""Redundant blocks read of one packet."""
MAX_OFFSET: Final = (1 << 14) - 1
"""Timestamp units that a block may be older than its packet."""
MAX_BLOCK: Final = (1 << 10) - 1
"""Octets of a redundant block."""

_HEAD = struct.Struct("!I")


@dataclass(frozen=True, slots=True)
class Block:
    """One earlier payload."""

    payload_type: int
    offset: int
    """Timestamp units before the packet's own, 0-16383."""
    payload: bytes


def build_redundant(payload_type: int, payload: bytes, earlier: Sequence[Block]) -> bytes:
    """A payload that carries `earlier`, oldest first, and then the newest. Raises MediaError when it does not fit."""
    heads = b""
    for block in earlier:
        if not 0 <= block.offset <= MAX_OFFSET or len(block.payload) > MAX_BLOCK or not 0 <= block.payload_type <= 127:
            raise MediaError(f"a redundant block of {len(block.payload)} octets, {block.offset} units old does not fit")
        heads += _HEAD.pack(1 << 31 | block.payload_type << 24 | block.offset << 10 | len(block.payload))
    return heads + bytes([payload_type]) + b"".join(block.payload for block in earlier) + payload


def parse_redundant(data: bytes) -> tuple[int, bytes, tuple[Block, ...]]:
    """The newest payload's type and octets, and the earlier blocks, oldest first. Raises RtpError for what is none."""
    heads: list[tuple[int, int, int]] = []
    offset = 0
    while True:
        if offset >= len(data):
            raise RtpError("a redundant payload ends inside its headers (RFC 2198 section 3)")
        if not data[offset] & 0x80:
            break
        if offset + _HEAD.size > len(data):
            raise RtpError("a redundant payload ends inside a block header (RFC 2198 section 3)")
        if len(heads) == MAX_BLOCKS:
            raise RtpError(f"more than {MAX_BLOCKS} redundant blocks in one packet")
        (head,) = _HEAD.unpack_from(data, offset)
        heads.append((head >> 24 & 0x7F, head >> 10 & MAX_OFFSET, head & MAX_BLOCK))
        offset += _HEAD.size
    payload_type = data[offset]
    offset += 1
    blocks = []
    for block_type, age, length in heads:
        if offset + length > len(data):
            raise RtpError(f"a redundant block of {length} octets runs past its packet (RFC 2198 section 3)")
        blocks.append(Block(block_type, age, data[offset : offset + length]))
        offset += length
    return payload_type, data[offset:], tuple(blocks)
