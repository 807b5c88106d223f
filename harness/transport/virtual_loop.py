"""Virtual time: an asyncio loop whose clock jumps to the next deadline, over a seeded in-memory network.

Anything written against asyncio's own interface (datagram endpoints, servers, connections, call_at, sleep) runs on it
unchanged. With nothing ready, the loop does not wait: it moves its clock to the next timer. With no timer either, the
run is stuck and says so. Nothing outside the process is reachable, so that one seed gives one run.
"""

from __future__ import annotations

import asyncio
import random
import selectors
import socket
import ssl as ssl_module
import threading
from collections.abc import Callable, Mapping
from contextvars import Context, copy_context
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any, Final, cast

from harness.errors import TransportError
from harness.transport.virtual_network import VirtualNetwork

if TYPE_CHECKING:
    from harness.transport.virtual_serial import VirtualSerialEnd

_RESOLUTION_S = 1e-9
_ROUNDS = 16
"""Rounds for one look at the wake-up pipe: a look is a system call, and a signal's handler comes by itself."""
_CANCELLED_KEPT = 100
"""Cancelled timers that may stay in the heap; beyond, they go when they are more than half of it."""


class JumpingSelector(selectors.SelectSelector):
    """Never waits: a timeout becomes a step of the clock. Only asyncio's own wake-up pipe may be registered."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.intruder: str | None = None

    def refuse_intruder(self) -> None:
        """Raise TransportError where a thread has called into virtual time."""
        if self.intruder is not None:
            raise TransportError(f"thread {self.intruder!r} called into virtual time, at a moment that no seed settles")

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.refuse_intruder()
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise TransportError("virtual time is stuck: something waits, and no timer is set that could end it")
        if timeout > 0.0:
            self.now += timeout
        return []


class _Timer(asyncio.TimerHandle):
    """asyncio's timer, made in half the time: what it sets in three calls is set here, and no stack is kept."""

    __slots__ = ()

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
        context: Context | None,
    ) -> None:
        self._context = copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None
        self._when = when
        self._scheduled = True  # so that asyncio counts it when it is cancelled


_Due = tuple[float, int, _Timer | None, Any, tuple[Any, ...]]
"""Deadline, order in which it was set, the timer, or, of what can't be cancelled, what is called with which arguments.

What can't be cancelled is a delivery by the network. A timer holds itself what it calls, and lets go of it when it is
cancelled, however long it stays in the heap.
"""
_WHEN: Final = 0
_TIMER: Final = 2


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time.

    ``seed`` settles the network's delay and loss; see VirtualNetwork for what can be set.
    """

    def __init__(self, seed: int = 0, selector: JumpingSelector | None = None) -> None:
        self._jumping = selector or JumpingSelector()
        super().__init__(self._jumping)
        self._clock_resolution = _RESOLUTION_S
        self._order = 0
        self._jumps_freely = type(self._jumping) is JumpingSelector
        """Whether a step of the clock may be taken without the selector, which would do no more."""
        self._wire = copy_context()
        """In which deliveries are made."""
        self._due: list[_Due] = []
        """Timers by deadline, then by the order in which they were set."""
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
        """Call ``callback`` at virtual time ``when``; equal deadlines in the order in which they were set.

        asyncio's own heap leaves that order open. On a clock that stands still between events equal deadlines are the
        rule, and what was sent first must arrive first. Tuples are compared without a line of Python.
        """
        self._order = order = self._order + 1
        timer = _Timer(when, callback, args, self, context)
        heappush(self._due, (when, order, timer, None, ()))
        return timer

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call ``callback`` after ``delay`` virtual seconds."""
        return self.call_at(self._jumping.now + delay, callback, *args, context=context)

    def deliver_at(self, when: float, receive: Callable[..., object], *args: Any) -> None:
        """As `call_at`, for networks and lines, which take nothing back: half the work, in the loop's own context."""
        self._order = order = self._order + 1
        heappush(self._due, (when, order, None, receive, args))

    def _run_once(self) -> None:  # noqa: PLR0912 - what each of a hundred thousand rounds does, without a call
        """Some rounds, each as asyncio's own is: move the clock where nothing is ready, then run what is."""
        due, jumping = self._due, self._jumping
        state = cast(Any, self)
        ready = state._ready
        self._sweep()
        for number in range(_ROUNDS):
            while due and (first := due[0][_TIMER]) is not None and first._cancelled:
                state._timer_cancelled_count -= 1
                heappop(due)
            if ready or state._stopping:
                timeout: float | None = 0.0
            else:
                timeout = due[0][_WHEN] - jumping.now if due else None
            if number == 0 or timeout is None or not self._jumps_freely:
                if events := jumping.select(timeout):
                    state._process_events(events)
            elif jumping.intruder is not None:
                jumping.refuse_intruder()
            elif timeout > 0.0:
                jumping.now += timeout
            end = jumping.now + _RESOLUTION_S
            now_due = []
            while due and due[0][_WHEN] < end:
                now_due.append(heappop(due))
            left = iter(now_due)
            try:
                if ready:
                    self._run_ready(len(ready))
                for _, _, timer, callback, args in left:
                    try:  # what a handle's `_run` does, without the call
                        if timer is None:
                            self._wire.run(callback, *args)
                        elif timer._cancelled:  # as it may have been between being due and its turn
                            state._timer_cancelled_count -= 1
                        else:
                            timer._scheduled = False
                            timer._context.run(timer._callback, *timer._args)
                    except (SystemExit, KeyboardInterrupt):
                        raise
                    except BaseException as error:
                        self._failed(timer or callback, error)
            except BaseException:  # Ctrl-C: whoever runs the loop on, to end what is under way, finds the rest
                for item in left:
                    heappush(due, item)
                raise
            if state._stopping:
                return

    def _run_ready(self, count: int) -> None:
        ready = cast(Any, self)._ready
        for _ in range(count):
            handle = ready.popleft()
            if not handle._cancelled:
                try:
                    handle._context.run(handle._callback, *handle._args)
                except (SystemExit, KeyboardInterrupt):
                    raise
                except BaseException as error:
                    self._failed(handle, error)

    def _sweep(self) -> None:
        """Take cancelled timers out of the heap where they are many."""
        due, state = self._due, cast(Any, self)
        if state._timer_cancelled_count > _CANCELLED_KEPT and 2 * state._timer_cancelled_count > len(due):
            due[:] = [item for item in due if (timer := item[_TIMER]) is None or not timer.cancelled()]
            heapify(due)
            state._timer_cancelled_count = 0

    def _failed(self, what: object, error: BaseException) -> None:
        self.call_exception_handler({"message": f"Exception in callback {what!r}", "exception": error, "handle": what})

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
