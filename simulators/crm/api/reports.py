"""Routes of the CRM: the report on failure demand, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
from typing import Annotated, Any

from fastapi import Query, Response

from simulators.crm import reports
from simulators.crm.bodies import Time
from simulators.crm.desk import Desk
from simulators.routes import Routes

From = Annotated[Time | None, Query(alias="from", description="Received from then on.")]
To = Annotated[Time | None, Query(description="Received before then.")]


def report_routes(desk: Desk) -> Routes:
    """Return the routes."""
    router = Routes(prefix="/reports", tags=["reports"])

    async def made(from_: Time | None, to: Time | None) -> dict[str, Any]:
        begins = None if from_ is None else from_.timestamp()
        ends = None if to is None else to.timestamp()
        return await desk.run(
            lambda session: reports.failure_demand(session, desk.settings.failure_demand, begins, ends)
        )

    @router.get("/failure-demand")
    async def as_json(from_: From = None, to: To = None) -> dict[str, Any]:
        """How many contacts were made because of a failure of ours, by code and channel (SVC-015)."""
        return await made(from_, to)

    @router.get(
        "/failure-demand.csv",
        response_class=Response,
        responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    )
    async def as_csv(from_: From = None, to: To = None) -> Response:
        """The same for a spreadsheet: a row for each code and channel."""
        text = io.StringIO()
        rows = csv.DictWriter(text, reports.COLUMNS)
        rows.writeheader()
        rows.writerows((await made(from_, to))["rows"])
        return Response(text.getvalue(), media_type="text/csv")

    return router
