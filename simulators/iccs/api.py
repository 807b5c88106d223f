"""The control interface of the ICCS simulator: what a console does, over HTTP, and is told, over a WebSocket."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, FastAPI, Request, WebSocket, WebSocketDisconnect, status
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from simulators.guard import bearer, guard
from simulators.iccs.incidents import Incident, IncidentError, IncidentLog, UnknownIncidentError
from simulators.iccs.positions import Position, PositionError, Positions, UnknownPositionError

TAKES_WITHIN = 10.0
"""Seconds within which a console takes an event, or is cut off."""
PLACED = status.HTTP_202_ACCEPTED


class Desk(Protocol):
    """What an operator at a position can do: the simulator behind the interface."""

    positions: Positions
    incidents: IncidentLog

    async def login(self, position: Position) -> None:
        """Sit down: open the headset's jack."""

    async def logout(self, position: Position) -> None:
        """Leave: clear what is held and close the jack."""

    def answer(self, position: Position, queue: str | None, call: str | None) -> dict[str, Any]:
        """Take a call."""

    def dial(self, position: Position, number: str) -> dict[str, Any]:
        """Place a call."""

    def clear(self, position: Position) -> dict[str, Any]:
        """Clear the call."""

    async def send_dtmf(self, position: Position, digits: str) -> None:
        """Send digits to the other side of the call."""

    def key(self, position: Position, talkgroup: str) -> None:
        """Press to talk."""

    def unkey(self, position: Position) -> None:
        """Let go."""

    async def send_text(self, position: Position, issi: int, text: str) -> None:
        """Send a text to a radio."""

    def status(self) -> dict[str, Any]:
        """Return what a supervisor sees."""

    def now(self) -> float:
        """Return the run's time in seconds."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AnswerBody(_Body):
    """Which call to take: by id, by queue, or whatever rings."""

    queue: str | None = Field(default=None, max_length=64)
    call: str | None = Field(default=None, max_length=64)


class DialBody(_Body):
    """Whom to call."""

    number: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9+*#._-]+$")


class DtmfBody(_Body):
    """Digits to send."""

    digits: str = Field(min_length=1, max_length=32, pattern=r"^[0-9*#A-D]+$")


class KeyBody(_Body):
    """The talkgroup to talk to."""

    talkgroup: str = Field(min_length=1, max_length=64)


class TextBody(_Body):
    """A text message to a radio."""

    issi: int = Field(ge=1, le=16_777_215)
    text: str = Field(min_length=1, max_length=140)


class IncidentBody(_Body):
    """A new incident; the call is the one the position holds, where it holds one."""

    title: str = Field(min_length=1, max_length=200)


class HandOverBody(_Body):
    """Who takes an incident over."""

    to: str = Field(max_length=32)


class NoteBody(_Body):
    """A line for an incident's log."""

    text: str = Field(min_length=1, max_length=2000)


def make_app(desk: Desk, token: str | None) -> FastAPI:
    """Return the control interface of ``desk``.

    Where a token is set every request needs ``Authorization: Bearer``, and the pages that describe the interface are
    left out.
    """

    described = "/openapi.json" if token is None else None
    app = FastAPI(title="ICCS simulator control interface", version="1", openapi_url=described)
    app.state.desk = desk

    @app.exception_handler(PositionError)
    @app.exception_handler(IncidentError)
    async def refused(_request: Request, error: Exception) -> JSONResponse:
        unknown = isinstance(error, UnknownPositionError | UnknownIncidentError)
        code = status.HTTP_404_NOT_FOUND if unknown else status.HTTP_409_CONFLICT
        return JSONResponse({"detail": str(error)}, code)

    guard(app)
    app.include_router(_routes(desk), dependencies=[Depends(bearer(token))])
    return app


async def _position(request: Request, id_: str) -> Position:
    desk: Desk = request.app.state.desk
    return desk.positions.get(id_)


At = Annotated[Position, Depends(_position)]
"""The position that a path names; 404 where there is none."""


def _routes(desk: Desk) -> APIRouter:
    router = APIRouter(prefix="/v1")

    @router.get("/status")
    async def read_status() -> dict[str, Any]:
        return desk.status()

    @router.get("/positions")
    async def read_positions() -> list[dict[str, Any]]:
        return [each.shown() for each in desk.positions]

    @router.get("/positions/{id_}")
    async def read_position(at: At) -> dict[str, Any]:
        return at.shown()

    @router.post("/positions/{id_}/login")
    async def login(at: At) -> dict[str, Any]:
        await desk.login(at)
        return at.shown()

    @router.post("/positions/{id_}/logout")
    async def logout(at: At) -> dict[str, Any]:
        await desk.logout(at)
        return at.shown()

    @router.post("/positions/{id_}/answer", status_code=PLACED)
    async def answer(at: At, body: AnswerBody) -> dict[str, Any]:
        return desk.answer(at, body.queue, body.call)

    @router.post("/positions/{id_}/dial", status_code=PLACED)
    async def dial(at: At, body: DialBody) -> dict[str, Any]:
        return desk.dial(at, body.number)

    @router.post("/positions/{id_}/clear", status_code=PLACED)
    async def clear(at: At) -> dict[str, Any]:
        return desk.clear(at)

    @router.post("/positions/{id_}/dtmf", status_code=PLACED)
    async def dtmf(at: At, body: DtmfBody) -> dict[str, Any]:
        await desk.send_dtmf(at, body.digits)
        return at.shown()

    @router.post("/positions/{id_}/key", status_code=PLACED)
    async def key(at: At, body: KeyBody) -> dict[str, Any]:
        desk.key(at, body.talkgroup)
        return at.shown()

    @router.post("/positions/{id_}/unkey", status_code=PLACED)
    async def unkey(at: At) -> dict[str, Any]:
        desk.unkey(at)
        return at.shown()

    @router.post("/positions/{id_}/text", status_code=PLACED)
    async def text(at: At, body: TextBody) -> dict[str, Any]:
        await desk.send_text(at, body.issi, body.text)
        return at.shown()

    @router.post("/positions/{id_}/incidents", status_code=status.HTTP_201_CREATED)
    async def open_incident(at: At, body: IncidentBody) -> dict[str, Any]:
        call = at.call
        incident = desk.incidents.open(
            body.title, at.id, call=call.id if call else None, cli=call.cli if call else None, time=desk.now()
        )
        desk.positions.tell(at, "incident.opened", **_told(incident))
        return incident.shown()

    @router.get("/incidents/{id_}")
    async def read_incident(id_: str) -> dict[str, Any]:
        return desk.incidents.get(id_).shown()

    @router.post("/positions/{id_}/incidents/{incident_id}/hand-over")
    async def hand_over(at: At, incident_id: str, body: HandOverBody) -> dict[str, Any]:
        to = desk.positions.get(body.to)
        incident = desk.incidents.hand_over(incident_id, at.id, to.id, desk.now())
        desk.positions.tell(at, "incident.handed_over", to=to.id, **_told(incident))
        desk.positions.tell(to, "incident.received", by=at.id, **_told(incident))
        return incident.shown()

    @router.post("/positions/{id_}/incidents/{incident_id}/notes")
    async def note(at: At, incident_id: str, body: NoteBody) -> dict[str, Any]:
        return desk.incidents.note(incident_id, at.id, body.text, desk.now()).shown()

    @router.post("/positions/{id_}/incidents/{incident_id}/close")
    async def close_incident(at: At, incident_id: str) -> dict[str, Any]:
        incident = desk.incidents.close(incident_id, at.id, desk.now())
        desk.positions.tell(at, "incident.closed", **_told(incident))
        return incident.shown()

    @router.websocket("/positions/{id_}/events")
    async def events(socket: WebSocket, id_: str) -> None:
        try:
            at = desk.positions.get(id_)
            stream = desk.positions.open_stream(at)
        except PositionError as error:
            await socket.close(status.WS_1008_POLICY_VIOLATION, str(error))
            return
        await socket.accept()
        reader = asyncio.create_task(_until_gone(socket))
        try:
            await _send_events(socket, stream, reader)
        except asyncio.CancelledError:
            return  # the server is stopping, and this console with it
        finally:
            desk.positions.close_stream(at, stream)
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    return router


async def _send_events(
    socket: WebSocket, stream: asyncio.Queue[dict[str, Any] | None], reader: asyncio.Task[None]
) -> None:
    while True:
        getter = asyncio.create_task(stream.get())
        await asyncio.wait((getter, reader), return_when=asyncio.FIRST_COMPLETED)
        if reader.done():
            getter.cancel()
            return
        event = getter.result()
        try:
            async with asyncio.timeout(TAKES_WITHIN):
                if event is None:
                    await socket.close(status.WS_1013_TRY_AGAIN_LATER, "too many events were left unread")
                    return
                await socket.send_json(event)
        except (WebSocketDisconnect, RuntimeError):  # it went between the event and the sending
            return
        except TimeoutError:
            return


async def _until_gone(socket: WebSocket) -> None:
    """Read until the console goes; what it says is not looked at."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


def _told(incident: Incident) -> dict[str, Any]:
    told = {"incident": incident.id, "title": incident.title, "owner": incident.owner}
    return {**told, "incident_call": incident.call, "cli": incident.cli}
