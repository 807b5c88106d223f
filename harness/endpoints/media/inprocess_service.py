"""The engine on the running loop: for virtual time, where it is exact and repeatable.

On a real loop it works but is at the mercy of whatever else the process does; use the worker process there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Any

from harness.endpoints.media.api import Pacing
from harness.endpoints.media.control import Control, Reply
from harness.endpoints.media.engine import MediaEngine
from harness.endpoints.media.pacing import Lateness, pacing_of
from harness.endpoints.media.sending import RTCP, Outgoing
from harness.endpoints.media.service import EngineHost
from harness.endpoints.media.stream import Stream
from harness.errors import MediaError, TransportError
from harness.transport.context import Context
from harness.transport.udp import UdpPort, open_udp

PAIR_ATTEMPTS = 32
"""Tries at finding a free even port whose odd neighbour is free too (RFC 3550 section 11)."""
_TIMER_SLACK_S = 1e-6


class InProcessMediaService(EngineHost):
    """A MediaService on the running loop."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._loop = asyncio.get_running_loop()
        self._engine = MediaEngine(self._loop.time())
        self._control = Control(self._engine)
        self._sockets: dict[int, tuple[UdpPort, UdpPort | None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._late = Lateness()
        self._closed = False

    async def request(self, command: str, number: int, arguments: dict[str, Any], blob: bytes = b"") -> Reply:
        """Carry the command out at once."""
        if self._closed:
            raise MediaError("the media service is closed")
        if command == "open":
            return await self._open(**arguments), b""
        now = self._loop.time()
        if command == "close":
            reply, outgoing = self._control.close(number, now)
            self._send(outgoing)
            for socket in self._sockets.pop(number):
                if socket is not None:
                    socket.close()
        else:
            reply = self._control.execute(command, number, dict(arguments), blob, now)
        self._tell()
        self._schedule()
        return reply

    async def pacing(self) -> Pacing:
        """Send errors of this loop, which reads at once."""
        return pacing_of(self._late, Lateness(), realtime=False, cpu_s=0.0)

    async def _end(self) -> None:
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()

    async def _open(self, *, name: str, host: str, port: int, **stream: Any) -> dict[str, Any]:
        opened = self._engine.add_port(name, **stream)
        try:
            rtp, rtcp = await self._bind(opened, host, port)
        except TransportError as error:
            self._engine.remove_port(opened.number, self._loop.time())
            raise MediaError(f"media port {name}: {error}") from error
        opened.rtcp.enabled = rtcp is not None
        self._sockets[opened.number] = rtp, rtcp
        opened.send, opened.send_control = rtp.send, None if rtcp is None else rtcp.send
        return {"number": opened.number, "port": rtp.local[1]}

    async def _bind(self, stream: Stream, host: str, port: int) -> tuple[UdpPort, UdpPort | None]:
        def media(data: bytes, source: tuple[str, int]) -> None:
            resting = stream.resting
            stream.datagram(data, source, self._loop.time())
            self._tell()
            if resting:
                self._schedule()

        def control(data: bytes, source: tuple[str, int]) -> None:
            stream.control(data, source, self._loop.time())
            self._tell()

        tap = self.context.tap
        if port:
            rtp = await open_udp((host, port), media, tap=tap)
            rtcp = None
            if port % 2 == 0:
                with contextlib.suppress(TransportError):
                    rtcp = await open_udp((host, port + 1), control, tap=tap)
            return rtp, rtcp
        for _ in range(PAIR_ATTEMPTS):
            rtp = await open_udp((host, 0), media, tap=tap)
            if rtp.local[1] % 2 == 0:
                with contextlib.suppress(TransportError):
                    return rtp, await open_udp((host, rtp.local[1] + 1), control, tap=tap)
            rtp.close()
        raise TransportError(f"no pair of free UDP ports on {host}")

    def _send(self, outgoing: Iterable[Outgoing]) -> None:
        for stream, kind, data, to in outgoing:
            send = stream.send_control if kind == RTCP else stream.send
            if send is not None:
                send(data, to)

    def _tick(self) -> None:
        self._timer = None
        self._engine.catch_up(self._loop.time())
        while (due := self._engine.next_tick()) is not None and due <= self._loop.time() + _TIMER_SLACK_S:
            self._send(self._engine.tick())
            self._late.add(self._loop.time() - due)
        self._tell()
        self._schedule()

    def _schedule(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._engine.next_tick()
        if due is not None and not self._closed:
            self._timer = self._loop.call_at(due, self._tick)

    def _tell(self) -> None:
        for event in self._engine.events():
            self.take_event(event)
