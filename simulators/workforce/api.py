"""The interface of the workforce management simulator: imports, forecasts, staffing, adherence, training, over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from functools import partial
from typing import Annotated, Any, Literal, Protocol, TypeVar

from fastapi import Depends, FastAPI, Path, Query, Request, status
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, Field
from sqlalchemy.orm import Session

from harness.errors import StaffingError, WfmFeedError
from harness.protocols import times
from harness.workforce.adherence import Span
from simulators.bodies import Body
from simulators.database import Database
from simulators.described import describe
from simulators.guard import bearer, guard
from simulators.routes import Routes, add_routes
from simulators.store_refusals import tell_of_the_store
from simulators.workforce import store
from simulators.workforce.intake import MAX_FILE, Intake, SourceError
from simulators.workforce.planning import MAX_SHOWN, Planning, UnknownError

T = TypeVar("T")
IMPORTS = "/v1/imports"
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$"
Queue = Annotated[str, Path(pattern=NAME)]
Adviser = Annotated[str, Path(pattern=NAME)]
Moment = Annotated[AwareDatetime, Query(description="RFC 3339, with a zone.")]
Shown = dict[str, Any]
MAX_SPANS = 100
"""Of a day's schedule."""


class SpanBody(Body):
    """A part of a day's schedule."""

    start: AwareDatetime = Field(strict=False)
    end: AwareDatetime = Field(strict=False)
    activity: Literal["work", "break"]


class ScheduleBody(Body):
    """A day's schedule: parts in order, without overlap, that begin on the day."""

    spans: list[SpanBody] = Field(max_length=MAX_SPANS)


class TrainingBody(Body):
    """Until when a training holds."""

    lapses: date = Field(strict=False)


class Office(Protocol):
    """The simulator behind the interface."""

    database: Database
    intake: Intake
    planning: Planning

    def now(self) -> float:
        """Seconds since 1970."""

    def status(self, kept: dict[str, Any]) -> dict[str, Any]:
        """What is kept, where from, and what went wrong last."""

    async def look(self) -> list[dict[str, Any]]:
        """Have what is new of every feed now. Raises SourceError."""


def make_app(office: Office, token: str | None) -> FastAPI:
    """Return the interface of ``office``."""
    described = "/openapi.json" if token is None else None
    app = FastAPI(
        title="Workforce management simulator",
        version="1",
        openapi_url=described,
        description="404: there is no such queue or adviser. 409: it can't be reckoned, with the reason in `detail`.",
    )

    def telling(code: int) -> Callable[[Request, Exception], Awaitable[JSONResponse]]:
        async def told(_request: Request, error: Exception) -> JSONResponse:
            return JSONResponse({"detail": str(error)}, code)

        return told

    for kind, code in (
        (UnknownError, status.HTTP_404_NOT_FOUND),
        (StaffingError, status.HTTP_409_CONFLICT),
        (WfmFeedError, status.HTTP_422_UNPROCESSABLE_CONTENT),
        (SourceError, status.HTTP_502_BAD_GATEWAY),
    ):
        app.add_exception_handler(kind, telling(code))
    tell_of_the_store(app)
    guard(app, larger={IMPORTS: MAX_FILE})
    guarded = [Depends(bearer(token))]
    for routes in (_feeds(office), _plans(office), _people(office)):
        add_routes(app, routes, dependencies=guarded)
    refusals = (404, 409, 503, 507) if token is None else (401, 404, 409, 503, 507)
    describe(app, refusals)
    return app


def _feeds(office: Office) -> Routes:
    router = Routes(prefix="/v1", tags=["feeds"])

    @router.get("/status")
    async def read_status() -> Shown:
        """How many rows are kept, how many came late, the sources and what went wrong with them last."""
        return office.status(await office.database.run(store.figures))

    @router.post(
        "/imports",
        responses={
            413: {"description": f"A file has {MAX_FILE} bytes at most."},
            422: {"description": "Not a file of either feed: its headers say something else."},
        },
        openapi_extra={
            "requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}},
        },
    )
    async def take_file(
        request: Request, file: Annotated[str, Query(pattern=NAME, description="What the file is called.")]
    ) -> Any:
        """Take a file of either feed; good lines are kept, bad ones are told with their numbers."""
        try:
            text = (await request.body()).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise WfmFeedError(f"not UTF-8: {error.reason} at byte {error.start}") from None
        return (await office.intake.take_file(file, text)).shown()

    @router.post("/pulls", responses={502: {"description": "A feed can't be had now, or is not one."}})
    async def pull() -> list[Shown]:
        """Have what is new of every feed now, without waiting for the next time."""
        return await office.look()

    @router.get("/findings")
    async def read_findings(limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> list[Shown]:
        """What could not be used of files, the newest first: file, line, what was found."""
        return await office.database.run(partial(store.findings, limit=limit))

    @router.get("/gaps")
    async def read_gaps(since: Moment, until: Moment) -> Shown:
        """Which quarters of an hour are missing, by queue and of the states, and which came late."""
        first, last = office.planning.window(since.timestamp(), until.timestamp())
        return await office.database.run(partial(_gaps, since=first // 1000, until=last // 1000))

    @router.get("/intervals/{queue}")
    async def read_intervals(queue: Queue, since: Moment, until: Moment) -> list[Shown]:
        """What a queue saw, by quarters of an hour."""
        first, last = office.planning.window(since.timestamp(), until.timestamp())
        rows = await office.database.run(
            partial(store.intervals, queue=queue, since=first / 1000, until=last / 1000, limit=MAX_SHOWN)
        )
        return [_interval(row) for row in rows]

    return router


def _plans(office: Office) -> Routes:
    router = Routes(prefix="/v1", tags=["plans"])

    @router.get("/forecasts/{queue}/{day}")
    async def read_forecast(queue: Queue, day: date) -> Shown:
        """Calls and handling time expected in each quarter of a day, by the days before it alone."""
        return await office.database.run(partial(office.planning.forecast, queue=queue, day=day))

    @router.get("/forecasts/{queue}/{day}/accuracy")
    async def read_accuracy(queue: Queue, day: date) -> Shown:
        """How far the forecast of a day was off, in per cent; and the quarters that are missing."""
        return await office.database.run(partial(office.planning.accuracy, queue=queue, day=day))

    @router.get("/staffing/{queue}/{day}")
    async def read_staffing(queue: Queue, day: date) -> Shown:
        """How many advisers each quarter of a day needs, and how they would do."""
        return await office.database.run(partial(office.planning.staffing, queue=queue, day=day))

    @router.get("/adherence")
    async def read_adherence(since: Moment, until: Moment) -> Shown:
        """How every adviser kept to the schedule, and all together; seconds in each state."""
        return await office.database.run(
            partial(office.planning.adherence, since=since.timestamp(), until=until.timestamp())
        )

    return router


def _people(office: Office) -> Routes:
    router = Routes(prefix="/v1/advisers", tags=["advisers"])

    @router.get("")
    async def read_advisers(
        skill: Annotated[str | None, Query(pattern=NAME)] = None,
        state: Literal["lapsed", "current"] | None = None,
    ) -> list[Shown]:
        """Advisers and their training; `state=lapsed`: those whose training for a skill holds no more."""
        today = office.planning.days.day_of(office.now())
        return await office.database.run(partial(office.planning.advisers, skill=skill, state=state, today=today))

    @router.put("/{adviser}/training/{skill}", status_code=status.HTTP_200_OK)
    async def put_training(adviser: Adviser, skill: Annotated[str, Path(pattern=NAME)], body: TrainingBody) -> Shown:
        """Note the last day on which an adviser's training for a skill holds."""
        office.planning.adviser(adviser)
        lapses = body.lapses.isoformat()
        await office.database.run(partial(store.train, adviser=adviser, skill=skill, lapses=lapses, anew=True))
        return {"adviser": adviser, "skill": skill, "lapses": lapses}

    @router.put("/{adviser}/schedule/{day}", status_code=status.HTTP_200_OK)
    async def put_schedule(adviser: Adviser, day: date, body: ScheduleBody) -> Shown:
        """Put a day's schedule in place of the one there was."""
        office.planning.adviser(adviser)
        spans = _in_order(body, office.planning.days.bounds(day))
        await office.database.run(partial(store.schedule, adviser=adviser, day=day.isoformat(), spans=spans))
        return {"adviser": adviser, "day": day.isoformat(), "spans": len(spans)}

    @router.get("/{adviser}/states")
    async def read_states(adviser: Adviser, since: Moment, until: Moment) -> Shown:
        """What an adviser did from when until when, and for how many seconds in all."""
        return await office.database.run(
            partial(office.planning.states, id_=adviser, since=since.timestamp(), until=until.timestamp())
        )

    return router


def _gaps(session: Session, since: int, until: int) -> Shown:
    def shown(starts: list[int]) -> list[str]:
        return [times.to_iso(start) for start in starts[:MAX_SHOWN]]

    queues = store.queues(session)
    late = {
        queue: [row.start for row in store.intervals(session, queue, since, until, MAX_SHOWN) if row.late_s]
        for queue in queues
    }
    return {
        "intervals": {queue: shown(store.missing(session, queue, since, until)) for queue in queues},
        "states": shown(store.not_covered(session, since, until)),
        "late": {queue: shown(starts) for queue, starts in late.items()},
    }


def _interval(row: Any) -> Shown:
    return {
        "interval_start": times.to_iso(row.start),
        "queue": row.queue,
        "offered": row.offered,
        "answered": row.answered,
        "within_target": row.within,
        "abandoned": row.abandoned,
        "left": row.left,
        "handled": row.handled,
        "answer_s": row.answer_ms / 1000,
        "handle_s": row.handle_ms / 1000,
        "late_s": row.late_s,
    }


def _in_order(body: ScheduleBody, day: tuple[int, int]) -> list[Span]:
    """The spans of a schedule. Raises StaffingError where they overlap, or begin on another day."""
    spans: list[Span] = []
    for each in body.spans:
        start, end = round(each.start.timestamp() * 1000), round(each.end.timestamp() * 1000)
        if not day[0] * 1000 <= start < day[1] * 1000 or not start < end <= start + 86_400_000:
            raise StaffingError("a part of a schedule begins on its day, and ends later, within 24 hours")
        if spans and start < spans[-1].end_ms:
            raise StaffingError("the parts of a schedule are in order and don't overlap")
        spans.append(Span(start, end, each.activity))
    return spans
