"""Call control: a person's own calls, placed, answered, held, parked and handed on at the enterprise switch."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from fastapi import Response
from fastapi.responses import JSONResponse
from pydantic import Field

from simulators.routes import Routes
from simulators.webex.api.asking import Items, Sent, answer, needs
from simulators.webex.call_shapes import Call, CallParked, CallPlaced, CallRecord, ParkedAgainst
from simulators.webex.cloud import Cloud
from simulators.webex.errors import unfit
from simulators.webex.front import Caller

Read = Annotated[Caller, needs("spark:calls_read")]
Write = Annotated[Caller, needs("spark:calls_write")]
PREFIX: Final = "/telephony/calls"
CallId = Annotated[str, Field(min_length=1, max_length=512)]
Destination = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^(tel:)?[0-9*#+]+$")]
PLAIN: Final = {"answer": "answer", "reject": "reject", "hangup": "hang-up", "hold": "hold", "resume": "resume"}
"""What is done to a call without more, in Webex's word and in the switch's."""


class DialSent(Sent):
    """Whom to call."""

    destination: Destination


class CallSent(Sent):
    """Which call."""

    call_id: CallId


class DivertSent(Sent):
    """Which call, and where it is to ring."""

    call_id: CallId
    destination: Destination


class TransferSent(Sent):
    """Which call goes where: to a number, or to whom the other call is with."""

    call_id1: Annotated[CallId, Field(alias="callId1")]
    call_id2: Annotated[CallId | None, Field(alias="callId2")] = None
    destination: Destination | None = None


class ParkSent(Sent):
    """Which call, and the slot; the first that is free where left out."""

    call_id: CallId
    destination: Destination | None = None


class RetrieveSent(Sent):
    """The slot."""

    destination: Destination


class PickupSent(Sent):
    """Whose call; one of the own group's where left out."""

    target: Destination | None = None


class DigitsSent(Sent):
    """Which call, and what is pressed."""

    call_id: CallId
    dtmf: Annotated[str, Field(pattern=r"^[0-9*#A-D]{1,32}$")]


def _digits(destination: str) -> str:
    return destination.removeprefix("tel:")


def routes(cloud: Cloud) -> Routes:
    """The interface."""
    router = Routes(prefix=PREFIX, tags=["call control"])
    _looking(router, cloud)
    _placing(router, cloud)
    _handling(router, cloud)
    for act, ours in PLAIN.items():
        _plain(router, cloud, act, ours, None)
    for act, muted in (("mute", True), ("unmute", False)):
        _plain(router, cloud, act, "mute", {"muted": muted})
    return router


def _looking(router: Routes, cloud: Cloud) -> None:
    """Who has which calls."""

    @router.get("", response_model=Items[Call])
    async def calls(caller: Read) -> JSONResponse:
        """The caller's calls."""
        found = await cloud.board().calls(caller.person)
        return JSONResponse({"items": [each.told() for each in found]})

    @router.get("/history", response_model=Items[CallRecord])
    async def history(caller: Read, type: Literal["placed", "missed", "received"] | None = None) -> JSONResponse:
        """The calls that the caller had, the last first."""
        found = await cloud.board().history(caller.person, type)
        return JSONResponse({"items": [each.told() for each in found]})

    @router.get("/{call_id}", response_model=Call)
    async def call(caller: Read, call_id: str) -> JSONResponse:
        """One of the caller's calls."""
        return answer(await cloud.board().call(caller.person, call_id))


def _placing(router: Routes, cloud: Cloud) -> None:
    """Calls that begin."""

    @router.post("/dial", response_model=CallPlaced)
    async def dial(caller: Write, sent: DialSent) -> JSONResponse:
        """Let the caller's telephone call somebody."""
        body = {"number": _digits(sent.destination)}
        return JSONResponse(await cloud.board().place(caller.person, "dial", body))

    @router.post("/retrieve", response_model=CallPlaced)
    async def retrieve(caller: Write, sent: RetrieveSent) -> JSONResponse:
        """Take a parked call up."""
        body = {"number": _digits(sent.destination)}
        return JSONResponse(await cloud.board().place(caller.person, "retrieve", body))

    @router.post("/pickup", response_model=CallPlaced)
    async def pickup(caller: Write, sent: PickupSent) -> JSONResponse:
        """Take a call that rings at another's telephone."""
        body = {} if sent.target is None else {"target": _digits(sent.target)}
        return JSONResponse(await cloud.board().place(caller.person, "pick-up", body))


def _handling(router: Routes, cloud: Cloud) -> None:
    """Calls that go elsewhere, and keys."""

    @router.post("/divert", status_code=HTTPStatus.NO_CONTENT)
    async def divert(caller: Write, sent: DivertSent) -> Response:
        """Let a call that rings ring elsewhere."""
        await cloud.board().act(caller.person, sent.call_id, "divert", {"number": _digits(sent.destination)})
        return Response(status_code=HTTPStatus.NO_CONTENT)

    @router.post("/transfer", status_code=HTTPStatus.NO_CONTENT)
    async def transfer(caller: Write, sent: TransferSent) -> Response:
        """Hand a call on, to a number or to whom another of the caller's calls is with."""
        if (sent.call_id2 is None) == (sent.destination is None):
            raise unfit("Either callId2 or destination is needed, and not both.")
        board = cloud.board()
        body = {"to": _digits(sent.destination)} if sent.destination is not None else {}
        if sent.call_id2 is not None:
            body = {"onto": await board.other(caller.person, sent.call_id2)}
        await board.act(caller.person, sent.call_id1, "transfer", body)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    @router.post("/park", response_model=CallParked)
    async def park(caller: Write, sent: ParkSent) -> JSONResponse:
        """Park whom the caller speaks to."""
        body = {} if sent.destination is None else {"slot": _digits(sent.destination)}
        slot = await cloud.board().act(caller.person, sent.call_id, "park", body)
        return answer(CallParked(parked_against=ParkedAgainst(number=str(slot["number"]))))

    @router.post("/transmitDtmf", status_code=HTTPStatus.NO_CONTENT)
    async def transmit(caller: Write, sent: DigitsSent) -> Response:
        """Press keys."""
        await cloud.board().act(caller.person, sent.call_id, "digits", {"digits": sent.dtmf})
        return Response(status_code=HTTPStatus.NO_CONTENT)


def _plain(router: Routes, cloud: Cloud, act: str, ours: str, body: dict[str, Any] | None) -> None:
    """One act that needs no more than the call."""

    async def do(caller: Write, sent: CallSent) -> Response:
        await cloud.board().act(caller.person, sent.call_id, ours, body)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    do.__doc__ = f"{act.capitalize()} a call."
    router.add_api_route(f"/{act}", do, methods=["POST"], status_code=HTTPStatus.NO_CONTENT, name=act)
