"""What control rooms link to: the interface in STORM's place, and that of another shape, over one store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from simulators.bodies import Body
from simulators.command_control.settings import Shape
from simulators.command_control.store import Answer, Message, Store
from simulators.faults import Faults
from simulators.guard import bearer, guard
from simulators.routes import Routes, add_routes

Key = Annotated[str, Field(min_length=1, max_length=128)]
About = Annotated[str, Field(min_length=1, max_length=128)]
Cursor = Annotated[int, Field(ge=0, le=2**53 - 1)]
IdempotencyKey = Annotated[str, Header(min_length=1, max_length=128)]
MAX_MESSAGES = 100


class StormMessage(Body):
    """One numbered message."""

    key: Key
    sequence: Annotated[int, Field(ge=0, le=2**53 - 1)]
    type: Annotated[str, Field(max_length=64)]
    about: About
    eido: dict[str, Any]


class StormBody(Body):
    """A batch of messages."""

    messages: Annotated[list[StormMessage], Field(min_length=1, max_length=MAX_MESSAGES)]


class NextBody(BaseModel):
    """What the next system takes: a few fields, and the object they came from."""

    model_config = ConfigDict(extra="allow")
    source: dict[str, Any]


def make_links(shape: Shape, store: Store, faults: Faults, token: str | None) -> FastAPI:
    """Return the interface of a shape."""
    described = "/openapi.json" if token is None else None
    app = FastAPI(title=f"Simulated command and control, {shape}", version="1", openapi_url=described)
    guard(app, refusals=(503,))
    routes = _storm(store, faults) if shape == "storm" else _next_generation(store, faults)
    add_routes(app, routes, dependencies=[Depends(bearer(token)), Depends(faults.before)])
    return app


def _storm(store: Store, faults: Faults) -> Routes:
    router = Routes(prefix="/storm/v1", tags=["messages"])

    @router.post("/messages")
    async def take(body: StormBody) -> dict[str, Any]:
        """Take messages in. Each is answered ``accepted``, ``duplicate`` (it was had before) or ``rejected``."""
        answers = store.take([Message(each.key, each.type, each.about, each.eido) for each in body.messages])
        faults.took(len(answers))
        await faults.after()
        results = [
            {"key": each.key, "status": answer.status, "reference": answer.reference, "reason": answer.reason}
            for each, answer in zip(body.messages, answers, strict=True)
        ]
        return {"results": results}

    @router.get("/news")
    async def news(after: Annotated[Cursor, Query()] = 0) -> dict[str, Any]:
        """What has happened after a cursor."""
        found = store.news(after)
        told = [{"cursor": cursor, "type": kind, "about": about, "data": data} for cursor, kind, about, data in found]
        return {"news": told, "cursor": str(found[-1][0] if found else after)}

    return router


_EVENTS = {"unit.state": "UnitStateChanged", "incident.updated": "IncidentChanged", "incident.noted": "JournalWritten"}


class Rejected(BaseModel):
    """Why it won't be had."""

    title: str


_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Had before"},
    201: {"description": "Done"},
    422: {"model": Rejected, "description": "It won't be had"},
}
_RESOURCES = (
    ("PUT", "/incidents/{about}", "incident.opened", "Make an incident"),
    ("POST", "/incidents/{about}/journal", "incident.noted", "Add to an incident's journal"),
    ("POST", "/incidents/{about}/custody", "incident.handed_over", "Give an incident to another position"),
    ("POST", "/incidents/{about}/closure", "incident.closed", "Close an incident"),
    ("POST", "/incidents/{about}/transfer", "incident.transferred", "Give an incident to another force"),
    ("PUT", "/units/{about}/state", "unit.state", "Set a unit's state"),
)


def _next_generation(store: Store, faults: Faults) -> Routes:
    router = Routes(prefix="/api", tags=["resources"])

    for method, path, kind, does in _RESOURCES:
        router.add_api_route(path, _acting(store, faults, kind), methods=[method], summary=does, responses=_ANSWERS)

    @router.get("/changes")
    async def changes(since: Annotated[str, Query(max_length=20, pattern=r"^(t[0-9]{1,18})?$")] = "") -> dict[str, Any]:
        """What has changed since a token."""
        after = int(since[1:] or 0)
        found = store.news(after)
        items = [{"event": _EVENTS[kind], "subject": about, "detail": data} for _, kind, about, data in found]
        return {"items": items, "next": f"t{found[-1][0] if found else after}"}

    return router


def _acting(store: Store, faults: Faults, kind: str) -> Callable[..., Awaitable[dict[str, Any]]]:
    """What a resource does with a request: take it in as a message of a kind, and answer what became of it."""

    async def act(about: About, body: NextBody, idempotency_key: IdempotencyKey, response: Response) -> dict[str, Any]:
        [answer] = store.take([Message(idempotency_key, kind, about, body.source)])
        faults.took(1)
        await faults.after()
        return _said(answer, response)

    return act


def _said(answer: Answer, response: Response) -> dict[str, Any]:
    if answer.status == "rejected":
        response.status_code = 422
        return {"title": answer.reason}
    response.status_code = 200 if answer.status == "duplicate" else 201
    return {"number": answer.reference, "replayed": answer.status == "duplicate"}
