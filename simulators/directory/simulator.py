"""The directory simulator as a whole: its entries, the feed, editing and faults behind one interface."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Header, HTTPException, Response, WebSocket, status
from pydantic import Field

from harness.errors import DirectoryError
from harness.protocols.directory import MAX_ENTRIES, Entry
from harness.transport.context import Context
from simulators.bodies import Body
from simulators.directory.settings import DirectorySettings
from simulators.events import Events, serve
from simulators.guard import bearer, guard
from simulators.reach import need_token
from simulators.routes import Routes, add_routes
from simulators.web import WebServer

SILENT_S: Final = 60.0
"""How late a silent directory answers: nobody waits so long."""


class Fault(StrEnum):
    """What is wrong with the feed."""

    ERRORS = "errors"
    """It is answered 503."""
    SILENT = "silent"
    """It is answered after SILENT_S."""
    BROKEN = "broken"
    """What is answered is no directory."""


class EntryBody(Body):
    """What an entry is to say."""

    name: str = Field(max_length=200)
    number: str = Field(max_length=21)
    organisation: str = Field(default="", max_length=200)
    note: str = Field(default="", max_length=200)


class FaultBody(Body):
    """What is to be wrong."""

    fault: Fault = Field(strict=False)


class DirectorySimulator:
    """One directory."""

    def __init__(self, context: Context, name: str, settings: DirectorySettings) -> None:
        token = settings.token.get_secret_value() if settings.token is not None else None
        self.events = Events(context.journal, name)
        self.fault: Fault | None = None
        self._entries = {each.id: each.entry() for each in settings.entries}
        self._version = 1
        self._settings = settings
        self._web = WebServer(_app(self, token), settings.host, settings.port)
        self.url = ""
        """``http://host:port``."""

    @classmethod
    async def start(
        cls, context: Context, settings: DirectorySettings, *, name: str = "directory"
    ) -> DirectorySimulator:
        """Start it. Raises LocalError where it would listen beyond loopback without a token, TransportError."""
        need_token("the directory", settings.host, settings.token)
        simulator = cls(context, name, settings)
        simulator.url = f"http://{settings.host}:{await simulator._web.start()}"
        return simulator

    async def stop(self) -> None:
        """Serve no more."""
        await self._web.stop()

    @property
    def version(self) -> str:
        """Another one after each edit."""
        return f"v{self._version}"

    def feed(self) -> dict[str, Any]:
        """Return what control rooms read."""
        return {"version": self.version, "entries": [entry.written() for entry in self._entries.values()]}

    def put(self, entry: Entry) -> None:
        """Make or edit an entry. Raises DirectoryError where there are too many."""
        if entry.id not in self._entries and len(self._entries) >= MAX_ENTRIES:
            raise DirectoryError(f"a directory has {MAX_ENTRIES} entries at most")
        self._entries[entry.id] = entry
        self._edited("entry.put", entry.id)

    def remove(self, id_: str) -> None:
        """Take an entry out. Raises KeyError where there is none."""
        del self._entries[id_]
        self._edited("entry.removed", id_)

    def _edited(self, kind: str, id_: str) -> None:
        self._version += 1
        self.events.tell(kind, entry=id_, version=self.version)


def _app(directory: DirectorySimulator, token: str | None) -> FastAPI:
    app = FastAPI(title="Simulated directory", version="1", openapi_url="/openapi.json" if token is None else None)
    guard(app, refusals=(status.HTTP_404_NOT_FOUND, status.HTTP_503_SERVICE_UNAVAILABLE))
    router = Routes(prefix="/v1", dependencies=[Depends(bearer(token))], tags=["directory"])
    _add_feed(router, directory)
    _add_editing(router, directory)
    add_routes(app, router)
    return app


def _add_feed(router: Routes, directory: DirectorySimulator) -> None:
    @router.get("/directory", response_model=None)
    async def feed(
        response: Response, if_none_match: Annotated[str | None, Header(max_length=128)] = None
    ) -> dict[str, Any] | Response:
        """All entries and their version, which is the ETag; 304 where whoever asks has that one (RFC 9110, 13.1.2)."""
        match directory.fault:
            case Fault.ERRORS:
                raise HTTPException(status.HTTP_503_SERVICE_UNAVAILABLE, "out of order")
            case Fault.SILENT:
                await asyncio.sleep(SILENT_S)
            case Fault.BROKEN:
                return {"version": "broken", "entries": [{"id": "", "number": None}]}
        tag = f'"{directory.version}"'
        if if_none_match == tag:
            return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers={"ETag": tag})
        response.headers["ETag"] = tag
        return directory.feed()


def _add_editing(router: Routes, directory: DirectorySimulator) -> None:
    @router.put("/entries/{id_}")
    async def put(id_: str, body: EntryBody) -> dict[str, Any]:
        """Make or edit an entry."""
        try:
            entry = Entry(id_, **body.model_dump())
            directory.put(entry)
        except DirectoryError as error:
            raise HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, str(error)) from error
        return {"version": directory.version, **entry.written()}

    @router.delete("/entries/{id_}")
    async def remove(id_: str) -> dict[str, Any]:
        """Take an entry out."""
        try:
            directory.remove(id_)
        except KeyError:
            raise HTTPException(status.HTTP_404_NOT_FOUND, f"there is no entry {id_!r}") from None
        return {"version": directory.version}

    @router.put("/fault")
    async def fail(body: FaultBody) -> dict[str, Any]:
        """Begin a fault of the feed."""
        directory.fault = body.fault
        directory.events.tell("fault", fault=body.fault.value)
        return {"fault": body.fault.value}

    @router.delete("/fault")
    async def recover() -> dict[str, Any]:
        """End the fault."""
        directory.fault = None
        directory.events.tell("well")
        return {"fault": None}

    @router.websocket("/events")
    async def events(socket: WebSocket) -> None:
        await serve(directory.events, socket)
