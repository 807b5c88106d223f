"""The control interface of the ICCS simulator: what a console does, over HTTP, and is told, over a WebSocket."""

from __future__ import annotations

from fastapi import Depends, FastAPI, Request, status
from fastapi.responses import JSONResponse

from simulators.guard import bearer, guard
from simulators.iccs.alarms import UnknownAlarmError
from simulators.iccs.api.at_positions import position_routes
from simulators.iccs.api.audited import Audited
from simulators.iccs.api.described_events import describe_events
from simulators.iccs.api.feeds import feed_routes
from simulators.iccs.api.incidents import incident_routes
from simulators.iccs.api.oversight import oversight_routes
from simulators.iccs.api.radio_console import radio_console_routes
from simulators.iccs.api.radio_services import radio_service_routes
from simulators.iccs.api.recordings import recording_routes
from simulators.iccs.api.streams import stream_routes
from simulators.iccs.api.supervision import supervision_routes
from simulators.iccs.calls import CallStateError
from simulators.iccs.core_nodes import UnknownCoreNodeError
from simulators.iccs.desk import OperatorDesk
from simulators.iccs.feeds.feeds import FeedError, GoneError
from simulators.iccs.incidents import IncidentError, UnknownIncidentError
from simulators.iccs.positions import PositionError, UnknownPositionError
from simulators.iccs.records import RecordError, UnknownRecordError
from simulators.iccs.trunks import UnknownTrunkError
from simulators.iccs.web_console import web_console_routes
from simulators.routes import add_routes
from simulators.thrive import ThriveError

_UNKNOWN = (
    UnknownCoreNodeError,
    UnknownPositionError,
    UnknownAlarmError,
    UnknownIncidentError,
    UnknownRecordError,
    UnknownTrunkError,
)


def make_app(desk: OperatorDesk, token: str | None, *, wallboard_every_s: float = 1.0) -> FastAPI:
    """Return the control interface of ``desk``.

    Where a token is set every request needs ``Authorization: Bearer``, and the pages that describe the interface and
    the web console, which a browser asks for without one, are left out.
    """

    described = "/openapi.json" if token is None else None
    app = FastAPI(
        title="ICCS simulator control interface",
        version="1",
        openapi_url=described,
        description="What an operator does, and a supervisor sees. 404: there is no such position, call record, "
        "incident, queue or trunk. 409: not now, with the reason in `detail`.",
    )
    app.state.desk = desk

    @app.exception_handler(PositionError)
    @app.exception_handler(IncidentError)
    @app.exception_handler(ThriveError)
    @app.exception_handler(RecordError)
    @app.exception_handler(UnknownTrunkError)
    @app.exception_handler(CallStateError)
    async def refused(_request: Request, error: Exception) -> JSONResponse:
        code = status.HTTP_404_NOT_FOUND if isinstance(error, _UNKNOWN) else status.HTTP_409_CONFLICT
        return JSONResponse({"detail": str(error)}, code)

    @app.exception_handler(FeedError)
    async def no_feed(_request: Request, error: Exception) -> JSONResponse:
        code = status.HTTP_410_GONE if isinstance(error, GoneError) else status.HTTP_409_CONFLICT
        return JSONResponse({"detail": str(error)}, code)

    guard(app)
    app.add_middleware(Audited, audit=desk.audit)
    for routes in (
        position_routes(desk),
        incident_routes(desk),
        supervision_routes(desk),
        oversight_routes(desk),
        feed_routes(desk),
        recording_routes(desk),
        radio_service_routes(desk),
        radio_console_routes(desk),
        stream_routes(desk, wallboard_every_s),
    ):
        add_routes(app, routes, dependencies=[Depends(bearer(token))])
    if token is None:
        add_routes(app, web_console_routes())
        describe_events(app)
    return app
