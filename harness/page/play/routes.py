"""The pages and WebSockets of a playing: start, console, sound, debrief."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI, HTTPException, Query, Request, WebSocket, WebSocketDisconnect, status
from fastapi.requests import HTTPConnection
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.datastructures import FormData
from starlette.staticfiles import StaticFiles

from harness.errors import HarnessError, PageError
from harness.page.contract import Attempt, Person
from harness.page.play.acts import THRIVE
from harness.page.play.pace import SPEEDS
from harness.page.play.session import Playing, Viewer
from harness.page.play.sessions import Sessions
from harness.page.play.sound import MAX_SPOKEN

MAX_MESSAGE: Final = 16 * 1024
"""Bytes of one message of a browser's console."""
MAX_FIELD: Final = 80
"""Characters of a form's field."""
MAX_REFUSED: Final = 20
"""Messages that make no sense which a browser may send; it is cut off then."""
AT_MOST_EVERY_S: Final = 0.05
"""A browser is sent what is shown at most so often."""
TAKES_WITHIN_S: Final = 10.0
"""Seconds within which a browser takes what it is sent, or is cut off."""
MAY_READ: Final = ("champion", "governance", "engineer")
"""Who may read the attempts of others."""
Moment = Annotated[float, Query(ge=0, le=100_000)]
"""Seconds of a scenario."""
STATIC: Final = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True)
class Site:
    """What the playing needs of the page that it is on."""

    person_of: Callable[[HTTPConnection], Awaitable[Person | None]]
    """Who is signed in, or None."""
    require: Callable[[HTTPConnection], Awaitable[Person]]
    """As that; it raises where nobody is, so that a browser is sent to sign in."""
    form_of: Callable[[Request], Awaitable[FormData]]
    """The form that a request holds. Raises HTTPException for one that is not of this page."""
    render: Callable[[Request, Person, str, dict[str, Any]], HTMLResponse]
    """Renders a template for a person; templates extend ``base.html``, and forms carry ``csrf``."""
    find_scenario: Callable[[str], Awaitable[Path]]
    """The file of a scenario by its id. Raises PageError where there is none."""


def add_play(app: FastAPI, sessions: Sessions, site: Site) -> None:
    """Add the playing to the page. ``app.state.attempts`` keeps what comes of it; `Sessions.close` ends it."""
    app.mount("/play-static", StaticFiles(directory=STATIC), name="play-static")
    app.include_router(_Routes(app, sessions, site).router)


class _Routes:
    def __init__(self, app: FastAPI, sessions: Sessions, site: Site) -> None:
        self._app, self._sessions, self._site = app, sessions, site
        router = self.router = APIRouter()
        router.add_api_route("/play", self.start, methods=["POST"], response_model=None)
        router.add_api_route("/play/attempts/{number}", self.stored, methods=["GET"], response_model=None)
        router.add_api_route("/play/{id_}", self.page, methods=["GET"], response_model=None)
        router.add_api_route("/play/{id_}/debrief", self.debrief, methods=["GET"], response_model=None)
        router.add_api_route("/play/{id_}/keep", self.keep, methods=["POST"], response_model=None)
        router.add_api_route("/play/{id_}/heard.wav", self.heard, methods=["GET"], response_model=None)
        router.add_api_route("/play/{id_}/replays", self.replays, methods=["GET"], response_model=None)
        router.add_api_route("/play/{id_}/recorded/{leg}", self.recorded, methods=["GET"], response_model=None)
        router.add_api_route("/play/{id_}/directory", self.directory, methods=["GET"], response_model=None)
        router.add_api_route("/play/{id_}/folder", self.folder, methods=["GET"], response_model=None)
        router.add_api_websocket_route("/play/{id_}/console", self.console)
        router.add_api_websocket_route("/play/{id_}/sound", self.sound)

    # Who

    async def _playing(self, connection: HTTPConnection, id_: str) -> tuple[Person, Playing]:
        person = await self._site.require(connection)
        try:
            return person, self._sessions.find(id_, person)
        except PageError as error:
            raise HTTPException(status.HTTP_404_NOT_FOUND, str(error)) from error

    # Pages

    async def start(self, request: Request) -> Response:
        """Begin a playing of ``scenario`` (its id) in ``seat``, both of a form, and go to it."""
        person = await self._site.require(request)
        form = await self._site.form_of(request)
        scenario, seat = str(form.get("scenario", ""))[:MAX_FIELD], str(form.get("seat", ""))[:MAX_FIELD]
        try:
            playing = await self._sessions.start(person, await self._site.find_scenario(scenario), seat)
        except (HarnessError, OSError) as error:
            raise HTTPException(status.HTTP_409_CONFLICT, str(error)) from error
        return RedirectResponse(f"/play/{playing.id}", status.HTTP_303_SEE_OTHER)

    async def page(self, request: Request, id_: str) -> Response:
        """The console."""
        person, playing = await self._playing(request, id_)
        if playing.phase == "over" and playing.kept is not None:
            return RedirectResponse(f"/play/{id_}/debrief", status.HTTP_303_SEE_OTHER)
        scenario = playing.chosen.scenario
        shown = {
            "playing": playing.id,
            "scenario": scenario,
            "seat": playing.chosen.seat,
            "factors": THRIVE,
            "speeds": SPEEDS,
        }
        return self._site.render(request, person, "play.html", shown)

    async def debrief(self, request: Request, id_: str) -> Response:
        """What came of it."""
        person, playing = await self._playing(request, id_)
        if playing.kept is None:
            raise HTTPException(status.HTTP_409_CONFLICT, playing.error or "it is not over yet: there is no debrief")
        return self._debrief(request, person, playing.person, playing.kept.attempt, playing)

    async def stored(self, request: Request, number: int) -> Response:
        """What came of one that is stored: one's own, or that of others where one's role may read it."""
        person = await self._site.require(request)
        try:
            whose, attempt = await self._app.state.attempts.attempt(number)
        except PageError as error:
            raise HTTPException(status.HTTP_404_NOT_FOUND, "there is no such attempt") from error
        if whose.id != person.id and person.role not in MAY_READ:
            raise HTTPException(status.HTTP_404_NOT_FOUND, "there is no such attempt")
        playing = self._sessions.with_attempt(number)
        return self._debrief(request, person, whose, attempt, playing if whose.id == person.id else None)

    def _debrief(
        self, request: Request, person: Person, whose: Person, attempt: Attempt, playing: Playing | None
    ) -> Response:
        kept = playing.kept if playing is not None else None
        shown = {
            "attempt": attempt,
            "whose": whose,
            "playing": playing.id if playing is not None else None,
            "number": kept.number if kept is not None else None,
            "unkept": kept.unkept if kept is not None else "",
            "heard": kept is not None and bool(kept.heard),
        }
        return self._site.render(request, person, "debrief.html", shown)

    async def keep(self, request: Request, id_: str) -> Response:
        """Try again to store what could not be stored."""
        _, playing = await self._playing(request, id_)
        await self._site.form_of(request)
        await playing.keep()
        return RedirectResponse(f"/play/{id_}/debrief", status.HTTP_303_SEE_OTHER)

    async def heard(self, request: Request, id_: str, at: Moment = 0.0) -> Response:
        """What was heard from a moment on, in seconds of the scenario."""
        _, playing = await self._playing(request, id_)
        if playing.kept is None:
            raise HTTPException(status.HTTP_404_NOT_FOUND, "nothing was kept of what was heard")
        wav = await asyncio.to_thread(playing.kept.wav, at)
        return Response(wav, media_type="audio/wav", headers={"Cache-Control": "no-store"})

    async def replays(self, request: Request, id_: str) -> Response:
        """The legs of the last half hour that the seat spoke on or heard, as JSON."""
        _, playing = await self._playing(request, id_)
        return await _shown(playing.replays())

    async def directory(self, request: Request, id_: str, find: str = "") -> Response:
        """The phone book's entries that hold some words, as JSON."""
        _, playing = await self._playing(request, id_)
        return await _shown(playing.directory(find[:MAX_FIELD]))

    async def folder(self, request: Request, id_: str) -> Response:
        """The page of talkgroups that is open at the console, as JSON."""
        _, playing = await self._playing(request, id_)
        return await _shown(playing.folder())

    async def recorded(self, request: Request, id_: str, leg: str) -> Response:
        """What was said on one of them, as a WAV file."""
        _, playing = await self._playing(request, id_)
        try:
            wav = await playing.recorded(leg[:MAX_FIELD])
        except HarnessError as error:
            raise HTTPException(status.HTTP_409_CONFLICT, str(error)) from error
        return Response(wav, media_type="audio/wav", headers={"Cache-Control": "no-store"})

    # WebSockets

    async def console(self, socket: WebSocket, id_: str) -> None:
        """What the console shows, and what is done there: JSON both ways."""
        playing = await self._let_in(socket, id_)
        if playing is None:
            return
        try:
            viewer = playing.attach()
        except PageError as error:
            await socket.close(status.WS_1013_TRY_AGAIN_LATER, str(error)[:120])
            return
        sender = asyncio.create_task(_send(socket, playing, viewer))
        try:
            await _read(socket, playing, viewer)
        finally:
            playing.detach(viewer)
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    async def sound(self, socket: WebSocket, id_: str) -> None:
        """What the headset hears, and what a microphone says: 16-bit little-endian samples, 8 kHz."""
        playing = await self._let_in(socket, id_)
        if playing is None:
            return
        lead = playing.lead
        if lead is None:
            await socket.close(status.WS_1013_TRY_AGAIN_LATER, "the control room is not up yet")
            return
        ear = lead.listen()

        async def send() -> None:
            while True:
                await socket.send_bytes(await ear.get())

        sender = asyncio.create_task(send())
        try:
            while playing.phase != "over":
                spoken = await socket.receive_bytes()
                if len(spoken) > MAX_SPOKEN or len(spoken) % 2:
                    await socket.close(status.WS_1009_MESSAGE_TOO_BIG, f"at most {MAX_SPOKEN} bytes of 16-bit samples")
                    return
                lead.say(spoken)
        except (WebSocketDisconnect, KeyError, RuntimeError):
            return
        finally:
            lead.forget(ear)
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    async def _let_in(self, socket: WebSocket, id_: str) -> Playing | None:
        """Let a browser in that is signed in, of this site, and whose playing it is."""
        if not _is_same_origin(socket):
            await socket.close(status.WS_1008_POLICY_VIOLATION, "not from this page")
            return None
        try:
            person = await self._site.person_of(socket)
            if person is None:
                raise PageError("sign in first")
            playing = self._sessions.find(id_, person)
        except PageError as error:
            await socket.close(status.WS_1008_POLICY_VIOLATION, str(error)[:120])
            return None
        await socket.accept()
        return playing


async def _shown(asked: Awaitable[Any]) -> Response:
    """What the console answers, as JSON."""
    try:
        answer = await asked
    except HarnessError as error:
        raise HTTPException(status.HTTP_409_CONFLICT, str(error)) from error
    return JSONResponse(answer, headers={"Cache-Control": "no-store"})


def _is_same_origin(connection: HTTPConnection) -> bool:
    """Whether a WebSocket comes from a page of this server: else another site could act for whoever is signed in."""
    origin = connection.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == connection.headers.get("host")


async def _send(socket: WebSocket, playing: Playing, viewer: Viewer) -> None:
    """Send what is shown whenever it has changed."""
    viewer.changed.set()
    try:
        while True:
            await viewer.changed.wait()
            viewer.changed.clear()
            async with asyncio.timeout(TAKES_WITHIN_S):
                await socket.send_json(playing.shown(viewer))
            await asyncio.sleep(AT_MOST_EVERY_S)  # what changes meanwhile goes in one
    except (WebSocketDisconnect, RuntimeError, TimeoutError):
        return


async def _read(socket: WebSocket, playing: Playing, viewer: Viewer) -> None:
    """Do what the browser asks for until it goes, or sends too much that makes no sense."""
    refused = 0
    while refused < MAX_REFUSED:
        try:
            text = await socket.receive_text()
        except (WebSocketDisconnect, KeyError, RuntimeError):
            return
        try:
            answer = await _do(playing, viewer, text)
        except HarnessError as error:
            refused += isinstance(error, _NonsenseError)
            answer = {"kind": "refused", "reason": str(error)[:500]}
        try:
            await socket.send_json(answer)
        except (WebSocketDisconnect, RuntimeError):
            return
    await socket.close(status.WS_1008_POLICY_VIOLATION, f"{MAX_REFUSED} messages made no sense")


class _NonsenseError(PageError):
    """A message that no page of ours sends."""


async def _do(playing: Playing, viewer: Viewer, text: str) -> dict[str, Any]:
    """Do what one message asks for: {do, with}. Raises PageError with the reason where it is not done."""
    if len(text) > MAX_MESSAGE:
        raise _NonsenseError(f"a message of {len(text)} characters; at most {MAX_MESSAGE} are taken")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise _NonsenseError("a message that is no JSON") from None
    if not isinstance(message, dict) or not isinstance(message.get("do"), str):
        raise _NonsenseError('a message is {"do": act, "with": {…}}')
    name, given = message["do"], message.get("with") or {}
    if not isinstance(given, dict):
        raise _NonsenseError("'with' is an object")
    if not viewer.holder:
        raise PageError(f"{playing.person.name} has this seat in another window: this one looks on")
    if name == "begin":
        playing.begin()
    elif name in {"play", "pause", "step"}:
        playing.hold(name)
    elif name == "speed":
        playing.turn(given.get("to"))
    elif name == "leave":
        playing.leave("ended by the person")
    else:
        await playing.act(name, given)
    return {"kind": "done", "act": name}
