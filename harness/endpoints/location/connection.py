"""A caller-location link on a TCP connection: does what `Link` says, on the running loop's clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from harness.errors import CallerLocationError, CallerLocationLocalError
from harness.protocols.location.caller import Hello, Message, Welcome
from harness.protocols.location.link import (
    Close,
    Deliver,
    Down,
    Link,
    Output,
    SetTimer,
    StopTimers,
    Timer,
    Transmit,
    Up,
)

MAX_UNSENT = 256 * 1024
"""Octets that a peer may leave unread before the link is given up."""


class Connection(asyncio.Protocol):
    """One link. ``up`` is called with the peer's greeting, ``deliver`` with each message, ``down`` once at the end."""

    def __init__(
        self,
        link: Link,
        *,
        up: Callable[[Hello | Welcome], None],
        deliver: Callable[[Message], None],
        down: Callable[[str], None],
    ) -> None:
        self.link = link
        self._up = up
        self._deliver = deliver
        self._down = down
        self._transport: asyncio.Transport | None = None
        self._timers: dict[Timer, asyncio.TimerHandle] = {}
        self._loop = asyncio.get_running_loop()
        self.peer = ""
        """``host:port`` of the other end."""

    # -- asyncio's side --------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the link."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=MAX_UNSENT)
        host, port = transport.get_extra_info("peername")[:2]
        self.peer = f"{host}:{port}"
        self._do(self.link.connected())

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        self._do(self.link.receive(data))

    def pause_writing(self) -> None:
        """Give a peer up that leaves too much unread."""
        self._do(self.link.lost(f"the peer left {MAX_UNSENT} octets unread"))
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._do(self.link.lost(str(exc) if exc else "the connection was closed"))

    # -- our owner's side ------------------------------------------------------------------------------------------

    def send(self, message: Message) -> None:
        """Send a message. Raises CallerLocationLocalError when the link is not up, or the codec can't write it."""
        try:
            outputs = self.link.send(message)
        except CallerLocationError as error:
            raise CallerLocationLocalError(str(error)) from error
        self._do(outputs)

    def stop(self) -> None:
        """End the link in an orderly way."""
        self._do(self.link.stop())

    def abort(self) -> None:
        """Drop the connection without a word, as when a machine fails."""
        if self._transport is not None:
            self._transport.abort()

    def _do(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case Transmit(octets):
                    if self._transport is not None:
                        self._transport.write(octets)
                case SetTimer(timer, seconds):
                    self._stop(timer)
                    self._timers[timer] = self._loop.call_later(seconds, self._expired, timer)
                case StopTimers():
                    for timer in Timer:
                        self._stop(timer)
                case Deliver(message):
                    self._deliver(message)
                case Up(greeting):
                    self._up(greeting)
                case Down(cause):
                    self._down(cause)
                case Close():
                    if self._transport is not None:
                        self._transport.close()

    def _stop(self, timer: Timer) -> None:
        handle = self._timers.pop(timer, None)
        if handle is not None:
            handle.cancel()

    def _expired(self, timer: Timer) -> None:
        self._timers.pop(timer, None)
        self._do(self.link.expired(timer))
