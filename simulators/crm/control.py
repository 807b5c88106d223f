"""The control interface of the CRM simulator: its figures, its events and its faults, whatever its own port does."""

from __future__ import annotations

from typing import Any, Protocol

from fastapi import APIRouter, Depends, FastAPI, WebSocket
from pydantic import Field

from simulators.bodies import Body
from simulators.events import Events, serve
from simulators.faults import MAX_SECONDS, Fault
from simulators.guard import bearer, guard


class FaultBody(Body):
    """What is to be wrong."""

    fault: Fault = Field(strict=False)
    seconds: float = Field(default=1.0, gt=0, le=MAX_SECONDS)
    """How much longer answers take, where they are to be slow."""


class Switches(Protocol):
    """The simulator behind the interface."""

    events: Events

    def figures(self) -> dict[str, Any]:
        """Where it is asked, and what is wrong."""

    async def set_fault(self, fault: Fault | None, *, seconds: float) -> None:
        """Begin or end a fault."""


def make_control(crm: Switches, token: str | None) -> FastAPI:
    """Return the control interface of ``crm``."""
    described = "/openapi.json" if token is None else None
    app = FastAPI(title="CRM simulator, control interface", version="1", openapi_url=described)
    guard(app)
    app.include_router(_routes(crm), dependencies=[Depends(bearer(token))])
    return app


def _routes(crm: Switches) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["control"])

    @router.get("/status")
    async def figures() -> dict[str, Any]:
        """Where it is asked, and the fault that is on."""
        return crm.figures()

    @router.put("/fault")
    async def fail(body: FaultBody) -> dict[str, Any]:
        """Begin a fault."""
        await crm.set_fault(body.fault, seconds=body.seconds)
        return crm.figures()

    @router.delete("/fault")
    async def recover() -> dict[str, Any]:
        """End the fault."""
        await crm.set_fault(None, seconds=0.0)
        return crm.figures()

    @router.websocket("/events")
    async def events(socket: WebSocket) -> None:
        await serve(crm.events, socket)

    return router
