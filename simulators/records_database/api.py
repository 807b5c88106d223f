"""The interface of the simulated records database: checks, its audit, and its faults."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal, Protocol

from fastapi import Depends, FastAPI, HTTPException, Request, WebSocket, status
from fastapi.responses import JSONResponse
from pydantic import Field, model_validator

from simulators.bodies import Body
from simulators.events import Events, serve
from simulators.guard import bearer, guard
from simulators.records_database.database import Database, Fault, UnknownCheckError
from simulators.routes import Routes, add_routes

Short = Annotated[str, Field(min_length=1, max_length=128)]
LOST_S = 30.0
"""How late an answer is that counts as lost: whoever asked waits no more."""
SUBJECTS = {"person": ({"name"}, {"name", "born"}), "vehicle": ({"registration"}, {"registration"})}
"""What a check of a kind must say, and may say."""


class CheckBody(Body):
    """A check. Without a reason there is none."""

    key: Short
    kind: Literal["person", "vehicle"]
    subject: dict[Annotated[str, Field(max_length=32)], Short] = Field(max_length=8)
    reason: Annotated[str, Field(min_length=5, max_length=500)]
    by: Short
    incident: Short
    element: Short

    @model_validator(mode="after")
    def _says_enough(self) -> CheckBody:
        needs, may = SUBJECTS[self.kind]
        if not needs <= set(self.subject) <= may:
            raise ValueError(f"the subject of a check of a {self.kind} has {', '.join(sorted(may))}")
        return self


class FaultBody(Body):
    """What is to be wrong."""

    fault: Fault = Field(strict=False)


class Board(Protocol):
    """The simulator behind the interface."""

    database: Database
    events: Events


def make_app(board: Board, token: str | None) -> FastAPI:
    """Return the interface."""
    described = "/openapi.json" if token is None else None
    app = FastAPI(title="Simulated records database", version="1", openapi_url=described)

    @app.exception_handler(UnknownCheckError)
    async def unknown(_request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status.HTTP_404_NOT_FOUND)

    guard(app, refusals=(status.HTTP_404_NOT_FOUND, status.HTTP_503_SERVICE_UNAVAILABLE))
    add_routes(app, _checks(board), dependencies=[Depends(bearer(token))])
    add_routes(app, _control(board), dependencies=[Depends(bearer(token))])
    return app


def _checks(board: Board) -> Routes:
    router = Routes(prefix="/v1", tags=["checks"])
    database, events = board.database, board.events

    def well() -> None:
        if database.fault is Fault.ERRORS:
            raise HTTPException(status.HTTP_503_SERVICE_UNAVAILABLE, "out of order")

    @router.post("/checks", status_code=status.HTTP_202_ACCEPTED)
    async def take(body: CheckBody) -> dict[str, Any]:
        """Ask for a check; one with a key that was had before is that one."""
        well()
        kept, new = database.take(
            body.key,
            body.kind,
            body.subject,
            reason=body.reason,
            by=body.by,
            incident=body.incident,
            element=body.element,
        )
        kind = "check.accepted" if new else "check.repeated"
        events.tell(kind, reference=kept.reference, check=body.kind, by=body.by, incident=body.incident)
        if new and database.fault is Fault.LOSES_ANSWERS:
            await asyncio.sleep(LOST_S)
        return {"reference": kept.reference, "status": "accepted" if new else "duplicate"}

    @router.get("/checks/{reference}")
    async def answer(reference: str) -> dict[str, Any]:
        """What has become of a check: `pending`, or `answered` with `outcome` and `lines`."""
        well()
        return database.answer(reference)

    return router


def _control(board: Board) -> Routes:
    router = Routes(prefix="/v1", tags=["control"])

    @router.get("/audit")
    async def audit() -> list[dict[str, Any]]:
        """Who asked what, when and why, oldest first."""
        return board.database.audit()

    @router.put("/fault")
    async def fail(body: FaultBody) -> dict[str, Any]:
        """Begin a fault."""
        board.database.fault = body.fault
        board.events.tell("fault", fault=body.fault.value)
        return {"fault": body.fault.value}

    @router.delete("/fault")
    async def recover() -> dict[str, Any]:
        """End the fault."""
        board.database.fault = None
        board.events.tell("well")
        return {"fault": None}

    @router.websocket("/events")
    async def events(socket: WebSocket) -> None:
        await serve(board.events, socket)

    return router
