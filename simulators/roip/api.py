"""The control interface of the gateway: what each radio does, its faults, and what it receives."""

from __future__ import annotations

from typing import Any, Protocol

from fastapi import Depends, FastAPI, Request, status
from fastapi.responses import JSONResponse
from pydantic import Field

from harness.errors import LocalError
from simulators.bodies import Body
from simulators.guard import bearer, guard
from simulators.roip.faults import MAX_SECONDS, Fault
from simulators.routes import Routes, add_routes

MAX_RECEIVED_S = 60.0


class Switchboard(Protocol):
    """The gateway behind the interface. Each raises KeyError for a radio that is not there."""

    def status(self) -> dict[str, Any]:
        """Return what is going on."""

    def set_fault(self, name: str, fault: Fault | None, *, seconds: float, for_s: float | None) -> None:
        """Begin or end a fault."""

    def hang_up(self, name: str) -> int:
        """End a radio's sessions."""

    def receive(self, name: str, seconds: float) -> None:
        """Let a radio receive a tone."""


class FaultBody(Body):
    """What is to be wrong."""

    fault: Fault = Field(strict=False)
    seconds: float = Field(default=1.0, gt=0, le=MAX_SECONDS)
    """How late things come, where they are to be slow."""
    for_s: float | None = Field(default=None, gt=0, le=MAX_SECONDS)
    """For how long; until it is ended where left out."""


class ReceiveBody(Body):
    """What is to be received."""

    seconds: float = Field(default=1.0, gt=0, le=MAX_RECEIVED_S)


def make_app(board: Switchboard, token: str | None) -> FastAPI:
    """Return the control interface of ``board``; it asks for the token where one is set."""
    app = FastAPI(title="Radio gateway simulator", version="1", openapi_url="/openapi.json" if token is None else None)
    guard(app)

    @app.exception_handler(KeyError)
    async def unknown(_request: Request, _error: KeyError) -> JSONResponse:
        return JSONResponse({"detail": "there is no such radio"}, status.HTTP_404_NOT_FOUND)

    @app.exception_handler(LocalError)
    async def refused(_request: Request, error: LocalError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status.HTTP_409_CONFLICT)

    add_routes(app, _routes(board), dependencies=[Depends(bearer(token))])
    return app


def _routes(board: Switchboard) -> Routes:
    router = Routes(prefix="/v1")

    @router.get("/status")
    async def read_status() -> dict[str, Any]:
        return board.status()

    @router.put("/radios/{name}/fault")
    async def begin_fault(name: str, body: FaultBody) -> dict[str, Any]:
        board.set_fault(name, body.fault, seconds=body.seconds, for_s=body.for_s)
        return board.status()

    @router.delete("/radios/{name}/fault")
    async def end_fault(name: str) -> dict[str, Any]:
        board.set_fault(name, None, seconds=1.0, for_s=None)
        return board.status()

    @router.post("/radios/{name}/receive")
    async def receive(name: str, body: ReceiveBody) -> dict[str, Any]:
        board.receive(name, body.seconds)
        return board.status()

    @router.delete("/radios/{name}/sessions")
    async def hang_up(name: str) -> dict[str, int]:
        return {"ended": board.hang_up(name)}

    return router
