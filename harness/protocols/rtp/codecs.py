"""The speech codecs by name, and what of them is to be had: G.711 always, G.722 and Opus with the extra ``codecs``."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final, Protocol

from harness.errors import MediaError
from harness.protocols.rtp.g711 import CODECS, Samples


class Encoder(Protocol):
    """Samples to payloads, in the order in which they are sent."""

    def encode(self, samples: Samples) -> bytes:
        """The payload of one packet's samples, at the codec's `rate`."""


class Decoder(Protocol):
    """Payloads to samples, in the order in which they were sent."""

    def decode(self, payload: bytes) -> Samples:
        """The samples of a payload that is not empty, at the codec's `rate`. Raises RtpError for what is none."""


class Codec(Protocol):
    """A way to code speech."""

    @property
    def name(self) -> str:
        """The encoding name in upper case."""

    @property
    def payload_type(self) -> int:
        """The static payload type (RFC 3551 section 6), or the dynamic one that our own offers give it."""

    @property
    def clock(self) -> int:
        """RTP timestamp units a second."""

    @property
    def rate(self) -> int:
        """Samples a second of what goes in and comes out."""

    @property
    def stateful(self) -> bool:
        """Whether a payload means something only after those before it."""

    def encoder(self, ptime: int) -> Encoder:
        """A fresh encoder for packets of `ptime` milliseconds. Raises MediaError where there are no such packets."""

    def decoder(self) -> Decoder:
        """A fresh decoder."""


NAMES: Final = ("PCMA", "PCMU", "G722", "OPUS")
OPUS_PTIMES: Final = (10, 20, 40, 60)
"""Milliseconds that one Opus frame of ours may last, of those that the engine paces (RFC 6716 section 2.1.4)."""
EXTRA: Final = "codecs"
"""The optional dependency that brings G.722 and Opus."""


def available_codecs() -> tuple[str, ...]:
    """The names of the codecs that are to be had here, G.711 first: what every telephone has."""
    return NAMES if find_spec("av") is not None else NAMES[:2]


def require_codec(name: str) -> None:
    """Raise MediaError unless the codec is known and its library installed; the error says how to get it."""
    if name.upper() not in NAMES:
        raise MediaError(f"no codec {name!r}; known: {', '.join(NAMES)}")
    if name.upper() not in CODECS and find_spec("av") is None:
        raise MediaError(f"codec {name} needs PyAV: pip install 'iccs-acceptance-harness[{EXTRA}]'")


def codec_named(name: str) -> Codec:
    """The codec of an rtpmap encoding name, in any case. Raises MediaError for one that is not to be had."""
    codec = CODECS.get(name.upper())
    if codec is not None:
        return codec
    require_codec(name)
    from harness.protocols.rtp.wideband import G722, OPUS  # noqa: PLC0415 - an extra that few have

    return {each.name: each for each in (G722, OPUS)}[name.upper()]
