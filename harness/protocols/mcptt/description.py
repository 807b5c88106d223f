"""A call's session description: the floor's stream beside the speech, taken apart and put together."""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.errors import McpttError, SdpError
from harness.protocols.mcptt.info import CONTENT_TYPE, FLOOR_FORMAT, FloorTerms, McpttInfo, read_floor
from harness.protocols.sdp.description import Media, parse
from harness.protocols.sip import body


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


def invite_body(description: bytes, info: McpttInfo) -> tuple[bytes, str]:
    """The body of an INVITE and its type: description and mcptt-info. Raises McpttLocalError."""
    return body.multipart([body.Part(body.SDP, description), body.Part(CONTENT_TYPE, bytes(info))])


def with_its_floor(description: bytes, whose: str) -> tuple[bytes, FloorTerms, tuple[str, int]]:
    """What speech is negotiated by, the floor's terms, and where its messages go. Raises McpttError without a floor.

    `whose`: what the description is, for the error.
    """
    described = apart(description)
    if described.floor is None:
        raise McpttError(f"{whose} without floor control")
    return described.speech, described.floor, (described.host, described.floor.port)


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
