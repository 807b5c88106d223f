"""The control interface: what handsets got, texts that they send, and switches of the network, the modem and SMPP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Path, Query, Request, status
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, Field, StringConstraints

from harness.errors import SmsError
from harness.privacy import is_reserved
from harness.protocols.smpp.codes import Status
from simulators.bodies import Body
from simulators.guard import bearer, guard
from simulators.routes import Routes, add_routes
from simulators.sms.handsets import Handsets
from simulators.sms.modem import ModemSubscriber
from simulators.sms.network import CongestionError, SmsNetwork
from simulators.sms.smsc import Fault, SmppCentre

MAX_TEXT = 39_000
"""Characters of the longest text: 255 parts of 153."""
Number = Annotated[str, Path(pattern=r"^\+44[0-9]{9,10}$", description="One of Ofcom's reserved numbers, +44…")]
NAMES = (*Status.__members__, *(f"ESME_{name}" for name in Status.__members__))


def _known(name: str) -> str:
    known = name.removeprefix("ESME_")
    if known not in Status.__members__:
        raise ValueError(f"no status ESME_{known}; there is {', '.join(Status.__members__)}")
    return known


StatusName = Annotated[
    str, StringConstraints(max_length=30), AfterValidator(_known), Field(json_schema_extra={"enum": list(NAMES)})
]


class TextBody(Body):
    """A text that a handset sends."""

    to: str = Field(min_length=1, max_length=21)
    """A number or a short code."""
    text: str = Field(max_length=MAX_TEXT)


class HandsetBody(Body):
    """How a handset is."""

    on: bool = True
    full: bool = False


class ModemBody(Body):
    """How the network treats the modem."""

    registered: bool = True
    signal: int = Field(default=20, ge=0, le=31)
    congested: bool = False


class FaultBody(Body):
    """What the service centre is to do wrong."""

    fault: Fault = Field(strict=False)
    status: StatusName = "RSYSERR"
    """By which texts are answered, where the fault is ``status``: RTHROTTLED, RMSGQFUL …"""
    count: int | None = Field(default=None, ge=1, le=1_000_000)
    """For how many texts; until it is ended where left out."""


def make_app(
    network: SmsNetwork, handsets: Handsets, modem: ModemSubscriber, centre: SmppCentre, token: str | None
) -> FastAPI:
    """Return the control interface; it asks for the token where one is set."""
    app = FastAPI(title="SMS network simulator", version="1", openapi_url="/openapi.json" if token is None else None)
    guard(app, refusals=(404, 409))

    @app.exception_handler(SmsError)
    async def unfit(_request: Request, error: SmsError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status.HTTP_422_UNPROCESSABLE_CONTENT)

    @app.exception_handler(CongestionError)
    async def congested(_request: Request, error: CongestionError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status.HTTP_409_CONFLICT)

    for router in (_handset_routes(handsets), _switches(network, modem, centre)):
        add_routes(app, router, dependencies=[Depends(bearer(token))])
    return app


def _reserved(number: str) -> str:
    if not is_reserved(number):
        raise HTTPException(status.HTTP_404_NOT_FOUND, "handsets have Ofcom's reserved numbers only")
    return number


def _handset_routes(handsets: Handsets) -> Routes:
    router = Routes(prefix="/v1/handsets")

    @router.get("/{number}/texts")
    async def texts(number: Number, after: Annotated[int, Query(ge=0)] = 0) -> dict[str, Any]:
        """What a handset got, oldest first; ``after`` leaves out those up to that seq."""
        return {"texts": handsets.listed(_reserved(number), after)}

    @router.post("/{number}/texts", status_code=status.HTTP_202_ACCEPTED)
    async def send(number: Number, body: TextBody) -> dict[str, Any]:
        """Send a text as a handset; a long one goes in parts."""
        return {"ids": handsets.send(_reserved(number), body.to, body.text)}

    @router.put("/{number}")
    async def switch(number: Number, body: HandsetBody) -> dict[str, Any]:
        """Switch a handset off or on, or let it be full."""
        handsets.set(_reserved(number), on=body.on, full=body.full)
        return {"number": number, "on": body.on, "full": body.full}

    return router


def _switches(network: SmsNetwork, modem: ModemSubscriber, centre: SmppCentre) -> Routes:
    router = Routes(prefix="/v1")

    def told() -> dict[str, Any]:
        return {**network.status(), **centre.status(), "modem": {"number": modem.number}}

    @router.get("/status")
    async def read_status() -> dict[str, Any]:
        return told()

    @router.get("/messages/{message_id}")
    async def message(message_id: Annotated[str, Path(pattern=r"^[0-9]{10}$")]) -> dict[str, Any]:
        """What became of a text."""
        found = network.find(message_id)
        if found is None:
            raise HTTPException(status.HTTP_404_NOT_FOUND, "there is no such message")
        return {"id": found.id, "to": found.to, "state": found.state.name, "error": found.error}

    @router.put("/modem")
    async def set_modem(body: ModemBody) -> dict[str, Any]:
        modem.congested = body.congested
        modem.register(registered=body.registered, signal=body.signal)
        return told()

    @router.put("/fault")
    async def begin_fault(body: FaultBody) -> dict[str, Any]:
        centre.set_fault(body.fault, Status[body.status], body.count)
        return told()

    @router.delete("/fault")
    async def end_fault() -> dict[str, Any]:
        centre.set_fault(None)
        return told()

    @router.delete("/sessions")
    async def unbind() -> dict[str, Any]:
        """End every SMPP session from the centre's side."""
        return {"ended": centre.unbind_all()}

    return router
