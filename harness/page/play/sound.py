"""The headset's lead to a browser: what the seat hears as 8 kHz samples, and what the person says by microphone."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Final

import numpy as np

from harness.drivers.console import Console
from harness.endpoints.media import MediaPort
from harness.errors import RtpError
from harness.protocols.rtp.g711 import CODECS, SAMPLE_RATE
from harness.protocols.rtp.rtp import RtpPacket, build_plain
from harness.testbed.bench import Bench
from harness.transport.tap import NullTap
from harness.transport.udp import UdpPort, open_udp

FRAME: Final = 160
"""Samples of a packet, 20 ms."""
MAX_KEPT_S: Final = 1_800
"""Seconds of what was heard that are kept for the debrief: 14.4 MB, a byte a sample. What comes later is not kept."""
MAX_UNHEARD: Final = 50
"""Packets that wait for a browser, a second; of more the oldest are dropped, as speech that is late is of no use."""
MAX_SPOKEN: Final = 16_384
"""Bytes of one message of a microphone, a second."""
A_LAW: Final = CODECS["PCMA"]


class HeadsetLead:
    """Between a seat's headset jack and browsers."""

    def __init__(self) -> None:
        self._port: MediaPort | None = None
        self._udp: UdpPort
        self._ears: set[asyncio.Queue[bytes]] = set()
        self._kept = bytearray()
        self.kept_from = 0.0
        """Run time of the first sample that is kept."""
        self._now: Callable[[], float] = lambda: 0.0
        self._unsent = b""
        self._sequence = secrets.randbelow(2**15)
        self._timestamp = secrets.randbelow(2**31)
        self._ssrc = secrets.randbits(32)

    @classmethod
    async def open(cls, bench: Bench, console: Console) -> HeadsetLead:
        """Plug it in. Raises DriverError, MediaError or TransportError where it can't be."""
        lead = cls()
        lead._now = bench.journal.now
        lead._udp = await open_udp(("127.0.0.1", 0), lead._came, tap=NullTap())
        try:
            lead._port = await bench.headset_lead(console, lead._udp.local)
        except BaseException:
            lead._udp.close()
            raise
        return lead

    @property
    def name(self) -> str:
        """The journal's source for what is said by microphone."""
        return self._plugged.name

    @property
    def _plugged(self) -> MediaPort:
        assert self._port is not None, "a lead is made by `open`"
        return self._port

    def _came(self, data: bytes, source: tuple[str, int]) -> None:
        if self._port is None or source != self._port.address:
            return
        try:
            packet = RtpPacket.parse(data)
        except RtpError:
            return
        if packet.payload_type != A_LAW.payload_type or len(packet.payload) > FRAME * 10:
            return
        if not self._kept:
            self.kept_from = self._now()
        if len(self._kept) < MAX_KEPT_S * SAMPLE_RATE:
            self._kept += packet.payload
        if not self._ears:
            return
        samples = A_LAW.decode(packet.payload).astype("<i2").tobytes()
        for ear in self._ears:
            if ear.full():
                ear.get_nowait()
            ear.put_nowait(samples)

    def listen(self) -> asyncio.Queue[bytes]:
        """Return a queue of what is heard from now on: 16-bit little-endian samples, 8 kHz."""
        ear: asyncio.Queue[bytes] = asyncio.Queue(MAX_UNHEARD)
        self._ears.add(ear)
        return ear

    def forget(self, ear: asyncio.Queue[bytes]) -> None:
        """Give a queue up."""
        self._ears.discard(ear)

    def say(self, samples: bytes) -> None:
        """Speak 16-bit little-endian samples, 8 kHz, as they come from a microphone; more than MAX_SPOKEN is cut."""
        waiting = self._unsent + samples[: MAX_SPOKEN & ~1]
        size = 2 * FRAME
        whole = len(waiting) // size * size
        self._unsent = waiting[whole:]
        for start in range(0, whole, size):
            payload = A_LAW.encode(np.frombuffer(waiting[start : start + size], "<i2"))
            packet = build_plain(A_LAW.payload_type, self._sequence, self._timestamp, self._ssrc, payload, marker=False)
            self._sequence = (self._sequence + 1) & 0xFFFF
            self._timestamp = (self._timestamp + FRAME) & 0xFFFFFFFF
            self._udp.send(packet, self._plugged.address)

    def kept(self) -> bytes:
        """What was heard, 8 kHz A-law, a byte a sample from `kept_from` on."""
        return bytes(self._kept)

    async def close(self) -> None:
        """Pull it out."""
        await self._plugged.close()
        self._udp.close()
