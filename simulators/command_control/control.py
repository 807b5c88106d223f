"""The control interface: the terminal of command and control's own operator, its figures, and its faults."""

from __future__ import annotations

from typing import Annotated, Any, Protocol

from fastapi import Depends, FastAPI, Query, Request, WebSocket, status
from fastapi.responses import JSONResponse
from pydantic import Field

from simulators.bodies import Body
from simulators.command_control.store import RefusedError, Store
from simulators.events import Events, serve
from simulators.failing import FailingServer, add_fault_routes
from simulators.guard import bearer, guard
from simulators.routes import Routes, add_routes


class StateBody(Body):
    """A unit's new state."""

    state: str = Field(min_length=1, max_length=64)


class LineBody(Body):
    """A line for an incident's log."""

    text: str = Field(min_length=1, max_length=2_000)
    by: str = Field(default="command-and-control", min_length=1, max_length=64)


class Board(Protocol):
    """The simulator behind the interface."""

    store: Store
    events: Events
    server: FailingServer

    def figures(self) -> dict[str, Any]:
        """Counts, and what is wrong."""


def make_control(board: Board, token: str | None) -> FastAPI:
    """Return the control interface of ``board``."""
    described = "/openapi.json" if token is None else None
    app = FastAPI(title="Command-and-control simulator, control interface", version="1", openapi_url=described)

    @app.exception_handler(RefusedError)
    async def refused(_request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status.HTTP_404_NOT_FOUND)

    guard(app, refusals=(404,))
    add_routes(app, _routes(board), dependencies=[Depends(bearer(token))])
    return app


def _routes(board: Board) -> Routes:
    router = Routes(prefix="/v1", tags=["command and control"])
    store = board.store

    @router.get("/status")
    async def figures() -> dict[str, Any]:
        """Counts; for each origin how many entries came and how many are missing; the fault that is on."""
        return board.figures()

    @router.get("/incidents")
    async def incidents(limit: Annotated[int, Query(ge=1, le=500)] = 500) -> list[dict[str, Any]]:
        """The newest incidents, without their logs."""
        return store.incidents(limit)

    @router.get("/incidents/{id_}")
    async def incident(id_: str) -> dict[str, Any]:
        """One incident with its log."""
        return store.incident(id_)

    @router.post("/incidents/{id_}/log", status_code=status.HTTP_201_CREATED)
    async def write(id_: str, body: LineBody) -> dict[str, Any]:
        """Write a line; control rooms are told."""
        store.write(id_, body.text, body.by)
        return store.incident(id_)

    @router.get("/units")
    async def units() -> list[dict[str, Any]]:
        """Every unit, its radio and its state."""
        return store.units()

    @router.get("/units/{call_sign}")
    async def unit(call_sign: str) -> dict[str, Any]:
        """One unit."""
        return store.unit(call_sign)

    @router.put("/units/{call_sign}/state")
    async def set_state(call_sign: str, body: StateBody) -> dict[str, Any]:
        """Set a unit's state; control rooms are told."""
        store.set_unit(call_sign, body.state)
        return {"call_sign": call_sign, "state": body.state}

    add_fault_routes(router, board)

    @router.websocket("/events")
    async def events(socket: WebSocket) -> None:
        await serve(board.events, socket)

    return router
