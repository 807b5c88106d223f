"""The staff's side: what came, what waits, what was set aside, receipts, and events as they happen."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, HTTPException, Query, Response, WebSocket, status
from fastapi import Path as PathParameter

from simulators.contact_us.crm_queue import CrmQueue
from simulators.contact_us.incidents import Incidents
from simulators.contact_us.public import Reference
from simulators.contact_us.store import Store
from simulators.events import Events, serve
from simulators.guard import bearer, guard
from simulators.routes import Routes, add_routes
from simulators.store_refusals import tell_of_the_store

NOT_KEPT: dict[int | str, dict[str, Any]] = {404: {"description": "None of that name"}}
MOST = 200


def make_control(store: Store, crm: CrmQueue, incidents: Incidents, events: Events, token: str | None) -> FastAPI:
    """Return the application of the staff's side."""
    app = FastAPI(title="Contact Us, staff's side", version="1", docs_url="/docs" if token is None else None)
    refusals = (503, 507) if token is None else (401, 503, 507)
    guard(app, refusals=refusals)
    tell_of_the_store(app)
    add_routes(app, _routes(store, crm, incidents, events), dependencies=[Depends(bearer(token))])
    return app


def _routes(store: Store, crm: CrmQueue, incidents: Incidents, events: Events) -> Routes:
    router = Routes(prefix="/v1", tags=["contact us"])

    @router.get("/status")
    async def figures() -> dict[str, Any]:
        """Counts, and what waits for the CRM and for command and control."""
        kept = await store.figures()
        return {**kept, "links": {"crm": await crm.figures(), "command_control": incidents.figures()}}

    @router.get("/submissions")
    async def listed(
        state: Literal["taken", "set_aside"] | None = None,
        flag: Literal["urgent", "vulnerable", "crime", "check"] | None = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
    ) -> dict[str, Any]:
        """The newest submissions, newest first, without what they say."""
        return {"submissions": await store.listed(state=state, flag=flag, limit=limit)}

    @router.get("/submissions/{reference}", responses=NOT_KEPT)
    async def one(reference: Reference) -> dict[str, Any]:
        """One submission, whole; its files without their content."""
        kept = await store.one(reference)
        if kept is None:
            raise HTTPException(status.HTTP_404_NOT_FOUND, "no submission has this reference")
        return kept

    @router.get(
        "/submissions/{reference}/attachments/{position}",
        response_class=Response,
        responses={
            200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}},
            **NOT_KEPT,
        },
    )
    async def file(reference: Reference, position: Annotated[int, PathParameter(ge=1, le=100)]) -> Response:
        """A file as it came; whatever it is, as something to be saved and not shown."""
        content = await store.file(reference, position)
        if content is None:
            raise HTTPException(status.HTTP_404_NOT_FOUND, "there is no such file")
        headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        return Response(content, media_type="application/octet-stream", headers=headers)

    @router.post("/submissions/{reference}/release", responses=NOT_KEPT)
    async def release(reference: Reference) -> dict[str, Any]:
        """Let one that was set aside, or that the CRM refused, go to the CRM (again)."""
        if not await store.release(reference):
            raise HTTPException(
                status.HTTP_404_NOT_FOUND, "no submission of this reference is set aside or was refused"
            )
        crm.wake()
        events.tell("submission.released", reference=reference)
        return {"reference": reference, "state": "taken"}

    @router.get("/receipts")
    async def receipts(limit: Annotated[int, Query(ge=1, le=MOST)] = MOST) -> dict[str, Any]:
        """Receipts by mail, newest first, each as it goes over the wire."""
        found = await store.receipts(limit=limit)
        return {"receipts": [{**each, "mail": each["mail"].decode(errors="replace")} for each in found]}

    @router.websocket("/events")
    async def stream(socket: WebSocket) -> None:
        await serve(events, socket)

    return router
