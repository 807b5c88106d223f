"""Every simulated node's clock: told by SNTP at a port of its own, set wrong through one control interface."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI, HTTPException, status
from pydantic import Field

from harness.endpoints.sntp import SntpResponder
from harness.errors import LocalError
from harness.transport.context import Context
from simulators.bodies import Body
from simulators.guard import guard
from simulators.routes import Routes, add_routes
from simulators.web import WebServer

MAX_NODES: Final = 2_000
MAX_SKEW_MS: Final = 86_400_000.0
"""A day: no clock that anybody looks at is farther off."""
HOST: Final = "127.0.0.1"
"""Where clocks and their control listen: on this machine alone, so that no token is needed."""


@dataclass(slots=True, eq=False)
class NodeClock:
    """One node's clock."""

    name: str
    right: Callable[[], float]
    """The time that it ought to tell, seconds since 1970."""
    skew_s: float = 0.0
    """How far it is ahead of that; below 0: behind."""
    port: int = 0
    """UDP port at which it tells its time by SNTP."""

    def now(self) -> float:
        """What it tells, seconds since 1970."""
        return self.right() + self.skew_s

    def shown(self) -> dict[str, Any]:
        """Return it as the control interface shows it."""
        return {"node": self.name, "port": self.port, "skew_ms": self.skew_s * 1000}


class SkewBody(Body):
    """How far a clock is to be wrong."""

    skew_ms: float = Field(ge=-MAX_SKEW_MS, le=MAX_SKEW_MS, allow_inf_nan=False)
    """Ahead; below 0: behind."""


class ClockRoom:
    """All clocks of one simulation."""

    def __init__(self, context: Context, right: Callable[[], float]) -> None:
        self._context = context
        self._right = right
        self._nodes: dict[str, NodeClock] = {}
        self._stack = AsyncExitStack()
        self.control_url = ""
        """``http://host:port`` of the interface that sets clocks wrong."""

    @classmethod
    async def start(cls, context: Context, right: Callable[[], float]) -> ClockRoom:
        """Serve the control interface. ``right``: seconds since 1970. Raises TransportError."""
        room = cls(context, right)
        web = WebServer(_app(room), HOST, 0)
        room._stack.push_async_callback(web.stop)
        try:
            room.control_url = f"http://{HOST}:{await web.start()}"
        except BaseException:
            await room.stop()
            raise
        return room

    async def add(self, name: str) -> NodeClock:
        """Give a node a clock that is right, and tell it by SNTP. Raises LocalError, TransportError."""
        if name in self._nodes or len(self._nodes) >= MAX_NODES:
            raise LocalError(f"{name} has a clock already, or {MAX_NODES} nodes have")
        clock = NodeClock(name, self._right)
        responder = await SntpResponder.open(self._context, (HOST, 0), clock.now)
        self._stack.callback(responder.close)
        clock.port = responder.address[1]
        self._nodes[name] = clock
        return clock

    def set_skew(self, name: str, skew_ms: float) -> NodeClock:
        """Set a clock wrong, or right again (0). Raises LocalError where there is none of that name."""
        clock = self._nodes.get(name)
        if clock is None:
            raise LocalError(f"no node {name!r} with a clock; there is {', '.join(self._nodes) or 'none'}")
        clock.skew_s = skew_ms / 1000
        self._context.journal.record(name, "clock.set", skew_ms=skew_ms)
        return clock

    def shown(self) -> list[dict[str, Any]]:
        """Return all clocks."""
        return [clock.shown() for clock in self._nodes.values()]

    async def stop(self) -> None:
        """Tell no time any more."""
        await self._stack.aclose()


def _app(room: ClockRoom) -> FastAPI:
    app = FastAPI(title="Clocks of the simulated nodes", version="1")
    guard(app, refusals=(status.HTTP_404_NOT_FOUND,))
    routes = Routes(prefix="/v1", tags=["clocks"])

    @routes.get("/clocks")
    async def read() -> list[dict[str, Any]]:
        """All clocks: where each tells its time by SNTP, and how wrong it is."""
        return room.shown()

    @routes.put("/clocks/{node}")
    async def set_skew(node: str, body: SkewBody) -> dict[str, Any]:
        """Set a clock wrong; 0 sets it right."""
        try:
            return room.set_skew(node, body.skew_ms).shown()
        except LocalError as error:
            raise HTTPException(status.HTTP_404_NOT_FOUND, str(error)) from error

    add_routes(app, routes)
    return app
