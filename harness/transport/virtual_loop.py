"""Virtual time: an asyncio loop whose clock jumps to the next deadline, over a seeded in-memory network.

Anything written against asyncio's own interface (datagram endpoints, servers, connections, call_at, sleep) runs on it
unchanged. With nothing ready, the loop does not wait: it moves its clock to the next timer. With no timer either, the
run is stuck and says so. Nothing outside the process is reachable, so that one seed gives one run.
"""

from __future__ import annotations

import asyncio
import heapq
import random
import selectors
import socket
import ssl as ssl_module
import threading
from collections.abc import Callable, Mapping
from contextvars import Context
from typing import TYPE_CHECKING, Any, cast

from harness.errors import TransportError
from harness.transport.virtual_network import VirtualNetwork

if TYPE_CHECKING:
    from harness.transport.virtual_serial import VirtualSerialEnd

_RESOLUTION_S = 1e-9


class JumpingSelector(selectors.SelectSelector):
    """Never waits: a timeout becomes a step of the clock. Only asyncio's own wake-up pipe may be registered."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.intruder: str | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self.intruder is not None:
            raise TransportError(f"thread {self.intruder!r} called into virtual time, at a moment that no seed settles")
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise TransportError("virtual time is stuck: something waits, and no timer is set that could end the wait")
        self.now += max(timeout, 0.0)
        return []


class _OrderedTimer(asyncio.TimerHandle):
    """A timer that, of two with the same deadline, runs the one first that was set first.

    asyncio's own heap leaves that open. On a clock that stands still between events equal deadlines are the rule, and
    what was sent first must arrive first.
    """

    __slots__ = ("_order",)

    def __init__(
        self,
        order: int,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
        context: Context | None,
    ) -> None:
        super().__init__(when, callback, args, loop, context)
        self._order = order

    def __lt__(self, other: object) -> bool:
        assert isinstance(other, _OrderedTimer)
        # The heap asks this more often than anything else is asked: the attribute spares the call of `when`.
        mine, its = self._when, other._when  # type: ignore[attr-defined]
        return bool(mine < its or (mine == its and self._order < other._order))


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time.

    ``seed`` settles the network's delay and loss; see VirtualNetwork for what can be set.
    """

    def __init__(self, seed: int = 0, selector: JumpingSelector | None = None) -> None:
        self._jumping = selector or JumpingSelector()
        super().__init__(self._jumping)
        self._clock_resolution = _RESOLUTION_S
        self._order = 0
        self._thread = threading.get_ident()
        self.network = VirtualNetwork(self, random.Random(f"network {seed}"))
        self.serial_lines: dict[str, VirtualSerialEnd] = {}
        """The equipment's end of each serial line, by URL."""

    def time(self) -> float:
        """Return virtual seconds since the loop was made."""
        return self._jumping.now

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Call ``callback`` soon; from another thread, end the run with an error that names the thread."""
        current = threading.current_thread()
        if current.ident != self._thread:
            self._jumping.intruder = current.name
        return super().call_soon_threadsafe(callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call ``callback`` at virtual time ``when``; equal deadlines in the order in which they were set."""
        self._order += 1
        timer = _OrderedTimer(self._order, when, callback, args, self, context)
        # asyncio.BaseEventLoop.call_at does these two things to its own kind of timer; both attributes are its own.
        heapq.heappush(cast(list[asyncio.TimerHandle], self.__dict__["_scheduled"]), timer)
        setattr(timer, "_scheduled", True)  # noqa: B010 - unknown to the type stubs
        return timer

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Run ``func`` at once, in line: a thread would finish at a moment that no seed settles."""
        future: asyncio.Future[Any] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:
        """Refuse: virtual time has no names, as a name service is outside the process."""
        raise socket.gaierror(socket.EAI_NONAME, f"virtual time has no name service to look {host} up")

    async def create_datagram_endpoint(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.DatagramProtocol],
        local_addr: tuple[str, int] | None = None,
        remote_addr: tuple[str, int] | None = None,
        **options: Any,
    ) -> tuple[asyncio.DatagramTransport, asyncio.DatagramProtocol]:
        """Bind a virtual UDP port."""
        _refuse("create_datagram_endpoint", options)
        protocol = protocol_factory()
        return self.network.datagram(protocol, local_addr or ("127.0.0.1", 0), remote_addr), protocol

    async def create_server(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str | None = None,
        port: int | None = None,
        *,
        ssl: ssl_module.SSLContext | None = None,
        **options: Any,
    ) -> asyncio.AbstractServer:
        """Listen on a virtual TCP port."""
        _refuse("create_server", {"ssl": ssl, **{k: v for k, v in options.items() if k in {"sock"}}})
        return self.network.listen(protocol_factory, host or "127.0.0.1", port or 0)

    async def create_connection(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str | None = None,
        port: int | None = None,
        *,
        ssl: ssl_module.SSLContext | None = None,
        **options: Any,
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """Connect to a virtual TCP port. Raises ConnectionRefusedError when nothing listens there."""
        _refuse("create_connection", {"ssl": ssl, "sock": options.get("sock")})
        return await self.network.connect(protocol_factory, host or "127.0.0.1", port or 0)


def _refuse(what: str, options: Mapping[str, Any]) -> None:
    named = sorted(key for key, value in options.items() if value)
    if named:
        raise TransportError(f"{what} with {', '.join(named)} is not to be had in virtual time")
