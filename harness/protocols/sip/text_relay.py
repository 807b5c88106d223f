"""What an emergency call shows of text relay: the 18000 that was dialled, and a text stream beside or without voice.

Theory. In the United Kingdom 18000 reaches the emergency services by text relay: the caller types, a relay assistant
speaks for it, or the control room types itself where the call brings a stream of real-time text (`m=text`, T.140 by
RFC 4103). 18001 before a number asks for the relay on an ordinary call; who calls a relay user back dials 18002 first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from harness.errors import NumberError
from harness.protocols import sdp, uk_numbers
from harness.protocols.sip.body import SDP, find
from harness.protocols.sip.message import Request

EMERGENCY_BY_TEXT: Final = "18000"
TO_RELAY_USER: Final = "18002"
_PREFIXES: Final = (EMERGENCY_BY_TEXT, "18001", TO_RELAY_USER)


@dataclass(frozen=True, slots=True)
class TextStream:
    """A stream of real-time text that a call offers."""

    port: int
    t140: tuple[int, ...]
    """Payload types of T.140, in the order of preference."""
    redundant: tuple[int, ...]
    """Payload types of T.140 with redundancy (`red`, RFC 4103 section 4)."""


@dataclass(frozen=True, slots=True)
class TextRelay:
    """What a call shows of text relay."""

    prefix: str
    """`18000`, `18001` or `18002`, as dialled; empty where the text stream alone tells."""
    number: str
    """What was dialled after the prefix; empty for 18000 alone."""
    text: TextStream | None
    """None where the relay assistant's voice is all there is."""
    has_voice: bool
    """Whether an audio stream is offered that is not refused."""

    @property
    def is_emergency(self) -> bool:
        """Whether the emergency services were called by text relay."""
        return self.prefix == EMERGENCY_BY_TEXT


def text_relay_of(request: Request) -> TextRelay | None:
    """What an INVITE shows of text relay; None where it shows nothing.

    Raises SipRemoteError or SdpError where its Request-URI, To or body can't be read.
    """
    # A network on the way may have put its own number into the Request-URI; To keeps what was dialled.
    dialled = (request.uri.user_text, request.to.uri.user_text)
    prefix, number = next((found for each in dialled if (found := _parted(each))[0]), ("", ""))
    described = find(request, SDP)
    session = sdp.parse(described) if described is not None else None
    live = [media for media in session.media if media.port] if session is not None else []
    text = next((stream for media in live if media.kind == "text" and (stream := _stream(media)) is not None), None)
    if not prefix and text is None:
        return None
    return TextRelay(prefix, number, text, any(media.kind == "audio" for media in live))


def _parted(user: str) -> tuple[str, str]:
    digits = user.partition(";")[0]
    prefix = next((each for each in _PREFIXES if digits.startswith(each)), "")
    return prefix, digits[len(prefix) :]


def _stream(media: sdp.Media) -> TextStream | None:
    kinds: dict[str, list[int]] = {"t140/1000": [], "red/1000": []}
    for name, value in media.attributes:
        number, _, encoding = value.partition(" ")
        encoding = encoding.strip().lower()
        is_format = number in media.formats and number.isascii() and number.isdigit() and len(number) <= 3
        if name == "rtpmap" and encoding in kinds and is_format:
            kinds[encoding].append(int(number))
    t140, redundant = (
        tuple(sorted(numbers, key=lambda number: media.formats.index(str(number)))) for numbers in kinds.values()
    )
    return TextStream(media.port, t140, redundant) if t140 else None


def call_back(number: str) -> str:
    """What is dialled to call a text relay user back: 18002 and the number as within the country.

    Raises NumberError for what is no number.
    """
    found = uk_numbers.parse(number)
    if not found.e164:
        raise NumberError(f"{number!r} is no number that can be called back by text relay")
    return TO_RELAY_USER + found.national
