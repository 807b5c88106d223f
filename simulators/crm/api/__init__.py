"""The interface of the CRM: contacts, records, tasks, the audit, reports and imports, over HTTP."""

from __future__ import annotations

from fastapi import Depends, FastAPI, Request, status
from fastapi.responses import JSONResponse

from simulators.crm.api.audit import audit_routes
from simulators.crm.api.contacts import contact_routes
from simulators.crm.api.imports import import_routes
from simulators.crm.api.records import record_routes
from simulators.crm.api.reports import report_routes
from simulators.crm.api.tasks import task_routes
from simulators.crm.desk import Desk
from simulators.crm.errors import RefusedError, UnfitError, UnknownError
from simulators.crm.importing import Importer
from simulators.faults import Faults
from simulators.guard import bearer, guard
from simulators.routes import add_routes
from simulators.store_refusals import tell_of_the_store
from simulators.thrive import ThriveError, UnfitThriveError

IMPORTS = "/v1/imports"


def make_app(desk: Desk, importer: Importer, faults: Faults, token: str | None) -> FastAPI:
    """Return the interface; it asks for the token where one is set."""
    app = FastAPI(title="CRM simulator", version="1", openapi_url="/openapi.json" if token is None else None)
    guard(app, unbounded=(IMPORTS,), refusals=(400, 404, 409, 422, 503, 507))
    tell_of_the_store(app)

    @app.exception_handler(RefusedError)
    @app.exception_handler(ThriveError)
    async def refused(_request: Request, error: Exception) -> JSONResponse:
        code = status.HTTP_409_CONFLICT
        if isinstance(error, UnknownError):
            code = status.HTTP_404_NOT_FOUND
        elif isinstance(error, UnfitError | UnfitThriveError):
            code = status.HTTP_422_UNPROCESSABLE_CONTENT
        return JSONResponse({"detail": str(error)}, code)

    for routes in (
        contact_routes(desk),
        record_routes(desk, faults),
        task_routes(desk, faults),
        audit_routes(desk),
        report_routes(desk),
        import_routes(importer),
    ):
        add_routes(app, routes, prefix="/v1", dependencies=[Depends(bearer(token)), Depends(faults.before)])
    return app
