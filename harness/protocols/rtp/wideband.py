"""G.722 and Opus through PyAV (the extra ``codecs``), both as 16,000 samples a second.

G.722 (RFC 3551 section 4.5.2) codes 16 kHz audio at 64 kbit/s under an RTP clock of 8000. Opus (RFC 7587) has an RTP
clock of 48000 whatever it codes; we code wideband speech, and what a peer sends above 8 kHz is cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, cast

import av
import numpy as np
from av.error import FFmpegError

from harness.errors import MediaError, RtpError
from harness.protocols.rtp.codecs import OPUS_PTIMES
from harness.protocols.rtp.resample import Decimator

if TYPE_CHECKING:
    from harness.protocols.rtp.g711 import Samples

RATE: Final = 16_000
OPUS_CLOCK: Final = 48_000
OPUS_BIT_RATE: Final = 32_000
"""Bits a second: well above the 16-20 kbit/s that RFC 7587 section 3.1.1 gives for wideband speech."""
MAX_OPUS_SAMPLES: Final = 5760
"""120 ms at 48 kHz: the most that a packet may hold (RFC 6716 section 3.2.5)."""
_G722_FRAME: Final = 320


class _AvEncoder:
    """One PyAV encoder of 16 kHz mono."""

    def __init__(self, name: str, options: dict[str, str], bit_rate: int | None) -> None:
        self._context = _context(name, "w")
        self._context.format = "s16"
        self._context.time_base = Fraction(1, RATE)
        self._context.options = options
        if bit_rate is not None:
            self._context.bit_rate = bit_rate
        self._context.open()
        self._position = 0

    def frame(self, samples: Samples) -> bytes:
        """The payload of one whole codec frame."""
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE
        frame.pts = self._position
        self._position += len(samples)
        return b"".join(bytes(packet) for packet in self._context.encode(frame))


def _context(name: str, mode: str) -> Any:
    context: Any = cast(Any, av.CodecContext).create(name, mode)
    context.sample_rate = RATE
    context.layout = "mono"
    return context


def _decode(context: Any, payload: bytes, what: str) -> Samples:
    try:
        frames = context.decode(av.Packet(payload))
    except (FFmpegError, ValueError) as error:
        raise RtpError(f"a payload of {len(payload)} octets is not {what}: {error}") from None
    if not frames:
        raise RtpError(f"a payload of {len(payload)} octets is not {what}")
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames]).astype(np.int16, copy=False)


class _G722Encoder:
    def __init__(self) -> None:
        self._encoder = _AvEncoder("g722", {}, None)

    def encode(self, samples: Samples) -> bytes:
        """One octet for two samples; whole frames of 20 ms."""
        frames = samples.reshape(-1, _G722_FRAME)
        return b"".join([self._encoder.frame(frame) for frame in frames])


class _G722Decoder:
    def __init__(self) -> None:
        self._context = _context("g722", "r")

    def decode(self, payload: bytes) -> Samples:
        """Two samples for each octet."""
        return _decode(self._context, payload, "G.722")


@dataclass(frozen=True, slots=True)
class _G722:
    """G.722 at 64 kbit/s."""

    name: str = "G722"
    payload_type: int = 9
    clock: int = 8000
    rate: int = RATE
    stateful: bool = True

    def encoder(self, ptime: int) -> _G722Encoder:
        """For packets of any length: its octets can be cut anywhere."""
        return _G722Encoder()

    def decoder(self) -> _G722Decoder:
        """A fresh decoder."""
        return _G722Decoder()


class _OpusEncoder:
    def __init__(self, ptime: int) -> None:
        options = {"application": "voip", "frame_duration": str(ptime)}
        self._encoder = _AvEncoder("libopus", options, OPUS_BIT_RATE)

    def encode(self, samples: Samples) -> bytes:
        """One Opus frame."""
        return self._encoder.frame(samples)


class _OpusDecoder:
    def __init__(self) -> None:
        self._context = _context("libopus", "r")
        self._narrow = Decimator(OPUS_CLOCK // RATE)

    def decode(self, payload: bytes) -> Samples:
        """The packet's frames, brought down to 16 kHz."""
        samples = _decode(self._context, payload, "Opus")
        if len(samples) > MAX_OPUS_SAMPLES or len(samples) % (OPUS_CLOCK // RATE):
            raise RtpError(f"an Opus packet of {len(samples)} samples, at most {MAX_OPUS_SAMPLES} (RFC 6716 section 3)")
        return self._narrow.convert(samples)


@dataclass(frozen=True, slots=True)
class _Opus:
    """Opus, one channel of wideband speech."""

    name: str = "OPUS"
    payload_type: int = 107
    clock: int = OPUS_CLOCK
    rate: int = RATE
    stateful: bool = True

    def encoder(self, ptime: int) -> _OpusEncoder:
        """For frames of 10, 20, 40 or 60 ms. Raises MediaError."""
        if ptime not in OPUS_PTIMES:
            raise MediaError(f"Opus packets of {ptime} ms can't be sent; {', '.join(map(str, OPUS_PTIMES))} can")
        return _OpusEncoder(ptime)

    def decoder(self) -> _OpusDecoder:
        """A fresh decoder."""
        return _OpusDecoder()


G722: Final = _G722()
OPUS: Final = _Opus()
