"""The control interface of the CRM simulator: its figures, its events and its faults, whatever its own port does."""

from __future__ import annotations

from typing import Any, Protocol

from fastapi import Depends, FastAPI, WebSocket

from simulators.events import Events, serve
from simulators.failing import FailingServer, add_fault_routes
from simulators.guard import bearer, guard
from simulators.routes import Routes, add_routes


class Switches(Protocol):
    """The simulator behind the interface."""

    events: Events
    server: FailingServer

    def figures(self) -> dict[str, Any]:
        """Where it is asked, and what is wrong."""


def make_control(crm: Switches, token: str | None) -> FastAPI:
    """Return the control interface of ``crm``."""
    described = "/openapi.json" if token is None else None
    app = FastAPI(title="CRM simulator, control interface", version="1", openapi_url=described)
    guard(app)
    add_routes(app, _routes(crm), dependencies=[Depends(bearer(token))])
    return app


def _routes(crm: Switches) -> Routes:
    router = Routes(prefix="/v1", tags=["control"])

    @router.get("/status")
    async def figures() -> dict[str, Any]:
        """Where it is asked, and the fault that is on."""
        return crm.figures()

    add_fault_routes(router, crm)

    @router.websocket("/events")
    async def events(socket: WebSocket) -> None:
        await serve(crm.events, socket)

    return router
