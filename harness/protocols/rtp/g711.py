"""G.711 A-law and µ-law by lookup table (ITU-T G.711; RFC 3551 section 4.5.14)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]
"""Linear PCM, mono, 8,000 Hz."""

SAMPLE_RATE = 8000
A_LAW_SILENCE = 0xD5
MU_LAW_SILENCE = 0xFF

# Upper ends of the eight segments, in 13-bit (A-law) and biased 14-bit (µ-law) magnitudes.
_A_LAW_SEGMENTS = np.array([0x1F, 0x3F, 0x7F, 0xFF, 0x1FF, 0x3FF, 0x7FF, 0xFFF])
_MU_LAW_SEGMENTS = np.array([0x3F, 0x7F, 0xFF, 0x1FF, 0x3FF, 0x7FF, 0xFFF, 0x1FFF])
_MU_LAW_BIAS = 33
_MU_LAW_CLIP = 8159


def _a_law_decoder() -> Samples:
    octets = np.arange(256) ^ 0x55
    mantissa, segment = (octets & 0x0F) << 4, (octets & 0x70) >> 4
    linear = np.where(segment == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(segment - 1, 0))
    return np.where(octets & 0x80, linear, -linear).astype(np.int16)


def _mu_law_decoder() -> Samples:
    octets = ~np.arange(256) & 0xFF
    linear = ((((octets & 0x0F) << 3) + 0x84) << ((octets & 0x70) >> 4)) - 0x84
    return np.where(octets & 0x80, -linear, linear).astype(np.int16)


def _a_law_encoder() -> NDArray[np.uint8]:
    linear = np.arange(65536).astype(np.uint16).view(np.int16).astype(np.int32) >> 3
    magnitude = np.where(linear < 0, -linear - 1, linear)
    segment = np.searchsorted(_A_LAW_SEGMENTS, magnitude)
    mantissa = (magnitude >> np.maximum(segment, 1)) & 0x0F
    return ((segment << 4 | mantissa) ^ np.where(linear < 0, 0x55, 0xD5)).astype(np.uint8)


def _mu_law_encoder() -> NDArray[np.uint8]:
    linear = np.arange(65536).astype(np.uint16).view(np.int16).astype(np.int32) >> 2
    magnitude = np.minimum(np.abs(linear), _MU_LAW_CLIP) + _MU_LAW_BIAS
    segment = np.searchsorted(_MU_LAW_SEGMENTS, magnitude)
    value = np.where(segment >= 8, 0x7F, segment << 4 | ((magnitude >> (segment + 1)) & 0x0F))
    return (value ^ np.where(linear < 0, 0x7F, 0xFF)).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class G711:
    """A payload format of 8 bits a sample at 8,000 Hz; it has no memory, so it is its own encoder and decoder."""

    name: str
    """The encoding name of SDP's rtpmap, e.g. "PCMA"."""
    payload_type: int
    """The static payload type of RFC 3551 table 4."""
    silence: int
    """The octet that stands for a sample of zero."""
    _encoder: NDArray[np.uint8] = field(repr=False, compare=False)
    _decoder: Samples = field(repr=False, compare=False)

    clock = SAMPLE_RATE
    rate = SAMPLE_RATE
    stateful = False

    def encoder(self, ptime: int) -> G711:
        """Itself, for packets of any length."""
        return self

    def decoder(self) -> G711:
        """Itself."""
        return self

    def encode(self, samples: Samples) -> bytes:
        """One octet a sample."""
        return self._encoder[samples.view(np.uint16)].tobytes()

    def decode(self, payload: bytes) -> Samples:
        """One sample an octet; every octet stands for a sample, so this can't fail."""
        return self._decoder[np.frombuffer(payload, np.uint8)]


CODECS = {
    codec.name: codec
    for codec in (
        G711("PCMU", 0, MU_LAW_SILENCE, _mu_law_encoder(), _mu_law_decoder()),
        G711("PCMA", 8, A_LAW_SILENCE, _a_law_encoder(), _a_law_decoder()),
    )
}
"""Both laws by name."""
