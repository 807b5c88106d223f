"""A simulated service's HTTP server that fails on demand, and the routes by which it is made to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from pydantic import Field

from simulators.bodies import Body
from simulators.events import Events
from simulators.faults import MAX_SECONDS, Fault, Faults
from simulators.routes import Routes
from simulators.web import WebServer


class FailingServer:
    """Serves an application that looks at ``faults`` by itself; while it is DOWN nothing listens."""

    def __init__(
        self,
        make_app: Callable[[], Any],
        host: str,
        port: int,
        faults: Faults,
        events: Events,
        *,
        certificate: Path | None = None,
        key: Path | None = None,
    ) -> None:
        """``make_app``: the ASGI application, asked for each time it begins to listen; ``port`` 0: a free one, kept.

        ``certificate`` and ``key``: PEM files; with them it serves https.
        """
        self._certificate, self._key = certificate, key
        self.faults = faults
        self._make_app = make_app
        self._host, self._port = host, port
        self._events = events
        self._switching = asyncio.Lock()
        self._web: WebServer | None = None

    @property
    def address(self) -> str:
        """Where it is asked, ``host:port``, once it was started."""
        return f"{self._host}:{self._port}"

    async def start(self) -> None:
        """Begin to listen. Raises TransportError where the address can't be bound."""
        web = WebServer(self._make_app(), self._host, self._port, certificate=self._certificate, key=self._key)
        self._port = await web.start()
        self._web = web

    async def stop(self) -> None:
        """Listen no more; twice is once."""
        web, self._web = self._web, None
        if web is not None:
            await web.stop()

    async def set_fault(self, fault: Fault | None, *, seconds: float) -> None:
        """Begin a fault, in place of one that is on, or end it.

        Raises TransportError where the port was taken meanwhile.
        """
        async with self._switching:
            was = self.faults.now
            self.faults.set(fault, seconds=seconds)
            self._events.tell("fault" if fault is not None else "well", fault=self.faults.shown)
            if fault is Fault.DOWN and was is not Fault.DOWN:
                await self.stop()
            elif was is Fault.DOWN and fault is not Fault.DOWN:
                await self.start()


class Failing(Protocol):
    """A simulator that has such a server."""

    server: FailingServer

    def figures(self) -> dict[str, Any]:
        """Where it is asked, what is wrong, and what else there is to tell."""


class FaultBody(Body):
    """What is to be wrong."""

    fault: Fault = Field(strict=False)
    seconds: float = Field(default=1.0, gt=0, le=MAX_SECONDS)
    """How much longer answers take, where they are to be slow."""


def add_fault_routes(router: Routes, simulator: Failing) -> None:
    """Let whoever is at the control interface begin and end faults."""

    @router.put("/fault")
    async def fail(body: FaultBody) -> dict[str, Any]:
        """Begin a fault."""
        await simulator.server.set_fault(body.fault, seconds=body.seconds)
        return simulator.figures()

    @router.delete("/fault")
    async def recover() -> dict[str, Any]:
        """End the fault."""
        await simulator.server.set_fault(None, seconds=0.0)
        return simulator.figures()
