"""The HTTP side of the simulated service: AML intake, texts handed on, and the switches that make it fail."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from fastapi import Depends, FastAPI, Request, status
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.requests import ClientDisconnect

from harness.errors import TransportError
from harness.protocols.location.aml_https import MAX_BODY
from harness.protocols.location.aml_sms import MAX_READ
from simulators.bodies import Body
from simulators.guard import bearer, guard
from simulators.location.faults import MAX_SECONDS, Fault
from simulators.location.service import LocationService, Taken
from simulators.routes import Routes, add_routes

AML_PATH = "/aml"
BODY_WITHIN_S = 10.0
"""Seconds within which a handset's form is there; a slower one is answered and dropped."""


class Switchboard(Protocol):
    """The simulator behind the interface."""

    service: LocationService

    async def set_fault(self, fault: Fault | None, *, seconds: float, for_s: float | None) -> None:
        """Begin or end a fault."""

    def status(self) -> dict[str, Any]:
        """Return what is going on."""


class SmsBody(Body):
    """A text that a handset sent to the service's number, as a message centre hands it on."""

    sender: str = Field(alias="from", pattern=r"^\+?[0-9]{3,15}$")
    text: str = Field(min_length=1, max_length=MAX_READ)


class FaultBody(Body):
    """What is to be wrong."""

    fault: Fault = Field(strict=False)
    seconds: float = Field(default=5.0, gt=0, le=MAX_SECONDS)
    """How much longer things take, where they are to be slow."""
    for_s: float | None = Field(default=None, gt=0, le=MAX_SECONDS)
    """For how long; until it is ended where left out."""


def make_app(board: Switchboard, token: str | None) -> FastAPI:
    """Return the HTTP side of ``board``; ``/v1`` asks for the token where one is set, handsets need none."""
    described = "/openapi.json" if token is None else None
    app = FastAPI(title="Caller-location simulator", version="1", openapi_url=described)
    guard(app, unbounded=(AML_PATH,))

    @app.post(AML_PATH)
    async def aml(request: Request) -> JSONResponse:
        """Take a handset's form (application/x-www-form-urlencoded). Always 2xx: 200 when used, 202 when not."""
        body = await _read(request)
        return _told(board.service.drop(body) if isinstance(body, str) else board.service.take_form(body))

    @app.exception_handler(TransportError)
    async def taken(_request: Request, error: TransportError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status.HTTP_409_CONFLICT)

    add_routes(app, _routes(board), dependencies=[Depends(bearer(token))])
    return app


async def _read(request: Request) -> bytes | str:
    """Return the body, or why it was not read to its end."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY:
                    return f"more than {MAX_BODY} octets"
    except TimeoutError:
        return f"not there within {BODY_WITHIN_S:g} s"
    except ClientDisconnect:
        return "cut off"
    return bytes(body)


def _told(taken: Taken) -> JSONResponse:
    findings = [{"name": finding.name, "told": finding.told} for finding in taken.findings]
    code = status.HTTP_200_OK if taken.used else status.HTTP_202_ACCEPTED
    return JSONResponse({"used": taken.used, "findings": findings}, code)


def _routes(board: Switchboard) -> Routes:
    router = Routes(prefix="/v1")

    @router.post("/sms")
    async def sms(body: SmsBody) -> JSONResponse:
        return _told(board.service.take_text(body.sender, body.text))

    @router.get("/status")
    async def read_status() -> dict[str, Any]:
        return board.status()

    @router.put("/fault")
    async def begin_fault(body: FaultBody) -> dict[str, Any]:
        await board.set_fault(body.fault, seconds=body.seconds, for_s=body.for_s)
        return board.status()

    @router.delete("/fault")
    async def end_fault() -> dict[str, Any]:
        await board.set_fault(None, seconds=0, for_s=None)
        return board.status()

    return router
