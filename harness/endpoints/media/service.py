"""What every host of an engine shares: opening ports and bridges, journalling what they tell."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from harness.endpoints.media.api import Bridge, MediaPort, Pacing, TextPort
from harness.endpoints.media.control import Reply
from harness.endpoints.media.events import MediaEvent
from harness.endpoints.media.playout import DEFAULT_DEPTH_MS, DEFAULT_MAX_DEPTH_MS
from harness.endpoints.media.ports import EngineBridge, EnginePort, EngineTextPort, SpeechPort
from harness.endpoints.media.terms import Address
from harness.errors import MediaError
from harness.protocols.rtp.g711 import SAMPLE_RATE
from harness.transport.context import Context


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
        playout_max_ms: int | None = DEFAULT_MAX_DEPTH_MS,
    ) -> MediaPort:
        """Bind an RTP port for speech; see MediaService.open_port."""
        # a depth that is asked for beyond the usual bound is its own bound
        most = playout_ms if playout_max_ms is None else max(playout_ms, playout_max_ms)
        number, address = await self._opened(
            name, host, port, kind="audio", codec=codec, playout_ms=playout_ms, playout_max_ms=most
        )
        opened = self._ports[number] = SpeechPort(self, number, name, address)
        return opened

    async def open_text(self, name: str, *, host: str = "127.0.0.1", port: int = 0) -> TextPort:
        """Bind an RTP port for real-time text; see MediaService.open_text."""
        number, address = await self._opened(name, host, port, kind="text")
        opened = self._ports[number] = EngineTextPort(self, number, name, address)
        return opened

    async def _opened(self, name: str, host: str, port: int, **what: Any) -> tuple[int, Address]:
        rng = self.context.rng
        drawn = {
            "ssrc": rng.getrandbits(32),
            # half the range, so that a wrap in the first packets does not spoil decryption (RFC 3711 section 3.3.1)
            "sequence": rng.getrandbits(15),
            "timestamp": rng.getrandbits(32),
        }
        reply, _ = await self.request("open", 0, {"name": name, "host": host, "port": port, **drawn, **what})
        return reply["number"], (host, reply["port"])

    async def open_bridge(self, name: str, *, rate: int = SAMPLE_RATE) -> Bridge:
        """Begin a conference; see MediaService.open_bridge."""
        reply, _ = await self.request("open bridge", 0, {"name": name, "rate": rate})
        return EngineBridge(self, reply["number"], name)

    async def close(self) -> None:
        """Close every port and end the service."""
        try:
            for port in tuple(self._ports.values()):
                await port.close()
        except MediaError:
            pass  # the engine is gone, and was said to be
        finally:
            await self._end()

    def number_of(self, port: MediaPort, purpose: str) -> int:
        """The engine's number of a port. Raises MediaError for one of another service."""
        if not isinstance(port, SpeechPort) or port.host is not self:
            raise MediaError(f"{purpose} of its own service, not {port.name}")
        return port.number

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
