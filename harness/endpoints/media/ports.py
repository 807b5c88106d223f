"""The port that tests and simulators hold, whichever host its engine runs in."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np

from harness.endpoints.media.api import Address, MediaPort, Pacing, PortStats, Recording
from harness.endpoints.media.control import Reply
from harness.endpoints.media.playout import DEFAULT_DEPTH_MS
from harness.endpoints.media.sound import FRAME_S
from harness.endpoints.media.streams import MediaEvent
from harness.errors import MediaError
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.transport.context import Context

GRACE_S = 5.0
"""How much longer than its length a clip or a row of digits may take before the wait is given up."""


class EngineHost(ABC):
    """What a service adds to an engine: sockets, a clock, a way to reach it."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._ports: dict[int, EnginePort] = {}

    @abstractmethod
    async def request(self, command: str, number: int, arguments: dict[str, Any], blob: bytes = b"") -> Reply:
        """Have a command carried out. Raises MediaError when it was refused or the engine is gone."""

    @abstractmethod
    async def pacing(self) -> Pacing:
        """Send errors since the service began, or since last asked."""

    @abstractmethod
    async def _end(self) -> None:
        """End the engine and what carries it."""

    async def open_port(
        self,
        name: str,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        codec: str = "PCMA",
        playout_ms: int = DEFAULT_DEPTH_MS,
    ) -> MediaPort:
        """Bind an RTP port; see MediaService.open_port."""
        rng = self.context.rng
        arguments = {
            "name": name,
            "host": host,
            "port": port,
            "codec": codec,
            "playout_ms": playout_ms,
            "ssrc": rng.getrandbits(32),
            # half the range, so that a wrap in the first packets does not spoil decryption (RFC 3711 section 3.3.1)
            "sequence": rng.getrandbits(15),
            "timestamp": rng.getrandbits(32),
        }
        reply, _ = await self.request("open", 0, arguments)
        opened = EnginePort(self, reply["number"], name, (host, reply["port"]))
        self._ports[opened.number] = opened
        return opened

    async def close(self) -> None:
        """Close every port and end the service."""
        try:
            for port in tuple(self._ports.values()):
                await port.close()
        except MediaError:
            pass  # the engine is gone, and was said to be
        finally:
            await self._end()

    def forget(self, number: int) -> None:
        """Drop a closed port."""
        self._ports.pop(number, None)

    def take_event(self, event: MediaEvent) -> None:
        """Journal what the engine told and wake who waits for it."""
        port = self._ports.get(event.port)
        if port is None:
            return
        journal = self.context.journal
        record = journal.warn if event.warning else journal.record
        record(port.name, event.kind, at=event.time - journal.origin, **event.data)
        port.take_event(event)

    def fail(self, reason: str) -> None:
        """Wake everybody who waits: the engine is gone."""
        for port in self._ports.values():
            port.fail(reason)


class EnginePort:
    """A MediaPort on an engine."""

    def __init__(self, host: EngineHost, number: int, name: str, address: Address) -> None:
        self.name = name
        self.address = address
        self.number = number
        self._host = host
        self._final: PortStats | None = None
        self._closing: asyncio.Task[PortStats] | None = None
        self._failed: str | None = None
        self._changed = asyncio.Event()
        self._clip = 0
        self._clip_ended = 0
        self._clips_until = 0.0
        self._looping = False
        self._digits_sent = 0

    async def connect(
        self,
        remote: Address | None,
        *,
        payload_type: int = 8,
        codec: str = "PCMA",
        dtmf_payload_type: int | None = 101,
        send: bool = True,
        receive: bool = True,
    ) -> None:
        """Agree with a peer; see MediaPort.connect."""
        arguments = {
            "remote": remote,
            "payload_type": payload_type,
            "codec": codec,
            "dtmf_payload_type": dtmf_payload_type,
            "send": send,
            "receive": receive,
        }
        await self._request("connect", arguments)

    async def play(self, samples: Samples, *, loop: bool = False) -> float:
        """Send samples; return the run time at which the first one goes out."""
        if samples.dtype != np.int16 or samples.ndim != 1:
            raise MediaError(f"a clip is a one-dimensional array of int16, not {samples.ndim} of {samples.dtype}")
        reply, _ = await self._request("play", {"loop": loop}, np.ascontiguousarray(samples).tobytes())
        self._clip = max(self._clip, reply["clip"])
        self._looping = loop
        start = float(reply["at"]) - self._host.context.journal.origin
        self._clips_until = start + len(samples) / SAMPLE_RATE + FRAME_S
        return start

    async def stop_playing(self) -> None:
        """Cut what is being played and forget what is queued."""
        self._looping = False
        await self._request("stop", {})

    async def played(self) -> None:
        """Return when everything asked so far is out, or was cut."""
        if self._looping:
            raise MediaError(f"the clip on port {self.name} loops: it is never out; stop it")
        last = self._clip
        within = max(0.0, self._clips_until - self._host.context.journal.now()) + GRACE_S
        await self._until(lambda: self._clip_ended >= last, within, "the clip did not end")

    async def record(self) -> None:
        """Begin recording what is heard."""
        await self._request("record", {})

    async def recorded(self) -> Recording:
        """End the recording and return it."""
        reply, blob = await self._request("recorded", {})
        start = round(reply["start"] - self._host.context.journal.origin, 6)
        return Recording(start, np.frombuffer(blob, np.int16))

    async def hear(self, *sources: MediaPort) -> None:
        """Send on what these ports hear, mixed; none: stop."""
        numbers = []
        for source in sources:
            if not isinstance(source, EnginePort) or source._host is not self._host:
                raise MediaError(f"port {self.name} can only hear ports of its own service, not {source.name}")
            numbers.append(source.number)
        await self._request("hear", {"sources": numbers})

    async def send_dtmf(self, digits: str, *, duration_ms: int = 100, gap_ms: int = 100) -> None:
        """Send telephone events; return when the last one's end is out."""
        arguments = {"digits": digits, "duration_ms": duration_ms, "gap_ms": gap_ms}
        reply, _ = await self._request("dtmf", arguments)
        last = reply["last"]
        # digits queued before may still be going out, at no more than what a full queue takes
        within = (last - self._digits_sent) * (duration_ms + gap_ms + 100) / 1000 + GRACE_S
        await self._until(lambda: self._digits_sent >= last, within, "the digits did not go out")

    async def stats(self) -> PortStats:
        """What crossed so far; once closed, what crossed until then."""
        if self._final is not None:
            return self._final
        reply, _ = await self._request("stats", {})
        return PortStats.from_json(reply)

    async def close(self) -> PortStats:
        """Say goodbye, close, journal the stats and return them; twice is once."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())
        return await asyncio.shield(self._closing)

    async def _close(self) -> PortStats:
        try:
            reply, _ = await self._request("close", {})
        finally:
            self._host.forget(self.number)
            self.fail(f"media port {self.name} is closed")
        self._final = PortStats.from_json(reply)
        self._host.context.journal.record(self.name, "media.closed", **self._final.as_json())
        return self._final

    def take_event(self, event: MediaEvent) -> None:
        """Note what the engine told of this port."""
        if event.kind == "clip.ended":
            self._clip_ended = max(self._clip_ended, event.data["clip"])
        elif event.kind == "dtmf.sent":
            self._digits_sent = max(self._digits_sent, event.data["number"])
        else:
            return
        self._changed.set()

    def fail(self, reason: str) -> None:
        """Wake who waits, with MediaError."""
        self._failed = self._failed or reason
        self._changed.set()

    async def _request(self, command: str, arguments: dict[str, Any], blob: bytes = b"") -> Reply:
        if self._failed is not None:
            raise MediaError(self._failed)
        return await self._host.request(command, self.number, arguments, blob)

    async def _until(self, done: Callable[[], bool], within: float, otherwise: str) -> None:
        try:
            async with asyncio.timeout(within):
                while not done():
                    if self._failed is not None:
                        raise MediaError(self._failed)
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise MediaError(f"{otherwise} on port {self.name} within {within:.1f} s") from None
