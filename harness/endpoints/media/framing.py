"""Messages between a media service and its worker: two lengths, JSON, then samples as bytes."""

from __future__ import annotations

import json
import struct
from typing import Any

from harness.errors import MediaError

HEAD = struct.Struct("!II")
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""Over the longest clip or recording (300 s, 4.8 MB)."""

Message = tuple[dict[str, Any], bytes]


def pack(message: dict[str, Any], blob: bytes = b"") -> bytes:
    """One message as bytes. Raises MediaError when it is over MAX_MESSAGE_BYTES."""
    text = json.dumps(message, separators=(",", ":")).encode()
    check(len(text), len(blob))
    return HEAD.pack(len(text), len(blob)) + text + blob


def check(text: int, blob: int) -> None:
    """Raise MediaError when a message of these lengths is too long."""
    if text + blob > MAX_MESSAGE_BYTES:
        raise MediaError(f"a media message of {text + blob} octets; at most {MAX_MESSAGE_BYTES} cross to the worker")


def unpack_from(buffer: bytearray) -> Message | None:
    """Take the first whole message off the buffer; None when there is none yet. Raises MediaError."""
    if len(buffer) < HEAD.size:
        return None
    text, blob = HEAD.unpack_from(buffer)
    check(text, blob)
    end = HEAD.size + text + blob
    if len(buffer) < end:
        return None
    message = json.loads(buffer[HEAD.size : HEAD.size + text])
    samples = bytes(buffer[HEAD.size + text : end])
    del buffer[:end]
    return message, samples
