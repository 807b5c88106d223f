"""The interface of a simulated Webex, ``/v1``, with the service's own shape of refusals."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from harness.errors import ScimError
from simulators.guard import allowed_methods
from simulators.routes import add_routes
from simulators.webex.api import (
    actions,
    analytics,
    call_queues,
    calling_plan,
    contacts,
    guests,
    licence_assignment,
    meeting_recordings,
    meetings,
    memberships,
    messages,
    oauth,
    organisation,
    people,
    places,
    room_tabs,
    rooms,
    scim_bulk,
    scim_discovery,
    scim_groups,
    scim_users,
    teams,
    telephony,
    voice_messages,
    webhooks,
    xapi,
)
from simulators.webex.cloud import Cloud
from simulators.webex.described import describe
from simulators.webex.errors import WebexError, unfit, unknown
from simulators.webex.front import refusal
from simulators.webex.scim_messages import SCIM

PREFIX = "/v1"
_PARTS = (
    people,
    rooms,
    memberships,
    messages,
    actions,
    room_tabs,
    teams,
    webhooks,
    organisation,
    licence_assignment,
    contacts,
    places,
    telephony,
    voice_messages,
    calling_plan,
    call_queues,
    analytics,
    meetings,
    meeting_recordings,
    xapi,
    guests,
    oauth,
)


def make_app(cloud: Cloud) -> FastAPI:
    """Return the interface of ``cloud``; `simulators.webex.front.Front` stands before it."""
    app = FastAPI(title="Webex, simulated", version="1", redoc_url=None)
    describe(app)

    def refused(request: Request, error: WebexError) -> JSONResponse:
        told, media_type = refusal(request.scope, error, request.state.tracking_id)
        return JSONResponse(told, int(error.status), error.headers, media_type)

    @app.exception_handler(WebexError)
    async def ours(request: Request, error: WebexError) -> JSONResponse:
        return refused(request, error)

    @app.exception_handler(RequestValidationError)
    async def not_fit(request: Request, error: RequestValidationError) -> JSONResponse:
        # What was sent is not sent back: it need not be text, and it may be long.
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            return refused(request, unfit("The body is not JSON.", "invalidSyntax"))
        where = ".".join(str(step) for step in first["loc"][1:]).encode(errors="replace").decode()
        return refused(request, unfit(f"{where or first['loc'][0]}: {first['msg']}", "invalidValue"))

    @app.exception_handler(ScimError)
    async def scim(request: Request, error: ScimError) -> JSONResponse:
        return refused(request, unfit(str(error), error.scim_type))

    @app.exception_handler(HTTPException)
    async def framework(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == HTTPStatus.NOT_FOUND:
            return refused(request, unknown())
        headers = dict(error.headers or {})
        told = str(error.detail)
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = allowed_methods(app, request.url.path)
            told = "The HTTP method is not supported for this resource."
        return refused(request, WebexError(HTTPStatus(error.status_code), told, headers=headers))

    for part in _PARTS:
        add_routes(app, part.routes(cloud), prefix=PREFIX)
    for own in (scim_users, scim_groups, scim_bulk, scim_discovery):
        add_routes(app, own.routes(cloud), prefix=f"{SCIM}{{org}}/v2")
    return app
