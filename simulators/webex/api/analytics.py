"""What administrators are told of calls that are over: detailed records, and reports of their quality."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from simulators.routes import Routes
from simulators.webex.api.asking import Cursor, Items, Moment, Sent, after_number, by_number, needs, stamped
from simulators.webex.call_records import QUALITY_COLUMNS, Detailed, detailed, leg_number, quality
from simulators.webex.calling_shapes import Report, ReportTemplate
from simulators.webex.cloud import Cloud
from simulators.webex.errors import unfit
from simulators.webex.front import Caller
from simulators.webex.shapes import Part
from simulators.webex.store import stamp
from simulators.webex.switchboard import MOST_RECORDS, Switchboard

Records = Annotated[Caller, needs("spark-admin:calling_cdr_read")]
Analytics = Annotated[Caller, needs("analytics:read_all")]
MAX_WINDOW_S: Final = 12 * 3600.0
"""Seconds between startTime and endTime of one question."""
KEPT_S: Final = 30 * 86_400.0
"""Seconds for which records are kept."""
MAX_LOCATIONS: Final = 10
LEAST_PAGE, MOST_PAGE = 500, 5_000
QUALITY: Final = ReportTemplate(
    id=500,
    title="Calling Quality",
    service="Webex Calling",
    max_days=31,
    identifier="calling_quality",
    validations=[{"field": "templateId", "required": "yes"}],
)
"""The only report that there is. Its number and columns are ours. [U]"""


class ReportSent(Sent):
    """A report that is to be made."""

    template_id: int
    start_date: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")] | None = None
    end_date: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")] | None = None


class ReportMade(Part):
    """The id of a report."""

    items: dict[str, str]


def routes(cloud: Cloud) -> Routes:
    """The interface."""
    router = Routes(tags=["analytics"])
    for path in ("/cdr_feed", "/cdr_stream"):
        _records(router, cloud, path)
    _reports(router, cloud)
    return router


async def _detailed(cloud: Cloud, board: Switchboard, org: str) -> list[Detailed]:
    return detailed(
        await board.past(),
        lambda line: cloud.store.person_by_extension(line, org),
        lambda id_: cloud.store.locations.find(id_, org),
        board.at,
    )


def _records(router: Routes, cloud: Cloud, path: str) -> None:
    """Detailed call records."""

    @router.get(path, response_model=Items[dict[str, str]], name=path.removeprefix("/"))
    async def records(
        request: Request,
        caller: Records,
        since: Annotated[Moment, Query(alias="startTime")],
        until: Annotated[Moment, Query(alias="endTime")],
        locations: Annotated[str | None, Query(max_length=1_000)] = None,
        max: Annotated[int, Query(ge=LEAST_PAGE, le=MOST_PAGE)] = LEAST_PAGE,
        cursor: Cursor = None,
    ) -> JSONResponse:
        """Calls that ended between two moments: 12 hours at most, of the last 30 days, and not the last minutes."""
        begin, end, now = stamped(since), stamped(until), cloud.store.now()
        latest = stamp(now - cloud.settings.records_after_s)
        if begin > end:
            raise unfit("'startTime' lies after 'endTime'.")
        if (until - since).total_seconds() > MAX_WINDOW_S:
            raise unfit("startTime and endTime lie 12 hours apart at most.")
        if end > latest or begin < stamp(now - KEPT_S):
            raise unfit(
                f"startTime and endTime lie between {cloud.settings.records_after_s:g} seconds and 30 days before now."
            )
        names = frozenset((locations or "").split(",")) - {""}
        if len(names) > MAX_LOCATIONS:
            raise unfit(f"At most {MAX_LOCATIONS} locations can be asked for at once.")
        place = cloud.pager.after(request, cursor)
        found = [
            each
            for each in await _detailed(cloud, cloud.board(), caller.person.org_id)
            if begin <= each.fields["Report time"] <= end
            and (not names or each.fields["Location"] in names)
            and (place is None or each.place() > place)
        ]
        return cloud.pager.page(request, found, Detailed.place, max, shown=Detailed.told)


def _reports(router: Routes, cloud: Cloud) -> None:
    """Reports of the quality of calls."""
    store = cloud.store

    @router.get("/report/templates", response_model=Items[ReportTemplate])
    async def templates(caller: Analytics) -> JSONResponse:
        """Which reports can be made."""
        return JSONResponse({"items": [QUALITY.told()]})

    @router.get("/reports", response_model=Items[Report])
    async def reports(request: Request, caller: Analytics, cursor: Cursor = None) -> JSONResponse:
        """Those that were made."""
        found = after_number(store.reports.of(caller.person.org_id), cloud.pager.after(request, cursor))
        return cloud.pager.page(request, found, by_number, 100)

    @router.post("/reports", response_model=ReportMade)
    async def create(caller: Analytics, sent: ReportSent) -> JSONResponse:
        """Make one of the calls that ended between two days, or of all."""
        if sent.template_id != QUALITY.id:
            raise unfit(f"There is no report template {sent.template_id}; there is {QUALITY.id}.")
        first, last = _day(sent.start_date), _day(sent.end_date)
        if first is not None and last is not None and first > last:
            raise unfit("'startDate' lies after 'endDate'.")
        store.reports.need_room()
        org = caller.person.org_id
        text = await _table(cloud, org, first, last)
        report = Report(
            id=store.reports.new_id(),
            title=QUALITY.title,
            service=QUALITY.service,
            start_date=sent.start_date,
            end_date=sent.end_date,
            created=store.stamp(),
            created_by=caller.person.id,
            schedule_from="api",
            status="done",
        )
        report.download_url = f"{cloud.url}/v1/reports/{report.id}/download"
        store.reports.add(report, org).written(text)
        return JSONResponse({"items": {"Id": report.id}})

    @router.get("/reports/{report_id}", response_model=Items[Report])
    async def report(caller: Analytics, report_id: str) -> JSONResponse:
        """One."""
        return JSONResponse({"items": [store.reports.get(report_id, caller.person.org_id).told()]})

    @router.get(
        "/reports/{report_id}/download", response_class=Response, responses={200: {"content": {"text/csv": {}}}}
    )
    async def download(caller: Analytics, report_id: str) -> Response:
        """What it says, as CSV."""
        found = store.reports.get(report_id, caller.person.org_id)
        return Response(found.text, media_type="text/csv")

    @router.delete("/reports/{report_id}", status_code=HTTPStatus.NO_CONTENT)
    async def delete(caller: Analytics, report_id: str) -> Response:
        """Take one away."""
        store.reports.remove(store.reports.get(report_id, caller.person.org_id))
        return Response(status_code=HTTPStatus.NO_CONTENT)


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise unfit(f"{text} is no day.") from error


async def _table(cloud: Cloud, org: str, first: date | None, last: date | None) -> str:
    """The quality of the organisation's calls that ended long enough ago, as CSV; cells begin with no formula."""
    board = cloud.board()
    media = await board.ask("GET", "/records/media", query={"most": str(MOST_RECORDS)})
    rows: dict[int, dict[str, Any]] = {row["callIdentifier"]: row for row in media}
    told = io.StringIO()
    table = csv.writer(told)
    table.writerow(QUALITY_COLUMNS)
    latest = stamp(cloud.store.now() - cloud.settings.quality_after_s)
    for party in await board.past():
        person = cloud.store.person_by_extension(party["line"], org)
        row, ended = rows.get(leg_number(party)), board.at(party["ended"])
        day = datetime.fromisoformat(ended).date()
        if person is None or row is None or ended > latest:
            continue
        if (first is None or day >= first) and (last is None or day <= last):
            location = cloud.store.locations.find(person.location_id or "", org)
            table.writerow(_plain(each) for each in quality(party, person, location, row, board.at(party["created"])))
    return told.getvalue()


def _plain(cell: str) -> str:
    """A spreadsheet takes a cell for a formula that begins with one of these."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell
