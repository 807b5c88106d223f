"""Frames of 20 ms to payloads of any agreed length, evenly paced.

Theory. Frames come every 20 ms, packets are due every `ptime`. What a codec codes sample by sample is coded at once and
its octets cut where a packet ends; Opus codes whole packets. The first packet is due LAG later than its first frame,
just late enough that every later one is complete when it is due: `ptime` less 20 ms where it is a multiple of 20, and
less 10 where it is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.protocols.rtp.codecs import Codec
from harness.protocols.rtp.g711 import Samples

FRAME_MS = 20
OCTETS_A_MS = 8
"""Of G.711 and of G.722 at 64 kbit/s."""


@dataclass(frozen=True, slots=True)
class Payload:
    """What one packet carries."""

    data: bytes
    timestamp: int
    """RTP timestamp of its first sample."""
    after: float
    """Seconds from the frame that completes it until it is due."""


def lag_ms(ptime: int) -> int:
    """How much later than a frame its packet leaves, at least."""
    return ptime - FRAME_MS if ptime % FRAME_MS == 0 else ptime - FRAME_MS // 2


class Packetiser:
    """Cuts one stream's frames into packets."""

    def __init__(self, codec: Codec, ptime: int) -> None:
        """`ptime`: milliseconds a packet, 10-200 in steps of 10. Raises MediaError where the codec has none such."""
        self.ptime = ptime
        self._encoder = codec.encoder(ptime)
        self._whole = codec.name == "OPUS"
        self._units = codec.clock // 1000  # timestamp units a millisecond
        self._packet = ptime * (codec.rate // 1000 if self._whole else OCTETS_A_MS)
        self._octets = b""
        self._frames: list[Samples] = []
        self._waiting_ms = 0
        self._timestamp = 0
        self._elapsed_ms = 0  # from the first frame to the end of this one
        self._sent_ms = 0

    def put(self, frame: Samples, timestamp: int) -> Iterator[Payload]:
        """Take a frame that begins at `timestamp`; yield the payloads that it completes."""
        if not self._waiting_ms:
            self._timestamp = timestamp
        if not self._elapsed_ms:
            self._sent_ms = 0
        if self._whole:
            self._frames.append(frame)
        else:
            self._octets += self._encoder.encode(frame)
        self._waiting_ms += FRAME_MS
        self._elapsed_ms += FRAME_MS
        while self._waiting_ms >= self.ptime:
            due = lag_ms(self.ptime) + self._sent_ms
            data = self._cut()
            yield Payload(data, self._timestamp, max(0, due - (self._elapsed_ms - FRAME_MS)) / 1000)
            self._sent_ms += self.ptime
            self._waiting_ms -= self.ptime
            self._timestamp = (self._timestamp + self.ptime * self._units) & 0xFFFFFFFF

    def _cut(self) -> bytes:
        if not self._whole:
            data, self._octets = self._octets[: self._packet], self._octets[self._packet :]
            return data
        samples = np.concatenate(self._frames)
        self._frames = [samples[self._packet :]] if len(samples) > self._packet else []
        return self._encoder.encode(samples[: self._packet])

    def flush(self) -> Payload | None:
        """What is left as a shorter packet, for something else is sent next; Opus has no such packets and drops it."""
        left, self._octets, self._frames = self._octets, b"", []
        self._waiting_ms = self._elapsed_ms = self._sent_ms = 0
        return Payload(left, self._timestamp, 0.0) if left else None
