"""The formats that a stream's payload types stand for: encoding names, clock rates, static numbers (RFC 3551)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

Formats = dict[int, str]
"""Payload type to encoding name, in order of preference."""


class Encoding(NamedTuple):
    """One encoding as an rtpmap states it."""

    name: str
    """In the case in which we write it."""
    clock: int
    """RTP timestamp units a second."""
    channels: int = 1
    payload_type: int | None = None
    """The static number (RFC 3551 section 6), or the dynamic one that our own offers give it."""
    parameters: str = ""
    """What our own offers say in a=fmtp."""

    @property
    def rtpmap(self) -> str:
        """``name/clock``, with the channels where there are more than one."""
        return f"{self.name}/{self.clock}/{self.channels}" if self.channels > 1 else f"{self.name}/{self.clock}"


DTMF: Final = "telephone-event"
COMFORT_NOISE: Final = "CN"
TEXT: Final = "T140"
REDUNDANT: Final = "RED"

STATIC_PAYLOAD_TYPES: Final = {0: "PCMU", 3: "GSM", 4: "G723", 8: "PCMA", 9: "G722", 13: "CN", 18: "G729"}
"""RFC 3551 section 6: payload types that need no rtpmap."""
DTMF_PAYLOAD_TYPE: Final = 101
"""The payload type that our own offers give to telephone-event."""
USUAL_CLOCK: Final = 8000
"""Timestamp units a second of telephony's codecs, and of what rides beside them."""
DTMF_EVENTS: Final = "0-15"

SPEECH: Final = {
    "PCMA": Encoding("PCMA", 8000, payload_type=8),
    "PCMU": Encoding("PCMU", 8000, payload_type=0),
    # RFC 3551 section 4.5.2: the clock is stated as 8000 though 16,000 samples a second are coded.
    "G722": Encoding("G722", 8000, payload_type=9),
    # RFC 7587 section 7: always 48000/2, whatever is sent; and we send one channel.
    "OPUS": Encoding("opus", 48_000, 2, 107, "useinbandfec=0;stereo=0;sprop-stereo=0"),
}
"""Speech codecs that the harness speaks; G722 and OPUS need the extra ``codecs``."""
BASIC: Final = frozenset({"PCMA", "PCMU"})
"""Those that need nothing."""
TEXT_ENCODINGS: Final = {
    REDUNDANT: Encoding("red", 1000, payload_type=100),
    TEXT: Encoding("t140", 1000, payload_type=98),
}
"""RFC 4103 section 6 and RFC 4102: real-time text, and what repeats it."""

_CLOCKS: Final = {"OPUS": "48000", TEXT: "1000", REDUNDANT: "1000"}
"""Encodings whose clock rate is not 8000."""
_ANY_CLOCK: Final = frozenset({DTMF.upper(), COMFORT_NOISE})
"""Encodings that follow the clock of the codec beside them (RFC 4733 section 2.5.1.1, RFC 3389 section 5)."""


@lru_cache(maxsize=512)
def encoding_of(mapped: str) -> str:
    """The encoding name of an rtpmap's value in upper case (telephone-event in lower); empty for a strange clock."""
    name, _, rate = mapped.strip().partition("/")
    clock, name = rate.partition("/")[0], name.upper()
    if clock and name not in _ANY_CLOCK and clock != _CLOCKS.get(name, "8000"):
        return ""
    return DTMF if name == DTMF.upper() else name


_STATIC_FORMATS: Final = {str(number): name for number, name in STATIC_PAYLOAD_TYPES.items()}


def static_encoding(text: str) -> str:
    """The encoding name of a format that has no rtpmap; empty where RFC 3551 gives it none."""
    return _STATIC_FORMATS.get(text, "")
