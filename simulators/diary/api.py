"""The interface of the Diary: free slots, booking, moving, cancelling, texts, tasks, and a stream of events."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, Literal, Protocol, TypeVar

from fastapi import (
    Depends,
    FastAPI,
    Header,
    HTTPException,
    Path,
    Query,
    Request,
    Response,
    WebSocket,
    status,
)
from fastapi.responses import JSONResponse
from pydantic import Field, field_validator

from harness.errors import NumberError
from harness.protocols import uk_numbers
from simulators.bodies import Body
from simulators.database import RETRY_AFTER_S
from simulators.diary import booking, tasks, views
from simulators.diary.booking import Done, Moving, Wanted
from simulators.diary.desk import Work
from simulators.diary.hours import MAX_TIME
from simulators.diary.refusals import RefusedError, UnaskedError
from simulators.diary.tables import TextState
from simulators.events import Events, serve
from simulators.guard import bearer, guard
from simulators.routes import Routes, add_routes
from simulators.store_refusals import tell_of_the_store

T = TypeVar("T")
MAX_DAYS: Final = 31
"""Days of which free slots are told at once."""
MAX_SLOTS: Final = 2_000
MAX_LISTED: Final = 500
REFUSALS: Final = (401, 404, 409, 503, 507)

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[!-~]{1,60}$",
        description="Of the sender's own making; the same request with the same key again does nothing more.",
    ),
]
AppointmentId = Annotated[str, Path(pattern=r"^A-[0-9]{6,9}$", description="A-000012")]
TaskId = Annotated[str, Path(pattern=r"^D-[0-9]{6,9}$", description="D-000012")]
DiaryName = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_.-]{0,39}$")]
Start = Annotated[str, Field(min_length=10, max_length=MAX_TIME, pattern=r"^[0-9TWZ:.,+ -]+$")]
"""ISO 8601; without an offset in the diary's local time."""
Plain = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"


def _number(text: str) -> str:
    try:
        found = uk_numbers.parse(text).e164
    except NumberError:
        found = ""
    if not found:
        raise ValueError("a telephone number that can be sent a text was meant: 07700 900123 or +447700900123")
    return found


class BookBody(Body):
    """Who wants which slot."""

    diary: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,39}$")
    start: Start
    telephone: str = Field(max_length=30, pattern=r"^[0-9+() .-]{7,30}$")
    name: str = Field(default="", max_length=100, pattern=Plain)
    about: str = Field(default="", max_length=500, pattern=Plain)
    record: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.-]{1,40}$")
    """The CRM's record that it is about: refused while its grade is too high."""

    @field_validator("telephone")
    @classmethod
    def _e164(cls, text: str) -> str:
        return _number(text)


class MoveBody(Body):
    """Where it is to go."""

    start: Start
    diary: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9_.-]{0,39}$")


class Board(Protocol):
    """The simulator behind the interface."""

    events: Events

    async def do(self, work: Work[T]) -> T:
        """Do a change, or look something up."""

    async def book(self, wanted: Wanted, key: str) -> Done:
        """Book a slot."""

    async def move(self, moving: Moving, key: str) -> Done:
        """Move an appointment."""

    async def status(self) -> dict[str, Any]:
        """Counts, and what is there."""


def make_app(board: Board, token: str | None) -> FastAPI:
    """Return the interface; it asks for the token where one is set."""
    app = FastAPI(title="SMS Diary simulator", version="1", openapi_url="/openapi.json" if token is None else None)
    guard(app, refusals=REFUSALS)
    tell_of_the_store(app)

    @app.exception_handler(RefusedError)
    async def refused(_request: Request, error: RefusedError) -> JSONResponse:
        headers = {"Retry-After": str(RETRY_AFTER_S)} if isinstance(error, UnaskedError) else None
        return JSONResponse({"detail": str(error)}, error.status, headers)

    for router in (_appointments(board), _lists(board)):
        add_routes(app, router, dependencies=[Depends(bearer(token))])
    return app


def _appointments(board: Board) -> Routes:
    router = Routes(prefix="/v1/appointments", tags=["appointments"])

    async def shown(done: Done) -> dict[str, Any]:
        found = await board.do(lambda desk: views.appointment(desk, done.appointment))
        return {**found, "created": not done.repeated}

    @router.post("", status_code=status.HTTP_201_CREATED, responses={200: {"description": "Booked before"}})
    async def book(body: BookBody, key: Key, response: Response) -> dict[str, Any]:
        """Book a slot; the person is told by text, and reminded. 409: taken, or the record may not wait."""
        done = await board.book(Wanted(**body.model_dump()), key)
        if done.repeated:
            response.status_code = status.HTTP_200_OK
        return await shown(done)

    @router.get("")
    async def theirs(
        telephone: Annotated[str, Query(pattern=r"^\+[1-9][0-9]{6,14}$", description="E.164; + is %2B in a URL")],
        limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = 100,
    ) -> dict[str, Any]:
        """A number's appointments, the latest first."""
        return {"appointments": await board.do(lambda desk: views.appointments(desk, telephone, limit))}

    @router.get("/{id_}")
    async def one(id_: AppointmentId) -> dict[str, Any]:
        """One appointment, with its texts and what became of each."""
        return await board.do(lambda desk: views.appointment(desk, _of(id_)))

    @router.post("/{id_}/move")
    async def move(id_: AppointmentId, body: MoveBody, key: Key) -> dict[str, Any]:
        """Move it to another slot; it has the old one until it has the new one. The person is told."""
        return await shown(await board.move(Moving(_of(id_), body.start, body.diary), key))

    @router.post("/{id_}/cancel")
    async def cancel(id_: AppointmentId) -> dict[str, Any]:
        """Cancel it and free its slot; the person is told. One that is cancelled stays so."""
        await board.do(lambda desk: booking.cancel(desk, _of(id_), by="adviser"))
        return await board.do(lambda desk: views.appointment(desk, _of(id_)))

    return router


def _lists(board: Board) -> Routes:
    router = Routes(prefix="/v1", tags=["diaries, texts, tasks"])

    @router.get("/status")
    async def figures() -> dict[str, Any]:
        """What time it is, whether the gateway is there, and counts."""
        return await board.status()

    @router.get("/diaries")
    async def diaries() -> dict[str, Any]:
        """Every diary: whose, its hours, its slots' length."""
        return {"diaries": await board.do(views.diaries)}

    @router.get("/diaries/{diary}/slots")
    async def slots(
        diary: DiaryName,
        first: Annotated[date, Query(description="The first day")],
        last: Annotated[date | None, Query(description="The last; the first alone where left out")] = None,
    ) -> dict[str, Any]:
        """Free slots on some days, in order; slots that are not told are taken, past, or too far ahead."""
        until = first if last is None else last
        if not 0 <= (until - first).days < MAX_DAYS:
            raise HTTPException(
                status.HTTP_422_UNPROCESSABLE_CONTENT, f"'last' is 'first' or later, {MAX_DAYS} days at most in all"
            )
        if not 1971 <= first.year <= 9000:
            raise HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, "'first' is a day from 1971 to 9000")
        return {"slots": await board.do(lambda desk: views.slots(desk, diary, first, until, MAX_SLOTS))}

    @router.get("/texts")
    async def texts(
        state: TextState | None = None, limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = 100
    ) -> dict[str, Any]:
        """The newest texts: all, or those in one state."""
        return {"texts": await board.do(lambda desk: views.texts_in(desk, state, limit))}

    @router.get("/tasks")
    async def tasks_(
        state: Literal["open", "done"] | None = None, limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = 100
    ) -> dict[str, Any]:
        """Advisers' tasks, the newest first; ``crm`` is a task's id there."""
        done = None if state is None else state == "done"
        return {"tasks": await board.do(lambda desk: views.tasks_in(desk, done, limit))}

    @router.post("/tasks/{id_}/done")
    async def finish(id_: TaskId) -> dict[str, Any]:
        """An adviser has done it."""
        return await board.do(lambda desk: views.task(desk, tasks.finish(desk, _of(id_))))

    @router.websocket("/events")
    async def events(socket: WebSocket) -> None:
        await serve(board.events, socket)

    return router


def _of(id_: str) -> int:
    """The number of an id; the path's pattern has seen to its form."""
    return int(id_.partition("-")[2])
