"""A call's session description: the floor's stream beside the speech, taken apart and put together."""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.errors import McpttError, SdpError
from harness.protocols.mcptt.info import FLOOR_FORMAT, FloorTerms, read_floor
from harness.protocols.sdp.description import Media, parse


@dataclass(frozen=True, slots=True)
class Described:
    """One side's description."""

    speech: bytes
    """The description without the floor's stream: what speech is negotiated by."""
    floor: FloorTerms | None
    """None where there is no floor, or it is refused."""
    host: str
    """Where the floor's port is; empty where there is none."""


def with_floor(speech: bytes, floor: FloorTerms) -> bytes:
    """The description with the floor's stream after the others. Raises SdpError, McpttLocalError."""
    session = parse(speech)
    session.media.append(floor.media())
    return bytes(session)


def apart(description: bytes) -> Described:
    """Take a description apart. Raises McpttError where it, or what it says of the floor, can't be read."""
    try:
        session = parse(description)
    except SdpError as error:
        raise McpttError(f"a session description that can't be read: {error}") from None
    floor, host = None, ""
    kept: list[Media] = []
    for media in session.media:
        if media.kind == "application" and FLOOR_FORMAT in media.formats:
            if floor is None:
                floor = read_floor(media)
                host = (media.connection or session.connection) if floor is not None else ""
        else:
            kept.append(media)
    return Described(bytes(replace(session, media=kept)), floor, host)
